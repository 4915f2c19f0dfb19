"""CuPy scripts for noise and its averages: cuRAND fills a chunk of steps, then one of two ways advances the averages.

fused    a kernel of a few lines reads the chunk once and keeps an entry's K averages in registers meanwhile
product  the averages of all windows by one matrix product a chunk
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from benchmarks.cupy_gram import Array, namespace, normals
from benchmarks.workloads import chunk_weights

SOURCE = r"""
extern "C" __global__ void advance(
    const T* __restrict__ z, const T* __restrict__ beta, T* __restrict__ sums, long long entries, int steps)
{
    const long long all = (long long)gridDim.x * blockDim.x;
    for (long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x; i < entries; i += all) {
        T a[K], b[K];
        #pragma unroll
        for (int k = 0; k < K; ++k) { a[k] = sums[k * entries + i]; b[k] = beta[k]; }
        for (int s = 0; s < steps; ++s) {
            T g = z[s * entries + i];
            #pragma unroll
            for (int k = 0; k < K; ++k) a[k] = b[k] * a[k] + g;
        }
        #pragma unroll
        for (int k = 0; k < K; ++k) sums[k * entries + i] = a[k];
    }
}
"""
"""a <- beta a + g over a chunk z (steps, entries); sums (K, entries). T and K are put before it."""
THREADS = 256


def source(dtype: str, windows: int) -> str:
    """The fused kernel in CUDA C++."""
    return f"#define T {'float' if dtype == 'float32' else 'double'}\n#define K {windows}\n{SOURCE}"


@cache
def _fused(dtype: str, windows: int) -> Any:
    return namespace().RawKernel(source(dtype, windows), "advance")


def noise_ema(
    entries: int, windows: Sequence[float], steps: int, seed: int, dtype: str, chunk: int = 16, fused: bool = True,
    xp: Any = None,
) -> Array:  # fmt: skip
    """Averages (K, entries) of standard normal steps from zero; steps: a multiple of chunk. xp: numpy in CuPy's place."""
    xp = xp or namespace()
    kind, draw, betas = xp.dtype(dtype), normals(xp, seed), 1 - 1 / np.array(windows)
    sums = xp.zeros((betas.size, entries), kind)
    momenta = xp.asarray(betas, kind)
    decay, weights = (xp.asarray(x, kind) for x in chunk_weights(betas, chunk))
    for _ in range(steps // chunk):
        z = draw((chunk, entries), kind)
        if fused:
            blocks = -(-entries // THREADS)
            _fused(dtype, betas.size)((blocks,), (THREADS,), (z, momenta, sums, np.int64(entries), np.int32(chunk)))
        else:
            sums *= decay
            sums += weights @ z
    return sums * (1 - momenta)[:, None] if fused else sums
