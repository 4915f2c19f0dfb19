"""The GPU's figure: ratios to every peer with their spread and targets, and what part of its limits was reached."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.figure import STYLES, finding
from benchmarks.gpu_targets import OF_CORE, OF_CPU, OF_LIMIT, OF_TORCH, best_torch, ratio, share
from benchmarks.harness import Ratio
from spikesim import plots

SHOWN = ("noise", "all", "alignment")
"""Comparisons in the first three panels."""


def draw(results: Mapping[str, Any], figures: Path) -> None:
    """Draw figures/gpu."""
    rows = {row["work"]: row for row in results["comparisons"]}
    with plots.panels(2, 2, (12.5, 9.0)) as (figure, axes):
        for axis, work in zip(axes.flat, SHOWN, strict=False):
            _ratios(axis, rows[work])
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper right", ncols=4)
        _limits(axes[1, 1], results, rows)
        plots.save(figure, figures, "gpu", _above(results), finding(results))


def _ratios(axis: Any, row: Mapping[str, Any]) -> None:
    """One point a peer and dtype: the median, its minimum and maximum as a line, the target as a tick."""
    peers = [name for name in row["labels"] if name != "spikesim" and any(name in rates for rates in row["rates"].values())]
    for offset, dtype, style in STYLES:
        found = {i: r for i, name in enumerate(peers) if (r := ratio(row, name, dtype)) is not None}
        _points(axis, {i + offset: r for i, r in found.items()}, dtype, style)
    for label, (name, needed) in zip(("target, float32", "_"), _needed(row), strict=False):
        if name in peers:
            i = peers.index(name)
            axis.plot([needed, needed], [i - 0.4, i + 0.4], color="black", linewidth=3, label=label)
    axis.axvline(1, color="black", linewidth=1, linestyle=":", label="as fast")
    cores = f"CPU: {row['cores']} core" + "s" * (row["cores"] > 1)
    axis.set(xscale="log", title=row["title"], xlabel=f"speed of spikesim on the GPU / peer ({cores})")
    axis.set_yticks(range(len(peers)), [row["labels"][name].replace(", ", ",\n", 1) for name in peers])
    axis.set_ylim(len(peers) - 0.5, -0.5)
    axis.xaxis.set_major_formatter("{x:g}")


def _points(axis: Any, found: Mapping[float, Ratio], label: str, style: Mapping[str, Any]) -> None:
    spread = [[r.median - r.low for r in found.values()], [r.high - r.median for r in found.values()]]
    middle = [r.median for r in found.values()]
    if found:
        axis.errorbar(middle, list(found), xerr=spread, label=label, linestyle="none", capsize=3, **style)


def _needed(row: Mapping[str, Any]) -> list[tuple[str | None, float]]:
    """Peers with a target, and what it is."""
    if row["work"] == "noise":
        return [("cpu", OF_CORE)]
    return [("cpu", OF_CPU), (best_torch(row), OF_TORCH)] if row["work"] == "all" else []


def _limits(axis: Any, results: Mapping[str, Any], rows: Mapping[str, Any]) -> None:
    """A bar for each work and dtype: achieved against its limit."""
    limits, ticks = results["limits"], []
    bars = [(work, dtype, style) for work in SHOWN for _, dtype, style in STYLES]
    for i, (work, dtype, style) in enumerate(bars):
        limit = limits["noise" if work == "noise" else "end_to_end"][dtype]["limit"]
        found = share(rows[work], limit, dtype)
        ticks.append(f"{'noise + EMA' if work == 'noise' else work}, {dtype}")
        text = "not measured" if found is None else f"{found.median:.3g}"
        if found is not None:
            error = [[found.median - found.low], [found.high - found.median]]
            axis.barh(i, found.median, xerr=error, height=0.6, color=style["color"], alpha=0.75, capsize=3)
        axis.text((found.high if found else 0) + 0.02, i, text, va="center", fontsize=10)
    axis.plot([OF_LIMIT, OF_LIMIT], [-0.45, 0.45], color="black", linewidth=3)
    axis.set(xlim=(0, 1.15), title="achieved / limit", xlabel="part of the limit")
    axis.set_yticks(range(len(bars)), ticks)
    axis.set_ylim(len(bars) - 0.5, -0.5)


def _above(results: Mapping[str, Any]) -> str:
    problem, device, where = results["problem"], results["device"], results["environment"]
    (m, n), windows = problem["shape"], len(problem["windows"])
    repeats = len(results["comparisons"][0]["rates"]["float32"]["cpu"])
    checked = "equal to the CPU's as stated" if results["verification"]["held"] else "NOT equal to the CPU's as stated"
    return (
        f"{device['name']} beside {where['cpu']}; {m} × {n}, r = {len(problem['spikes'])}, {windows} windows, "
        f"{problem['steps']} steps, Gaussian\npoints: median of {repeats} repeats in turn, bars: minimum and maximum\n"
        f"results {checked}" + (" (quick run)" if results["quick"] else "")
    )
