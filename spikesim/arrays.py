"""Array-namespace helpers: numeric code takes its functions from the arrays it is given."""

from typing import Any

import numpy as np
from array_api_compat import array_namespace, is_cupy_array
from numpy.typing import NDArray

Array = Any
"""An array of any namespace that follows the array API standard: NumPy, CuPy, array-api-strict."""

__all__ = ["Array", "array_namespace", "binary_scale", "contiguous", "frobenius", "host", "inner", "transpose", "type_name"]


def host(x: Array) -> NDArray[Any]:
    """The same numbers as a NumPy array."""
    return x.get() if is_cupy_array(x) else np.asarray(x)


def transpose(x: Array) -> Array:
    """Swap the last two axes."""
    return array_namespace(x).matrix_transpose(x)


def type_name(x: Array) -> str:
    """The number type's name, such as "float32"."""
    return str(x.dtype).rpartition(".")[2]


def contiguous(x: Array) -> Array:
    """The same numbers one after the other in memory, last axis first; x itself where they are so already."""
    xp = array_namespace(x)
    given = getattr(xp, "ascontiguousarray", None)  # NumPy and CuPy tell what lies how; the standard does not
    return given(x) if given else xp.reshape(xp.reshape(x, (-1,), copy=True), x.shape)


def binary_scale(x: Array) -> Array:
    """A power of two within a factor of two of each matrix's largest entry, (..., 1, 1); 1 for zero.

    Dividing by it is exact, and keeps squares, sums and LAPACK away from overflow and subnormal numbers.
    """
    xp = array_namespace(x)
    largest = xp.max(xp.abs(x), axis=(-2, -1), keepdims=True)
    exponent = xp.floor(xp.log2(xp.where(largest > 0, largest, xp.ones_like(largest))))
    top = xp.floor(xp.log2(xp.asarray(xp.finfo(x.dtype).max, dtype=x.dtype))) - 1  # log2 rounds up to one beyond the largest
    return 2.0 ** xp.where(exponent > top, top, exponent)


def frobenius(x: Array) -> Array:
    """Frobenius norms of stacked matrices (..., m, n) -> (...), free of overflow and underflow of the squares."""
    xp = array_namespace(x)
    scale = binary_scale(x)
    return scale[..., 0, 0] * xp.sqrt(xp.sum((x / scale) ** 2, axis=(-2, -1)))


def inner(x: Array, y: Array) -> Array:
    """Frobenius inner products of stacked matrices (..., m, n) -> (...)."""
    return array_namespace(x, y).sum(x * y, axis=(-2, -1))
