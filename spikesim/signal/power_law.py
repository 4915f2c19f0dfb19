"""Spikes beyond a few: amplitudes that fall by a power of their number."""

import numpy as np

from spikesim.errors import need
from spikesim.noise.base import is_real, need_positive
from spikesim.signal.whole import whole

STEEPEST = 20.0


def power_law(first: float, exponent: float, count: int) -> tuple[float, ...]:
    """first j^(-exponent) for j = 1..count: spikes of a SpikedModel, or those that follow some of one's own.

    Args:
        first: The largest, > 0.
        exponent: 0 <= exponent <= STEEPEST; 0 gives equal ones.
        count: How many, an integer >= 1.

    Raises:
        ValueError: If an argument breaks the conditions above.

    Example:
        >>> power_law(6.0, 1.0, 3)
        (6.0, 3.0, 2.0)
    """
    need_positive(first=first)
    need(is_real(exponent) and 0 <= exponent <= STEEPEST, f"0 <= exponent <= {STEEPEST:g}", exponent=exponent)
    numbers = np.arange(1, whole("count", count, 1) + 1, dtype=np.float64)
    return tuple((float(first) * numbers ** -float(exponent)).tolist())
