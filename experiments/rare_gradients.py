"""Where rare large gradients turn the order of momentum and polar step round, and what clipping does to that region (R1).

spikesim run experiments/rare_gradients.toml --out results/rare_gradients
python experiments/rare_gradients.py          # draws; never simulates
"""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

from spikesim import plots, report
from spikesim.estimate import mean_error
from spikesim.sweep.store import Store
from spikesim.theory import rare
from spikesim.wording import plus_minus

GROUP = "Where the order reverses"
FAMILY = 0.05
"""Chance that any of all intervals misses its mean (Bonferroni)."""
SEEN = 10.0
"""Trials expected to have a large step among their last T, below which a cell is not judged: too few have met any."""
PRE, POST, AGAIN, CLIPPED = "pre-polar", "post-polar", "re-polarised", "clipped at 2"
ROWS = ((PRE, POST), (PRE, AGAIN), (CLIPPED, POST), (CLIPPED, AGAIN))


class Map(NamedTuple):
    """Alignments over probability, factor and window; `of` gives (p, factor, trial, window)."""

    p: np.ndarray
    factor: np.ndarray
    windows: np.ndarray
    cells: dict[tuple[float, float], Any]

    def of(self, pipeline: str) -> np.ndarray:
        """(p, factor, trial, window)."""
        each = [[self.cells[p, f].data.alignment.sel(pipeline=pipeline).values for f in self.factor] for p in self.p]
        return np.array(each)

    @property
    def pipelines(self) -> list[str]:
        """Their names, the three of the theory first."""
        return [str(x) for x in self.one.data.pipeline.values]

    @property
    def one(self) -> Any:
        """Any cell: what all share is read of it."""
        return next(iter(self.cells.values()))

    @property
    def judged(self) -> np.ndarray:
        """(p, 1, window)."""
        hit = 1 - (1 - self.p[:, None]) ** self.windows
        return (self.one.data.trial.size * hit >= SEEN)[:, None, :]


class Lead(NamedTuple):
    """Paired differences, (p, factor, window): means, half intervals, and which are significantly above and below 0."""

    mean: np.ndarray
    half: np.ndarray
    above: np.ndarray
    below: np.ndarray


def draw(store: Store, figures: Path, published: Path | None = None) -> report.Outcome:
    """Draw figures/rare_gradients and say what it shows."""
    del published
    grid = _map(store)
    size = (3.1 * grid.windows.size + 1.6, 13.2)
    with plots.panels(len(ROWS), grid.windows.size, size, sharex=True, sharey=True) as (figure, axes):
        for row, (one, other) in zip(axes, ROWS, strict=True):
            lead = _lead(grid, one, other)
            for k, axis in enumerate(row):
                image = _panel(axis, grid, lead, k)
                if other == POST:
                    _borders(axis, grid, lead.mean[..., k], k, one == PRE)
            row[0].set_ylabel(f"{one}\n− {other}\nprobability p of a large step")
            figure.colorbar(image, ax=list(row), label="difference of alignments", ticks=TICKS, format="%g", pad=0.01)
        for k, axis in enumerate(axes[0]):
            axis.set_title(f"T = {grid.windows[k]:g}")
            axes[-1, k].set_xlabel("factor on its noise")
        axes[0, 0].legend(loc="upper right", facecolor="white", frameon=True, framealpha=0.85)
        finding = _finding(grid)
        plots.save(figure, figures, "rare_gradients", _above(grid, store.quick), finding)
    return report.Outcome(finding, details=f"{_region(grid)}; {_border_finding(grid)}; {_remedies(grid)}; {_cost(grid)}.")


def _above(grid: Map, quick: bool) -> str:
    model = grid.one.model
    return (
        f"{plots.setting(grid.one, quick)}, σ = {model.noise.sigma:g} (y = {_y(model):.2g}), "
        f"{int(grid.one.data.attrs['steps'])} steps from zero; light: the first is ahead, dark: the second\n"
        f"dots: joint 95 % interval of {_comparisons(grid)} paired differences holds 0; crosses: fewer than {SEEN:g} trials "
        "expected to have a large step among their last T, not judged"
    )


def _map(store: Store) -> Map:
    cells = {(r.coordinates["noise.p"], r.coordinates["noise.factor"]): r for r in store}
    p, factor = (np.array(sorted({key[i] for key in cells})) for i in (0, 1))
    return Map(p, factor, next(iter(cells.values())).data.window.values, cells)


def _y(model: Any) -> float:
    return float(model.spikes[0] / (model.noise.sigma * max(model.shape) ** 0.5))


