"""What the Gram matrices of a stack tell: polar factors, their action on a frame, and top singular pairs.

For X of shape (m, n), m <= n, and h >= sigma_1^2,  X X^T / h = Q T Q^T  with T tridiagonal (kernels/tridiagonal.py), and

    O(X)       = Q T^{-1/2} Q^T X / sqrt h                          kernels/root.py
    u^T O(X) v = (Q^T u)^T T^{-1/2} (Q^T X v) / sqrt h              no product with the whole of X but X v
    sigma_k    = sqrt(h theta_k),  left vector Q z_k                from T's eigenpairs (theta_k, z_k), kernels/eigen.py

Many small matrices go side by side through compiled code, several times as fast as through LAPACK. The Gram matrix squares
the condition number, so this is for well-conditioned matrices: `good` tells where sigma_m / sigma_1 is large enough.
"""

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from spikesim.kernels import gram as kernel
from spikesim.kernels.blas import shape
from spikesim.kernels.eigen import HALVINGS
from spikesim.kernels.lanes import LANES
from spikesim.zolotarev import zolotarev

Floats = NDArray[np.floating]


@dataclass(frozen=True)
class Precision:
    """What one number type allows.

    Attributes:
        condition: Least sigma_m / sqrt h, at most sigma_m / sigma_1.
        tolerance: Distance ‖O O^T - I‖_F / sqrt m above which a factor is polished, and refused if it stays above.
        quadrature: Relative error of T^{-1/2}.
    """

    condition: float
    tolerance: float
    quadrature: float


PRECISION = {"float32": Precision(2.0**-5, 3e-6, 3e-8), "float64": Precision(2.0**-13, 3e-14, 1e-14)}
POLISHED = 0.1
"""Distance from orthonormal rows up to which one Newton-Schulz step, which squares it, is tried."""
RESIDUAL = 100
"""Largest ‖T z - theta z‖ of a trusted eigenvector, in units of rounding; T has norm at most 1."""
CACHE_LINE = 64


