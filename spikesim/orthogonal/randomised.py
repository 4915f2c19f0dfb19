"""The top-r polar factor O_r(X) = U_r V_r^T from products with a random sketch, in place of a full SVD."""

import numpy as np

from spikesim import rng
from spikesim.arrays import Array, array_namespace, binary_scale, transpose
from spikesim.errors import need
from spikesim.polar import SVD, checked

MOST_POWER = 1000
"""Largest number of power iterations."""


def sketch(seed: int, rows: int, columns: int) -> np.ndarray:
    """Standard normals (rows, columns), float64, that matrices are multiplied by; further columns change none before."""
    return rng.normals(seed, rng.SKETCH, 0, (columns, rows)).T


def leading_svd(x: Array, rank: int, oversampling: int = 8, power: int = 1, seed: int = 0) -> SVD:
    """Approximate top singular triples of stacked matrices: X's own SVD within the range of (X X^T)^power X Omega.

    Args:
        x: Shape (..., m, n), float32 or float64, finite.
        rank: How many are wanted, 1 to min(m, n).
        oversampling: Columns of the sketch Omega beyond `rank`, 0 or more; at most min(m, n) columns in all are used.
        power: Power iterations, 0 or more, with a QR decomposition between products.
        seed: Of the sketch, which is the same for all matrices, so that each one's answer depends on it alone.

    Returns:
        SVD of min(rank + oversampling, m, n) triples, of which the first `rank` are meant.

    Raises:
        ValueError: If x is as `polar_factor` refuses, or an argument is as above not.

    Source: Halko, Martinsson and Tropp, SIAM Review 53 (2011), algorithms 4.4 and 5.1; theory.md O8.
    """
    xp, smaller = checked(x), min(x.shape[-2:])
    for name, value, least in (("rank", rank, 1), ("oversampling", oversampling, 0), ("power", power, 0)):
        whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
        need(whole and value >= least, f"{name}: an integer >= {least}", **{name: value})
    need(power <= MOST_POWER, f"power <= {MOST_POWER}", power=power)
    need(rank <= smaller, f"rank <= min(m, n) = {smaller}", rank=rank)
    scale = binary_scale(x)
    x = x / scale
    omega = sketch(seed, x.shape[-1], min(rank + oversampling, smaller))
    basis = _orthonormal(x @ xp.asarray(omega, dtype=x.dtype))
    for _ in range(power):
        basis = _orthonormal(x @ _orthonormal(transpose(x) @ basis))
    u, d, vt = xp.linalg.svd(transpose(basis) @ x, full_matrices=False)
    return SVD(basis @ u, d, vt, scale[..., 0])


def randomised_polar(x: Array, rank: int, oversampling: int = 8, power: int = 1, seed: int = 0) -> Array:
    """An approximation to O_r(X) = U_r V_r^T, of rank `rank` and with singular values 1.

    Its error falls with σ_{r+oversampling+1} / σ_r to the power 2 power + 1: where there is no gap, it is another matrix of
    rank r (theory.md O8 has measured errors). Exact, to rounding, for rank(X) <= rank + oversampling.

    Args:
        x: Shape (..., m, n), float32 or float64, finite. Positive scaling cancels.
        rank: r, 1 to min(m, n).
        oversampling: Columns of the sketch beyond r.
        power: Power iterations.
        seed: Of the sketch.

    Returns:
        Shape (..., m, n), dimensionless; over singular values above max(m, n) eps sigma_1; zero gives zero.

    Raises:
        ValueError: As `leading_svd` does.

    Source: Halko, Martinsson and Tropp, SIAM Review 53 (2011); theory.md O8.
    """
    return leading_svd(x, rank, oversampling, power, seed).polar(rank)


def _orthonormal(x: Array) -> Array:
    return array_namespace(x).linalg.qr(x, mode="reduced")[0]
