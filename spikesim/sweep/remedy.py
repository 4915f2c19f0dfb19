"""What to do about results that are missing, damaged or not to be read: the command, as it is typed."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from spikesim.sweep.faults import one_line

NAMED = 3
"""Files that are named at once."""


def rerun(folder: Path) -> str:
    """The command that brings a store up to its spec.

    Args:
        folder: The store's.
    """
    return f"`spikesim run SPEC --out {one_line(shlex.quote(str(folder)))}`"


def of_damage(files: Sequence[Path]) -> str:
    """Which shards of a store are damaged, and what to do, in a line.

    Args:
        files: One or more.
    """
    names = [one_line(str(path)) for path in files[:NAMED]] + [f"{len(files) - NAMED} more"] * (len(files) > NAMED)
    again = f"{rerun(files[0].parent.parent)} sets {'it' if len(files) == 1 else 'them'} aside and simulates the trials again"
    return f"damaged: {', '.join(names)}; {again}"
