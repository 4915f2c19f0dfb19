"""One style for every figure: colour-blind-safe colours with their own markers, bands of 95 %, the finding below."""

import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from spikesim.errors import need
from spikesim.estimate import mean_error
from spikesim.sweep.store import Result

WIDEST = 14.5
"""Inches: a wider figure, shown as wide as a page, has letters that are too small."""
MANY = 8
"""Spikes up to which each is named."""
BLUE, VERMILION, GREEN, PINK = "#004C84", "#C44E00", "#12A57E", "#E29BC4"
"""Of L* 31, 48, 60, 72: from dark to light where there is no hue."""
ORANGE, SKY, GREY, WINE, PURPLE, BROWN = "#E69F00", "#56B4E9", "#555555", "#882255", "#6A51A3", "#8C510A"
PIPELINE_STYLE: dict[str, dict[str, Any]] = {
    "pre-polar": {"color": BLUE, "marker": "o", "linestyle": "-"},
    "post-polar": {"color": VERMILION, "marker": "s", "linestyle": "--"},
    "polar-only": {"color": GREY, "marker": "^", "linestyle": ":"},
    "re-polarised": {"color": GREEN, "marker": "D", "linestyle": "-."},
}
"""A colour, a marker and a dash of its own for each: any two of them may be lost."""
SERIES_STYLE: tuple[dict[str, Any], ...] = (
    {"color": BLUE, "marker": "o", "markersize": 8, "markerfacecolor": "none"},
    {"color": VERMILION, "marker": "s"},
    {"color": GREEN, "marker": "D"},
    {"color": PINK, "marker": "^"},
)
MANY_STYLE: tuple[dict[str, Any], ...] = (
    *SERIES_STYLE,
    {"color": ORANGE, "marker": "v", "linestyle": "-."},
    {"color": SKY, "marker": "P", "linestyle": "-."},
    {"color": GREY, "marker": "X", "linestyle": "-."},
    {"color": WINE, "marker": "<", "linestyle": ":"},
    {"color": PURPLE, "marker": ">", "linestyle": ":"},
    {"color": BROWN, "marker": "*", "linestyle": ":", "markersize": 6},
)
"""SERIES_STYLE, continued for up to ten series."""
LEVELS, SIGNS = "viridis", "cividis"
"""Colour maps, of a level and of a difference: lightness rises along both, so that they can be read in grey."""
LEGEND = 9
"""Points, of the letters of every legend."""
SAMPLES = "2T − 1 (effective sample size)"
"""Label of the axis along which averages of noise fall."""
RC: dict[Any, Any] = {
    "font.size": 11,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "legend.fontsize": LEGEND,
    "legend.title_fontsize": LEGEND,
    "figure.dpi": 160,  # in which it is laid out
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
        size: Inches, (width, height), no wider than WIDEST.
        **options: For matplotlib's subplots.

    Raises:
        ValueError: If it is wider.
    """
    need(size[0] <= WIDEST, f"a width of {WIDEST:g} inches or less", width=size[0])
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


def marks(style: dict[str, Any]) -> dict[str, Any]:
    """A style of which no line is drawn."""
    return style | {"linestyle": "none"}


def outlined(width: float) -> list[Any]:
    """Path effects: a white rim of so many points around dark lines and marks, for use over a colour map."""
    from matplotlib.patheffects import withStroke

    return [withStroke(linewidth=width, foreground="white")]


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
    (m, n), each = result.model.shape, [f"{x:g}" for x in result.model.spikes]
    spikes = ", ".join(each if len(each) <= MANY else [*each[:3], f"... {each[-1]} ({len(each)})"])
    return f"{m} × {n}, spikes {spikes}, {result.data.trial.size} trials" + (" (quick run)" if quick else "")


def unlabelled(figure: Any) -> list[str]:
    """Axes that show numbers and do not say of what, here or on an axis that they are shared with, as "panel 2: y"."""
    figure.draw_without_rendering()
    found = []
    for number, panel in enumerate(figure.axes, 1):
        for name, shared in (("x", panel.get_shared_x_axes()), ("y", panel.get_shared_y_axes())):
            shown = [text.get_text() for text in getattr(panel, f"get_{name}ticklabels")() if text.get_visible()]
            told = any(getattr(one, f"get_{name}label")().strip() for one in shared.get_siblings(panel))
            if panel.axison and not told and any(map(_is_number, shown)):
                found.append(f"panel {number}: {name}")
    return found


def _is_number(text: str) -> bool:
    """Whether a tick's label is a number, as text or as a formula, and no name."""
    return any(c.isdigit() for c in text) and not any(
        c.isalpha() for c in text.replace("mathdefault", "").replace("times", "")
    )


def save(figure: Any, folder: Path, stem: str, above: str, finding: str) -> None:
    """Lay out and write folder/stem.png and .pdf, with the setting above the panels and the finding, in words, below.

    Raises:
        ValueError: If an axis of numbers has no label.
    """
    figure.suptitle(above, fontsize=10, x=0.02, ha="left")
    columns = int(figure.get_size_inches()[0] * 13)
    figure.supxlabel("\n".join(textwrap.wrap(finding, columns)), fontsize=10, x=0.02, ha="left")
    missing = unlabelled(figure)
    need(not missing, "a label on every axis of numbers", unlabelled=missing)
    figure.set_layout_engine("none")  # it has been laid out: each drawing would do so again
    write(figure, folder, stem)


def write(figure: Any, folder: Path, stem: str) -> None:
    """Write a figure as folder/stem.png and .pdf, of the same bytes whenever it is drawn again."""
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / f"{stem}.png", metadata={"Software": None})
    figure.savefig(folder / f"{stem}.pdf", metadata={"CreationDate": None})
