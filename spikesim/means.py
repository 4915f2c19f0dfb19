"""Means that answer for the matrices of a stack (N, m, n), m <= n, but for those they must not be trusted with.

A matrix that a means fails in one question is handed on to the next means, which answers all its later ones too, so that
answers and counts depend on the matrix and the questions alone.
"""

from collections import Counter
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from spikesim.arrays import Array, array_namespace, inner, transpose, type_name
from spikesim.gram import PRECISION, Engine, Gram
from spikesim.products import Leading, factors

PRODUCTS = "float64 products"

Tally = Counter[str]
"""How many matrices were answered by which means."""


class _Means:
    """What a means does not answer goes to the next, made of the matrices by `after`."""

    def __init__(self, x: Array, name: str, tally: Tally, after: Callable[[Array], Any]) -> None:
        self._x, self._name, self._tally, self._after = x, name, tally, after
        self._own = array_namespace(x).ones(x.shape[0], dtype=array_namespace(x).bool)
        self._later: list[tuple[Array, Any]] = []
        tally[name] += x.shape[0]

    def _keep(self, good: Array) -> None:
        """Hand on what is not good."""
        bad = self._own & ~good
        count = int(array_namespace(bad).count_nonzero(bad))
        if count:
            self._own = self._own & good
            self._tally[self._name] -= count
            self._later.append((bad, self._after(self._x[bad])))

    def _mended(self, found: Array, ask: Callable[[Any], Array]) -> Array:
        """Answers with those replaced that are the next means' to give."""
        for where, means in self._later:
            found[where] = array_namespace(found).astype(ask(means), found.dtype, copy=False)
        return found

    def top(self, rank: int) -> tuple[Array, Array]:
        """Top left and right singular vectors, (N, m, rank) and (N, n, rank)."""
        left, right = self._pairs(rank)
        for where, means in self._later:
            left[where], right[where] = means.top(rank)
        return left, right

    def _pairs(self, rank: int) -> tuple[Array, Array]:
        """The same of own matrices; zero of others."""
        left, singular, sure = self._leading(rank)
        self._keep(sure)
        xp, own = array_namespace(left), self._own[:, None]
        left = xp.where(own[:, :, None], left, xp.zeros_like(left))
        singular = xp.where(own, singular, xp.ones_like(singular))
        with np.errstate(invalid="ignore"):  # of what is not finite, which no means accept
            right = transpose(self._x) @ left / singular[:, None, :]
        return xp.astype(left, xp.float64), xp.astype(right, xp.float64)

    def _leading(self, rank: int) -> tuple[Array, Array, Array]:
        """Top left singular vectors, singular values, and where they can be relied upon."""
        raise NotImplementedError


class ByGram(_Means):
    """Answers of Gram matrices of x's type."""

    def __init__(self, x: Array, tally: Tally, after: Callable[[Array], Any], engine: Engine) -> None:
        super().__init__(x, f"{type_name(x)} Gram matrix", tally, after)
        self._gram = Gram(x, engine)
        self._keep(self._gram.good)

    def factors(self, rank: int | None) -> Array:
        """O(X), or O_r(X), (N, m, n)."""
        if rank is None:
            found, error = self._gram.factors()
            self._keep(error <= PRECISION[type_name(self._x)].tolerance)
        else:
            left, right = self._pairs(rank)
            found = left @ transpose(right)
        return self._mended(found, lambda later: later.factors(rank))

    def directions(self, u: Array, v: Array, rank: int | None) -> Array:
        """u_k^T O(X) v_k, or that of O_r(X), (N, k)."""
        if rank is None:
            found = self._gram.directions(u, v)
        else:
            found, sure = self._gram.truncated_directions(u, v, rank)
            self._keep(sure)
        return self._mended(found, lambda later: later.directions(u, v, rank))

    def values(self, count: int) -> Array:
        """The largest singular values, falling, (N, count)."""
        return self._mended(self._gram.values(count), lambda later: later.values(count))

    def nuclear(self) -> Array:
        """‖X‖_*, (N,)."""
        return self._mended(self._gram.nuclear(), lambda later: later.nuclear())

    def _leading(self, rank: int) -> tuple[Array, Array, Array]:
        return self._gram.left(rank)


class ByProducts(_Means):
    """Answers of batched products, of float64 matrices; see ByGram."""

    def __init__(self, x: Array, tally: Tally, after: Callable[[Array], Any]) -> None:
        super().__init__(x, PRODUCTS, tally, after)

    @cached_property
    def _polar(self) -> tuple[Array, Array]:
        return factors(self._x)

    @cached_property
    def _eigen(self) -> Leading:
        return Leading(self._x)

    def _whole(self) -> Array:
        """O(X); what is not has been handed on."""
        found, error = self._polar
        self._keep(error <= PRECISION["float64"].tolerance)
        return found

    def factors(self, rank: int | None) -> Array:
        """See ByGram."""
        if rank is None:
            found = array_namespace(self._x).asarray(self._whole(), copy=True)  # kept for other questions
        else:
            left, right = self._pairs(rank)
            found = left @ transpose(right)
        return self._mended(found, lambda later: later.factors(rank))

    def directions(self, u: Array, v: Array, rank: int | None) -> Array:
        """See ByGram."""
        xp = array_namespace(self._x)
        if rank is None:
            found = xp.sum(u * (self._whole() @ v), axis=-2)
        else:
            left, right = self._pairs(rank)
            found = xp.sum((transpose(left) @ u) * (transpose(right) @ v), axis=-2)
        return self._mended(found, lambda later: later.directions(u, v, rank))

    def values(self, count: int) -> Array:
        """See ByGram."""
        self._keep(self._eigen.sure(count))
        found = array_namespace(self._x).asarray(self._eigen.values[:, :count], copy=True)
        return self._mended(found, lambda later: later.values(count))

    def nuclear(self) -> Array:
        """See ByGram."""
        return self._mended(inner(self._whole(), self._x), lambda later: later.nuclear())

    def _leading(self, rank: int) -> tuple[Array, Array, Array]:
        return self._eigen.left(rank), self._eigen.values[:, :rank], self._eigen.sure(rank)
