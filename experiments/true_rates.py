"""The rates that expectations have: means of every BVMZOS law between the proved bounds and the sharp values.

spikesim run experiments/true_rates.toml --out results/true_rates
python experiments/true_rates.py          # draws; never simulates
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from spikesim import plots, report
from spikesim.estimate import fit_rate, log_slope
from spikesim.model import SpikedModel
from spikesim.sweep.store import Result, Store
from spikesim.theory import asymptotics, bounds, filters, high_snr

GROUP = "What is sharper"

GUIDE = -0.25
"""The exponent that the paper states."""


@dataclass(frozen=True)
class Quantity:
    """What is averaged, its sharp value at one window after `steps` steps, and its bounds in expectation at all windows."""

    name: str
    axis: str
    source: str
    read: Callable[[Any], np.ndarray]
    sharp: Callable[[SpikedModel, float, int], float]
    bounds: dict[str, Callable[[SpikedModel, np.ndarray, np.ndarray], np.ndarray]]


def _pre_polar(data: Any, name: str) -> np.ndarray:
    return data[name].sel(pipeline="pre-polar").values


QUANTITIES = (
    Quantity(
        "1 - alignment",
        "1 − alignment of pre-polar",
        "S4; limit -1",
        lambda data: 1 - _pre_polar(data, "alignment"),
        lambda model, t, steps: 1 - asymptotics.alignment(model.shape, model.noise.variance**0.5, model.spikes, t, steps),
        {
            "bound B3', any BVMZOS noise": lambda model, t, gain: bounds.alignment_bound(
                model.shape, model.eta, t, model.spikes, gain
            ),
            "bound B3', uncorrelated entries": lambda model, t, gain: bounds.uncorrelated_alignment_bound(
                model.shape, model.noise.variance**0.5, t, model.spikes, gain
            ),
        },
    ),
    Quantity(
        "larger sin theta",
        "larger ‖sin Θ‖₂ of Mₜ",
        "S3; limit -1/2",
        lambda data: np.maximum(_pre_polar(data, "sin_theta_left"), _pre_polar(data, "sin_theta_right")),
        lambda model, t, steps: max(asymptotics.sin_theta(model.shape, model.noise.variance**0.5, model.spikes, t, steps)),
        {"bound B2e": lambda model, t, gain: bounds.expected_subspace(model.eta, t, min(model.spikes), gain)},
    ),
    Quantity(
        "tail",
        "tail σᵣ₊₁ of Mₜ",
        "S6; limit -1/2",
        lambda data: _pre_polar(data, "tail"),
        lambda model, t, steps: high_snr.tail(model.shape, model.noise.variance**0.5, model.rank, t, steps),
        {"bound B1e": lambda model, t, _gain: bounds.expected_tail(model.eta, t)},
    ),
)


def draw(store: Store, figures: Path, published: Path | None = None) -> report.Outcome:
    """Draw figures/true_rates and say what it shows."""
    del published
    results = list(store)
    rows, said = [], []
    with plots.panels(1, 3, (14, 6)) as (figure, (axes,)):
        for axis, quantity in zip(axes, QUANTITIES, strict=True):
            theory = _panel(axis, results, quantity)
            found = [_row(quantity, result, theory[0]) for result in results]
            said.append(_said(quantity, results, found, *theory))
            rows += found
        handles = axes[0].get_lines()[: len(results)]
        figure.legend(handles=handles, loc="outside right center", title="mean over trials")
        finding = _finding(rows, said)
        above = f"{plots.setting(results[0], store.quick)}, entry variance 1, {_steps(results[0])} steps from M₀ = 0"
        plots.save(figure, figures, "true_rates", above, finding)
    return report.Outcome(finding, tuple(rows))


def _steps(result: Result) -> int:
    return int(result.data.attrs["steps"])


def _panel(axis: Any, results: list[Result], quantity: Quantity) -> tuple[np.ndarray, list[np.ndarray]]:
    """Means of all laws with their theory; returns the sharp values and the bounds, which all laws share."""
    model, windows, steps = results[0].model, results[0].data.window.values, _steps(results[0])
    x = 2 * windows - 1
    for result, style in zip(results, plots.MANY_STYLE, strict=False):
        plots.mean_band(axis, x, quantity.read(result.data), result.coordinates["name"], **style)
    gain = np.array([filters.ema(t, steps).gain for t in windows])
    limits = {label: function(model, windows, gain) for label, function in quantity.bounds.items()}
    for (label, values), width in zip(limits.items(), (2.2, 1.2), strict=False):
        plots.guide(axis, x, values, label, linestyle="-", linewidth=width)
    sharp = np.array([quantity.sharp(model, t, steps) for t in windows])
    plots.guide(axis, x, sharp, f"sharp {quantity.source.split(';')[0]}: slope {log_slope(windows, sharp):.2f}")
    plots.power_guide(axis, x, GUIDE, sharp[0], "guide: exponent −1/4", color="#888888", linestyle=":", linewidth=2)
    axis.set(xscale="log", yscale="log", xlabel=plots.SAMPLES, ylabel=quantity.axis)
    axis.legend(handles=axis.get_lines()[len(results) :], loc="lower left")
    low = min(float(quantity.read(r.data).mean(0).min()) for r in results)
    axis.set_ylim(bottom=low / 12)  # room for the legend
    return sharp, list(limits.values())


def _row(quantity: Quantity, result: Result, sharp: np.ndarray) -> report.Row:
    windows = result.data.window.values
    fit = fit_rate(windows, quantity.read(result.data))
    return report.Row(f"{quantity.name}, {result.coordinates['name']}", fit, log_slope(windows, sharp), quantity.source)


def _said(
    quantity: Quantity, results: list[Result], rows: list[report.Row], sharp: np.ndarray, limits: list[np.ndarray]
) -> str:
    means = np.stack([quantity.read(r.data).mean(0) for r in results])
    exponents = [row.fit.exponent for row in rows]
    ratios = zip(quantity.bounds, (x / means for x in limits), strict=True)
    factors = " and ".join(f"{x.min():.3g} to {x.max():.3g} ({label.removeprefix('bound ')})" for label, x in ratios)
    return (
        f"{quantity.name} {min(exponents):.2f} to {max(exponents):.2f} (sharp {rows[0].theory:.2f}), "
        f"{int(np.sum(means <= np.min(limits, axis=0)))} of {means.size} means under the bound by factors {factors}, "
        f"{int(np.sum(means >= sharp))} above the sharp value, mean/sharp {(means / sharp).min():.2f} to "
        f"{(means / sharp).max():.2f}"
    )


def _finding(rows: list[report.Row], said: list[str]) -> str:
    steeper = sum(row.fit.high < GUIDE for row in rows)
    agree = sum(row.agrees for row in rows)
    return (
        f"Fitted exponents: {'; '.join(said)}; {steeper} of {len(rows)} intervals lie below −1/4, "
        f"and {agree} contain the sharp curve's slope."
    )


if __name__ == "__main__":
    report.main(draw, __file__)
