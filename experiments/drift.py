"""Alignment of pre-polar with the current signal against T while the signal turns, and the window that is best (S8).

spikesim run experiments/drift.toml --out results/drift
python experiments/drift.py          # draws; never simulates
"""

from pathlib import Path
from typing import Any

import numpy as np

from spikesim import plots, report, rng
from spikesim.estimate import mean_error
from spikesim.sweep.store import Result, Store
from spikesim.theory import drift

GROUP = "What is sharper"

RESAMPLES = 999
FINE = 2001
"""Windows at which the spline through the means is searched for its top."""


def draw(store: Store, figures: Path, published: Path | None = None) -> report.Outcome:
    """Draw figures/drift and say what it shows."""
    del published
    results = list(store)
    groups = [[r for r in results if _both(r) is both] for both in (False, True)]
    styles = dict(zip(sorted({_omega(r) for r in results}), plots.SERIES_STYLE, strict=False))
    with plots.panels(1, 2, (11.5, 5.8), sharey=True) as (figure, (axes,)):
        for axis, group in zip(axes, groups, strict=True):
            for result in group:
                _line(axis, result, styles[_omega(result)])
            for result in group:
                _theory_line(axis, result, result is group[-1])
            axis.set(xscale="log", xlabel=plots.SAMPLES, title=group[0].coordinates["name"])
            place = "lower left" if group is groups[0] else "lower right"
            axis.legend(loc=place)
        axes[0].set(ylabel="alignment of pre-polar with the current S: ⟨A, S⟩ / ‖S‖∗", ylim=(-0.03, 1.05))
        finding = f"{_turning(groups[0])}; {_both_turning(groups[1])}; {_deviation(results)}."
        above = f"{plots.setting(results[0], store.quick)}, Gaussian noise of standard deviation 1; ω in radians a step"
        plots.save(figure, figures, "drift", above, finding)
    return report.Outcome(finding)


def _both(result: Result) -> bool:
    return bool(result.model.signal.both)  # type: ignore[attr-defined]


def _omega(result: Result) -> float:
    return float(result.model.signal.omega)  # type: ignore[attr-defined]


def _samples(result: Result) -> tuple[np.ndarray, np.ndarray]:
    """T and alignment, (trial, window)."""
    return result.data.window.values, result.data.alignment.sel(pipeline="pre-polar").values


def _theory(result: Result, windows: np.ndarray) -> np.ndarray:
    model = result.model
    at = model.shape, model.noise.variance**0.5, model.spikes
    return np.array([drift.alignment(*at, t, _omega(result), _both(result)) for t in windows])


def _best(result: Result) -> tuple[float, float]:
    model = result.model
    return drift.best_window(model.shape, model.noise.variance**0.5, model.spikes, _omega(result))


def _line(axis: Any, result: Result, style: dict[str, Any]) -> None:
    windows, samples = _samples(result)
    plots.mean_band(axis, 2 * windows - 1, samples, f"ω = {_omega(result):g}", **style)
    if not _both(result):
        best, low, high = _measured_best(result)
        span = 2 * np.array([[best - low], [high - best]])
        axis.errorbar([2 * best - 1], [samples.mean(0).max() + 0.035], xerr=span, fmt="|", markersize=13, capsize=4,
                      markeredgewidth=1.8, color=style["color"])  # fmt: skip


def _theory_line(axis: Any, result: Result, named: bool) -> None:
    windows, _ = _samples(result)
    fine = np.geomspace(windows.min(), windows.max(), 120)
    plots.guide(axis, 2 * fine - 1, _theory(result, fine), "limit S8" if named else "")
    if not _both(result):
        t, value = _best(result)
        star = {"color": "black", "linestyle": "none", "markersize": 11, "zorder": 5}
        axis.plot([2 * t - 1], [value], marker="*", label="best T of S8" if named else "", **star)
        axis.plot([], [], "|", color="black", markersize=13, label="best T measured, 95 %" if named else "")


def _peak(windows: np.ndarray, means: np.ndarray) -> np.ndarray:
    """T at the top of the cubic spline in ln T through means (..., window)."""
    from scipy.interpolate import CubicSpline

    fine = np.geomspace(windows.min(), windows.max(), FINE)
    return fine[CubicSpline(np.log(windows), means, axis=-1)(np.log(fine)).argmax(-1)]


def _measured_best(result: Result) -> tuple[float, float, float]:
    """Best T and its 95 % interval: percentiles over resampled trials."""
    windows, samples = _samples(result)
    draws = rng.generator(0, rng.BOOTSTRAP).integers(len(samples), size=(RESAMPLES, len(samples)))
    low, high = np.quantile(_peak(windows, samples[draws].mean(1)), [0.025, 0.975])
    return float(_peak(windows, samples.mean(0))), float(low), float(high)


def _turning(group: list[Result]) -> str:
    parts = []
    for result in group:
        best, low, high = _measured_best(result)
        t, value = _best(result)
        loss = 1 - _samples(result)[1].mean(0).max()
        parts.append(
            f"{best:.3g} [{low:.3g}, {high:.3g}] against {t:.3g} at ω = {_omega(result):g}, with {loss:.3f} lost "
            f"against {1 - value:.3f}"
        )
    return f"With u turning the best T, measured against S8, is {'; '.join(parts)}"


def _both_turning(group: list[Result]) -> str:
    """The largest fall below an earlier mean, with the error of the same trials' difference, and where the curve ends."""
    parts = []
    for result in group:
        windows, samples = _samples(result)
        means = samples.mean(0)
        high, low = max(
            ((i, j) for j in range(means.size) for i in range(j + 1)), key=lambda pair: means[pair[0]] - means[pair[1]]
        )
        fall, error = mean_error(samples[:, high] - samples[:, low])
        said = f"falls by {fall:.3f} ± {1.96 * error:.3f} between T = {windows[high]:g} and {windows[low]:g}"
        parts.append(
            f"at ω = {_omega(result):g} the alignment {said if high < low else 'never falls'} and ends at {means[-1]:.3f} "
            f"(S8 {_theory(result, windows[-1:])[0]:.3f})"
        )
    return f"with both turning, up to T = {windows[-1]:g}, " + ", ".join(parts)


def _deviation(results: list[Result]) -> str:
    apart, scores = [], []
    for result in results:
        windows, samples = _samples(result)
        mean, error = mean_error(samples)
        apart.append(mean - _theory(result, windows))
        scores.append(apart[-1] / error)
    z, gap = np.abs(np.concatenate(scores)), np.abs(np.concatenate(apart))
    return (
        f"the largest of {z.size} deviations from S8 is {z.max():.1f} standard errors ({gap[z.argmax()]:.4f}), "
        f"the largest in size {gap.max():.3f}"
    )


if __name__ == "__main__":
    report.main(draw, __file__)
