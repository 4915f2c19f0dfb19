"""Does post-polar act like a plain averaged gradient (R3)? Unequal spikes over SNR, in every pipeline.

A plain average has o_k in proportion to lambda_k, a preconditioned update has equal o_k. Alignment and projection are two
linear functions of o_1..o_r: with two spikes they give both, with more the contrast of the two says which kind it is.

spikesim run experiments/unequal_spikes.toml --out results/unequal_spikes
python experiments/unequal_spikes.py          # draws; never simulates
"""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from spikesim import plots, report, rng
from spikesim.estimate import mean_error
from spikesim.sweep.store import Result, Store
from spikesim.theory import asymptotics, post_polar

GROUP = "What is open"

RESAMPLES = 999
READABLE = 0.12
"""Largest standard error of o_2/o_1, or of the contrast as a share of its range, that is shown."""
TURNING = ("pre-polar", "post-polar", "re-polarised")


class Sweep(NamedTuple):
    """One model over SNR, y rising: alignment and projection, (y, trial, pipeline, window)."""

    results: list[Result]
    y: np.ndarray
    total: np.ndarray
    mean: np.ndarray
    pipelines: list[str]

    @property
    def spikes(self) -> np.ndarray:
        """lambda, largest first."""
        return np.array(self.results[0].model.spikes)

    @property
    def windows(self) -> np.ndarray:
        """T."""
        return self.results[0].data.window.values

    def of(self, pipeline: str, window: int = -1) -> tuple[np.ndarray, np.ndarray]:
        """Alignment and projection, (y, trial)."""
        k = self.pipelines.index(pipeline)
        return self.total[:, :, k, window], self.mean[:, :, k, window]


def draw(store: Store, figures: Path, published: Path | None = None) -> report.Outcome:
    """Draw figures/unequal_spikes and say what it shows."""
    del published
    two, four = (_sweep([r for r in store if r.coordinates["name"] == name]) for name in ("two spikes", "four spikes"))
    with plots.panels(1, 3, (14.5, 6)) as (figure, (axes,)):
        _shares(axes[0], two)
        _contrasts(axes[1], four)
        _turns(axes[2], two)
        finding = _finding(two, four)
        (m, n), data = two.results[0].model.shape, two.results[0].data
        above = f"{m} × {n}, Gaussian noise, {data.trial.size} trials" + (" (quick run)" if store.quick else "")
        above += f", {int(data.attrs['steps'])} steps from zero; y = λ_min / (σ √n) of one gradient; bars and bands 95 %"
        plots.save(figure, figures, "unequal_spikes", above, finding)
    return report.Outcome(finding)


def _sweep(results: list[Result]) -> Sweep:
    results = sorted(results, key=_y)
    data = [r.data for r in results]
    total, mean = (
        np.stack([d[name].transpose("trial", "pipeline", "window").values for d in data])
        for name in ("alignment", "projection")
    )
    return Sweep(results, np.array([_y(r) for r in results]), total, mean, list(data[0].pipeline.values))


def _y(result: Result) -> float:
    return min(result.model.spikes) / (result.model.noise.variance**0.5 * max(result.model.shape) ** 0.5)


def _directions(sweep: Sweep, pipeline: str, window: int = -1) -> tuple[np.ndarray, np.ndarray]:
    """o_1 and o_2 of two spikes, (y, trial): projection is their mean, alignment their mean weighted by lambda."""
    total, mean = sweep.of(pipeline, window)
    first, second = sweep.spikes
    one = (total * (first + second) - 2 * second * mean) / (first - second)
    return one, 2 * mean - one


