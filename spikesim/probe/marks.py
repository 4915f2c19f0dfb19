"""What the panels of a probe's page have in common: bands, styles, limits, and what to say where nothing is known.

Bands are 95 %, Student's t over blocks. What is not known (NaN) or not positive on a logarithmic axis is left out.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim import plots
from spikesim.probe.jackknife import student
from spikesim.probe.noise import Estimate
from spikesim.probe.plan import BLOCKS

if TYPE_CHECKING:
    from spikesim.probe.probe import Probe

Floats = NDArray[np.float64]

FEW = 4
"""Windows, or ranks, that a panel shows."""
LEGEND: dict[str, Any] = {"fontsize": 8.5, "frameon": True, "framealpha": 0.75, "edgecolor": "none"}
SPARE = tuple(s for s in plots.MANY_STYLE if s["color"] not in {p["color"] for p in plots.PIPELINE_STYLE.values()})
"""Styles of pipelines that have none of their own."""
LOWEST, HIGHEST = -0.5, 1.6
"""Alignment that is shown, at most."""
DECADES = 4
"""Shown of a logarithmic axis, at most."""


def styles(probe: "Probe") -> list[dict[str, Any]]:
    """One for each pipeline: those that are known by name keep theirs."""
    found, others = [], 0
    for p in probe.asked.pipelines:
        if str(p) in plots.PIPELINE_STYLE:
            found.append(plots.PIPELINE_STYLE[str(p)])
            continue
        again, at = divmod(others, len(SPARE))
        found.append(SPARE[at] | {"markerfacecolor": "none"} | ({"linestyle": (0, (1, 2, 5, 2))} if again else {}))
        others += 1
    return found


def band(axis: Any, x: Floats, value: Floats, error: Floats, label: str, share: float = 0.25, **style: Any) -> None:
    """Values with their 95 % band."""
    half = student(BLOCKS) * np.asarray(error)
    axis.plot(x, value, label=label, **({"linewidth": 1.3} | style | {"markersize": 4}))
    axis.fill_between(x, value - half, value + half, color=style["color"], alpha=share, linewidth=0)


def index(axis: Any, probe: "Probe") -> Floats:
    """1..I along x, and where the head ends."""
    k = np.arange(1, probe.asked.values + 1)
    many = k.size > 12
    axis.set(xscale="log" if many else "linear", xlabel="k", xlim=(0.9, k.size * 1.1) if many else (0.5, k.size + 0.5))
    if many:
        axis.xaxis.set_major_formatter("{x:g}")
    else:
        axis.set_xticks(k)
    if 0 < probe.rank < k.size:
        axis.axvline(probe.rank + 0.5, color="black", linewidth=0.8, alpha=0.5)
        for said, side, shift in (("head", "right", -4), ("tail", "left", 4)):
            axis.annotate(said, (probe.rank + 0.5, 0.98), (shift, 0), xycoords=("data", "axes fraction"), va="top",
                          textcoords="offset points", ha=side, fontsize=9, style="italic")  # fmt: skip
    return k.astype(float)


def samples(probe: "Probe") -> Floats:
    """2T - 1, (W,)."""
    return 2 * np.asarray(probe.asked.windows) - 1


def few_windows(probe: "Probe") -> list[tuple[int, dict[str, Any]]]:
    """Windows above 1, from the shortest to the longest, with a style for each."""
    above = [i for i, t in enumerate(probe.asked.windows) if t > 1]
    at = np.unique(np.linspace(0, len(above) - 1, min(FEW, len(above))).round().astype(int))
    return [(above[i], style) for i, style in zip(at, plots.SERIES_STYLE, strict=False)]


def positive(x: ArrayLike) -> Floats:
    """NaN where it is not positive."""
    x = np.asarray(x, float)
    return np.where(np.isfinite(x) & (x > 0), x, np.nan)


def rate(x: Estimate) -> str:
    """A fitted exponent, as the end of a label."""
    return f": exponent {x.value:.2f} ± {x.high - x.value:.2f}" if np.isfinite(x.value) else ""


def empty(axis: Any, said: str) -> None:
    """Words instead of lines."""
    axis.text(0.5, 0.5, said, transform=axis.transAxes, ha="center", va="center", fontsize=10)
    axis.set(xticks=[], yticks=[])


def log_ticks(axis: Any) -> None:
    """A logarithmic x axis whose ticks are plain numbers."""
    from matplotlib.ticker import LogLocator, NullFormatter

    axis.set(xscale="log")
    low, high = axis.get_xlim()
    axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 300 * low else (1,)))
    axis.xaxis.set_major_formatter("{x:g}")
    axis.xaxis.set_minor_formatter(NullFormatter())


def finish(axis: Any, shown: Iterable[ArrayLike], place: str, **legend: Any) -> None:
    """A logarithmic y axis around positive values, with room for the legend below them."""
    values = np.concatenate([np.ravel(positive(x)) for x in shown])
    values = values[np.isfinite(values)]
    if values.size:
        top, low = float(values.max()), float(values.min())
        low = max(low, top * 10.0**-DECADES)
        axis.set(yscale="log", ylim=(low * (low / top) ** 0.5 / 1.6, top * (top / low) ** 0.1 * 1.3))
        if top < 20 * low:
            plots.plain_ticks(axis)
    if axis.get_legend_handles_labels()[0]:
        axis.legend(**LEGEND, loc=place, **legend)


def limits(axis: Any, shown: Iterable[ArrayLike], below: float = 0.0) -> None:
    """A y axis of alignments, with a share of it left free below."""
    values = np.concatenate([np.ravel(x) for x in shown])
    values = np.clip(values[np.isfinite(values)], LOWEST, HIGHEST)
    low, high = (min(0.0, float(values.min())), max(1.0, float(values.max()))) if values.size else (0.0, 1.0)
    axis.set(ylim=(low - 0.05 - below * (high - low), high + 0.05))