def _comparisons(grid: Map) -> int:
    """Every pipeline that filters gradients against post-polar and re-polarised, in every cell that is judged."""
    return int(2 * (len(grid.pipelines) - 2) * grid.judged.sum() * grid.factor.size)


def _lead(grid: Map, one: str, other: str) -> Lead:
    samples = grid.of(one) - grid.of(other)
    mean, error = mean_error(samples, axis=2)
    half = stats.t.ppf(1 - FAMILY / 2 / _comparisons(grid), samples.shape[2] - 1) * error
    return Lead(mean, half, (mean > half) & grid.judged, (mean < -half) & grid.judged)


TICKS = (-0.5, -0.1, -0.02, 0, 0.02, 0.1, 0.5)


def _panel(axis: Any, grid: Map, lead: Lead, k: int) -> Any:
    from matplotlib.colors import SymLogNorm

    norm = SymLogNorm(0.01, vmin=-1, vmax=1)
    image = axis.imshow(lead.mean[..., k], origin="lower", aspect="auto", cmap=plots.SIGNS, norm=norm)
    judged = np.broadcast_to(grid.judged, lead.mean.shape)[..., k]
    unsure = judged & ~(lead.above | lead.below)[..., k]
    for where, marker in ((unsure, "."), (~judged, "x")):
        i, j = np.nonzero(where)
        axis.scatter(j, i, marker=marker, s=26, color="black", linewidths=1, path_effects=plots.outlined(2))
    axis.set_xticks(range(grid.factor.size), [f"{f:g}" for f in grid.factor])
    axis.set_yticks(range(grid.p.size), [f"{p:g}" for p in grid.p])
    axis.grid(visible=False)
    return image


def _borders(axis: Any, grid: Map, mean: np.ndarray, k: int, formula: bool) -> None:
    """Where the measured means, and R1's, cross 0."""
    rows = np.arange(grid.p.size)
    axis.plot(_index(grid, _crossing(grid.factor, mean)), rows, color="black", marker="o", markersize=4, label="measured",
              path_effects=plots.outlined(2))  # fmt: skip
    if formula:
        fine = np.geomspace(grid.p[0], grid.p[-1], 15)
        height = np.interp(np.log(fine), np.log(grid.p), rows)
        jump = [_jump_border(grid, p, k) for p in fine]
        plots.guide(axis, _index(grid, np.array(jump)), height, "one big jump", path_effects=plots.outlined(2))
        simple = np.array([_simple(grid, p, k) for p in fine])
        plots.guide(
            axis, _index(grid, simple), height, "mean squares", linestyle=":", linewidth=1.8, path_effects=plots.outlined(2)
        )
    axis.set(xlim=(-0.5, grid.factor.size - 0.5), ylim=(-0.5, grid.p.size - 0.5))


def _index(grid: Map, factor: np.ndarray) -> np.ndarray:
    """Where a factor lies between the columns, NaN outside."""
    return np.interp(np.log(factor), np.log(grid.factor), np.arange(grid.factor.size), left=np.nan, right=np.nan)


