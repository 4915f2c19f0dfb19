"""Optimizers as pipelines over one stream: what each preconditioning (O7) keeps of the signal at equal T.

Every update is over its own spectral norm, so that alignment is the first-order decrease per unit of it; the cosine with O(S)
is per unit of Frobenius norm. Alignment over projection tells a preconditioned update, 1, from a plain average of gradients.

spikesim run experiments/optimizers.toml --out results/optimizers
python experiments/optimizers.py          # draws; never simulates
"""

from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from spikesim import plots, report
from spikesim.estimate import mean_error
from spikesim.sweep.store import Result, Store

GROUP = "What is open"
MUON = "Muon, exact"
ERROR = 0.05
"""Chance that any comparison with Muon is called a difference though there is none (Bonferroni)."""
PANELS = ("alignment", "cosine", "contrast")
LABELS = ("alignment per unit of spectral norm", "cosine with O(S)", "alignment / projection (ratio of means)")


def draw(store: Store, figures: Path, published: Path | None = None) -> report.Outcome:
    """Draw figures/optimizers and say what it shows."""
    del published
    results = list(store)
    with plots.panels(len(results), 3, (14.5, 11.5), sharey=True, sharex="col") as (figure, axes):
        for row, result in zip(axes, results, strict=True):
            order = _order(results[0])
            for axis, name in zip(row, PANELS, strict=True):
                _dots(axis, result, name, order)
            row[0].set(yticks=range(len(order)), yticklabels=order, ylabel=result.coordinates["name"])
            row[2].axvline(_plain(result), color="#999999", linestyle=":", label="plain average")
            row[2].axvline(1, color="black", linestyle=":", label="all spikes alike")
        for axis, label in zip(axes[-1], LABELS, strict=True):
            axis.set(xlabel=label)
        axes[0, 1].legend(loc="lower right")
        axes[0, 2].legend(loc="upper right")
        finding = _answer(results)
        details = (
            f"Over its spectral norm, {'; '.join(map(_ranked, results))}; {_accumulation(results)}; {_kind(results[0])}."
        )
        above = f"{plots.setting(results[0], store.quick)}, σ = 1, {int(results[0].data.attrs['steps'])} steps from zero; "
        plots.save(figure, figures, "optimizers", above + "bars 95 %", finding)
    return report.Outcome(finding, details=details)


def _samples(result: Result, name: str, pipeline: str) -> np.ndarray:
    """(trial, window)."""
    return result.data[name].sel(pipeline=pipeline).transpose("trial", "window").values


def _order(result: Result) -> list[str]:
    """Pipelines, worst alignment at the longest window first."""
    names = list(result.data.pipeline.values)
    return sorted(names, key=lambda p: _samples(result, "alignment", p)[:, -1].mean())


def _contrast(result: Result, pipeline: str) -> tuple[np.ndarray, np.ndarray]:
    """Ratio of mean alignment and mean projection at each window, and its standard error to first order."""
    above, below = (_samples(result, n, pipeline) for n in ("alignment", "projection"))
    ratio = above.mean(0) / below.mean(0)
    return ratio, mean_error((above - ratio * below) / below.mean(0))[1]


def _plain(result: Result) -> float:
    """The contrast of a plain average: o_k in proportion to lambda_k."""
    spikes = np.array(result.model.spikes)
    return float(spikes.size * np.sum(spikes**2) / spikes.sum() ** 2)


def _dots(axis: Any, result: Result, name: str, order: list[str]) -> None:
    for w, (t, style) in enumerate(zip(result.data.window.values, plots.SERIES_STYLE, strict=False)):
        pairs = [_contrast(result, p) if name == "contrast" else mean_error(_samples(result, name, p)) for p in order]
        value, error = (np.array([pair[i][w] for pair in pairs]) for i in (0, 1))
        y = np.arange(len(order)) + 0.17 * (w - 1)
        axis.plot(value, y, label=f"T = {t:g}", **({"linestyle": "none"} | style | {"markersize": 5}))
        axis.errorbar(value, y, xerr=1.96 * error, fmt="none", capsize=2, color=style["color"])


