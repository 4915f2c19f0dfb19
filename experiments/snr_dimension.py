"""Alignment of every pipeline over SNR and dimension, and the decay that the paper's Theorem 3 speaks of (B6).

spikesim run experiments/snr_dimension.toml --out results/snr_dimension
python experiments/snr_dimension.py          # draws; never simulates
"""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from spikesim import plots, report
from spikesim.estimate import mean_error
from spikesim.sweep.store import Store
from spikesim.theory import asymptotics, bounds, post_polar
from spikesim.theory.filters import ema

GROUP = "What is sharper"

LEVEL = 0.5
"""Alignment whose contour is drawn over the maps."""


class Grid(NamedTuple):
    """Shapes by size, spikes, and alignments of each pipeline, (shape, spike, trial)."""

    shapes: list[tuple[int, int]]
    spikes: np.ndarray
    samples: dict[str, np.ndarray]
    sigma: float
    window: float
    steps: int

    @property
    def sizes(self) -> np.ndarray:
        """max(m, n)."""
        return np.array([max(s) for s in self.shapes], float)

    def theory(self, pipeline: str, shape: tuple[int, int], spike: float) -> float:
        """Limit of the mean alignment: S4, with post-polar's gain (B4); S10 for re-polarised."""
        if pipeline == "re-polarised":
            return float(post_polar.repolarised_alignment(shape, self.sigma, spike, self.window))
        if pipeline == "pre-polar":
            return asymptotics.alignment(shape, self.sigma, spike, self.window, self.steps)
        gain = ema(self.window, self.steps).gain if pipeline == "post-polar" else 1.0
        return gain * asymptotics.alignment(shape, self.sigma, spike, 1.0)


def draw(store: Store, figures: Path, published: Path | None = None) -> report.Outcome:
    """Draw figures/snr_dimension and say what it shows."""
    del published
    grid = _grid(store)
    with plots.panels(2, 4, (14, 9)) as (figure, axes):
        for axis, pipeline in zip(axes[0], grid.samples, strict=True):
            image = _map(axis, grid, pipeline)
            axis.set_ylabel("spike λ (σ = 1)")
        figure.colorbar(image, ax=axes[0, :], location="right", label="mean alignment ⟨A, S⟩ / ‖S‖∗", shrink=0.9)
        wide = axes[1, 0].get_gridspec()
        for axis in axes[1]:
            axis.remove()
        _decay(figure.add_subplot(wide[1, :2]), grid)
        _ratio(figure.add_subplot(wide[1, 2:]), grid)
        trials = next(iter(grid.samples.values())).shape[-1]
        above = f"rank 1, m = 4n, Gaussian noise, T = {grid.window:g}, {trials} trials a point"
        finding = _finding(grid)
        plots.save(figure, figures, "snr_dimension", above + (" (quick run)" if store.quick else ""), finding)
    return report.Outcome(finding)


def _grid(store: Store) -> Grid:
    results = list(store)
    shapes = sorted({r.model.shape for r in results})
    spikes = sorted({r.model.spikes[0] for r in results})
    at = {(r.model.shape, r.model.spikes[0]): r.data.alignment.values[..., 0] for r in results}
    table = np.stack([[at[shape, spike] for spike in spikes] for shape in shapes])
    one = results[0]
    samples = {p: table[..., k] for k, p in enumerate(one.data.pipeline.values)}
    window, steps = float(one.data.window.values[0]), int(one.data.attrs["steps"])
    return Grid(shapes, np.array(spikes), samples, one.model.noise.variance**0.5, window, steps)


def _map(axis: Any, grid: Grid, pipeline: str) -> Any:
    """Means over (size, spike), Theorem 3's limit, and where the sharp limit is LEVEL."""
    means = grid.samples[pipeline].mean(-1)
    image = axis.pcolormesh(_edges(grid.sizes), _edges(grid.spikes), means.T, cmap=plots.LEVELS, vmin=0, vmax=1)
    regime = [bounds.vanishing_spike(s, grid.sigma) for s in grid.shapes]
    plots.guide(axis, grid.sizes, regime, "below: Theorem 3 (B6)", color="white", linestyle="-", linewidth=2)
    label = f"limit {'S10 (conjecture)' if pipeline == 're-polarised' else 'S4'} = {LEVEL:g}"
    edge = [_crossing(grid, pipeline, s) for s in grid.shapes]
    plots.guide(axis, grid.sizes, edge, label, color="white", linestyle=":", linewidth=2)
    room = 5 * grid.spikes[-1]  # above the cells, for the legend
    axis.set(xscale="log", yscale="log", xlabel="max(m, n)", title=pipeline, ylim=(_edges(grid.spikes)[0], room))
    axis.set_xticks(grid.sizes, [f"{x:g}" for x in grid.sizes])
    axis.minorticks_off()
    axis.grid(False)
    axis.legend(loc="upper center", labelcolor="white", frameon=True, facecolor="#222222", framealpha=0.85)
    return image


def _crossing(grid: Grid, pipeline: str, shape: tuple[int, int]) -> float:
    """Spike at which the limit is LEVEL; NaN where that is beyond the measured ones."""
    from scipy.optimize import brentq

    def excess(log_spike: float) -> float:
        return grid.theory(pipeline, shape, float(np.exp(log_spike))) - LEVEL

    low, high = np.log(grid.spikes[[0, -1]])
    return float(np.exp(brentq(excess, low, high, xtol=1e-6))) if excess(low) < 0 < excess(high) else np.nan


