"""Words to numbers: one scalar function a law, each of unit scale.

Normals are float32 polynomials that LLVM vectorises; every other law is float64 and calls the maths library. The
fast-math flags leave out ``reassoc``: with it LLVM has silently deleted the exponent split of `log_uniform`.
"""

import math

import numpy as np
from numba import float32, int32, njit, types, uint32
from numba.extending import intrinsic
from numpy.polynomial import Chebyshev, Polynomial

FAST = {"nnan", "ninf", "nsz", "arcp", "contract"}


def _bitcast(target):
    @intrinsic
    def cast(typing, x):  # noqa: ARG001 (the signature numba asks for)
        return target(x), lambda ctx, builder, _sig, args: builder.bitcast(args[0], ctx.get_value_type(target))

    return cast


as_uint32, as_int32, as_float32 = _bitcast(types.uint32), _bitcast(types.int32), _bitcast(types.float32)


def _polynomial(function, low, high, degree):
    """A compiled float32 Chebyshev interpolant of a function on [low, high], by Horner's rule."""
    series = Chebyshev.interpolate(function, degree, domain=[low, high])
    c = tuple(np.float32(x) for x in series.convert(kind=Polynomial, domain=[-1, 1], window=[-1, 1]).coef)
    n = len(c)

    @njit(fastmath=FAST)
    def polynomial(x):
        y = c[n - 1]
        for i in range(n - 2, -1, -1):
            y = y * x + c[i]
        return y

    return polynomial


def _log1p_ratio(x):
    return np.where(abs(x) < 1e-8, 1 - x / 2, np.log1p(x) / np.where(x == 0, 1, x))


_log1p_over_x = _polynomial(_log1p_ratio, 0.5**0.5 - 1, 2**0.5 - 1, 8)
_sin_of_root = _polynomial(lambda z: np.sinc(np.sqrt(np.maximum(z, 0)) / np.pi), 0, (np.pi / 4) ** 2, 3)
_cos_of_root = _polynomial(lambda z: np.cos(np.sqrt(np.maximum(z, 0))), 0, (np.pi / 4) ** 2, 4)


@njit(fastmath=FAST)
def _log_uniform(word):
    """ln((word + 1/2) / 2^32) in float32, split at the exponent; at most 0."""
    u = float32(word) * float32(2.0**-32) + float32(2.0**-33)
    i = int32(as_int32(u) - int32(0x3F3504F3))
    x = as_float32(int32(int32(i & int32(0x7FFFFF)) + int32(0x3F3504F3))) - float32(1)
    return min(float32(int32(i >> int32(23))) * float32(np.log(2)) + x * _log1p_over_x(x), float32(0))


@njit(fastmath=FAST)
def radius(word):
    """Length of a planar standard normal vector, float32."""
    return float32(math.sqrt(float32(-2) * _log_uniform(word)))


@njit(fastmath=FAST)
def direction(word):
    """A uniform point on the unit circle: the top bit swaps the axes, the next flips both, 30 bits turn by an octant."""
    angle = float32(as_int32(uint32(word << uint32(2)))) * float32(np.pi / 4 * 2.0**-31)
    z = angle * angle
    s, c = angle * _sin_of_root(z), _cos_of_root(z)
    flip = uint32(uint32(word << uint32(1)) & uint32(0x80000000))
    s, c = as_float32(uint32(as_uint32(s) ^ flip)), as_float32(uint32(as_uint32(c) ^ flip))
    swap = word >= uint32(0x80000000)
    return (s, c) if swap else (c, s)


@njit
def sign(word):
    """-1 or 1 from the last bit."""
    return 1.0 - 2.0 * np.float64(word & uint32(1))


@njit
def uniform(word, fraction):
    """(word + fraction) / 2^32."""
    return (np.float64(word) + fraction) * 2.0**-32


@njit
def uniform31(word, fraction):
    """The same from all bits but the last, which `sign` spends."""
    return (np.float64(word >> uint32(1)) + fraction) * 2.0**-31


@njit
def student_t(u, v, df):
    """Bailey (Mathematics of Computation 62, 1994): t with df degrees of freedom from two uniforms."""
    return math.sqrt(df * math.expm1(-2 * math.log(u) / df)) * math.sin(math.pi * (v - 0.5))


@njit
def symmetric_pareto(s, u, alpha):
    """P(|X| > x) = x^-alpha for x >= 1, with a fair sign."""
    return s * u ** (-1 / alpha)


@njit
def laplace(s, u, _):
    """Density exp(-|x|) / 2: variance 2; no shape parameter."""
    return -s * math.log(u)


@njit
def stable(s, u, v, alpha):
    """Chambers, Mallows, Stuck (JASA 71, 1976): E exp(i t X) = exp(-|t|^alpha), the angle pi/2 away from u = 0."""
    angle = 0.5 * math.pi * (1 - u)
    exponential = -math.log1p(-v)
    tail = math.cos((1 - alpha) * angle) / exponential
    return s * math.sin(alpha * angle) / math.sin(0.5 * math.pi * u) ** (1 / alpha) * tail ** ((1 - alpha) / alpha)
