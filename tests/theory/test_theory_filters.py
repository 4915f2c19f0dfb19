"""Responses of filters against brute-force weights, recursions and sums (theory.md F1 to F8)."""

import math

import independent
import mpmath as mp
import numpy as np
import pytest

from spikesim.theory import filters

WINDOWS = [1.0, 1.5, 2.0, 7.3, 40.0]
STEPS = [1, 2, 3, 17, 150]


def response(weights):
    """(gain, noise factor, lag) of F1 from the weights."""
    gain = mp.fsum(weights)
    return gain, mp.fsum(w * w for w in weights), mp.fsum(k * w for k, w in enumerate(weights)) / gain


def assert_is(found, expected, rel=1e-12):
    gain, noise_factor, lag = map(float, expected)
    assert found[:2] == pytest.approx((gain, noise_factor), rel=rel, abs=0)
    assert found.lag == pytest.approx(lag, rel=rel, abs=1e-14)


def test_weights_amount_to_their_sum_sum_of_squares_and_mean_age():
    found = filters.from_weights([0.5, -0.25, 2.0])
    assert found == pytest.approx((2.25, 0.25 + 0.0625 + 4, (-0.25 + 4) / 2.25))
    assert found.n_eff == pytest.approx(2.25**2 / 4.3125)
    assert found.window == pytest.approx((2.25**2 / 4.3125 + 1) / 2)


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("steps", STEPS)
def test_ema_is_its_recurrence_from_zero(window, steps):
    weights = independent.ema_weights(window, steps)
    assert_is(filters.ema(window, steps), response(weights))
    assert_is(filters.from_weights([float(w) for w in weights]), response(weights))
    assert_is(filters.heavy_ball(window, steps), response([window * w for w in weights]))


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("steps", STEPS)
def test_ema_started_from_the_first_gradient_leaves_it_what_the_weights_lack_to_one(window, steps):
    weights = independent.ema_weights(window, steps)
    assert_is(filters.ema(window, steps, start="first"), response([*weights, 1 - mp.fsum(weights)]))


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("steps", STEPS)
def test_nesterov_is_its_recurrence_from_zero(window, steps):
    assert_is(filters.nesterov(window, steps), response(independent.ema_weights(window, steps, nesterov=True)))


@pytest.mark.parametrize("window", WINDOWS)
def test_steady_state_is_the_sum_over_all_weights(window):
    count = math.ceil(60 * window) + 2
    plain, look = (independent.ema_weights(window, count, nesterov) for nesterov in (False, True))
    assert_is(filters.ema(window), response(plain))
    assert_is(filters.ema(window, start="first"), response(plain))
    assert_is(filters.heavy_ball(window), response([window * w for w in plain]))
    assert_is(filters.nesterov(window), response(look))


def test_nesterov_at_nine_tenths_is_worth_fourteen_steps_against_nineteen():
    assert filters.nesterov(10).n_eff == pytest.approx(14.158, abs=5e-4)
    assert filters.ema(10).n_eff == pytest.approx(19, rel=1e-14, abs=0)
    assert filters.ema(10).window == pytest.approx(10, rel=1e-14, abs=0)


@pytest.mark.parametrize("length", [1, 2, 19, np.int64(7), 7.0])
def test_moving_average_is_worth_its_length(length):
    assert_is(filters.moving_average(length), response([mp.mpf(1) / int(length)] * int(length)))
    assert filters.moving_average(length).n_eff == pytest.approx(length, rel=1e-14, abs=0)


@pytest.mark.parametrize("window", [1.0, 3.0, 20.0])
@pytest.mark.parametrize("phi", [-0.9, -0.3, 0.0, 0.5, 0.95])
def test_correlated_noise_is_the_double_sum_over_its_covariance(window, phi):
    w = (1 - 1 / window) ** np.arange(math.ceil(42 * window)) / window
    age = np.arange(w.size)
    brute = w @ (phi ** np.abs(age[:, None] - age)) @ w
    assert filters.ar1_noise_factor(window, phi) == pytest.approx(brute, rel=1e-12, abs=0)


