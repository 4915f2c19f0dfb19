"""What stands in several places about the package agrees."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.testing import CliRunner

import spikesim
from spikesim.cli import app

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LICENCE = PROJECT["project"]["license"]


def lines(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def test_the_version_stands_once():
    stated = PROJECT["project"]["version"]
    assert spikesim.__version__ == version("spikesim") == stated
    assert CliRunner().invoke(app, ["--version"]).output == f"spikesim {stated}\n"
    assert f"version: {stated}" in lines("CITATION.cff")
    assert re.search(rf"^## \[{re.escape(stated)}\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), flags=re.MULTILINE)


def test_the_licence_is_one():
    assert f"license: {LICENCE}" in lines("CITATION.cff")
    assert (LICENCE, lines("LICENSE")[0]) == ("BSD-3-Clause", "BSD 3-Clause License")


def test_the_oldest_versions_are_the_lower_bounds():
    own = [need.replace(">=", "==") for need in PROJECT["project"]["dependencies"]]
    assert lines("constraints/oldest.txt") == [*own, "pyparsing==3.1"]


def test_the_quick_tests_of_the_oldest_versions_are_there():
    (named,) = re.findall(r"^QUICKLY := ((?:.*\\\n)*.*)", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert [path for path in named.replace("\\\n", " ").split() if not (ROOT / path).exists()] == []


def test_every_dependency_has_a_lower_bound_and_no_other():
    for need in PROJECT["project"]["dependencies"]:
        assert re.fullmatch(r"[a-z0-9-]+>=[\d.]+", need), need


PACKED = [p for p in (ROOT / "spikesim").rglob("*") if p.is_file() and "__pycache__" not in p.parts]


DATA = PROJECT["tool"]["setuptools"]["package-data"]


@pytest.mark.parametrize("path", PACKED, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_file_of_the_package_is_packed(path):
    package = next(folder for folder in path.parents if (folder / "__init__.py").is_file())
    patterns = DATA.get(".".join(package.relative_to(ROOT).parts), [])
    within = path.relative_to(package)
    assert within.parts == (path.name,) or path.suffix != ".py"
    assert path.suffix == ".py" or any(within.match(p) and p.count("/") == len(within.parts) - 1 for p in patterns)


def test_every_page_of_the_top_goes_with_the_tests():
    """Tests read them, and the README leads to them."""
    packed = {word for line in lines("MANIFEST.in") if line.startswith("include ") for word in line.split()[1:]}
    assert {p.name for p in ROOT.glob("*.md")} - {"README.md"} <= packed


@pytest.mark.parametrize(
    "command", [["-P", "-W", "error"], ["-m", "mypy", "--strict", "--follow-imports=silent"]], ids=["runs", "typed"]
)
def test_the_file_for_an_installed_package_suits_this_one(tmp_path, command):
    """`make dist` does the same with what is packed."""
    for name in ("typed.py", "small.toml"):
        shutil.copy(ROOT / "tests" / "packaging" / name, tmp_path)
    places = dict.fromkeys(("PYTHONPATH", "MYPYPATH"), str(ROOT))
    done = subprocess.run(
        [sys.executable, *command, "typed.py"],
        cwd=tmp_path,
        env=os.environ | places,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


MENTIONED = (ROOT / "tests" / "packaging" / "typed.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [n for n in spikesim.__all__ if re.match("[a-z]", n)] + [
    "EMA", "Filter", "Pipeline", "Polar", "Prediction", "Probe", "RateFit", "Recorder", "SpikedModel", "Store", "Sweep",
])  # fmt: skip
def test_every_public_function_and_the_classes_that_they_give_are_in_that_file(name):
    assert re.search(rf"\bss\.{name}\b", MENTIONED)
