"""Exponential moving sums of a stack over several momenta: a <- beta a + x, step by step.

One portable form for any array namespace, and a compiled one for NumPy that keeps a tile in the first-level cache;
no fast-math, so both give the same bits.
"""

import numpy as np
from numba import njit

from spikesim.arrays import Array

TILE = 1024


@njit(nogil=True, error_model="numpy")
def _compiled(sums, x, betas):
    """sums: (B, K, E), x: (B, steps, E), betas: (K,); sums in place."""
    for b in range(sums.shape[0]):
        for start in range(0, sums.shape[2], TILE):
            stop = min(start + TILE, sums.shape[2])
            for k in range(betas.size):
                beta = betas[k]
                for s in range(x.shape[1]):
                    for e in range(start, stop):
                        sums[b, k, e] = beta * sums[b, k, e] + x[b, s, e]


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
    flat = np.ascontiguousarray(sums).reshape(-1, betas.size, entries)
    _compiled(flat, np.ascontiguousarray(x).reshape(flat.shape[0], x.shape[-4], entries), betas.astype(sums.dtype))
    return flat.reshape(sums.shape)