def _against(result: Result, name: str, pipeline: str) -> tuple[float, float]:
    """Mean difference from Muon at the longest window, trials paired, and the half width of its joint interval."""
    mean, error = mean_error((_samples(result, name, pipeline) - _samples(result, name, MUON))[:, -1])
    others = result.data.pipeline.size - 2  # Shampoo without memory is Muon itself
    return float(mean), float(stats.t.ppf(1 - ERROR / (8 * others), result.data.trial.size - 1) * error)


def _rivals(result: Result) -> list[str]:
    return [p for p in result.data.pipeline.values if p not in (MUON, "Shampoo, no memory")]


def _ahead(result: Result, name: str) -> tuple[int, str, str]:
    """How many are ahead of Muon at the longest window, the best of them, and its difference in words."""
    ahead = [p for p in _rivals(result) if _against(result, name, p)[0] > _against(result, name, p)[1]]
    top = max(_rivals(result), key=lambda p: _against(result, name, p)[0])
    mean, half = _against(result, name, top)
    return len(ahead), top, f"{mean:+.3f} ± {half:.1g}"


def _answer(results: list[Result]) -> str:
    """Whether any passes Muon at the longest window, by alignment and by cosine, under each noise."""
    alignment, cosine = ([_ahead(r, name) for r in results] for name in ("alignment", "cosine"))
    white, other = (r.coordinates["name"] for r in results)
    return (
        f"Per unit of spectral norm at T = {results[0].data.window.values[-1]:g}, exact Muon's alignment is passed by "
        f"{alignment[0][0]} of {len(_rivals(results[0]))} others under {white} (the best, {alignment[0][1]}: "
        f"{alignment[0][2]}) "
        f"and {alignment[1][0]} under {'' if 'noise' in other else 'noise of '}{other}, its cosine with O(S) by "
        f"{cosine[0][0]} and {cosine[1][0]} (the best, {cosine[0][1]}: {cosine[0][2]})."
    )


def _ranked(result: Result) -> str:
    """Who is ahead of Muon at the longest window, by either measure, and the nearest or farthest of them."""
    parts = []
    for name in ("alignment", "cosine"):
        count, top, said = _ahead(result, name)
        parts.append(f"by {name} {count} of {len(_rivals(result))} others (the best, {top}: {said})")
    muon = [_samples(result, name, MUON)[:, -1].mean() for name in ("alignment", "cosine")]
    t = result.data.window.values[-1]
    return (
        f"at T = {t:g} under {'noise of ' if 'noise' not in result.coordinates['name'] else ''}{result.coordinates['name']} "
        f"exact Muon ({muon[0]:.3f}, cosine {muon[1]:.3f}) is passed {' and '.join(parts)}"
    )


def _accumulation(results: list[Result]) -> str:
    """Shampoo without memory is Muon; with memory it is paired with it at each noise."""
    same = max(
        np.abs(_samples(r, n, "Shampoo, no memory") - _samples(r, n, MUON)).max()
        for r in results
        for n in ("alignment", "cosine")
    )
    parts = []
    for name in ("alignment", "cosine"):
        said = []
        for pipeline in ("momentum of Shampoo", "Shampoo of momentum", "Fisher"):
            mean, half = _against(results[0], name, pipeline)
            said.append(f"{pipeline} {mean:+.3f} ± {half:.1g}")
        parts.append(f"{', '.join(said)} in {name}")
    return f"Shampoo without accumulation is Muon to {same:.0e}, with it (white noise) {'; '.join(parts)}"


def _kind(result: Result) -> str:
    """Alignment over projection at the longest window, from the plainest to the most preconditioned."""
    order = sorted(result.data.pipeline.values, key=lambda p: -_contrast(result, p)[0][-1])
    chosen = [order[0], "momentum SGD", "Adam", "momentum of polar factors", "Fisher", MUON]
    said = [
        f"{p} {_contrast(result, p)[0][-1]:.2f} ± {1.96 * _contrast(result, p)[1][-1]:.1g}" for p in dict.fromkeys(chosen)
    ]
    return f"alignment over projection is {', '.join(said)}, where a plain average has {_plain(result):.2f} and O(S) 1"


if __name__ == "__main__":
    report.main(draw, __file__)
