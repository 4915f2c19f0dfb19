"""The matrices of a signal: parts P_abj, and S_t and S_bar mixed of them (notation: base.py)."""

from functools import reduce
from operator import add

import numpy as np
from numpy.typing import NDArray

from spikesim.arrays import Array, array_namespace
from spikesim.signal.base import Constant, Doubles, Signal, gains

Floats = NDArray[np.floating]


def turned(turn: Doubles, frames: Doubles) -> Doubles:
    """The frame of a step, (size, r), from its turn (A,) and the frames (A, size, r)."""
    return frames[0] if len(frames) == 1 else np.tensordot(turn, frames, 1)


def products(u: Floats, v: Floats, spikes: Floats, shares: Doubles) -> Floats:
    """P_abj, (A, B, J, m, n), from frames u (A, m, r), v (B, n, r), spikes (r,) and shares (J, r), in the spikes' dtype."""
    each = (spikes * shares).astype(spikes.dtype)
    return np.stack([np.stack([np.stack([(x * part) @ y.T for part in each]) for y in v]) for x in u])


def mixed(coefficients: Doubles, parts: Array) -> Array:
    """sum_abj c_abj P_abj, (..., m, n), from coefficients (..., A, B, J) and parts (A, B, J, m, n), in the parts' dtype.

    Entry by entry in a fixed order, so that a step's matrix does not depend on its chunk.
    """
    c = array_namespace(parts).asarray(coefficients, dtype=parts.dtype)[..., None, None]
    return reduce(add, (c[..., a, b, j, :, :] * parts[a, b, j, ...] for a, b, j in np.ndindex(parts.shape[:3])))


def stepped(signal: Signal, parts: Array, first: int, after: int) -> Array:
    """S_t of steps first..after - 1, (steps, m, n); (1, m, n) where it does not move."""
    steps = np.arange(first, first + 1 if isinstance(signal, Constant) else after)
    return mixed(signal.coefficients(steps), parts)


def amplitudes(averages: Doubles, spikes: Floats, shares: Doubles) -> Floats:
    """The r largest singular values of S_bar, falling, (K, r), from C (K, A, B, J), spikes (r,) and shares (J, r)."""
    values = gains(averages, shares).astype(spikes.dtype)
    each = (values * np.abs(spikes)[:, None]).reshape(len(averages), -1)
    return -np.sort(-each, axis=-1)[:, : spikes.size]
