"""Numbers in sentences: a mean with its half interval, and how far means lie from a theory."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from spikesim.errors import need

DIGITS = 3
FIXED = 6
"""Decimals beyond which numbers are written with an exponent."""


def plus_minus(mean: float, half: float, sign: str = "") -> str:
    """A mean ± half an interval (same unit): three decimals, or as many as half has before its first significant digit.

    sign "+" shows that of means above 0. A half interval of exactly 0 is written as it is.

    Raises:
        ValueError: if half is negative or not finite.
    """
    need(math.isfinite(half) and half >= 0, "half >= 0", half=half)
    place = -math.floor(math.log10(half)) if half > 0 else DIGITS
    if place <= FIXED:
        digits = max(place, DIGITS)
        return f"{mean:{sign}z.{digits}f} ± {half:.{digits}f}"
    more = max(0, math.floor(math.log10(abs(mean))) + place) if mean else 0
    return f"{mean:{sign}z.{more}e} ± {half:.0e}"


def largest_miss(apart: Sequence[Any], errors: Sequence[Any]) -> str:
    """The largest of |mean - theory|, and the largest in standard errors: of one point if they are, else of each."""
    off = np.concatenate([np.ravel(x) for x in apart])
    scores = off / np.concatenate([np.ravel(x) for x in errors])
    i, j = int(off.argmax()), int(scores.argmax())
    if i == j:
        return f"{off[i]:.3f} at most ({scores[i]:.1f} standard errors, which is the most)"
    return (
        f"{off[i]:.3f} at most ({scores[i]:.1f} standard errors there; the most are {scores[j]:.1f}, at another point, "
        f"{off[j]:.1g} off)"
    )
