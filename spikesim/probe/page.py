"""A probe as one page: spectra, ratios, suppression, subspaces, alignment, and noise or what happened over time."""

import math
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spikesim import plots
from spikesim.probe import panels
from spikesim.probe.noise import Estimate

if TYPE_CHECKING:
    from spikesim.probe.result import Probe

SIZE = 11.0, 13.5
"""Inches."""
LINE = 135
"""Characters across the page, and of a name in the legend."""
NAME = 44
COLUMNS = 3
"""Of the legend."""


def draw(probe: "Probe", folder: Path, stem: str) -> None:
    """Write folder/stem.png and folder/stem.pdf."""
    below_all = len(probe.asked.pipelines) + panels.CURVES
    heights = [1.0, 1.0, 1.0, 0.11 + 0.055 * -(-below_all // COLUMNS)]
    with plots.panels(4, 2, SIZE, height_ratios=heights) as (figure, axes):
        (spectra, ratios), (decay, angles), (alignment, last), (names, free) = axes
        panels.spectra(spectra, probe)
        panels.ratios(ratios, probe)
        panels.decay(decay, probe)
        panels.angles(angles, probe)
        panels.alignment(alignment, probe)
        (panels.paths if probe.kind == "trajectory" else panels.norms)(last, probe)
        _legend(names, alignment)
        free.set_axis_off()
        plots.save(figure, folder, stem, plain(above(probe)), plain(below(probe)))


def plain(text: str) -> str:
    """Text of which nothing is set as a formula, with "?" for characters that the font does not have."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    font = get_font(findfont(FontProperties()))
    return "".join(c if c == "\n" or font.get_char_index(ord(c)) else "?" for c in text).replace("$", r"\$")


def above(probe: "Probe") -> str:
    """What was recorded, and its noise."""
    (count, m, n), noise, outside = probe.shape, probe.noise, "; ".join(probe.noise.outside)
    name = probe.name if len(probe.name) <= NAME * 2 else f"...{probe.name[-NAME * 2 :]}"
    said = f"BVMZOS: no, {outside}" if outside else "BVMZOS: nothing against it"
    lines = [
        f"{name}: {count} gradients of {m} × {n}, {probe.kind}",
        f"η = {_said(noise.eta)}, ‖S‖² / η = {_said(noise.snr)}; {said}",
        f"bands and brackets: 95 %; windows T = {probe.asked.windows[0]:g} to {probe.asked.windows[-1]:g}",
    ]
    return "\n".join("\n".join(textwrap.wrap(line, LINE)) for line in lines)


def below(probe: "Probe") -> str:
    """What to do."""
    a = probe.advice
    chosen = "" if math.isnan(a.window) else f"β = {a.momentum:.3f} (T = {a.window:.3g}), "
    return f"Momentum: {chosen}{a.reason}. Clipping: {'yes' if a.clip else 'no'}, {a.clip_reason}."


def _said(x: Estimate) -> str:
    return f"{x.value:.3g} [{x.low:.3g}, {x.high:.3g}]"


def _legend(axis: Any, drawn: Any) -> None:
    """What the lines of the alignment are, in a row of its own: names of pipelines may be long."""
    handles, labels = drawn.get_legend_handles_labels()
    short = [plain(textwrap.shorten(label.lstrip("_"), NAME, placeholder=" ...")) or "?" for label in labels]
    place: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (-0.13, 1.1), "alignment": "left"}
    legend = axis.legend(handles, short, ncols=COLUMNS, fontsize=9, title=f"{drawn.get_title()}:", **place)
    legend.set_in_layout(False)
    axis.set_axis_off()
