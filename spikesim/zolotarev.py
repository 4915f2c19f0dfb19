"""Zolotarev's quadrature: nodes and weights that make a polar factor of resolvents.

    (2/pi) sum_q w_q d/(d^2 + x_q^2) = 1 within `error` for every d in [low, high]

so (2/pi) sum_q w_q (A A^T + x_q^2)^{-1} A is the polar factor of any A whose singular values lie there. It is the midpoint
rule in u for the integral over x = low sc(u | 1 - k^2), k = low/high, 0 < u < K': no rule of as many nodes is better.
"""

import math

import numpy as np
from numpy.typing import NDArray

from spikesim.errors import need

NARROWEST = 0.5
"""Largest k: a wider interval than asked for is also right, and its series converge fast."""


def zolotarev(low: float, high: float, error: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Nodes x and weights w of the rule above, rising.

    Args:
        low: Smallest d, > 0.
        high: Largest d, >= low; low/high >= 1e-100.
        error: In (1e-15, 0.1]: what the rule may be off by; rounding comes on top.

    Returns:
        (x, w), both (N,), in the unit of low; N grows as ln(4/error) ln(4 high/low)/pi^2.

    Raises:
        ValueError: If an argument breaks the conditions above.

    Source: theory.md L3; Zolotarev (1877); Nakatsukasa and Freund, SIAM Review 58 (2016).
    """
    need(0 < low <= high < math.inf and low >= 1e-100 * high, "0 < low <= high, low >= 1e-100 high", low=low, high=high)
    need(1e-15 < error <= 0.1, "1e-15 < error <= 0.1", error=error)
    from scipy.special import ellipk, ellipkm1

    k = min(low / high, NARROWEST)
    quarter, other = float(ellipk(k * k)), float(ellipkm1(k * k))
    count = math.ceil(math.log(4 / error + 4) * other / (2 * math.pi * quarter))
    u = (np.arange((count + 1) // 2) + 0.5) * (other / count)
    y = _tangent(u * (math.pi / (2 * quarter)), k, math.exp(-math.pi * other / quarter))
    weight = np.sqrt((1 + y * y) * (1 + (k * y) ** 2)) * (other / count)
    mirrored = slice(count // 2 - 1, None, -1) if count > 1 else slice(0, 0)  # u -> K' - u makes y -> 1/(k y)
    x, w = np.append(y, 1 / (k * y[mirrored])), np.append(weight, weight[mirrored] / (k * y[mirrored] ** 2))
    return low * x, low * w


def _tangent(eta: NDArray[np.floating], k: float, nome: float) -> NDArray[np.floating]:
    """sc(u | 1 - k^2) up to the middle, u <= K'/2, with eta = pi u/(2 K): theta functions of nome q (products)."""
    product = 2 * nome**0.25 / math.sqrt(k) * np.sinh(eta)
    for n in range(1, 12):
        outer, inner = nome ** (2 * n), nome ** (2 * n - 1)
        top = 1 - 2 * outer * np.cosh(2 * eta) + outer**2
        product = product * top / (1 - 2 * inner * np.cosh(2 * eta) + inner**2)
    return product
