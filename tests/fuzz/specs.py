"""Spec files: those of the experiments, changed at every level, read by `spikesim run --dry-run` and as `reproduce` does."""

import json
import math
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import nasty
from oracle import Case

from spikesim.kinds import asked

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
MOST_TEXT = 8000
"""Characters of the experiments that are changed: larger ones are no other in kind, and slow."""


@cache
def seeds() -> tuple[str, ...]:
    """Texts to start from."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(EXPERIMENTS.glob("*.toml"))]
    return tuple(text for text in texts if len(text) < MOST_TEXT)


def case(draw: nasty.Random, work: Path) -> Case:
    """A spec file in a folder, and who reads it."""
    path = work / draw.choice(["spec.toml", "a b ü.toml", "-x.toml", "spec"])
    _place(draw, path)
    if draw.random() < 0.4:
        quick = draw.random() < 0.5
        return Case((), call=lambda: asked(path, quick))
    name = path.name if not path.name.startswith("-") else f"./{path.name}"
    options = [option for option in ("--quick", "--json", "--fresh") if draw.random() < 0.3]
    return Case(("run", name, "--out", "out", "--dry-run", *options))


def _place(draw: nasty.Random, path: Path) -> None:
    """The file, or what is none."""
    kind = draw.randrange(40)
    if kind == 0:
        path.mkdir()
    elif kind == 1:
        path.symlink_to(path.name)
    elif kind > 2:
        path.write_bytes(content(draw))


def content(draw: nasty.Random) -> bytes:
    """Bytes of a changed spec."""
    text = draw.choice(seeds())
    if draw.random() < 0.03:
        return f"deep = {'[' * (levels := draw.choice([15, 200, 5000, 100_000]))}{']' * levels}\n{text}".encode()
    if draw.random() < 0.25:
        return nasty.damaged(draw, text.encode())
    table = tomllib.loads(text)
    for _ in range(draw.choice([1, 1, 2, 4])):
        _changed(draw, table)
    _bounded(table)
    return toml(table).encode("utf-8", "surrogatepass")


def _changed(draw: nasty.Random, table: Any) -> None:
    """Change something, at any level."""
    keys = list(table) if isinstance(table, dict) else list(range(len(table)))
    if not keys:
        return
    key = draw.choice(keys)
    if isinstance(table[key], dict | list) and table[key] and draw.random() < 0.75:
        _changed(draw, table[key])
        return
    kind = draw.randrange(8)
    if kind == 0:
        del table[key]
    elif kind == 1 and isinstance(table, dict):
        table[draw.choice([*nasty.TEXTS, "law", "noise.sigma", "run.steps", "run.trials", "model", "records", "probe"])] = (
            table.pop(key)
        )
    elif kind == 2:
        table[key] = [table[key]] * draw.choice([1, 2])
    elif kind == 3:
        table[key] = nasty.nested(draw, draw.choice([1, 2, 5, 19, 20, 120]))
    else:
        table[key] = nasty.value(draw)


def _bounded(table: dict[str, Any]) -> None:
    """A grid of a million points is a wish that takes its time."""
    grid = table.get("grid")
    while isinstance(grid, dict) and math.prod(len(x) for x in grid.values() if isinstance(x, list)) > 100:
        longest = max(grid, key=lambda k: len(grid[k]) if isinstance(grid[k], list) else 0)
        grid[longest] = grid[longest][: len(grid[longest]) // 2]


def toml(table: dict[str, Any]) -> str:
    """As TOML, tables inline."""
    return "".join(f"{json.dumps(name)} = {_inline(value)}\n" for name, value in table.items())


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(name)} = {_inline(x)}" for name, x in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_inline, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f") if isinstance(value, str) else str(value)
