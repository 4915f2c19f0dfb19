"""Closed forms of gain, noise factor, lag and response against the sums of the weights (F1 to F5, F7, F9, F10)."""

import cmath
import math

import numpy as np
import pytest
from specimens import SPECIMENS, STEPS

from spikesim.filters import EMA, FIR, HeavyBall, Kalman, Lookahead, MovingAverage, Nesterov
from spikesim.filters.base import NEGLIGIBLE, PIECE, LinearFilter

OMEGAS = [0.0, 1e-3, -0.2, 1.0, math.pi, 7.0]
LONG = [
    EMA(3e4),
    EMA(3e4, "first"),
    EMA(3e4, "debiased"),
    HeavyBall(3e4),
    Nesterov(3e4),
    Lookahead(3e4, 2.0, -1.0),
    Kalman(3e4),
]


def sums(w):
    """Gain, noise factor and mean age of weights written out."""
    gain = math.fsum(w)
    return gain, math.fsum(w * w), math.fsum(np.arange(len(w)) * w) / gain


def assert_amounts_to(filter_, steps, w, rel=1e-12):
    gain, noise_factor, lag = sums(w)
    assert filter_.gain(steps) == pytest.approx(gain, rel=rel, abs=0)
    assert filter_.noise_factor(steps) == pytest.approx(noise_factor, rel=rel, abs=0)
    assert filter_.n_eff(steps) == pytest.approx(gain**2 / noise_factor, rel=rel, abs=0)
    assert filter_.lag(steps) == pytest.approx(lag, rel=rel, abs=1e-13)


@pytest.mark.parametrize("filter_", [f for f in SPECIMENS if abs(f.weights(1)[0])], ids=repr)
@pytest.mark.parametrize("steps", STEPS)
def test_after_some_steps(filter_, steps):
    assert_amounts_to(filter_, steps, filter_.weights(steps))


@pytest.mark.parametrize("filter_", SPECIMENS, ids=repr)
def test_in_steady_state(filter_):
    assert_amounts_to(filter_, None, filter_.weights(3000))


@pytest.mark.parametrize("filter_", SPECIMENS, ids=repr)
@pytest.mark.parametrize("steps", [1, 2, 9, None])
@pytest.mark.parametrize("omega", OMEGAS)
def test_response_is_the_sum_of_turned_weights(filter_, steps, omega):
    w = filter_.weights(steps or 3000)
    expected = sum(x * cmath.exp(-1j * omega * k) for k, x in enumerate(w))
    assert filter_.response(omega, steps) == pytest.approx(expected, rel=1e-12, abs=2e-13 * np.abs(w).sum())


@pytest.mark.parametrize("filter_", LONG, ids=repr)
@pytest.mark.parametrize("steps", [1, 2, 100, 50_000, 3 * PIECE + 5])
def test_long_windows_keep_their_digits(filter_, steps):
    assert_amounts_to(filter_, steps, filter_.weights(steps), rel=1e-10)


@pytest.mark.parametrize("filter_", LONG, ids=repr)
def test_sums_over_pieces_are_the_closed_forms(filter_):
    """The base class adds up pieces of weights; nothing here is the class's own formula."""
    for steps in (40, PIECE, 3 * PIECE + 5):
        assert LinearFilter.gain(filter_, steps) == pytest.approx(filter_.gain(steps), rel=1e-10, abs=0)
        assert LinearFilter.noise_factor(filter_, steps) == pytest.approx(filter_.noise_factor(steps), rel=1e-10, abs=0)
        assert LinearFilter.lag(filter_, steps) == pytest.approx(filter_.lag(steps), rel=1e-10, abs=0)
        response = LinearFilter.response(filter_, 1e-4, steps)
        assert response == pytest.approx(filter_.response(1e-4, steps), rel=1e-10, abs=1e-12)
    assert LinearFilter.gain(filter_) == pytest.approx(filter_.gain(), rel=1e-10, abs=0)


