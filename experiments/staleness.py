"""Late workers while u turns: alignment against their delay, with the filter's lag and the workers' (F7, S8).

spikesim run experiments/staleness.toml --out results/staleness
python experiments/staleness.py          # draws; never simulates
"""

import cmath
from pathlib import Path
from typing import Any

import numpy as np

from spikesim import plots, report
from spikesim.estimate import mean_error
from spikesim.filters import EMA
from spikesim.sweep.store import Result, Store
from spikesim.theory import asymptotics
from spikesim.wording import largest_miss

GROUP = "What is open"
COUNT = 4
FIRST, LAST, AGAIN = ORDERS = ("average, filter, polar", "polar, average, filter", "polar, average, filter, polar")
TEXTS = {
    FIRST: "Workers{} -> Filter() -> Polar()",
    LAST: "Polar() -> Workers{} -> Filter()",
    AGAIN: "Polar() -> Workers{} -> Filter() -> Polar()",
}
ALL, ONE = "all late", "one of four late"


def draw(store: Store, figures: Path, published: Path | None = None) -> report.Outcome:
    """Draw figures/staleness and say what it shows."""
    del published
    results = sorted(store, key=_omega)
    with plots.panels(len(results), 3, (13.5, 4.6 * len(results)), sharex=True, sharey=True) as (figure, axes):
        for row, result in zip(axes, results, strict=True):
            for axis, order in zip(row, ORDERS, strict=True):
                _panel(axis, result, order)
            row[0].set_ylabel("alignment with the signal as it is now")
        for axis in axes[-1]:
            axis.set_xlabel("delay d in steps of the filter")
        axes[0, 0].legend(loc="lower left")
        finding = _finding(results)
        steps = int(results[0].data.attrs["steps"]) // COUNT
        above = (
            f"{plots.setting(results[0], store.quick)}, {COUNT} workers, {steps} steps "
            f"of the filter from zero; ω: angle of u in a step of the stream, {COUNT} of them one of the filter; bands 95 %"
        )
        plots.save(figure, figures, "staleness", above, finding)
    return report.Outcome(finding, details=f"{_theory_finding(results)}; {_cost(results[-1])}; {_best(results[-1])}.")


def _omega(result: Result) -> float:
    return float(result.model.signal.omega)  # type: ignore[attr-defined]


def _delays(kind: str, d: int) -> tuple[int, ...]:
    return (d,) * COUNT if kind == ALL else (*(0,) * (COUNT - 1), d)


def _text(order: str, delays: tuple[int, ...]) -> str:
    return TEXTS[order].format(f"({COUNT}, {delays})" if any(delays) else f"({COUNT})")


def _all_delays(result: Result) -> list[int]:
    """d of the pipelines, 0 among them."""
    names = {str(x) for x in result.data.pipeline.values}
    return [d for d in range(100) if _text(FIRST, _delays(ALL, d)) in names]


def _read(result: Result, order: str, kind: str) -> np.ndarray:
    """(trial, d, window)."""
    texts = [_text(order, _delays(kind, d)) for d in _all_delays(result)]
    return result.data.alignment.sel(pipeline=texts).transpose("trial", "pipeline", "window").values


def _response(result: Result, delays: tuple[int, ...], t: float) -> tuple[complex, float]:
    """What workers and filter leave of the turning spike, h, and of the noise variance of one gradient."""
    omega, steps, h, factor = _omega(result), int(result.data.attrs["steps"]) // COUNT, 0j, 0.0
    for worker, d in enumerate(delays):
        filter_ = EMA(t)
        age = COUNT - 1 - worker + COUNT * d
        h += cmath.exp(-1j * omega * age) * filter_.response(COUNT * omega, steps - d) / COUNT
        factor += filter_.noise_factor(steps - d) / COUNT**2
    return h, factor


def _limit(result: Result, order: str, delays: tuple[int, ...], t: float) -> float:
    """S8 with all lags in h, a(|h| lambda) cos(arg h); polar step first, a of one gradient times Re h; NaN where neither."""
    h, factor = _response(result, delays, t)
    shape, sigma, spikes = result.model.shape, result.model.noise.sigma, result.model.spikes  # type: ignore[attr-defined]
    if order == FIRST:
        return asymptotics.alignment(shape, sigma * factor**0.5 / abs(h), spikes, 1.0) * float(np.cos(cmath.phase(h)))
    return h.real * asymptotics.alignment(shape, sigma, spikes, 1.0) if order == LAST else np.nan


