"""Exponential moving sums of a stack on a GPU: a thread for one entry of one trial, every window's sum in a register.

The input is read once, whatever the number of windows. See ema.py.
"""

from typing import Any

import numpy as np
from numba import cuda, from_dtype, uint64

from spikesim.arrays import Array, array_namespace, type_name
from spikesim.kernels.launch import THREADS, launch
from spikesim.kernels.once import once


@once
def _kernel_of(windows: int, dtype: str) -> Any:
    real = from_dtype(np.dtype(dtype))

    @cuda.jit
    def kernel(sums, x, betas):
        """sums: (B, K, E), updated; x: (B, steps, E); betas: (K,)."""
        e, i = uint64(cuda.grid(1)), uint64(cuda.blockIdx.y)
        if e >= x.shape[2]:
            return
        a, b = cuda.local.array(windows, real), cuda.local.array(windows, real)
        for k in range(windows):
            a[k], b[k] = sums[i, k, e], betas[k]
        s, steps = uint64(0), uint64(x.shape[1])
        while s < steps:  # numba's range costs more than a step
            g = x[i, s, e]
            for k in range(windows):
                a[k] = b[k] * a[k] + g
            s += uint64(1)
        for k in range(windows):
            sums[i, k, e] = a[k]

    return kernel


def accumulate(sums: Array, x: Array, betas: Array) -> Array:
    """As ema.accumulate, for one input for all windows: x (..., steps, 1, m, n)."""
    xp, shape = array_namespace(sums, x), sums.shape
    steps, entries, windows = x.shape[-4], x.shape[-2] * x.shape[-1], betas.shape[0]
    flat, inputs = xp.reshape(sums, (-1, windows, entries)), xp.reshape(x, (-1, steps, entries))
    kernel = _kernel_of(windows, type_name(sums))
    launch(kernel, (-(-entries // THREADS), flat.shape[0]), flat, inputs, xp.astype(betas, sums.dtype))
    return xp.reshape(flat, shape)
