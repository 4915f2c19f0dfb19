"""The theory page's section on the probe: its labels, and the code that it names."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROBE = ROOT / "spikesim" / "probe"
SECTIONS = re.split(r"^### ", (ROOT / "docs" / "theory.md").read_text().split("## P. ")[1].split("\n## ")[0], flags=re.M)[1:]
LABELS = [section.split(".")[0] for section in SECTIONS]


def test_labels_run_from_p1_to_p9():
    assert LABELS == [f"P{i}" for i in range(1, 10)]


def test_each_names_code_that_is_there():
    for label, section in zip(LABELS, SECTIONS, strict=True):
        named = re.findall(r"`(\w+\.py)(?:: (\w+))?`", section.split("Code: ")[1])
        assert named, label
        for file, name in named:
            text = (PROBE / file).read_text()
            assert not name or f"def {name}(" in text, label


def test_labels_that_pages_and_tests_of_the_probe_cite_are_there():
    for path in [ROOT / "docs" / "probe.md", *(ROOT / "tests" / "probe").glob("*.py"), *PROBE.glob("*.py")]:
        assert set(re.findall(r"\bP\d+\b", path.read_text())) <= set(LABELS), path.name
