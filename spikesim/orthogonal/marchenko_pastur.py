"""The Marchenko-Pastur law: squared singular values of white noise over max(m, n), as the matrix grows.

Its density at t is sqrt((b - t)(t - a)) / (2 pi beta t) between a, b = (1 -+ sqrt beta)^2, 0 < beta <= 1. With
t = 1 + beta + 2 sqrt(beta) cos(phi) the share above t is (2/pi) times the integral of sin^2 / (1 + beta + 2 sqrt(beta) cos)
from 0 to phi, whose integrand is smooth as far as the median.
"""

import math
from functools import cache

import numpy as np

from spikesim.errors import need

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(60)


def above(beta: float, phi: float) -> float:
    """The share of squared singular values above 1 + beta + 2 sqrt(beta) cos(phi), 0 <= phi <= pi."""
    angle = phi * (_NODES + 1) / 2
    density = np.sin(angle) ** 2 / (1 + beta + 2 * math.sqrt(beta) * np.cos(angle))
    return float(phi / math.pi * np.sum(_WEIGHTS * density))


@cache
def median(beta: float) -> float:
    """mu_beta, the law's median: 0.6528 for beta = 1, and 1 as beta goes to 0.

    Raises:
        ValueError: If beta is not in (0, 1].

    Source: Marchenko and Pastur (1967); theory.md O6.
    """
    need(0 < beta <= 1, "0 < beta <= 1", beta=beta)
    low, high = 0.0, math.pi
    for _ in range(60):  # bisection, to the last bit of phi
        middle = (low + high) / 2
        low, high = (middle, high) if above(beta, middle) < 0.5 else (low, middle)
    return 1 + beta + 2 * math.sqrt(beta) * math.cos(low)
