"""Which of several named arrays in a file is meant."""

import re
from collections.abc import Mapping

from spikesim.errors import need

LISTED = 20
"""Entries that an error names at most."""
_STEP = re.compile(r"(.+)[._/-]([0-9]{1,18})", re.DOTALL)


def chosen(shapes: Mapping[str, tuple[int, ...]], name: str | None, file: str) -> str:
    """The entry that is asked for; without a name, the only one with three axes.

    Args:
        shapes: Of the arrays in the file.
        name: Of the wanted one.
        file: For messages.

    Raises:
        ValueError: If there is no such entry or it is not clear which, with the names and shapes of what there is.
    """
    if name is not None:
        need(name in shapes, "the name of an array in the file", listed(shapes), name=name, file=file)
        return name
    streams = [key for key, shape in shapes.items() if len(shape) == 3]
    hint = f"name one, as in FILE:NAME, of {listed(shapes)}" if streams else listed(shapes)
    need(len(streams) == 1, "just one array of shape (K, m, n), or a name", hint, arrays=len(streams), file=file)
    return streams[0]


def listed(shapes: Mapping[str, tuple[int, ...]]) -> str:
    """Names and shapes in one line."""
    some = [f"{key!r} {shape}" for key, shape in list(shapes.items())[:LISTED]]
    more = len(shapes) - len(some)
    return ("arrays: " + ", ".join(some) if some else "no arrays") + (f" and {more} more" if more else "")


def steps(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, list[str]]:
    """Matrices that are steps of one stream, in order of their numbers, by what precedes these: grad.0001, grad.0002, ..."""
    found: dict[str, list[tuple[int, str]]] = {}
    for key, shape in shapes.items():
        said = _STEP.fullmatch(key)
        if said and len(shape) == 2:
            found.setdefault(said[1], []).append((int(said[2]), key))
    return {prefix: [key for _, key in sorted(numbered)] for prefix, numbered in found.items()}
