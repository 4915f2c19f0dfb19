"""Polar factors of stacks of matrices, by their singular value decomposition.

Notation: x has shape (..., m, n); x = U D V^T is its thin SVD; the polar factor is O(x) = U V^T (theory.md, Notation).
"""

from dataclasses import dataclass
from typing import Any

from spikesim.arrays import Array, array_namespace, binary_scale, frobenius, transpose
from spikesim.errors import need


@dataclass(frozen=True)
class SVD:
    """Thin SVD x = scale u diag(relative) vt of a stack: u (..., m, p), relative (..., p), vt (..., p, n), scale (..., 1)."""

    u: Array
    relative: Array
    vt: Array
    scale: Array

    @property
    def d(self) -> Array:
        """Singular values in falling order, (..., p), p = min(m, n)."""
        return self.relative * self.scale

    def polar(self, rank: int | None = None) -> Array:
        """U V^T over the nonzero singular values, at most the `rank` largest of them."""
        d = self.relative
        xp = array_namespace(d)
        size = max(self.u.shape[-2], self.vt.shape[-1])
        keep = d > size * xp.finfo(d.dtype).eps * d[..., :1]
        if rank is not None:
            keep = keep & (xp.arange(d.shape[-1]) < rank)
        return (self.u * xp.astype(keep, self.u.dtype)[..., None, :]) @ self.vt


def svd(x: Array) -> SVD:
    """Thin SVD of stacked matrices, singular values in falling order.

    Args:
        x: Shape (..., m, n), float32 or float64, finite.

    Raises:
        ValueError: If x has fewer than two axes, is not float32 or float64, or holds NaN or infinity.
    """
    xp = checked(x)
    scale = binary_scale(x)
    result = xp.linalg.svd(x / scale, full_matrices=False)
    return SVD(result[0], result[1], result[2], scale[..., 0])


def singular_values(x: Array) -> Array:
    """Singular values (..., min(m, n)) of stacked matrices (..., m, n), in falling order. Raises as `svd` does."""
    xp = checked(x)
    scale = binary_scale(x)
    return xp.linalg.svdvals(x / scale) * scale[..., 0]


def polar_factor(x: Array) -> Array:
    """The polar factor U V^T: the nearest matrix with orthonormal rows or columns.

    Args:
        x: Shape (..., m, n), float32 or float64, finite. Positive scaling cancels.

    Returns:
        Shape (..., m, n), dimensionless. A rank-deficient matrix gives U_+ V_+^T over its singular values above
        max(m, n) eps sigma_1; zero gives zero.

    Raises:
        ValueError: If x has fewer than two axes, is not float32 or float64, or holds NaN or infinity.

    Example:
        >>> import numpy as np
        >>> polar_factor(np.diag([3.0, 0.5])).round(6).tolist()
        [[1.0, 0.0], [0.0, 1.0]]

    Source: Higham, Functions of Matrices (2008), ch. 8; theory.md, Notation.
    """
    return svd(x).polar()


def residual(q: Array) -> Array:
    """How far matrices (..., m, n) are from partial isometries: ‖q q^T q - q‖_F / ‖q‖_F, 0 for zero; (...)."""
    xp = array_namespace(q)
    norm = frobenius(q)
    wide = q if q.shape[-2] <= q.shape[-1] else transpose(q)
    return frobenius((wide @ transpose(wide)) @ wide - wide) / xp.where(norm > 0, norm, xp.ones_like(norm))


def checked(x: Array) -> Any:
    """The namespace of matrices (..., m, n) that are float32 or float64 and finite; a ValueError for any other x."""
    need(hasattr(x, "dtype") and hasattr(x, "ndim"), "an array x", x=type(x).__name__)
    xp = array_namespace(x)
    need(x.ndim >= 2 and min(x.shape[-2:]) >= 1, "x.shape == (..., m, n)", **{"x.shape": tuple(x.shape)})
    need(x.dtype in (xp.float32, xp.float64), "x of float32 or float64", **{"x.dtype": str(x.dtype)})
    need(bool(xp.all(xp.isfinite(x))), "a finite x", x="NaN or infinity")
    return xp
