"""A kernel that writes random words: the layout of spikesim/rng.py, from the function that the CPU uses."""

from functools import cache
from typing import Any

import numpy as np
from numba import cuda
from numpy.typing import NDArray

from spikesim import rng
from spikesim.kernels.launch import THREADS, launch
from spikesim.kernels.philox import word_at
from spikesim.kernels.retarget import retargeted


@cache
def _kernel() -> Any:
    word = retargeted(word_at, {}, cuda.jit(device=True), {})

    @cuda.jit
    def kernel(out, entry, step, trial, domain, draw, k0, k1):  # type: ignore[no-untyped-def]
        i = cuda.grid(1)
        if i < out.size:
            out[i] = word(entry[i], step[i], trial, domain, draw, k0, k1)

    return kernel


def device_words(
    xp: Any, seed: int, domain: int, trial: int, steps: NDArray[np.uint64], entries: NDArray[np.uint64], draw: int
) -> Any:
    """rng.words at places (P,), an array of xp: CuPy's, or NumPy's in numba's simulator."""
    out = xp.empty(entries.size, xp.uint32)
    numbers = np.uint64(trial), np.uint64(domain), np.uint64(draw), *rng.key(seed)
    launch(_kernel(), -(-entries.size // THREADS), out, xp.asarray(entries), xp.asarray(steps), *numbers)
    return out
