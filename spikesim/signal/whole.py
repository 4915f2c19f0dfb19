"""Whole numbers among a law's parameters."""

from typing import Any

from spikesim.errors import need
from spikesim.noise.base import is_real

MOST = 2**33
"""As many as a stream has steps."""


def whole(name: str, value: Any, least: int) -> int:
    """A whole number in [least, MOST), which may be given as a float (tables of a spec have floats alone)."""
    good = is_real(value) and least <= value < MOST and value == int(value)
    need(good, f"{name}: an integer >= {least}", **{name: value})
    return int(value)
