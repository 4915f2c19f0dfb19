"""Alignment and subspace errors of both sides for wide, square and tall matrices of one size (S3, S4, S6).

spikesim run experiments/rectangular.toml --out results/rectangular
python experiments/rectangular.py          # draws; never simulates
"""

from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from spikesim import plots, report, rng
from spikesim.estimate import mean_error
from spikesim.sweep.store import Result, Store
from spikesim.theory import asymptotics

GROUP = "What is sharper"

SIDES = ("short", "long")
LEARNT = 0.5
"""A side counts as learnt where the mean sin theta is below."""
RESAMPLES = 999
ERROR = 0.05


def draw(store: Store, figures: Path, published: Path | None = None) -> report.Outcome:
    """Draw figures/rectangular and say what it shows."""
    del published
    results = list(store)
    with plots.panels(2, 2, (12, 9.6), sharex=True) as (figure, axes):
        for result in results:
            style = _style(result, results)
            _curve(axes[0, 0], result, _alignment(result), _limit_alignment, style)
            for axis, side in zip(axes[1], SIDES, strict=True):
                _curve(axis, result, _sine(result, side), _limit_of(side), style)
        for group in _groups(results)[1:]:
            _differences(axes[0, 1], group, _style(group[0], results))
        _finish(axes, results)
        finding = f"{_sides(results)}; {_aligned(results)}; {_limits(results)}; {_symmetry(results)}."
        above = f"m n = {np.prod(results[0].model.shape)}, rank 1, λ = {_ratio(results[0]):.2g} σ (m n)^¼, Gaussian noise, "
        trials = f"{results[0].data.trial.size} trials" + (" (quick run)" if store.quick else "")
        plots.save(figure, figures, "rectangular", f"{above}{trials}, steady state; bands and bars of 95 %", finding)
    return report.Outcome(finding)


def _ratio(result: Result) -> float:
    m, n = result.model.shape
    return float(result.model.spikes[0] / (result.model.noise.variance**0.5 * (m * n) ** 0.25))


def _aspect(result: Result) -> int:
    return max(result.model.shape) // min(result.model.shape)


def _groups(results: list[Result]) -> list[list[Result]]:
    """Results of one aspect ratio together, wide before tall, from square on."""
    aspects = sorted({_aspect(r) for r in results})
    return [sorted((r for r in results if _aspect(r) == a), key=lambda r: r.model.shape) for a in aspects]


def _style(result: Result, results: list[Result]) -> dict[str, Any]:
    """A colour for each aspect ratio; a tall matrix has an open marker over a wide one's filled one."""
    tall = result.model.shape[0] > result.model.shape[1]
    group = [g[0] for g in _groups(results)]
    style = plots.SERIES_STYLE[[_aspect(g) for g in group].index(_aspect(result))]
    line = {"linestyle": "none", "markersize": 9, "markerfacecolor": "none"} if tall else {"markersize": 4}
    return {"color": style["color"], "marker": style["marker"], "markerfacecolor": style["color"]} | line


def _windows(result: Result) -> np.ndarray:
    return result.data.window.values


def _alignment(result: Result, pipeline: str = "pre-polar") -> np.ndarray:
    return result.data.alignment.sel(pipeline=pipeline).values


def _sine(result: Result, side: str) -> np.ndarray:
    """sin theta of the short or the long side, (trial, window); the left one of a square is its short one."""
    m, n = result.model.shape
    name = "sin_theta_left" if (m <= n) == (side == "short") else "sin_theta_right"
    return result.data[name].sel(pipeline="pre-polar").values


def _at(result: Result) -> tuple[tuple[int, int], float, tuple[float, ...]]:
    return result.model.shape, result.model.noise.variance**0.5, result.model.spikes


def _limit_alignment(result: Result, t: float) -> float:
    return asymptotics.alignment(*_at(result), t)


def _limit_of(side: str) -> Any:
    def limit(result: Result, t: float) -> float:
        m, n = result.model.shape
        return asymptotics.sin_theta(*_at(result), t)[0 if (m <= n) == (side == "short") else 1]

    return limit


def _curve(axis: Any, result: Result, samples: np.ndarray, limit: Any, style: dict[str, Any]) -> None:
    windows = _windows(result)
    m, n = result.model.shape
    plots.mean_band(axis, 2 * windows - 1, samples, f"{m} × {n}", **style)
    if m <= n:
        fine = np.geomspace(1, windows[-1], 120)
        plots.guide(axis, 2 * fine - 1, [limit(result, t) for t in fine], "_limit", color=style["color"])


