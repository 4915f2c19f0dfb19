"""How many singular directions of the buffer to keep, against T: three spikes, and a power law at three sizes (S2).

Kept directions all have weight 1, so that ‖A‖_F = sqrt(k), and the cosine with S itself is alignment ‖S‖_* / (‖S‖_F sqrt(k)).

spikesim run experiments/rank_choice.toml --out results/rank_choice
python experiments/rank_choice.py          # draws; never simulates
"""

from pathlib import Path
from typing import Any

import numpy as np

from spikesim import plots, report, rng
from spikesim.estimate import mean_error
from spikesim.sweep.store import Result, Store
from spikesim.theory import asymptotics

GROUP = "What is open"
RESAMPLES = 999
RANKS = tuple(range(1, 9))
SHOWN = ("rank 1", "rank 2", "rank 3", "rank 4", "rank 8", "full", "hard threshold")


def draw(store: Store, figures: Path, published: Path | None = None) -> report.Outcome:
    """Draw figures/rank_choice and say what it shows."""
    del published
    first, *laws = results = list(store)
    with plots.panels(2, 2, (12.5, 10), sharex=True) as (figure, axes):
        for axis, name in zip(axes[0], ("cosine", "alignment"), strict=True):
            _curves(axis, first, name)
        axes[0, 0].set(ylabel="cosine with O(S)", ylim=(0, 1.03))
        axes[0, 1].set(ylabel="alignment: ⟨A, S⟩ / ‖S‖∗", ylim=(0, 1.03))
        for axis, of in zip(axes[1], (_to_target, _to_signal), strict=True):
            for result, style in zip(results, plots.SERIES_STYLE, strict=False):
                _best_ranks(axis, result, of, style)
            axis.set(xlabel=plots.SAMPLES, ylim=(0.5, 11), yticks=RANKS)
            axis.legend(loc="upper left", ncol=2)
        axes[1, 0].set(ylabel="k ≤ 8 of highest cosine with O(S)")
        axes[1, 1].set(ylabel="k ≤ 8 of highest cosine with S")
        finding = _answer(first, laws[-1])
        details = f"{_three(first)}; {_costs(first)}; {_unknown(first)}; {_laws(laws)}."
        above = f"{plots.setting(first, store.quick)}; power laws: spikes √n / j, j = 1 to n/2; σ = 1; bands and bars 95 %"
        plots.save(figure, figures, "rank_choice", above, finding)
    return report.Outcome(finding, details=details)


def _samples(result: Result, name: str, pipeline: str) -> np.ndarray:
    """(trial, window)."""
    return result.data[name].sel(pipeline=pipeline).transpose("trial", "window").values


def _x(result: Result) -> np.ndarray:
    return 2 * result.data.window.values - 1


def _to_target(result: Result) -> np.ndarray:
    """Cosine with O(S) for each k of RANKS, (k, trial, window)."""
    return np.stack([_samples(result, "cosine", f"rank {k}") for k in RANKS])


def _to_signal(result: Result) -> np.ndarray:
    """Cosine with S for each k of RANKS, (k, trial, window)."""
    spikes = np.abs(result.model.spikes)
    norms = spikes.sum() / np.linalg.norm(spikes)
    return np.stack([_samples(result, "alignment", f"rank {k}") * norms / k**0.5 for k in RANKS])


def _curves(axis: Any, result: Result, name: str) -> None:
    for pipeline, style in zip(SHOWN, plots.MANY_STYLE, strict=False):
        label = pipeline.replace("rank", "k =")
        plots.mean_band(axis, _x(result), _samples(result, name, pipeline), label, **style)
    for x in _thresholds(result):
        axis.axvline(x, color="#999999", linestyle=(0, (1, 2)), linewidth=1)
    axis.set(xscale="log", title=f"spikes {', '.join(f'{s:.3g}' for s in result.model.spikes)}")
    if name == "cosine":
        axis.legend(loc="upper left")


def _thresholds(result: Result) -> np.ndarray:
    """2T - 1 at which each spike leaves the bulk."""
    model = result.model
    windows = asymptotics.critical_window(model.shape, model.noise.variance**0.5, model.spikes)
    return 2 * np.asarray(windows) - 1


def _past(result: Result, x: np.ndarray) -> np.ndarray:
    """How many spikes are past their threshold at each 2T - 1, at least 1 and at most the largest k."""
    rounding = 1 + 1e-4  # thresholds are set by rounded spikes
    return np.clip((x[:, None] * rounding > _thresholds(result)).sum(1), 1, RANKS[-1])


