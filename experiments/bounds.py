"""Bounds B1 to B3 against what they bound: quantiles and means, with the windows where they say nothing shaded.

spikesim run experiments/bounds.toml --out results/bounds
python experiments/bounds.py          # draws; never simulates

A bound is vacuous at a window where it is 1 or more of a sine or a loss, or where an unfiltered gradient (T = 1), as
measured, meets it already.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from spikesim import plots, report
from spikesim.estimate import upper_quantile
from spikesim.sweep.store import Result, Store
from spikesim.theory import asymptotics, bounds, filters, high_snr

GROUP = "What the paper proves"

QUANTITIES = {"tail": "tail σᵣ₊₁", "sine": "larger sin Θ", "miss": "1 − alignment"}
LABELS = {
    "tail": "tail σᵣ₊₁ of Mₜ",
    "sine": "larger ‖sin Θ‖₂ of Mₜ",
    "miss": "1 − alignment of pre-polar",
}
QUANTILE, MEAN, THIRD = plots.SERIES_STYLE[1], plots.SERIES_STYLE[0], plots.SERIES_STYLE[2]


@dataclass(frozen=True)
class Bound:
    """One bound at all windows after the first, what it bounds as measured there and on unfiltered gradients."""

    name: str
    quantity: str
    values: np.ndarray
    measured: np.ndarray
    unfiltered: np.ndarray
    style: dict[str, Any]

    @property
    def vacuous(self) -> np.ndarray:
        """Where the bound says nothing, (K,) of bool."""
        return ((self.quantity != "tail") & (self.values >= 1)) | (self.unfiltered <= self.values)


class Case:
    """One model's trials at windows beyond 1, its unfiltered gradients, and its bounds."""

    def __init__(self, result: Result) -> None:
        self.model, self.name = result.model, result.coordinates["name"]
        data = result.data.sel(pipeline="pre-polar")
        self.steps = int(data.attrs["steps"])
        sine = np.maximum(data["sin_theta_left"].values, data["sin_theta_right"].values)
        everything = {"tail": data["tail"].values, "sine": sine, "miss": 1 - data["alignment"].values}
        self.windows = data.window.values[1:]
        self.samples = {name: x[:, 1:] for name, x in everything.items()}
        self.raw = {name: x[:, 0] for name, x in everything.items()}
        self.nuclear = data["noise_nuclear"].values[:, 1:].mean(0)
        self.gain = np.array([filters.ema(t, self.steps).gain for t in self.windows])

    def quantile(self, name: str) -> np.ndarray:
        """(1 - (2T-1)^(-1/2))-quantile with its interval, (3, K)."""
        shares = bounds.failure_probability(self.windows)
        return np.transpose([upper_quantile(x, p) for x, p in zip(self.samples[name].T, shares, strict=True)])

    def all_bounds(self) -> list[Bound]:
        """In the order in which they are drawn."""
        model, t, gain = self.model, self.windows, self.gain
        eta, smallest, sigma = model.eta, min(model.spikes), model.noise.variance**0.5
        return [
            self._at_quantile("B1", "tail", bounds.perturbation_radius(eta, t)),
            self._in_mean("B1e", "tail", bounds.expected_tail(eta, t)),
            self._at_quantile("B2", "sine", bounds.subspace_bound(eta, t, smallest, gain)),
            self._in_mean("B2e", "sine", bounds.expected_subspace(eta, t, smallest, gain)),
            self._in_mean("B3", "miss", bounds.nuclear_bound(self.nuclear, model.spikes, gain), THIRD),
            self._in_mean("B3'", "miss", bounds.alignment_bound(model.shape, eta, t, model.spikes, gain)),
            self._in_mean(
                "B3' uncorrelated",
                "miss",
                bounds.uncorrelated_alignment_bound(model.shape, sigma, t, model.spikes, gain),
                plots.SERIES_STYLE[3],
            ),
        ]

    def _at_quantile(self, name: str, quantity: str, values: np.ndarray) -> Bound:
        shares = bounds.failure_probability(self.windows)
        unfiltered = np.array([upper_quantile(self.raw[quantity], p)[0] for p in shares])
        return Bound(name, quantity, values, self.quantile(quantity)[0], unfiltered, QUANTILE)

    def _in_mean(self, name: str, quantity: str, values: np.ndarray, style: dict[str, Any] = MEAN) -> Bound:
        unfiltered = np.full(values.shape, self.raw[quantity].mean())
        return Bound(name, quantity, values, self.samples[quantity].mean(0), unfiltered, style)

    def sharp(self, name: str) -> tuple[str, np.ndarray]:
        """Label and values of the sharp curve."""
        model, sigma = self.model, self.model.noise.variance**0.5
        curves: dict[str, tuple[str, Callable[[float], float]]] = {
            "tail": ("S6", lambda t: high_snr.tail(model.shape, sigma, model.rank, t, self.steps)),
            "sine": ("S3", lambda t: max(asymptotics.sin_theta(model.shape, sigma, model.spikes, t, self.steps))),
            "miss": ("S4", lambda t: 1 - asymptotics.alignment(model.shape, sigma, model.spikes, t, self.steps)),
        }
        source, curve = curves[name]
        return f"sharp {source}", np.array([curve(t) for t in self.windows])


