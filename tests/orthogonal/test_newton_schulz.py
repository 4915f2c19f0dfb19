"""Newton-Schulz against its polynomials of the singular values, in every number type; divergence; refusals."""

import itertools

import array_api_strict as strict
import numpy as np
import pytest
from scipy import linalg
from stacks import BAD_MATRICES, SHAPES, composed, random, singular, spectral, with_singular_values

import spikesim as ss
from spikesim.orthogonal.coefficients import CUBIC, ITERATIONS, MUON
from spikesim.orthogonal.newton_schulz import DTYPES, LIMIT, iterate, newton_schulz

THREE_HALVES = (1.5, -0.5)
QUINTIC = (3.4445, -4.7750, 2.0315)  # Muon's


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("scale", [5e-324, 1e-300, 1e-12, 1e12, 1e300])
def test_frobenius_scaling_cancels_any_scale(shape, scale):
    x = np.round(8 * random(2, *shape)) + 0.5 * np.sign(random(2, *shape))  # entries 1/2, 3/2, ...: never 0
    expected = newton_schulz(2 * x, QUINTIC, steps=5)
    np.testing.assert_allclose(newton_schulz(2 * x * scale, QUINTIC, steps=5), expected, atol=1e-12)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("iteration", ITERATIONS)
def test_zero_stays_zero_beside_what_is_not(iteration, dtype):
    x = np.stack([np.zeros((2, 3)), random(2, 3)])
    found = iterate(x, iteration, dtype=dtype)
    np.testing.assert_array_equal(found[0], 0)
    assert np.all(found[1] != 0)


@pytest.mark.parametrize("shape", SHAPES)
def test_cubic_converges_to_the_polar_factor(shape):
    x, left, right = with_singular_values(np.linspace(0.3, 1, min(shape)), *shape)
    np.testing.assert_allclose(newton_schulz(x, THREE_HALVES, steps=20), left @ right.T, atol=1e-13)


def test_cubic_converges_quadratically():
    x = random(5, 5)
    errors = [np.linalg.norm(newton_schulz(x, THREE_HALVES, steps=k) - ss.polar_factor(x), 2) for k in range(5, 60)]
    last = [e for e in errors if 1e-7 < e < 1e-1]
    assert all(after < 2 * before**2 for before, after in itertools.pairwise(last))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("polynomial", [(2.0,), THREE_HALVES, QUINTIC, (2.2, -2.0, 1.0, -0.2)])
@pytest.mark.parametrize("scaling", ["frobenius", None])
def test_steps_are_odd_polynomials_of_the_singular_values(shape, polynomial, scaling):
    x = random(*shape) / 8
    unit = x / linalg.norm(x) if scaling else x
    expected = spectral(unit, lambda s: composed([polynomial] * 3, s))
    found = newton_schulz(x, polynomial, steps=3, scaling=scaling)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12 * np.abs(expected).max())


@pytest.mark.parametrize("name", ITERATIONS)
@pytest.mark.parametrize("shape", [(16, 16), (12, 40), (40, 12)])
@pytest.mark.parametrize("steps", [1, 4, 7])
def test_published_iterations_are_their_composed_polynomials(name, shape, steps):
    iteration, x = ITERATIONS[name], random(3, *shape)
    expected = spectral(iteration.scaling(x), lambda s: composed(iteration.schedule(steps), s))
    np.testing.assert_allclose(iterate(x, name, steps), expected, atol=1e-11)
    np.testing.assert_allclose(iterate(x.astype(np.float32), iteration, steps), expected, atol=2e-4)


def test_one_polynomial_a_step():
    x, each = random(3, 5), [(3.0, -3.0, 1.0), QUINTIC, (1.5, -0.5, 0.0)]
    expected = spectral(x / linalg.norm(x), lambda s: composed(each, s))
    np.testing.assert_allclose(newton_schulz(x, each), expected, atol=1e-13)
    np.testing.assert_array_equal(newton_schulz(x, each), newton_schulz(x, each, steps=3))
    np.testing.assert_array_equal(newton_schulz(x, [QUINTIC]), newton_schulz(x, QUINTIC, steps=1))


# Number types