def _best(result: Result, of: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """k of the highest mean at each window, and its 95 % interval: percentiles over resampled trials."""
    samples, ranks = of(result), np.array(RANKS)
    count = samples.shape[1]
    draws = rng.generator(0, rng.BOOTSTRAP).integers(count, size=(RESAMPLES, count))
    weights = np.stack([np.bincount(d, minlength=count) for d in draws]) / count
    made = ranks[np.einsum("bt,ktw->bkw", weights, samples).argmax(1)]
    low, high = np.quantile(made, [0.025, 0.975], axis=0)
    return ranks[samples.mean(1).argmax(0)], low, high


def _best_ranks(axis: Any, result: Result, of: Any, style: dict[str, Any]) -> None:
    number = plots.SERIES_STYLE.index(style)
    shift = 1.07 ** (number - 1.5)
    best, low, high = _best(result, of)
    plots.intervals(axis, _x(result) * shift, best, [low, high], result.coordinates["name"], **(style | {"markersize": 7}))
    if number < 2:  # thresholds are the same for all power laws
        fine = np.geomspace(_x(result)[0], _x(result)[-1], 500)
        label = "spikes past threshold (S2): " + ("three" if number == 0 else "power laws")
        plots.guide(axis, fine, _past(result, fine), label, color=style["color"], linestyle=":")


def _answer(three: Result, law: Result) -> str:
    """Whether the best k is the number of spikes past their threshold, what all directions cost, and a power law's best k."""
    windows = three.data.window.values
    equal = int((_best(three, _to_target)[0] == _past(three, _x(three)))[1:].sum())
    middle = law.data.window.size // 2
    found, past = _said(law, _to_target, middle), _past(law, _x(law))[middle]
    limit = " (the most tried)" if _best(law, _to_target)[0][middle] == RANKS[-1] else ""
    return (
        f"By cosine with O(S) the best k is the count of spikes past threshold (S2) at {equal} of {windows.size - 1} windows "
        f"for three spikes (the full factor {_change(three, 'cosine', 'full', 'rank 3', -1)} against it at "
        f"T = {windows[-1]:g}), but {found}{limit} where {past} of a power law are past; by alignment the full factor is "
        f"{'best' if _full_leads(three) else 'not always best'}."
    )


def _three(result: Result) -> str:
    best, out = _best(result, _to_target)[0], _past(result, _x(result))
    pairs = ", ".join(f"{k} at T = {t:g}" for k, t in zip(best, result.data.window.values, strict=True))
    return (
        f"With three spikes the k of highest cosine with O(S) is {pairs}, the number of spikes past their threshold (S2) at "
        f"{int((best == out)[1:].sum())} of {best.size - 1} windows above 1"
    )


def _change(result: Result, name: str, pipeline: str, other: str, window: int) -> str:
    mean, error = mean_error((_samples(result, name, pipeline) - _samples(result, name, other))[:, window])
    return f"{mean:+.3f} ± {1.96 * error:.1g}"


def _costs(result: Result) -> str:
    last = result.data.window.values[-1]
    cosine = [_change(result, "cosine", p, "rank 3", -1) for p in ("rank 2", "rank 4", "rank 8", "full")]
    signs = [_change(result, "alignment", "rank 3", "full", w) for w in (1, -1)]
    return (
        f"at T = {last:g} the cosine of k = 2, 4, 8 and of the full polar factor against k = 3 is {', '.join(cosine)}, while "
        f"by alignment the full one is {'best at every T' if _full_leads(result) else 'not always best'} (k = 3 against it "
        f"{signs[0]} at T = {result.data.window.values[1]:g}, {signs[1]} at T = {last:g})"
    )


def _full_leads(result: Result) -> bool:
    means = [_samples(result, "alignment", p).mean(0) for p in ("full", *(f"rank {k}" for k in RANKS))]
    return bool(np.all(means[0] >= np.max(means[1:], axis=0)))


def _unknown(result: Result) -> str:
    """The threshold, which is told neither r nor sigma, against the best k; and a random sketch against k = 3."""
    samples, windows = _to_target(result), result.data.window.values
    hard = _samples(result, "cosine", "hard threshold").mean(0)
    behind = samples.mean(1).max(0) - hard
    worst = int(behind.argmax())
    sketch = (_samples(result, "cosine", "rank 3") - _samples(result, "cosine", "rank 3, randomised")).mean(0)
    return (
        f"a hard threshold, told neither rank nor σ, is behind the best k by {behind[worst]:.3f} at T = {windows[worst]:g} "
        f"and {behind[-1]:.3f} at T = {windows[-1]:g}, and a random sketch of rank 3 loses at most {sketch.max():.3f}"
    )


def _laws(results: list[Result]) -> str:
    """Best k of power laws at a middle window, by both cosines."""
    windows = results[0].data.window.values
    middle = windows.size // 2
    parts = [
        f"{_said(result, _to_target, middle)} (with S {_said(result, _to_signal, middle)}) for n = {result.model.shape[0]}"
        for result in results
    ]
    past = _past(results[0], _x(results[0]))[middle]
    return (
        f"of power laws √n/j at T = {windows[middle]:g}, {past} spikes past, the best k ≤ {RANKS[-1]} is {', '.join(parts)}"
    )


def _said(result: Result, of: Any, window: int) -> str:
    best, low, high = (x[window] for x in _best(result, of))
    return f"{best} [{low:g}, {high:g}]"


if __name__ == "__main__":
    report.main(draw, __file__)
