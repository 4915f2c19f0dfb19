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
from numba import float32, njit, uint32, uint64

from spikesim.kernels import transforms as tr
from spikesim.kernels.philox import DRAW_SHIFT, HALF, fine_fraction, philox

BLOCK = 256
STEPS = 8
WORDS = STEPS * BLOCK
SMALL = np.uint32(1 << 16)  # rng.SMALL_WORD


@njit(nogil=True, error_model="numpy")
def _words(packed, entry, step, trial, domain, draw, k0, k1):
    """Words of one block, row after row of steps, two packed in each uint64 (the low half is the even entry)."""
    half = BLOCK // 2
    c3 = domain | (draw << DRAW_SHIFT)
    for j in range(STEPS // 2):
        row = j * BLOCK
        for e in range(half):
            group = uint64((entry >> 1) + e)
            c0, c1, c2, c3_ = philox(group, uint64((step >> 1) + j), trial, c3, k0, k1)
            packed[row + e] = c0 | (c1 << HALF)
            packed[row + half + e] = c2 | (c3_ << HALF)


@njit(nogil=True, error_model="numpy", fastmath=tr.FAST)
def _box_muller(word, g):
    """Rows 2j and 2j + 1 from their words; returns the smallest word that set a radius."""
    smallest = uint32(0xFFFFFFFF)
    for j in range(STEPS // 2):
        row = 2 * j * BLOCK
        for e in range(BLOCK):
            a = word[row + e]
            smallest = min(smallest, a)
            length = tr.radius(a)
            x, y = tr.direction(word[row + BLOCK + e])
            g[row + e], g[row + BLOCK + e] = length * x, length * y
    return smallest


@njit(nogil=True, error_model="numpy")
def _refine_normals(word, g, entry, step, trial, domain, k0, k1):
    """Draw the radius again, with further bits, wherever its word is small."""
    for j in range(STEPS // 2):
        row = 2 * j * BLOCK
        for e in range(BLOCK):
            if word[row + e] < SMALL:
                f = fine_fraction(uint64(entry + e), uint64(step + 2 * j), trial, domain, uint64(0), k0, k1)
                length = float32(np.sqrt(-2 * np.log(tr.uniform(word[row + e], f))))
                x, y = tr.direction(word[row + BLOCK + e])
                g[row + e], g[row + BLOCK + e] = length * x, length * y


@njit(nogil=True, error_model="numpy")
def _normals(packed, word, g, entry, step, trial, domain, k0, k1):
    _words(packed, entry, step, trial, domain, uint64(0), k0, k1)
    if _box_muller(word, g) < SMALL:
        _refine_normals(word, g, entry, step, trial, domain, k0, k1)


@njit(nogil=True)
def _fraction(word, entry, step, trial, domain, number, k0, k1):
    if word < SMALL:
        return fine_fraction(uint64(entry), uint64(step), trial, domain, uint64(number), k0, k1)
    return 0.5


# Fills: (packed, word, g, state, entry, step, trial, domain, k0, k1, p), where p holds the law's shape parameters.


@njit(nogil=True, error_model="numpy")
def _gaussian(packed, word, g, state, entry, step, trial, domain, k0, k1, p):
    _normals(packed, word, g, entry, step, trial, domain, k0, k1)


@njit(nogil=True, error_model="numpy")
def _frozen(packed, word, g, state, entry, step, trial, domain, k0, k1, p):
    """The normals of step 0 at every step."""
    _normals(packed, word, g, entry, 0, trial, domain, k0, k1)
    for s in range(1, STEPS):
        for e in range(BLOCK):
            g[s * BLOCK + e] = g[e]


@njit(nogil=True, error_model="numpy")
def _rademacher(packed, word, g, state, entry, step, trial, domain, k0, k1, p):
    _words(packed, entry, step, trial, domain, uint64(0), k0, k1)
    for i in range(WORDS):
        g[i] = tr.sign(word[i])


def _signed(law):
    """The fill of a law of one word: a sign, a uniform of the other bits, and its shape parameter."""

    @njit(nogil=True, error_model="numpy")
    def fill(packed, word, g, state, entry, step, trial, domain, k0, k1, p):
        _words(packed, entry, step, trial, domain, uint64(0), k0, k1)
        for s in range(STEPS):
            for e in range(BLOCK):
                w = word[s * BLOCK + e]
                f = _fraction(w, entry + e, step + s, trial, domain, 0, k0, k1)
                g[s * BLOCK + e] = law(tr.sign(w), tr.uniform31(w, f), p[0])

    return fill


@njit(nogil=True, error_model="numpy")
def _student_t(packed, word, g, state, entry, step, trial, domain, k0, k1, p):
    _words(packed, entry, step, trial, domain, uint64(1), k0, k1)
    for i in range(WORDS):
        g[i] = tr.uniform(word[i], 0.5)
    _words(packed, entry, step, trial, domain, uint64(0), k0, k1)
    for s in range(STEPS):
        for e in range(BLOCK):
            i = s * BLOCK + e
            f = _fraction(word[i], entry + e, step + s, trial, domain, 0, k0, k1)
            g[i] = tr.student_t(tr.uniform(word[i], f), g[i], p[0])


@njit(nogil=True, error_model="numpy")
def _stable(packed, word, g, state, entry, step, trial, domain, k0, k1, p):
    _words(packed, entry, step, trial, domain, uint64(1), k0, k1)
    for s in range(STEPS):
        for e in range(BLOCK):
            i = s * BLOCK + e
            g[i] = tr.uniform(word[i], _fraction(word[i], entry + e, step + s, trial, domain, 1, k0, k1))
    _words(packed, entry, step, trial, domain, uint64(0), k0, k1)
    for s in range(STEPS):
        for e in range(BLOCK):
            i = s * BLOCK + e
            f = _fraction(word[i], entry + e, step + s, trial, domain, 0, k0, k1)
            g[i] = tr.stable(tr.sign(word[i]), tr.uniform31(word[i], f), g[i], p[0])


@njit(nogil=True, error_model="numpy")
def _arch(packed, word, g, state, entry, step, trial, domain, k0, k1, p):
    """x_t = sqrt(1 - alpha + alpha x_{t-1}^2) z_t: variance 1."""
    _normals(packed, word, g, entry, step, trial, domain, k0, k1)
    for s in range(STEPS):
        for e in range(BLOCK):
            x = np.sqrt(1 - p[0] + p[0] * state[entry + e] ** 2) * g[s * BLOCK + e]
            state[entry + e] = g[s * BLOCK + e] = x


@njit(nogil=True, error_model="numpy")
def _ar1(packed, word, g, state, entry, step, trial, domain, k0, k1, p):
    """x_t = phi x_{t-1} + sqrt(1 - phi^2) z_t: variance 1."""
    _normals(packed, word, g, entry, step, trial, domain, k0, k1)
    fresh = np.sqrt(1 - p[0] ** 2)
    for s in range(STEPS):
        for e in range(BLOCK):
            x = p[0] * state[entry + e] + fresh * g[s * BLOCK + e]
            state[entry + e] = g[s * BLOCK + e] = x


@njit(nogil=True, error_model="numpy")
def _accumulate(acc, stride, entry, g, beta, count):
    """a <- beta a + g over the first `count` rows; STEPS rows at once keep a in a register."""
    for k in range(beta.size):
        b, row = beta[k], k * stride + entry
        if count == STEPS:
            for e in range(BLOCK):
                a = acc[row + e]
                for s in range(STEPS):
                    a = b * a + g[s * BLOCK + e]
                acc[row + e] = a
        else:
            for s in range(count):
                for e in range(BLOCK):
                    acc[row + e] = b * acc[row + e] + g[s * BLOCK + e]


FILLS = {
    "gaussian": (_gaussian, np.float32),
    "frozen": (_frozen, np.float32),
    "rademacher": (_rademacher, np.float32),
    "laplace": (_signed(tr.laplace), np.float64),
    "pareto": (_signed(tr.symmetric_pareto), np.float64),
    "student_t": (_student_t, np.float64),
    "stable": (_stable, np.float64),
    "arch": (_arch, np.float64),
    "ar1": (_ar1, np.float64),
}
"""Name -> (fill, type of its numbers)."""


@cache
def stream_kernel(name: str) -> Callable[..., Any]:
    """The compiled stream kernel of one fill.

    Returns:
        ``advance(acc, out, state, beta, factor, step, steps, trial, domain, k0, k1, p)``. acc: (K * E,) unnormalised
        accumulators, updated; out: (steps * E,) that receives the numbers, or empty; state: (E,) float64, what a
        recursive law remembers, updated; beta: (K,); factor: (steps,) per-step factors, or empty. E is a multiple of
        BLOCK; step is even, and steps a multiple of STEPS unless nothing follows.
    """
    fill, number = FILLS[name]

    @njit(nogil=True, error_model="numpy")
    def advance(acc, out, state, beta, factor, step, steps, trial, domain, k0, k1, p):
        packed = np.empty(WORDS // 2, np.uint64)
        word = packed.view(np.uint32)
        g = np.empty(WORDS, number)
        stride = state.size
        for entry in range(0, stride, BLOCK):
            for t in range(0, steps, STEPS):
                fill(packed, word, g, state, entry, step + t, trial, domain, k0, k1, p)
                count = min(STEPS, steps - t)
                if factor.size > 0:
                    for s in range(count):
                        f = number(factor[t + s])
                        for e in range(BLOCK):
                            g[s * BLOCK + e] *= f
                _accumulate(acc, stride, entry, g, beta, count)
                if out.size > 0:
                    for s in range(count):
                        row = (t + s) * stride + entry
                        for e in range(BLOCK):
                            out[row + e] = g[s * BLOCK + e]

    return advance
