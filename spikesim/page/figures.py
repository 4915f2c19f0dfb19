"""Figures of a run, drawn from its means: SVG in the project's style, and in words for those who do not see them."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from spikesim.page.gather import Cell, PointPage, RunPage
from spikesim.page.words import in_words
from spikesim.plots import MANY_STYLE, PIPELINE_STYLE, guide, intervals, panels
from spikesim.theory import bounds

PANELS = 4
"""Points that a figure shows, spread over those that are stored."""
SIZE = (4.6, 3.6)
"""Of a panel, in inches: no wider, so that its letters can be read on a phone."""
MOVED = 1.96
GROUPS = (
    ("Alignment", "mean alignment (share of 1)", ("alignment",)),
    ("Truncated alignment", "mean truncated alignment", ("alignment_truncated",)),
    ("Singular values and gap", "mean (unit of the gradient)", ("gap", "tail", "singular_values")),
    ("Subspace error", "mean sin θ (share of 1)", ("sin_theta_left", "sin_theta_right")),
)
LINES = ("--", ":", "-.", (0, (5, 1)))


@dataclass(frozen=True)
class Panel:
    """A drawing of one point.

    Attributes:
        source: A data: address of an SVG.
        alt: What it shows in words, with numbers.
    """

    source: str
    alt: str


@dataclass(frozen=True)
class Figure:
    """Drawings of one thing at several points.

    Attributes:
        title: What they show.
        panels: One a point, each a picture of its own: side by side where there is room, else one below the other.
        note: Points that are left out, and what lines mean.
    """

    title: str
    panels: tuple[Panel, ...]
    note: str


def figures(run: RunPage) -> list[Figure]:
    """Those for which something is stored by window."""
    out = []
    for title, unit, names in GROUPS:
        with_any = [p for p in run.points if _series(p, names)]
        if with_any:
            places = np.unique(np.linspace(0, len(with_any) - 1, min(PANELS, len(with_any))).round().astype(int))
            out.append(_figure(title, unit, names, [with_any[i] for i in places], len(with_any)))
    return out


def _series(point: PointPage, names: Sequence[str]) -> dict[tuple[str, str], list[Cell]]:
    """Cells by (observable with its index, pipeline), rising in T."""
    found: dict[tuple[str, str], list[Cell]] = {}
    for c in point.cells:
        if c.observable in names and c.window is not None and np.isfinite(c.mean) and (c.index or 1) <= 3:
            found.setdefault((in_words(c.observable, c.index), c.pipeline), []).append(c)
    if names != ("alignment",) and len({k[1] for k in found}) > 1:
        found = {k: v for k, v in found.items() if k[1] in ("pre-polar", "")} or found
    return {k: sorted(v, key=lambda c: c.window or 0) for k, v in found.items()}


def _figure(title: str, unit: str, names: Sequence[str], points: list[PointPage], stored: int) -> Figure:
    some = f" {len(points)} of {stored} stored points are drawn." if stored > len(points) else ""
    note = f"Bars: ± {MOVED} standard errors of the mean. Thin lines: theory; dotted grey: a bound, where below 1.{some}"
    return Figure(title, tuple(_panel(title, point, names, unit) for point in points), note)


def _panel(title: str, point: PointPage, names: Sequence[str], unit: str) -> Panel:
    target = io.BytesIO()
    with panels(1, 1, SIZE) as (figure, axes):
        said = _draw(axes[0, 0], point, names, unit)
        figure.legend(loc="outside lower center", ncols=2)
        figure.savefig(target, format="svg", metadata={"Date": None, "Creator": None})
    source = "data:image/svg+xml;base64," + base64.b64encode(target.getvalue()).decode()
    return Panel(source, f"{title} against the window T. {said}")


def _draw(axis: Any, point: PointPage, names: Sequence[str], unit: str) -> str:
    said = []
    for k, ((of, pipeline), cells) in enumerate(_series(point, names).items()):
        style = PIPELINE_STYLE.get(pipeline) if names == ("alignment",) else None
        style = dict(style or MANY_STYLE[k % len(MANY_STYLE)])
        x, y = np.array([c.window for c in cells], float), np.array([c.mean for c in cells])
        error = MOVED * np.array([c.error for c in cells])
        line = LINES[k % len(LINES)]
        label = pipeline if names == ("alignment",) else of
        intervals(axis, x, y, (y - error, y + error), label, **{**style, "linestyle": line, "linewidth": 0.7})
        theory = np.array([np.nan if c.theory.value is None else c.theory.value for c in cells])
        if np.isfinite(theory).any():
            guide(axis, x, theory, "_", color=style["color"], linewidth=0.9, linestyle="-")
        said.append(_words(label, cells))
    if names[0] == "sin_theta_left":
        said.append(_bound(axis, point))
    axis.set_xscale("log")
    axis.set_xlabel("window T (steps)")
    axis.set_ylabel(unit)
    axis.set_title(point.label, fontsize=9, loc="left", wrap=True)
    return f"{point.label}: " + "; ".join(x for x in said if x) + "."


def _words(label: str, cells: list[Cell]) -> str:
    first, last = cells[0], cells[-1]

    def one(c: Cell) -> str:
        theory = "" if c.theory.value is None else f" (theory {c.theory.value:.3g})"
        return f"{c.mean:.3g} ± {c.error:.1g} at T = {c.window:.4g}{theory}"

    return f"{label} {one(first)}" + (f", {one(last)}" if last is not first else "")


def _bound(axis: Any, point: PointPage) -> str:
    """B2e of the larger sine, where the noise is BVMZOS and the bound says something."""
    model = point.at
    windows = sorted({c.window for c in point.cells if c.observable == "sin_theta_left" and c.window is not None})
    if not model.noise.is_bvmzos or not windows:
        return ""
    values = [float(bounds.expected_subspace(model.eta, t, min(abs(x) for x in model.spikes))) for t in windows]
    shown = [(t, v) for t, v in zip(windows, values, strict=True) if v < 1]
    if not shown:
        return "bound B2e is 1 or more at every T, and says nothing"
    guide(axis, [t for t, _ in shown], [v for _, v in shown], "bound B2e", color="#777777", linestyle=":")
    return f"bound B2e {shown[0][1]:.3g} at T = {shown[0][0]:.4g}, {shown[-1][1]:.3g} at T = {shown[-1][0]:.4g}"
