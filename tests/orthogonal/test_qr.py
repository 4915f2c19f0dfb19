"""The orthonormal factor (O8): its defining properties, against Gram-Schmidt and Cholesky; rank deficiency; scale."""

import array_api_strict as strict
import numpy as np
import pytest
from scipy import linalg
from stacks import BAD_MATRICES, SHAPES, random, with_singular_values

from spikesim.orthogonal.qr import qr_factor


@pytest.mark.parametrize("shape", SHAPES)
def test_it_is_cholesky_whitening(shape):
    x = random(*shape)
    m, n = shape
    if m >= n:
        expected = linalg.solve_triangular(linalg.cholesky(x.T @ x), x.T, trans="T").T
    else:
        expected = linalg.solve_triangular(linalg.cholesky(x @ x.T, lower=True), x, lower=True)
    np.testing.assert_allclose(qr_factor(x), expected, atol=1e-11)


def test_the_first_column_keeps_its_direction():
    x = random(20, 6, 4)
    first = x[:, :, 0] / np.linalg.norm(x[:, :, 0], axis=1, keepdims=True)
    np.testing.assert_allclose(qr_factor(x)[:, :, 0], first, atol=1e-13)
    np.testing.assert_allclose(qr_factor(x.swapaxes(1, 2))[:, 0], first, atol=1e-13)


@pytest.mark.parametrize("shape", SHAPES)
def test_rank_deficient_input_gives_an_orthonormal_factor_that_spans_it(shape):
    x, *_ = with_singular_values([1.0], *shape)
    q = qr_factor(x)
    small = min(shape)
    np.testing.assert_allclose(q.T @ q if shape[0] >= shape[1] else q @ q.T, np.eye(small), atol=1e-13)
    spanned = q @ (q.T @ x) if shape[0] >= shape[1] else (x @ q.T) @ q
    np.testing.assert_allclose(spanned, x, atol=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_zero_gives_zero_beside_what_is_not(dtype):
    x = np.stack([np.zeros((4, 3)), random(4, 3)]).astype(dtype)
    q = qr_factor(x)
    assert q.dtype == dtype
    np.testing.assert_array_equal(q[0], 0)
    np.testing.assert_allclose(q[1].T @ q[1], np.eye(3), atol=1e-6)


@pytest.mark.parametrize("exponent", [-1000, -1, 1000])
def test_powers_of_two_cancel_bit_for_bit(exponent):
    x = random(4, 6)
    np.testing.assert_array_equal(qr_factor(np.ldexp(x, exponent)), qr_factor(x))


@pytest.mark.parametrize("shape", [(4, 4), (3, 6), (6, 3)])
def test_array_api_strict_gives_numpys_numbers(shape):
    x = random(2, *shape)
    np.testing.assert_allclose(np.asarray(qr_factor(strict.asarray(x))), qr_factor(x), atol=1e-14)


@pytest.mark.parametrize(("x", "message"), BAD_MATRICES)
def test_no_finite_real_matrix_is_refused(x, message):
    with pytest.raises(ValueError, match=message):
        qr_factor(x)
