"""The stream kernel: unit noise and its exponential moving averages, entry block by entry block.

A block of BLOCK entries advances STEPS steps at a time through loops whose buffers stay in the first-level cache:
words (Philox) -> numbers of unit scale (a *fill*, one a law) -> K accumulators a <- beta a + g. The stream itself is never
stored. Flat buffers with plain offsets: row views of a matrix ran ten times slower.

What bounds it, for Gaussian noise, K = 6 and float32, at 512 bits:

    words 48 %   transform 38 %   accumulators 14 %   (float64 accumulators: 23 % of a time 1.14 times as long)

Nothing waits for memory. 128 words are about 220 instructions (71 products, 63 shifts, 78 three-way xors and the like), and
take 1.6 times what four a cycle would: ten rounds follow from each other, and a core looks ahead one such group. A window
is one fused multiply-add a vector and step. Square roots, divisions and tails included, the other laws take the Gaussian's
time times 0.35 (frozen), 0.7 (Rademacher), 1.3 (AR1), 1.7 (Laplace, Arch), 1.9 (mixture), 2.9 (Pareto), 4.3 (Student), 7.8
(stable).
Half the vector width takes 1.6 to 1.8 times as long (width.py).

Accumulators contract a product and a sum into one rounding and use no other fast-math flag; chunks begin at multiples of
STEPS. So their bits depend neither on how the steps are cut into calls nor on which other windows there are.

Compiled code is not cached on disk: fills are closures, which such a cache does not tell apart safely, installations may be
read-only, file systems shared, and what would be saved is a few seconds of a process.
"""

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit, uint64
from numpy.typing import NDArray

from spikesim.kernels.compiled import inner
from spikesim.kernels.fills import BLOCK, FILLS, STEPS, WORDS
from spikesim.kernels.once import once
from spikesim.kernels.width import full_width, vector_bits

CONTRACT = {"contract"}
"""Fast-math of the accumulators: a product and a sum in one rounding, in whatever order they are written."""


@inner
def _multiply(g, factor, t, count):
    """Numbers of each step times its factor."""
    full_width()
    for s in range(count):
        f = factor[t + s]
        for e in range(BLOCK):
            g[s * BLOCK + e] *= f


@inner(fastmath=CONTRACT)
def _advance_one(acc, row, b, g, count):
    """a <- b a + g over the first `count` rows; STEPS rows at once keep a in a register."""
    full_width()
    if count == STEPS:
        for e in range(BLOCK):
            a = acc[row + uint64(e)]
            for s in range(STEPS):
                a = b * a + g[s * BLOCK + e]
            acc[row + uint64(e)] = a
    else:
        for s in range(count):
            for e in range(BLOCK):
                acc[row + uint64(e)] = b * acc[row + uint64(e)] + g[s * BLOCK + e]


@inner(fastmath=CONTRACT)
def _advance_two(acc, row, stride, b, c, g):
    """The same for two windows and all STEPS: each number is read, and widened, once for both."""
    full_width()
    other = row + stride
    for e in range(BLOCK):
        x, y = acc[row + uint64(e)], acc[other + uint64(e)]
        for s in range(STEPS):
            x = b * x + g[s * BLOCK + e]
            y = c * y + g[s * BLOCK + e]
        acc[row + uint64(e)], acc[other + uint64(e)] = x, y


@inner(fastmath=CONTRACT)
def _advance_three(acc, row, stride, b, c, d, g):
    """The same for three."""
    full_width()
    second, third = row + stride, row + stride + stride
    for e in range(BLOCK):
        x, y, z = acc[row + uint64(e)], acc[second + uint64(e)], acc[third + uint64(e)]
        for s in range(STEPS):
            x = b * x + g[s * BLOCK + e]
            y = c * y + g[s * BLOCK + e]
            z = d * z + g[s * BLOCK + e]
        acc[row + uint64(e)], acc[second + uint64(e)], acc[third + uint64(e)] = x, y, z


@njit(inline="always")
def _accumulate(acc, stride, entry, g, beta, count):
    """All windows; one of beta = 0 keeps the newest step. Unsigned offsets: a slice would count references."""
    full_width()
    k = 0
    while k < beta.size:
        row, wide = uint64(k * stride + entry), uint64(stride)
        together = 0
        while k + together < beta.size and together < 3 and beta[k + together] != 0:
            together += 1
        if together == 0:
            for e in range(BLOCK):
                acc[row + uint64(e)] = g[uint64((count - 1) * BLOCK) + uint64(e)]
            together = 1
        elif count < STEPS or together == 1:
            _advance_one(acc, row, beta[k], g, count)
            together = 1
        elif together == 2:
            _advance_two(acc, row, wide, beta[k], beta[k + 1], g)
        else:
            _advance_three(acc, row, wide, beta[k], beta[k + 1], beta[k + 2], g)
        k += together


@inner
def _write(out, t, entry, g, scale, shift, count):
    """Rows of numbers, scaled and shifted, to their places."""
    full_width()
    entries = scale.size
    size = min(BLOCK, entries - entry)
    part, beside = scale[entry : entry + size], shift[entry : entry + size]
    for s in range(count):
        row = out[(t + s) * entries + entry : (t + s) * entries + entry + size]
        for e in range(size):
            row[e] = g[s * BLOCK + e] * part[e] + beside[e]


class _Scratch(threading.local):
    """Room of each thread, from a multiple of 64 bytes: vectors that straddle cache lines cost up to twice."""

    def __init__(self) -> None:
        self.words, self.numbers, self.others = (_aligned(8 * WORDS) for _ in range(3))


def _aligned(size: int) -> NDArray[np.uint8]:
    memory = np.empty(size + 64, np.uint8)
    first = -memory.ctypes.data % 64
    return memory[first : first + size]


_SCRATCH = _Scratch()


@once
def stream_kernel(name: str) -> Callable[..., None]:
    """The compiled stream kernel of one fill.

    Returns:
        ``advance(acc, out, state, beta, factor, *rest)``, rest being ``step, steps, trial, domain, k0, k1, p, scale, shift``.
        acc: (K * E,) unnormalised accumulators, updated; out: (steps * N,) that receives the numbers, times scale (N,), plus
        shift (N,), or empty; state: (E,) float64, what a recursive law remembers, updated; beta: (K,); factor: (steps,)
        per-step factors, or empty. E is N rounded up to a multiple of BLOCK; step is even, and steps a multiple of STEPS
        unless nothing follows. acc, out, beta, scale and shift are of one type.

    Raises:
        ValueError: If `vector_bits` refuses.
    """
    vector_bits()  # here, not inside the compiler
    fill, single = FILLS[name]

    @njit(nogil=True, error_model="numpy")
    def compiled(packed, word, g, other, acc, out, state, beta, factor, step, steps, trial, domain, k0, k1, p, scale, shift):
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
                    _write(out, t, entry, g, scale, shift, count)

    def advance(
        acc: NDArray[Any], out: NDArray[Any], state: NDArray[Any], beta: NDArray[Any], factor: NDArray[Any], *rest: Any
    ) -> None:
        number = np.float32 if single else acc.dtype
        words, numbers, others = _SCRATCH.words, _SCRATCH.numbers.view(number), _SCRATCH.others.view(np.float64)
        scratch = words.view(np.uint64), words.view(np.uint32), numbers, others
        compiled(*scratch, acc, out, state, beta, factor.astype(number), *rest)

    return advance
