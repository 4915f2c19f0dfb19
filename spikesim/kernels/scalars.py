"""The scalars kernel: squares of the per-step scalars and their exponential moving sums, without any matrix.

BLOCK steps at a time: words (Philox) -> uniforms -> rho^2 (a *square*, one a law) -> K sums q <- b q + rho^2. The words are
those of rng.SCALARS at entry 0; one Philox call holds two steps of it.

No fast-math flags, and sums always take steps by eights from step 0: their bits do not depend on the cut into calls.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit, uint64
from numpy.polynomial import Chebyshev, Polynomial
from numpy.typing import NDArray

from spikesim.kernels import transforms as tr
from spikesim.kernels.once import once
from spikesim.kernels.philox import fine_fraction, philox
from spikesim.kernels.width import full_width

BLOCK = 512
STEPS = 8
SMALL = 2.0**-16  # rng.SMALL_WORD, as a uniform

SIGNIFICAND, ONE = np.uint64(2**52 - 1), np.uint64(0x3FF << 52)
SHIFT = np.uint64(52)
OCTAVES = 98
"""Uniforms are in [2^-97, 1)."""
DEGREE = 18
"""Of the polynomial over one octave: its error is below 6^-18."""


@njit(nogil=True, error_model="numpy")
def _uniforms(u, step, trial, domain, k0, k1):
    """Uniforms of BLOCK steps at entry 0, as rng.uniforms has them; step is even."""
    full_width()
    for j in range(BLOCK // 2):
        c0, _, c2, _ = philox(uint64(0), uint64((step >> 1) + j), trial, domain, k0, k1)
        u[2 * j], u[2 * j + 1] = tr.uniform(c0, 0.5), tr.uniform(c2, 0.5)
    for i in range(BLOCK):
        if u[i] < SMALL:
            f = fine_fraction(uint64(0), uint64(step + i), trial, domain, uint64(0), k0, k1)
            u[i] = tr.uniform(np.floor(u[i] * 2.0**32), f)


# Squares: (u, square, p), from uniforms, which they may overwrite, to rho^2; p is what `prepared` makes of the parameters.


@njit(nogil=True, error_model="numpy")
def _pareto(u, square, p):
    """c u^-a, four times as fast as the power: a table over the octaves of u times a polynomial in its significand."""
    full_width()
    bits = u.view(np.uint64)
    for i in range(BLOCK):
        square[i] = p[1023 - np.int64(bits[i] >> SHIFT)]
        bits[i] = (bits[i] & SIGNIFICAND) | ONE
    for i in range(BLOCK):
        x = 2 * u[i] - 3
        y = p[OCTAVES + DEGREE]
        for d in range(DEGREE - 1, -1, -1):
            y = y * x + p[OCTAVES + d]
        square[i] *= y


def _pareto_table(alpha: float) -> NDArray[np.float64]:
    """rho^2 = (alpha - 2)/alpha u^(-2/alpha): its values at 2^0, 2^-1, ..., then the polynomial."""
    a = 2 / alpha
    series = Chebyshev.interpolate(lambda x: x**-a, DEGREE, domain=[1, 2])
    polynomial = series.convert(kind=Polynomial, domain=[1, 2], window=[-1, 1]).coef
    return np.concatenate([(alpha - 2) / alpha * 2.0 ** (a * np.arange(OCTAVES)), polynomial])


@njit(nogil=True, error_model="numpy")
def _two_point(u, square, p):
    """factor^2 with probability p, else 1."""
    full_width()
    for i in range(BLOCK):
        square[i] = p[1] if u[i] < p[0] else 1.0


SQUARES: dict[str, tuple[Callable[..., Any], Callable[..., NDArray[np.float64]]]] = {
    "pareto": (_pareto, _pareto_table),
    "two_point": (_two_point, lambda p, factor: np.array([p, factor**2])),
}
"""Name -> (square, what makes p of the law's parameters)."""


def prepared(name: str, parameters: tuple[float, ...]) -> NDArray[np.float64]:
    """What the squares of one name read, from the law's parameters."""
    return SQUARES[name][1](*parameters)


@njit(nogil=True, error_model="numpy")
def _accumulate(sums, b, power, square, count):
    """q <- b q + rho^2 over the first `count` steps; those of STEPS at once wait for q only once."""
    whole = count // STEPS * STEPS
    for k in range(sums.size):
        q = sums[k]
        for i in range(0, whole, STEPS):
            part = square[i]
            for s in range(1, STEPS):
                part = b[k] * part + square[i + s]
            q = power[k] * q + part
        for i in range(whole, count):
            q = b[k] * q + square[i]
        sums[k] = q


@once
def scalars_kernel(name: str) -> Callable[..., Any]:
    """The compiled kernel of one name of SQUARES.

    Returns:
        ``advance(sums, b, step, steps, trial, domain, k0, k1, p)``. sums: (K,), updated; b: (K,) factors of one step;
        step is a multiple of STEPS, and so is steps unless nothing follows.
    """
    square_of = SQUARES[name][0]

    @njit(nogil=True, error_model="numpy")
    def advance(sums, b, step, steps, trial, domain, k0, k1, p):
        u, square = np.empty(BLOCK), np.empty(BLOCK)
        power = b**STEPS
        for t in range(0, steps, BLOCK):
            _uniforms(u, step + t, trial, domain, k0, k1)
            square_of(u, square, p)
            _accumulate(sums, b, power, square, min(BLOCK, steps - t))

    return advance
