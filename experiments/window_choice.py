"""Choosing T: the smallest that is enough (S2, S4), the best under drift (S8), and what rules without a search lose.

spikesim run experiments/window_choice.toml --out results/window_choice
python experiments/window_choice.py          # draws; never simulates
"""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from spikesim import plots, report, rng
from spikesim.estimate import mean_error
from spikesim.sweep.store import Result, Store
from spikesim.theory import asymptotics, choice, drift

GROUP = "What is open"
REACH = 0.9
RESAMPLES = 499
FINE = 401
"""Windows at which splines through means are searched."""
LITTLE = 0.1
"""Loss of S8's best alignment up to which the cube root is held to describe the best window."""


class Cell(NamedTuple):
    """One model: its size, y, drift, windows, and alignment (trial, window)."""

    name: str
    at: tuple[tuple[int, int], float, float]
    omega: float
    windows: np.ndarray
    samples: np.ndarray

    @property
    def y(self) -> float:
        """Lambda / (sigma sqrt(max(m, n)))."""
        (m, n), sigma, spike = self.at
        return spike / (sigma * max(m, n) ** 0.5)

    @property
    def length(self) -> float:
        """L of S8's high-SNR law."""
        return drift.high_snr_window(*self.at, self.omega)

    @property
    def fine(self) -> np.ndarray:
        """Windows at which splines are searched."""
        return np.geomspace(self.windows[0], self.windows[-1], FINE)

    def read(self, samples: np.ndarray, windows: np.ndarray | float) -> np.ndarray:
        """The cubic spline in ln T through (..., window), at other windows."""
        from scipy.interpolate import CubicSpline

        inside = np.clip(windows, self.windows[0], self.windows[-1])
        return np.asarray(CubicSpline(np.log(self.windows), samples, axis=-1)(np.log(inside)))

    def best(self, means: np.ndarray) -> np.ndarray:
        """T at the top of the spline through (..., window)."""
        return self.fine[self.read(means, self.fine).argmax(-1)]

    def reaching(self, means: np.ndarray) -> np.ndarray:
        """The smallest T at which the spline is REACH; NaN if it never is."""
        curve = self.read(means, self.fine)
        enough = curve >= REACH
        return np.where(enough.any(-1), self.fine[enough.argmax(-1)], np.nan)


RULE = "rule:\n⅔ + 1/√(L⁻² + 3ω²)"
RULES: dict[str, Callable[[Cell], float]] = {
    "S8's best": lambda c: drift.best_window(*c.at, c.omega)[0],
    RULE: lambda c: drift.rule_window(*c.at, c.omega),
    "L + ⅔": lambda c: c.length + 2 / 3,
    "β = 0.9": lambda _: 10.0,
    "β = 0.95": lambda _: 20.0,
}


def draw(store: Store, figures: Path, published: Path | None = None) -> report.Outcome:
    """Draw figures/window_choice and say what it shows."""
    del published
    cells = [_cell(r) for r in store]
    still, turning = ([c for c in cells if bool(c.omega) is moves] for moves in (False, True))
    with plots.panels(1, 3, (14.5, 6.2)) as (figure, (axes,)):
        _reaching(axes[0], still)
        _best(axes[1], turning)
        _losses(axes[2], turning)
        finding = _finding(still, turning)
        sizes = ", ".join(dict.fromkeys(c.name for c in cells))
        quick = " (quick run)" if store.quick else ""
        above = f"{sizes}; one spike, Gaussian noise, pre-polar, {len(cells[0].samples)} trials{quick}; bars 95 %"
        plots.save(figure, figures, "window_choice", above, finding)
    details = f"{_reach_details(still)}; {_law_details(turning)}; {_loss_details(turning)}."
    return report.Outcome(finding, details=details)


def _cell(result: Result) -> Cell:
    model = result.model
    samples = result.data.alignment.sel(pipeline="pre-polar").transpose("trial", "window").values
    at = model.shape, model.noise.variance**0.5, model.spikes[0]
    omega = float(getattr(model.signal, "omega", 0.0))
    return Cell(result.coordinates["name"], at, omega, result.data.window.values, samples)


def _interval(cell: Cell, read: Callable[[np.ndarray], np.ndarray]) -> tuple[float, float, float]:
    """What is read off the means over trials, and its 95 % interval over resampled trials."""
    made = read(_resampled(cell))
    low, high = np.quantile(np.where(np.isnan(made), np.inf, made), [0.025, 0.975], method="nearest")
    return float(read(cell.samples.mean(0))), float(low), float(high)