def _pairs(group: list[Result]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Wide and tall samples of what should be equal: alignment, short side, long side."""
    wide, tall = group
    return [(_alignment(wide), _alignment(tall)), *((_sine(wide, s), _sine(tall, s)) for s in SIDES)]


def _difference(wide: np.ndarray, tall: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean of wide less tall at each window, independent trials, and its standard error."""
    (a, e), (b, f) = mean_error(wide), mean_error(tall)
    return a - b, np.hypot(e, f)


def _differences(axis: Any, group: list[Result], style: dict[str, Any]) -> None:
    mean, error = _difference(*_pairs(group)[0])
    x = (2 * _windows(group[0]) - 1) * 1.06 ** (np.log(_aspect(group[0])) / np.log(4) - 2)  # side by side
    axis.errorbar(x, mean, 1.96 * error, label=f"1 : {_aspect(group[0])}", capsize=3, markersize=5, linestyle="none",
                  color=style["color"], marker=style["marker"])  # fmt: skip


def _finish(axes: Any, results: list[Result]) -> None:
    critical = asymptotics.critical_window(*_at(results[0])[:2], results[0].model.spikes[0])
    for axis in axes.flat:
        axis.axvline(2 * critical - 1, color="#999999", linestyle=":", linewidth=1.4)
        axis.set(xscale="log")
    axes[0, 1].axhline(0, color="black", linewidth=1)
    axes[0, 0].plot([], [], color="black", linestyle="--", label="limit S4 (below: S3)")
    axes[0, 0].plot([], [], color="#999999", linestyle=":", label="critical, S2")
    axes[0, 0].set(
        ylabel="alignment of pre-polar", ylim=(0, 1.04), title="alignment (T = 1: polar-only, and post-polar's mean)"
    )
    axes[0, 0].legend(loc="lower right")
    axes[0, 1].set(ylabel="difference of mean alignments", title="wide less tall")
    axes[0, 1].legend(loc="upper right")
    for axis, side in zip(axes[1], SIDES, strict=True):
        axis.set(xlabel=plots.SAMPLES, ylabel="sin θ", yscale="log", title=f"subspace error of the {side} side")
        plots.plain_ticks(axis)


def _crossing(windows: np.ndarray, means: np.ndarray) -> np.ndarray:
    """2T - 1 where means (..., window) fall to LEARNT, by interpolation of logarithms; NaN where they do not."""
    x, y = np.log(2 * windows - 1), np.log(means)
    after = np.argmax(means < LEARNT, axis=-1)
    first, last = (np.take_along_axis(y, k[..., None], -1)[..., 0] for k in (after - 1, after))
    fallen = after > 0
    share = (first - np.log(LEARNT)) / np.where(fallen, first - last, 1.0)
    return np.where(fallen, np.exp(x[after - 1] + share * (x[after] - x[after - 1])), np.nan)


def _learnt(result: Result, side: str) -> str:
    """When a side is learnt, its 95 % interval over resampled trials, and S3's answer."""
    samples, windows = _sine(result, side), _windows(result)
    draws = rng.generator(0, rng.BOOTSTRAP).integers(len(samples), size=(RESAMPLES, len(samples)))
    low, high = np.quantile(_crossing(windows, samples[draws].mean(1)), [0.025, 0.975])
    limit = np.array([_limit_of(side)(result, t) for t in windows])
    measured, sharp = (float(_crossing(windows, x)) for x in (samples.mean(0), limit))
    return f"{measured:.3g} [{low:.3g}, {high:.3g}] (S3 {sharp:.3g})"


def _sides(results: list[Result]) -> str:
    wide = [group[0] for group in _groups(results)]
    parts = [f"{_learnt(r, 'short')} and {_learnt(r, 'long')} at 1 : {_aspect(r)}" for r in wide[1:]]
    (m, n), extreme = wide[-1].model.shape, wide[-1]
    ratio = _sine(extreme, "long")[:, -1].mean() / _sine(extreme, "short")[:, -1].mean()
    square = _learnt(wide[0], "short")
    return (
        f"The short side is learnt first: sin θ falls to {LEARNT:g} at 2T − 1 = {square} in a square, on the short and the "
        f"long side at {'; '.join(parts)}; at the end they differ by a factor of {ratio:.2f} there "
        f"(S6 {((n - 1) / (m - 1)) ** 0.5:.2f})"
    )


def _aligned(results: list[Result]) -> str:
    """What a full polar factor loses to the long side."""
    groups = _groups(results)
    ends = [(groups[0][0], "1 : 1"), (groups[-1][0], f"1 : {_aspect(groups[-1][0])}")]
    parts = []
    for result, name in ends:
        mean, error = mean_error(_alignment(result))
        low, high = (f"{mean[k]:.4f} ± {1.96 * error[k]:.4f}" for k in (0, -1))
        parts.append(f"{low} and {high} at {name}")
    return (
        f"a full polar factor pays for it, with polar-only (post-polar's mean, B4) and pre-polar at T = "
        f"{_windows(results[0])[-1]:g} at {', '.join(parts)}"
    )


def _limits(results: list[Result]) -> str:
    off: dict[str, list[float]] = {}
    critical = 2 * asymptotics.critical_window(*_at(results[0])[:2], results[0].model.spikes[0]) - 1
    beyond = 2 * _windows(results[0]) - 1 > 2 * critical
    for result in results:
        limit = np.array([_limit_alignment(result, t) for t in _windows(result)])
        off.setdefault("S4", []).append(np.abs(_alignment(result).mean(0) - limit).max())
        for side in SIDES:
            sharp = np.array([_limit_of(side)(result, t) for t in _windows(result)])
            off.setdefault("S3", []).append(np.abs(_sine(result, side).mean(0) / sharp - 1)[beyond].max())
    return (
        f"alignments lie within {max(off['S4']):.4f} of S4 and, beyond twice the critical 2T − 1, sines within "
        f"{100 * max(off['S3']):.1f} % of S3"
    )


def _symmetry(results: list[Result]) -> str:
    """Largest wide-less-tall difference over quantities, ratios and windows, in standard errors, against the joint level."""
    groups = _groups(results)[1:]
    found = [_difference(*pair) for group in groups for pair in _pairs(group)]
    scores, apart = np.array([np.abs(d / e) for d, e in found]), np.array([d for d, _ in found])
    level = stats.norm.ppf(1 - ERROR / (2 * scores.size))
    verdict = "nowhere" if scores.max() <= level else f"at {int(np.sum(scores > level))} of them"
    return (
        f"a matrix and its transpose differ {verdict} in {scores.size} comparisons (jointly at 95 %; {scores.max():.1f} "
        f"standard errors at most, {np.abs(apart).max():.4f} in size)"
    )


if __name__ == "__main__":
    report.main(draw, __file__)
