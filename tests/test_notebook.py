"""The notebook runs, in any folder, and what is stored in it is what a run gives."""

import importlib.util
import re
import shutil
from pathlib import Path

import nbformat
import numpy as np

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "notebooks"
FILE = FOLDER / "paper_in_ten_cells.ipynb"
NUMBER = re.compile(r"(?<![\w.])[-−+]?\d+\.\d+")
PLACES = 2
"""Units of the last printed digit by which a number may differ: sums may be rounded otherwise elsewhere."""


def stored():
    return nbformat.read(FILE, as_version=4)


def refresh():
    spec = importlib.util.spec_from_file_location("refresh_notebooks", FOLDER / "refresh.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def printed(cell) -> str:
    return "".join(output.get("text", "") for output in cell.outputs if output.output_type == "stream")


def test_it_has_ten_code_cells_each_after_a_text_and_with_an_assertion():
    cells = stored().cells
    assert [cell.cell_type for cell in cells] == ["markdown", "code"] * 10
    assert [cell.execution_count for cell in cells[1::2]] == list(range(1, 11))
    for number, (text, code) in enumerate(zip(cells[::2], cells[1::2], strict=True), 1):
        assert re.search(rf"^## {number}\. ", text.source, flags=re.MULTILINE)
        assert re.search(r"^ *assert ", code.source, flags=re.MULTILINE)
        assert any("image/png" in output.get("data", {}) for output in code.outputs)
        assert printed(code)


def test_it_keeps_to_the_public_surface():
    code = "\n".join(cell.source for cell in stored().cells[1::2])
    imported = set(re.findall(r"^(?:import|from) (\S+)", code, flags=re.MULTILINE))
    assert imported == {"matplotlib.pyplot", "numpy", "spikesim", "pathlib"}
    assert not re.search(r"\bss\.(?:\w+\.)*_", code)


def test_nothing_of_a_machine_is_stored_and_it_is_small():
    notebook, text = stored(), FILE.read_text()
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert all(not cell.metadata for cell in notebook.cells)
    assert FILE.stat().st_size < 400_000
    assert not re.search(r"/(?:home|root|tmp|work|usr|Users)/|[A-Z]:\\\\", re.sub(r'"image/png": "[^"]*"', "", text))


def test_a_run_elsewhere_prints_what_is_stored(tmp_path, monkeypatch):
    """In a folder beside recordings and nothing else: every assertion in it holds."""
    recordings = Path("experiments") / "data" / "gradients"
    shutil.copytree(ROOT / recordings, tmp_path / recordings, ignore=shutil.ignore_patterns("digits*"))
    here = tmp_path / "a folder"
    here.mkdir()
    for name in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR"):  # nothing is left at home
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    fresh = refresh().executed(FILE, here)
    for old, new in zip(stored().cells[1::2], fresh.cells[1::2], strict=True):
        assert [o.output_type for o in new.outputs] == [o.output_type for o in old.outputs]
        assert _words(printed(new)) == _words(printed(old))
        for one, other in zip(NUMBER.findall(printed(new)), NUMBER.findall(printed(old)), strict=True):
            digits = len(other.split(".")[1])
            assert abs(_value(one) - _value(other)) <= (PLACES + 1e-6) * 10.0**-digits, old.source[:60]
    assert not any(here.iterdir())


def _words(text: str) -> list[str]:
    return NUMBER.sub("#", text).split()


def _value(text: str) -> float:
    return float(text.replace("−", "-"))


def test_the_comparison_sees_a_changed_number():
    assert NUMBER.findall("beta = 0.950 (T = 20), −1.5 [-0.5, +2.25]") == ["0.950", "−1.5", "-0.5", "+2.25"]
    assert _words("a 0.95 b") == _words("a 0.12 b") != _words("a 0.95 c")
    assert np.isclose(_value("−1.5"), -1.5)