def _ratio(above: np.ndarray, below: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ratio of means over trials of (y, trial), and its standard error to first order."""
    ratio = above.mean(1) / below.mean(1)
    return ratio, mean_error((above - ratio[:, None] * below) / below.mean(1)[:, None], axis=1)[1]


def _limits(sweep: Sweep, pipeline: str, window: int = -1) -> np.ndarray:
    """o_k of S4 and S10, (y, spike); a conjecture for re-polarised, NaN for it where T is too small."""
    t, steps = float(sweep.windows[window]), int(sweep.results[0].data.attrs["steps"])
    rows = []
    for result in sweep.results:
        at = result.model.shape, result.model.noise.variance**0.5, tuple(sweep.spikes)
        if pipeline == "re-polarised":
            short = t < post_polar.SHORTEST
            rows.append(np.full(sweep.spikes.size, np.nan) if short else post_polar.repolarised_alignment(*at, t))
        else:
            rows.append(asymptotics.polar_alignment(*at, t if pipeline == "pre-polar" else 1.0, steps))
    return np.array(rows)


def _shares(axis: Any, sweep: Sweep) -> None:
    for pipeline in sweep.pipelines:
        one, two = _directions(sweep, pipeline)
        _bars(axis, sweep, pipeline, *_ratio(two, one))
        limits = _limits(sweep, pipeline)
        _theory(axis, sweep.y, pipeline, limits[:, 1] / limits[:, 0])
    first, second = sweep.spikes
    _ends(axis, sweep, second / first, "λ₂/λ₁: plain average")
    axis.set(ylabel="o₂ / o₁ (ratio of means)", ylim=(0, 1.45))
    axis.set_title(f"spikes {first:g} : {second:g}, T = {sweep.windows[-1]:g}")
    axis.legend(loc="upper left", ncol=2)


def _contrasts(axis: Any, sweep: Sweep) -> None:
    """Alignment over projection: 1 for equal o_k, r sum lambda^2 / (sum lambda)^2 for o_k like lambda_k."""
    weights = sweep.spikes / sweep.spikes.sum()
    plain = _plain_contrast(sweep)
    for pipeline in sweep.pipelines:
        _bars(axis, sweep, pipeline, *_ratio(*sweep.of(pipeline)), plain - 1)
        limits = _limits(sweep, pipeline)
        _theory(axis, sweep.y, pipeline, limits @ weights / limits.mean(1))
    _ends(axis, sweep, plain, "o ∝ λ: plain average")
    axis.set(ylabel="alignment / projection (ratio of means)", ylim=(0.93, 1 + 1.6 * (plain - 1)))
    axis.set_title(f"spikes {' : '.join(f'{x:g}' for x in sweep.spikes)}, T = {sweep.windows[-1]:g}")
    axis.legend(loc="upper right", ncol=2)


def _plain_contrast(sweep: Sweep) -> float:
    return float(sweep.spikes.size * np.sum(sweep.spikes**2) / sweep.spikes.sum() ** 2)


def _bars(axis: Any, sweep: Sweep, pipeline: str, ratio: np.ndarray, error: np.ndarray, span: float = 1.0) -> None:
    shown = error < READABLE * span
    value, half = ratio[shown], 1.96 * error[shown]
    plots.intervals(axis, sweep.y[shown], value, [value - half, value + half], pipeline, **_marks(pipeline))


def _marks(pipeline: str) -> dict[str, Any]:
    return plots.marks(plots.PIPELINE_STYLE[pipeline])


def _theory(axis: Any, x: np.ndarray, pipeline: str, values: np.ndarray) -> None:
    if pipeline == "polar-only":  # the same line as post-polar's (B4)
        return
    name = "S10 (conjecture)" if pipeline == "re-polarised" else "S4"
    line = {"pre-polar": "--", "post-polar": ":", "re-polarised": "-."}[pipeline]
    plots.guide(axis, x, values, f"{pipeline}, {name}", color=plots.PIPELINE_STYLE[pipeline]["color"], linestyle=line)


def _ends(axis: Any, sweep: Sweep, plain: float, label: str) -> None:
    plots.guide(axis, sweep.y, np.full(sweep.y.size, plain), label, color="#999999", linestyle="-")
    plots.guide(axis, sweep.y, np.ones(sweep.y.size), "1: preconditioned", color="#BBBBBB", linestyle=(0, (1, 2)))
    axis.set(xscale="log", xlabel="y of the smallest spike, one gradient", xlim=(0.8 * sweep.y[0], 1.25 * sweep.y[-1]))


def _turn(y: np.ndarray, share: np.ndarray, level: float) -> np.ndarray:
    """y at which shares (y, ...) pass the level for good, linear in ln y between; NaN if never or from the start."""
    below = share < level
    last = share.shape[0] - 1 - np.argmax(below[::-1], axis=0)
    found = below.any(0) & (last < share.shape[0] - 1)
    k = np.minimum(last, share.shape[0] - 2)
    low, high = (np.take_along_axis(share, np.asarray(i)[None], 0)[0] for i in (k, k + 1))
    with np.errstate(all="ignore"):
        weight = (level - low) / (high - low)
    return np.where(found, np.exp(np.log(y)[k] + weight * np.log(y[k + 1] / y[k])), np.nan)


def _level(sweep: Sweep) -> float:
    """Halfway, in logarithms, from a plain average to a preconditioned update."""
    return float((sweep.spikes[1] / sweep.spikes[0]) ** 0.5)


def _measured_turn(sweep: Sweep, pipeline: str, window: int = -1) -> tuple[float, float, float]:
    """Turning y and its 95 % interval: percentiles over resampled trials, which all y share."""
    one, two = _directions(sweep, pipeline, window)
    draws = rng.generator(0, rng.BOOTSTRAP).integers(one.shape[1], size=(RESAMPLES, one.shape[1]))
    made = _turn(sweep.y, two[:, draws].mean(-1) / one[:, draws].mean(-1), _level(sweep))
    value = float(_turn(sweep.y, two.mean(1) / one.mean(1), _level(sweep)))
    low, high = np.nanquantile(made, [0.025, 0.975])
    return value, float(low), float(high)


def _theory_turn(sweep: Sweep, pipeline: str, window: int = -1) -> float:
    """The same off the limits at the same y."""
    limits = _limits(sweep, pipeline, window)
    return float(_turn(sweep.y, limits[:, 1] / limits[:, 0], _level(sweep)))


def _turns(axis: Any, sweep: Sweep) -> None:
    x, where = 2 * sweep.windows - 1, range(sweep.windows.size)
    for pipeline in TURNING:
        value, low, high = np.array([_measured_turn(sweep, pipeline, w) for w in where]).T
        plots.intervals(axis, x, value, [low, high], pipeline, **_marks(pipeline))
        _theory(axis, x, pipeline, np.array([_theory_turn(sweep, pipeline, w) for w in where]))
    axis.set(xscale="log", yscale="log", xlabel=plots.SAMPLES, ylabel="turning y of the smallest spike")
    axis.set_title(f"y at which o₂ / o₁ = {_level(sweep):.2g}")
    axis.set_xticks(x, [f"{v:g}" for v in x])
    axis.minorticks_off()
    plots.plain_ticks(axis)
    axis.legend(loc="lower left")


def _finding(two: Sweep, four: Sweep) -> str:
    k = _tenth(two)
    shares = _each(k, [_ratio(*_directions(two, p)[::-1]) for p in TURNING], ".2f")
    first, second = two.spikes
    return (
        f"At T = {two.windows[-1]:g} and y = {two.y[k]:.2g} spikes {first:g} : {second:g} have o₂/o₁ of {shares} (plain "
        f"average {second / first:g}, preconditioned 1); the y at which it is {_level(two):.2g}, halfway, is "
        f"{'; '.join(_said(two, p) for p in TURNING)}: it is one gradient's SNR for post-polar, which averaging does not "
        f"change, and the buffer's for pre-polar; {_four(four)}."
    )


def _tenth(sweep: Sweep) -> int:
    """Where y is nearest to a tenth."""
    return int(np.abs(np.log(sweep.y / 0.1)).argmin())


def _each(k: int, pairs: list[tuple[np.ndarray, np.ndarray]], digits: str) -> str:
    """A ratio and its 95 % for each pipeline, at the k-th y."""
    return ", ".join(f"{p} {r[k]:{digits}} ± {1.96 * e[k]:{digits}}" for p, (r, e) in zip(TURNING, pairs, strict=True))


def _said(sweep: Sweep, pipeline: str) -> str:
    """Turning y at the shortest and the longest window."""
    ends = [(*_measured_turn(sweep, pipeline, w), _theory_turn(sweep, pipeline, w)) for w in (0, -1)]
    said = [f"{v:.3g} [{low:.3g}, {high:.3g}]" + (f" (limit {limit:.3g})" if np.isfinite(limit) else "")
            for v, low, high, limit in ends]  # fmt: skip
    return f"{pipeline} {said[0]} at T = {sweep.windows[0]:g} and {said[1]} at T = {sweep.windows[-1]:g}"


def _four(sweep: Sweep) -> str:
    """Contrasts of four spikes, between 1 and a plain average's."""
    k = _tenth(sweep)
    return (
        f"with spikes {' : '.join(f'{x:g}' for x in sweep.spikes)} alignment over projection at y = {sweep.y[k]:.2g} is "
        f"{_each(k, [_ratio(*sweep.of(p)) for p in TURNING], '.3f')} (plain {_plain_contrast(sweep):.2f}, preconditioned 1)"
    )


if __name__ == "__main__":
    report.main(draw, __file__)
