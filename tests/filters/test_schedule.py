"""Momenta that change from step to step, against their recurrence written out (F10)."""

import math

import numpy as np
import pytest

from spikesim.filters import EMA, Schedule, Warmup

BETAS = (0.5, 0.9, 0.0, 0.99, 0.3)


def recurrence(betas):
    """Weights, newest first, of M = beta M + (1 - beta) G from 0 over these betas."""
    out = []
    for beta in betas:
        out = [1 - beta, *(beta * w for w in out)]
    return np.array(out)


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 5, 6, 30])
@pytest.mark.parametrize("window", [1, 8.0])
def test_weights_are_those_of_the_recurrence(window, steps):
    expected = recurrence([*BETAS, *[1 - 1 / window] * 30][:steps])
    np.testing.assert_allclose(Schedule(window, BETAS).weights(steps), expected, rtol=1e-13, atol=1e-300)


@pytest.mark.parametrize("shape", ["linear", "cosine"])
def test_a_warm_up_is_the_schedule_of_its_momenta(shape):
    one = Warmup(20, 0.85, 40, shape)
    other = Schedule(20, tuple(one.momenta))
    for steps in (1, 17, 40, 41, 300):
        np.testing.assert_array_equal(one.weights(steps), other.weights(steps))
        assert one.noise_factor(steps) == other.noise_factor(steps)
    assert one.settling() == other.settling() == 40 + EMA(20).settling()


def test_a_linear_warm_up_rises_evenly_as_muons_does():
    """min(step/300, 1) of the way from 0.85 to 0.95."""
    one = Warmup(20)
    rates = [one.rate(t) for t in (0, 150, 299, 300, 10_000)]
    np.testing.assert_allclose(rates, [0.15, 0.1, 0.05 + 0.1 / 300, 0.05, 0.05], rtol=1e-12)


def test_a_cosine_warm_up_is_half_way_at_half_time_and_flat_at_both_ends():
    one = Warmup(20, 0.85, 400, "cosine")
    x = np.arange(400) / 400
    np.testing.assert_allclose(one.momenta, 0.85 + 0.1 * (1 - np.cos(math.pi * x)) / 2, rtol=1e-13)
    assert one.momenta[200] == pytest.approx(0.9)


def test_after_the_schedule_it_is_the_average_of_its_window():
    one, late = Schedule(6.0, BETAS), 500
    np.testing.assert_allclose(one.weights(late)[:400], EMA(6.0).weights(late)[:400], rtol=1e-13)
    assert (one.gain(), one.noise_factor(), one.lag()) == (1, 1 / 11, 5)
    assert one.response(0.3) == EMA(6.0).response(0.3)


def test_a_schedule_without_momenta_is_an_average_from_zero():
    np.testing.assert_array_equal(Schedule(6.0, ()).weights(20), EMA(6.0).weights(20))
    assert Schedule(6.0, ()).settling() == EMA(6.0).settling()


def test_a_schedule_that_forgets_lowers_the_start_up():
    """beta_t = t/(t + 1) is the mean of all gradients so far; the schedule ends where it meets 1 - 1/T."""
    one = Schedule(50, tuple(t / (t + 1) for t in range(50)))
    for steps in (1, 7, 50):
        np.testing.assert_allclose(one.weights(steps), 1 / steps, rtol=1e-12)
        assert one.n_eff(steps) == pytest.approx(steps, rel=1e-12)


def test_long_schedules_keep_their_digits():
    window, steps = 1e5, 10**6
    one = Schedule(window, (1 - 1 / window,) * 400_000)
    np.testing.assert_allclose(one.weights(steps, 0, 900_000), EMA(window).weights(steps, 0, 900_000), rtol=1e-9)
    assert one.n_eff(300_000) == pytest.approx(EMA(window).n_eff(300_000), rel=1e-9, abs=0)


@pytest.mark.parametrize("beta", [1, 1.0, -0.01, 1.5, math.nan, math.inf, "0.9", None, True])
def test_a_momentum_outside_zero_and_one_is_refused_with_its_step(beta):
    with pytest.raises(ValueError, match=r"^need 0 <= beta < 1 at every step, got step=2, beta="):
        Schedule(10, (0.5, 0.9, beta, 2.0))


@pytest.mark.parametrize("betas", [0.9, None, "12", {0.5: 1}])
def test_momenta_that_are_no_sequence_are_refused(betas):
    with pytest.raises(ValueError, match=r"^need betas: momenta of the first steps, in a sequence, got betas="):
        Schedule(10, betas)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"initial": 1.0}, r"0 <= initial < 1, got initial=1\.0"),
        ({"initial": -0.1}, r"0 <= initial < 1, got initial=-0\.1"),
        ({"length": 0}, r"length: an integer in \[1, 2\*\*26\], got length=0"),
        ({"length": 2.5}, r"length: an integer in \[1, 2\*\*26\], got length=2\.5"),
        ({"shape": "steps"}, r"shape in \('linear', 'cosine'\), got shape='steps'"),
        ({"window": 0.5}, r"1 <= T <= 1e\+12, .+, got window=0\.5"),
    ],
)
def test_a_warm_up_that_is_none_is_refused(arguments, message):
    with pytest.raises(ValueError, match=f"^need {message}"):
        Warmup(**{"window": 20, **arguments})


def test_schedules_are_equal_by_their_momenta():
    assert Schedule(10, [0.5, 0]) == Schedule(10.0, np.array([0.5, 0.0]))
    assert hash(Schedule(10, [0.5, 0])) == hash(Schedule(10.0, (0.5, 0.0)))
    assert repr(Schedule(10, [0.5, 0])) == "Schedule(10.0, (0.5, 0.0))"
    assert repr(Warmup(20)) == "Warmup(20.0)"
    assert repr(Warmup(20, 0.5, shape="cosine")) == "Warmup(20.0, initial=0.5, shape='cosine')"
