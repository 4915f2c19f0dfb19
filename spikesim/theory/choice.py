"""Choosing the window: the smallest T that reaches a wanted alignment (theory.md S2, S4, turned round)."""

import math

from spikesim.errors import need
from spikesim.theory.arguments import LOG_WIDEST, WIDEST, Shape, Spike, real
from spikesim.theory.asymptotics import alignment


def smallest_window(shape: Shape, sigma: float, spikes: Spike, reach: float) -> float:
    """Smallest T at which pre-polar's limiting alignment (S4) is `reach`; 1 where an unfiltered gradient has it.

    Pre-polar's alignment rises with T from polar-only's to 1, so there is exactly one.

    Args:
        shape: (m, n).
        sigma: Standard deviation of one noise entry.
        spikes: lambda_1..lambda_r.
        reach: Wanted alignment, in (0, 1).

    Returns:
        T >= 1, in steps.

    Raises:
        ValueError: If an argument is outside its range.

    Source: theory.md S4.
    """
    from scipy.optimize import brentq

    need(real(reach) and 0 < reach < 1, "0 < reach < 1", reach=reach)

    def lacking(log_window: float) -> float:
        return alignment(shape, sigma, spikes, math.exp(log_window)) - reach

    if lacking(0.0) >= 0:
        return 1.0
    top = 1.0
    while lacking(top) < 0:
        need(top < LOG_WIDEST, f"a window below {WIDEST:g}", "spikes are too small beside sigma", reach=reach)
        top = min(2 * top, LOG_WIDEST)
    return math.exp(brentq(lacking, 0.0, top, xtol=1e-12, rtol=1e-12))
