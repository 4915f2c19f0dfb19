"""The stream kernel: unit noise and its exponential moving averages, entry block by entry block.

A block of BLOCK entries advances STEPS steps at a time through loops whose buffers stay in the first-level cache:
words (Philox) -> numbers of unit scale (a *fill*, one a law) -> K accumulators a <- beta a + g. The stream itself is never
stored. Flat buffers with plain offsets: row views of a matrix ran ten times slower.

Accumulators use no fast-math flags, so their bits do not depend on how the steps are cut into calls.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numba import njit

from spikesim.kernels.fills import BLOCK, FILLS, STEPS, scratch
from spikesim.kernels.width import full_width

CONTRACT = {"contract"}
"""Fast-math of the accumulators: a product and a sum in one rounding, in whatever order they are written."""


@njit(nogil=True, error_model="numpy")
def _multiply(g, factor, t, count):
    """Numbers of each step times its factor, in their own type."""
    full_width()
    one = g[:1].copy()
    for s in range(count):
        one[0] = factor[t + s]
        f = one[0]
        for e in range(BLOCK):
            g[s * BLOCK + e] *= f


@njit(nogil=True, error_model="numpy", fastmath=CONTRACT)
def _advance_one(row, b, g, count):
    """a <- b a + g over the first `count` rows; STEPS rows at once keep a in a register."""
    full_width()
    if count == STEPS:
        for e in range(BLOCK):
            a = row[e]
            for s in range(STEPS):
                a = b * a + g[s * BLOCK + e]
            row[e] = a
    else:
        for s in range(count):
            for e in range(BLOCK):
                row[e] = b * row[e] + g[s * BLOCK + e]


@njit(nogil=True, error_model="numpy", fastmath=CONTRACT)
def _advance_two(first, second, b, c, g):
    """The same for two windows and all STEPS: each number is read, and widened, once for both."""
    full_width()
    for e in range(BLOCK):
        x, y = first[e], second[e]
        for s in range(STEPS):
            x = b * x + g[s * BLOCK + e]
            y = c * y + g[s * BLOCK + e]
        first[e], second[e] = x, y


@njit(nogil=True, error_model="numpy")
def _accumulate(acc, stride, entry, g, beta, count):
    """All windows; one of beta = 0 keeps the newest step."""
    full_width()
    k = 0
    while k < beta.size:
        row = acc[k * stride + entry : k * stride + entry + BLOCK]
        if beta[k] == 0:
            last = g[(count - 1) * BLOCK : count * BLOCK]
            for e in range(BLOCK):
                row[e] = last[e]
        elif count == STEPS and k + 1 < beta.size and beta[k + 1] != 0:
            k += 1
            _advance_two(row, acc[k * stride + entry : k * stride + entry + BLOCK], beta[k - 1], beta[k], g)
        else:
            _advance_one(row, beta[k], g, count)
        k += 1


@njit(nogil=True, error_model="numpy")
def _write(out, t, entry, g, scale, mean, count):
    """Rows of numbers, scaled and shifted, to their places."""
    full_width()
    entries = scale.size
    size = min(BLOCK, entries - entry)
    part = scale[entry : entry + size]
    for s in range(count):
        row = out[(t + s) * entries + entry : (t + s) * entries + entry + size]
        for e in range(size):
            row[e] = g[s * BLOCK + e] * part[e] + mean


@cache
def stream_kernel(name: str) -> Callable[..., Any]:
    """The compiled stream kernel of one fill.

    Returns:
        ``advance(acc, out, state, beta, factor, step, steps, trial, domain, k0, k1, p, scale, mean)``. acc: (K * E,)
        unnormalised accumulators, updated; out: (steps * N,) that receives the numbers, times scale (N,), plus mean, or
        empty; state: (E,) float64, what a recursive law remembers, updated; beta: (K,); factor: (steps,) per-step
        factors, or empty. E is N rounded up to a multiple of BLOCK; step is even, and steps a multiple of STEPS unless
        nothing follows.
    """
    fill, single = FILLS[name]

    @njit(nogil=True)
    def numbers(acc):
        return scratch(np.float32) if single else scratch(acc.dtype)

    @njit(nogil=True, error_model="numpy")
    def advance(acc, out, state, beta, factor, step, steps, trial, domain, k0, k1, p, scale, mean):
        packed, g, other = scratch(np.uint64), numbers(acc), scratch(np.float64)
        word = packed.view(np.uint32)
        stride = state.size
        for entry in range(0, stride, BLOCK):
            memory = state[entry : entry + BLOCK]
            for t in range(0, steps, STEPS):
                fill(word, packed, g, other, memory, t == 0, entry, step + t, trial, domain, k0, k1, p)
                count = min(STEPS, steps - t)
                if factor.size > 0:
                    _multiply(g, factor, t, count)
                _accumulate(acc, stride, entry, g, beta, count)
                if out.size > 0:
                    _write(out, t, entry, g, scale, mean, count)

    return advance
