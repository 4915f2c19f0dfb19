"""Exponential moving sums of a stack over several momenta: a <- beta a + x, step by step.

One portable form for any array namespace, and a compiled one for NumPy that keeps a tile in the first-level cache;
no fast-math, so both give the same bits.
"""

import numpy as np
from numba import njit

from spikesim.arrays import Array
from spikesim.kernels.lanes import LANES, load, splat, store

TILE = 256
"""Entries whose steps are read for every window before the next ones': they stay in the first-level cache."""
STEPS = 8
"""Steps that a pack of sums takes between its load and its store."""


@njit(nogil=True, error_model="numpy")
def _compiled(sums, x, betas, entries, lanes):
    """sums: (B, K * entries), x: (B, steps * entries), betas: (K,); sums in place."""
    for b in range(len(sums)):
        steps = x.shape[1] // entries
        for start in range(0, entries, TILE):
            stop = min(start + TILE, entries)
            whole = start + (stop - start) // lanes * lanes
            for first in range(0, steps, STEPS):
                after = min(first + STEPS, steps)
                for k in range(betas.size):
                    _advance(sums[b], x[b], betas[k], k * entries, start, whole, stop, first, after, entries, lanes)


@njit(nogil=True, error_model="numpy")
def _advance(sums, x, beta, row, start, whole, stop, first, after, entries, lanes):
    """One window's sums over a few steps of a tile."""
    if whole > start:
        factor = splat(beta, load(sums, row))
        for e in range(start, whole, lanes):
            a = load(sums, row + e)
            for s in range(first, after):
                a = factor * a + load(x, s * entries + e)
            store(sums, row + e, a)
    for e in range(whole, stop):
        for s in range(first, after):
            sums[row + e] = beta * sums[row + e] + x[s * entries + e]


def portable(sums: Array, x: Array, betas: Array) -> Array:
    """The recurrence in the arrays' own namespace; see `accumulate`."""
    for s in range(x.shape[-4]):
        sums = betas[:, None, None] * sums + x[..., s, :, :, :]
    return sums


def accumulate(sums: Array, x: Array, betas: Array) -> Array:
    """Sums after the steps of x.

    Args:
        sums: Shape (..., K, m, n); may be overwritten.
        x: Shape (..., steps, W, m, n), W = 1 (one input for all windows) or K.
        betas: Shape (K,).

    Returns:
        Shape (..., K, m, n).
    """
    if not (isinstance(sums, np.ndarray) and isinstance(x, np.ndarray) and x.shape[-3] == 1 and sums.size):
        return portable(sums, x, betas)
    entries = x.shape[-2] * x.shape[-1]
    flat = np.ascontiguousarray(sums).reshape(-1, betas.size * entries)
    steps = np.ascontiguousarray(x, sums.dtype).reshape(len(flat), x.shape[-4] * entries)
    _compiled(flat, steps, betas.astype(sums.dtype), entries, LANES[sums.dtype.name])
    return flat.reshape(sums.shape)
