"""Which code, tests and figures cite the labels of docs/theory.md (F1, B3', S4, ...): read from the files, kept nowhere.

A label is what begins a heading of the theory page. A citation is its text in a comment or a string (so in a docstring) of
a Python file, or on any line of a TOML file; "S1 to S4" cites all four. `Citation.path` is relative to the repository.
"""

import io
import re
import tokenize
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

HEADING = re.compile(r"^###? ([FBSROPL]\d+[a-z]?'?)\. (.+)$", re.MULTILINE)
LABEL = r"[FBSROPL]\d+[eq]?'?"
CITED = re.compile(rf"(['\"]?)(?<![\w$.+-])({LABEL})(?![\w\[])(?: (?:to|and beyond to|-) ({LABEL})(?!\w))?")
TEXT = {tokenize.COMMENT, tokenize.STRING} | {
    getattr(tokenize, name) for name in ("FSTRING_MIDDLE",) if hasattr(tokenize, name)
}
KINDS = {"Code": ("spikesim",), "Tests": ("tests",), "Figures": ("experiments",)}
"""What a line under a heading lists, and the folder each is read from."""

FOREIGN = {
    "spikesim/recorded/safetensors.py": "names of number types",
    "tests/probe/recordings.py": "names of number types",
    "tests/recorded/": "names of number types",
    "tests/fuzz/": "names of number types",
    "tests/sweep/test_refused_files.py": "codes of a linter",
    "tests/experiments/test_gpu_limits.py": "registers of a GPU",
    "tests/cuda/": "registers and jumps of a GPU",
    "experiments/benchmarks/": "codes of a linter",
}
"""Files whose F32, R4, L1 or B023 are something else, and what."""

LAST = ("spikesim/verify/", "spikesim/predict.py", "tests/experiments/")
"""Files that cite many labels and compute none: after the others."""


@dataclass(frozen=True, order=True)
class Citation:
    """Where a file first cites a label, and how often it does."""

    path: str
    line: int
    times: int


def labels(page: str) -> dict[str, str]:
    """Label to title, in the order of the theory page's text; a status such as [proved] is left out."""
    return {label: title.split(" [")[0] for label, title in HEADING.findall(page)}


def cited(text: str, known: Iterable[str]) -> Iterator[str]:
    """Labels in a text, known or not; a prime that no label has, or that closes a quotation, is punctuation."""
    there = list(known)
    for quote, first, last in CITED.findall(text):
        one = first[:-1] if first.endswith("'") and (quote == "'" or first not in there) else first
        yield one
        if last:
            end = last if last in there else last.rstrip("'")
            both = one in there and end in there and there.index(one) < there.index(end) and one[0] == end[0]
            yield from there[there.index(one) + 1 : there.index(end) + 1] if both else [end]


def passages(path: Path) -> list[tuple[int, str]]:
    """(line, text) of what may cite: comments and strings of Python, whole lines of anything else."""
    text = path.read_text()
    if path.suffix != ".py":
        return list(enumerate(text.splitlines(), 1))
    if not CITED.search(text):
        return []
    found = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in TEXT:
            found += [(token.start[0] + i, line) for i, line in enumerate(token.string.split("\n"))]
    return found


def citations(root: Path, folder: str, known: Iterable[str]) -> dict[str, list[Citation]]:
    """Label to the files of a folder that cite it, those that do so most often first; labels that no heading has, too."""
    there, lines = tuple(known), defaultdict[tuple[str, str], list[int]](list)
    for path in sorted((root / folder).rglob("*")):
        if path.suffix not in {".py", ".toml"} or "__pycache__" in path.parts:
            continue
        name = path.relative_to(root).as_posix()
        if name.startswith(tuple(FOREIGN)):
            continue
        for number, text in passages(path):
            for label in cited(text, there):
                lines[label, name].append(number)
    found = defaultdict(list)
    for (label, name), numbers in lines.items():
        found[label].append(Citation(name, min(numbers), len(numbers)))
    return {label: sorted(those, key=lambda c: (c.path.startswith(LAST), -c.times, c.path)) for label, those in found.items()}


@cache
def index(root: Path) -> dict[str, dict[str, list[Citation]]]:
    """Label to kind to citations, for every label of the theory page."""
    known = labels((root / "docs" / "theory.md").read_text())
    kinds = {kind: [citations(root, folder, known) for folder in folders] for kind, folders in KINDS.items()}
    return {label: {kind: [c for one in ones for c in one.get(label, [])] for kind, ones in kinds.items()} for label in known}


def figures(root: Path, those: Iterable[Citation]) -> list[str]:
    """Names of the figures that citing experiments draw: experiments/NAME.py or .toml draws figures/NAME.png."""
    names = dict.fromkeys(Path(c.path).stem for c in those)
    return [name for name in names if (root / "figures" / f"{name}.png").exists()]
