"""Soft forms (O4) and powers (O5) against their functions of the singular values, their limits, and every scale."""

import array_api_strict as strict
import numpy as np
import pytest
from scipy import linalg
from stacks import BAD_MATRICES, SHAPES, random, singular, spectral, with_singular_values

import spikesim as ss
from spikesim.orthogonal.soft import power, soft
from spikesim.polar import svd


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("epsilon", [1e-3, 0.7, 40.0])
def test_soft_is_its_function_of_singular_values(shape, epsilon):
    x = random(3, *shape)
    np.testing.assert_allclose(soft(x, epsilon), spectral(x, lambda s: s / np.hypot(s, epsilon)), atol=1e-13)
    relative = spectral(x, lambda s: s / np.hypot(s, epsilon * s[:, :1]))
    np.testing.assert_allclose(soft(x, epsilon, relative=True), relative, atol=1e-13)


def test_soft_is_a_damped_inverse_root():
    x = random(4, 7)
    expected = linalg.inv(linalg.sqrtm(x @ x.T + 0.25 * np.eye(4))) @ x
    np.testing.assert_allclose(soft(x, 0.5), expected, atol=1e-12)


def test_soft_lies_between_the_polar_factor_and_the_gradient():
    x = random(4, 7)
    s = singular(x)
    far = np.abs(singular(soft(x, 1e-4)) - 1)
    np.testing.assert_allclose(np.sort(far), np.sort(1e-8 / (2 * s**2)), rtol=1e-5)
    np.testing.assert_allclose(soft(x, 1e9), x / 1e9, rtol=1e-12)
    np.testing.assert_allclose(soft(x, 1e-160), ss.polar_factor(x), atol=1e-14)


@pytest.mark.parametrize("scale", [2.0**-1060, 2.0**-900, 2.0**1000])
def test_relative_soft_forms_and_powers_cancel_scale(scale):
    x = np.round(8 * random(3, 5)) + 0.5
    np.testing.assert_array_equal(soft(x * scale, 0.1, relative=True), soft(x, 0.1, relative=True))
    np.testing.assert_array_equal(power(x * scale, 0.3), power(x, 0.3))


@pytest.mark.parametrize(
    ("scale", "epsilon"), [(1e-300, 1e10), (1e300, 1e-10), (1e-300, 1e-300), (1e300, 1e300), (5e-324, 1.0)]
)
def test_absolute_epsilon_takes_any_scale(scale, epsilon):
    x = 2 * np.eye(2) * scale
    size = 2 * scale / epsilon if 2 * scale < epsilon / 1e9 else 2 / np.hypot(2, epsilon / scale)
    np.testing.assert_allclose(soft(x, epsilon), size * np.eye(2), rtol=1e-12, atol=1e-307)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("exponent", [0, 0.25, 1, 2.5])
def test_powers_are_their_functions_of_singular_values(shape, exponent):
    x = random(3, *shape)
    np.testing.assert_allclose(power(x, exponent), spectral(x, lambda s: (s / s[:, :1]) ** exponent), atol=1e-13)
    plain = spectral(x, lambda s: s**exponent)
    np.testing.assert_allclose(power(x, exponent, normalised=False), plain, rtol=1e-10, atol=1e-11)


def test_powers_run_from_the_polar_factor_to_the_gradient():
    x = random(4, 7)
    np.testing.assert_allclose(power(x, 0), ss.polar_factor(x), atol=1e-14)
    np.testing.assert_allclose(power(x, 1), x / linalg.norm(x, 2), atol=1e-14)
    np.testing.assert_allclose(power(x, 1, normalised=False), x, atol=1e-13)
    np.testing.assert_array_equal(np.abs(power(1e-200 * x, 1, normalised=False)) < 1e-198, True)


def test_rounding_in_rank_deficient_matrices_is_not_raised():
    x, left, right = with_singular_values([3.0, 1.0], 5, 8)
    for p in (0, 0.05):
        np.testing.assert_allclose(power(x, p), (left * np.array([1, 3.0**-p])) @ right.T, atol=1e-13)


@pytest.mark.parametrize("function", [lambda x: soft(x, 0.1), lambda x: soft(x, 0.1, relative=True), lambda x: power(x, 0.5)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_zero_gives_zero_in_its_type_and_an_svd_serves_as_well(function, dtype):
    x = np.stack([np.zeros((3, 4)), random(3, 4)]).astype(dtype)
    found = function(x)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found[0], 0)
    np.testing.assert_array_equal(function(svd(x)), found)
    other = np.asarray(function(strict.asarray(x)))
    np.testing.assert_allclose(other, found, atol=1e-6 if dtype == np.float32 else 1e-13)


@pytest.mark.parametrize(("x", "message"), BAD_MATRICES)
@pytest.mark.parametrize("function", [soft, power])
def test_no_finite_real_matrix_is_refused(function, x, message):
    with pytest.raises(ValueError, match=message):
        function(x, 0.5)


@pytest.mark.parametrize(("call", "message"), [
    (lambda x: soft(x, 0), "need 0 < epsilon < inf, got epsilon=0"),
    (lambda x: soft(x, float("inf")), "got epsilon=inf"),
    (lambda x: soft(x, None), "got epsilon=None"),
    (lambda x: power(x, -0.5), "need 0 <= exponent < inf, got exponent=-0.5"),
    (lambda x: power(x, float("nan")), "got exponent=nan"),
])  # fmt: skip
def test_bad_parameters_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(np.eye(2))
