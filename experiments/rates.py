"""Rates of four errors of pre-polar for every noise law inside the theorems, against the sharp curves.

spikesim run experiments/rates.toml --out results/rates
python experiments/rates.py          # draws; never simulates
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from spikesim import plots, report
from spikesim.estimate import RateFit, fit_rate, log_slope
from spikesim.sweep.store import Result, Store
from spikesim.theory import asymptotics, high_snr

GROUP = "What is sharper"

BATCHES = 12
"""Into how many means trials are put before a fit where single trials are not all positive."""


class Quantity(NamedTuple):
    """What a panel shows: samples (trial, window) of a result, the sharp curve of a model at one window, and its label."""

    name: str
    label: str
    source: str
    samples: Callable[[Result], np.ndarray]
    sharp: Callable[[Any, float], float]


def _of(name: str) -> Callable[[Result], np.ndarray]:
    return lambda result: result.data[name].sel(pipeline="pre-polar").values


def _sigma(model: Any) -> float:
    return float(model.noise.variance**0.5)


QUANTITIES = (
    Quantity("tail", "tail $d_{r+1}$ of Mₜ", "S6", _of("tail"), lambda x, t: high_snr.tail(x.shape, _sigma(x), x.rank, t)),
    Quantity(
        "λᵣ − gap",
        "λᵣ − ($d_r$ − $d_{r+1}$)",
        "S6",
        lambda result: min(result.model.spikes) - _of("gap")(result),
        lambda x, t: high_snr.gap_shortfall(x.shape, _sigma(x), x.spikes, t),
    ),
    Quantity(
        "head error",
        "head error max |$d_k$ − λₖ|",
        "S6",
        _of("head_error"),
        lambda x, t: high_snr.head_error(x.shape, _sigma(x), x.spikes, t),
    ),
    Quantity(
        "1 − alignment",
        "1 − ⟨A, S⟩ / ‖S‖∗",
        "S4",
        lambda result: 1 - _of("alignment")(result),
        lambda x, t: 1 - asymptotics.alignment(x.shape, _sigma(x), x.spikes, t),
    ),
)


def draw(store: Store, figures: Path, published: Path | None = None) -> report.Outcome:
    """Draw figures/rates and say what it shows."""
    del published
    results = list(store)
    model, windows = results[0].model, results[0].data.window.values
    rows: list[report.Row] = []
    said = []
    with plots.panels(2, 2, (10.5, 7.8), sharex=True) as (figure, axes):
        for axis, quantity in zip(axes.flat, QUANTITIES, strict=True):
            curve = np.array([quantity.sharp(model, t) for t in windows])
            _panel(axis, results, quantity, curve)
            fits = {r.coordinates["name"]: _fit(windows, quantity.samples(r)) for r in results}
            slope = log_slope(windows, curve)
            done = [report.Row(f"{quantity.name}, {k}{how}", fit, slope, quantity.source)
                    for k, (fit, how) in fits.items() if fit]  # fmt: skip
            rows += done
            said.append(_said(quantity, done, slope, len(results)))
        _finish(figure, axes)
        finding = f"Fitted exponents against the sharp curve's: {'; '.join(said)}; {_constants(results)}."
        above = f"{plots.setting(results[0], store.quick)}, entry variance 1, steady state; limits: independent light tails"
        plots.save(figure, figures, "rates", above, finding)
    return report.Outcome(finding, tuple(rows))


def _panel(axis: Any, results: list[Result], quantity: Quantity, curve: np.ndarray) -> None:
    x = 2 * results[0].data.window.values - 1
    for result, style in zip(results, plots.MANY_STYLE, strict=False):
        plots.mean_band(axis, x, quantity.samples(result), result.coordinates["name"], **{"markersize": 5} | style)
        axis.collections[-1].set_alpha(0.1)  # ten bands overlap
    plots.guide(axis, x, curve, f"limit {quantity.source}", linewidth=1.8, zorder=5)
    axis.set(xscale="log", yscale="log", title=quantity.name, ylabel=quantity.label)
    plots.plain_ticks(axis)


def _fit(windows: np.ndarray, samples: np.ndarray) -> tuple[RateFit | None, str]:
    """Fit of the mean, and how: over trials, over BATCHES means of trials, or none where these are not positive either."""
    if np.all(samples > 0):
        return fit_rate(windows, samples), ""
    if len(samples) >= BATCHES:
        batches = samples[: len(samples) // BATCHES * BATCHES].reshape(BATCHES, -1, windows.size).mean(1)
        if np.all(batches > 0):
            return fit_rate(windows, batches), " (batch means)"
    return None, ""


def _said(quantity: Quantity, rows: list[report.Row], slope: float, laws: int) -> str:
    """Where the exponents of one quantity lie."""
    low, high = (pick(rows, key=lambda row: row.fit.exponent) for pick in (min, max))
    ends = [f"{row.fit.exponent:.2f} ({row.quantity.split(', ')[1].removesuffix(' (batch means)')})" for row in (low, high)]
    missing = "" if len(rows) == laws else f", {laws - len(rows)} without a fit"
    return (
        f"{quantity.name} {ends[0]} to {ends[1]} against {slope:.2f}, inside {sum(r.agrees for r in rows)} of {len(rows)} "
        f"intervals{missing}"
    )


def _constants(results: list[Result]) -> str:
    """Tails at the largest window in units of S6: what a scalar that all entries share takes from the mean."""
    last = results[0].data.window.values[-1]
    sharp = QUANTITIES[0].sharp(results[0].model, last)
    ratio = {r.coordinates["name"]: QUANTITIES[0].samples(r)[:, -1].mean() / sharp for r in results}
    low, high = min(ratio, key=ratio.__getitem__), max(ratio, key=ratio.__getitem__)
    flip = f" (sign flip {ratio['sign flip']:.2f}: one matrix times a scalar)" if "sign flip" not in (low, high) else ""
    return f"mean tails at T = {last:g} are {ratio[low]:.2f} ({low}) to {ratio[high]:.2f} ({high}) of S6{flip}"


def _finish(figure: Any, axes: Any) -> None:
    for axis in axes[-1]:
        axis.set_xlabel(plots.SAMPLES)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    labels[-1] = "limit S6, or S4 for\n1 − alignment"
    figure.legend(handles, labels, loc="outside right center", title="mean over trials")


if __name__ == "__main__":
    report.main(draw, __file__)
