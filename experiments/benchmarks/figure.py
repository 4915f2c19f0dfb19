"""The benchmark's figure: ratios to every peer with their spread and targets, and how cost grows."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness import Ratio
from benchmarks.targets import PEERS, slope
from spikesim import plots

SHOWN = ("noise", "all", "alignment")
"""Comparisons in the upper panels, and the only ones of a quick run."""
AXES = {
    "T": "window T (steps)", "min(m, n)": "min(m, n)", "trials": "trials", "cores": "threads", "rows": "min(m, n)",
}  # fmt: skip


def draw(results: Mapping[str, Any], figures: Path) -> None:
    """Draw figures/benchmark."""
    rows = results["comparisons"]
    shown = [row for row in rows if row["work"] in SHOWN]
    with plots.panels(2, 3, (13.5, 9.0)) as (figure, axes):
        for axis, row in zip(axes[0], shown, strict=True):
            _ratios(axis, row)
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper right", ncols=4)
        _grown(axes[1, 0], results, ("T, stream", "T, collapsed, Gaussian", "T, collapsed, Radial"), "cost against T")
        _grown(axes[1, 1], results, ("min(m, n), stream", "rows, banded"), "cost against size")
        _grown(axes[1, 2], results, ("trials, stream", "cores, stream"), "cost against trials, threads")
        plots.save(figure, figures, "benchmark", _above(results), finding(results))


STYLES = (
    (-0.14, "float32", {"color": "#0072B2", "marker": "o", "markersize": 8}),
    (0.14, "float64", {"color": "#D55E00", "marker": "s", "markersize": 7, "markerfacecolor": "white"}),
)


def _ratios(axis: Any, row: Mapping[str, Any]) -> None:
    """One point a peer and dtype: the median, its minimum and maximum as a line, the target as a tick."""
    peers = [name for name in row["labels"] if name != "spikesim" and name in row["rates"]["float32"]]
    for offset, dtype, style in STYLES:
        rates = row["rates"][dtype]
        measured = {i: Ratio.paired(rates["spikesim"], rates[name]) for i, name in enumerate(peers) if name in rates}
        for i, r in measured.items():
            spread = [[r.median - r.low], [r.high - r.median]]
            label = dtype if i == min(measured) else "_"
            axis.errorbar([r.median], [i + offset], xerr=spread, label=label, linestyle="none", capsize=3, **style)
    needed = [(peers.index(peer), x) for work, peer, x in PEERS if work == row["work"] and peer in peers]
    for i, x in needed:
        axis.plot(
            [x, x], [i - 0.4, i + 0.4], color="black", linewidth=3, label="_" if i != needed[0][0] else "target, float32"
        )
    axis.axvline(1, color="black", linewidth=1, linestyle=":", label="as fast")
    cores = f"{row['cores']} core" + "s" * (row["cores"] > 1)
    axis.set(xscale="log", title=row["title"], xlabel=f"speed of spikesim / peer, {cores}")
    axis.set_yticks(range(len(peers)), [row["labels"][name].replace(", ", ",\n", 1) for name in peers])
    axis.set_ylim(len(peers) - 0.5, -0.5)
    axis.xaxis.set_major_formatter("{x:g}")


def _grown(axis: Any, results: Mapping[str, Any], names: tuple[str, ...], title: str) -> None:
    """Seconds over each series, of a trial unless trials are what grows, with the median's log-log slope in the legend."""
    series = {s["name"]: s for s in results["growth"]}
    whole = "trials, stream" in names
    for name, style in zip(names, plots.SERIES_STYLE, strict=False):
        found = series[name]
        if not found["x"]:
            continue
        seconds = np.array(found["seconds"]) / (1 if whole else np.array(found["trials"])[:, None])
        exponent = f", slope {slope(found).median:.2f}" if len(found["x"]) > 1 else ""
        axis.plot(found["x"], np.median(seconds, 1), label=name + exponent, **style)
        axis.fill_between(found["x"], seconds.min(1), seconds.max(1), color=style["color"], alpha=0.25, linewidth=0)
    kinds = dict.fromkeys(next(AXES[key] for key in AXES if name.startswith(key)) for name in names)
    axis.set(xscale="log", yscale="log", title=title, xlabel=" or ".join(kinds))
    axis.set_ylabel("seconds a call" if whole else "seconds a trial")
    _ticks(axis, sorted({x for name in names for x in series[name]["x"]}))


def _ticks(axis: Any, x: Sequence[float]) -> None:
    """Every x where there are few decades of them, plain numbers, and room for the legend above the curves."""
    if x and x[-1] < 1000 * x[0]:
        axis.set_xticks(x, [f"{value:g}" for value in x])
        axis.set_xticks([], minor=True)
    low, high = axis.get_ylim()
    axis.set_ylim(low, high * (high / low) ** 0.5)
    if high < 300 * low:
        plots.plain_ticks(axis)
    axis.legend(loc="upper left")


def _above(results: Mapping[str, Any]) -> str:
    problem, where = results["problem"], results["environment"]
    (m, n), windows = problem["shape"], len(problem["windows"])
    return (
        f"{m} × {n}, r = {len(problem['spikes'])}, {windows} windows, {problem['steps']} steps, Gaussian; {where['cpu']}, "
        f"{where['cores']} cores\npoints: median of {_repeats(results)} repeats in turn, bars: minimum and maximum; "
        "slopes over the last three points" + (" (quick run)" if results["quick"] else "")
    )


def _repeats(results: Mapping[str, Any]) -> int:
    return len(results["comparisons"][0]["rates"]["float32"]["spikesim"])


def finding(results: Mapping[str, Any]) -> str:
    """How many targets were reached, and which were not."""
    targets = results["targets"]
    reached = [t for t in targets if t["reached"]]
    missed = [
        f"{t['work']} ({t['against']}: {t['measured'][1]:.3g} of {t['needed']:g})" for t in targets if t["reached"] is False
    ]
    unknown = [f"{t['work']} ({t['against']})" for t in targets if t["reached"] is None]
    text = f"{len(reached)} of {len(targets)} targets reached"
    text += f"; not reached: {'; '.join(missed)}" if missed else ""
    return text + (f"; not measured: {'; '.join(unknown)}" if unknown else "") + "."
