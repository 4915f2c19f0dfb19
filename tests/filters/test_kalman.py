"""The Kalman filter against Kalman's recursion with its variances, and against exact least squares (F10)."""

import math

import numpy as np
import pytest

from spikesim.filters import EMA, FIR, Kalman

WINDOWS = [1.0, 1.01, 2.0, 20.0, 1e4]


def gains(q, r, steps):
    """Predict, gain, update; the first measurement is all that is known."""
    variance, out = math.inf, []
    for _ in range(steps):
        predicted = variance + q
        gain = 1.0 if math.isinf(predicted) else predicted / (predicted + r)
        variance = r if math.isinf(predicted) else (1 - gain) * predicted
        out.append(gain)
    return np.array(out)


@pytest.mark.parametrize("q", [1e-8, 0.3, 5.0])
@pytest.mark.parametrize("r", [0.0, 0.1, 1.0, 40.0])
def test_rates_are_the_gains_of_the_recursion(q, r):
    found = [Kalman.of(q, r).rate(t) for t in range(200)]
    np.testing.assert_allclose(found, gains(q, r, 200), rtol=1e-7 if r / q > 1e6 else 1e-12)


@pytest.mark.parametrize("window", WINDOWS)
def test_rates_tend_to_one_over_the_window(window):
    one = Kalman(window)
    assert one.rate(0) == 1
    assert one.rate(int(40 * window)) == pytest.approx(1 / window, rel=1e-12, abs=0)
    early = [one.rate(t) for t in range(30)]
    assert early == sorted(early, reverse=True)


@pytest.mark.parametrize("window", WINDOWS)
def test_drift_and_noise_of_a_window_give_it_back(window):
    drift, noise = (1.0, 0.0) if window == 1 else (1 / (window * (window - 1)), 1.0)
    assert Kalman.of(drift, noise).window == pytest.approx(window, rel=1e-9, abs=0)
    assert Kalman.of(3 * drift, 3 * noise).window == pytest.approx(window, rel=1e-9, abs=0)


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("steps", [1, 2, 9, 100])
def test_weights_are_those_of_the_recursion(window, steps):
    drift, noise = (1.0, 0.0) if window == 1 else (1 / (window * (window - 1)), 1.0)
    expected = np.zeros(0)
    for gain in gains(drift, noise, steps):
        expected = np.concatenate([[gain], (1 - gain) * expected])
    np.testing.assert_allclose(Kalman(window).weights(steps), expected, rtol=1e-9, atol=1e-300)


@pytest.mark.parametrize("window", [1.3, 5.0, 60.0])
@pytest.mark.parametrize("steps", [1, 2, 6, 40])
def test_no_unbiased_weights_have_a_smaller_error(window, steps):
    """Least squares written out: the variance of sum_k w_k G_{t-k} - S_t for a random walk, minimised over sum w = 1."""
    q = 1 / (window * (window - 1))
    age = np.arange(steps)
    covariance = q * np.minimum(age[:, None], age) + np.eye(steps)  # of G_{t-k} - S_t
    best = np.linalg.solve(covariance, np.ones(steps))
    np.testing.assert_allclose(Kalman(window).weights(steps), best / best.sum(), rtol=1e-9, atol=1e-14)
    assert Kalman(window).rate(steps - 1) == pytest.approx(1 / best.sum(), rel=1e-9, abs=0)  # the error over r


def test_it_is_the_mean_of_all_steps_at_first_and_an_average_of_its_window_at_last():
    one = Kalman(1e6)
    np.testing.assert_allclose(one.weights(50), 1 / 50, rtol=1e-4)
    np.testing.assert_allclose(Kalman(9).weights(900)[:400], EMA(9).weights(900)[:400], rtol=1e-12)


def test_it_averages_more_than_a_debiased_average_while_it_starts():
    for steps in (2, 10, 40):
        assert Kalman(20).n_eff(steps) > EMA(20, "debiased").n_eff(steps) > EMA(20, "first").n_eff(steps)


@pytest.mark.parametrize(
    ("drift", "noise", "message"),
    [
        (0, 1, r"0 < drift < inf, got drift=0"),
        (-1.0, 1, r"0 < drift < inf, got drift=-1\.0"),
        (math.inf, 1, r"0 < drift < inf, got drift=inf"),
        (1, -1, r"0 <= noise < inf, got noise=-1"),
        (1, math.nan, r"0 <= noise < inf, got noise=nan"),
        (1e-30, 1, r"1 <= T <= 1e\+12, .+, got window="),
    ],
)
def test_variances_that_are_none_are_refused(drift, noise, message):
    with pytest.raises(ValueError, match=f"^need {message}"):
        Kalman.of(drift, noise)


def test_equal_windows_are_equal_filters():
    assert Kalman(5) == Kalman(5.0) != EMA(5)
    assert repr(Kalman(5)) == "Kalman(5.0)"
    assert FIR(Kalman(5).weights(1)) == FIR((1.0,))
