"""Noise laws: second moments by hand, membership of BVMZOS, refusals, identity by value, factors of steps."""

import math
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import spikesim as ss
from spikesim import rng
from spikesim.noise import LAWS, Noise

SHAPE = (3, 5)
inf, nan = math.inf, math.nan

ETA = [  # law, E||Xi_t||_F^2 at 3 x 5, why it is not BVMZOS
    (ss.Gaussian(2.0), 60, ""),
    (ss.StudentT(2.1, 2.0), 60, ""),
    (ss.StudentT(10.0), 15, ""),
    (ss.StudentT(2.0), inf, "infinite variance"),
    (ss.StudentT(1.0, 0.1), inf, "infinite variance"),
    (ss.SymmetricPareto(2.1, 2.0), 60, ""),
    (ss.SymmetricPareto(2.0), inf, "infinite variance"),
    (ss.SymmetricPareto(0.5), inf, "infinite variance"),
    (ss.Laplace(2.0), 60, ""),
    (ss.Rademacher(2.0), 60, ""),
    (ss.Mixture(0.1, 10.0, 2.0), 60, ""),
    (ss.Mixture(0.0, 10.0), 15, ""),
    (ss.Mixture(1.0, 0.5, 2.0, 3.0), 60, ""),
    (ss.Radial(2.5, 2.0), 60, ""),
    (ss.Contaminated(0.25, 3.0, 2.0), 15 * 4 * (0.75 + 0.25 * 9), ""),
    (ss.Contaminated(0.0, 3.0), 15, ""),
    (ss.Contaminated(1.0, 0.5, 2.0), 15, ""),
    (ss.ScaleMixture(0.25, 3.0, 2.0), 15 * 4 * (0.75 + 0.25 * 9), ""),
    (ss.ScaleMixture(0.0, 3.0), 15, ""),
    (ss.ScaleMixture(1.0, 0.5, 2.0), 15, ""),
    (ss.Arch(0.3, 2.0), 60, ""),
    (ss.Arch(0.0, 2.0), 60, ""),
    (ss.SignFlip(2.0), 60, ""),
    (ss.Kronecker((0, 1, 2), (1, 1, 1, 1, 6), 2.0), 4 * 3 * 10, ""),
    (ss.AlphaStable(1.5), inf, "infinite variance"),
    (ss.AR1(0.5, 2.0), 60, "autocorrelated"),
    (ss.AR1(-0.5, 2.0), 60, "autocorrelated"),
    (ss.AR1(0.0, 2.0), 60, ""),
    (ss.Biased(0.5, 2.0), 15 * (4 + 0.25), "biased"),
    (ss.Biased(-3.0, 2.0), 15 * (4 + 9), "biased"),
    (ss.Biased(0.0, 2.0), 60, ""),
]
EXAMPLES = [noise for noise, _, _ in ETA]


@pytest.mark.parametrize(("noise", "eta", "outside"), ETA, ids=lambda x: repr(x) if isinstance(x, Noise) else "")
def test_eta_and_membership(noise, eta, outside):
    assert noise.eta(SHAPE) == pytest.approx(eta, rel=1e-14)
    assert ss.SpikedModel(SHAPE, 1.0, noise).eta == noise.eta(SHAPE)
    assert noise.is_bvmzos == (outside == "")
    assert noise.outside == outside


@pytest.mark.parametrize("noise", EXAMPLES, ids=repr)
def test_variance_and_mean_of_an_entry_make_eta(noise):
    assert 15 * (noise.variance + noise.mean**2) == pytest.approx(noise.eta(SHAPE), rel=1e-14)


def test_every_law_is_named_and_exported():
    assert {type(noise) for noise in EXAMPLES} == set(LAWS.values())
    assert all(getattr(ss, name) is law and law.__name__ == name for name, law in LAWS.items())


# Refusals