class Gram:
    """The Gram matrices of a stack, reduced.

    Args:
        x: (N, m, n), 2 <= m <= n, float32 or float64, finite, C-contiguous.
    """

    def __init__(self, x: Floats) -> None:
        self.x, self.lanes, self.precision = x, LANES[x.dtype.name], PRECISION[x.dtype.name]
        groups, m = -(-len(x) // self.lanes), x.shape[1]
        self._a = self._empty(groups, m * (m + 1) // 2)
        self._d, self._e = self._empty(groups, m), self._empty(groups, m)
        trace, bound, low = (self._empty(groups, 1) for _ in range(3))
        floor, (sizes, letters) = self.precision.condition**2, shape(m, m, x.shape[2], transposed=True)
        self._work, self._squares = self._empty(1, 2 * m)[0], self._empty(1, m * m)[0]
        kernel.reduced(x.reshape(-1), self._a, self._d, self._e, trace, bound, low, self._work, self._squares, floor, sizes,
                       letters, self._ones, self.lanes)  # fmt: skip
        with np.errstate(all="ignore"):  # what overflows, or is not finite, is not good
            self._size = np.sqrt(self._each(trace) * self._each(bound))[:, 0]
            kept = np.sum(self._each(self._d), axis=1) * self._each(bound)[:, 0]  # the trace of T, which is 1
        self.good: NDArray[np.bool_] = (np.abs(kept - 1) <= floor) & (self._each(low)[:, 0] < 0.5)

    @property
    def _ones(self) -> Floats:
        return np.array([1, 0], self.x.dtype)

    def _empty(self, groups: int, count: int) -> Floats:
        """An uninitialised array (groups, count * lanes) whose rows begin on a cache line: packs do."""
        size = groups * count * self.lanes
        whole = np.empty(size + CACHE_LINE, self.x.dtype)
        start = -whole.ctypes.data % CACHE_LINE // whole.itemsize
        return whole[start : start + size].reshape(groups, count * self.lanes)

    def _each(self, packs: Floats) -> NDArray[np.float64]:
        """(G, k * lanes) to (N, k), contiguous: NumPy's sums and products depend on strides in the last bit."""
        groups = packs.reshape(len(packs), -1, self.lanes)
        return groups.transpose(0, 2, 1).reshape(-1, groups.shape[1])[: len(self.x)].astype(np.float64, order="C")

    @cached_property
    def _nodes(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return _quadrature(self.precision.condition, self.precision.quadrature)

    def _roots(self) -> Floats:
        roots = self._empty(len(self._a), self._a.shape[1] // self.lanes)
        kernel.roots(self._d, self._e, roots, *self._nodes, self.x.shape[1], self.lanes)
        return roots

    def factors(self) -> tuple[Floats, NDArray[np.float64]]:
        """O(X), (N, m, n), and ‖O O^T - I‖_F / sqrt m of each, (N,), after one Newton-Schulz step where it is needed."""
        (_, m, n), out, error = self.x.shape, np.empty_like(self.x), np.empty(len(self.x))
        product, check = shape(m, n, m, transposed=False), shape(m, m, n, transposed=True)
        flat = self.x.reshape(-1), self._size, out.reshape(-1), error
        kernel.factors(self._a, self._roots(), *flat, self._work, self._squares, product, check, self._ones, self.lanes)
        rough = (error > self.precision.tolerance) & (error < POLISHED)
        if rough.any():
            out[rough], error[rough] = _polished(out[rough])
        return out, error

    def nuclear(self) -> NDArray[np.float64]:
        """‖X‖_* = sqrt h tr T T^{-1/2}, (N,)."""
        rows = np.arange(self.x.shape[1])
        at = rows * (rows + 1) // 2 + rows  # of the diagonal of a lower triangle; one before it, the entry beside
        root = self._roots().reshape(len(self._a), -1, self.lanes)
        diagonal, beside = (self._each(np.ascontiguousarray(root[:, k])) for k in (at, np.maximum(at - 1, 0)))
        return np.sum(self._each(self._d) * diagonal + 2 * self._each(self._e) * beside, axis=1) * self._size

    def directions(self, u: Floats, v: Floats) -> NDArray[np.float64]:
        """u_k^T O(X) v_k, (N, r), of a frame u (m, r), v (n, r)."""
        y, z = self._framed(u, v)
        out = self._empty(len(self._a), u.shape[1])
        kernel.directions(self._d, self._e, y, z, *self._nodes, out, self.x.shape[1], self.lanes)
        return self._each(out) / self._size[:, None]

    def _framed(self, u: Floats, v: Floats) -> tuple[Floats, Floats]:
        """Q^T u_k and Q^T X v_k."""
        u, v = (np.ascontiguousarray(f, self.x.dtype) for f in (u, v))
        y, z = (self._empty(len(self._a), u.size) for _ in range(2))
        with np.errstate(over="ignore", invalid="ignore"):  # of what is not good
            images = self.x @ v
        for frames, out in ((u[None], y), (images, z)):
            kernel.framed(self._a, frames, out, len(u), self.lanes)
        return y, z

    def _eigen(self, count: int, rank: int) -> tuple[Floats, Floats]:
        """T's largest eigenvalues, `count` of them, and the eigenvectors of the first `rank`."""
        m = self.x.shape[1]
        theta, vectors = self._empty(len(self._a), count), self._empty(len(self._a), rank * m)
        kernel.pairs(self._d, self._e, theta, vectors, HALVINGS[self.lanes], m, self.lanes)
        return theta, vectors

    def values(self, count: int) -> NDArray[np.float64]:
        """The largest singular values, falling, (N, count)."""
        return np.sqrt(np.maximum(self._each(self._eigen(count, 0)[0]), 0)) * self._size[:, None]

    def _pairs(self, rank: int) -> tuple[Floats, NDArray[np.float64], NDArray[np.bool_]]:
        """T's top eigenvectors, the singular values (N, rank), and where all the vectors are eigenvectors."""
        m, (theta, out) = self.x.shape[1], self._eigen(rank, rank)
        values, z = self._each(theta), self._each(out).reshape(len(self.x), rank, m)
        with np.errstate(invalid="ignore"):  # NaN is no eigenvector
            d, e = self._each(self._d)[:, None, :], self._each(self._e)[:, None, 1:]
            wrong = (d - values[:, :, None]) * z
            wrong[:, :, 1:] += e * z[:, :, :-1]
            wrong[:, :, :-1] += e * z[:, :, 1:]
            worst = np.sqrt(np.max(np.sum(wrong**2, axis=-1), axis=-1))
        singular = np.sqrt(np.maximum(values, 0)) * self._size[:, None]
        return out, singular, worst <= RESIDUAL * np.finfo(self.x.dtype).eps

    def truncated_directions(self, u: Floats, v: Floats, rank: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """u_k^T O_rank(X) v_k, (N, r), of the top singular pairs, and where these can be relied upon."""
        (y, z), (pairs, singular, sure) = self._framed(u, v), self._pairs(rank)
        y, z, pairs = (self._each(packs).reshape(len(self.x), -1, self.x.shape[1]) for packs in (y, z, pairs))
        with np.errstate(divide="ignore", invalid="ignore"):  # where the matrix is singular, and so not good
            left, right = (f @ pairs.transpose(0, 2, 1) for f in (y, z))
            return np.sum(left * right / singular[:, None, :], axis=-1), sure

    def left(self, rank: int) -> tuple[Floats, NDArray[np.float64], NDArray[np.bool_]]:
        """Top left singular vectors (N, m, rank), the singular values (N, rank), and where all can be relied upon."""
        pairs, singular, sure = self._pairs(rank)
        kernel.turned(self._a, pairs, self.x.shape[1], self.lanes)
        packs = pairs.reshape(len(pairs), rank, self.x.shape[1], self.lanes)
        left = packs.transpose(0, 3, 2, 1).reshape(-1, self.x.shape[1], rank)[: len(self.x)]
        return np.ascontiguousarray(left), singular, sure


@cache
def _quadrature(condition: float, error: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return zolotarev(condition, 1.0, error)


def _polished(q: Floats) -> tuple[Floats, NDArray[np.float64]]:
    """One Newton-Schulz step, and ‖Q Q^T - I‖_F / sqrt m after it."""
    q = q - (q @ q.transpose(0, 2, 1) - np.eye(q.shape[1], dtype=q.dtype)) @ q / 2
    beyond = q @ q.transpose(0, 2, 1) - np.eye(q.shape[1])
    return q, np.sqrt(np.sum(beyond**2, axis=(1, 2)) / q.shape[1])
