"""Inverse roots of Gram matrices on both sides (Shampoo), or on one (Fisher).

Notation: for a symmetric positive semidefinite A, A^p runs over its eigenvalues above floor times the largest, and is zero
on the others: a pseudo-inverse where p < 0, so that directions that were never seen stay out, whatever rounding left there.
"""

import math

from spikesim.arrays import Array, array_namespace, binary_scale, transpose
from spikesim.errors import need
from spikesim.orthogonal.soft import real
from spikesim.polar import checked


def symmetric_power(a: Array, power: float, floor: float | None = None) -> Array:
    """A^power of symmetric positive semidefinite matrices by their eigenvectors.

    Args:
        a: Shape (..., m, m), float32 or float64, finite; only its symmetric part is used.
        power: Any real number, such as -1/4.
        floor: Relative: eigenvalues up to floor times the largest count as zero, negative ones always. None: m eps, so that
            singular values of X below sqrt(m eps) σ_1 (1e-7 σ_1 in float64, 3e-3 σ_1 in float32) are lost in X X^T.

    Returns:
        Shape (..., m, m), symmetric; zero for zero.

    Raises:
        ValueError: If a is not of square float32 or float64 matrices, holds NaN or infinity, or an argument is no number.

    Source: Higham, Functions of Matrices (2008), 1.2; theory.md O7.
    """
    xp = checked(a)
    need(a.shape[-2] == a.shape[-1], "a.shape == (..., m, m)", **{"a.shape": tuple(a.shape)})
    need(real(power) and math.isfinite(power), "a finite power", power=power)
    need(floor is None or (real(floor) and 0 <= floor < 1), "0 <= floor < 1, or None", floor=floor)
    floor = a.shape[-1] * float(xp.finfo(a.dtype).eps) if floor is None else floor
    scale = binary_scale(a)
    values, vectors = xp.linalg.eigh((a / scale + transpose(a / scale)) / 2)
    keep = (values > floor * values[..., -1:]) & (values > 0)
    roots = xp.where(keep, xp.where(keep, values, xp.ones_like(values)) ** power, xp.zeros_like(values))
    return (vectors * roots[..., None, :]) @ transpose(vectors) * scale**power


def preconditioned(
    x: Array, left: Array, right: Array, powers: tuple[float, float] = (-0.25, -0.25), floor: float | None = None
) -> Array:
    """L^p X R^q.

    Args:
        x: Shape (..., m, n), float32 or float64, finite.
        left: L, (..., m, m), such as the sum or the average of G G^T so far.
        right: R, (..., n, n), the same of G^T G.
        powers: (p, q).
        floor: Of `symmetric_power`, for both.

    Returns:
        Shape (..., m, n). Dimensionless where L and R have squared units of x and p + q = -1/2.

    Raises:
        ValueError: As `symmetric_power` does.

    Source: Gupta, Koren and Singer, Shampoo, arXiv 1802.09568; theory.md O7.
    """
    checked(x)
    return symmetric_power(left, powers[0], floor) @ x @ symmetric_power(right, powers[1], floor)


def shampoo(x: Array, floor: float | None = None) -> Array:
    """(X X^T)^(-1/4) X (X^T X)^(-1/4), Shampoo without accumulation: the polar factor, to rounding.

    Args:
        x: Shape (..., m, n), float32 or float64, finite. Positive scaling cancels.
        floor: Of `symmetric_power`, for both sides.

    Returns:
        Shape (..., m, n), dimensionless: the polar factor over singular values above sqrt(floor) σ_1. Gram matrices square
        the condition number κ of what is kept: the error is a few κ^2 eps.

    Raises:
        ValueError: If x is as `polar_factor` refuses, or floor is not in [0, 1).

    Source: Bernstein and Newhouse, arXiv 2409.20325; theory.md O7.
    """
    checked(x)
    x = x / binary_scale(x)
    if floor is None:
        floor = max(x.shape[-2:]) * float(array_namespace(x).finfo(x.dtype).eps)
    return preconditioned(x, x @ transpose(x), transpose(x) @ x, floor=floor)


def fisher(m: Array, c: Array, floor: float | None = None) -> Array:
    """C^(-1/2) M, for C an average of G G^T and M the same average of G.

    Args:
        m: M, shape (..., m, n), float32 or float64, finite.
        c: C, shape (..., m, m). With the same weights for both, M lies in the range of C and ‖C^(-1/2) M‖_op is at most
            the root of their sum. C = M M^T gives the polar factor.
        floor: Of `symmetric_power`.

    Returns:
        Shape (..., m, n), dimensionless.

    Raises:
        ValueError: As `symmetric_power` does.

    Source: theory.md O7.
    """
    checked(m)
    return symmetric_power(c, -0.5, floor) @ m
