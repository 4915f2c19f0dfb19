"""Where post-polar catches up with pre-polar: little averaging, high SNR, another polar step, or another measure (R2).

spikesim run experiments/catching_up.toml --out results/catching_up
python experiments/catching_up.py          # draws; never simulates
"""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from spikesim import plots, report, rng
from spikesim.estimate import mean_error
from spikesim.sweep.store import Result, Store
from spikesim.theory import asymptotics, post_polar, updates
from spikesim.theory.filters import ema

GROUP = "Where the order reverses"

RESAMPLES = 999
WITHIN = 0.01
"""Post-polar has caught up where its mean is within this share of pre-polar's."""
FAMILY = 0.05
"""Chance that any of all compared cells is called significant though no means differ (Bonferroni)."""


class Grid(NamedTuple):
    """Means over SNR and window; samples of a pair of pipeline and observable are (y, trial, window)."""

    y: np.ndarray
    windows: np.ndarray
    results: list[Result]

    def of(self, name: str, pipeline: str) -> np.ndarray:
        """(y, trial, window)."""
        return np.stack([r.data[name].sel(pipeline=pipeline).transpose("trial", "window").values for r in self.results])

    def limits(self, name: str, pipeline: str, y: np.ndarray, window: int) -> np.ndarray:
        """S4 (with the gain of B4), S5, and S10 where T allows it, else NaN; one for each y."""
        return np.array([self._limit(name, pipeline, x, float(self.windows[window])) for x in y])

    def _limit(self, name: str, pipeline: str, y: float, t: float) -> float:
        (m, n), steps = self.results[0].model.shape, int(self.results[0].data.attrs["steps"])
        at = (m, n), 1.0, y * max(m, n) ** 0.5
        if name == "cosine":
            return (updates.pre_polar_cosine if pipeline == "pre-polar" else updates.post_polar_cosine)(*at, t, steps)
        if pipeline == "re-polarised":
            return float(post_polar.repolarised_alignment(*at, t)) if t >= post_polar.SHORTEST else np.nan
        if pipeline == "pre-polar":
            return asymptotics.alignment(*at, t, steps)
        return ema(t, steps).gain * asymptotics.alignment(*at, 1.0)


def draw(store: Store, figures: Path, published: Path | None = None) -> report.Outcome:
    """Draw figures/catching_up and say what it shows."""
    del published
    grid = _grid(store)
    with plots.panels(2, 2, (12.5, 10)) as (figure, axes):
        _shortfall(axes[0, 0], grid)
        _caught(axes[0, 1], grid)
        _again(axes[1, 0], grid)
        _cosines(axes[1, 1], grid)
        finding = f"{_caught_finding(grid)}; {_again_finding(grid)}; {_cosine_finding(grid)}."
        data = grid.results[0].data
        above = f"{plots.setting(grid.results[0], store.quick)}, {int(data.attrs['steps'])} steps from zero, Gaussian noise; "
        plots.save(figure, figures, "catching_up", above + "y = λ / (σ √n) of one gradient; bands and bars 95 %", finding)
    return report.Outcome(finding)


def _grid(store: Store) -> Grid:
    results = sorted(store, key=_y)
    return Grid(np.array([_y(r) for r in results]), results[0].data.window.values, results)


def _y(result: Result) -> float:
    return result.model.spikes[0] / (result.model.noise.variance**0.5 * max(result.model.shape) ** 0.5)


def _fine(grid: Grid) -> np.ndarray:
    return np.geomspace(grid.y[0], grid.y[-1], 60)


