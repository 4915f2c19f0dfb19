"""Matrices that the tests of orthogonalisers share, and functions of singular values by NumPy's SVD, one by one."""

import numpy as np

SHAPES = [(4, 4), (3, 6), (6, 3), (1, 5), (5, 1), (1, 1)]
BAD_MATRICES = [
    (np.ones(3), r"need x.shape == \(..., m, n\), got x.shape=\(3,\)"),
    (np.eye(2, dtype=int), "need x of float32 or float64, got x.dtype='int64'"),
    (np.array([[1.0, np.nan]]), "need a finite x, got x='NaN or infinity'"),
    (np.array([[[1.0]], [[np.inf]]]), "need a finite x, got x='NaN or infinity'"),
]


def random(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def with_singular_values(values, m, n, seed=0):
    """A matrix with these singular values, its left vectors and its right vectors."""
    left, right = (np.linalg.qr(random(k, len(values), seed=seed + k))[0] for k in (m, n))
    return (left * np.asarray(values)) @ right.T, left, right


def spectral(x, function):
    """U diag(function(singular values)) V^T of stacked matrices."""
    left, values, right = np.linalg.svd(x, full_matrices=False)
    return (left * function(values)[..., None, :]) @ right


def singular(x):
    return np.linalg.svd(np.asarray(x, float), compute_uv=False)


def size(x):
    """Frobenius norms of stacked matrices."""
    return np.linalg.norm(x, axis=(-2, -1))


def composed(polynomials, s):
    """The polynomials of numbers, one after the other."""
    for c in polynomials:
        s = sum(a * s ** (2 * k + 1) for k, a in enumerate(c))
    return s
