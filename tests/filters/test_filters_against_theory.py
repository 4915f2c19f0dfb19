"""Filters of the simulator against the formulas of theory.filters, which know nothing of them (F1 to F5, F7)."""

import cmath

import pytest
from specimens import SPECIMENS

from spikesim.filters import EMA, HeavyBall, MovingAverage, Nesterov
from spikesim.theory import filters

WINDOWS = [1.0, 1.5, 10.0, 300.0]
STEPS = [1, 2, 17, 1000, None]


def assert_responds_as(filter_, steps, expected):
    found = (filter_.gain(steps), filter_.noise_factor(steps), filter_.lag(steps), filter_.n_eff(steps))
    assert found == pytest.approx((*expected, expected.n_eff), rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("steps", STEPS)
def test_named_filters_respond_as_their_formulas(window, steps):
    assert_responds_as(EMA(window), steps, filters.ema(window, steps))
    assert_responds_as(HeavyBall(window), steps, filters.heavy_ball(window, steps))
    assert_responds_as(Nesterov(window), steps, filters.nesterov(window, steps))


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("steps", STEPS)
def test_the_first_gradient_as_start_leaves_one_step_fewer(window, steps):
    """The formula counts the steps after the first gradient."""
    expected = filters.ema(window, steps, start="first")
    assert_responds_as(EMA(window, "first"), None if steps is None else steps + 1, expected)


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("steps", STEPS)
def test_debiasing_changes_scale_alone(window, steps):
    found, plain = EMA(window, "debiased"), filters.ema(window, steps)
    assert found.gain(steps) == 1
    assert (found.n_eff(steps), found.lag(steps)) == pytest.approx((plain.n_eff, plain.lag), rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("length", [1, 2, 19])
def test_a_moving_average_responds_as_its_formula(length):
    assert_responds_as(MovingAverage(length), None, filters.moving_average(length))
    assert_responds_as(MovingAverage(length), length, filters.moving_average(length))


@pytest.mark.parametrize("filter_", SPECIMENS, ids=repr)
def test_every_filter_responds_as_its_weights_do(filter_):
    for steps in (4, 25):
        assert_responds_as(filter_, steps, filters.from_weights(list(filter_.weights(steps))))


@pytest.mark.parametrize("window", [1.0, 1.5, 10.0, 1e6, 1e12])
@pytest.mark.parametrize("omega", [-0.3, 1e-6, 0.1, 3.0])
def test_turning_vectors_are_left_behind_as_the_formula_says(window, omega):
    for filter_, kind in ((EMA(window), "ema"), (EMA(window, "first"), "ema"), (Nesterov(window), "nesterov")):
        h = filter_.response(omega)
        assert (abs(h), -cmath.phase(h)) == pytest.approx(filters.rotation(window, omega, kind), rel=1e-11, abs=1e-14)
