"""What is asked of a stack of matrices before and after a polar step, and by which means it is answered.

`Exact` is one SVD a matrix. `Dispatched` answers from Gram matrices where these are well-conditioned (gram.py) and from a
float64 SVD where not: float32 Gram matrices first if the numbers are of that type and the shape is far from square, then
float64 ones, then the SVD; on a GPU, products (products.py) before that. A matrix's means depend on it alone, not on others.
Both are for any array namespace, `Dispatched` with an engine that reaches its arrays.
"""

import math
from collections.abc import Callable
from functools import cached_property
from typing import Any

from spikesim.arrays import Array, array_namespace, contiguous, transpose, type_name
from spikesim.gram import CPU, Engine
from spikesim.means import PRODUCTS, ByGram, ByProducts, Tally
from spikesim.polar import SVD, singular_values, svd

ASPECT = {"float32": 1.5, "float64": 1.0}
"""Least max(m, n) / min(m, n) at which Gram matrices of a type are tried."""
WIDEST = 128
"""Most rows of a matrix that one thread of a GPU takes on alone; larger ones are for products."""
SVD_MEANS = "float64 SVD"


class Exact:
    """One SVD a matrix.

    Args:
        x: (..., m, n), float32 or float64, finite.
    """

    def __init__(self, x: Array) -> None:
        self.x = x

    @cached_property
    def _svd(self) -> SVD:
        return svd(self.x)

    def polar(self, rank: int | None = None) -> Array:
        """O(X), or O_r(X) of the top `rank` singular pairs, (..., m, n)."""
        return self._svd.polar(rank)

    def directions(self, u: Array, v: Array, rank: int | None = None) -> Array:
        """u_k^T O(X) v_k, or that of O_r(X), (..., r), for u (m, r) and v (n, r)."""
        return array_namespace(u).sum(u * (self.polar(rank) @ v), axis=-2)

    def values(self, count: int) -> Array:
        """The largest singular values, falling, (..., count)."""
        return (self._svd.d if "_svd" in self.__dict__ else self._values)[..., :count]

    @cached_property
    def _values(self) -> Array:
        return singular_values(self.x)

    def nuclear(self) -> Array:
        """‖X‖_*, (...)."""
        return array_namespace(self.x).sum(self._values, axis=-1)

    def top(self, rank: int) -> tuple[Array, Array]:
        """The top left and right singular vectors, (..., m, rank) and (..., n, rank)."""
        found = self._svd
        return found.u[..., :rank], transpose(found.vt)[..., :rank]


class Dispatched:
    """The same by the fastest means that are safe for each matrix.

    Args:
        x: (..., m, n), float32 or float64; finite.
        tally: Counts matrices by means, if given.
        engine: What Gram matrices are taken by (gram.py); any but the CPU's stands for a GPU.

    Results are of x's type, but for singular values and directions, which are float64.
    """

    def __init__(self, x: Array, tally: Tally | None = None, engine: Engine = CPU) -> None:
        self._stack, self._type, xp = x.shape[:-2], x.dtype, array_namespace(x)
        self._turned = x.shape[-2] > x.shape[-1]
        wide = transpose(x) if self._turned else x
        self._x = xp.reshape(contiguous(wide), (math.prod(self._stack), *wide.shape[-2:]))
        self._means = _means(self._x, Tally() if tally is None else tally, engine)

    def _shaped(self, found: Array) -> Array:
        return array_namespace(found).reshape(found, (*self._stack, *found.shape[1:]))

    def _truncates(self, rank: int | None) -> int | None:
        """The rank, or None where it leaves nothing out."""
        return None if rank is None or rank >= self._x.shape[-2] else rank

    def polar(self, rank: int | None = None) -> Array:
        """See `Exact.polar`."""
        found = self._means.factors(self._truncates(rank))
        found = self._shaped(array_namespace(found).astype(found, self._type, copy=False))
        return transpose(found) if self._turned else found

    def directions(self, u: Array, v: Array, rank: int | None = None) -> Array:
        """See `Exact.directions`."""
        u, v = (v, u) if self._turned else (u, v)
        return self._shaped(self._means.directions(u, v, self._truncates(rank)))

    def values(self, count: int) -> Array:
        """See `Exact.values`."""
        return self._shaped(self._means.values(min(count, self._x.shape[-2])))

    def nuclear(self) -> Array:
        """See `Exact.nuclear`."""
        return self._shaped(self._means.nuclear())

    def top(self, rank: int) -> tuple[Array, Array]:
        """See `Exact.top`."""
        left, right = map(self._shaped, self._means.top(min(rank, self._x.shape[-2])))
        return (right, left) if self._turned else (left, right)


class _BySVD:
    """Answers of an SVD in float64, (N, m, n)."""

    def __init__(self, x: Array, tally: Tally) -> None:
        tally[SVD_MEANS] += x.shape[0]
        self._exact = Exact(array_namespace(x).astype(x, array_namespace(x).float64))
        self.directions, self.values, self.top = self._exact.directions, self._exact.values, self._exact.top
        self.factors, self.nuclear = self._exact.polar, self._exact.nuclear


def _means(x: Array, tally: Tally, engine: Engine, after: str | None = None) -> Any:
    """The first means for a stack (N, m, n), m <= n, or the first beyond the means `after`."""
    (count, m, n), number, xp = x.shape, type_name(x), array_namespace(x)

    def later(name: str) -> Callable[[Array], Any]:
        return lambda bad: _means(bad, tally, engine, name)

    if m < 2 or count == 0 or after == PRODUCTS:
        return _BySVD(x, tally)
    if after == "float64":
        return _BySVD(x, tally) if engine is CPU else ByProducts(x, tally, later(PRODUCTS))
    if engine is not CPU and m > WIDEST:
        return ByProducts(xp.astype(x, xp.float64, copy=False), tally, later(PRODUCTS))
    if number == "float32" and after is None and n >= ASPECT["float32"] * m:
        return ByGram(x, tally, later("float32"), engine)
    return ByGram(xp.astype(x, xp.float64, copy=False), tally, later("float64"), engine)
