"""The worked examples of CONTRIBUTING.md are carried out on a copy of the repository, as they stand there."""

import json
import shutil

from documented import ROOT, Page, holds, python

PAGE = ROOT / "CONTRIBUTING.md"
CARRIED_OUT = f"""
import json
from pathlib import Path

from documented import Page

ran = Page().run(Path({str(PAGE)!r}).read_text(encoding="utf-8"), edits_first=True)
import spikesim

assert Path(spikesim.__file__).parents[1] == Path.cwd()
Path("ran.json").write_text(json.dumps([list(ran.printed.items()), list(ran.shown.items())]))
"""
"""In one process, which compiles the loops once, and imports the package after all edits."""


def test_the_worked_examples_are_carried_out_on_a_copy(tmp_path, monkeypatch):
    for name in ("spikesim", "tests", "docs"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "tests"))
    python(["-c", CARRIED_OUT], tmp_path)
    printed, shown = json.loads((tmp_path / "ran.json").read_text())
    holds(Page(printed=dict(printed), shown=dict(shown)))
    assert (tmp_path / "figures" / "quick" / "uniform_noise.png").stat().st_size > 10_000
