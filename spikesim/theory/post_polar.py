"""Limits of post-polar's buffer and of its polar factor (theory.md, S9 and S10: conjecture, agrees with simulation).

The buffer is sum_k w_k O(lambda u v^T + sigma Xi_k) with an EMA's weights, sum w_k = 1; the O(G_k) are treated as free given
the spike's directions. With m <= n (transposed otherwise), c = m/n, a of S4 for one gradient, kappa = E‖O(G) v‖^2 and the
abscissa p of the resolvent, every weight contributes through tau = 2 w^2 p / (1 + sqrt(1 - 4 c w^2 p)); X(p) = -x^2 is the
point at which the resolvent is taken. Outside the bulk p < 0, on the imaginary axis p > 0.
Each spike stands by itself, as in S3 and S4. Steady state only.
"""

import math
from functools import cache, cached_property
from typing import Any, NamedTuple

import numpy as np

from spikesim.errors import need
from spikesim.theory.arguments import Shape, Spike, like, one, shape_of, sigma_of, spikes_of, window_of
from spikesim.theory.asymptotics import polar_alignment

SHORTEST, LONGEST = 5.0, 1e12
"""Below the first S10 does not hold; beyond the second squares of weights lose their digits."""
EXPLICIT = 64
"""Weights taken one by one; the rest of a longer average by quadrature."""
STEP = 1e-30
"""Imaginary step of a derivative: exact to rounding, since nothing is subtracted."""


class Buffer(NamedTuple):
    """Post-polar's buffer: bulk edge, the spike's singular value, squared overlaps left and right (0 below threshold)."""

    edge: float
    value: float
    left: float
    right: float


def buffer(shape: Shape, sigma: float, spike: float, window: float) -> Buffer:
    """Edge, spike and overlaps of EMA(O(G)).

    Args:
        shape: (m, n).
        sigma: Standard deviation of one noise entry.
        spike: lambda, one number.
        window: T > 1.

    Returns:
        In the units of singular values of the polar factor's average, all dimensionless.

    Raises:
        ValueError: If an argument is outside its range.

    Source: theory.md S9 (conjecture).
    """
    t = window_of(window)
    need(1 < t <= LONGEST, f"1 < T <= {LONGEST:g} (at T = 1 all singular values are 1)", window=window)
    (m, n), found = shape_of(shape), _Limit(shape, sigma, float(spikes_of(one(spike))[0]), t).spike()
    return found if m <= n else Buffer(found.edge, found.value, found.right, found.left)


def repolarised_alignment(shape: Shape, sigma: float, spike: Spike, window: float) -> Any:
    """Limit of u^T O(EMA(O(G))) v, one a spike, for T >= 5.

    Args:
        shape: (m, n), each >= 1; nothing needs m >= n.
        sigma: Standard deviation (not squared) of one noise entry of one gradient, > 0, in the spikes' unit.
        spike: lambda, finite and not 0; a number, or a tuple of r. Signs do not matter.
        window: T of a steady EMA, from SHORTEST to LONGEST, in steps.

    Returns:
        A number for one spike, an array (r,) for a tuple, in [0, 1].

    Raises:
        ValueError: If an argument is outside its range.

    Source: theory.md S10 (conjecture).
    """
    t = window_of(window)
    need(SHORTEST <= t <= LONGEST, f"{SHORTEST:g} <= T <= {LONGEST:g} (S10)", window=window)
    return like(spike, np.array([_Limit(shape, sigma, x, t).repolarised() for x in spikes_of(spike).tolist()]))


def critical_window(shape: Shape, sigma: float, spike: float) -> float:
    """T at which the spike leaves the bulk of post-polar's buffer, about 2T - 1 = sqrt(min/max) / a^2; at least 1.

    Args:
        shape: (m, n), each >= 1; nothing needs m >= n.
        sigma: Standard deviation (not squared) of one noise entry of one gradient, > 0, in the spikes' unit.
        spike: lambda, one number, finite and not 0; its sign does not matter.

    Returns:
        In steps.

    Raises:
        ValueError: If an argument is outside its range.

    Source: theory.md S9, its consequence (rough: within about a tenth).
    """
    a = polar_alignment(shape, sigma, one(spike), 1.0)
    return max(1.0, (math.sqrt(min(shape) / max(shape)) / a**2 + 1) / 2)


