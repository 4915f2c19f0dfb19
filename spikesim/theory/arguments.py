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


def shape_of(shape: Shape) -> Shape:
    """(m, n), both whole and at least 1."""
    try:
        m, n = shape
        whole = not isinstance(m, bool) and not isinstance(n, bool) and int(m) == m and int(n) == n
    except (TypeError, ValueError, OverflowError):
        whole = False
    need(whole and min(shape) >= 1, "shape == (m, n), both >= 1", shape=shape)
    return int(shape[0]), int(shape[1])


def spikes_of(spike: Spike) -> Floats:
    """|lambda_1|..|lambda_r| as given, (r,)."""
    try:
        theta = np.abs(np.atleast_1d(np.asarray(spike, float)))
    except (TypeError, ValueError):
        theta = np.empty(0)
    need(theta.ndim == 1 and theta.size and np.all((theta > 0) & np.isfinite(theta)), "spikes finite, not 0", spike=spike)
    return theta


def spikes_in(shape: Shape, spikes: Spike) -> Floats:
    """The same, at most min(m, n) of them."""
    theta = spikes_of(spikes)
    need(theta.size <= min(shape_of(shape)), f"1 <= rank <= min(m, n) = {min(shape)}", rank=theta.size)
    return theta


def like(spike: Spike, value: Floats) -> Any:
    """An array (r,) for a tuple of spikes, a number for one."""
    return value if np.ndim(spike) else float(value[0])


def sigma_of(sigma: float) -> float:
    """Standard deviation of one noise entry."""
    need(np.ndim(sigma) == 0 and 0 < sigma < math.inf, "0 < sigma < inf", sigma=sigma)
    return float(sigma)


def window_of(window: float) -> float:
    """T, a number."""
    need(np.ndim(window) == 0 and 1 <= window < math.inf, "1 <= T < inf", window=window)
    return float(window)


def n_eff_of(window: ArrayLike) -> Floats:
    """2T - 1, of one window or many."""
    t = np.asarray(window, float)
    need(np.all((t >= 1) & np.isfinite(t)), "1 <= T < inf", window=window)
    return 2 * t - 1


def level_of(q: float) -> float:
    """q of B1q and S7."""
    need(0 < q < 1, "0 < q < 1", q=q)
    return q


def positive(name: str, value: ArrayLike) -> Floats:
    """A positive finite number or array."""
    x = np.asarray(value, float)
    need(np.all((x > 0) & np.isfinite(x)), f"0 < {name} < inf", **{name: value})
    return x


def share(name: str, value: ArrayLike) -> Floats:
    """A number or array in (0, 1]: gains and persistences."""
    x = np.asarray(value, float)
    need(np.all((x > 0) & (x <= 1)), f"0 < {name} <= 1", **{name: value})
    return x
