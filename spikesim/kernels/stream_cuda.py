"""The stream kernel on a GPU: unit noise and its exponential moving averages, a thread for two entries of one trial.

A thread draws two entries by two steps at a time (quads.py) and holds its averages in registers; the stream itself reaches
memory only where it is asked for. Entries of a warp lie side by side, so that what is written coalesces.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import cuda, from_dtype, uint64

from spikesim.arrays import Array, array_namespace, type_name
from spikesim.kernels.fills import FILLS
from spikesim.kernels.launch import THREADS, launch
from spikesim.kernels.once import once
from spikesim.kernels.quads import QUADS, SHAPES

PAIR = 2
"""Entries of a thread: what those of a matrix are rounded up to."""


@once
def kernel_of(name: str, windows: int, dtype: str) -> Any:
    """The kernel of a fill for so many windows, each number of windows its own: averages are in registers then."""
    draw, read, single = QUADS[name], SHAPES[name], FILLS[name][1]
    real = from_dtype(np.dtype(dtype))
    number = from_dtype(np.dtype("float32")) if single else real
    room = max(windows, 1)

    @cuda.jit
    def kernel(sums, out, memory, beta, factor, step, steps, trials, domain, k0, k1, p, scale, shift):
        group, i = uint64(cuda.grid(1)), uint64(cuda.blockIdx.y)  # unsigned: no index counts from the end
        first, entries = uint64(PAIR) * group, uint64(scale.size)
        second, kept, scaled = first + uint64(1), out.shape[1] > 0, factor.shape[1] > 0
        if first >= memory.shape[1]:
            return
        left, right, b = cuda.local.array(room, real), cuda.local.array(room, real), cuda.local.array(room, real)
        for k in range(windows):
            left[k], right[k], b[k] = sums[i, k, first], sums[i, k, second], beta[k]
        x, y, trial, shape = memory[i, first], memory[i, second], trials[i], read(p)
        s0, s1, m0, m1 = real(0), real(0), real(0), real(0)
        if first < entries:
            s0, m0 = scale[first], shift[first]
        if second < entries:
            s1, m1 = scale[second], shift[second]
        for t in range(uint64(0), uint64(steps), uint64(2)):
            pair, both = (uint64(step) + t) >> uint64(1), t + uint64(1) < uint64(steps)
            z0, z1, z2, z3, x, y = draw(x, y, group, pair, trial, domain, k0, k1, shape)
            g0, g1, h0, h1 = number(z0), number(z1), number(z2), number(z3)
            if scaled:
                g0, g1 = g0 * factor[i, t], g1 * factor[i, t]
                if both:
                    h0, h1 = h0 * factor[i, t + uint64(1)], h1 * factor[i, t + uint64(1)]
            for k in range(windows):
                left[k], right[k] = b[k] * left[k] + g0, b[k] * right[k] + g1
            if both:
                for k in range(windows):
                    left[k], right[k] = b[k] * left[k] + h0, b[k] * right[k] + h1
            if kept:
                row = t * entries
                after = row + entries
                if first < entries:
                    out[i, row + first] = g0 * s0 + m0
                if second < entries:
                    out[i, row + second] = g1 * s1 + m1
                if both and first < entries:
                    out[i, after + first] = h0 * s0 + m0
                if both and second < entries:
                    out[i, after + second] = h1 * s1 + m1
        for k in range(windows):
            sums[i, k, first], sums[i, k, second] = left[k], right[k]
        memory[i, first], memory[i, second] = x, y

    return kernel


def advance(
    fill: str, sums: Array, out: Array, memory: Array, beta: Array, factor: Array, step: int, steps: int,
    trials: Sequence[int], domain: int, key: tuple[np.uint64, np.uint64], p: Array, scale: Array, shift: Array,
) -> None:  # fmt: skip
    """As devices.cpu.CPU.draw: all trials of a block at once, E even."""
    xp, dtype = array_namespace(sums), type_name(sums)
    numbers = xp.asarray(np.asarray(trials, np.uint64))
    kind = xp.float32 if FILLS[fill][1] else sums.dtype
    pairs = -(-memory.shape[1] // PAIR)
    launch(
        kernel_of(fill, beta.shape[0], dtype), (-(-pairs // THREADS), len(trials)), sums, out, memory, beta,
        xp.astype(factor, kind), step, steps, numbers, np.uint64(domain), *key, p, scale, shift,
    )  # fmt: skip
