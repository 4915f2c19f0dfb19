"""The floors of the design: a file imports only from floors below it, and heavy libraries come late."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FLOORS = [
    ("errors", "arrays", "kernels", "rng", "tables", "zolotarev", "minimax"),
    (
        "noise",
        "signal",
        "model",
        "recorded",
        "record",
        "filters",
        "polar",
        "orthogonal",
        "gram",
        "products",
        "means",
        "spectrum",
        "theory",
        "estimate",
        "devices",
    ),
    ("stages", "cascade", "pipelines", "observables", "samplers"),
    ("moments", "parts", "measure", "methods", "arguments", "design", "trials", "dataset", "blocks", "simulate", "gradients"),
    ("sweep", "records", "trained"),
    ("plots", "report", "kinds", "wording", "benchmark", "progress", "predict", "predicted", "verify", "probe"),
    ("reproduce", "page"),
    ("cli", "options"),
]
FLOOR = {name: i for i, names in enumerate(FLOORS) for name in names}
FILES = [p for p in (ROOT / "spikesim").rglob("*.py") if p.name != "__init__.py"]


def part(path: Path) -> str:
    return path.relative_to(ROOT / "spikesim").with_suffix("").parts[0]


def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("spikesim"):
            below = (node.module or "").split(".")[1:]
            names |= {below[0]} if below else {alias.name for alias in node.names}
    return names


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_go_down(path):
    for name in imported(path) - {part(path)}:
        assert FLOOR[name] <= FLOOR[part(path)], f"{path.name} imports {name}"


def test_theory_and_the_simulator_do_not_know_each_other():
    simulator = {n for names in FLOORS[:5] for n in names} - {"errors", "theory"}
    for path in FILES:
        if part(path) == "theory":
            assert not imported(path) & simulator
        elif part(path) in simulator:
            assert "theory" not in imported(path)


def test_there_are_no_cycles():
    graph = {}
    for path in FILES:
        graph.setdefault(part(path), set()).update(imported(path) - {part(path)})

    def walk(name, seen):
        assert name not in seen, f"cycle through {name}"
        for below in graph.get(name, ()):
            walk(below, (*seen, name))

    for name in graph:
        walk(name, ())


def test_every_label_that_the_code_cites_stands_in_the_theory_page():
    page = (ROOT / "docs" / "theory.md").read_text()
    for path in [*FILES, *(ROOT / "experiments").glob("*.py")]:
        for label in re.findall(r"\b(?:[FBRLOP]\d+|S\d+)[eq]?'?(?=[\s,.;:)])", path.read_text()):
            assert re.search(rf"\b{re.escape(label)}(?![\w'])", page), f"{path.name} cites {label}"


def test_the_page_on_architecture_draws_these_floors():
    page = (ROOT / "docs" / "architecture.md").read_text()
    drawn = {int(n): set(names.split()) for n, names in re.findall(r"^(\d)  (\S.*?)(?:  .*)?$", page, flags=re.MULTILINE)}
    assert drawn == {n: set(names) for n, names in enumerate(FLOORS)}
    assert {part(path) for path in FILES} == set(FLOOR)


def test_importing_the_package_loads_no_heavy_library():
    heavy = {"xarray", "pandas", "matplotlib", "scipy.stats", "pydantic"}
    code = f"import sys, spikesim; print(sorted({heavy} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
