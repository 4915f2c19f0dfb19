"""Elementary functions in float64 that LLVM vectorises: polynomials after the exponent is split off.

Relative errors are a few units of 2^-53 wherever a result is not zero (tests hold them against extended precision).
Powers go by base 2 with the exponent kept apart: u^-a = 2^n 2^r with n an integer and |r| <= 1/2, so the error of a power
does not grow with its size as that of exp(-a log u) does.

The fast-math flags leave out ``reassoc``: with it LLVM deletes the sums that round and split here.
"""

import numpy as np
from numba import njit, types, uint64
from numba.extending import intrinsic
from numpy.polynomial import Chebyshev, Polynomial

FAST = {"nnan", "ninf", "nsz", "arcp", "contract"}


def bitcast(target):
    """A compiled function that reads the bits of a number as another type of the same size."""

    @intrinsic
    def cast(typing, x):  # noqa: ARG001 (the signature numba asks for)
        return target(x), lambda ctx, builder, _sig, args: builder.bitcast(args[0], ctx.get_value_type(target))

    return cast


as_uint64, as_float64 = bitcast(types.uint64), bitcast(types.float64)


def polynomial(function, low, high, degree, number=np.float64):
    """A compiled Chebyshev interpolant of a function on [low, high], by Horner's rule."""
    series = Chebyshev.interpolate(function, degree, domain=[low, high])
    c = tuple(number(x) for x in series.convert(kind=Polynomial, domain=[-1, 1], window=[-1, 1]).coef)
    n = len(c)

    @njit(fastmath=FAST, forceinline=True)
    def evaluated(x):
        y = c[n - 1]
        for i in range(n - 2, -1, -1):
            y = y * x + c[i]
        return y

    return evaluated


def _ratio(function, limit):
    """function(x) / x, its limit at 0."""
    return lambda x: np.where(x == 0, limit, function(x) / np.where(x == 0, 1, x))


_LN2 = np.log(2)
_log2_over_s = polynomial(lambda z: _ratio(lambda x: 2 / _LN2 * np.arctanh(x), 2 / _LN2)(np.sqrt(abs(z))), 0, 0.0295, 8)
_exp2m1_over_r = polynomial(_ratio(lambda x: np.expm1(_LN2 * x), _LN2), -0.5, 0.5, 11)
_sine_over_h = polynomial(lambda z: _ratio(lambda x: np.sin(np.pi / 2 * x), np.pi / 2)(np.sqrt(np.maximum(z, 0))), 0, 1, 9)

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
    return (e + r) * _LN2


@njit(fastmath=FAST, forceinline=True)
def sine(h):
    """sin(pi h / 2) for |h| <= 1."""
    return h * _sine_over_h(h * h)


@njit(fastmath=FAST, forceinline=True)
def signed(x, word):
    """x with its sign flipped if the word is odd."""
    return as_float64(as_uint64(x) ^ (uint64(word) << np.uint64(63)))