@pytest.mark.parametrize("given", [np.float32, np.float64])
@pytest.mark.parametrize("dtype", [*DTYPES, None])
def test_the_result_has_the_type_of_what_was_given(given, dtype):
    assert newton_schulz(random(3, 4).astype(given), QUINTIC, 5, dtype=dtype).dtype == given


def test_float64_run_in_float32_is_float32s_run():
    x = random(6, 9)
    other = newton_schulz(x.astype(np.float32), QUINTIC, 5)
    np.testing.assert_array_equal(newton_schulz(x.astype(np.float32).astype(float), QUINTIC, 5, dtype="float32"), other)


def test_float32_run_in_float64_has_float64s_accuracy():
    x = random(6, 9).astype(np.float32)
    np.testing.assert_array_equal(
        newton_schulz(x, QUINTIC, 5, dtype="float64"), newton_schulz(x.astype(float), QUINTIC, 5).astype(np.float32)
    )


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("scale", [5e-324, 2.0**-1000, 2.0**1000])
def test_scales_beyond_the_smaller_types_cancel_as_well(dtype, scale):
    x = np.arange(1.0, 7).reshape(2, 3)
    np.testing.assert_array_equal(
        newton_schulz(x * scale, QUINTIC, 5, dtype=dtype), newton_schulz(x, QUINTIC, 5, dtype=dtype)
    )


def test_bfloat16_results_have_8_significant_bits():
    fraction, _ = np.frexp(newton_schulz(random(6, 9), QUINTIC, 5, dtype="bfloat16"))
    np.testing.assert_array_equal(fraction * 256, np.round(fraction * 256))


@pytest.mark.parametrize("shape", [(32, 64), (64, 32), (64, 64)])
def test_bfloat16_moves_singular_values_by_its_rounding_and_no_more(shape):
    x = random(20, *shape)
    low, full = (singular(newton_schulz(x, QUINTIC, 5, dtype=d)) for d in ("bfloat16", "float64"))
    typical, smallest = full[full > 0.5], 2.0**-8
    moved = np.abs(low - full)[full > 0.5]
    assert typical.size > 0.95 * full.size
    assert smallest / 4 < np.median(moved) < 4 * smallest
    assert moved.max() < 0.06


def test_bfloat16_is_one_rounding_for_each_product_with_its_sum():
    x = np.array([[1.0, 0.5], [0.25, 1.0]], np.float32)  # all of it exact: the Gram matrix and its polynomial by hand
    gram = np.array([[1.25, 0.75], [0.75, 1.0625]])  # exact in bfloat16
    inner = np.array([[to_bits(v) for v in row] for row in 0.375 * gram @ gram - 1.25 * gram])
    expected = np.array([[to_bits(v) for v in row] for row in inner @ x + 1.875 * x])
    np.testing.assert_array_equal(newton_schulz(x, (1.875, -1.25, 0.375), 1, scaling=None, dtype="bfloat16"), expected)


def to_bits(value):
    """Rounded to 8 significant bits, ties to even."""
    fraction, exponent = np.frexp(value)
    return np.ldexp(np.round(fraction * 256) / 256, exponent)


TORCH_TOLERANCE = 0.01
"""Of singular values against torch's bfloat16, whose sums have another order; 0.0041 is the most of 120 matrices."""


@pytest.mark.parametrize("shape", [(32, 64), (64, 32), (64, 64)])
def test_bfloat16_has_the_singular_values_of_torchs_muon(shape):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    muon = pytest.importorskip("torch.optim._muon", reason="this torch has no Muon")
    for x in random(5, *shape).astype(np.float32):
        theirs = muon._zeropower_via_newtonschulz(torch.from_numpy(x), QUINTIC, 5, 1e-7).float().numpy()
        ours = newton_schulz(x, QUINTIC, 5, scaling="max(frobenius, 1e-7)", dtype="bfloat16")
        np.testing.assert_allclose(singular(ours), singular(theirs), atol=TORCH_TOLERANCE)


# Other namespaces


@pytest.mark.parametrize("dtype", [*DTYPES, None])
@pytest.mark.parametrize("name", ITERATIONS)
@pytest.mark.parametrize("shape", [(4, 4), (3, 6), (6, 3)])
def test_array_api_strict_gives_numpys_numbers(name, shape, dtype):
    x = random(2, *shape)
    other = iterate(strict.asarray(x), name, dtype=dtype)
    assert type(other) is type(strict.asarray(x))
    np.testing.assert_allclose(
        np.asarray(other), iterate(x, name, dtype=dtype), atol=1e-12 if dtype in (None, "float64") else 1e-5
    )


