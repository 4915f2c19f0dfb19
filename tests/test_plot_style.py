"""Figures can be read in grey and by the colour-blind: marks, dashes, lightness, and a label on every axis."""

import ast
import re
from itertools import combinations, pairwise
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from spikesim import plots
from spikesim.pipelines import PIPELINES

SCRIPTS = sorted((Path(__file__).parents[1] / "experiments").glob("*.py"))
COLOUR = re.compile(r"#[0-9A-Fa-f]{6}$")
HUES = {
    "b",
    "g",
    "r",
    "c",
    "m",
    "y",
    "tab",
    "C",
    "blue",
    "green",
    "red",
    "cyan",
    "magenta",
    "yellow",
    "orange",
    "purple",
    "pink",
}


def lightness(colour) -> float:
    """CIE L*, 0 for black and 100 for white."""
    linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in to_rgb(colour)]
    y = float(np.dot([0.2126, 0.7152, 0.0722], linear))
    return 116 * y ** (1 / 3) - 16 if y > 216 / 24389 else y * 24389 / 27


def grey(colour: str) -> bool:
    return len(set(to_rgb(colour))) == 1


def test_every_pipeline_has_a_colour_a_marker_and_a_dash_of_its_own():
    assert list(plots.PIPELINE_STYLE) == list(PIPELINES)
    for one, other in combinations(plots.PIPELINE_STYLE.values(), 2):
        assert all(one[key] != other[key] for key in ("color", "marker", "linestyle"))


def test_series_are_told_apart_without_hue():
    assert plots.MANY_STYLE[: len(plots.SERIES_STYLE)] == plots.SERIES_STYLE
    assert len({style["marker"] for style in plots.MANY_STYLE}) == len(plots.MANY_STYLE) == 10
    assert all(b - a > 10 for a, b in pairwise(lightness(style["color"]) for style in plots.SERIES_STYLE))


def test_every_colour_stands_out_from_white():
    for style in (*plots.PIPELINE_STYLE.values(), *plots.MANY_STYLE):
        assert lightness(style["color"]) < 75


@pytest.mark.parametrize("name", [plots.LEVELS, plots.SIGNS])
def test_lightness_rises_along_a_colour_map(name):
    steps = np.diff([lightness(colour) for colour in mpl.colormaps[name](np.linspace(0, 1, 64))[:, :3]])
    assert np.all(steps > 0)


def test_a_map_with_both_ends_dark_would_not_pass():
    assert np.any(np.diff([lightness(c) for c in mpl.colormaps["RdBu"](np.linspace(0, 1, 64))[:, :3]]) < 0)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_takes_its_hues_from_the_shared_style(script):
    tree = ast.parse(script.read_text())
    said = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    hued = {text for text in said if COLOUR.match(text) and not grey(text)}
    assert not hued - {"#7A1F00"}  # a title's, which says in words what it means
    given = [
        k for call in ast.walk(tree) if isinstance(call, ast.Call) for k in call.keywords if k.arg in {"color", "c", "cmap"}
    ]
    names = {k.value.value for k in given if isinstance(k.value, ast.Constant) and isinstance(k.value.value, str)}
    assert not {name for name in names if not name.startswith("#")} - {"black", "white", "none"}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_leaves_the_letters_of_legends_and_the_name_of_2t_minus_1_to_the_shared_style(script):
    calls = [node for node in ast.walk(ast.parse(script.read_text())) if isinstance(node, ast.Call)]
    legends = [c for c in calls if isinstance(c.func, ast.Attribute) and c.func.attr == "legend"]
    assert not {"fontsize", "title_fontsize"} & {k.arg for c in legends for k in c.keywords}
    labels = [k.value for c in calls for k in c.keywords if k.arg in ("xlabel", "ylabel")]
    labels += [
        x for c in calls if isinstance(c.func, ast.Attribute) and c.func.attr in ("set_xlabel", "set_ylabel") for x in c.args
    ]
    assert not {"2T − 1", plots.SAMPLES} & {x.value for x in labels if isinstance(x, ast.Constant)}
    if script.stem == "bias_variance":  # many marks: to search for a place takes long
        assert all("loc" in {k.arg for k in c.keywords} for c in legends)


def test_a_figure_too_wide_for_its_letters_is_refused():
    with pytest.raises(ValueError, match=r"need a width of 14.5 inches or less, got width=20"), plots.panels(1, 4, (20, 5)):
        pass


def saved(tmp_path, change) -> None:
    with plots.panels(1, 2, (6, 3)) as (figure, axes):
        for axis in axes.flat:
            axis.plot([1, 2], [3, 4])
            axis.set(xlabel="T (steps)", ylabel="alignment")
        change(axes[0])
        plots.save(figure, tmp_path, "one", "setting", "finding")


@pytest.mark.parametrize(("change", "said"), [
    (lambda axes: axes[0].set_xlabel(""), "panel 1: x"),
    (lambda axes: axes[1].set_ylabel(" "), "panel 2: y"),
    (lambda axes: (axes[1].set_yscale("log"), axes[1].set_ylabel("")), "panel 2: y"),
])  # fmt: skip
def test_a_figure_whose_axis_has_no_label_is_not_saved(tmp_path, change, said):
    with pytest.raises(ValueError, match=f"need a label on every axis of numbers, got unlabelled=.*{said}"):
        saved(tmp_path, change)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("change", [
    lambda axes: axes,
    lambda axes: axes[1].set_axis_off(),
    lambda axes: (axes[1].sharey(axes[0]), axes[1].set_ylabel("")),
    lambda axes: (axes[0].set_xticks([1, 2], ["Muon", "Adam"]), axes[0].set_xlabel("")),
    lambda axes: (axes[0].set_yticks([]), axes[0].set_ylabel("")),
], ids=["labelled", "off", "shared", "names", "no ticks"])  # fmt: skip
def test_an_axis_without_numbers_of_its_own_needs_no_label(tmp_path, change):
    saved(tmp_path, change)
    assert {path.suffix for path in tmp_path.iterdir()} == {".png", ".pdf"}
