"""Checks of arguments that all formulas share: sizes, spikes, noise, windows."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim.errors import need

Floats = NDArray[np.float64]
Shape = tuple[int, int]
Spike = float | Sequence[float] | NDArray[np.float64]


SMALLEST, LARGEST = 1e-100, 1e100
"""Range of spikes and sigma: squares and their ratios neither overflow nor vanish."""
WIDEST, LOG_WIDEST, LONGEST, TALLEST = 1e200, 460.0, 2**53, 2**40
"""Largest window, its logarithm rounded down, largest number of steps, and of rows or columns."""


def shape_of(shape: Shape) -> Shape:
    """(m, n), both whole and at least 1."""
    try:
        m, n = shape
        whole = not isinstance(m, bool) and not isinstance(n, bool) and int(m) == m and int(n) == n
    except (TypeError, ValueError, OverflowError):
        whole = False
    need(whole and min(shape) >= 1, "shape == (m, n), both >= 1", shape=shape)
    need(max(shape) <= TALLEST, f"m, n <= {TALLEST}", shape=shape)
    return int(shape[0]), int(shape[1])


def spikes_of(spike: Spike) -> Floats:
    """|lambda_1|..|lambda_r| as given, (r,)."""
    theta = np.abs(np.atleast_1d(numbers(spike)))
    need(theta.ndim == 1 and theta.size and np.all((theta > 0) & np.isfinite(theta)), "spikes finite, not 0", spike=spike)
    inside = np.all((theta >= SMALLEST) & (theta <= LARGEST))
    need(inside, f"{SMALLEST:g} <= |spike| <= {LARGEST:g}", spike=spike)
    return theta


def one(spike: float) -> float:
    """One lambda, where several would need one answer each."""
    need(real(spike), "one spike, a number", spike=spike)
    return spike


def spikes_in(shape: Shape, spikes: Spike) -> Floats:
    """The same, at most min(m, n) of them."""
    theta = spikes_of(spikes)
    need(theta.size <= min(shape_of(shape)), f"1 <= rank <= min(m, n) = {min(shape)}", rank=theta.size)
    return theta


def like(spike: Spike, value: Floats) -> Any:
    """An array (r,) for a tuple of spikes, a number for one."""
    return value if np.ndim(spike) else float(value[0])


def real(value: object) -> bool:
    """Whether a value is one real number that a float can hold, and no bool."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        return False
    return isinstance(value, float | np.floating) or abs(int(value)) < 1 << 1000


def sigma_of(sigma: float) -> float:
    """Standard deviation of one noise entry."""
    need(real(sigma) and 0 < sigma < math.inf, "0 < sigma < inf", sigma=sigma)
    need(SMALLEST <= float(sigma) <= LARGEST, f"{SMALLEST:g} <= sigma <= {LARGEST:g}", sigma=sigma)
    return float(sigma)


def window_of(window: float) -> float:
    """T, a number."""
    need(real(window) and 1 <= window < math.inf, "1 <= T < inf", window=window)
    need(float(window) <= WIDEST, f"T <= {WIDEST:g}", window=window)
    return float(window)


def steps_of(steps: int | None) -> int | None:
    """t, a whole number, or None for the steady state."""
    if steps is None:
        return None
    need(real(steps) and 1 <= steps < math.inf and int(steps) == steps, "steps: None or an integer >= 1", steps=steps)
    need(steps <= LONGEST, f"steps <= {LONGEST}", steps=steps)
    return int(steps)


def omega_of(omega: float, largest: float = math.pi) -> float:
    """Radians a step."""
    size = "pi" if largest == math.pi else "pi/2"
    need(real(omega) and -largest <= omega <= largest, f"-{size} <= omega <= {size}", omega=omega)
    return float(omega)


def level_of(q: float) -> float:
    """q of B1q and S7."""
    need(real(q) and 0 < q < 1, "0 < q < 1", q=q)
    return float(q)


def n_eff_of(window: ArrayLike) -> Floats:
    """2T - 1, of one window or many."""
    t = numbers(window)
    need(t.size and np.all((t >= 1) & np.isfinite(t)), "1 <= T < inf", window=window)
    need(np.all(t <= WIDEST), f"T <= {WIDEST:g}", window=window)
    return 2 * t - 1


def positive(name: str, value: ArrayLike) -> Floats:
    """A positive finite number or array."""
    x = numbers(value)
    need(x.size and np.all((x > 0) & np.isfinite(x)), f"0 < {name} < inf", **{name: value})
    return x


def share(name: str, value: ArrayLike) -> Floats:
    """A number or array in (0, 1]: gains and persistences."""
    x = numbers(value)
    need(x.size and np.all((x > 0) & (x <= 1)), f"0 < {name} <= 1", **{name: value})
    return x


def rank_of(rank: int, shape: Shape) -> int:
    """r, from 1 to min(m, n)."""
    limit = min(shape_of(shape))
    need(real(rank) and 1 <= rank <= limit and int(rank) == rank, f"1 <= rank <= min(m, n) = {limit}", rank=rank)
    return int(rank)


def numbers(value: ArrayLike) -> Floats:
    """A float array; empty of what holds no real numbers."""
    try:
        x = np.asarray(value)
    except ValueError:
        return np.empty(0)
    return x.astype(float) if x.dtype.kind in "iuf" else np.empty(0)
