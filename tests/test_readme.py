"""What the README says runs."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text()


def test_the_pasted_example_runs_and_prints_what_it_says(capsys):
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
    exec(code, {})
    printed = capsys.readouterr().out
    assert "pre-polar" in printed
    assert re.search(r"1 - alignment ~ \(2T - 1\) \^ -0\.\d+ \[", printed)


def test_its_commands_are_targets_of_the_makefile_and_what_ci_runs():
    commands = re.findall(r"^make (\w+)", TEXT, flags=re.MULTILINE)[:2]
    assert sorted(commands) == ["reproduce", "test"]
    makefile, ci = (ROOT / "Makefile").read_text(), (ROOT / ".ci" / "run").read_text()
    for name in commands:
        assert re.search(rf"^{name}:", makefile, flags=re.MULTILINE)
        assert f"make {name}" in ci


def test_its_links_lead_somewhere():
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", TEXT):
        assert (ROOT / target).exists(), target
