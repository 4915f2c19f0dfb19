"""What the Gram matrices of a stack tell: polar factors, their action on a frame, and top singular pairs.

For X of shape (m, n), m <= n, and h >= sigma_1^2,  X X^T / h = Q T Q^T  with T tridiagonal (kernels/tridiagonal.py), and

    O(X)       = Q T^{-1/2} Q^T X / sqrt h                          kernels/root.py
    u^T O(X) v = (Q^T u)^T T^{-1/2} (Q^T X v) / sqrt h              no product with the whole of X but X v
    sigma_k    = sqrt(h theta_k),  left vector Q z_k                from T's eigenpairs (theta_k, z_k), kernels/eigen.py

Many small matrices go side by side through compiled code, several times as fast as through LAPACK. The Gram matrix squares
the condition number, so this is for well-conditioned matrices: `good` tells where sigma_m / sigma_1 is large enough.

What is compiled is an engine's: CPU has several matrices side by side in a core's vectors, for NumPy's arrays; on a GPU one
thread has one matrix (kernels/gram_cuda.py: Reduced), for CuPy's. The rest takes its functions from the arrays.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikesim.arrays import Array, array_namespace, contiguous, transpose, type_name
from spikesim.kernels import gram_cpu
from spikesim.zolotarev import zolotarev

Engine = Callable[[Array, float], Any]
"""Makes what answers as kernels/gram_cpu.py: Reduced."""
CPU: Engine = gram_cpu.Reduced


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


class Gram:
    """The Gram matrices of a stack, reduced.

    Args:
        x: (N, m, n), 2 <= m <= n, float32 or float64, finite, C-contiguous.
        engine: What the compiled part is done by.

    Attributes:
        good: (N,), where the Gram matrix is well enough conditioned.
    """

    def __init__(self, x: Array, engine: Engine = CPU) -> None:
        self.x, self.precision, xp = x, PRECISION[type_name(x)], array_namespace(x)
        floor = self.precision.condition**2
        self._t = engine(x, floor)
        each = self._t.each
        with np.errstate(all="ignore"):  # what overflows, or is not finite, is not good
            self._size = xp.sqrt(each(self._t.trace) * each(self._t.bound))[:, 0]
            kept = xp.sum(each(self._t.d), axis=1) * each(self._t.bound)[:, 0]  # the trace of T, which is 1
        self.good: Array = (xp.abs(kept - 1) <= floor) & (each(self._t.low)[:, 0] < 0.5)

    @cached_property
    def _nodes(self) -> tuple[Array, Array]:
        nodes, weights = _quadrature(self.precision.condition, self.precision.quadrature)
        return array_namespace(self.x).asarray(nodes), array_namespace(self.x).asarray(weights)

    def factors(self) -> tuple[Array, Array]:
        """O(X), (N, m, n), and ‖O O^T - I‖_F / sqrt m of each, (N,), after one Newton-Schulz step where it is needed."""
        out, error = self._t.factors(self._nodes, self._size)
        rough = (error > self.precision.tolerance) & (error < POLISHED)
        if bool(array_namespace(error).any(rough)):
            out[rough], error[rough] = _polished(out[rough])
        return out, error

    def nuclear(self) -> Array:
        """‖X‖_* = sqrt h tr T T^{-1/2}, (N,)."""
        xp, rows = array_namespace(self.x), np.arange(self.x.shape[1])
        at = rows * (rows + 1) // 2 + rows  # of the diagonal of a lower triangle; one before it, the entry beside
        root = xp.reshape(self._t.roots(self._nodes), (-1, at[-1] + 1, self._t.lanes))
        diagonal, beside = (self._t.each(xp.take(root, xp.asarray(k), axis=1)) for k in (at, np.maximum(at - 1, 0)))
        return xp.sum(self._t.each(self._t.d) * diagonal + 2 * self._t.each(self._t.e) * beside, axis=1) * self._size

    def directions(self, u: Array, v: Array) -> Array:
        """u_k^T O(X) v_k, (N, r), of a frame u (m, r), v (n, r)."""
        return self._t.each(self._t.directions(*self._framed(u, v), self._nodes)) / self._size[:, None]

    def _framed(self, u: Array, v: Array) -> tuple[Array, Array]:
        """Q^T u_k and Q^T X v_k, packs."""
        xp = array_namespace(self.x)
        u, v = (contiguous(xp.astype(f, self.x.dtype, copy=False)) for f in (u, v))
        with np.errstate(over="ignore", invalid="ignore"):  # of what is not good
            images = self.x @ v
        return self._t.framed(u[None, ...]), self._t.framed(images)

    def values(self, count: int) -> Array:
        """The largest singular values, falling, (N, count)."""
        xp, squares = array_namespace(self.x), self._t.each(self._t.pairs(count, 0)[0])
        return xp.sqrt(_positive(squares)) * self._size[:, None]

    def _pairs(self, rank: int) -> tuple[Array, Array, Array]:
        """T's top eigenvectors, packs, the singular values (N, rank), and where all the vectors are eigenvectors."""
        xp, m, (theta, out) = array_namespace(self.x), self.x.shape[1], self._t.pairs(rank, rank)
        values, z = self._t.each(theta), xp.reshape(self._t.each(out), (-1, rank, m))
        with np.errstate(invalid="ignore"):  # NaN is no eigenvector
            d, e = self._t.each(self._t.d)[:, None, :], self._t.each(self._t.e)[:, None, 1:]
            wrong = (d - values[:, :, None]) * z
            wrong[:, :, 1:] += e * z[:, :, :-1]
            wrong[:, :, :-1] += e * z[:, :, 1:]
            worst = xp.sqrt(xp.max(xp.sum(wrong**2, axis=-1), axis=-1))
        singular = xp.sqrt(_positive(values)) * self._size[:, None]
        return out, singular, worst <= RESIDUAL * float(xp.finfo(self.x.dtype).eps)

    def truncated_directions(self, u: Array, v: Array, rank: int) -> tuple[Array, Array]:
        """u_k^T O_rank(X) v_k, (N, r), of the top singular pairs, and where these can be relied upon."""
        xp, (y, z), (pairs, singular, sure) = array_namespace(self.x), self._framed(u, v), self._pairs(rank)
        y, z, pairs = (xp.reshape(self._t.each(packs), (self.x.shape[0], -1, self.x.shape[1])) for packs in (y, z, pairs))
        with np.errstate(divide="ignore", invalid="ignore"):  # where the matrix is singular, and so not good
            left, right = (f @ transpose(pairs) for f in (y, z))
            return xp.sum(left * right / singular[:, None, :], axis=-1), sure

    def left(self, rank: int) -> tuple[Array, Array, Array]:
        """Top left singular vectors (N, m, rank), the singular values (N, rank), and where all can be relied upon."""
        xp, m, (pairs, singular, sure) = array_namespace(self.x), self.x.shape[1], self._pairs(rank)
        self._t.turn(pairs)
        packs = xp.permute_dims(xp.reshape(pairs, (-1, rank, m, self._t.lanes)), (0, 3, 2, 1))
        return contiguous(xp.reshape(packs, (-1, m, rank))[: self.x.shape[0], ...]), singular, sure


def _positive(x: Array) -> Array:
    """What is below zero as zero."""
    return array_namespace(x).where(x < 0, array_namespace(x).zeros_like(x), x)


@cache
def _quadrature(condition: float, error: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return zolotarev(condition, 1.0, error)


def _polished(q: Array) -> tuple[Array, Array]:
    """One Newton-Schulz step, and ‖Q Q^T - I‖_F / sqrt m after it."""
    xp, m = array_namespace(q), q.shape[1]
    q = q - (q @ transpose(q) - xp.eye(m, dtype=q.dtype)) @ q / 2
    beyond = q @ transpose(q) - xp.eye(m, dtype=xp.float64)
    return q, xp.sqrt(xp.sum(beyond**2, axis=(1, 2)) / m)
