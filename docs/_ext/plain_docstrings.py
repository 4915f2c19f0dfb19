"""Docstrings are plain text with `code` in backticks: what reStructuredText would take for markup is escaped before it reads.

`|lambda|`, `a * b` and `N‖_F` mean themselves. An indented passage after an empty line is shown as it is written.
"""

import re
from typing import Any

from sphinx.application import Sphinx

CODE = re.compile(r"(``?[^`]+``?)")
MARKUP = re.compile(r"[|*]|(?<=[^\W_])_(?![\w])|(?<![\w])_(?=\w)|(?<=\W)_(?=[\w{(])")


def escaped(text: str) -> str:
    """A line without markup other than backticks."""
    return "".join(part if i % 2 else MARKUP.sub(r"\\\g<0>", part) for i, part in enumerate(CODE.split(text)))


def indent(line: str) -> int:
    """Spaces before it."""
    return len(line) - len(line.lstrip())


def plain(lines: list[str]) -> list[str]:
    """A docstring's lines as reStructuredText that says the same."""
    out: list[str] = []
    last, block = "", None  # the last line that says something; indentation around the passage being shown as it is
    for number, text in enumerate(lines):
        if not text.strip():
            out.append(text)
            continue
        after_gap = number > 0 and not lines[number - 1].strip()
        if block is not None and indent(text) <= block:
            block = None
        if block is None and last and after_gap and indent(text) > indent(last):
            block = indent(last)
            if not last.rstrip().endswith("::"):
                out += [" " * block + "::", ""]
        out.append(text if block is not None else escaped(text))
        last = text
    return out


def process(_app: Sphinx, what: str, _name: str, _obj: object, _options: object, lines: list[str]) -> None:
    """Replace a docstring's lines in place, before its sections are read."""
    whole = ["..", ""] if what in {"attribute", "data", "property"} else []  # or a colon in its first line ends a type
    lines[:] = whole + plain(lines)


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx."""
    app.connect("autodoc-process-docstring", process, priority=400)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
