"""Odd quintics whose composition takes singular values in [low, 1] to 1, each minimax on what the one before leaves."""

from functools import cache

import numpy as np


def quintic(low: float, high: float, points: int = 800) -> tuple[tuple[float, float, float], float]:
    """(a, b, c) and the error of the odd quintic a x + b x^3 + c x^5 closest to 1 on [low, high]: a linear programme."""
    from scipy.optimize import linprog

    x = np.concatenate([np.linspace(low, high, points), np.geomspace(low, high, points)])
    powers, one = np.stack([x, x**3, x**5], 1), np.ones((x.size, 1))
    above = np.concatenate([one, -one]).ravel()
    fit = linprog([0, 0, 0, 1], A_ub=np.block([[powers, -one], [-powers, -one]]), b_ub=above,
                  bounds=[(None, None)] * 3 + [(0, None)], method="highs")  # fmt: skip
    a, b, c, error = np.asarray(fit.x).tolist()
    return (a, b, c), error


@cache
def schedule(low: float, tolerance: float) -> tuple[tuple[float, float, float], ...]:
    """Coefficients that take [low, 1] to within `tolerance` of 1; near 1 the (15, -10, 3)/8 end game, of cubic order."""
    steps: list[tuple[float, float, float]] = []
    high, error = 1.0, 1.0
    while error > tolerance:
        if high - low < 2e-2 and 1 - low < 2e-2:
            coefficients, error = (15 / 8, -10 / 8, 3 / 8), 10 * max(1 - low, high - 1) ** 3 / 4
        else:
            coefficients, error = quintic(low, high)
        steps.append(coefficients)
        low, high = 1 - error, 1 + error
    return tuple(steps)
