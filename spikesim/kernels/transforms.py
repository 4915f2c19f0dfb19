"""Words to numbers: one scalar function a law, each of unit scale, that LLVM vectorises.

Normals are float32, every other law is float64 (elementary.py). What a word leaves to chance is in the uniform: u for the
size of a number, from its word alone or, where that is small, with further bits (rng.py).
"""

import math

import numpy as np
from numba import float32, int32, njit, uint32
from numpy.polynomial import Chebyshev, Polynomial

from spikesim.kernels import elementary as el
from spikesim.kernels.elementary import FAST, bitcast, polynomial

as_uint32, as_int32 = bitcast(np.float32, np.uint32), bitcast(np.float32, np.int32)
as_float32 = bitcast(np.uint32, np.float32)


def _log1p_ratio(x):
    return np.where(abs(x) < 1e-8, 1 - x / 2, np.log1p(x) / np.where(x == 0, 1, x))


def _interpolant(function, low, high, degree):
    """A compiled float32 Chebyshev interpolant of a function on [low, high]."""
    series = Chebyshev.interpolate(function, degree, domain=[low, high])
    coefficients = series.convert(kind=Polynomial, domain=[-1, 1], window=[-1, 1]).coef
    return polynomial(np.float32(x) for x in coefficients)


_LN2 = np.float32(np.log(2))
_log1p_over_x = _interpolant(_log1p_ratio, 0.5**0.5 - 1, 2**0.5 - 1, 8)
_sin_of_root = _interpolant(lambda z: np.sinc(np.sqrt(np.maximum(z, 0)) / np.pi), 0, (np.pi / 4) ** 2, 3)
_cos_of_root = _interpolant(lambda z: np.cos(np.sqrt(np.maximum(z, 0))), 0, (np.pi / 4) ** 2, 4)


@njit(fastmath=FAST, forceinline=True)
def _log_uniform(word):
    """ln((word + 1/2) / 2^32) in float32, split at the exponent.

    Never above 0: at exponent 0 it is x (1 + ...) with x <= 0, below that at most -ln 2 + ln sqrt 2.
    """
    u = float32(word) * float32(2.0**-32) + float32(2.0**-33)
    i = int32(as_int32(u) - int32(0x3F3504F3))
    x = as_float32(int32(int32(i & int32(0x7FFFFF)) + int32(0x3F3504F3))) - float32(1)
    return float32(int32(i >> int32(23))) * _LN2 + x * _log1p_over_x(x)


@njit(fastmath=FAST, forceinline=True)
def radius(word):
    """Length of a planar standard normal vector, float32."""
    return float32(math.sqrt(float32(-2) * _log_uniform(word)))


@njit(fastmath=FAST, forceinline=True)
def direction(word):
    """A uniform point on the unit circle: the top bit swaps the axes, the next flips both, 30 bits turn by an octant."""
    angle = float32(int32(uint32(word << uint32(2)))) * float32(np.pi / 4 * 2.0**-31)
    z = angle * angle
    s, c = angle * _sin_of_root(z), _cos_of_root(z)
    flip = uint32(uint32(word << uint32(1)) & uint32(0x80000000))
    s, c = as_float32(uint32(as_uint32(s) ^ flip)), as_float32(uint32(as_uint32(c) ^ flip))
    swap = word >= uint32(0x80000000)
    return (s, c) if swap else (c, s)


@njit(forceinline=True)
def sign(word):
    """-1 or 1 from the last bit, float32."""
    return as_float32(uint32(uint32(0x3F800000) | uint32(word << uint32(31))))


@njit(forceinline=True)
def uniform(word, fraction):
    """(word + fraction) / 2^32."""
    return (np.float64(word) + fraction) * 2.0**-32


@njit(forceinline=True)
def uniform31(word, fraction):
    """The same from all bits but the last, which `el.signed` spends."""
    return (np.float64(word >> uint32(1)) + fraction) * 2.0**-31


@njit(forceinline=True)
def mixture(z, word, p, factor, separation):
    """A normal, times a factor with probability p by the first 31 bits, moved up or down by the last; float64."""
    wide = factor if uniform31(word, 0.5) < p else 1.0
    return wide * z + el.signed(separation, word)


@njit(fastmath=FAST, forceinline=True)
def student_t(u, v, df):
    """Bailey (Mathematics of Computation 62, 1994): t with df degrees of freedom from two uniforms.

    sqrt(df (u^(-2/df) - 1)) sin(pi (v - 1/2))
    """
    a = 2 / df
    e, r = el.log2_parts(u)
    n, power = el.rounded(-a * (e + r))
    square = power * el.exp2m1((-a * e - n) - a * r) + (power - 1)
    return math.sqrt(df * square) * el.sine(2 * v - 1)


@njit(fastmath=FAST, forceinline=True)
def symmetric_pareto(word, u, alpha):
    """P(|X| > x) = x^-alpha for x >= 1, with a fair sign: u^(-1/alpha)."""
    a = 1 / alpha
    e, r = el.log2_parts(u)
    n, power = el.rounded(-a * (e + r))
    return el.signed(power + power * el.exp2m1((-a * e - n) - a * r), word)


@njit(fastmath=FAST, forceinline=True)
def laplace(word, u, _):
    """Density exp(-|x|) / 2: variance 2; no shape parameter."""
    return el.signed(-el.log(u), word)


@njit(fastmath=FAST, forceinline=True)
def exponential(word):
    """-ln(1 - v), v the uniform of a word that is not small: 1 - v is exact."""
    return -el.log(1 - uniform(word, 0.5))


@njit(fastmath=FAST, forceinline=True)
def stable(word, u, exponential, alpha):
    """Chambers, Mallows, Stuck (JASA 71, 1976): E exp(i t X) = exp(-|t|^alpha).

    With the angle w = (1 - u) pi/2 and an exponential of mean 1:

        sin(alpha w) cos(w)^(-1/alpha) (cos((1 - alpha) w) / exponential)^((1 - alpha)/alpha)

    Each sine and cosine is sin(pi h / 2) of an h that is a sum of terms >= 0, so none loses digits near its zero.
    """
    a, b, c = 1 / alpha, (1 - alpha) / alpha, abs(1 - alpha)
    e, r = el.log2_parts(el.sine(u))
    e_tail, r_tail = el.log2_parts(el.sine((1 - c) + c * u) / exponential)
    whole = b * e_tail - a * e
    part = b * r_tail - a * r
    n, power = el.rounded(whole + part)
    first = el.sine(min(alpha * (1 - u), (2 - alpha) + alpha * u))
    return el.signed(first * (power + power * el.exp2m1((whole - n) + part)), word)
