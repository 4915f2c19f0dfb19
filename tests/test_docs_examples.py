"""Every block of every page runs, in order, and prints what the page shows below it."""

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from documented import ROOT, Page, blocks, edit, holds, prose

DOCS = ROOT / "docs"
PAGES = sorted(p.relative_to(ROOT).as_posix() for p in DOCS.rglob("*.md") if blocks(p.read_text(encoding="utf-8")))
NOT_RUN = {
    "CONTRIBUTING.md": 1, "docs/howto/gpu.md": 3, "docs/howto/probe.md": 1, "docs/howto/sweep.md": 2, "docs/index.md": 1,
    "docs/probe.md": 1, "docs/sweeps.md": 5,
}  # fmt: skip
"""Blocks of each page that are not run, each for a reason that stands above it."""


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    from spikesim import noise
    from spikesim.stages import named

    laws, stages = dict(noise.LAWS), dict(named.STAGES)
    yield tmp_path
    for table, before in ((noise.LAWS, laws), (named.STAGES, stages)):  # a page may add its own
        table.clear()
        table.update(before)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_prints_what_it_shows(name, folder):
    if name == "docs/sweeps.md":  # it speaks of a spec that the reader has
        (spec,) = (b.code for b in blocks(text("docs/howto/reading_a_store.md")) if b.file == "spec.toml")
        (folder / "spec.toml").write_text(spec)
    ran = Page().run(text(name))
    holds(ran)
    import matplotlib.pyplot as plt

    plt.close("all")
    if name == "docs/tutorial.md":
        assert alike(folder / "tutorial.png", DOCS / "img" / "tutorial.png")
    if name == "docs/probe.md":
        assert (folder / "gradients" / "layer.png").stat().st_size > 10_000
        assert 0.8 < ran.there["found"].advice.momentum < 0.95  # S8's best window is 10


def alike(one: Path, two: Path) -> bool:
    """Whether 998 in 1000 of what one shows lie within two pixels in the other: versions of matplotlib set letters apart."""
    from matplotlib.image import imread
    from scipy.ndimage import binary_dilation

    x, y = (imread(p)[..., :3] < 0.7 for p in (one, two))
    if x.shape != y.shape:
        return False
    near = np.ones((5, 5, 1))
    apart = (x & ~binary_dilation(y, near)).sum() + (y & ~binary_dilation(x, near)).sum()
    return bool(apart < 0.002 * (x.sum() + y.sum()))


def test_a_point_six_pixels_off_is_seen(tmp_path):
    from matplotlib.image import imread, imsave

    whole = DOCS / "img" / "tutorial.png"
    pixels = imread(whole)[..., :3]
    rows, columns = np.nonzero((pixels[:, 250:350, 0] < 0.1) & (pixels[:, 250:350, 2] > 0.6))  # the blue point of T = 10
    y, x = slice(rows.min() - 2, rows.max() + 3), slice(columns.min() + 248, columns.max() + 253)
    off = pixels.copy()
    off[y, x] = 1
    off[y.start + 6 : y.stop + 6, x] = pixels[y, x]
    imsave(tmp_path / "off.png", off)
    assert alike(whole, whole)
    assert not alike(whole, tmp_path / "off.png")


def test_blocks_that_are_not_run_are_counted():
    found = Counter(name for name in (*PAGES, "CONTRIBUTING.md") for b in blocks(text(name)) if b.reason)
    assert dict(found) == NOT_RUN


@pytest.mark.parametrize("name", [*PAGES, "CONTRIBUTING.md"])
def test_every_fence_is_a_block(name):
    page = text(name)
    assert len(re.findall(r"^```", page, flags=re.MULTILINE)) == 2 * len(blocks(page))
    assert len(re.findall("^# ", prose(page), flags=re.MULTILINE)) == 1


@pytest.mark.parametrize("name", [*PAGES, "CONTRIBUTING.md"])
def test_links_lead_somewhere(name):
    for target in re.findall(r"\]\((?!http)([^)#]+)(?:#[^)]*)?\)", prose(text(name))):
        assert (ROOT / name).parent.joinpath(target).exists(), target


def test_numbers_that_the_tutorial_quotes_are_printed_in_it():
    page = text("docs/tutorial.md")
    inside = " ".join(b.code for b in blocks(page))
    quoted = set(re.findall(r"\d+\.\d+", prose(page)))
    assert quoted
    assert not [x for x in quoted - {"0.95"} if x not in inside]  # 0.95: the beta of T = 20


def test_a_page_that_shows_something_else_is_caught(folder):
    page = "```python\nprint(1)\n```\n\n```text\n2\n```\n"
    with pytest.raises(AssertionError, match="block at line 1"):
        holds(Page().run(page))
    with pytest.raises(AssertionError, match="no reason"):
        Page().run("```sql\nselect 1\n```\n")
    (folder / "file.py").write_text("one\none\n")
    with pytest.raises(AssertionError, match="found 2 times"):
        edit("--- file.py\n one\n+two\n", folder)


def test_the_limits_of_the_probe_are_those_of_the_code():
    from spikesim.probe import plan

    page = text("docs/probe.md")
    assert f"needs {plan.LEAST} T gradients" in page
    assert f"At least {plan.FEWEST} are needed" in page
    assert f"the next {plan.AHEAD} steps" in page
