"""Sharp limits for i.i.d. entries as m, n grow at fixed rank (theory.md, S).

Notation: sigma is one entry's standard deviation, spike one lambda or a tuple, window T of a steady EMA; then
s = sigma / sqrt(2T - 1) is the entry noise of the buffer and theta = |lambda| (S1). Every function takes window as a number
and gives a number for one spike, an array (r,) for a tuple.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikesim.errors import need

Shape = tuple[int, int]
Spike = float | Sequence[float]

HUGE = 1e70
"""Ratio s / theta beyond which nothing changes and its fourth power would overflow."""


def critical_window(shape: Shape, sigma: float, spike: Spike) -> Any:
    """Smallest T at which the spike leaves the bulk: 2T - 1 = sigma^2 sqrt(mn) / lambda^2, at least 1 (S2)."""
    theta = _spikes(spike)
    ratio = (_noise(sigma, 1.0) / theta) ** 2 * math.sqrt(math.prod(_shape(shape)))
    return _like(spike, np.maximum(1.0, (ratio + 1) / 2))


def bulk_edge(shape: Shape, sigma: float, window: float) -> float:
    """s (sqrt m + sqrt n): the largest singular value of the buffer's noise (S2)."""
    m, n = _shape(shape)
    return _noise(sigma, window) * (math.sqrt(m) + math.sqrt(n))


def singular_value(shape: Shape, sigma: float, spike: Spike, window: float) -> Any:
    """sqrt((theta^2 + m s^2)(theta^2 + n s^2)) / theta above the threshold, the bulk edge below (S3)."""
    (m, n), theta = _shape(shape), _spikes(spike)
    x = np.minimum(_noise(sigma, window) / theta, HUGE)
    value = theta * np.sqrt(1 + m * x**2) * np.sqrt(1 + n * x**2)
    return _like(spike, np.where(_above(x, m, n), value, bulk_edge(shape, sigma, window)))


def overlaps(shape: Shape, sigma: float, spike: Spike, window: float) -> tuple[Any, Any]:
    """Squared overlaps (left, right) of the buffer's singular vectors with the spike's; 0 below the threshold (S3)."""
    (m, n), x = _shape(shape), np.minimum(_noise(sigma, window) / _spikes(spike), HUGE)
    excess = np.where(_above(x, m, n), 1 - m * n * x**4, 0.0)
    left, right = (excess / (1 + size * x**2) for size in (m, n))
    return _like(spike, left), _like(spike, right)


def polar_alignment(shape: Shape, sigma: float, spike: Spike, window: float) -> Any:
    """a(theta), the limit of u^T O(M) v for the full polar factor, at any SNR (S4).

    Square: (2/pi)((1 - y^-2) arctan y + 1/y), y = theta / (s sqrt n). Otherwise by quadrature, to about 1e-12.
    """
    (m, n), s = _shape(shape), _noise(sigma, window)
    values = [_square(t / (s * math.sqrt(n))) if m == n else _quadrature(t, s, m, n) for t in _spikes(spike)]
    return _like(spike, np.array(values))


def alignment(shape: Shape, sigma: float, spikes: Spike, window: float) -> float:
    """sum lambda_k a(theta_k) / sum lambda_k, the limit of pre-polar's alignment; polar-only's at window = 1 (S4)."""
    theta = _spikes(spikes)
    return float(np.sum(theta * np.atleast_1d(polar_alignment(shape, sigma, tuple(theta), window))) / theta.sum())


def _square(y: float) -> float:
    if y < 1e-2:  # the closed form cancels; the series of arctan does not
        return 2 / math.pi * sum((-1) ** k * y ** (2 * k + 1) * (1 / (2 * k + 1) + 1 / (2 * k + 3)) for k in range(8))
    return 2 / math.pi * ((1 - y**-2) * math.atan(y) + 1 / y)


def _quadrature(theta: float, s: float, m: int, n: int) -> float:
    from scipy.integrate import quad

    scale = s * math.sqrt(max(m, n)) + theta  # only theta / s matters: both at most 1 keep the squares in range
    theta, s = theta / scale, s / scale

    def integrand(phi: float) -> float:
        x = math.tan(phi)
        b = x * x + s * s * (m + n)
        w = (b + math.sqrt(max(b * b - 4 * s**4 * m * n, 0.0))) / 2
        return theta / (w + theta**2) / math.cos(phi) ** 2

    return 2 / math.pi * quad(integrand, 0, math.pi / 2, limit=200, epsabs=1e-13, epsrel=1e-12)[0]


def _above(x: NDArray[np.float64], m: int, n: int) -> NDArray[np.bool_]:
    """Whether a spike leaves the bulk, x = s / theta."""
    return x * (m * n) ** 0.25 < 1


def _noise(sigma: float, window: float) -> float:
    need(0 < sigma < math.inf, "0 < sigma < inf", sigma=sigma)
    need(1 <= window < math.inf, "1 <= T < inf", window=window)
    return sigma / math.sqrt(2 * window - 1)


def _shape(shape: Shape) -> Shape:
    need(len(shape) == 2 and min(shape) >= 1, "shape == (m, n), both >= 1", shape=shape)
    return shape


def _spikes(spike: Spike) -> NDArray[np.float64]:
    theta = np.abs(np.atleast_1d(np.asarray(spike, float)))
    need(theta.ndim == 1 and theta.size and np.all((theta > 0) & np.isfinite(theta)), "spikes finite, not 0", spike=spike)
    return theta


def _like(spike: Spike, value: NDArray[np.float64]) -> Any:
    return value if np.ndim(spike) else float(value[0])
