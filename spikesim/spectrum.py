"""What is asked of a stack of matrices before and after a polar step, and by which means it is answered.

`Exact` is one SVD a matrix, in any array namespace. `Dispatched`, for NumPy arrays, answers from Gram matrices where these
are well-conditioned (gram.py) and from a float64 SVD where not: float32 Gram matrices first if the numbers are of that type
and the shape is far from square, then float64 ones, then the SVD. A matrix's means depend on it alone, not on others.
"""

from collections import Counter
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikesim.arrays import Array, array_namespace, transpose
from spikesim.gram import PRECISION, Gram
from spikesim.polar import SVD, singular_values, svd

ASPECT = {"float32": 1.5, "float64": 1.0}
"""Least max(m, n) / min(m, n) at which Gram matrices of a type are tried."""
SVD_MEANS = "float64 SVD"

Tally = Counter[str]
"""How many matrices were answered by which means."""


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

    Results are of x's type, but for singular values and directions, which are float64.
    """

    def __init__(self, x: NDArray[np.floating], tally: Tally | None = None) -> None:
        self._stack, self._tally = x.shape[:-2], Tally() if tally is None else tally
        self._turned = x.shape[-2] > x.shape[-1]
        wide = transpose(x) if self._turned else x
        self._x = np.ascontiguousarray(wide).reshape(-1, *wide.shape[-2:])
        self._type = x.dtype
        self._means = _means(self._x, self._tally)

    def _shaped(self, found: NDArray[Any]) -> NDArray[Any]:
        return found.reshape(*self._stack, *found.shape[1:])

    def polar(self, rank: int | None = None) -> Array:
        """See `Exact.polar`."""
        if rank is None:
            found = self._means.factors()
        else:
            left, right = self._means.top(rank)
            found = left @ transpose(right)
        found = self._shaped(found.astype(self._type, copy=False))
        return transpose(found) if self._turned else found

    def directions(self, u: Array, v: Array, rank: int | None = None) -> Array:
        """See `Exact.directions`."""
        u, v = (v, u) if self._turned else (u, v)
        return self._shaped(self._means.directions(u, v, rank))

    def values(self, count: int) -> Array:
        """See `Exact.values`."""
        return self._shaped(self._means.values(count))

    def nuclear(self) -> Array:
        """See `Exact.nuclear`."""
        return self._shaped(self._means.nuclear())

    def top(self, rank: int) -> tuple[Array, Array]:
        """See `Exact.top`."""
        left, right = map(self._shaped, self._means.top(rank))
        return (right, left) if self._turned else (left, right)


class _BySVD:
    """Answers of an SVD in float64, (N, m, n)."""

    def __init__(self, x: NDArray[np.floating], tally: Tally) -> None:
        tally[SVD_MEANS] += len(x)
        self._exact = Exact(x.astype(np.float64))
        self.directions, self.values, self.top = self._exact.directions, self._exact.values, self._exact.top
        self.factors, self.nuclear = self._exact.polar, self._exact.nuclear


class _ByGram:
    """Answers of Gram matrices, (N, m, n), m <= n; those that they cannot give are left to the next means."""

    def __init__(self, x: NDArray[np.floating], tally: Tally) -> None:
        self._x, self._gram, self._tally = x, Gram(x), tally
        tally[f"{x.dtype.name} Gram matrix"] += int(np.sum(self._gram.good))
        self._later: dict[bytes, _ByGram | _BySVD] = {}

    def _mended(self, found: NDArray[Any], good: NDArray[np.bool_], ask: Callable[[Any], NDArray[Any]]) -> NDArray[Any]:
        """Answers with those that are not good replaced."""
        bad = ~good
        if not bad.any():
            return found
        if bad.tobytes() not in self._later:
            self._later[bad.tobytes()] = _means(self._x[bad], self._tally, after=self._x.dtype.name)
        found[bad] = ask(self._later[bad.tobytes()])
        return found

    def factors(self) -> NDArray[np.floating]:
        found, error = self._gram.factors()
        good = self._gram.good & (error <= PRECISION[self._x.dtype.name].tolerance)
        return self._mended(found, good, lambda later: later.factors())

    def directions(self, u: Array, v: Array, rank: int | None) -> NDArray[np.float64]:
        if rank is None:
            found, good = self._gram.directions(u, v), self._gram.good
        else:
            found, sure = self._gram.truncated_directions(u, v, rank)
            good = self._gram.good & sure
        return self._mended(found, good, lambda later: later.directions(u, v, rank))

    def values(self, count: int) -> NDArray[np.float64]:
        return self._mended(self._gram.values(count), self._gram.good, lambda later: later.values(count))

    def nuclear(self) -> NDArray[np.float64]:
        return self._mended(self._gram.nuclear(), self._gram.good, lambda later: later.nuclear())

    def top(self, rank: int) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
        left, singular, sure = self._gram.left(rank)
        with np.errstate(divide="ignore", invalid="ignore"):  # where the matrix is singular, and so not good
            right = transpose(self._x) @ left / singular[:, None, :]
        good = self._gram.good & sure
        left = self._mended(left.astype(np.float64), good, lambda later: later.top(rank)[0])
        return left, self._mended(right.astype(np.float64), good, lambda later: later.top(rank)[1])


def _means(x: NDArray[np.floating], tally: Tally, after: str | None = None) -> "_ByGram | _BySVD":
    """The first means for a stack (N, m, n), m <= n, or the first beyond Gram matrices of the type `after`."""
    m, n = x.shape[-2:]
    if after == "float64" or m < 2:
        return _BySVD(x, tally)
    single = x.dtype == np.float32 and after is None and n >= ASPECT["float32"] * m
    return _ByGram(x if single else x.astype(np.float64, copy=False), tally)
