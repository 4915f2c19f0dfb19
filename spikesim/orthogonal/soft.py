"""Spectral functions: the same singular vectors, other singular values, between the gradient and its polar factor.

All take a matrix or its SVD, so that several can share one (theory.md O4, O5).
"""

import math

import numpy as np

from spikesim.arrays import Array, array_namespace
from spikesim.errors import need
from spikesim.polar import SVD, svd


def parts_of(x: Array | SVD) -> SVD:
    """The SVD of matrices (..., m, n), or the one given."""
    return x if isinstance(x, SVD) else svd(x)


def rebuilt(parts: SVD, values: Array) -> Array:
    """U diag(values) V^T, values (..., p) -> (..., m, n)."""
    return (parts.u * values[..., None, :]) @ parts.vt


def quotient(size: float, scale: Array) -> Array:
    """size / scale, and the largest number where that is beyond it."""
    xp = array_namespace(scale)
    with np.errstate(over="ignore"):
        found = size / scale
    return xp.where(xp.isfinite(found), found, xp.full_like(found, float(xp.finfo(scale.dtype).max)))


def soft(x: Array | SVD, epsilon: float, relative: bool = False) -> Array:
    """U diag(σ / sqrt(σ^2 + ε^2)) V^T: near the polar factor where σ >> epsilon, near X / epsilon where σ << epsilon.

    Args:
        x: Shape (..., m, n), float32 or float64, finite; or its SVD.
        epsilon: Above 0: in units of x, so that the noise level can be meant; or, if relative, a multiple of σ_1, so that
            positive scaling of x cancels.
        relative: Which.

    Returns:
        Shape (..., m, n), dimensionless; singular values in [0, 1). Zero gives zero.

    Raises:
        ValueError: If x is as `polar_factor` refuses, or epsilon is not a positive number.

    Source: X (X^T X + ε^2)^(-1/2); theory.md O4.
    """
    need(real(epsilon) and 0 < epsilon < math.inf, "0 < epsilon < inf", epsilon=epsilon)
    parts = parts_of(x)
    xp, d = array_namespace(parts.relative), parts.relative
    level = epsilon * d[..., :1] if relative else quotient(epsilon, parts.scale)
    larger = xp.where(d > level, d, level)
    larger = xp.where(larger > 0, larger, xp.ones_like(larger))
    ratio, rest = d / larger, xp.where(d > level, xp.where(d > level, level, 0 * d) / larger, xp.ones_like(larger))
    return rebuilt(parts, ratio / xp.sqrt(ratio**2 + rest**2))


def power(x: Array | SVD, exponent: float, normalised: bool = True) -> Array:
    """U diag((σ/σ_1)^p) V^T: the polar factor for p = 0, the gradient over its spectral norm for p = 1.

    Args:
        x: Shape (..., m, n), float32 or float64, finite; or its SVD.
        exponent: p, 0 or more.
        normalised: Whether singular values are over the largest, so that the update has spectral norm 1 and positive scaling
            cancels. Otherwise U diag(σ^p) V^T, which is x itself for p = 1.

    Returns:
        Shape (..., m, n), over singular values above max(m, n) eps sigma_1; zero gives zero.

    Raises:
        ValueError: If x is as `polar_factor` refuses, or exponent is not a number of 0 or more.

    Source: Schatten-norm steepest descent, Bernstein and Newhouse, arXiv 2409.20325; theory.md O5.
    """
    need(real(exponent) and 0 <= exponent < math.inf, "0 <= exponent < inf", exponent=exponent)
    parts = parts_of(x)
    xp, d = array_namespace(parts.relative), parts.relative
    size = max(parts.u.shape[-2], parts.vt.shape[-1])
    keep = d > size * xp.finfo(d.dtype).eps * d[..., :1]
    first = xp.where(d[..., :1] > 0, d[..., :1], xp.ones_like(d[..., :1]))
    values = xp.where(keep, d / first, xp.ones_like(d)) ** exponent
    if not normalised:
        values = values * (first * parts.scale) ** exponent
    return rebuilt(parts, xp.where(keep, values, xp.zeros_like(values)))


def real(value: object) -> bool:
    """Whether a value is a real number, and no bool."""
    return isinstance(value, int | float) and not isinstance(value, bool)