def _shortfalls(grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """1 - E post-polar / E pre-polar and its standard error to first order, (y, window)."""
    post, pre = grid.of("alignment", "post-polar"), grid.of("alignment", "pre-polar")
    ratio = post.mean(1) / pre.mean(1)
    return 1 - ratio, mean_error((post - ratio[:, None] * pre) / pre.mean(1)[:, None], axis=1)[1]


def _shortfall(axis: Any, grid: Grid) -> None:
    value, error = _shortfalls(grid)
    fine = _fine(grid)
    for k, style in zip(range(grid.windows.size), plots.MANY_STYLE, strict=False):
        mean, half = value[:, k], 1.96 * error[:, k]
        look = style | {"linestyle": "none", "markersize": 5}
        plots.intervals(axis, grid.y, mean, [mean - half, mean + half], f"T = {grid.windows[k]:g}", **look)
        limit = 1 - grid.limits("alignment", "post-polar", fine, k) / grid.limits("alignment", "pre-polar", fine, k)
        plots.guide(axis, fine, limit, "S4" if k == 0 else "", linewidth=1)
    plots.guide(axis, grid.y, np.full(grid.y.size, WITHIN), f"{100 * WITHIN:g} %", color="#999999", linestyle="-")
    axis.set(xscale="log", yscale="log", xlabel="y, one gradient", ylabel="1 − post-polar / pre-polar (raw alignment)")
    axis.set_ylim(bottom=WITHIN / 100)
    axis.set_title("what raw post-polar lacks")
    axis.legend(loc="lower left")


def _caught_at(y: np.ndarray, lacking: np.ndarray) -> np.ndarray:
    """Smallest y from which lacking (y, ...) stays below WITHIN, log-linear between neighbours; NaN if never."""
    above = lacking > WITHIN
    last = lacking.shape[0] - 1 - np.argmax(above[::-1], axis=0)
    k = np.minimum(last, lacking.shape[0] - 2)
    logs = np.log(np.maximum(lacking, WITHIN * 1e-3))
    low, high = (np.take_along_axis(logs, np.asarray(i)[None], 0)[0] for i in (k, k + 1))
    with np.errstate(all="ignore"):
        found = np.exp(np.log(y)[k] + (np.log(WITHIN) - low) / (high - low) * np.log(y[k + 1] / y[k]))
    return np.where(above.any(0), np.where(last < lacking.shape[0] - 1, found, np.nan), y[0])


def _measured(grid: Grid, k: int) -> tuple[float, float, float]:
    """The y at which post-polar has caught up at the k-th window, and its 95 % interval over resampled trials."""
    post, pre = (grid.of("alignment", p)[..., k] for p in ("post-polar", "pre-polar"))
    draws = rng.generator(0, rng.BOOTSTRAP).integers(post.shape[1], size=(RESAMPLES, post.shape[1]))
    made = _caught_at(grid.y, 1 - post[:, draws].mean(-1) / pre[:, draws].mean(-1))
    low, high = np.nanquantile(np.where(np.isnan(made), np.inf, made), [0.025, 0.975], method="nearest")
    return float(_caught_at(grid.y, 1 - post.mean(1) / pre.mean(1))), float(low), float(high)


def _limit_caught(grid: Grid, k: int) -> float:
    """The same of S4."""
    fine = np.geomspace(grid.y[0], 4 * grid.y[-1], 400)
    ratio = grid.limits("alignment", "post-polar", fine, k) / grid.limits("alignment", "pre-polar", fine, k)
    return float(_caught_at(fine, 1 - ratio))


def _caught(axis: Any, grid: Grid) -> None:
    x = 2 * grid.windows - 1
    value, low, high = np.array([_measured(grid, k) for k in range(grid.windows.size)]).T
    plots.intervals(axis, x, value, [low, high], "measured", **plots.marks(plots.PIPELINE_STYLE["post-polar"]))
    plots.guide(axis, x, [_limit_caught(grid, k) for k in range(x.size)], "S4")
    sharp = np.sqrt((1 - 1 / x) / WITHIN)
    plots.guide(axis, x, sharp, "high SNR: y² = (1 − 1/(2T − 1)) / 1 %", linestyle=":", color="#888888")
    axis.set(xscale="log", xlabel=plots.SAMPLES, ylabel="y", ylim=(0, None))
    axis.set_xticks(x, [f"{v:.3g}" for v in x])
    axis.minorticks_off()
    axis.set_title(f"y from which raw post-polar is within {100 * WITHIN:g} % of pre-polar")
    axis.legend(loc="lower right")


def _again(axis: Any, grid: Grid) -> None:
    apart = grid.of("alignment", "re-polarised") - grid.of("alignment", "pre-polar")
    fine = _fine(grid)
    for k, style in zip(range(grid.windows.size), plots.MANY_STYLE, strict=False):
        look = style | {"markersize": 5, "linewidth": 0.8, "linestyle": "-"}
        plots.mean_band(axis, grid.y, apart[..., k].T, f"T = {grid.windows[k]:g}", **look)
        limit = grid.limits("alignment", "re-polarised", fine, k) - grid.limits("alignment", "pre-polar", fine, k)
        plots.guide(axis, fine, limit, "S10 (conjecture) − S4, T ≥ 5" if k == grid.windows.size - 1 else "", linewidth=1)
    axis.axhline(0, color="#999999", linewidth=1)
    axis.set(xscale="log", xlabel="y, one gradient", ylabel="re-polarised − pre-polar (alignment, paired)")
    axis.set_title("what is left after a second polar step")
    axis.legend(loc="lower right")


def _cosines(axis: Any, grid: Grid) -> None:
    post, pre = grid.of("cosine", "post-polar"), grid.of("cosine", "pre-polar")
    fine = _fine(grid)
    for k, style in zip(range(grid.windows.size), plots.MANY_STYLE, strict=False):
        look = style | {"markersize": 5, "linestyle": "none"}
        plots.mean_band(axis, grid.y, (post - pre)[..., k].T, f"T = {grid.windows[k]:g}", **look)
        limit = grid.limits("cosine", "post-polar", fine, k) - grid.limits("cosine", "pre-polar", fine, k)
        plots.guide(axis, fine, limit, "S5 − S4" if k == 0 else "", linewidth=1)
    axis.axhline(0, color="#999999", linewidth=1)
    axis.set(xscale="log", xlabel="y, one gradient", ylabel="post-polar − pre-polar (cosine, paired)")
    axis.set_title("the same by cosine")
    axis.legend(loc="upper left")


def _signs(samples: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Mean differences (y, window), standard errors, which are significantly above and below 0 (Bonferroni)."""
    from scipy.stats import t

    mean, error = mean_error(samples, axis=1)
    limit = t.ppf(1 - FAMILY / 2 / mean.size, samples.shape[1] - 1)
    return mean, error, mean > limit * error, mean < -limit * error


def _caught_finding(grid: Grid) -> str:
    said = []
    for k, t in enumerate(grid.windows):
        value, low, high = _measured(grid, k)
        said.append(f"{value:.3g} [{low:.3g}, {high:.3g}] (S4 {_limit_caught(grid, k):.3g}) at T = {t:g}")
    return f"Raw post-polar is within {100 * WITHIN:g} % of pre-polar from y = {', '.join(said)}"


def _again_finding(grid: Grid) -> str:
    mean, error, above, below = _signs(grid.of("alignment", "re-polarised") - grid.of("alignment", "pre-polar"))
    y, w = np.unravel_index(mean.argmin(), mean.shape)
    where = "; ".join(f"T = {grid.windows[j]:g}, y = {grid.y[i]:.3g}" for i, j in np.argwhere(above))
    return (
        f"re-polarised less pre-polar is significantly below 0 in {below.sum()} and above in {above.sum()} of {mean.size} "
        f"cells{f' ({where})' if where else ''}, lowest at T = {grid.windows[w]:g}, y = {grid.y[y]:.2g}: "
        f"{mean[y, w]:.4f} ± {1.96 * error[y, w]:.4f}"
    )


def _cosine_finding(grid: Grid) -> str:
    mean, error, above, below = _signs(grid.of("cosine", "post-polar") - grid.of("cosine", "pre-polar"))
    y, w = np.unravel_index(mean.argmax(), mean.shape)
    return (
        f"by cosine post-polar is significantly ahead in {above.sum()} and behind in {below.sum()} of {mean.size} cells, "
        f"most at T = {grid.windows[w]:g}, y = {grid.y[y]:.2g}, by {mean[y, w]:.3f} ± {1.96 * error[y, w]:.3f}"
    )


if __name__ == "__main__":
    report.main(draw, __file__)
