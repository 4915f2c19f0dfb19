"""What the README says runs, and the numbers in its table are the gallery's."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from documented import PACKED

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


LINKS = set(re.findall(r"\]\((?!http)([^)#]+)", TEXT))
PICTURES = {target for target in LINKS if target.endswith(".png")}


def test_its_links_lead_somewhere():
    assert [target for target in LINKS - PICTURES if not (ROOT / target).exists()] == []


@pytest.mark.skipif(PACKED, reason="a source distribution has no pictures")
def test_its_pictures_are_there():
    assert PICTURES
    assert [target for target in PICTURES if not (ROOT / target).exists()] == []


def test_its_minutes_are_those_of_the_other_pages():
    """Of `make reproduce` and `make test`."""
    for page in ("docs/index.md", "CONTRIBUTING.md"):
        text = (ROOT / page).read_text()
        for name, minutes in re.findall(r"^make (\w+) .*?(\d+) minutes", SHELL, flags=re.MULTILINE):
            assert re.search(rf"^(?:make {name} |\| `{name}` ).*\b{minutes} minutes", text, flags=re.MULTILINE), (page, name)


def test_the_landing_page_of_the_site_names_what_answers_questions():
    text = (ROOT / "docs" / "index.md").read_text()
    for name in ("reproduce", "verify", "predict", "report"):
        assert f"`spikesim {name}`" in text, name


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
