"""Exponential moving sums of a stack over several momenta: a <- beta a + x, step by step.

One portable form for any array namespace, and compiled ones: for NumPy, which keeps a tile in the first-level cache and has
no fast-math, so that both give the same bits, and for CuPy (ema_cuda.py).
"""

import numpy as np
from array_api_compat import is_cupy_array
from numba import njit, uint64

from spikesim.arrays import Array
from spikesim.kernels.compiled import inner
from spikesim.kernels.width import full_width

TILE = 256
STEPS = 8


@inner
def _together(sums, row, x, first, entries, count, beta):
    """STEPS steps of `count` sums, each in a register meanwhile; unsigned offsets are not checked for their sign."""
    full_width()
    for e in range(count):
        a = sums[row + uint64(e)]
        for s in range(STEPS):
            a = beta * a + x[first + uint64(s) * entries + uint64(e)]
        sums[row + uint64(e)] = a


@inner
def _one(sums, row, x, first, count, beta):
    full_width()
    for e in range(count):
        sums[row + uint64(e)] = beta * sums[row + uint64(e)] + x[first + uint64(e)]


@njit(nogil=True, error_model="numpy")
def _compiled(sums, x, betas, steps, entries):
    """sums: (B * K * E,), x: (B * steps * E,), betas: (K,); sums in place."""
    whole, pitch = steps // STEPS * STEPS, uint64(entries)
    for b in range(sums.size // (betas.size * entries)):
        for start in range(0, entries, TILE):
            count = min(TILE, entries - start)
            for k in range(betas.size):
                row = uint64((b * betas.size + k) * entries + start)
                for s in range(0, whole, STEPS):
                    _together(sums, row, x, uint64((b * steps + s) * entries + start), pitch, count, betas[k])
                for s in range(whole, steps):
                    _one(sums, row, x, uint64((b * steps + s) * entries + start), count, betas[k])


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
    shared = x.shape[-3] == 1 and 0 not in sums.shape
    if shared and is_cupy_array(sums):
        from spikesim.kernels.ema_cuda import accumulate as on_gpu

        return on_gpu(sums, x, betas)
    if not (shared and isinstance(sums, np.ndarray) and isinstance(x, np.ndarray)):
        return portable(sums, x, betas)
    steps, entries = x.shape[-4], x.shape[-2] * x.shape[-1]
    flat = np.ascontiguousarray(sums).reshape(-1)
    _compiled(flat, np.ascontiguousarray(x).reshape(-1), betas.astype(sums.dtype), steps, entries)
    return flat.reshape(sums.shape)
