"""Gram matrices of a stack on the CPU: the arrays that gram.py's loops work on, and the loops."""

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikesim.kernels import gram
from spikesim.kernels.blas import shape
from spikesim.kernels.eigen import HALVINGS
from spikesim.kernels.lanes import LANES

Floats = NDArray[np.floating]
Nodes = tuple[NDArray[np.float64], NDArray[np.float64]]
CACHE_LINE = 64


class Reduced:
    """X X^T / trace = Q T Q^T of each matrix, T over a bound of its norm.

    What "packs" are lies group by group, entry, then lane: (G, entries * lanes).

    Args:
        x: (N, m, n), NumPy, C-contiguous, float32 or float64.
        floor: Eigenvalues of T below it are counted.

    Attributes:
        lanes: Of a pack.
        d: T's diagonal over the bound, packs (G, m * lanes).
        e: The same of its subdiagonal.
        trace: Packs (G, lanes).
        bound: Packs (G, lanes), of the norm of T before it was divided.
        low: Packs (G, lanes), how many eigenvalues lie below the floor.
    """

    def __init__(self, x: Floats, floor: float) -> None:
        self._x, self.lanes, m = x, LANES[x.dtype.name], x.shape[1]
        self._groups = -(-len(x) // self.lanes)
        self._a, self.d, self.e = self._empty(m * (m + 1) // 2), self._empty(m), self._empty(m)
        self.trace, self.bound, self.low = (self._empty(1) for _ in range(3))
        sizes, letters = shape(m, m, x.shape[2], transposed=True)
        gram.reduced(x.reshape(-1), self._a, self.d, self.e, self.trace, self.bound, self.low, self._work, self._squares,
                     floor, sizes, letters, self._ones, self.lanes)  # fmt: skip

    @cached_property
    def _work(self) -> Floats:
        return self._empty(2 * self._x.shape[1], 1)[0]

    @cached_property
    def _squares(self) -> Floats:
        return self._empty(self._x.shape[1] ** 2, 1)[0]

    @property
    def _ones(self) -> Floats:
        return np.array([1, 0], self._x.dtype)

    def _empty(self, count: int, groups: int | None = None) -> Floats:
        """Uninitialised packs (groups, count * lanes), all groups if not said, whose rows begin on a cache line."""
        groups = self._groups if groups is None else groups
        size = groups * count * self.lanes
        whole = np.empty(size + CACHE_LINE, self._x.dtype)
        start = -whole.ctypes.data % CACHE_LINE // whole.itemsize
        return whole[start : start + size].reshape(groups, count * self.lanes)

    def roots(self, nodes: Nodes) -> Floats:
        """T^{-1/2} as lower triangles, packs (G, m (m + 1) / 2 * lanes), by zolotarev's nodes and weights."""
        m = self._x.shape[1]
        roots = self._empty(m * (m + 1) // 2)
        gram.roots(self.d, self.e, roots, *nodes, m, self.lanes)
        return roots

    def factors(self, nodes: Nodes, size: NDArray[np.float64]) -> tuple[Floats, NDArray[np.float64]]:
        """Q T^{-1/2} Q^T X / size, (N, m, n), and how far each is from orthonormal rows, ‖O O^T - I‖_F / sqrt m, (N,)."""
        (_, m, n), out, error = self._x.shape, np.empty_like(self._x), np.empty(len(self._x))
        product, check = shape(m, n, m, transposed=False), shape(m, m, n, transposed=True)
        flat = self._x.reshape(-1), size, out.reshape(-1), error
        gram.factors(self._a, self.roots(nodes), *flat, self._work, self._squares, product, check, self._ones, self.lanes)
        return out, error

    def framed(self, frames: Floats) -> Floats:
        """Q^T f_k of the columns of frames, (N, m, r) or (1, m, r) for all: packs (G, r * m * lanes)."""
        out = self._empty(frames.shape[1] * frames.shape[2])
        gram.framed(self._a, frames, out, frames.shape[1], self.lanes)
        return out

    def directions(self, y: Floats, z: Floats, nodes: Nodes) -> Floats:
        """y_k^T T^{-1/2} z_k, packs (G, r * lanes)."""
        out = self._empty(y.shape[1] // self.d.shape[1])
        gram.directions(self.d, self.e, y, z, *nodes, out, self._x.shape[1], self.lanes)
        return out

    def pairs(self, count: int, rank: int) -> tuple[Floats, Floats]:
        """T's largest eigenvalues, `count` of them, and the eigenvectors of the first `rank`."""
        m = self._x.shape[1]
        theta, vectors = self._empty(count), self._empty(rank * m)
        gram.pairs(self.d, self.e, theta, vectors, HALVINGS[self._x.dtype.name], m, self.lanes)
        return theta, vectors

    def turn(self, vectors: Floats) -> None:
        """Q y of packs of vectors, in place."""
        gram.turned(self._a, vectors, self._x.shape[1], self.lanes)

    def each(self, packs: Any) -> NDArray[np.float64]:
        """(G, k * lanes) to (N, k), contiguous: NumPy's sums and products depend on strides in the last bit."""
        groups = packs.reshape(len(packs), -1, self.lanes)
        return groups.transpose(0, 2, 1).reshape(-1, groups.shape[1])[: len(self._x)].astype(np.float64, order="C")