SIZES = [
    (make, name, value, f"0 < {name} < inf")
    for make, name in [
        (ss.Gaussian, "sigma"),
        (lambda x: ss.StudentT(3.0, x), "sigma"),
        (lambda x: ss.StudentT(x), "df"),
        (lambda x: ss.SymmetricPareto(3.0, x), "sigma"),
        (lambda x: ss.SymmetricPareto(x), "alpha"),
        (ss.Laplace, "sigma"),
        (ss.Rademacher, "sigma"),
        (lambda x: ss.Mixture(0.1, 2.0, x), "sigma"),
        (lambda x: ss.Mixture(0.1, x), "factor"),
        (lambda x: ss.Radial(3.0, x), "sigma"),
        (lambda x: ss.Radial(x), "alpha"),
        (lambda x: ss.Contaminated(0.1, 2.0, x), "sigma"),
        (lambda x: ss.Contaminated(0.1, x), "factor"),
        (lambda x: ss.ScaleMixture(0.1, 2.0, x), "sigma"),
        (lambda x: ss.ScaleMixture(0.1, x), "factor"),
        (lambda x: ss.Arch(0.3, x), "sigma"),
        (ss.SignFlip, "sigma"),
        (lambda x: ss.Kronecker((1,), (1,), x), "sigma"),
        (lambda x: ss.AlphaStable(1.5, x), "scale"),
        (lambda x: ss.AR1(0.5, x), "sigma"),
        (lambda x: ss.Biased(0.5, x), "sigma"),
    ]
    for value in (0, -1.0, inf, nan, True, "1", None)
]
RANGES = [
    (lambda x: ss.StudentT(x), "df", (0.49,), "df >= 0.5"),
    (lambda x: ss.SymmetricPareto(x), "alpha", (0.49,), "alpha >= 0.5"),
    (lambda x: ss.Radial(x), "alpha", (2, 1.5), "alpha > 2 (finite variance)"),
    (lambda x: ss.Contaminated(x, 2.0), "p", (-0.1, 1.1, nan, "1", True), "0 <= p <= 1"),
    (lambda x: ss.ScaleMixture(x, 2.0), "p", (-0.1, 1.1, nan, "1", True), "0 <= p <= 1"),
    (lambda x: ss.ScaleMixture(0.1, x), "factor", (1e31,), "factor <= 1e+30"),
    (lambda x: ss.Mixture(x, 2.0), "p", (-0.1, 1.1, nan, "1", True), "0 <= p <= 1"),
    (lambda x: ss.Mixture(0.1, x), "factor", (1e31,), "factor <= 1e+30"),
    (lambda x: ss.Mixture(0.1, 2.0, 1.0, x), "separation", (-0.1, nan, inf, 1e31, "1", True), "0 <= separation <= 1e+30"),
    (lambda x: ss.Arch(x), "alpha", (-0.1, 1, 1.5, nan, "1", None), "0 <= alpha < 1 (finite variance)"),
    (lambda x: ss.AR1(x), "phi", (-1, 1, 1.5, nan, "1", None), "-1 < phi < 1"),
    (lambda x: ss.AlphaStable(x), "alpha", (0.49, 2, 2.5, nan, "1", None), "0.5 <= alpha < 2"),
    (lambda x: ss.Biased(x), "bias", (inf, -inf, nan, "1", True), "a finite bias"),
    (lambda x: ss.Kronecker(x, (1,)), "rows", ((), (0, 0), (1, nan), (1, inf), ((1, 1),)), "rows: numbers >= 0, not all 0"),
    (lambda x: ss.Kronecker((1,), x), "columns", ((0,), (1, -1), 3.0), "columns: numbers >= 0, not all 0"),
]  # fmt: skip
REFUSED = SIZES + [(make, name, value, text) for make, name, values, text in RANGES for value in values]


@pytest.mark.parametrize(("make", "name", "value", "condition"), REFUSED)
def test_bad_parameters_are_refused_by_name_and_value(make, name, value, condition):
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 (the whole message is compared)
        make(value)
    text, _, hint = str(refusal.value).partition("; ")
    assert text == f"need {condition}, got {name}={value!r}"
    assert bool(hint) == ("alpha < 2" in condition)


def test_stable_law_at_two_names_its_replacement():
    with pytest.raises(ValueError, match=r"; alpha = 2 is Gaussian\(scale \* sqrt\(2\)\)$"):
        ss.AlphaStable(2.0)


@pytest.mark.parametrize("make", [ss.StudentT, ss.SymmetricPareto, ss.AlphaStable])
def test_half_is_the_smallest_tail_index(make):
    assert make(0.5).parameters == (0.5,)


def test_spectra_of_another_length_are_refused():
    kronecker = ss.Kronecker((1, 1), (1, 1, 1))
    for ask in (kronecker.eta, kronecker.entry_scale, lambda shape: ss.SpikedModel(shape, 1.0, kronecker)):
        with pytest.raises(ValueError, match=r"^need spectra of lengths \(3, 2\), got rows=2, columns=3$"):
            ask((3, 2))


# Identity


@pytest.mark.parametrize("noise", EXAMPLES, ids=repr)
def test_a_law_is_its_repr(noise):
    again = eval(repr(noise), dict(LAWS))
    assert again == noise
    assert hash(again) == hash(noise)
    assert sum(noise == other for other in EXAMPLES) == 1


@pytest.mark.parametrize("noise", EXAMPLES, ids=repr)
def test_a_law_is_frozen(noise):
    with pytest.raises(FrozenInstanceError):
        noise.sigma = 2.0


def test_laws_of_one_sigma_differ():
    assert len({ss.Gaussian(), ss.Laplace(), ss.Rademacher(), ss.SignFlip()}) == 4
    assert ss.StudentT(3.0) != ss.SymmetricPareto(3.0)


def test_spectra_are_equal_by_value():
    one, two = ss.Kronecker((0, 1), [1, 2, 3]), ss.Kronecker(np.array([0.0, 1.0]), (1.0, 2.0, 3.0))
    assert one == two
    assert hash(one) == hash(two)
    assert one != ss.Kronecker((0, 1), (1, 2, 4))


