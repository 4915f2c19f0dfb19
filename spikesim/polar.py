"""Polar factors of stacks of matrices, and Newton-Schulz iterations that aim at them.

Notation: x has shape (..., m, n); x = U D V^T is its thin SVD; the polar factor is O(x) = U V^T (theory.md, Notation).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

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
    xp = _checked(x)
    scale = binary_scale(x)
    result = xp.linalg.svd(x / scale, full_matrices=False)
    return SVD(result[0], result[1], result[2], scale[..., 0])


def singular_values(x: Array) -> Array:
    """Singular values (..., min(m, n)) of stacked matrices (..., m, n), in falling order. Raises as `svd` does."""
    xp = _checked(x)
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

    Source: Higham, Functions of Matrices (2008), ch. 8; theory.md, Notation.
    """
    return svd(x).polar()


def residual(q: Array) -> Array:
    """How far matrices (..., m, n) are from partial isometries: ‖q q^T q - q‖_F / ‖q‖_F, 0 for zero; (...)."""
    xp = array_namespace(q)
    norm = frobenius(q)
    wide = q if q.shape[-2] <= q.shape[-1] else transpose(q)
    return frobenius((wide @ transpose(wide)) @ wide - wide) / xp.where(norm > 0, norm, xp.ones_like(norm))


def newton_schulz(
    x: Array, coefficients: Sequence[Any], steps: int | None = None, scaling: str | None = "frobenius"
) -> Array:
    """Newton-Schulz iteration: odd polynomials of the singular values, x <- (a + b (x x^T) + c (x x^T)^2 + ...) x.

    Args:
        x: Shape (..., m, n), float32 or float64, finite.
        coefficients: (a, b, c, ...) of a s + b s^3 + c s^5 + ..., repeated `steps` times; or one such tuple a step.
        steps: Number of steps; may be left out where `coefficients` holds one polynomial a step, and is 1 or more.
        scaling: "frobenius" divides by ‖x‖_F first, exactly at any scale (zero stays zero); None does not.

    Returns:
        Shape (..., m, n). How near to the polar factor depends on the polynomials: Muon's quintic leaves singular values
        between about 0.5 and 1.5.

    Raises:
        ValueError: If x is as `polar_factor` refuses, or the coefficients, steps or scaling are as above not.

    Source: Higham, Functions of Matrices (2008), ch. 8.
    """
    xp = _checked(x)
    need(scaling in ("frobenius", None), 'scaling in ("frobenius", None)', scaling=scaling)
    for polynomial in _polynomials(coefficients, steps):
        if scaling == "frobenius":
            x, scaling = _unit(x), None
        x = _odd(x, polynomial)
    return xp.asarray(x)


def _unit(x: Array) -> Array:
    x = x / binary_scale(x)
    norm = frobenius(x)[..., None, None]
    return x / array_namespace(x).where(norm > 0, norm, array_namespace(x).ones_like(norm))


def _odd(x: Array, polynomial: tuple[float, ...]) -> Array:
    """sum_k c_k (x x^T)^k x by Horner's rule on the smaller Gram matrix."""
    if x.shape[-2] > x.shape[-1]:
        return transpose(_odd(transpose(x), polynomial))
    xp = array_namespace(x)
    gram, eye = x @ transpose(x), xp.eye(x.shape[-2], dtype=x.dtype)
    if len(polynomial) == 1:
        return polynomial[0] * x
    total = polynomial[-1] * gram + polynomial[-2] * eye
    for c in polynomial[-3::-1]:
        total = total @ gram + c * eye
    return total @ x


def _polynomials(coefficients: Sequence[Any], steps: int | None) -> list[tuple[float, ...]]:
    try:
        rows = np.atleast_2d(np.asarray(coefficients, float))
    except (TypeError, ValueError):
        rows = np.empty((0, 0))
    need(rows.ndim == 2 and rows.size > 0 and np.all(np.isfinite(rows)),
         "coefficients: one polynomial (a, b, c, ...), or one of equal length a step", coefficients=coefficients)  # fmt: skip
    if len(rows) == 1:
        steps = 1 if steps is None and np.ndim(coefficients) == 2 else steps
        need(isinstance(steps, int | np.integer) and steps >= 1, "steps >= 1 for a repeated polynomial", steps=steps)
        return [tuple(rows[0].tolist())] * int(steps or 1)
    need(steps in (None, len(rows)), f"steps == {len(rows)}, the number of polynomials, or None", steps=steps)
    return [tuple(row.tolist()) for row in rows]


def _checked(x: Array) -> Any:
    need(hasattr(x, "dtype") and hasattr(x, "ndim"), "an array x", x=type(x).__name__)
    xp = array_namespace(x)
    need(x.ndim >= 2 and min(x.shape[-2:]) >= 1, "x.shape == (..., m, n)", **{"x.shape": tuple(x.shape)})
    need(x.dtype in (xp.float32, xp.float64), "x of float32 or float64", **{"x.dtype": str(x.dtype)})
    need(bool(xp.all(xp.isfinite(x))), "a finite x", x="NaN or infinity")
    return xp
