"""The first steps of a filter: alignment of pre- and post-polar after t steps, by how the filter starts (F2, F10, B4, S4).

spikesim run experiments/momentum_warmup.toml --out results/momentum_warmup
python experiments/momentum_warmup.py          # draws; never simulates
"""

from pathlib import Path
from typing import Any

import numpy as np

from spikesim import plots, report
from spikesim.estimate import mean_error
from spikesim.filters import EMA, Kalman, LinearFilter, Warmup
from spikesim.sweep.store import Result, Store
from spikesim.theory import asymptotics
from spikesim.wording import largest_miss, plus_minus

GROUP = "What is open"
ORDERS = ("pre", "post")
SHARE = 0.9
"""Of the steady n_eff, at which a filter counts as warmed up."""
RISING = 100
STYLES: dict[str, dict[str, Any]] = dict(
    zip(("zero", "debiased", "first", "Kalman", "rising", "Muon's"), plots.MANY_STYLE, strict=False)
)


def draw(store: Store, figures: Path, published: Path | None = None) -> report.Outcome:
    """Draw figures/momentum_warmup and say what it shows."""
    del published
    results = sorted(store, key=lambda r: int(r.coordinates["run.steps"]))
    with plots.panels(1, 3, (14, 5.4), sharex=True) as (figure, (axes,)):
        for axis, order in zip(axes, ORDERS, strict=False):
            _panel(axis, results, order)
        _sizes(axes[2], results)
        for axis in axes:
            axis.set(xscale="log", xlabel="t (steps since the start)")
        axes[0].legend(loc="upper left")
        finding = _finding(results)
        above = (
            f"{plots.setting(results[0], store.quick)}, T = {_window(results):g}; bands 95 %; dashed: S4 at each filter's "
        )
        plots.save(figure, figures, "momentum_warmup", above + "own gain and noise factor after t steps", finding)
    details = f"{_debiasing(results)}; {_sooner(results)}; {_measured(results)}; {_theory_finding(results)}."
    return report.Outcome(finding, details=details)


def _window(results: list[Result]) -> float:
    return float(results[0].data.window.values[0])


def _steps(results: list[Result]) -> np.ndarray:
    return np.array([int(r.coordinates["run.steps"]) for r in results])


def _filter(start: str, t: float) -> LinearFilter:
    """The filter of each start, as the spec has it."""
    if start in ("zero", "debiased", "first"):
        return EMA(t, start)
    return {"Kalman": Kalman(t), "rising": Warmup(t, 0.0, RISING), "Muon's": Warmup(t)}[start]


def _read(results: list[Result], order: str, start: str) -> np.ndarray:
    """(trial, t)."""
    each = [r.data.alignment.isel(window=0).sel(pipeline=f"{order} {start}").values for r in results]
    return np.stack(each, axis=1)


def _limit(results: list[Result], order: str, start: str, steps: int) -> float:
    model, filter_ = results[0].model, _filter(start, _window(results))
    gain, sigma = filter_.gain(steps), model.noise.sigma  # type: ignore[attr-defined]
    if order == "post":
        return gain * asymptotics.alignment(model.shape, sigma, model.spikes, 1.0)
    return asymptotics.alignment(model.shape, sigma * filter_.noise_factor(steps) ** 0.5 / gain, model.spikes, 1.0)


def _panel(axis: Any, results: list[Result], order: str) -> None:
    t = _steps(results)
    for start, style in STYLES.items():
        look = style | {"markersize": 6, "linestyle": "none"}
        plots.mean_band(axis, t, _read(results, order, start), start, **look)
        limit = [_limit(results, order, start, int(x)) for x in t]
        plots.guide(axis, t, limit, "S4" if start == "zero" else "", linewidth=1, color=style["color"])
    axis.set(ylabel="alignment ⟨A, S⟩ / ‖S‖∗", ylim=(0, None), title=f"{order}-polar")