@pytest.mark.parametrize("filter_", SPECIMENS, ids=repr)
@pytest.mark.parametrize(("first", "after"), [(0, 1), (0, 5), (2, 7), (6, 99), (9, 9), (15, None), (25, 30)])
def test_a_piece_of_the_weights_is_a_piece_of_them(filter_, first, after):
    whole = filter_.weights(20)
    np.testing.assert_allclose(filter_.weights(20, first, after), whole[first:after], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("filter_", SPECIMENS, ids=repr)
@pytest.mark.parametrize("weight", [0.3, 1e-6, 1e-12, NEGLIGIBLE])
def test_after_settling_older_steps_have_less_than_the_weight(filter_, weight):
    steps = filter_.settling(weight)
    steady = np.abs(filter_.weights(3000))
    assert steps >= 1
    assert steady[steps:].sum() < weight * steady.sum() * (1 + 1e-9)
    if weight > 1e-13:  # told from rounding
        early = np.zeros(3000)
        early[:steps] = filter_.weights(steps)
        assert np.abs(early - filter_.weights(3000)).sum() <= 2.001 * weight * steady.sum() / (1 - weight)


LATER = ("Schedule", "Warmup", "Nesterov(1.5, start=", "Nesterov(10.0, start=")  # what is given, or debiased, decides


@pytest.mark.parametrize("filter_", [f for f in SPECIMENS if not repr(f).startswith(LATER)], ids=repr)
@pytest.mark.parametrize("weight", [0.3, 1e-3, 1e-6])
def test_settling_is_no_later_than_it_must_be(filter_, weight):
    steps, steady = filter_.settling(weight), np.abs(filter_.weights(3000))
    assert steps == 1 or steady[steps - 1 :].sum() >= weight * steady.sum() * (1 - 1e-9)


def test_a_window_far_longer_than_the_run_averages_all_alike():
    for filter_ in (EMA(1e12), EMA(1e12, "debiased"), HeavyBall(1e12), Kalman(1e12)):
        assert filter_.n_eff(1000) == pytest.approx(1000, rel=1e-6, abs=0)
        assert filter_.lag(1000) == pytest.approx(499.5, rel=1e-6, abs=0)


def test_nesterov_at_nine_tenths_is_worth_fourteen_steps_against_nineteen():
    assert Nesterov(10).n_eff() == pytest.approx(14.158, abs=5e-4)
    assert EMA(10).n_eff() == pytest.approx(19, rel=1e-14, abs=0)
    assert (Nesterov(10).lag(), EMA(10).lag()) == pytest.approx((8.1, 9))


@pytest.mark.parametrize("length", [1, 2, 19])
def test_a_moving_average_is_worth_its_length(length):
    filter_ = MovingAverage(length)
    assert (filter_.n_eff(), filter_.lag(), filter_.settling()) == pytest.approx((length, (length - 1) / 2, length))


def test_muons_form_is_nesterovs():
    """lerp(G, M, beta) with M = lerp(M, G, 1 - beta), as its implementations write it."""
    stream, beta, average = np.random.default_rng(1).standard_normal((30, 2, 3)), 0.95, np.zeros((2, 3))
    memory = Nesterov(20).memory()
    for g in stream:
        average = average + (1 - beta) * (g - average)
        memory.push(g)
        np.testing.assert_allclose(memory.output(), g + beta * (average - g), rtol=0, atol=1e-14)


def test_a_debiased_look_ahead_weighs_the_newest_gradient_more():
    """NAdam's: each part over what it has seen, the average over one step more."""
    for steps in (1, 2, 30):
        average = (1 - 0.9) * 0.9 ** np.arange(steps)
        expected = 0.9 * average / (1 - 0.9 ** (steps + 1))
        expected[0] += (1 - 0.9) / (1 - 0.9**steps)
        np.testing.assert_allclose(Nesterov(10, "debiased").weights(steps), expected, rtol=1e-13)
    assert Nesterov(10, "debiased").n_eff(5) < Nesterov(10).n_eff(5)
    assert Nesterov(10, "debiased").n_eff() == Nesterov(10).n_eff()


def test_a_heavy_balls_look_ahead_is_nesterovs_but_for_its_scale():
    stream, mu, buffer = np.random.default_rng(2).standard_normal((30, 2, 3)), 0.95, np.zeros((2, 3))
    memory, general = Nesterov(20).memory(), Lookahead(20, 19.0, 1.0).memory()
    for g in stream:
        buffer = mu * buffer + g
        memory.push(g)
        general.push(g)
        np.testing.assert_allclose(g + mu * buffer, 20 * memory.output(), rtol=0, atol=1e-13)
        np.testing.assert_allclose(g + mu * buffer, general.output(), rtol=0, atol=1e-13)


def test_weights_that_cancel_have_no_lag():
    assert math.isnan(Lookahead(4.0, 1.0, -1.0).lag())
    assert Lookahead(4.0, 1.0, -1.0).n_eff() == 0
    assert math.isnan(FIR((0.0, 1.0)).lag(1))
    assert (FIR((0.0, 1.0)).n_eff(1), FIR((0.0, 1.0)).n_eff(2)) == (0, 1)


@pytest.mark.parametrize("filter_", SPECIMENS, ids=repr)
def test_bad_arguments_of_what_is_derived_are_refused(filter_):
    for steps in (0, -1, 1.5, True):
        for name in ("gain", "noise_factor", "lag", "n_eff", "weights"):
            with pytest.raises(ValueError, match=r"^need steps >= 1, got steps="):
                getattr(filter_, name)(steps)
    for weight in (0, 1, -0.1, math.nan, "a"):
        with pytest.raises(ValueError, match=r"^need 0 < weight < 1, got weight="):
            filter_.settling(weight)
    for omega in (math.nan, math.inf, "a"):
        with pytest.raises(ValueError, match=r"^need omega: a finite angle in radians, got omega="):
            filter_.response(omega)
    with pytest.raises(ValueError, match=r"^need first >= 0, got first=-1"):
        filter_.weights(5, -1)
