"""Arithmetic of PTX registers in Python: integers below 2^bits, floats as Python's, float32 among them as the same number.

What PTX rounds correctly is correct here: sums, products, quotients and roots of float32 in double and then in single are
(53 >= 2 * 24 + 2 bits), a fused multiply-add is exact before its one rounding. An approximate reciprocal is the correctly
rounded one of the operand's upper half, its lower half cleared; on a device a few units of that half may be other.
"""

import math
import struct
from ctypes import c_float

FORMATS = {"f32": "<f", "f64": "<d", "b16": "<H", "b32": "<I", "b64": "<Q"}
UPPER = 0xFFFFFFFF00000000


def single(x):
    """The nearest float32."""
    return c_float(x).value


def bits(x, width):
    """Of a float, as an integer."""
    return struct.unpack(FORMATS[f"b{width}"], struct.pack(FORMATS[f"f{width}"], x))[0]


def number(x, width):
    """The float with these bits."""
    return struct.unpack(FORMATS[f"f{width}"], struct.pack(FORMATS[f"b{width}"], x))[0]


def fma64(a, b, c):
    """a b + c, rounded once: division of Python's integers is."""
    if not (math.isfinite(a) and math.isfinite(b) and math.isfinite(c)):
        return c if math.isinf(c) and math.isfinite(a) and math.isfinite(b) else a * b + c
    (n, d), (m, e), (o, f) = a.as_integer_ratio(), b.as_integer_ratio(), c.as_integer_ratio()
    above = n * m * f + o * d * e
    if above == 0:
        return a * b + c  # the sign of zero
    try:
        return above / (d * e * f)
    except OverflowError:
        return math.inf if above > 0 else -math.inf


def fma32(a, b, c):
    """a b + c, rounded once: the product is exact in double, the sum is rounded to odd there (Boldo, Melquiond 2008)."""
    product = a * b
    total = product + c
    if not math.isfinite(total):
        return total
    other = total - product
    lost = (product - (total - other)) + (c - other)
    if lost and bits(total, 64) % 2 == 0:
        total = math.nextafter(total, math.copysign(math.inf, lost))
    return single(total)


def divided(a, b):
    """a / b with infinities instead of errors."""
    if b:
        return a / b
    return math.nan if a == 0 or math.isnan(a) else math.copysign(math.inf, a) * math.copysign(1.0, b)


def reciprocal_of_halves(a):
    """rcp.approx.ftz.f64 as far as it is specified."""
    return number(bits(divided(1.0, number(bits(a, 64) & UPPER, 64)), 64) & UPPER, 64)


def root(x):
    """NaN below 0."""
    return math.sqrt(x) if x >= 0 else (x if math.isnan(x) or x == 0 else math.nan)


def least(a, b):
    """min: a number rather than NaN, -0 below 0."""
    if a != a or b != b:
        return b if a != a else a
    return min(a, b) if a != b else (a if math.copysign(1.0, a) < 0 else b)


def greatest(a, b):
    """max, likewise."""
    return -least(-a, -b)


ROUNDINGS = {"rzi": math.trunc, "rni": round, "rmi": math.floor, "rpi": math.ceil}


def whole(x, rounding):
    """A float of integer value, -0 kept."""
    return math.copysign(float(ROUNDINGS[rounding](x)), x) if math.isfinite(x) else x


def integer(x, rounding, low, high):
    """The integer of a float, or the nearest bound; 0 for NaN."""
    if math.isnan(x):
        return 0
    return min(max(ROUNDINGS[rounding](x), low), high) if math.isfinite(x) else (low if x < 0 else high)