class _Limit:
    def __init__(self, shape: Shape, sigma: float, spike: float, window: float) -> None:
        m, n = sorted(shape_of(shape))
        s = sigma_of(sigma)
        self.c = m / n
        self.a = polar_alignment(shape, sigma, spike, 1.0)
        self.kappa = (s**2 * m + spike**2) / (s**2 * n + spike**2)
        weights, self.count = ema_nodes(window)
        self.squares, self.weights = weights**2, weights

    def terms(self, p: Any) -> tuple[Any, Any, Any, Any]:
        """(total, left, right, h) at p (...)."""
        rest = self.kappa - self.a**2
        p = np.asarray(p)[..., None]
        tau = 2 * self.squares * p / (1 + np.sqrt(1 - 4 * self.c * self.squares * p))
        d = 1 - tau * rest
        left = tau * (1 - self.a**2 - tau * rest) / d
        right = (1 - self.c * tau) * tau * rest / d
        sums = tau, left, right, self.weights * self.a / d
        return tuple((x * self.count).sum(-1) for x in sums)

    def x(self, p: Any) -> Any:
        """X(p)."""
        total = self.terms(p)[0]
        return (1 - total) * (1 - self.c * total) / np.asarray(p)

    def x_slope(self, p: Any, total: Any) -> Any:
        """X'(p), with the total at p: tau' = w^2 / sqrt(1 - 4 c w^2 p)."""
        grows = (self.squares / np.sqrt(1 - 4 * self.c * self.squares * np.asarray(p)[..., None]) * self.count).sum(-1)
        product = (1 - total) * (1 - self.c * total)
        return (-grows * (1 + self.c - 2 * self.c * total) - product / p) / p

    def determinant(self, p: Any) -> Any:
        """D(p), zero at a spike."""
        return self.determinant_of(p, *self.terms(p))

    def determinant_of(self, p: Any, total: Any, left: Any, right: Any, h: Any) -> Any:
        """The same from the terms at p."""
        return (1 - total + left) * (1 - self.c * total + right) / np.asarray(p) + h * h

    @cached_property
    def far(self) -> float:
        """|p| at the bulk edge, where X turns."""
        from scipy.optimize import brentq

        scale = 1 / float(self.count @ self.squares)  # X(-p) is near -1/p for p far below this
        return math.exp(brentq(lambda q: _slope(self.x, -math.exp(q)), *_bracket(self.x, scale), xtol=1e-13))

    def spike(self) -> Buffer:
        from scipy.optimize import brentq

        edge = math.sqrt(-float(self.x(-self.far)))
        if self.determinant(-self.far) <= 0:
            return Buffer(edge, edge, 0.0, 0.0)
        near = min(0.5, self.far / 2)  # a spike's singular value is below 1, so its |p| is above 1
        p = -brentq(lambda q: float(self.determinant(-q)), near, self.far, xtol=1e-300, rtol=1e-14)
        if _slope(self.x, p) == 0:  # the spike is at the edge to rounding
            return Buffer(edge, edge, 0.0, 0.0)
        slope = _slope(self.determinant, p) / _slope(self.x, p)
        total, left, right, _ = (float(t) for t in self.terms(p))
        value = math.sqrt(-float(self.x(p)))
        return Buffer(edge, value, (1 + right / (1 - self.c * total)) / slope, (1 + left / (1 - total)) / slope)

    def repolarised(self) -> float:
        """(2/pi) int_0^inf h/D dx over x = sqrt(X(p)), p from 0 to where the total is 1; p = last e^(-w^2), w to 0."""
        from scipy.optimize import brentq

        largest = 1 / (4 * self.c * float(self.squares.max()))
        last = brentq(lambda q: float(self.terms(q)[0]) - 1, 0.0, largest * (1 - 1e-14), xtol=1e-300, rtol=1e-15)
        nodes, weights = gauss(240)
        top = math.sqrt(80 + math.log(max(last, 1.0)))  # what is left out is of order sqrt(p) there
        w = (nodes + 1) / 2 * top
        p = last * np.exp(-(w**2))
        terms = self.terms(p)
        total, h = terms[0], terms[3]
        x = np.sqrt((1 - total) * (1 - self.c * total) / p)
        dx = -self.x_slope(p, total) / (2 * x)
        return float(2 / math.pi * np.sum(weights * w * p * top * dx * h / self.determinant_of(p, *terms)))


@cache
def gauss(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of Gauss-Legendre quadrature on [-1, 1]."""
    return np.polynomial.legendre.leggauss(count)


def ema_nodes(window: float) -> tuple[np.ndarray, np.ndarray]:
    """(weights, counts): sum_k f(w_k) of a steady EMA as sum counts f(weights), f(0) = 0, to rounding.

    Up to EXPLICIT steps of window all weights down to 1e-18 of the first; beyond it the first EXPLICIT ones, and an
    integral for the rest: the midpoint rule, corrected at the join by first and third differences.

    Args:
        window: T >= 1, in steps.

    Returns:
        Two arrays of one length.
    """
    beta = 1 - 1 / window
    many = math.ceil(42 * window)
    if window <= EXPLICIT:
        return beta ** np.arange(many) / window, np.ones(many)
    k = np.arange(EXPLICIT + 2.0)
    counts = np.where(k < EXPLICIT, 1.0, 0.0)
    counts[-4:] += np.array([0, -1, 1, 0]) / 24 - 17 / 5760 * np.array([-1, 3, -3, 1])
    nodes, each = gauss(96)
    rest = EXPLICIT - 0.5 + (nodes + 1) * 21 * window
    weights = np.exp(np.append(k, rest) * math.log1p(-1 / window)) / window
    return weights, np.append(counts, each * 21 * window)


def _slope(function: Any, p: float) -> float:
    return float(function(p + 1j * STEP * abs(p)).imag / (STEP * abs(p)))


def _bracket(function: Any, scale: float) -> tuple[float, float]:
    """Logarithms of |p| between which the slope of X changes sign."""
    low = high = math.log(scale)
    sign = _slope(function, -math.exp(low)) < 0
    for _ in range(200):
        low, high = (low, high + 0.5) if sign else (low - 0.5, high)
        if (_slope(function, -math.exp(high if sign else low)) < 0) != sign:
            return low, high
    need(False, "a bulk edge", scale=scale)
    raise AssertionError
