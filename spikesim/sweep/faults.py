"""TOML files that people write: read, changed for a quick run, and refused with all that is wrong with them at once."""

import tomllib
from pathlib import Path
from typing import Any

from spikesim.errors import need, shortened, shown

Value = Any

LEVELS = 20
"""Of tables and lists inside each other in a file: more has no meaning."""

LISTED = 30
"""Faults of a file that are named at once."""


def read_toml(path: Path | str) -> tuple[dict[str, Value], str]:
    """A file's tables, and its text.

    Raises:
        ValueError: If the file is no TOML.
        OSError: If it cannot be read.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
        table = tomllib.loads(text)
        deep = deeper(table, LEVELS)
    except ValueError as error:  # of tomllib's, of UTF-8, or of numbers too long to read
        raise ValueError(f"need a TOML file, got {path}: {one_line(str(error))}") from None
    except RecursionError:
        deep = True
    need(not deep, f"a TOML file of {LEVELS} levels or fewer", file=str(path))
    return table, text


def deeper(value: Value, levels: int) -> bool:
    """Whether there are tables and lists inside each other beyond so many levels."""
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels < 0 or any(deeper(x, levels - 1) for x in inside)


def one_line(text: str) -> str:
    """The text without line breaks and control characters, which are shown as in Python; of a long one, both ends."""
    return shortened("".join(c if c.isprintable() else repr(c)[1:-1] for c in text))


def merged(table: dict[str, Value], changes: dict[str, Value]) -> dict[str, Value]:
    """The table with a change merged in; a change of a list of tables, such as the models, goes into every one."""
    out = dict(table)
    for name, change in changes.items():
        old = out.get(name, {})
        if isinstance(change, dict) and isinstance(old, list):
            out[name] = [merged(item, change) if isinstance(item, dict) else item for item in old]
        elif isinstance(change, dict) and isinstance(old, dict):
            out[name] = merged(old, change)
        else:
            out[name] = change
    return out


def path_of(loc: tuple[int | str, ...]) -> str:
    """Where in a file: model[0].shape."""
    return one_line("".join(f"[{x}]" if isinstance(x, int) else f".{x}" for x in loc).lstrip("."))


def complaint(error: Any) -> str:
    """What is wrong, from an error of pydantic's."""
    if error["type"] == "value_error":  # one of our own, which has its form already
        return str(error["ctx"]["error"])
    fixed = {
        "missing": "need a value, got none",
        "extra_forbidden": "need a known key, got this one",
        "too_short": "need one item or more, got none",
    }
    got = "a table" if isinstance(error["input"], dict) else shown(error["input"])
    return fixed.get(error["type"], f"need {error['msg'].lower().removeprefix('input should be ')}, got {got}")


def listed(source: str, faults: dict[str, str]) -> str:
    """All faults of a file, where -> what, in one message."""
    lines = "\n".join(f"  {where}: {what}" for where, what in list(faults.items())[:LISTED])
    lines += f"\n  and {len(faults) - LISTED} more" if len(faults) > LISTED else ""
    return f"need a valid spec, got {len(faults)} fault{'s' * (len(faults) > 1)} in {source}:\n{lines}"