def test_input_is_left_as_it_was():
    x = random(3, 5)
    kept = x.copy()
    newton_schulz(x, THREE_HALVES, steps=2, scaling=None)
    np.testing.assert_array_equal(x, kept)


# Divergence


@pytest.mark.parametrize("dtype", DTYPES)
def test_divergence_is_an_error_that_names_the_step(dtype):
    x = 2 * np.eye(2)  # 2 -> -1 -> -1 for the cubic; 2.5 -> -4.06 -> 27.4 -> -1.0e4
    newton_schulz(x, THREE_HALVES, 9, scaling=None, dtype=dtype)
    with pytest.raises(ValueError, match=r"^need coefficients that keep .+, got step=3, norm=.+; they diverge"):
        newton_schulz(1.25 * x, THREE_HALVES, 9, scaling=None, dtype=dtype)
    newton_schulz(1.25 * x, THREE_HALVES, 2, scaling=None, dtype=dtype)


@pytest.mark.parametrize("polynomial", [(30.0,), (1e300, 1.0), (-4.0, 3.0, 2.0)])
@pytest.mark.parametrize("dtype", DTYPES)
def test_divergence_of_any_kind_is_seen_though_the_input_is_scaled(polynomial, dtype):
    with pytest.raises(ValueError, match="got step="):
        newton_schulz(random(3, 4), polynomial, 12, dtype=dtype)


def test_one_diverging_matrix_of_a_stack_is_enough():
    with pytest.raises(ValueError, match="got step=2"):
        newton_schulz(np.stack([np.eye(2), 4 * np.eye(2)]), THREE_HALVES, 5, scaling=None)


def test_large_matrices_that_shrink_are_no_divergence():
    x = 10 * LIMIT * np.eye(3)
    np.testing.assert_allclose(newton_schulz(x, (0.5,), 3, scaling=None), x / 8)


# Bad input


@pytest.mark.parametrize(("x", "message"), BAD_MATRICES)
def test_no_finite_real_matrix_is_refused(x, message):
    with pytest.raises(ValueError, match=message):
        newton_schulz(x, THREE_HALVES, steps=2)


def test_what_overflows_in_the_wanted_type_is_refused():
    with pytest.raises(ValueError, match="need an x that is finite in bfloat16, got x='infinity'"):
        newton_schulz(np.full((2, 2), 1e300), QUINTIC, 5, scaling="frobenius+1e-7", dtype="bfloat16")


BAD_ITERATIONS = [
    ({"coefficients": ()}, "coefficients"),
    ({"coefficients": "muon"}, "coefficients"),
    ({"coefficients": (1.5, np.nan)}, "coefficients"),
    ({"coefficients": [(1.5, -0.5), QUINTIC]}, "coefficients"),
    ({"coefficients": [[[1.5, -0.5]]]}, "coefficients"),
    ({"coefficients": THREE_HALVES}, "steps"),
    ({"coefficients": THREE_HALVES, "steps": 0}, "steps"),
    ({"coefficients": THREE_HALVES, "steps": 2.0}, "steps"),
    ({"coefficients": [THREE_HALVES, THREE_HALVES], "steps": 3}, "steps"),
    ({"coefficients": THREE_HALVES, "steps": 2, "scaling": "spectral"}, "scaling"),
    ({"coefficients": THREE_HALVES, "steps": 2, "dtype": "float16"}, "dtype"),
]


@pytest.mark.parametrize(("arguments", "name"), BAD_ITERATIONS)
def test_bad_iteration_is_refused_with_its_value(arguments, name):
    with pytest.raises(ValueError, match=f"^need .+, got {name}="):
        newton_schulz(np.eye(2), **arguments)


def test_unknown_published_iterations_are_refused():
    with pytest.raises(ValueError, match=r"need iteration in .+ got iteration='adam'"):
        iterate(np.eye(2), "adam")
    with pytest.raises(ValueError, match="need steps: an integer >= 1 or None, got steps=0"):
        iterate(np.eye(2), CUBIC, steps=0)
    assert MUON.schedule(7) == (QUINTIC,) * 7
