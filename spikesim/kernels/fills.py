"""Fills: the words of one block turned to numbers of unit scale, a fill for each law.

A pass over all numbers takes each word alone, so that LLVM vectorises it, and reports the smallest word it saw; only where
that is below SMALL a second pass, over those few places, draws the further bits that rng.py asks for.

A fill has arguments ``(word, packed, g, other, state, fresh, entry, step, trial, domain, k0, k1, p)``. word: the WORDS
words, row after row of steps, and packed: the same memory, two words in each uint64 (the low half is the even entry); g:
receives the numbers; other: float64 scratch of WORDS; state: of the block, (BLOCK,) float64,
what a recursive law remembers; fresh: whether this is the block's first call; p: the law's shape parameters.
"""

import math

import numpy as np
from numba import float32, njit, uint64

from spikesim.kernels import transforms as tr
from spikesim.kernels.compiled import inner
from spikesim.kernels.philox import DRAW_SHIFT, HALF, MASK, fine_fraction, unmasked
from spikesim.kernels.width import full_width

BLOCK = 256
STEPS = 8
WORDS = STEPS * BLOCK
SMALL = np.uint32(1 << 16)  # rng.SMALL_WORD
LARGEST = np.uint32(0xFFFFFFFF)


@njit(inline="always")
def _pack(packed, row, e, words):
    """One group, two entries by two steps, to its two rows."""
    c0, c1, c2, c3 = words
    packed[row + e] = (c0 & MASK) | (c1 << HALF)
    packed[row + BLOCK // 2 + e] = (c2 & MASK) | (c3 << HALF)


@inner
def _words(packed, entry, step, trial, domain, draw, k0, k1):
    """All STEPS in one body: four groups at a time share their keys and hide each other's latency."""
    full_width()
    c3, first, pair = domain | (draw << DRAW_SHIFT), uint64(entry >> 1), uint64(step >> 1)
    for e in range(BLOCK // 2):
        group = first + uint64(e)
        _pack(packed, 0, e, unmasked(group, pair, trial, c3, k0, k1))
        _pack(packed, BLOCK, e, unmasked(group, pair + uint64(1), trial, c3, k0, k1))
        _pack(packed, 2 * BLOCK, e, unmasked(group, pair + uint64(2), trial, c3, k0, k1))
        _pack(packed, 3 * BLOCK, e, unmasked(group, pair + uint64(3), trial, c3, k0, k1))


@inner(fastmath=tr.FAST)
def _box_muller(word, g):
    """Rows 2j and 2j + 1 from their words; returns the smallest word that set a radius."""
    full_width()
    smallest = LARGEST
    for j in range(STEPS // 2):
        row = 2 * j * BLOCK
        for e in range(BLOCK):
            a = word[row + e]
            smallest = min(smallest, a)
            length = tr.radius(a)
            x, y = tr.direction(word[row + BLOCK + e])
            g[row + e], g[row + BLOCK + e] = length * x, length * y
    return smallest


@inner
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


@njit(inline="always")
def _gaussian(word, packed, g, other, state, fresh, entry, step, trial, domain, k0, k1, p):
    _words(packed, entry, step, trial, domain, uint64(0), k0, k1)
    if _box_muller(word, g) < SMALL:
        _refine_normals(word, g, entry, step, trial, domain, k0, k1)


@njit(inline="always")
def _frozen(word, packed, g, other, state, fresh, entry, step, trial, domain, k0, k1, p):
    """The normals of step 0 at every step, kept in `other`."""
    full_width()
    if fresh:
        _gaussian(word, packed, g, other, state, fresh, entry, 0, trial, domain, k0, k1, p)
        for e in range(BLOCK):
            other[e] = g[e]
    for s in range(STEPS):
        for e in range(BLOCK):
            g[s * BLOCK + e] = other[e]


@njit(inline="always")
def _rademacher(word, packed, g, other, state, fresh, entry, step, trial, domain, k0, k1, p):
    full_width()
    _words(packed, entry, step, trial, domain, uint64(0), k0, k1)
    for i in range(WORDS):
        g[i] = tr.sign(word[i])


def _signed(law):
    """The fill of a law of one word: a sign, a uniform of the other bits, and its shape parameter."""

    @njit(nogil=True, error_model="numpy")
    def plain(word, g, shape):
        full_width()
        smallest = LARGEST
        for i in range(WORDS):
            w = word[i]
            smallest = min(smallest, w)
            g[i] = law(w, tr.uniform31(w, 0.5), shape)
        return smallest

    @njit(inline="always")
    def fill(word, packed, g, other, state, fresh, entry, step, trial, domain, k0, k1, p):
        _words(packed, entry, step, trial, domain, uint64(0), k0, k1)
        if plain(word, g, p[0]) < SMALL:
            for i in range(WORDS):
                if word[i] < SMALL:
                    place = uint64(entry + i % BLOCK), uint64(step + i // BLOCK)
                    f = fine_fraction(*place, trial, domain, uint64(0), k0, k1)
                    g[i] = law(word[i], tr.uniform31(word[i], f), p[0])

    return fill


@inner
def _plain_student_t(word, g, other, df):
    full_width()
    smallest = LARGEST
    for i in range(WORDS):
        smallest = min(smallest, word[i])
        g[i] = tr.student_t(tr.uniform(word[i], 0.5), other[i], df)
    return smallest


@njit(inline="always")
def _student_t(word, packed, g, other, state, fresh, entry, step, trial, domain, k0, k1, p):
    full_width()
    _words(packed, entry, step, trial, domain, uint64(1), k0, k1)
    for i in range(WORDS):
        other[i] = tr.uniform(word[i], 0.5)
    _words(packed, entry, step, trial, domain, uint64(0), k0, k1)
    if _plain_student_t(word, g, other, p[0]) < SMALL:
        for i in range(WORDS):
            if word[i] < SMALL:
                place = uint64(entry + i % BLOCK), uint64(step + i // BLOCK)
                f = fine_fraction(*place, trial, domain, uint64(0), k0, k1)
                g[i] = tr.student_t(tr.uniform(word[i], f), other[i], p[0])


@inner
def _exponentials(word, packed, other, entry, step, trial, domain, k0, k1):
    """-ln(1 - v) of the second words, into `other`."""
    full_width()
    _words(packed, entry, step, trial, domain, uint64(1), k0, k1)
    smallest = LARGEST
    for i in range(WORDS):
        smallest = min(smallest, word[i])
        other[i] = tr.exponential(word[i])
    if smallest < SMALL:
        for i in range(WORDS):
            if word[i] < SMALL:
                place = uint64(entry + i % BLOCK), uint64(step + i // BLOCK)
                f = fine_fraction(*place, trial, domain, uint64(1), k0, k1)
                other[i] = -math.log1p(-tr.uniform(word[i], f))


@inner
def _plain_stable(word, g, other, alpha):
    full_width()
    smallest = LARGEST
    for i in range(WORDS):
        w = word[i]
        smallest = min(smallest, w)
        g[i] = tr.stable(w, tr.uniform31(w, 0.5), other[i], alpha)
    return smallest


@njit(inline="always")
def _stable(word, packed, g, other, state, fresh, entry, step, trial, domain, k0, k1, p):
    _exponentials(word, packed, other, entry, step, trial, domain, k0, k1)
    _words(packed, entry, step, trial, domain, uint64(0), k0, k1)
    if _plain_stable(word, g, other, p[0]) < SMALL:
        for i in range(WORDS):
            if word[i] < SMALL:
                place = uint64(entry + i % BLOCK), uint64(step + i // BLOCK)
                f = fine_fraction(*place, trial, domain, uint64(0), k0, k1)
                g[i] = tr.stable(word[i], tr.uniform31(word[i], f), other[i], p[0])


@njit(inline="always")
def _arch(word, packed, g, other, state, fresh, entry, step, trial, domain, k0, k1, p):
    """x_t = sqrt(1 - alpha + alpha x_{t-1}^2) z_t: variance 1."""
    full_width()
    z = other.view(np.float32)
    _gaussian(word, packed, z, other, state, fresh, entry, step, trial, domain, k0, k1, p)
    alpha = p[0]
    for s in range(STEPS):
        for e in range(BLOCK):
            x = math.sqrt(1 - alpha + alpha * (state[e] * state[e])) * z[s * BLOCK + e]
            state[e] = x
            g[s * BLOCK + e] = x


@njit(inline="always")
def _ar1(word, packed, g, other, state, fresh, entry, step, trial, domain, k0, k1, p):
    """x_t = phi x_{t-1} + sqrt(1 - phi^2) z_t: variance 1."""
    full_width()
    z = other.view(np.float32)
    _gaussian(word, packed, z, other, state, fresh, entry, step, trial, domain, k0, k1, p)
    phi = p[0]
    new = math.sqrt(1 - phi**2)
    for s in range(STEPS):
        for e in range(BLOCK):
            x = phi * state[e] + new * z[s * BLOCK + e]
            state[e] = x
            g[s * BLOCK + e] = x


@njit(inline="always")
def _mixture(word, packed, g, other, state, fresh, entry, step, trial, domain, k0, k1, p):
    """Normals of the first words, components of the second ones."""
    full_width()
    z = other.view(np.float32)
    _gaussian(word, packed, z, other, state, fresh, entry, step, trial, domain, k0, k1, p)
    _words(packed, entry, step, trial, domain, uint64(1), k0, k1)
    rare, factor, separation = p[0], p[1], p[2]
    for i in range(WORDS):
        g[i] = tr.mixture(z[i], word[i], rare, factor, separation)


FILLS = {
    "gaussian": (_gaussian, True),
    "frozen": (_frozen, True),
    "rademacher": (_rademacher, True),
    "laplace": (_signed(tr.laplace), False),
    "pareto": (_signed(tr.symmetric_pareto), False),
    "student_t": (_student_t, False),
    "stable": (_stable, False),
    "arch": (_arch, False),
    "ar1": (_ar1, False),
    "mixture": (_mixture, False),
}
"""Name -> (fill, whether its numbers are float32 in themselves; if not they are of the accumulators' type)."""

UNITS = {
    "gaussian": 4, "frozen": 4, "rademacher": 0, "laplace": 6, "pareto": 6, "student_t": 6, "stable": 16, "arch": 16,
    "ar1": 16, "mixture": 16,
}  # fmt: skip
"""How far a number may be from another target's, which fuses products and sums in other places, in units in its last place:
of float32 for what is made of normals (for recursive laws at its own size, or 1 where that is more; for mixtures that or the
separation), else of float64."""
