"""Gram matrices of a stack on a GPU: one thread has one matrix, a warp a group (threads.py).

The kernels are gram.py's, of the same functions; products of whole matrices are the array namespace's, in full precision:
CuPy's are, unless CUPY_TF32 asks otherwise. What lies matrix after matrix is read and written by each matrix's thread, once,
along the rows: neighbouring threads are then far apart in memory, but every line that a cache fetches is used up.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import config, cuda

from spikesim.arrays import Array, array_namespace, contiguous, transpose, type_name
from spikesim.kernels import threads
from spikesim.kernels.compiled import inner
from spikesim.kernels.eigen import HALVINGS, eigenvector, largest, orthonormal
from spikesim.kernels.lanes import load, splat, store
from spikesim.kernels.launch import THREADS, launch
from spikesim.kernels.once import once
from spikesim.kernels.retarget import retargeted
from spikesim.kernels.root import below, bilinear, inverse_root, normalise
from spikesim.kernels.threads import LANES
from spikesim.kernels.tridiagonal import place, reduce, rotate, turn

Nodes = tuple[Array, Array]
SIMULATED: bool = config.ENABLE_CUDASIM  # type: ignore[attr-defined]
"""Whether numba simulates a GPU: its device functions are then plain ones that take longer."""
_done: dict[Any, Any] = {}


@once
def compiled(kernel: Callable[..., None]) -> Any:
    """A kernel below for a GPU, or for numba's simulator of one."""

    def finish(made: Any) -> Any:
        if made.__code__ is kernel.__code__:
            return cuda.jit(made)
        return made if SIMULATED else cuda.jit(made, device=True)

    operations = {name: retargeted(f, {}, finish, _done) for name, f in threads.OPERATIONS.items()}
    return retargeted(kernel, operations, finish, _done)


@inner
def own(i, count):
    """Where matrix i's part of a flat array (G * count * LANES,) begins: its entry k lies at [k * LANES] from there."""
    return i // LANES * count * LANES + i % LANES


def reduced(squares, a, d, e, trace, bound, low, work, floor):
    """X X^T / trace = Q T Q^T of each matrix, and T over a bound of its norm: as gram.reduced, but for flat arrays.

    squares: (N, m, m), X X^T; work: twice as long as d.
    """
    i = cuda.grid(1)
    if i < squares.shape[0]:
        m = squares.shape[1]
        mine, diagonal, beside = a[own(i, place(m, 1)) :], d[own(i, m) :], e[own(i, m) :]
        total = squares[i, 0, 0]
        for k in range(1, m):
            total += squares[i, k, k]
        store(trace, own(i, 1), total)
        factor = squares.dtype.type(1) / total
        for row in range(m):
            for column in range(row + 1):
                store(mine, place(row, LANES) + column * LANES, squares[i, row, column] * factor)
        reduce(mine, diagonal, beside, work[own(i, 2 * m) :], m, LANES)
        normalise(diagonal, beside, bound[own(i, 1) :], m, LANES)
        least = splat(d.dtype.type(floor), load(diagonal, 0))
        store(low, own(i, 1), below(diagonal, beside, least, m, LANES))


def framed(a, frames, y, m, count):
    """Q^T f_k of the columns of frames, (N, m, r) or (1, m, r) for all, to y (G * r * m * LANES,)."""
    i = cuda.grid(1)
    if i < count:
        rank, frame = frames.shape[2], min(i, frames.shape[0] - 1)
        mine, vectors = a[own(i, place(m, 1)) :], y[own(i, rank * m) :]
        for k in range(rank):
            for j in range(m):
                store(vectors, (k * m + j) * LANES, frames[frame, j, k])
            turn(mine, vectors, k * m * LANES, m, LANES, False)


def directions(d, e, y, z, nodes, weights, out, work, rank, m, count):
    """y_k^T T^{-1/2} z_k, (G * rank * LANES,); work: twice as long as d."""
    i = cuda.grid(1)
    if i < count:
        left, right, sums, free = y[own(i, rank * m) :], z[own(i, rank * m) :], out[own(i, rank) :], work[own(i, 2 * m) :]
        bilinear(d[own(i, m) :], e[own(i, m) :], left, right, rank, nodes, weights, sums, free, m, LANES)


def pairs(d, e, theta, vectors, work, halvings, values, rank, m, count):
    """T's largest eigenvalues, `values` of them, and `rank` eigenvectors: as gram.pairs.

    work: (G * max(3 values, 2 m) * LANES,).
    """
    i = cuda.grid(1)
    if i < count:
        diagonal, beside, found = d[own(i, m) :], e[own(i, m) :], theta[own(i, values) :]
        free = work[own(i, max(3 * values, 2 * m)) :]
        largest(diagonal, beside, values, found, free, halvings, m, LANES)
        if rank > 0:
            vector = vectors[own(i, rank * m) :]
            for k in range(rank):
                eigenvector(diagonal, beside, load(found, k * LANES), vector, k * m * LANES, free, m, LANES)
            orthonormal(vector, rank, m, LANES)


def turned(a, y, rank, m, count):
    """y <- Q y of `rank` vectors of each matrix, in place."""
    i = cuda.grid(1)
    if i < count:
        mine, vectors = a[own(i, place(m, 1)) :], y[own(i, rank * m) :]
        for k in range(rank):
            turn(mine, vectors, k * m * LANES, m, LANES, True)


