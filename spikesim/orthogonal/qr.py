"""The orthonormal factor of a QR decomposition: another matrix with orthonormal rows or columns in the gradient's place."""

from spikesim.arrays import Array, array_namespace, binary_scale, transpose
from spikesim.polar import checked


def qr_factor(x: Array) -> Array:
    """Q of x = Q R with R's diagonal >= 0, for m >= n; Q of x = L Q with L's diagonal >= 0, for m < n.

    Args:
        x: Shape (..., m, n), float32 or float64, finite. Positive scaling cancels.

    Returns:
        Shape (..., m, n), dimensionless; orthonormal columns for m >= n, rows for m < n. Unlike the polar factor it depends
        on the order of the columns (rows), and is unique for full rank only: where a column depends on those before it,
        within rounding, its direction is the decomposition's choice. Zero gives zero.

    Raises:
        ValueError: If x has fewer than two axes, is not float32 or float64, or holds NaN or infinity.

    Source: Golub and Van Loan, Matrix Computations (2013), 5.2; theory.md O8.
    """
    checked(x)
    if x.shape[-2] < x.shape[-1]:
        return transpose(_columns(transpose(x)))
    return _columns(x)


def _columns(x: Array) -> Array:
    xp = array_namespace(x)
    q, r = xp.linalg.qr(x / binary_scale(x), mode="reduced")
    diagonal = xp.linalg.diagonal(r)
    sign = xp.where(diagonal < 0, -xp.ones_like(diagonal), xp.ones_like(diagonal))
    some = xp.any(x != 0, axis=(-2, -1), keepdims=True)
    return xp.where(some, q * sign[..., None, :], xp.zeros_like(q))