# Scales and factors


def test_entry_scale_makes_sigma_the_standard_deviation():
    for unit_variance, noise in [
        (3 / (3 - 2), ss.StudentT(3.0, 2.0)),
        (2.5 / (2.5 - 2), ss.SymmetricPareto(2.5, 2.0)),
        (2, ss.Laplace(2.0)),
        (0.9 + 0.1 * 100, ss.Mixture(0.1, 10.0, 2.0)),
        (0.25 + 0.75 * 4 + 9, ss.Mixture(0.75, 2.0, 2.0, 3.0)),
        (1, ss.Gaussian(2.0)),
    ]:
        assert_allclose(noise.entry_scale(SHAPE) ** 2 * unit_variance, 4, rtol=1e-14)


def test_entry_scale_is_sigma_where_the_variance_is_infinite():
    assert [noise.entry_scale(SHAPE) for noise in (ss.StudentT(2.0, 7.0), ss.SymmetricPareto(1.0, 7.0))] == [7, 7]
    assert ss.AlphaStable(1.5, 7.0).entry_scale(SHAPE) == 7


def test_kronecker_scale_is_an_outer_product():
    scale = ss.Kronecker((0, 1, 4), (1, 1, 1, 1, 9), 2.0).entry_scale(SHAPE)
    assert_array_equal(scale, 2 * np.outer([0, 1, 2], [1, 1, 1, 1, 3]))


SEED, TRIAL, STEPS = 9, 6, np.arange(1000)  # the first scalar is below 0.3, those of the next seed and trial above


def factors(noise, seed=SEED, trial=TRIAL, steps=STEPS):
    return noise.step_factors(seed, trial, steps)


U = rng.uniforms(SEED, rng.SCALARS, TRIAL, STEPS, np.int64(0))
FACTORS = [
    (ss.Radial(4.0, 3.0), 0.5**0.5 * U**-0.25),
    (ss.Contaminated(0.3, 7.0, 3.0), np.where(U < 0.3, 7.0, 1.0)),
    (ss.ScaleMixture(0.3, 7.0, 3.0), np.full(1000, np.where(U[0] < 0.3, 7.0, 1.0))),
    (ss.SignFlip(3.0), np.where(rng.words(SEED, rng.SCALARS, TRIAL, STEPS, np.int64(0)) % 2, -1.0, 1.0)),
]


@pytest.mark.parametrize(("noise", "twin"), FACTORS, ids=lambda x: type(x).__name__)
def test_factors_follow_their_law(noise, twin):
    assert_allclose(factors(noise), twin, rtol=1e-14)


@pytest.mark.parametrize("noise", [noise for noise, _ in FACTORS], ids=repr)
def test_factors_are_a_function_of_seed_trial_and_step(noise):
    assert_array_equal(factors(noise, steps=STEPS[100:200]), factors(noise)[100:200])
    assert np.any(factors(noise, seed=SEED + 1) != factors(noise))
    assert np.any(factors(noise, trial=TRIAL + 1) != factors(noise))


def test_contamination_is_never_or_always_at_the_ends():
    assert set(factors(ss.Contaminated(0.0, 7.0))) == {1}
    assert set(factors(ss.Contaminated(1.0, 7.0))) == {7}


def test_a_scale_is_drawn_once_a_trial():
    scales = [factors(ss.ScaleMixture(0.5, 7.0), trial=trial) for trial in range(20)]
    assert {tuple(set(s)) for s in scales} == {(1.0,), (7.0,)}
    first = [rng.uniforms(SEED, rng.SCALARS, trial, 0, 0) < 0.5 for trial in range(20)]
    assert_array_equal(np.array(scales)[:, 0] == 7, first)
    assert_array_equal(factors(ss.ScaleMixture(0.5, 7.0), steps=STEPS[500:]), scales[TRIAL][500:])


def test_a_scale_is_never_or_always_multiplied_at_the_ends():
    assert {factors(ss.ScaleMixture(0.0, 7.0), trial=trial)[0] for trial in range(20)} == {1}
    assert {factors(ss.ScaleMixture(1.0, 7.0), trial=trial)[0] for trial in range(20)} == {7}


def test_other_laws_have_no_factors():
    have = {type(noise) for noise in EXAMPLES if factors(noise) is not None}
    assert have == {ss.Radial, ss.Contaminated, ss.ScaleMixture, ss.SignFlip}


@pytest.mark.parametrize("alpha", [0.0, 0.3, 0.9])
def test_arch_forgets_its_start(alpha):
    burn = ss.Arch(alpha).burn_in
    assert alpha**burn < 1e-12 <= alpha ** (burn - 1)


def test_every_exported_law_can_be_asked_for_by_name():
    exported = {name for name in ss.noise.__all__ if name not in ("LAWS", "Noise")}
    assert set(ss.noise.LAWS) == exported
    assert len(exported) == 15
