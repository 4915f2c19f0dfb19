"""The documentation site builds without a warning, and holds what it is to hold (a few seconds a page; one build for all)."""

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from documented import PACKED

import spikesim

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "docs" / "_ext"))

import theory_labels  # noqa: E402 (found only now)

pytestmark = [
    pytest.mark.skipif(find_spec("sphinx") is None and not os.environ.get("CI"), reason="needs the docs extra"),
    pytest.mark.skipif(PACKED, reason="a source distribution has no pictures"),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    out = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-c", "docs", "-d", str(out / "trees"), "-W", "-n", "--keep-going", "-q", "."]
    ended = subprocess.run([*command, str(out / "html")], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return out / "html"


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def test_every_page_of_the_repository_is_on_the_site(site):
    pages = [p for p in (ROOT / "docs").rglob("*") if p.suffix in {".md", ".ipynb"} and ".ipynb_checkpoints" not in p.parts]
    assert len(pages) > 15
    for page in [
        *pages,
        ROOT / "figures" / "README.md",
        ROOT / "README.md",
    ]:  # one outside the table of contents is a warning
        assert (site / page.relative_to(ROOT).with_suffix(".html")).exists(), page


def test_each_label_has_its_code_and_tests_under_its_heading(site):
    page = text_of(site / "docs" / "theory.html")
    lines = re.findall(r'<p class="label-line">(.*?)</p>', page, flags=re.DOTALL)
    assert len(lines) == len(theory_labels.index(ROOT))
    (s4,) = re.findall(r'id="S4".*?<p class="label-line">(.*?)</p>', page, flags=re.DOTALL)
    assert re.search(r'href="\.\./source/spikesim/theory/asymptotics\.py\.html#L-\d+"', s4)
    assert 'href="labels.html#S4"' in s4


def test_the_index_has_a_row_for_each_label(site):
    page = text_of(site / "docs" / "labels.html")
    for label in theory_labels.index(ROOT):
        assert f'href="theory.html#{label.replace(chr(39), "-prime")}"' in page, label


def test_every_public_name_is_in_the_reference(site):
    names = {
        n for p in (site / "docs" / "reference").glob("*.html") for n in re.findall(r'<dt[^>]* id="([\w.]+)"', text_of(p))
    }
    modules = {"stages", "theory"}
    assert {f"spikesim.{name}" for name in set(spikesim.__all__) - modules} <= names
    assert {f"spikesim.stages.{name}" for name in set(spikesim.stages.__all__) - {"Filter", "Polar"}} <= names
    pages = text_of(site / "docs" / "reference" / "theory.html")
    for name in spikesim.theory.__all__:
        assert f'id="module-spikesim.theory.{name}"' in pages, name


def test_every_command_is_in_the_reference(site):
    page = text_of(site / "docs" / "reference" / "command.html")
    for name in ("run", "status", "export", "report", "reproduce", "verify", "predict", "probe"):
        assert f'id="spikesim-{name}"' in page, name
        assert f"Usage: spikesim {name}" in page, name


def targets(page: Path) -> set[str]:
    return set(re.findall(r'<(?:a|img|link|script)\b[^>]*?\s(?:href|src)="([^"]+)"', text_of(page)))


def test_links_between_built_files_lead_somewhere(site):
    ids: dict[Path, set[str]] = {}
    for page in site.rglob("*.html"):
        for target in targets(page):
            path, _, anchor = target.partition("#")
            if re.match(r"[a-z]+:", target) or path == "":
                continue
            there = (page.parent / path.partition("?")[0]).resolve()
            assert there.exists(), f"{page.relative_to(site)}: {target}"
            back = page.relative_to(site).parts[0] == "_modules"  # viewcode's own, to names that a page may not have
            if anchor and there.suffix == ".html" and not back:
                known = ids.setdefault(there, set(re.findall(r'(?:id|name)="([^"]+)"', text_of(there))))
                assert anchor in known, f"{page.relative_to(site)}: {target}"


def test_nothing_is_loaded_from_outside(site):
    for page in site.rglob("*.html"):
        loaded = re.findall(r'<(?:script|link|img|iframe|source)\b[^>]*(?:src|href)="((?:https?:)?//[^"]+)"', text_of(page))
        assert not loaded, f"{page.relative_to(site)}: {loaded}"
    for style in site.rglob("*.css"):
        assert not re.search(r"url\(['\"]?(?:https?:)?//|@import", text_of(style)), style


def test_the_notebook_is_shown_with_its_stored_outputs(site):
    import json

    stored = json.loads((ROOT / "docs" / "notebooks" / "paper_in_ten_cells.ipynb").read_text())
    outputs = sum(bool(cell.get("outputs")) for cell in stored["cells"])
    assert text_of(site / "docs" / "notebooks" / "paper_in_ten_cells.html").count('class="cell_output') == outputs


def test_links_to_the_outside_are_listed(site):
    listed = text_of(site / "external-links.txt")
    assert re.search(r"^https://docs\.xarray\.dev +.*\bdocs/tutorial\b", listed, flags=re.MULTILINE)
