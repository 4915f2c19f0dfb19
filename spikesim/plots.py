"""One style for every figure: colour-blind-safe colours with their own markers, bands of 95 %, the finding below."""

import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from spikesim.estimate import mean_error
from spikesim.sweep.store import Result

PIPELINE_STYLE = {
    "pre-polar": {"color": "#0072B2", "marker": "o"},
    "post-polar": {"color": "#D55E00", "marker": "s"},
    "polar-only": {"color": "#555555", "marker": "^"},
    "re-polarised": {"color": "#009E73", "marker": "D"},
}
SERIES_STYLE: tuple[dict[str, Any], ...] = (
    {"color": "#0072B2", "marker": "o", "markersize": 8, "markerfacecolor": "none"},
    {"color": "#D55E00", "marker": "s"},
    {"color": "#009E73", "marker": "D"},
    {"color": "#CC79A7", "marker": "^"},
)
MANY_STYLE: tuple[dict[str, Any], ...] = (
    *SERIES_STYLE,
    {"color": "#E69F00", "marker": "v", "linestyle": "-."},
    {"color": "#56B4E9", "marker": "P", "linestyle": "-."},
    {"color": "#555555", "marker": "X", "linestyle": "-."},
    {"color": "#882255", "marker": "<", "linestyle": ":"},
    {"color": "#6A51A3", "marker": ">", "linestyle": ":"},
    {"color": "#8C510A", "marker": "*", "linestyle": ":", "markersize": 6},
)
"""SERIES_STYLE, continued for up to ten series."""
RC: dict[Any, Any] = {
    "font.size": 11,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "savefig.dpi": 160,
    "pdf.fonttype": 42,
    "svg.hashsalt": "spikesim",
}


@contextmanager
def panels(rows: int, columns: int, size: tuple[float, float], **options: Any) -> Iterator[tuple[Any, Any]]:
    """A figure in the project's style and its array of axes; closed at the end.

    Args:
        rows: Rows of panels.
        columns: Columns of panels.
        size: Inches, (width, height).
        **options: For matplotlib's subplots.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    with mpl.rc_context(RC):
        figure, axes = plt.subplots(rows, columns, figsize=size, squeeze=False, layout="constrained", **options)
        try:
            yield figure, axes
        finally:
            plt.close(figure)


def mean_band(axis: Any, x: ArrayLike, samples: ArrayLike, label: str, **style: Any) -> None:
    """Mean over trials (trial, x) with a band of 1.96 standard errors."""
    mean, error = mean_error(samples)
    axis.plot(x, mean, label=label, **({"markersize": 4, "linewidth": 1.4} | style))
    axis.fill_between(x, mean - 1.96 * error, mean + 1.96 * error, color=style.get("color"), alpha=0.25, linewidth=0)


def intervals(axis: Any, x: ArrayLike, y: ArrayLike, ends: ArrayLike, label: str, **style: Any) -> None:
    """Values at x with intervals from ends[0] to ends[1], (2, x), drawn where both are finite."""
    y, (low, high) = np.asarray(y, float), np.asarray(ends, float)
    whole = np.isfinite(low) & np.isfinite(high)
    spans = np.where(whole, [y - low, high - y], np.nan)
    axis.plot(x, y, label=label, **({"markersize": 5, "linestyle": "none"} | style))
    axis.errorbar(x, y, np.maximum(spans, 0), fmt="none", color=style.get("color"), capsize=3, linewidth=1.2)


def guide(axis: Any, x: ArrayLike, y: ArrayLike, label: str, **style: Any) -> None:
    """A theory curve: no markers, dashed black unless said otherwise."""
    axis.plot(x, y, label=label, **({"color": "black", "linestyle": "--", "linewidth": 1.2} | style))


def power_guide(axis: Any, x: Sequence[float] | np.ndarray, exponent: float, start: float, label: str, **style: Any) -> None:
    """start * (x / x_0)^exponent."""
    x = np.asarray(x, float)
    guide(axis, x, start * (x / x[0]) ** exponent, label, **style)


def plain_ticks(axis: Any) -> None:
    """Decimals instead of powers of ten along a logarithmic y axis of little more than a decade."""
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 5)))
    axis.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.yaxis.set_minor_formatter(NullFormatter())


def setting(result: Result, quick: bool) -> str:
    """Size, spikes and trials of a result in words, and whether it is a quick run's."""
    (m, n), spikes = result.model.shape, ", ".join(f"{x:g}" for x in result.model.spikes)
    return f"{m} × {n}, spikes {spikes}, {result.data.trial.size} trials" + (" (quick run)" if quick else "")


def save(figure: Any, folder: Path, stem: str, above: str, finding: str) -> None:
    """Write folder/stem.png and .pdf, with the setting above the panels and the finding, in words, below."""
    folder.mkdir(parents=True, exist_ok=True)
    figure.suptitle(above, fontsize=10, x=0.02, ha="left")
    columns = int(figure.get_size_inches()[0] * 13)
    figure.supxlabel("\n".join(textwrap.wrap(finding, columns)), fontsize=10, x=0.02, ha="left")
    figure.savefig(folder / f"{stem}.png", metadata={"Software": None})
    figure.savefig(folder / f"{stem}.pdf", metadata={"CreationDate": None})
