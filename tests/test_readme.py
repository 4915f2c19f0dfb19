"""What the README says runs, and the numbers in its table are the gallery's."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text()
GALLERY = (ROOT / "figures" / "README.md").read_text()
SHELL = "\n".join(re.findall(r"```sh\n(.*?)```", TEXT, flags=re.DOTALL))
NUMBER = re.compile(r"(?<![\w^(/])[+-]?\d+\.\d+|\b\d+ of \d+\b")
ROWS = [line for line in TEXT.splitlines() if line.startswith("| ") and "](figures/README.md#" in line]


def section(name: str) -> str:
    """The gallery's text on one experiment."""
    (found,) = re.findall(rf'<a id="{name}"></a>(.*?)(?=<a id=|^## |\Z)', GALLERY, flags=re.DOTALL | re.MULTILINE)
    return found


def command(name: str) -> list[str]:
    (line,) = re.findall(rf"^\.venv/bin/spikesim {name}[^#\n]*", SHELL, flags=re.MULTILINE)
    return shlex.split(line)[1:]


def spikesim(*arguments, cwd):
    code = "from spikesim.cli import main; main()"
    return subprocess.run([sys.executable, "-c", code, *arguments], cwd=cwd, capture_output=True, text=True, timeout=300)


def test_the_pasted_example_runs_and_prints_what_it_says(capsys):
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
    exec(code, {})
    printed = capsys.readouterr().out
    assert "pre-polar" in printed
    assert re.search(r"1 - alignment ~ \(2T - 1\) \^ -0\.\d+ \[", printed)
    assert printed.rstrip().endswith("banded")


def test_its_two_commands_are_targets_of_the_makefile_and_what_ci_runs():
    commands = re.findall(r"^make (\w+)", SHELL, flags=re.MULTILINE)
    assert sorted(commands) == ["reproduce", "test"]
    makefile, ci = (ROOT / "Makefile").read_text(), (ROOT / ".ci" / "run").read_text()
    for name in commands:
        assert re.search(rf"^{name}:", makefile, flags=re.MULTILINE)
        assert f"make {name}" in ci


def test_its_prediction_runs(tmp_path):
    result = spikesim(*command("predict"), cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    assert "alignment" in result.stdout


def test_its_probe_runs(tmp_path):
    name, recording, *rest = command("probe")
    result = spikesim(name, ROOT / recording, *rest, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "beta" in result.stdout
    assert {p.name for p in tmp_path.iterdir()} == {"page.png", "page.pdf"}


def test_its_verify_takes_no_more_words():
    assert command("verify") == ["verify"]


def test_its_links_lead_somewhere():
    for target in re.findall(r"\]\((?!http)([^)#]+)", TEXT):
        assert (ROOT / target).exists(), target


@pytest.mark.parametrize("row", ROWS, ids=lambda row: re.findall(r"#(\w+)\)", row)[0])
def test_numbers_in_its_table_are_the_gallerys(row):
    measured = row.split("|")[3]
    (name,) = re.findall(r"figures/README\.md#(\w+)\)", measured)
    numbers = NUMBER.findall(re.sub(r"\([^)]*\)|β = [\d.]+", " ", measured))
    assert numbers
    said = section(name).replace("−", "-")
    assert [number for number in numbers if number not in said] == []


def test_a_number_that_the_gallery_does_not_have_is_found():
    with pytest.raises(AssertionError):
        test_numbers_in_its_table_are_the_gallerys(ROWS[0].replace("0.964", "0.965"))


def test_every_experiment_is_in_the_gallery():
    names = {p.stem for p in (ROOT / "experiments").glob("*.toml")}
    assert set(re.findall(r'<a id="(\w+)">', GALLERY)) == names
    assert f"All {len(names)} experiments" in TEXT
