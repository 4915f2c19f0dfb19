"""Philox4x32-10, the counter-based generator behind every draw.

A block cipher on four 32-bit words: the same (counter, key) gives the same four words anywhere, so a draw needs no
state and no order. Arithmetic is on 64-bit integers that hold 32-bit values: numba promotes uint32 anyway, and LLVM
turns the masked products into packed 32-bit multiplications.

Source: Salmon, Moraes, Dror, Shaw, Parallel random numbers: as easy as 1, 2, 3 (SC 2011).
"""

import numpy as np
from numba import njit, uint32, uint64

M0, M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
W0, W1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
MASK, HALF = np.uint64(0xFFFFFFFF), np.uint64(32)
DRAW_SHIFT = np.uint64(8)


@njit(inline="always")  # inlined before LLVM sees it: several times faster than a call
def unmasked(c0, c1, c2, c3, a, b):
    """`philox`, with anything in the high halves of what it takes and returns but for the key.

    Only the factors of products need their high halves cleared, and a packed multiplication does not look at them.
    """
    for _ in range(10):
        p0, p1 = M0 * (c0 & MASK), M1 * (c2 & MASK)
        c0, c1, c2, c3 = (p1 >> HALF) ^ c1 ^ a, p1, (p0 >> HALF) ^ c3 ^ b, p0
        a, b = (a + W0) & MASK, (b + W1) & MASK
    return c0, c1, c2, c3


@njit(inline="always")
def philox(c0, c1, c2, c3, a, b):
    """Four words of counter (c0, c1, c2, c3) under key (a, b); every argument a uint64 below 2^32."""
    c0, c1, c2, c3 = unmasked(c0, c1, c2, c3, a, b)
    return c0 & MASK, c1 & MASK, c2 & MASK, c3 & MASK


@njit(nogil=True)
def word_at(entry, step, trial, domain, draw, k0, k1):
    """The word of one entry and step: the layout of rng.py, one word at a time."""
    c3 = uint64(domain) | (uint64(draw) << DRAW_SHIFT)
    w = philox(uint64(entry) >> uint64(1), uint64(step) >> uint64(1), uint64(trial), c3, k0, k1)
    place = (uint64(step) & uint64(1)) * uint64(2) + (uint64(entry) & uint64(1))
    if place == uint64(0):
        return uint32(w[0])
    if place == uint64(1):
        return uint32(w[1])
    return uint32(w[2]) if place == uint64(2) else uint32(w[3])


@njit(nogil=True)
def fine_fraction(entry, step, trial, domain, word_number, k0, k1):
    """A uniform in (0, 1) of 64 more bits, from draws 2 + 2 word_number and 3 + 2 word_number."""
    first = uint64(2) + uint64(2) * uint64(word_number)
    high = word_at(entry, step, trial, domain, first, k0, k1)
    low = word_at(entry, step, trial, domain, first + uint64(1), k0, k1)
    return (np.float64(high) + (np.float64(low) + 0.5) * 2.0**-32) * 2.0**-32
