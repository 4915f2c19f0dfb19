"""Polar factors and top singular pairs of float64 stacks by batched products and eigenvectors: what a GPU does well.

For matrices that a Gram matrix's root refuses (gram.py) where an SVD a matrix is slow. Odd polynomials of X itself square no
condition number; its largest singular values, far from rounding, are as well read of the Gram matrix as of X. Both say how
far each matrix's answer can be relied upon.

Source: Nakatsukasa and Higham, SIAM J. Matrix Anal. Appl. 33 (2012), for the iteration's backward stability.
"""

from typing import Any

from spikesim.arrays import Array, array_namespace, binary_scale, frobenius, transpose
from spikesim.errors import need
from spikesim.gram import RESIDUAL
from spikesim.minimax import schedule
from spikesim.orthogonal.newton_schulz import newton_schulz

LEAST = 2.0**-26
"""sigma_m / sigma_1, up to m^(1/8), from which a factor is reached: below, it is not orthonormal in the end, and refused."""
LEADING = 2.0**-13
"""Least sigma_k / sigma_1 that is read of a Gram matrix."""


def factors(x: Array) -> tuple[Array, Array]:
    """O(X), and how far it is from orthonormal rows: ‖O O^T - I‖_F / sqrt m.

    Args:
        x: (N, m, n), m <= n, float64, finite.

    Returns:
        (N, m, n), near the polar factor where (N,) is near zero; never so where x is rank-deficient.

    Raises:
        ValueError: If x holds NaN or infinity.
    """
    xp, m = _checked(x), x.shape[-2]
    x = x / binary_scale(x)
    gram = x @ transpose(x)
    bound = frobenius(gram @ gram)[:, None, None] ** 0.25  # of the norm, by at most m^(1/8)
    out = newton_schulz(x / xp.where(bound > 0, bound, xp.ones_like(bound)), schedule(LEAST, 1e-15), scaling=None)
    beyond = out @ transpose(out) - xp.eye(m, dtype=out.dtype)
    return out, xp.sqrt(xp.sum(beyond**2, axis=(1, 2)) / m)


class Leading:
    """The Gram matrices' eigenvectors.

    Args:
        x: (N, m, n), m <= n, float64, finite.

    Raises:
        ValueError: If x holds NaN or infinity.
    """

    def __init__(self, x: Array) -> None:
        xp, scale = _checked(x), binary_scale(x)
        gram = (x / scale) @ transpose(x / scale)
        squares, vectors = xp.linalg.eigh(gram)
        self._squares, self._vectors = xp.flip(squares, axis=-1), xp.flip(vectors, axis=-1)
        self.values: Array = xp.sqrt(xp.where(self._squares > 0, self._squares, xp.zeros_like(self._squares))) * scale[..., 0]
        wrong = gram @ self._vectors - self._vectors * self._squares[:, None, :]
        self._wrong = xp.sqrt(xp.sum(wrong**2, axis=-2))

    def sure(self, count: int) -> Array:
        """(N,), where the first `count` values and vectors can be relied upon."""
        xp, largest = array_namespace(self._squares), self._squares[:, 0]
        limit = RESIDUAL * float(xp.finfo(self._squares.dtype).eps) * largest
        true = xp.all(self._wrong[:, :count] <= limit[:, None], axis=-1)
        return true & (self._squares[:, count - 1] > LEADING**2 * largest)

    def left(self, rank: int) -> Array:
        """Top left singular vectors, (N, m, rank)."""
        return self._vectors[:, :, :rank]


def _checked(x: Array) -> Any:
    xp = array_namespace(x)
    need(bool(xp.all(xp.isfinite(x))), "a finite x", x="NaN or infinity")
    return xp
