"""Figure 2 of the paper. Singular values of the momentum buffer: its whole spectrum at several T, and its head against T.

spikesim run experiments/filtered_spectra.toml --out results/filtered_spectra
python experiments/filtered_spectra.py          # draws; never simulates
"""

from pathlib import Path
from typing import Any

import numpy as np

from spikesim import plots, report
from spikesim.estimate import mean_error
from spikesim.sweep.store import Store
from spikesim.theory import asymptotics

GROUP = "What the paper proves"

SHOWN = 30
"""How many singular values the left panel shows."""
COMPARED = 4
"""How many windows it compares, the raw gradient among them."""


def draw(store: Store, figures: Path, published: Path | None = None) -> report.Outcome:
    """Draw figures/filtered_spectra and say what it shows."""
    del published
    (result,) = store
    data, model = result.data, result.model
    limits = _limits(model, data.window.values, int(data.attrs["steps"]))
    with plots.panels(1, 2, (11.5, 5.6)) as (figure, (axes,)):
        _spectra(axes[0], data, limits)
        _against_window(axes[1], data, model, limits)
        finding = _finding(data, model, limits)
        above = f"{plots.setting(result, store.quick)}, noise {model.noise}, {int(data.attrs['steps'])} steps from M₀ = 0"
        plots.save(figure, figures, "filtered_spectra", above, finding)
    return report.Outcome(finding)


def _limits(model: Any, windows: np.ndarray, steps: int) -> np.ndarray:
    """(window, r + 1): the head (S3) and the bulk edge (S2)."""
    sigma = model.noise.variance**0.5
    head = [asymptotics.singular_value(model.shape, sigma, model.spikes, t, steps) for t in windows]
    edge = [asymptotics.bulk_edge(model.shape, sigma, t, steps) for t in windows]
    return np.column_stack([head, edge])


def _spectra(axis: Any, data: Any, limits: np.ndarray) -> None:
    values, windows = data.singular_values, data.window.values
    rank, shown = limits.shape[1] - 1, min(SHOWN, values.sizes["index"])
    index = np.arange(1, shown + 1)
    chosen = np.unique(np.linspace(0, windows.size - 1, COMPARED).round().astype(int))
    for k, style in zip(chosen, plots.SERIES_STYLE, strict=False):
        raw = windows[k] == 1
        samples = values.sel(pipeline="polar-only" if raw else "pre-polar").values[:, k, :shown]
        label = "raw gradient Gₜ (T = 1)" if raw else f"T = {windows[k]:g}"
        plots.mean_band(axis, index, samples, label, **style | {"markersize": 5})
        last = "limit of the spikes, S3" if k == chosen[-1] else f"_limit at T = {windows[k]:g}"
        axis.plot(index[:rank], limits[k, :rank], "_", color="black", markersize=16, label=last, zorder=4)
        edge = "bulk edge, S2" if k == chosen[-1] else f"_edge at T = {windows[k]:g}"
        plots.guide(axis, [rank + 0.6, shown], [limits[k, rank]] * 2, edge, linestyle=":")
    axis.set(yscale="log", xlabel="index k", ylabel="singular value $d_k$ of Mₜ, mean over trials", title="spectrum")
    axis.set_ylim(top=3.2 * limits[:, 0].max())
    plots.plain_ticks(axis)
    axis.legend(loc="upper right", ncols=2)


def _against_window(axis: Any, data: Any, model: Any, limits: np.ndarray) -> None:
    x, values = 2 * data.window.values - 1, data.singular_values.sel(pipeline="pre-polar").values
    rank = model.rank
    for k in range(rank + 1):
        style = plots.SERIES_STYLE[k % len(plots.SERIES_STYLE)]
        plots.mean_band(axis, x, values[..., k], f"$d_{{{k + 1}}}$" + (" (first of the bulk)" if k == rank else ""), **style)
    for k in range(rank):
        plots.guide(axis, x, limits[:, k], "limit of the spikes, S3" if k == 0 else f"_limit {k + 1}")
    plots.guide(axis, x, limits[:, rank], "bulk edge, S2", linestyle=":", linewidth=1.8)
    for k, spike in enumerate(model.spikes):
        label = "true λ" if k == 0 else f"_true {k + 1}"
        plots.guide(axis, x, [spike] * x.size, label, color="#888888", linestyle="-.", linewidth=1)
    axis.set(xscale="log", yscale="log", xlabel=plots.SAMPLES, title="against the window")
    axis.set_ylabel("singular value $d_k$ of Mₜ")
    plots.plain_ticks(axis)
    axis.legend(loc="lower left")


def _leaves(data: Any, limits: np.ndarray) -> list[float]:
    """Of each spike the first window from which on its mean, less 1.96 standard errors, stays above the edge (inf: none)."""
    mean, error = mean_error(data.singular_values.sel(pipeline="pre-polar").values)
    out = []
    for k in range(limits.shape[1] - 1):
        above = mean[:, k] - 1.96 * error[:, k] > limits[:, -1]
        first = int(np.argmax(np.logical_and.accumulate(above[::-1])[::-1]))
        out.append(float(data.window.values[first]) if above[-1] else np.inf)
    return out


def _finding(data: Any, model: Any, limits: np.ndarray) -> str:
    windows, rank, sigma = data.window.values, model.rank, model.noise.variance**0.5
    mean = data.singular_values.sel(pipeline="pre-polar").values.mean(0)[:, : rank + 1]
    off = 100 * (mean / limits - 1)
    at, k = np.unravel_index(np.argmax(np.abs(off[:, :rank])), (windows.size, rank))
    edge = int(np.argmax(np.abs(off[:, rank])))
    critical = asymptotics.critical_window(model.shape, sigma, model.spikes, int(data.attrs["steps"]))
    each = zip(_leaves(data, limits), model.spikes, critical, strict=True)
    leave = ", ".join(f"{t:g} (λ = {x:g}; S2: {c:.1f})" for t, x, c in each)
    gap, error = mean_error(data.gap.sel(pipeline="pre-polar").values)
    return (
        f"Mean singular values of spikes lie within {abs(off[at, k]):.1f} % of S3 ({off[at, k]:+.1f} % for λ = "
        f"{model.spikes[k]:g} at T = {windows[at]:g}) and the first of the bulk within {abs(off[edge, rank]):.1f} % of the "
        f"edge S2 ({off[edge, rank]:+.1f} % at T = {windows[edge]:g}); means stay above the edge from the simulated "
        f"T = {leave} on; the gap goes from {gap[0]:.2f} ± {1.96 * error[0]:.2f} at T = {windows[0]:g} to {gap[-1]:.2f} ± "
        f"{1.96 * error[-1]:.2f} at T = {windows[-1]:g}, where S3 less S2 is {limits[-1, -2] - limits[-1, -1]:.2f}."
    )


if __name__ == "__main__":
    report.main(draw, __file__)