def _resampled(cell: Cell) -> np.ndarray:
    """Means over resampled trials, (RESAMPLES, window); the same trials in every cell, as cells share their noise."""
    trials = len(cell.samples)
    draws = rng.generator(0, rng.BOOTSTRAP).integers(trials, size=(RESAMPLES, trials))
    return cell.samples[draws].mean(1)


def _by(cells: list[Cell], key: Callable[[Cell], Any]) -> dict[Any, list[Cell]]:
    return {
        value: sorted((c for c in cells if key(c) == value), key=lambda c: c.y) for value in dict.fromkeys(map(key, cells))
    }


def _reaching(axis: Any, still: list[Cell]) -> None:
    fine = np.geomspace(min(c.y for c in still), max(c.y for c in still), 40)
    for (name, cells), style in zip(_by(still, lambda c: c.name).items(), plots.SERIES_STYLE, strict=False):
        value, low, high = np.array([_interval(c, c.reaching) for c in cells]).T
        plots.intervals(axis, [c.y for c in cells], value, [low, high], f"{name}: measured", **style)
        shape = cells[0].at[0]
        sizes = [(shape, 1.0, y * max(shape) ** 0.5) for y in fine]
        colour = {"color": style["color"], "linewidth": 1}
        plots.guide(axis, fine, [choice.smallest_window(*at, REACH) for at in sizes], "", **colour)
        critical = [asymptotics.critical_window(*at) for at in sizes]
        marked = style | {"linestyle": ":", "markersize": 4, "markevery": 9}
        plots.guide(axis, fine, critical, f"{name}: critical window (S2)", **marked)
    plots.guide(axis, [], [], f"smallest T for {REACH:g} (S4)")
    axis.set(xscale="log", yscale="log", xlabel="y = λ / (σ √max(m, n)) of one gradient", ylabel="T in steps")
    ticks = sorted({round(c.y, 3) for c in still})
    axis.set_xticks(ticks, [f"{y:g}" for y in ticks])
    axis.minorticks_off()
    axis.set_title(f"constant signal: smallest T of alignment {REACH:g}")
    axis.legend()


def _best(axis: Any, turning: list[Cell]) -> None:
    for (omega, cells), style in zip(_by(turning, lambda c: c.omega).items(), plots.SERIES_STYLE, strict=False):
        value, low, high = np.array([_interval(c, c.best) for c in cells]).T
        plots.intervals(axis, [c.length for c in cells], value, [low, high], f"ω = {omega:g}", **style)
        span = np.geomspace(min(c.length for c in cells), max(c.length for c in cells), 40)
        rule = np.maximum(2 / 3 + 1 / np.hypot(1 / span, math.sqrt(3) * omega), 1)
        axis.plot(span, rule, color=style["color"], linewidth=1)
    axis.plot([], [], color="black", linewidth=1, label="rule: ⅔ + 1/√(L⁻² + 3ω²)")
    span = np.geomspace(min(c.length for c in turning), max(c.length for c in turning), 40)
    plots.guide(axis, span, span + 2 / 3, "L + ⅔")
    axis.set(xscale="log", yscale="log", xlabel="L = ∛(σ²(m + n) / (4λ²ω²)) in steps", ylabel="best T in steps, measured")
    axis.set_title("u turning: best T")
    axis.legend()


def _loss(cell: Cell, window: float) -> tuple[float, float]:
    """Alignment lost at a window against the best one, and its standard error.

    The best window is found on one half of the trials and read on the other, both ways, so that it gains nothing by chance.
    """
    halves = cell.samples[::2], cell.samples[1::2]
    lost = []
    for found, seen in (halves, halves[::-1]):
        best = float(cell.best(found.mean(0)))
        lost.append(cell.read(seen, best) - cell.read(seen, window))
    mean, error = mean_error(np.concatenate(lost))
    return float(mean), float(error)


def _losses(axis: Any, turning: list[Cell]) -> None:
    for (omega, cells), style in zip(_by(turning, lambda c: c.omega).items(), plots.SERIES_STYLE, strict=False):
        for j, rule in enumerate(RULES.values()):
            lost, error = np.array([_loss(c, rule(c)) for c in cells]).T
            shift = 0.16 * (list(_by(turning, lambda c: c.omega)).index(omega) - 1.5)
            x = j + shift + 0.1 * np.linspace(-0.5, 0.5, len(cells))
            look = style | {"markersize": 4, "linestyle": "none"}
            plots.intervals(
                axis, x, lost, [lost - 1.96 * error, lost + 1.96 * error], f"ω = {omega:g}" if j == 0 else "", **look
            )
    axis.axhline(0, color="#999999", linewidth=1)
    axis.set_xticks(range(len(RULES)), list(RULES), fontsize=9)
    axis.set_yscale("symlog", linthresh=0.01)
    axis.set_yticks([-0.01, 0, 0.01, 0.1, 0.5], ["−0.01", "0", "0.01", "0.1", "0.5"])
    axis.set(ylabel="alignment lost against the best T (other trials)")
    axis.set_title("what a choice of T loses (linear within ± 0.01)")
    axis.legend(loc="upper left")


