"""O7: Shampoo without accumulation is the polar factor; accumulators and the Fisher form by SciPy's matrix functions."""

import array_api_strict as strict
import numpy as np
import pytest
from scipy import linalg
from stacks import BAD_MATRICES, SHAPES, random, singular, with_singular_values

import spikesim as ss
from spikesim.orthogonal.shampoo import fisher, preconditioned, shampoo, symmetric_power

EPS = 2.0**-52


@pytest.mark.parametrize("shape", [*SHAPES, (20, 30), (30, 20), (24, 24)])
@pytest.mark.parametrize("condition", [1.0, 10.0, 1e3, 1e5])
def test_without_accumulation_it_is_the_polar_factor_to_the_rounding_of_a_gram_matrix(shape, condition):
    values = np.geomspace(1, 1 / condition, min(shape)) if min(shape) > 1 else [1.0]
    x, left, right = with_singular_values(values, *shape)
    error = np.linalg.norm(shampoo(x) - left @ right.T, 2)
    assert error < 10 * EPS * max(condition**2, max(shape))


@pytest.mark.parametrize("shape", [(5, 8), (8, 5), (6, 6)])
@pytest.mark.parametrize("rank", [1, 2, 4])
@pytest.mark.parametrize("scale", [1e-300, 1.0, 1e300])
def test_rank_deficient_matrices_give_the_partial_isometry(shape, rank, scale):
    x, left, right = with_singular_values(np.linspace(1, 2, rank), *shape)
    np.testing.assert_allclose(shampoo(scale * x), left @ right.T, atol=1e-13)
    np.testing.assert_allclose(shampoo(scale * x), ss.polar_factor(x), atol=1e-13)


def test_singular_values_below_the_root_of_the_floor_are_lost_as_stated():
    x = np.diag([1.0, 2e-3, 0.5e-3])
    np.testing.assert_allclose(shampoo(x, floor=1e-6), np.diag([1, 1, 0]), atol=1e-9)
    np.testing.assert_allclose(ss.polar_factor(x), np.eye(3), atol=1e-14)


def test_zero_gives_zero_beside_what_is_not():
    x = np.stack([np.zeros((3, 4)), random(3, 4)])
    found = shampoo(x)
    np.testing.assert_array_equal(found[0], 0)
    np.testing.assert_allclose(found[1], ss.polar_factor(x[1]), atol=1e-11)


@pytest.mark.parametrize("power", [-0.5, -0.25, -1, 0.5, 2])
def test_powers_of_definite_matrices_are_scipys(power):
    a = np.stack([b @ b.T for b in random(3, 4, 9)])
    expected = [linalg.fractional_matrix_power(one, power) for one in a]
    np.testing.assert_allclose(symmetric_power(a, power), expected, rtol=1e-10, atol=1e-11)


def test_eigenvalues_up_to_the_floor_and_negative_ones_count_as_zero():
    a = np.diag([4.0, 0.04, 0.004, -1.0])
    np.testing.assert_allclose(symmetric_power(a, -0.5, floor=0.01), np.diag([0.5, 0, 0, 0]), atol=1e-14)
    np.testing.assert_allclose(symmetric_power(a, -0.5, floor=0.005), np.diag([0.5, 5, 0, 0]), atol=1e-14)
    np.testing.assert_allclose(symmetric_power(a, 0), np.diag([1.0, 1, 1, 0]), atol=1e-14)
    np.testing.assert_array_equal(symmetric_power(-np.eye(2), -0.5), 0)


@pytest.mark.parametrize("powers", [(-0.25, -0.25), (-0.5, 0.0), (-0.5, -0.5)])
def test_accumulators_precondition_from_both_sides(powers):
    g = random(20, 4, 6)
    left, right = np.einsum("sij,skj->ik", g, g), np.einsum("sji,sjk->ik", g, g)
    roots = [
        linalg.fractional_matrix_power(a, p) if p else np.eye(len(a)) for a, p in zip((left, right), powers, strict=True)
    ]
    np.testing.assert_allclose(preconditioned(g[-1], left, right, powers), roots[0] @ g[-1] @ roots[1], atol=1e-12)


def test_one_gradient_as_its_own_accumulator_is_no_accumulation():
    x = random(4, 6)
    np.testing.assert_allclose(preconditioned(x, x @ x.T, x.T @ x), shampoo(x), atol=1e-11)
    np.testing.assert_allclose(preconditioned(x, x @ x.T, x.T @ x, (-0.5, 0.0)), ss.polar_factor(x), atol=1e-11)


def test_the_fisher_form_of_one_gradient_is_its_polar_factor():
    x = random(3, 4, 6)
    np.testing.assert_allclose(fisher(x, x @ x.swapaxes(1, 2)), ss.polar_factor(x), atol=1e-11)


@pytest.mark.parametrize("steps", [1, 2, 30])
def test_the_fisher_form_is_bounded_by_the_root_of_the_gain(steps):
    g = random(50, steps, 4, 6) + 0.3
    weights = 0.1 * 0.9 ** np.arange(steps)
    mean, second = np.einsum("s,bsij->bij", weights, g), np.einsum("s,bsij,bskj->bik", weights, g, g)
    norms = singular(fisher(mean, second))[:, 0]
    assert norms.max() < weights.sum() ** 0.5 * (1 + 1e-12)
    if steps == 1:
        np.testing.assert_allclose(norms, 0.1**0.5, rtol=1e-12)
    if steps == 30:
        assert norms.max() < 0.98 * weights.sum() ** 0.5  # gradients that disagree stay below


def test_low_rank_averages_lie_in_the_range_of_their_second_moment():
    g = random(2, 8, 1) @ random(2, 1, 5, seed=1)
    mean, second = g.mean(0), np.einsum("sij,skj->ik", g, g) / 2
    assert np.linalg.matrix_rank(second) == 2
    found = fisher(mean, second)
    root = linalg.sqrtm(second + 0j).real
    np.testing.assert_allclose(root @ found, mean, atol=1e-7)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_types_and_array_api_strict(dtype):
    x = random(2, 3, 5).astype(dtype)
    found, other = shampoo(x), shampoo(strict.asarray(x))
    assert found.dtype == dtype
    np.testing.assert_allclose(np.asarray(other), found, atol=1e-4 if dtype == np.float32 else 1e-12)


@pytest.mark.parametrize(("x", "message"), BAD_MATRICES)
def test_no_finite_real_matrix_is_refused(x, message):
    for function in (shampoo, lambda y: fisher(y, np.eye(2)), lambda y: symmetric_power(y, -0.5)):
        with pytest.raises(ValueError, match=message):
            function(x)


@pytest.mark.parametrize(("call", "message"), [
    (lambda: symmetric_power(np.ones((2, 3)), -0.5), r"need a.shape == \(..., m, m\), got a.shape=\(2, 3\)"),
    (lambda: symmetric_power(np.eye(2), np.inf), "need a finite power, got power=inf"),
    (lambda: symmetric_power(np.eye(2), -0.5, floor=1.0), "need 0 <= floor < 1, or None, got floor=1.0"),
    (lambda: shampoo(np.eye(2), floor=-1), "got floor=-1"),
])  # fmt: skip
def test_bad_arguments_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
