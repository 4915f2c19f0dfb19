"""Labels of docs/theory.md: scanned as code cites them, each with code and tests, none cited that is not there."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "docs" / "_ext"))

import theory_labels as tl  # noqa: E402 (found only now)

PAGE = (ROOT / "docs" / "theory.md").read_text()
KNOWN = tl.labels(PAGE)
NO_CODE: dict[str, str] = {}  # label: why it needs none


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Source: theory.md S4.", ["S4"]),
        ("(theory.md, S5, S11)", ["S5", "S11"]),
        ("sharp limits (S1 to S4)", ["S1", "S2", "S3", "S4"]),
        ("S10: conjecture; B1q's level, B2e", ["S10", "B1q", "B2e"]),
        ("B3' holds where B3 does", ["B3'", "B3"]),
        ("the allowance is B1's", ["B1"]),
        ("print(f'{x['B3']} of 'B3'')", ["B3", "B3"]),
        ("S4x, xS4, PS4, S_4, S4[0], 3.S4 and UTF8", []),
        ("F64 and R99 are cited, known or not", ["F64", "R99"]),
    ],
)
def test_citations_are_read_as_they_are_written(text, found):
    assert list(tl.cited(text, KNOWN)) == found


def test_only_comments_and_strings_of_python_cite(tmp_path):
    path = tmp_path / "some.py"
    path.write_text('"""Of S3.\n\nAnd S4.\n"""\nS5 = 1  # but S6\nS7 = f"{S5} S8"\n')
    there = [(line, label) for line, text in tl.passages(path) for label in tl.cited(text, KNOWN)]
    assert there[:3] == [(1, "S3"), (3, "S4"), (5, "S6")]
    assert (6, "S8") in there
    assert "S7" not in {label for _, label in there}


def test_headings_are_the_labels():
    page = "## S. Sharp\n### S1. Scales\n### S2. Edge (of it) [checked]\n### Not one\n### B3'. Mean [proved]\n"
    assert tl.labels(page) == {"S1": "Scales", "S2": "Edge (of it)", "B3'": "Mean"}


def test_every_label_has_code_and_tests():
    assert len(KNOWN) > 50
    for label, kinds in tl.index(ROOT).items():
        if label in NO_CODE:
            assert not kinds["Code"], f"{label} has code now"
            continue
        assert kinds["Code"], f"no file of spikesim/ cites {label}"
        assert kinds["Tests"], f"no test cites {label}"


@pytest.mark.parametrize("folder", ["spikesim", "tests", "experiments"])
def test_every_cited_label_stands_in_the_theory_page(folder):
    unknown = {
        label: [c.path for c in those] for label, those in tl.citations(ROOT, folder, KNOWN).items() if label not in KNOWN
    }
    unknown = {label: set(paths) - {f"tests/{Path(__file__).name}"} for label, paths in unknown.items()}
    assert not {label: paths for label, paths in unknown.items() if paths}


def test_what_is_foreign_is_still_there_and_would_be_misread():
    for name in tl.FOREIGN:
        assert (ROOT / name).exists(), name


def test_figures_are_those_that_experiments_draw():
    those = [
        tl.Citation("experiments/bounds.py", 1, 2),
        tl.Citation("experiments/bounds.toml", 1, 1),
        tl.Citation("experiments/gpu.py", 3, 1),
    ]
    assert tl.figures(ROOT, those) == ["bounds"]
