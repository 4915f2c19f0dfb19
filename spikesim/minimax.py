"""Odd quintics whose composition takes singular values in [low, 1] to 1, each nearly minimax on what those before leave.

The minimax quintic on [low, high] alternates about 1, so with low near zero it takes some values far above it near zero too,
where rounding is all that remains of them. Each is therefore made for no wider an interval than one of ratio CUSHION, and
what it does on the true one is computed: values below grow by its slope at zero, and no value loses its digits.

Source: Nakatsukasa and Higham, SIAM J. Matrix Anal. Appl. 33 (2012), for stability; Amsel et al., arXiv 2505.16932, for the
cushion.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

CUSHION = 1 / 40
"""Least low / high that a quintic is made for."""
NEAR = 1e-2
"""Distance from 1 from which (15, -10, 3)/8, of cubic order, is as good as any."""

Quintic = tuple[float, float, float]


def points(low: float, high: float, count: int) -> NDArray[np.float64]:
    """Points of an interval, dense at every scale."""
    return np.concatenate([np.linspace(low, high, count), np.geomspace(low, high, count)])


def value(coefficients: Quintic, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """a x + b x^3 + c x^5."""
    a, b, c = coefficients
    return x * (a + x * x * (b + x * x * c))


def quintic(low: float, high: float) -> Quintic:
    """(a, b, c) of the odd quintic a x + b x^3 + c x^5 closest to 1 on [low, high]: a linear programme."""
    from scipy.optimize import linprog

    x = points(low, high, 800)
    powers, one = np.stack([x, x**3, x**5], 1), np.ones((x.size, 1))
    above = np.concatenate([one, -one]).ravel()
    fit = linprog([0, 0, 0, 1], A_ub=np.block([[powers, -one], [-powers, -one]]), b_ub=above,
                  bounds=[(None, None)] * 3 + [(0, None)], method="highs")  # fmt: skip
    a, b, c, _ = np.asarray(fit.x).tolist()
    return a, b, c


def _image(coefficients: Quintic, low: float, high: float) -> tuple[float, float]:
    """The least and largest value on [low, high]: at its ends, or where the slope is zero."""
    a, b, c = coefficients
    squares = np.roots([5 * c, 3 * b, a])
    turns = np.sqrt(squares[(np.abs(squares.imag) == 0) & (squares.real > 0)].real)
    found = value(coefficients, np.concatenate([[low, high], turns[(turns > low) & (turns < high)]]))
    return float(found.min()), float(found.max())


@cache
def schedule(low: float, tolerance: float) -> tuple[Quintic, ...]:
    """Coefficients that take [low, 1], 0 < low < 1, to within `tolerance` of 1, one quintic a step."""
    steps: list[Quintic] = []
    high = 1.0
    while max(1 - low, high - 1) > tolerance:
        near = max(1 - low, high - 1) < NEAR
        steps.append((15 / 8, -10 / 8, 3 / 8) if near else quintic(max(low, CUSHION * high), high))
        if near:
            error = 10 * max(1 - low, high - 1) ** 3 / 4
            low, high = 1 - error, 1 + error
        else:
            low, high = _image(steps[-1], low, high)
    return tuple(steps)
