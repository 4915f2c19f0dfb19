"""TOML files that people write: read, changed for a quick run, and refused with all that is wrong with them at once."""

import tomllib
from pathlib import Path
from typing import Any

Value = Any


def read_toml(path: Path | str) -> dict[str, Value]:
    """A file's tables.

    Raises:
        ValueError: If the file is no TOML.
        OSError: If it cannot be read.
    """
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"need a TOML file, got {path}: {error}") from None
    except RecursionError:
        raise ValueError(f"need a TOML file of fewer levels, got {path}") from None


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
    return "".join(f"[{x}]" if isinstance(x, int) else f".{x}" for x in loc).lstrip(".")


def complaint(error: Any) -> str:
    """What is wrong, from an error of pydantic's."""
    if error["type"] == "value_error":  # one of our own, which has its form already
        return str(error["ctx"]["error"])
    fixed = {
        "missing": "need a value, got none",
        "extra_forbidden": "need a known key, got this one",
        "too_short": "need one item or more, got none",
    }
    shown = "a table" if isinstance(error["input"], dict) else repr(error["input"])
    return fixed.get(error["type"], f"need {error['msg'].lower().removeprefix('input should be ')}, got {shown}")


def listed(source: str, faults: dict[str, str]) -> str:
    """All faults of a file, where -> what, in one message."""
    lines = "\n".join(f"  {where}: {what}" for where, what in faults.items())
    return f"need a valid spec, got {len(faults)} fault{'s' * (len(faults) > 1)} in {source}:\n{lines}"