def _sizes(axis: Any, results: list[Result]) -> None:
    t = np.unique(np.geomspace(1, _steps(results)[-1], 80).astype(int))
    for start, style in STYLES.items():
        filter_, look = _filter(start, _window(results)), style | {"markersize": 5, "markevery": 8}
        line = {"zero": (0, (6, 3)), "debiased": (0, (1, 2))}.get(start, "-")
        axis.plot(t, [filter_.n_eff(int(x)) for x in t], label=start, linewidth=1.6, **look | {"linestyle": line})
    plots.guide(axis, t, np.full(t.size, 2 * _window(results) - 1), "2T − 1", color="#999999")
    axis.set(yscale="log", ylabel="n_eff (effective sample size)", title="what each filter averages over (F1)")
    axis.legend(loc="lower right")


def _finding(results: list[Result]) -> str:
    """The most that any start gains pre-polar, and what two lose at the t at which the first gradient costs most."""
    t, k = _steps(results), _worst(results)
    lost = {start: plus_minus(-mean[k], half[k]) for start in ("first", "rising") for mean, half in [_gained(results, start)]}
    means, halves = (np.stack(x) for x in zip(*(_gained(results, start) for start in STYLES), strict=True))
    i, j = at = np.unravel_index(means.argmax(), means.shape)
    return (
        f"No start gains pre-polar more than {plus_minus(means[at], halves[at])} over one from zero ({list(STYLES)[i]}, "
        f"t = {t[j]}), and debiasing changes it by {_changed(results):.0e} at most; at t = {t[k]} starting at the first "
        f"gradient loses {lost['first']}, and momentum rising from zero loses {lost['rising']}."
    )


def _changed(results: list[Result]) -> float:
    """Largest change of pre-polar by debiasing in any trial at any t."""
    return float(np.abs(_read(results, "pre", "debiased") - _read(results, "pre", "zero")).max())


def _worst(results: list[Result]) -> int:
    """Index of the t at which starting at the first gradient costs pre-polar most."""
    return int((_read(results, "pre", "zero") - _read(results, "pre", "first")).mean(0).argmax())


def _gained(results: list[Result], start: str) -> tuple[np.ndarray, np.ndarray]:
    """Pre-polar by a start less that from zero, paired, at each t, and half its 95 % interval."""
    mean, error = mean_error(_read(results, "pre", start) - _read(results, "pre", "zero"))
    return mean, 1.96 * error


def _debiasing(results: list[Result]) -> str:
    """Debiased less zero: exactly nothing in pre-polar, the gain in post-polar."""
    t, post = _steps(results), _read(results, "post", "debiased") - _read(results, "post", "zero")
    mean, error = mean_error(post[:, 0])
    return (
        f"debiasing changes pre-polar in no trial by over {_changed(results):.0e} at any t, and adds to post-polar's raw "
        f"alignment what gain lacks: {plus_minus(mean, 1.96 * error)} at t = {t[0]}, {post[:, -1].mean():.1e} at t = {t[-1]}"
    )


def _warm(start: str, t: float) -> int:
    """First step from which n_eff is at least SHARE of 2T - 1."""
    filter_, most = _filter(start, t), int(20 * t)
    low = [x for x in range(1, most) if filter_.n_eff(x) < SHARE * (2 * t - 1)]
    return max(low, default=0) + 1


def _sooner(results: list[Result]) -> str:
    t = _window(results)
    said = ", ".join(f"{start} {_warm(start, t)}" for start in ("zero", "first", "Kalman", "rising", "Muon's"))
    return f"steps from which n_eff stays above {100 * SHARE:g} % of 2T − 1 = {2 * t - 1:g} are: {said}"


def _measured(results: list[Result]) -> str:
    zero, k = _read(results, "pre", "zero"), _worst(results)
    gained = {start: _gained(results, start) for start in ("first", "Kalman", "rising", "Muon's")}
    said = [f"{start} {plus_minus(mean[k], half[k], '+')}" for start, (mean, half) in gained.items()]
    return f"pre-polar at t = {_steps(results)[k]}, less that from zero ({zero[:, k].mean():.3f}), is {', '.join(said)}"


def _theory_finding(results: list[Result]) -> str:
    apart, errors = [], []
    for order in ORDERS:
        for start in STYLES:
            mean, error = mean_error(_read(results, order, start))
            apart.append(np.abs(mean - [_limit(results, order, start, int(x)) for x in _steps(results)]))
            errors.append(error)
    return f"of {np.size(apart)} means S4 is off by {largest_miss(apart, errors)}"


if __name__ == "__main__":
    report.main(draw, __file__)
