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
        return found.reshape((*self._stack, *found.shape[1:]))

    def _truncates(self, rank: int | None) -> int | None:
        """The rank, or None where it leaves nothing out."""
        return None if rank is None or rank >= self._x.shape[-2] else rank

    def polar(self, rank: int | None = None) -> Array:
        """See `Exact.polar`."""
        found = self._shaped(self._means.factors(self._truncates(rank)).astype(self._type, copy=False))
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

    def __init__(self, x: NDArray[np.floating], tally: Tally) -> None:
        tally[SVD_MEANS] += len(x)
        self._exact = Exact(x.astype(np.float64))
        self.directions, self.values, self.top = self._exact.directions, self._exact.values, self._exact.top
        self.factors, self.nuclear = self._exact.polar, self._exact.nuclear


class _ByGram:
    """Answers of Gram matrices, (N, m, n), m <= n.

    A matrix that these fail in one question is handed on to the next means, which answers all its later ones too, so that
    answers and counts depend on the matrix and the questions alone.
    """

    def __init__(self, x: NDArray[np.floating], tally: Tally) -> None:
        self._x, self._gram, self._tally = x, Gram(x), tally
        self._name = f"{x.dtype.name} Gram matrix"
        self._own = np.ones(len(x), np.bool_)
        self._later: list[tuple[NDArray[np.bool_], _ByGram | _BySVD]] = []
        tally[self._name] += len(x)
        self._keep(self._gram.good)

    def _keep(self, good: NDArray[np.bool_]) -> None:
        """Hand on what is not good."""
        bad = self._own & ~good
        if bad.any():
            self._own &= good
            self._tally[self._name] -= int(np.sum(bad))
            self._later.append((bad, _means(self._x[bad], self._tally, after=self._x.dtype.name)))

    def _mended(self, found: NDArray[Any], ask: Callable[[Any], NDArray[Any]]) -> NDArray[Any]:
        """Answers with those replaced that are the next means' to give."""
        for where, means in self._later:
            found[where] = ask(means)
        return found

    def factors(self, rank: int | None) -> NDArray[np.floating]:
        if rank is None:
            found, error = self._gram.factors()
            self._keep(error <= PRECISION[self._x.dtype.name].tolerance)
        else:
            left, right = self._pairs(rank)
            found = left @ transpose(right)
        return self._mended(found, lambda later: later.factors(rank))

    def directions(self, u: Array, v: Array, rank: int | None) -> NDArray[np.float64]:
        if rank is None:
            found = self._gram.directions(u, v)
        else:
            found, sure = self._gram.truncated_directions(u, v, rank)
            self._keep(sure)
        return self._mended(found, lambda later: later.directions(u, v, rank))

    def values(self, count: int) -> NDArray[np.float64]:
        return self._mended(self._gram.values(count), lambda later: later.values(count))

    def nuclear(self) -> NDArray[np.float64]:
        return self._mended(self._gram.nuclear(), lambda later: later.nuclear())

    def top(self, rank: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        left, right = self._pairs(rank)
        for where, means in self._later:
            left[where], right[where] = means.top(rank)
        return left, right

    def _pairs(self, rank: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Top singular vectors, of what can be relied upon."""
        left, singular, sure = self._gram.left(rank)
        self._keep(sure)
        left[~self._own], singular[~self._own] = 0, 1
        with np.errstate(invalid="ignore"):  # of what is not finite, which no means accept
            right = transpose(self._x) @ left / singular[:, None, :]
        return left.astype(np.float64), right.astype(np.float64)


def _means(x: NDArray[np.floating], tally: Tally, after: str | None = None) -> "_ByGram | _BySVD":
    """The first means for a stack (N, m, n), m <= n, or the first beyond Gram matrices of the type `after`."""
    m, n = x.shape[-2:]
    if after == "float64" or m < 2 or len(x) == 0:
        return _BySVD(x, tally)
    single = x.dtype == np.float32 and after is None and n >= ASPECT["float32"] * m
    return _ByGram(x if single else x.astype(np.float64, copy=False), tally)
