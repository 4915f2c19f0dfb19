"""Elementary functions in float64 that LLVM vectorises: polynomials after the exponent is split off.

Relative errors are a few units of 2^-53 wherever a result is not zero (tests hold them against extended precision).
Powers go by base 2 with the exponent kept apart: u^-a = 2^n 2^r with n an integer and |r| <= 1/2, so the error of a power
does not grow with its size as that of exp(-a log u) does.

The fast-math flags leave out ``reassoc``: with it LLVM deletes the sums that round and split here.
"""

from fractions import Fraction
from itertools import zip_longest
from math import factorial

import numpy as np
from numba import njit, uint64

FAST = {"nnan", "ninf", "nsz", "arcp", "contract"}


def bitcast(source, target):
    """A compiled function that reads the bits of a number of one type as another of the same size."""

    @njit(forceinline=True)
    def cast(x):
        return source(x).view(target)

    return cast


as_uint64, as_float64 = bitcast(np.float64, np.uint64), bitcast(np.uint64, np.float64)


def polynomial(coefficients):
    """A compiled polynomial by Horner's rule, constant term first."""
    c = tuple(coefficients)
    n = len(c)

    @njit(fastmath=FAST, forceinline=True)
    def evaluated(x):
        y = c[n - 1]
        for i in range(n - 2, -1, -1):
            y = y * x + c[i]
        return y

    return evaluated


def _chebyshev(n, low, high):
    """Coefficients of Chebyshev's polynomial T_n on [low, high], exact, constant term first."""
    before, now = [Fraction(1)], [Fraction(-(high + low), high - low), Fraction(2, high - low)]
    slope = now
    for _ in range(n - 1):
        product = [Fraction(0)] * (len(now) + 1)
        for i, x in enumerate(now):
            product[i], product[i + 1] = product[i] + 2 * slope[0] * x, product[i + 1] + 2 * slope[1] * x
        before, now = now, [x - y for x, y in zip_longest(product, before, fillvalue=0)]
    return now


def economised(series, low, high, degree):
    """A power series cut to a degree by Chebyshev's economisation on [low, high], in exact arithmetic, as float64."""
    c = list(series)
    while len(c) > degree + 1:
        t = _chebyshev(len(c) - 1, low, high)
        c = [x - c[-1] / t[-1] * y for x, y in zip(c, t, strict=True)][:-1]
    return [float(x) for x in c]


_LN2 = Fraction("0.693147180559945309417232121458176568075500134360255")
_QUARTER_TURN = Fraction("1.570796326794896619231321691639751442098584699687553")
_REACH = Fraction(295, 10000)
"""Largest s^2 of `log2_parts`: (3 - 2 sqrt 2)^2 = 0.02944."""

_log2_over_s = polynomial(economised([2 / _LN2 / (2 * i + 1) for i in range(14)], 0, _REACH, 7))
_exp2m1_over_r = polynomial(economised([_LN2**i / factorial(i) for i in range(1, 20)], Fraction(-1, 2), Fraction(1, 2), 10))
_sine_over_h = polynomial(
    economised([_QUARTER_TURN * (-(_QUARTER_TURN**2)) ** i / factorial(2 * i + 1) for i in range(15)], 0, 1, 8)
)
_LOG_2 = float(_LN2)

_SIGNIFICAND, _SHIFT = np.uint64(2**52 - 1), np.uint64(52)
_ONE = np.uint64(0x3FF << 52)
_ROOT_HALF = np.uint64(0x3FE6A09E667F3BCD)
_INTEGER, _INTEGER_ZERO = np.uint64(0x433 << 52), 2.0**52 + 1023
_ROUND = 1.5 * 2.0**52


@njit(fastmath=FAST, forceinline=True)
def log2_parts(x):
    """(e, r) with log2 x = e + r, e an integer and |r| <= 1/2; x > 0, normal. Near 1, e = 0."""
    k = as_uint64(x) - _ROOT_HALF + _ONE
    e = as_float64((k >> _SHIFT) | _INTEGER) - _INTEGER_ZERO
    m = as_float64((k & _SIGNIFICAND) + _ROOT_HALF)
    s = (m - 1.0) / (m + 1.0)
    return e, s * _log2_over_s(s * s)


@njit(fastmath=FAST, forceinline=True)
def rounded(t):
    """(n, 2^n), n the integer nearest to t; |t| < 1022."""
    shifted = t + _ROUND
    return shifted - _ROUND, as_float64((as_uint64(shifted) << _SHIFT) + _ONE)


@njit(fastmath=FAST, forceinline=True)
def exp2m1(r):
    """2^r - 1 for |r| <= 1/2."""
    return r * _exp2m1_over_r(r)


@njit(fastmath=FAST, forceinline=True)
def log(x):
    """Natural logarithm; x > 0, normal."""
    e, r = log2_parts(x)
    return (e + r) * _LOG_2


@njit(fastmath=FAST, forceinline=True)
def sine(h):
    """sin(pi h / 2) for |h| <= 1."""
    return h * _sine_over_h(h * h)


@njit(fastmath=FAST, forceinline=True)
def signed(x, word):
    """x with its sign flipped if the word is odd."""
    return as_float64(as_uint64(x) ^ (uint64(word) << np.uint64(63)))