def test_uncorrelated_noise_is_the_middle_of_correlated_noise():
    assert filters.ar1_noise_factor(9.0, 0.0) == pytest.approx(1 / 17, rel=1e-14, abs=0)
    assert filters.ar1_noise_factor(9.0, -0.5) < 1 / 17 < filters.ar1_noise_factor(9.0, 0.5)


@pytest.mark.parametrize("window", [1.0, 1.5, 10.0, 30.0])
@pytest.mark.parametrize("omega", [-0.3, 1e-3, 0.1, 1.0, 3.0, math.pi])
@pytest.mark.parametrize("kind", ["ema", "nesterov"])
def test_a_turning_vector_is_summed_with_the_weights(window, omega, kind):
    gain, lag = filters.rotation(window, omega, kind)
    h = independent.rotated(window, omega, kind == "nesterov")
    assert gain == pytest.approx(float(abs(h)), rel=1e-12, abs=0)
    assert lag == pytest.approx(float(-mp.arg(h)), rel=1e-11, abs=1e-14)


@pytest.mark.parametrize("kind", ["ema", "nesterov"])
@pytest.mark.parametrize(("window", "omega"), [(1e6, 1e-6), (1e9, 1e-9), (1e12, 1e-12), (1e12, 0.1)])
def test_slow_rotation_keeps_its_digits_at_long_windows(window, omega, kind):
    beta = 1 - 1 / mp.mpf(window)
    h = (1 - beta) / (1 - beta * mp.expj(-mp.mpf(omega)))
    h = h if kind == "ema" else 1 - beta + beta * h
    found = filters.rotation(window, omega, kind)
    assert found == pytest.approx((float(abs(h)), float(-mp.arg(h))), rel=1e-12, abs=0)


@pytest.mark.parametrize(("first", "second"), [(1.0, 5.0), (3.0, 3.0), (2.0, 50.0), (8.5, 1.25)])
@pytest.mark.parametrize("steps", [1, 4, 60, None])
def test_two_averages_of_one_stream_share_the_sum_of_products_of_weights(first, second, steps):
    many = steps or math.ceil(60 * min(first, second)) + 2
    pair = zip(independent.ema_weights(first, many), independent.ema_weights(second, many), strict=True)
    brute = mp.mpf("0.49") * mp.fsum(a * b for a, b in pair)
    assert filters.covariance(first, second, 0.7, steps) == pytest.approx(float(brute), rel=1e-12, abs=0)
    assert filters.covariance(second, first, 0.7, steps) == pytest.approx(float(brute), rel=1e-12, abs=0)


def test_covariance_of_an_average_with_itself_is_its_variance():
    assert filters.covariance(12.0, 12.0, 2.0, 9) == pytest.approx(4 * filters.ema(12.0, 9).noise_factor, rel=1e-13, abs=0)


@pytest.mark.parametrize("steps", [1, 3, 10**6])
def test_windows_longer_than_the_run_average_all_gradients_alike(steps):
    found = filters.ema(1e12, steps)
    assert found.n_eff == pytest.approx(steps, rel=1e-6, abs=0)
    assert found.gain == pytest.approx(steps / 1e12, rel=1e-6, abs=0)


@pytest.mark.parametrize(
    ("window", "steps"),
    [(1e3, 5), (1e4, 1000), (1e6, 2), (1e9, 5), (1e12, 5), (1e12, 1000)],
)
def test_lag_of_a_run_shorter_than_the_window(window, steps):
    with mp.workdps(60):
        t = mp.mpf(window)
        exact = t - 1 - steps / ((1 - 1 / t) ** -steps - 1)
    assert filters.ema(window, steps).lag == pytest.approx(float(exact), rel=1e-11, abs=0)


def test_heavy_ball_of_a_long_whole_window_does_not_overflow():
    with np.errstate(over="ignore"):
        assert filters.heavy_ball(np.int64(10**10)) == pytest.approx(filters.heavy_ball(1e10), rel=1e-14, abs=0)
