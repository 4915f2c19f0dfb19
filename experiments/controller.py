"""The controller against fixed windows: what it loses against the best of them, known only in hindsight (S8, F12).

spikesim run experiments/controller.toml --out results/controller
python experiments/controller.py          # draws; never simulates
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from spikesim import plots, report
from spikesim.estimate import mean_error
from spikesim.sweep.store import Result, Store
from spikesim.theory import drift

GROUP = "What is open"
FIXED = (5.0, 20.0, 200.0)
"""Windows that one might set and leave: beta = 0.8, 0.95 (Muon's) and 0.995."""
SWITCHES = ("switch of u", "switch of sign")


@dataclass(frozen=True)
class Grid:
    """Results by name and number of steps."""

    results: dict[tuple[str, int], Result]

    @property
    def size(self) -> int:
        """Of the list of fixed windows."""
        return int(self.fixed(self.names[0], self.last)[0].size)

    @property
    def names(self) -> list[str]:
        """Of the models that have no switch."""
        return [name for name in dict.fromkeys(name for name, _ in self.results) if name not in SWITCHES]

    @property
    def steps(self) -> list[int]:
        """At which everything was read, rising."""
        return sorted({steps for _, steps in self.results})

    @property
    def last(self) -> int:
        """The longest run."""
        return self.steps[-1]

    def fixed(self, name: str, steps: int) -> tuple[np.ndarray, np.ndarray]:
        """Windows, and alignments (trial, window) of pre-polar."""
        data = self.results[name, steps].data
        return data.window.values, data.alignment.sel(pipeline="pre-polar").values

    def own(self, variable: str, name: str, steps: int) -> np.ndarray:
        """The controller's, (trial,)."""
        return self.results[name, steps].data[variable].sel(pipeline="controller").values[:, 0]

    def regret(self, name: str, steps: int, window: float | None = None) -> tuple[float, float, float]:
        """Best fixed less controller, or less a fixed window: mean, half of its 95 % interval (paired), best window."""
        windows, samples = self.fixed(name, steps)
        k = int(samples.mean(0).argmax())
        other = self.own("alignment", name, steps) if window is None else samples[:, list(windows).index(window)]
        mean, error = mean_error(samples[:, k] - other)
        return float(mean), float(_half(error, len(other))), float(windows[k])

    def omega(self, name: str) -> float:
        """Radians a step; 0 for vectors that stay."""
        signal: Any = self.results[name, self.last].model.signal
        return float(getattr(getattr(signal, "motion", signal), "omega", 0.0))

    def limit(self, name: str) -> float:
        """Best window of S8; infinite without drift."""
        model = self.results[name, self.last].model
        return drift.best_window(model.shape, model.noise.variance**0.5, model.spikes, self.omega(name))[0]


def _half(error: Any, trials: int) -> Any:
    """Half of Student's 95 % interval, by the standard error over trials."""
    return stats.t.ppf(0.975, trials - 1) * error


def draw(store: Store, figures: Path, published: Path | None = None) -> report.Outcome:
    """Draw figures/controller and say what it shows."""
    del published
    grid = Grid({(r.coordinates["name"], int(r.data.attrs["steps"])): r for r in store})
    with plots.panels(2, 2, (13, 10)) as (figure, axes):
        _regrets(axes[0, 0], grid)
        _windows(axes[0, 1], grid)
        _course(axes[1, 0], grid)
        _switches(axes[1, 1], grid)
        finding = _finding(grid)
        above = f"{plots.setting(next(iter(store)), store.quick)}, Gaussian noise; ω in radians a step; the controller is "
        above += "told the rank; bars and bands Student's 95 %, differences paired"
        plots.save(figure, figures, "controller", above, finding)
    details = f"{_steady_details(grid)}; {_window_details(grid)}; {_switch_details(grid)}."
    return report.Outcome(finding, details=details)


def _ticks(axis: Any, grid: Grid) -> None:
    axis.set_xticks(range(len(grid.names)), [name.replace("ω = ", "") for name in grid.names])
    axis.set_xlabel("ω (swinging: amplitude × (1 ± 0.8), ω = 0.01)")


def _regrets(axis: Any, grid: Grid) -> None:
    lines: list[tuple[str, float | None]] = [("controller", None)]
    lines += [(f"T = {t:g} (β = {1 - 1 / t:g})", t) for t in FIXED if t in grid.fixed(grid.names[0], grid.last)[0]]
    for place, ((label, window), style) in enumerate(zip(lines, plots.MANY_STYLE, strict=False)):
        mean, half, _ = np.array([grid.regret(name, grid.last, window) for name in grid.names]).T
        x = np.arange(mean.size) + 0.12 * (place - 1.5)
        plots.intervals(axis, x, mean, [mean - half, mean + half], label, **style | {"linestyle": "none"})
    axis.axhline(0, color="#999999", linewidth=1)
    axis.set_yscale("symlog", linthresh=1e-2)
    axis.set(ylabel="alignment lost against the best fixed T")
    axis.set_title(f"after {grid.last} steps (linear within ± 0.01)")
    _ticks(axis, grid)
    axis.legend()


def _windows(axis: Any, grid: Grid) -> None:
    chosen = np.array([np.quantile(grid.own("chosen_window", n, grid.last), [0.5, 0.1, 0.9]) for n in grid.names]).T
    x = np.arange(len(grid.names))
    plots.intervals(axis, x, chosen[0], chosen[1:], "controller, median and 10 to 90 %", **plots.SERIES_STYLE[0])
    best = [grid.regret(n, grid.last)[2] for n in grid.names]
    axis.plot(x + 0.15, best, label="best fixed T, in hindsight", **plots.SERIES_STYLE[1] | {"linestyle": "none"})
    limits = [grid.limit(n) if n.startswith("ω") else np.nan for n in grid.names]
    axis.plot(x, limits, "*", color="black", markersize=11, label="best T of S8 (infinite for ω = 0)")
    axis.set(yscale="log", ylabel="window T", title=f"the windows after {grid.last} steps")
    _ticks(axis, grid)
    axis.legend()


def _course(axis: Any, grid: Grid) -> None:
    steps = np.array(grid.steps)
    chosen = [n for n in ("ω = 0", "ω = 0.003", "ω = 0.01", "ω = 0.1") if n in grid.names]
    for name, style in zip(chosen, plots.MANY_STYLE, strict=False):
        low, middle, high = np.array([np.quantile(grid.own("chosen_window", name, s), [0.1, 0.5, 0.9]) for s in steps]).T
        axis.plot(steps, middle, label=name, **style)
        axis.fill_between(steps, low, high, color=style["color"], alpha=0.2, linewidth=0)
        if np.isfinite(grid.limit(name)):
            axis.axhline(grid.limit(name), color=style["color"], linestyle="--", linewidth=1)
    axis.set(xscale="log", yscale="log", xlabel="steps", ylabel="window T")
    axis.set_title("the controller's window over time\n(median, 10 to 90 % of trials; dashed: S8)")
    apart = steps[np.append(True, steps[1:] > 1.1 * steps[:-1])]
    axis.set_xticks(apart, [str(s) for s in apart])
    axis.minorticks_off()
    axis.legend(loc="upper left")


def _at(grid: Grid, name: str) -> int:
    """Steps before the switch."""
    return int(grid.results[name, grid.last].model.signal.at)  # type: ignore[attr-defined]


def _since(grid: Grid, name: str) -> list[int]:
    """Numbers of steps at which something has followed the switch."""
    return [s for s in grid.steps if s > _at(grid, name)]


def _switches(axis: Any, grid: Grid) -> None:
    for name, line in zip(SWITCHES, ("-", "--"), strict=True):
        steps, at = _since(grid, name), _at(grid, name)
        series = {"controller": [grid.own("alignment", name, s) for s in steps]}
        for t in FIXED[1:]:
            series[f"T = {t:g}"] = [grid.fixed(name, s)[1][:, list(grid.fixed(name, s)[0]).index(t)] for s in steps]
        best = [grid.fixed(name, s)[1] for s in steps]
        series["best fixed T at each step"] = [b[:, b.mean(0).argmax()] for b in best]
        looks = [*plots.SERIES_STYLE[:3], {"color": "black", "marker": "*"}]
        for (label, samples), style in zip(series.items(), looks, strict=True):
            look = style | {"linestyle": line}
            _band(axis, np.array(steps) - at, np.transpose(samples), f"{label}, {name}", look)
    axis.set(xscale="log", xlabel="steps since the switch", ylabel="alignment ⟨A, S⟩ / ‖S‖∗", title="after a sudden switch")
    axis.legend(loc="lower right")


def _band(axis: Any, x: np.ndarray, samples: np.ndarray, label: str, look: dict[str, Any]) -> None:
    """Mean over trials (trial, x) with its 95 % interval."""
    mean, error = mean_error(samples)
    half = _half(error, len(samples))
    axis.plot(x, mean, label=label, **({"markersize": 4, "linewidth": 1.4} | look))
    axis.fill_between(x, mean - half, mean + half, color=look["color"], alpha=0.25, linewidth=0)


def _worst(grid: Grid, window: float | None = None) -> tuple[float, float, str]:
    """Of the models without a switch, the one in which the controller, or a fixed window, loses most."""
    return max((*grid.regret(name, grid.last, window)[:2], name) for name in grid.names)


def _stands(mean: float, half: float, places: int) -> str:
    """A regret in words."""
    return f"{'ahead' if mean < 0 else 'behind'} by {abs(mean):.{places}f} ± {half:.{places}f}"


def _finding(grid: Grid) -> str:
    mean, half, where = _worst(grid)
    (lost, error, place), fixed = min((_worst(grid, t), t) for t in FIXED)
    late, spread, switch, since = max(
        (*grid.regret(name, s)[:2], name, s - _at(grid, name)) for name in SWITCHES for s in _since(grid, name)
    )
    return (
        f"Told only the rank, the controller is at worst {_stands(mean, half, 4)} ({where}) against the best of {grid.size} "
        f"fixed windows, known in hindsight, where one kept T = {fixed:g} loses up to {lost:.3f} ± {error:.3f} ({place}); "
        f"but {since} steps after a {switch} it is {_stands(late, spread, 3)}."
    )


def _steady_details(grid: Grid) -> str:
    said = []
    for name in grid.names:
        mean, half, best = grid.regret(name, grid.last)
        said.append(f"{_stands(mean, half, 4)} at {name} (best T = {best:g})")
    worst = {t: _worst(grid, t) for t in FIXED}
    others = ", ".join(f"{mean:.3f} ± {half:.3f} for T = {t:g} ({n})" for t, (mean, half, n) in worst.items())
    return (
        f"Told the rank but neither noise nor drift, the controller's alignment after {grid.last} steps is, against the best "
        f"of {grid.size} fixed windows, known only in hindsight, {', '.join(said)}, where one fixed window loses at worst "
        f"{others}"
    )


def _window_details(grid: Grid) -> str:
    turning = [n for n in grid.names if n.startswith("ω") and grid.omega(n)]
    each = [
        f"{np.median(grid.own('chosen_window', n, grid.last)):.3g} against S8's {grid.limit(n):.3g} at {n}" for n in turning
    ]
    return f"its median window settles at {', '.join(each)}"


def _switch_details(grid: Grid) -> str:
    said = []
    for name in SWITCHES:
        parts = []
        for s in _since(grid, name):
            mean, half, _ = grid.regret(name, s)
            parts.append(f"{_stands(mean, half, 3)} after {s - _at(grid, name)}")
        said.append(f"{name}: {', '.join(parts)} steps")
    return f"after a sudden switch it is, against the window best at each step, {'; '.join(said)}"


if __name__ == "__main__":
    report.main(draw, __file__)
