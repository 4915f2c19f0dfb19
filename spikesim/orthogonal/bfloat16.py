"""Emulated bfloat16: float32 numbers rounded to 8 significant bits, ties to even.

bfloat16 has float32's exponents: normal numbers from 2^-126, subnormal ones down to 2^-133, the largest is
(2 - 2^-7) 2^127 = 3.3895e38.
"""

from typing import Any

import numpy as np
from array_api_compat import is_cupy_array

from spikesim.arrays import Array, array_namespace
from spikesim.errors import need

LARGEST = (2 - 2.0**-7) * 2.0**127
"""Largest finite bfloat16."""


def round_to_bfloat16(x: Array) -> Array:
    """The nearest bfloat16 of float32 numbers, ties to even, as float32.

    Args:
        x: Any shape, float32. Of float64, round to float32 first, as libraries do: twice rounded.

    Returns:
        The same shape, float32. What rounds beyond LARGEST is an infinity of its sign, at (2 - 2^-8) 2^127 and above;
        what rounds below 2^-133 is a zero of its sign; infinities and NaN stay.

    Raises:
        ValueError: If x is not float32.

    Source: IEEE 754 round-to-nearest-even at 8 significant bits; theory.md O3.
    """
    xp = array_namespace(x)
    need(x.dtype == xp.float32, "x of float32", **{"x.dtype": str(x.dtype)})
    rounded = _by_bits(x) if isinstance(x, np.ndarray) or is_cupy_array(x) else _by_arithmetic(x)
    return xp.where(x == x, rounded, x)


def _by_bits(x: Any) -> Any:
    """Adds half a unit to the bits, less one where the last kept bit is even, and drops the rest."""
    bits = x.view(np.uint32)
    kept = (bits + (np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1)))) & np.uint32(0xFFFF0000)
    return kept.view(np.float32)


def _by_arithmetic(x: Array) -> Array:
    """Rounds x / unit to whole numbers, unit = 2^(exponent - 7): for namespaces without views of bits.

    Exact in float64. A logarithm rounded across a power of two does no harm: next to it both units round to the power.
    """
    xp = array_namespace(x)
    wide = xp.astype(xp.where(xp.isfinite(x), x, xp.ones_like(x)), xp.float64)
    exponent = xp.floor(xp.log2(xp.where(wide != 0, xp.abs(wide), xp.ones_like(wide))))
    unit = 2.0 ** (xp.where(exponent < -126, xp.full_like(exponent, -126.0), exponent) - 7)
    rounded = xp.round(wide / unit) * unit
    beyond = xp.abs(rounded) > LARGEST
    inside = xp.astype(xp.where(beyond, xp.zeros_like(rounded), rounded), xp.float32)
    infinite = xp.full_like(x, float("inf"))
    return xp.where(beyond | ~xp.isfinite(x), xp.where(x > 0, infinite, -infinite), inside)
