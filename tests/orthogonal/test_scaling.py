"""Scalings: the bound on singular values, invariance over all magnitudes where it is promised, and its loss where not."""

import array_api_strict as strict
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stacks import SHAPES, random, singular, size

import spikesim as ss
from spikesim.orthogonal.bfloat16 import round_to_bfloat16
from spikesim.orthogonal.coefficients import AOL, ITERATIONS, MUON
from spikesim.orthogonal.newton_schulz import iterate, newton_schulz
from spikesim.orthogonal.scaling import SCALINGS, AlmostOrthogonal, Frobenius, scaling_from

INVARIANT = ["frobenius", "aol"]


@pytest.mark.parametrize("name", SCALINGS)
@pytest.mark.parametrize("shape", SHAPES)
def test_singular_values_are_at_most_one(name, shape):
    assert singular(SCALINGS[name](100 * random(50, *shape))).max() < 1 + 1e-14


@pytest.mark.parametrize("shape", SHAPES)
def test_frobenius_scalings_are_their_formulas(shape):
    x = random(3, *shape)
    norm = size(x)[:, None, None]
    np.testing.assert_allclose(SCALINGS["frobenius"](x), x / norm, rtol=1e-14)
    np.testing.assert_allclose(Frobenius(1.02, 0.5)(x), x / (1.02 * norm + 0.5), rtol=1e-14)
    np.testing.assert_allclose(Frobenius(epsilon=2.0, clamp=True)(x), x / np.maximum(norm, 2.0), rtol=1e-14)


@pytest.mark.parametrize("shape", SHAPES)
def test_almost_orthogonal_is_its_formula_on_the_smaller_side(shape):
    x = random(*shape)
    m, n = shape
    gram = x @ x.T if m <= n else x.T @ x
    root = np.sqrt(np.abs(gram).sum(1))
    np.testing.assert_allclose(AlmostOrthogonal()(x), x / root[:, None] if m <= n else x / root, rtol=1e-13)


def test_almost_orthogonal_makes_orthogonal_rows_orthonormal():
    x = np.diag([1.0, 5.0, 0.01]) @ np.linalg.qr(random(6, 3))[0].T
    np.testing.assert_allclose(singular(AlmostOrthogonal()(x)), 1, atol=1e-13)
    np.testing.assert_allclose(AlmostOrthogonal()(x), ss.polar_factor(x), atol=1e-13)


def test_almost_orthogonal_changes_singular_vectors():
    x = random(50, 64, 128)
    moved = size(ss.polar_factor(AlmostOrthogonal()(x)) - ss.polar_factor(x)) / 8
    assert 0.01 < moved.mean() < 0.02  # theory.md O2 says 0.015
    limit = iterate(AlmostOrthogonal()(x[0]), "cubic", 30)
    np.testing.assert_allclose(newton_schulz(x[0], [(1.5, -0.5)] * 30, scaling="aol"), limit, atol=1e-12)


@given(power=st.floats(-300, 300), name=st.sampled_from(INVARIANT), seed=st.integers(0, 9), tall=st.booleans())
def test_invariant_scalings_cancel_any_scale(power, name, seed, tall):
    x = random(*((6, 4) if tall else (4, 6)), seed=seed)
    np.testing.assert_allclose(SCALINGS[name](x * 10.0**power), SCALINGS[name](x), rtol=1e-12)


@given(exponent=st.integers(-1000, 1000), name=st.sampled_from(INVARIANT))
def test_powers_of_two_cancel_bit_for_bit(exponent, name):
    x = random(4, 6)
    np.testing.assert_array_equal(SCALINGS[name](np.ldexp(x, exponent)), SCALINGS[name](x))


@pytest.mark.parametrize("name", SCALINGS)
def test_a_scaling_says_whether_scale_cancels(name):
    x = random(4, 6)
    small = np.abs(SCALINGS[name](1e-9 * x) - SCALINGS[name](x)).max()
    assert (small < 1e-12) == SCALINGS[name].invariant


@pytest.mark.parametrize("small", [1e-12, 1e-30, 1e-200])
def test_below_the_epsilon_updates_fade_with_the_gradient(small):
    x = random(8, 12)
    x *= small / size(x)
    growth = MUON.polynomials[0][0] ** 5  # 485, theory.md O1
    np.testing.assert_allclose(iterate(x, MUON), growth * x / 1e-7, rtol=1e-3)
    assert size(newton_schulz(x, MUON.schedule())) > 2  # and do not, where the scale cancels


def test_above_the_epsilon_the_scale_shows_by_its_share():
    x = random(8, 12)
    x *= 1e-5 / size(x)
    np.testing.assert_allclose(SCALINGS["frobenius+1e-7"](x), SCALINGS["frobenius"](x) / 1.01, rtol=1e-13)


@pytest.mark.parametrize("name", SCALINGS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_zero_matrices_and_zero_rows_stay(name, dtype):
    x = random(2, 3, 5).astype(dtype)
    x[0], x[1, 1] = 0, 0
    found = SCALINGS[name](x)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found[0], 0)
    np.testing.assert_array_equal(found[1, 1], 0)


@pytest.mark.parametrize("name", SCALINGS)
@pytest.mark.parametrize("shape", [(3, 6), (6, 3)])
def test_array_api_strict_gives_numpys_numbers(name, shape):
    x = random(2, *shape)
    np.testing.assert_allclose(np.asarray(SCALINGS[name](strict.asarray(x))), SCALINGS[name](x), atol=1e-14)


def test_scalings_are_taken_by_name_or_as_they_are():
    assert scaling_from("aol") is SCALINGS["aol"] is AOL.scaling
    assert scaling_from(None) is None
    assert scaling_from(Frobenius(2.0)) == Frobenius(2.0)
    assert {i.scaling for i in ITERATIONS.values()} <= set(SCALINGS.values())


@pytest.mark.parametrize(("bad", "message"), [
    (lambda: scaling_from("spectral"), "need scaling in .+ got scaling='spectral'"),
    (lambda: Frobenius(0), "need 0 < factor < inf, got factor=0"),
    (lambda: Frobenius(epsilon=-1e-7), "need 0 <= epsilon < inf, got epsilon=-1e-07"),
    (lambda: Frobenius(epsilon=float("nan")), "got epsilon=nan"),
])  # fmt: skip
def test_bad_scalings_are_refused(bad, message):
    with pytest.raises(ValueError, match=message):
        bad()


def test_a_least_divisor_is_rounded_as_all_else_is():
    """torch clamps a norm in bfloat16, where 1e-7 is 1.00117e-7."""
    x = np.full((1, 1), 2.0**-40, np.float32)
    found = SCALINGS["max(frobenius, 1e-7)"](x, round_to_bfloat16)
    divisor = round_to_bfloat16(np.float32(1e-7)[None])
    assert divisor[0] != np.float32(1e-7)
    np.testing.assert_array_equal(found, round_to_bfloat16(x / divisor))
    assert found[0, 0] != round_to_bfloat16(x / np.float32(1e-7))[0, 0]