def _crossing(factor: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """The factor at which each row (p) of mean last turns from above 0 to below, linear in its logarithm; NaN if never."""
    out = np.full(mean.shape[0], np.nan)
    for i, row in enumerate(mean):
        turns = np.nonzero((row[:-1] > 0) & (row[1:] <= 0))[0]
        if turns.size:
            j = turns[-1]
            out[i] = factor[j] * (factor[j + 1] / factor[j]) ** (row[j] / (row[j] - row[j + 1]))
    return out


def _at(grid: Map, p: float, factor: float, k: int) -> tuple[Any, ...]:
    model = grid.one.model
    shape, sigma, spikes = model.shape, model.noise.sigma, model.spikes
    return shape, sigma, spikes, float(grid.windows[k]), float(p), float(factor), int(grid.one.data.attrs["steps"])


def _jump_border(grid: Map, p: float, k: int, fine: int = 9) -> float:
    """Where R1's means cross, in the range of factors that were run."""
    factor = np.geomspace(grid.factor[0], grid.factor[-1], fine)
    apart = [rare.pre_polar(*_at(grid, p, f, k)) - rare.post_polar(*_at(grid, p, f, k)) for f in factor]
    return float(_crossing(factor, np.array(apart)[None])[0])


def _simple(grid: Map, p: float, k: int) -> float:
    model = grid.one.model
    return rare.border(model.shape, model.noise.sigma, model.spikes[0], float(grid.windows[k]), float(p))


def _finding(grid: Map) -> str:
    """Whether post-polar is ahead anywhere, by how much at most, and where still once gradients are clipped."""
    lead, clipped = (_lead(grid, name, POST) for name in (PRE, CLIPPED))
    at, count = _worst(grid, lead), lead.below.sum()
    return (
        f"'Denoise first' is {'not ' if count else ''}the better order at every finite T, inside the theorem's noise class: "
        f"rare large gradients put post-polar ahead in {count} of {_total(grid)} judged cells, by up to "
        f"{plus_minus(-lead.mean[at], lead.half[at])}, and in {clipped.below.sum()} "
        "once gradients are clipped at twice their clean norm."
    )


def _total(grid: Map) -> int:
    return int(grid.judged.sum() * grid.factor.size)


def _worst(grid: Map, lead: Lead) -> tuple[Any, ...]:
    """Judged cell in which the first is furthest behind."""
    return np.unravel_index(np.where(grid.judged, lead.mean, np.inf).argmin(), lead.mean.shape)


def _region(grid: Map) -> str:
    """How much of the map is turned round, and the largest loss."""
    said = []
    for other in (POST, AGAIN):
        lead = _lead(grid, PRE, other)
        i, j, k = at = _worst(grid, lead)
        said.append(
            f"{other} in {lead.below.sum()} (behind in {lead.above.sum()}), most at p = {grid.p[i]:g}, factor "
            f"{grid.factor[j]:g}, T = {grid.windows[k]:g}, by {plus_minus(-lead.mean[at], lead.half[at])}"
        )
    return (
        f"of {_total(grid)} judged cells, ahead of pre-polar are {' and '.join(said)}; as T → ∞ nothing contradicts the "
        "theorem (B5)"
    )


def _border_finding(grid: Map) -> str:
    """Measured zero of pre-polar - post-polar against R1's two borders, as ratios; and deviations of means from R1."""
    mean = _lead(grid, PRE, POST).mean
    ratios: dict[str, list[float]] = {"one": [], "simple": []}
    for k in range(grid.windows.size):
        found = _crossing(grid.factor, mean[..., k])
        for i in np.nonzero(np.isfinite(found) & grid.judged[:, 0, k])[0]:
            ratios["one"].append(_jump_border(grid, grid.p[i], k) / found[i])
            ratios["simple"].append(_simple(grid, grid.p[i], k) / found[i])
    one, simple = (np.array(ratios[name]) for name in ("one", "simple"))
    return (
        f"the border is that of one big jump, to a factor {np.nanmin(one):.2f} to {np.nanmax(one):.2f}"
        f" at {np.isfinite(one).sum()} measured points (mean squares: {simple.min():.2f} to {simple.max():.2f}), and its "
        f"difference is off by {_largest_miss(grid)}"
    )


def _largest_miss(grid: Map) -> str:
    """Root mean square and largest deviation of pre-polar - post-polar from R1, over cells that are judged."""
    mean = _lead(grid, PRE, POST).mean
    theory = np.array(
        [
            [
                [rare.pre_polar(*_at(grid, p, f, k)) - rare.post_polar(*_at(grid, p, f, k)) for k in range(grid.windows.size)]
                for f in grid.factor
            ]
            for p in grid.p
        ]
    )
    apart = np.abs(mean - theory)[np.broadcast_to(grid.judged, mean.shape)]
    return f"{np.mean(apart**2) ** 0.5:.3f} (root mean square; {apart.max():.3f} at most)"


def _remedies(grid: Map) -> str:
    """Cells in which a remedy leaves pre-polar significantly behind."""
    said = []
    for name in grid.pipelines[3:]:
        leads = [_lead(grid, name, other) for other in (POST, AGAIN)]
        worst = min(float(np.where(grid.judged, lead.mean, np.inf).min()) for lead in leads)
        said.append(f"{name} {leads[0].below.sum()} and {leads[1].below.sum()} (worst {worst:+.2g})")
    return f"with a remedy before the filter, pre-polar is behind post-polar and re-polarised in: {', '.join(said)}"


def _cost(grid: Map) -> str:
    """What remedies cost in the cell that is cleanest, against pre-polar, at the shortest and longest window."""
    said = []
    for name in grid.pipelines[3:]:
        mean, error = mean_error((grid.of(PRE) - grid.of(name))[0, 0])
        said.append(f"{name} {' and '.join(plus_minus(mean[k], 1.96 * error[k]) for k in (0, -1))}")
    return (
        f"where hardly anything is large (p = {grid.p[0]:g}, factor {grid.factor[0]:g}) it costs, at T = {grid.windows[0]:g} "
        f"and {grid.windows[-1]:g}: {', '.join(said)}"
    )


if __name__ == "__main__":
    report.main(draw, __file__)