def _limits(result: Result, order: str, kind: str) -> np.ndarray:
    """(d, window)."""
    windows = result.data.window.values
    return np.array([[_limit(result, order, _delays(kind, d), float(t)) for t in windows] for d in _all_delays(result)])


def _panel(axis: Any, result: Result, order: str) -> None:
    delays, windows = _all_delays(result), result.data.window.values
    for k, style in zip((0, windows.size // 2), plots.SERIES_STYLE, strict=False):
        for kind, line in ((ALL, "-"), (ONE, ":")):
            look = style | {"linestyle": line, "markersize": 5}
            plots.mean_band(axis, delays, _read(result, order, kind)[..., k], f"{kind}, T = {windows[k]:g}", **look)
            label = "S8 with all lags" if (k, kind) == (0, ALL) else ""
            plots.guide(axis, delays, _limits(result, order, kind)[:, k], label, linewidth=1)
    axis.set(title=f"{order}\nω = {_omega(result):g}", ylim=(0, 1.02))
    axis.set_xticks(delays)


def _finding(results: list[Result]) -> str:
    """What lateness does by theory, how well that holds, and what the longest delay costs averaging first."""
    result, apart = results[-1], max(np.max(x) for x in _misses(results, FIRST)[0])
    k, d = result.data.window.size // 2, _all_delays(result)[-1]
    every, one = (_lost(_read(result, FIRST, kind)[..., k]) for kind in (ALL, ONE))
    return (
        f"A worker d steps late adds d to the filter's lag and, to {apart:.3f} of alignment, no more (S8): at ω = "
        f"{_omega(result):g}, T = {result.data.window.values[k]:g} a delay of {d} costs '{FIRST}' {every} if all {COUNT} "
        f"are late, {one} if one is."
    )


def _misses(results: list[Result], order: str) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """|mean - theory| and standard errors, (d, window) for each result and kind."""
    apart, errors = [], []
    for result in results:
        for kind in (ALL, ONE):
            mean, error = mean_error(_read(result, order, kind))
            apart.append(np.abs(mean - _limits(result, order, kind)))
            errors.append(error)
    return apart, errors


def _theory_finding(results: list[Result]) -> str:
    said = [f"'{order}' is off by {largest_miss(*_misses(results, order))}" for order in (FIRST, LAST)]
    return f"from S8 with all lags, as n is finite, {' and '.join(said)}"


def _lost(samples: np.ndarray) -> str:
    """Share lost between the first and the last delay, as a ratio of means, (trial, d)."""
    ratio = samples[:, -1].mean() / samples[:, 0].mean()
    error = mean_error((samples[:, -1] - ratio * samples[:, 0]) / samples[:, 0].mean())[1]
    return f"{100 * (1 - ratio):.1f} ± {196 * error:.1f} %"


def _cost(result: Result) -> str:
    """What the longest delay costs each order at the middle window, all late and one late."""
    k, d = result.data.window.size // 2, _all_delays(result)[-1]
    said = [f"'{order}' {' and '.join(_lost(_read(result, order, kind)[..., k]) for kind in (ALL, ONE))}" for order in ORDERS]
    return (
        f"at ω = {_omega(result):g}, T = {result.data.window.values[k]:g} a delay of {d} for all, and for one worker of "
        f"{COUNT}, loses {', '.join(said)}"
    )


def _best(result: Result) -> str:
    """Best window of those run without and with the longest delay, and by theory between them."""
    windows, said, tops = result.data.window.values, [], []
    fine = np.geomspace(windows[0], windows[-1], 60)
    for d in (0, _all_delays(result)[-1]):
        i = _all_delays(result).index(d)
        theory = fine[np.argmax([_limit(result, FIRST, _delays(ALL, d), float(t)) for t in fine])]
        tops.append(theory)
        best = windows[_read(result, FIRST, ALL)[:, i].mean(0).argmax()]
        said.append(f"{best:g} (S8 {theory:.2g}) at d = {d}")
    shorter = ": lateness asks for a shorter window" if tops[1] < tops[0] else ""
    return f"the best T of '{FIRST}' among those run is {' and '.join(said)}{shorter}"


if __name__ == "__main__":
    report.main(draw, __file__)
