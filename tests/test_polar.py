"""Polar factors against scipy's, at every scale and rank."""

import array_api_strict as strict
import numpy as np
import pytest
import reference as ref
from scipy import linalg

import spikesim as ss
from spikesim.polar import residual, singular_values, svd

SHAPES = [(4, 4), (3, 6), (6, 3), (1, 5), (5, 1), (1, 1)]


def random(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def with_singular_values(values, m, n, seed=0):
    """A matrix with these singular values, its left vectors and its right vectors."""
    left, right = (np.linalg.qr(random(k, len(values), seed=seed + k))[0] for k in (m, n))
    return (left * values) @ right.T, left, right


# The polar factor


@pytest.mark.parametrize("shape", SHAPES)
def test_polar_factor_equals_scipys(shape):
    x = random(*shape)
    np.testing.assert_allclose(ss.polar_factor(x), linalg.polar(x)[0], atol=1e-13)


def test_stacked_matrices_are_taken_one_by_one():
    x = random(2, 3, 4, 5)
    expected = [[linalg.polar(a)[0] for a in row] for row in x]
    np.testing.assert_allclose(ss.polar_factor(x), expected, atol=1e-13)


def test_empty_stack_gives_empty_stack():
    assert ss.polar_factor(np.empty((0, 2, 3))).shape == (0, 2, 3)


@pytest.mark.parametrize("scale", [1.0, 1e-300, 1e-160, 1e150, 1e300])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_rank_deficient_gives_partial_isometry_of_the_range(rank, scale):
    x, left, right = with_singular_values(np.arange(1.0, rank + 1), 4, 6)
    q = ss.polar_factor(scale * x)
    np.testing.assert_allclose(q, left @ right.T, atol=1e-13)
    assert residual(q) < 1e-14


def test_singular_values_below_the_stated_threshold_are_dropped():
    threshold = 6 * np.finfo(float).eps
    x = np.zeros((4, 6))
    x[0, 0], x[1, 1], x[2, 2] = 1.0, 1.5 * threshold, 0.5 * threshold
    np.testing.assert_allclose(ss.polar_factor(x), np.diag([1.0, 1.0, 0.0, 0.0]) @ np.eye(4, 6), atol=1e-15)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_zero_gives_zero(dtype):
    x = np.zeros((2, 3, 4), dtype)
    x[1] = random(3, 4)
    q = ss.polar_factor(x)
    assert q.dtype == dtype
    np.testing.assert_array_equal(q[0], 0)
    np.testing.assert_allclose(q[1], linalg.polar(x[1])[0], atol=1e-6)


EXTREMES = [(np.float64, s) for s in (5e-324, 1e-310, 1e-300, 1e-160, 1e160, 1e300, 4e307)]
EXTREMES += [(np.float32, s) for s in (1.5e-45, 1e-40, 1e-30, 1e30, 8e37)]


@pytest.mark.parametrize(("dtype", "scale"), EXTREMES)
def test_any_scale_cancels(dtype, scale):
    x = np.array([[3.0, 0.0, -1.0], [1.0, 2.0, 4.0]])  # integers: exact multiples of the smallest number too
    q = ss.polar_factor(x.astype(dtype) * dtype(scale))
    assert q.dtype == dtype
    np.testing.assert_allclose(q, linalg.polar(x)[0], atol=4 * np.finfo(dtype).eps)


@pytest.mark.parametrize(("dtype", "largest"), [(np.float64, 1.7e308), (np.float32, 3e38)])
def test_spectral_norm_beyond_the_largest_number_cancels_too(dtype, largest):
    np.testing.assert_allclose(ss.polar_factor(np.full((2, 2), largest, dtype)), np.full((2, 2), 0.5), atol=1e-6)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_largest_number_is_no_exception(dtype):
    np.testing.assert_array_equal(np.abs(ss.polar_factor(np.finfo(dtype).max * np.eye(2, dtype=dtype))), np.eye(2))


def test_single_precision_stays_single():
    x = random(5, 3).astype(np.float32)
    q = ss.polar_factor(x)
    assert q.dtype == np.float32
    np.testing.assert_allclose(q, linalg.polar(x.astype(float))[0], atol=2e-6)


@pytest.mark.parametrize("shape", SHAPES)
def test_svd_rebuilds_the_matrix(shape):
    x = 1e200 * random(3, *shape)
    found = svd(x)
    np.testing.assert_allclose((found.u * found.d[..., None, :]) @ found.vt, x, rtol=0, atol=1e187)
    np.testing.assert_allclose(found.d, np.linalg.svd(x / 1e200, compute_uv=False) * 1e200, rtol=1e-13)
    np.testing.assert_allclose(singular_values(x), found.d, rtol=1e-13)


@pytest.mark.parametrize("rank", [1, 2, 3, 9])
def test_truncated_polar_factor_keeps_the_top_pairs(rank):
    x = random(4, 6)
    np.testing.assert_allclose(svd(x).polar(rank), ref.truncated_polar(x, rank), atol=1e-13)


def test_residual_is_zero_for_partial_isometries_only():
    q = np.stack([np.eye(3, 4), np.zeros((3, 4)), 2 * np.eye(3, 4)])
    np.testing.assert_allclose(residual(q), [0, 0, 3], atol=1e-15)


def test_input_is_left_as_it_was():
    x = random(3, 5)
    kept = x.copy()
    ss.polar_factor(x)
    np.testing.assert_array_equal(x, kept)


# Other namespaces


@pytest.mark.parametrize("function", [
    ss.polar_factor, residual, singular_values, lambda x: svd(x).polar(2),
])  # fmt: skip
@pytest.mark.parametrize("shape", [(4, 4), (3, 6), (6, 3)])
def test_array_api_strict_gives_numpys_numbers(function, shape):
    x = random(2, *shape)
    other = function(strict.asarray(x))
    assert type(other) is type(strict.asarray(x))
    np.testing.assert_allclose(np.asarray(other), function(x), atol=1e-13)


# Bad input

MATRIX_FUNCTIONS = [ss.polar_factor, svd, singular_values]
BAD_MATRICES = [
    (np.ones(3), r"need x.shape == \(..., m, n\), got x.shape=\(3,\)"),
    (np.ones((0, 3)), r"need x.shape == \(..., m, n\), got x.shape=\(0, 3\)"),
    (np.eye(2, dtype=int), "need x of float32 or float64, got x.dtype='int64'"),
    (np.eye(2) * 1j, "need x of float32 or float64, got x.dtype='complex128'"),
    (np.array([[1.0, np.nan]]), "need a finite x, got x='NaN or infinity'"),
    (np.array([[[1.0]], [[np.inf]]]), "need a finite x, got x='NaN or infinity'"),
]


@pytest.mark.parametrize("function", MATRIX_FUNCTIONS)
@pytest.mark.parametrize(("x", "message"), BAD_MATRICES)
def test_no_finite_real_matrix_is_refused(function, x, message):
    with pytest.raises(ValueError, match=message):
        function(x)
