"""Zolotarev's quadrature for 1: a few resolvents stand for a polar factor.

    (2/pi) int_0^inf d / (d^2 + x^2) dx = 1   for every d > 0, so   O(X) = (2/pi) int_0^inf (X X^T + x^2)^{-1} X dx.

With x = low sc(u), u in (0, K'), the integrand is analytic and periodic in u, and the midpoint rule converges geometrically,
uniformly for d in [low, high]; no rule of as many nodes does better.

Source: theory.md L3; Hale, Higham and Trefethen, SIAM J. Numer. Anal. 46 (2008).
"""

import math

import numpy as np
from numpy.typing import NDArray

from spikesim.errors import need

Floats = NDArray[np.float64]

ELLIPTIC = 1e-4
"""low / high below which sc(u) is sinh u to a relative error of low / high, on the half of the nodes that are computed."""


def zolotarev(low: float, high: float, error: float) -> tuple[Floats, Floats]:
    """Nodes x and weights w with |(2/pi) sum_q w_q d / (d^2 + x_q^2) - 1| <= error for every d in [low, high].

    Args:
        low: Least d, > 0.
        high: Largest d, > low.
        error: In [1e-15, 1); not below low / high where that is less than ELLIPTIC.

    Returns:
        (N,) and (N,), nodes rising, in the unit of d; N about ln(4/error) ln(4 high/low) / pi^2.

    Raises:
        ValueError: If an argument breaks these conditions.
    """
    need(0 < low < high < math.inf, "0 < low < high", low=low, high=high)
    k = low / high
    need(
        1e-15 <= error < 1 and (k >= ELLIPTIC or error >= k),
        "error >= 1e-15, and >= low/high where that is small",
        error=error,
    )
    period, sc, slope = _elliptic(k)
    count = math.ceil(math.log(4 / error) * period / math.pi**2) + 2
    u = (np.arange(count) + 0.5) * period / count
    u = u[u <= period / 2 * (1 + 1e-12)]
    x, w = low * sc(u), low * slope(u) * period / count
    mirrored = slice(None, count - u.size)  # sc(K' - u) = high / (low sc(u))
    other = low * high / x[mirrored]
    return np.r_[x, other[::-1]], np.r_[w, (other / x[mirrored] * w[mirrored])[::-1]]


def _elliptic(k):  # type: ignore[no-untyped-def]
    """K', sc(u) and its derivative of complementary modulus k, for u <= K'/2."""
    if k < ELLIPTIC:
        return math.log(4 / k), np.sinh, np.cosh
    from scipy.special import ellipj, ellipkm1

    def sc(u: Floats) -> Floats:
        sn, cn, _, _ = ellipj(u, 1 - k * k)
        return sn / cn

    def slope(u: Floats) -> Floats:
        _, cn, dn, _ = ellipj(u, 1 - k * k)
        return dn / cn**2

    return float(ellipkm1(k * k)), sc, slope