def draw(store: Store, figures: Path, published: Path | None = None) -> report.Outcome:
    """Draw figures/bounds and say what it shows."""
    del published
    results = list(store)
    cases = [Case(result) for result in results]
    with plots.panels(len(cases), 3, (11, 7.9)) as (figure, axes):
        for row, case in zip(axes, cases, strict=True):
            found = case.all_bounds()
            for axis, name in zip(row, QUANTITIES, strict=True):
                _panel(axis, case, name, [b for b in found if b.quantity == name])
        for axis in axes[-1]:  # the rows' panels hold the same lines
            axis.set_ylim(bottom=axis.get_ylim()[0] / 60)
            axis.legend(loc="lower left")
        finding = _finding(cases)
        trials = f"{results[0].data.trial.size} trials" + (" (quick run)" if store.quick else "")
        setting = f"Gaussian noise, σ = 1, {cases[0].steps} steps from M₀ = 0, {trials}"
        level = "quantile: level 1 − (2T − 1)^(−1/2)"
        above = f"{setting}; {level}; dotted: vacuous, grey: all are"
        plots.save(figure, figures, "bounds", above, finding)
    return report.Outcome(finding)


def _panel(axis: Any, case: Case, name: str, found: list[Bound]) -> None:
    x = 2 * case.windows - 1
    if name != "miss":
        middle, low, high = case.quantile(name)
        look = {"markersize": 4, "linewidth": 1.4} | QUANTILE
        axis.plot(x, middle, label="measured quantile", **look)
        axis.fill_between(x, low, np.where(np.isfinite(high), high, np.nan), color=QUANTILE["color"], alpha=0.25, linewidth=0)
    plots.mean_band(axis, x, case.samples[name], "measured mean", **MEAN)
    for bound in found:
        _line(axis, x, bound)
    label, values = case.sharp(name)
    plots.guide(axis, x, values, label, linewidth=0.9)
    _shade(axis, x, np.all([b.vacuous for b in found], axis=0))
    (m, n), spikes = case.model.shape, ", ".join(f"{s:g}" for s in case.model.spikes)
    axis.set(xscale="log", yscale="log", xlabel=plots.SAMPLES, ylabel=LABELS[name])
    axis.set_title(f"{m} × {n}, spikes {spikes}", fontsize=11)
    if name != "tail":
        axis.set_ylim(top=30)


def _line(axis: Any, x: np.ndarray, bound: Bound) -> None:
    """The bound, dotted and faint where it is vacuous."""
    values = np.where(np.isfinite(bound.values), bound.values, np.nan)
    color = bound.style["color"]
    axis.plot(x, values, color=color, linestyle=":", linewidth=1.8, alpha=0.7, label=f"_all of {bound.name}")
    biting = np.where(bound.vacuous, np.nan, values)
    axis.plot(x, biting, color=color, linewidth=2.4, marker=".", label=f"bound {bound.name}")
    if not np.isfinite(bound.values).any():
        axis.text(
            0.96, 0.96, f"{bound.name}: infinite at every T", transform=axis.transAxes, va="top", ha="right", color=color
        )


def _shade(axis: Any, x: np.ndarray, vacuous: np.ndarray) -> None:
    """Grey from the first window on, to halfway beyond the last at which no bound says anything."""
    edges = np.sqrt(np.append(x[0] ** 2, x[:-1] * x[1:])), np.sqrt(np.append(x[:-1] * x[1:], x[-1] ** 2))
    for low, high, empty in zip(*edges, vacuous, strict=True):
        if empty:
            axis.axvspan(low, high, color="#BBBBBB", alpha=0.35, linewidth=0)


def _finding(cases: list[Case]) -> str:
    everything = [bound for case in cases for bound in case.all_bounds()]
    passed = sum(int(np.sum(bound.measured > bound.values)) for bound in everything)
    points = sum(bound.values.size for bound in everything)
    windows, said = cases[0].windows, "; ".join(_said(case) for case in cases)
    lead = (
        f"Of {windows.size} windows each bound is vacuous at (first T where not; bound over measured at T = {windows[-1]:g})"
    )
    return f"{lead}: {said}; measured values exceed bounds at {passed} of {points} points."


def _said(case: Case) -> str:
    """Each bound's vacuous windows, the first T at which it is not, and how far it is from what it bounds at the last."""
    parts = []
    for bound in case.all_bounds():
        bites = case.windows[~bound.vacuous]
        first = f"T = {bites.min():g}" if bites.size else "none"
        ratio = bound.values[-1] / bound.measured[-1]
        far = f"{ratio:.0f} times" if 100 <= ratio < np.inf else f"{ratio:.1f} times" if ratio < 100 else "infinite"
        parts.append(f"{bound.name} {int(bound.vacuous.sum())} ({first}; {far})")
    m, n = case.model.shape
    return f"at {m} × {n} {', '.join(parts)}"


if __name__ == "__main__":
    report.main(draw, __file__)
