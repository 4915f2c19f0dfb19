"""Rates: the fit is exact on exact power laws, says when there is none, and refuses what has no logarithm."""

import numpy as np
import pytest

from spikesim.estimate import fit_rate, log_slope, mean_error

WINDOWS = np.array([1, 2, 4, 8, 16, 32.0])
X = 2 * WINDOWS - 1


def noisy(curve: np.ndarray, trials: int = 60, seed: int = 1) -> np.ndarray:
    return curve * np.random.default_rng(seed).uniform(0.9, 1.1, (trials, curve.size))


def test_an_exact_power_law_is_read_off_exactly():
    fit = fit_rate(WINDOWS, np.tile(3 * X**-0.5, (5, 1)))
    assert fit.exponent == pytest.approx(-0.5, abs=1e-12)
    assert fit.prefactor == pytest.approx(3)
    np.testing.assert_allclose(fit.local_slopes, -0.5, rtol=1e-12)


def test_data_without_spread_falls_back_to_percentiles_and_says_so():
    fit = fit_rate(WINDOWS, np.tile(3 * X**-0.5, (5, 1)))
    assert "percentile" in fit.interval
    assert fit.low == pytest.approx(-0.5)
    assert fit.high == pytest.approx(-0.5)


def test_a_power_law_in_noise_is_not_said_to_drift():
    fit = fit_rate(WINDOWS, noisy(3 * X**-0.5))
    assert not fit.drifts
    assert "drift" not in str(fit)
    assert fit.low < -0.5 < fit.high


def test_a_bent_curve_is_said_not_to_be_a_power_law():
    fit = fit_rate(WINDOWS, noisy(1 / X + 0.1))
    assert fit.drifts
    assert "no pure power law: local slopes drift from" in str(fit)
    assert fit.local_slopes[0] < fit.local_slopes[-1] - 0.3


def test_two_windows_cannot_drift():
    assert not fit_rate([2, 20], noisy(X[:2])).drifts


def test_independent_samples_of_unequal_size_are_resampled_window_by_window():
    rng = np.random.default_rng(3)
    samples = [c * rng.uniform(0.9, 1.1, 30 + 5 * i) for i, c in enumerate(2 * X**-0.25)]
    fit = fit_rate(WINDOWS, samples)
    assert fit.low < -0.25 < fit.high


def test_joint_trials_that_move_together_give_a_narrower_interval_than_independent_ones():
    common = np.random.default_rng(4).uniform(0.5, 1.5, (80, 1)) * X**-0.5
    joint, independent = fit_rate(WINDOWS, common), fit_rate(WINDOWS, list(common.T))
    assert joint.high - joint.low < 0.01 * (independent.high - independent.low)


def test_any_statistic_of_samples_and_window_can_be_fitted():
    samples = noisy(X**-0.5)
    median = fit_rate(WINDOWS, samples, "median")
    given = fit_rate(WINDOWS, samples, lambda x, window: np.median(x) * window**0)
    assert given.exponent == pytest.approx(median.exponent)
    assert given.low == pytest.approx(median.low)
    quantile = fit_rate(WINDOWS, samples, lambda x, window: np.quantile(x, 1 - 0.5 * (2 * window - 1) ** -0.5))
    assert quantile.exponent == pytest.approx(-0.5, abs=0.05)


def test_the_interval_depends_on_the_seed_alone():
    samples = noisy(X**-0.5)
    assert fit_rate(WINDOWS, samples, seed=5) == fit_rate(WINDOWS, samples, seed=5)
    assert fit_rate(WINDOWS, samples, seed=5).low != fit_rate(WINDOWS, samples, seed=6).low


def test_log_slope_is_the_slope_that_the_fit_would_read():
    curve = 1 / X + 0.1
    assert log_slope(WINDOWS, curve) == pytest.approx(fit_rate(WINDOWS, np.tile(curve, (3, 1))).exponent)


def test_mean_error_is_the_standard_error():
    mean, error = mean_error([[1.0, 2.0], [3.0, 2.0]])
    np.testing.assert_allclose(mean, [2, 2])
    np.testing.assert_allclose(error, [1, 0])


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf])
def test_samples_without_a_logarithm_are_refused_naming_the_window(bad):
    samples = noisy(X**-0.5)
    samples[7, 2] = bad
    with pytest.raises(ValueError, match=r"need positive finite samples at window 4, got sample="):
        fit_rate(WINDOWS, samples)


@pytest.mark.parametrize(
    ("windows", "samples", "message"),
    [
        ([1], np.ones((4, 1)), "need two or more windows"),
        ([1, 1], np.ones((4, 2)), "need distinct windows"),
        ([0.5, 1], np.ones((4, 2)), "need 1 <= T < inf, got windows="),
        ([1, 2], np.ones((4, 3)), r"need samples of shape \(trial, 2\), got shape="),
        ([1, 2], np.ones((1, 2)), "need two or more trials at window 1, got trials=1"),
        ([1, 2], [np.ones(3)], r"need samples \(trial, 2\), or 2 arrays"),
    ],
)
def test_bad_input_is_refused(windows, samples, message):
    with pytest.raises(ValueError, match=message):
        fit_rate(windows, samples)


def test_an_unknown_statistic_or_seed_is_refused():
    with pytest.raises(ValueError, match=r'need statistic: "mean", "median" or a callable, got statistic=\'mode\''):
        fit_rate(WINDOWS, noisy(X), "mode")
    with pytest.raises(ValueError, match=r"need 0 <= seed < 2\*\*64, got seed=-1"):
        fit_rate(WINDOWS, noisy(X), seed=-1)
    with pytest.raises(ValueError, match=r"need a positive statistic at window 1, got statistic=-1\.0"):
        fit_rate(WINDOWS, noisy(X), lambda _x, _w: -1.0)