def _finding(still: list[Cell], turning: list[Cell]) -> str:
    ratios, _, inside = _reached(still)
    (rule, error), (usual, spread) = (max(_loss(c, RULES[name](c)) for c in turning) for name in (RULE, "β = 0.95"))
    return (
        f"T can be computed: the smallest that reaches {REACH:g} is {min(ratios):.3f} to {max(ratios):.3f} of S4's ({inside} "
        f"of {len(ratios)} intervals hold it); under drift the rule ⅔ + 1/√(L⁻² + 3ω²) loses at most {rule:.4f} ± "
        f"{1.96 * error:.4f} of alignment, β = 0.95 up to {usual:.4f} ± {1.96 * spread:.4f}."
    )


def _reached(still: list[Cell]) -> tuple[list[float], list[float], int]:
    """Where more than one gradient is needed: T over S4's, n_eff of S4's over the critical one's, intervals around S4's."""
    ratios, useful, inside = [], [], 0
    for c in still:
        limit, critical = choice.smallest_window(*c.at, REACH), float(asymptotics.critical_window(*c.at))
        value, low, high = _interval(c, c.reaching)
        if limit == 1 or not math.isfinite(value):
            continue
        inside += low <= limit <= high
        ratios.append(value / limit)
        useful.append((2 * limit - 1) / (2 * critical - 1) if critical > 1 else math.nan)
    return ratios, useful, inside


def _reach_details(still: list[Cell]) -> str:
    ratios, useful, inside = _reached(still)
    return (
        f"On a constant signal the smallest T of alignment {REACH:g} is {min(ratios):.3f} to {max(ratios):.3f} of S4's in "
        f"{len(ratios)} cells, {inside} of which hold S4 in their 95 % interval, and takes {np.nanmin(useful):.1f} to "
        f"{np.nanmax(useful):.1f} times the critical window's n_eff"
    )


def _law_details(turning: list[Cell]) -> str:
    """Exponent and constant of the cube root where S8 loses little; trials resampled together, as cells share their noise."""
    near = [c for c in turning if drift.best_window(*c.at, c.omega)[1] > 1 - LITTLE and c.length > 1]
    x = np.log([c.length**3 for c in near])
    tops = np.log(np.stack([c.best(_resampled(c)) for c in near], 1) - 2 / 3)
    own, sharp = (
        np.log(np.array(t) - 2 / 3)
        for t in zip(*((float(c.best(c.samples.mean(0))), drift.best_window(*c.at, c.omega)[0]) for c in near), strict=True)
    )
    every = np.column_stack([own, sharp, tops.T])
    slopes = ((x - x.mean()) / ((x - x.mean()) ** 2).sum()) @ every
    constants = np.exp((every - x[:, None] / 3).mean(0))
    (a, b), (c, d) = (np.quantile(v[2:], [0.025, 0.975]) for v in (slopes, constants))
    return (
        f"under drift, where S8 loses at most {LITTLE:g} ({len(near)} cells), best T − ⅔ goes as σ²(m + n)/(4λ²ω²) to the "
        f"{slopes[0]:.3f} [{a:.3f}, {b:.3f}] (S8 {slopes[1]:.3f}, its high-SNR law 1/3), and is {constants[0]:.3f} "
        f"[{c:.3f}, {d:.3f}] of L (S8 {constants[1]:.3f}, law 1)"
    )


def _loss_details(turning: list[Cell]) -> str:
    said = []
    for name, rule in RULES.items():
        lost, error = np.array([_loss(c, rule(c)) for c in turning]).T
        k = int(lost.argmax())
        words = name.replace(":\n", " ")
        said.append(
            f"{words} loses {round(lost.mean(), 4) + 0.0:.4f} on average and {lost[k]:.4f} ± {1.96 * error[k]:.4f} at most"
        )
    return f"against the best T in {len(turning)} cells, " + ", ".join(said)


if __name__ == "__main__":
    report.main(draw, __file__)