def _edges(x: np.ndarray) -> np.ndarray:
    """Borders of cells on a logarithmic axis, halfway between neighbours."""
    inner = np.sqrt(x[1:] * x[:-1])
    return np.concatenate([[x[0] ** 2 / inner[0]], inner, [x[-1] ** 2 / inner[-1]]])


def _decay(axis: Any, grid: Grid) -> None:
    """The smallest spike's alignments against the size, with limits and the line that S4 never passes."""
    spike = float(grid.spikes[0])
    for pipeline in ("polar-only", "post-polar", "pre-polar"):
        style = plots.PIPELINE_STYLE[pipeline]
        theory = [grid.theory(pipeline, s, spike) for s in grid.shapes]
        plots.mean_band(axis, grid.sizes, grid.samples[pipeline][:, 0].T, pipeline, **style)
        label = "S4 (post-polar: times its gain)" if pipeline == "pre-polar" else ""
        plots.guide(axis, grid.sizes, theory, label)
    cap = [bounds.vanishing_alignment(s, grid.sigma, spike) for s in grid.shapes]
    plots.guide(axis, grid.sizes, cap, "λ / (σ √max): above polar-only's S4", linestyle=":", color="#888888", linewidth=2)
    axis.set(xscale="log", yscale="log", xlabel="max(m, n)", ylabel="alignment")
    axis.set_title(f"λ = {spike:g}, inside Theorem 3's regime")
    axis.set_ylim(bottom=0.25 * min(cap))
    plots.plain_ticks(axis)
    _ticks(axis, grid)


def _ratio(axis: Any, grid: Grid) -> None:
    """Mean of pre-polar over mean of post-polar per gain, that is over polar-only's with less noise (B4)."""
    spike = float(grid.spikes[0])
    ratio, error = _ratios(grid)
    axis.errorbar(grid.sizes, ratio, 1.96 * error, label="pre-polar / polar-only (by B4 from post-polar)", capsize=3,
                  **plots.PIPELINE_STYLE["pre-polar"])  # fmt: skip
    limits = [grid.theory("pre-polar", s, spike) / grid.theory("polar-only", s, spike) for s in grid.shapes]
    plots.guide(axis, grid.sizes, limits, "S4")
    top = (2 * grid.window - 1) ** 0.5
    plots.guide(axis, grid.sizes, np.full(grid.sizes.size, top), "√(2T − 1)", linestyle=":", color="#888888", linewidth=2)
    axis.set(xscale="log", xlabel="max(m, n)", ylabel="ratio of mean alignments", ylim=(0, 1.25 * top))
    axis.set_title("what momentum gains")
    _ticks(axis, grid)


def _ticks(axis: Any, grid: Grid) -> None:
    from matplotlib.ticker import NullLocator

    axis.set_xticks(grid.sizes, [f"{x:g}" for x in grid.sizes])
    axis.xaxis.set_minor_locator(NullLocator())
    axis.legend(loc="lower left")


def _ratios(grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Ratio and standard error, to first order, at each size."""
    pre, post = grid.samples["pre-polar"][:, 0], grid.samples["post-polar"][:, 0] / ema(grid.window, grid.steps).gain
    ratio = pre.mean(-1) / post.mean(-1)
    _, error = mean_error((pre - ratio[:, None] * post) / post.mean(-1, keepdims=True), axis=-1)
    return ratio, error


def _slope(sizes: np.ndarray, mean: np.ndarray, error: Any = 0.0) -> tuple[float, float]:
    """Least-squares slope of ln mean against ln size, and its standard error from those of the means."""
    x = np.log(sizes) - np.log(sizes).mean()
    return float(x @ np.log(mean) / (x @ x)), float(np.sqrt(np.sum((x * error / mean) ** 2)) / (x @ x))


def _finding(grid: Grid) -> str:
    spike, parts = float(grid.spikes[0]), []
    for pipeline in ("polar-only", "post-polar", "pre-polar"):
        slope, error = _slope(grid.sizes, *mean_error(grid.samples[pipeline][:, 0], axis=-1))
        sharp, _ = _slope(grid.sizes, np.array([grid.theory(pipeline, s, spike) for s in grid.shapes]))
        falls = slope + 1.96 * error < 0  # at last, of pre-polar
        parts.append(f"{pipeline} {slope:.2f} ± {1.96 * error:.2f} (S4 {sharp:.3f})")
    ratio, errors = _ratios(grid)
    inside = sum(spike < bounds.vanishing_spike(s, grid.sigma) for s in grid.shapes)
    return (
        f"At λ = {spike:g}, below Theorem 3's limit at {inside} of {len(grid.shapes)} sizes, mean alignments fall with "
        f"these powers of max(m, n): "
        f"{', '.join(parts)}; at a fixed T pre-polar {'falls as well' if falls else 'is not seen to fall'}, and is "
        f"{ratio[-1]:.2f} ± {1.96 * errors[-1]:.2f} times polar-only (read off post-polar by B4) at "
        f"{grid.sizes[-1]:g}, against √(2T − 1) = {(2 * grid.window - 1) ** 0.5:.2f} in the limit of low SNR; "
        f"for squares the regime is empty."
    )


if __name__ == "__main__":
    report.main(draw, __file__)
