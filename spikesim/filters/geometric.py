"""Sums over the weights beta^k of a window, exact also where beta is nearly 1 or the run far shorter than the window.

Notation: beta = 1 - 1/T is the momentum of window T, in steps; t counts steps, and None stands for infinitely many.
"""

import math

import numpy as np
from numpy.typing import NDArray

from spikesim.errors import need

WIDEST = 1e12
"""Largest window: beyond it beta is no longer told from 1 to four digits."""


def is_real(value: object) -> bool:
    """Whether a value is a real number, and no bool."""
    return isinstance(value, int | float | np.floating | np.integer) and not isinstance(value, bool)


def is_whole(value: object) -> bool:
    """Whether a value is an integer, and no bool."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def window_of(window: float) -> float:
    """T in [1, WIDEST], or a complaint."""
    need(is_real(window) and 1 <= window <= WIDEST, f"1 <= T <= {WIDEST:g}, where T = 1/(1 - beta)", window=window)
    return float(window)


def power(window: float, exponent: float | None) -> float:
    """beta^exponent for an exponent >= 0; 0 for None."""
    if exponent is None or window == 1:
        return 1.0 if exponent == 0 else 0.0
    return math.exp(exponent * math.log1p(-1 / window))


def missing(window: float, exponent: float | None) -> float:
    """1 - beta^exponent for an exponent >= 0; 1 for None."""
    if exponent is None or window == 1:
        return 0.0 if exponent == 0 else 1.0
    return -math.expm1(exponent * math.log1p(-1 / window))


def squares(window: float, steps: float | None) -> float:
    """Sum over k < t of the squares of beta^k/T: (1 - beta^(2t))/(2T - 1), the EMA's noise factor (F2)."""
    return missing(window, None if steps is None else 2 * steps) / (2 * window - 1)


def mean_age(window: float, steps: int | None) -> float:
    """sum k beta^k / sum beta^k over k < t: T - 1 - t beta^t/(1 - beta^t), written without its cancellation (F2)."""
    if steps is None or window == 1:
        return window - 1
    half = -math.log1p(-1 / window) / 2  # beta = e^(-2 half)
    return (steps - 1 + _langevin(half) - steps * _langevin(steps * half)) / 2


def _langevin(y: float) -> float:
    """Coth y - 1/y, y > 0; its series where that cancels."""
    if y < 0.15:
        return y * (1 / 3 - y**2 * (1 / 45 - y**2 * (2 / 945 - y**2 * (1 / 4725 - y**2 * 2 / 93555))))
    return 1 / math.tanh(y) - 1 / y


def settled(window: float, weight: float) -> int:
    """The smallest t >= 1 with beta^t < weight, for a weight above 0."""
    if window == 1 or weight >= 1:
        return 1
    return math.floor(math.log(weight) / math.log1p(-1 / window)) + 1


def weights(window: float, ages: NDArray[np.float64]) -> NDArray[np.float64]:
    """beta^k/T at given ages k."""
    return (1 - 1 / window) ** ages / window


def rotated(window: float, omega: float, steps: int | None) -> complex:
    """Sum over k < t of beta^k e^(-i omega k)/T; steady 1/(1 + (T - 1)(1 - e^(-i omega))) (F7)."""
    steady = 1 / (1 + (window - 1) * complex(2 * math.sin(omega / 2) ** 2, math.sin(omega)))
    if steps is None or window == 1:
        return steady
    return complex(-np.expm1(steps * complex(math.log1p(-1 / window), -omega))) * steady