def roots(d, e, f, nodes, weights, work, m, first, count):
    """T^{-1/2} as lower triangles, of the matrices from `first`, a multiple of LANES, up to `count`.

    work: (nodes.size * (2 m + 1) * LANES for a group of these,).
    """
    i = cuda.grid(1)
    k = first + i
    if k < count:
        free, root = work[own(i, nodes.size * (2 * m + 1)) :], f[own(k, place(m, 1)) :]
        inverse_root(d[own(k, m) :], e[own(k, m) :], root, nodes, weights, free, m, LANES)


def rotated(a, f, size, squares, work):
    """Q F Q^T / size of the lower triangles f, which are overwritten, to squares (N, m, m)."""
    i = cuda.grid(1)
    if i < squares.shape[0]:
        m = squares.shape[1]
        root, factor = f[own(i, place(m, 1)) :], f.dtype.type(1 / size[i])
        rotate(a[own(i, place(m, 1)) :], root, work[own(i, 2 * m) :], m, LANES)
        for row in range(m):
            for column in range(row + 1):
                value = load(root, place(row, LANES) + column * LANES) * factor
                squares[i, row, column] = value
                squares[i, column, row] = value


WORK_BYTES = 2**28
"""Most that `roots` works on at a time."""


class Reduced:
    """As gram_cpu.Reduced, of arrays that a GPU reaches: CuPy's; in numba's simulator (launch.py) those of NumPy's kin too.

    Args:
        x: (N, m, n), contiguous, float32 or float64, N >= 1.
        floor: Eigenvalues of T below it are counted.
    """

    lanes = LANES

    def __init__(self, x: Array, floor: float) -> None:
        self._x, self._count, m = x, x.shape[0], x.shape[1]
        self._groups = -(-self._count // LANES)
        self._a, self.d, self.e = self._empty(m * (m + 1) // 2), self._empty(m), self._empty(m)
        self.trace, self.bound, self.low = (self._empty(1) for _ in range(3))
        with np.errstate(all="ignore"):
            squares = contiguous(x @ transpose(x))
        packs = self._a, self.d, self.e, self.trace, self.bound, self.low, self._empty(2 * m)
        self._run(reduced, squares, *packs, floor)

    def _empty(self, count: int, groups: int | None = None) -> Array:
        """Uninitialised packs (groups, count * LANES), all groups if not said."""
        groups = self._groups if groups is None else groups
        return array_namespace(self._x).empty((groups, count * LANES), dtype=self._x.dtype)

    def _run(self, kernel: Callable[..., None], *arguments: Any, threads: int | None = None) -> None:
        """A thread for each matrix, if not said otherwise."""
        flat = (array_namespace(x).reshape(x, (-1,)) if getattr(x, "ndim", 0) == 2 else x for x in arguments)
        launch(compiled(kernel), -(-(threads or self._count) // THREADS), *flat)

    def roots(self, nodes: Nodes) -> Array:
        """See gram_cpu."""
        xp, m, row = array_namespace(self._x), self._x.shape[1], nodes[0].shape[0] * (2 * self._x.shape[1] + 1)
        out, size = self._empty(m * (m + 1) // 2), row * LANES * xp.finfo(self._x.dtype).bits // 8
        step = min(max(WORK_BYTES // size, 1), self._groups)
        work = self._empty(row, step)
        for first in range(0, self._count, step * LANES):
            last = min(first + step * LANES, self._count)
            self._run(roots, self.d, self.e, out, *nodes, work, m, first, last, threads=last - first)
        return out

    def factors(self, nodes: Nodes, size: Array) -> tuple[Array, Array]:
        """See gram_cpu."""
        xp, m = array_namespace(self._x), self._x.shape[1]
        turned = xp.empty((self._count, m, m), dtype=self._x.dtype)
        self._run(rotated, self._a, self.roots(nodes), size, turned, self._empty(2 * m))
        with np.errstate(all="ignore"):
            out = turned @ self._x
            beyond = out @ transpose(out) - xp.eye(m, dtype=out.dtype)
            return out, xp.sqrt(xp.sum(beyond * beyond, axis=(1, 2), dtype=xp.float64) / m)

    def framed(self, frames: Array) -> Array:
        """See gram_cpu."""
        m, rank = frames.shape[1:]
        out = self._empty(m * rank)
        self._run(framed, self._a, contiguous(frames), out, m, self._count)
        return out

    def directions(self, y: Array, z: Array, nodes: Nodes) -> Array:
        """See gram_cpu."""
        m, rank = self._x.shape[1], y.shape[1] // self.d.shape[1]
        out = self._empty(rank)
        self._run(directions, self.d, self.e, y, z, *nodes, out, self._empty(2 * m), rank, m, self._count)
        return out

    def pairs(self, count: int, rank: int) -> tuple[Array, Array]:
        """See gram_cpu."""
        m, halvings = self._x.shape[1], HALVINGS[type_name(self._x)]
        theta, vectors, work = self._empty(count), self._empty(max(rank, 1) * m), self._empty(max(3 * count, 2 * m))
        self._run(pairs, self.d, self.e, theta, vectors, work, halvings, count, rank, m, self._count)
        return theta, vectors

    def turn(self, vectors: Array) -> None:
        """See gram_cpu."""
        m = self._x.shape[1]
        self._run(turned, self._a, vectors, vectors.shape[1] // (m * LANES), m, self._count)

    def each(self, packs: Array) -> Array:
        """See gram_cpu."""
        xp = array_namespace(packs)
        lanes = xp.permute_dims(xp.reshape(packs, (self._groups, -1, LANES)), (0, 2, 1))
        return contiguous(xp.astype(xp.reshape(lanes, (-1, lanes.shape[2]))[: self._count, ...], xp.float64))
