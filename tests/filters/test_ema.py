"""The exponential moving average against brute-force sums of its weights (F1, F2)."""

import math

import numpy as np
import pytest

from spikesim.filters import EMA

WINDOWS = [1, 1.5, 2, 7.3, 20, 1000]
STEPS = [1, 2, 7, 60]
GRID = [(w, t) for w in WINDOWS for t in STEPS]


def brute_weights(window, steps):
    """Response of the recurrence M = beta M + (1 - beta) G to one unit gradient k steps ago."""
    beta = 1 - 1 / window
    out = []
    for k in range(steps):
        buffer = 1 - beta
        for _ in range(k):
            buffer = beta * buffer
        out.append(buffer)
    return np.array(out)


@pytest.mark.parametrize(("window", "steps"), GRID)
def test_weights_are_those_of_the_recurrence(window, steps):
    np.testing.assert_allclose(EMA(window).weights(steps), brute_weights(window, steps), rtol=1e-12)


@pytest.mark.parametrize(("window", "steps"), GRID)
def test_gain_is_the_sum_of_weights(window, steps):
    np.testing.assert_allclose(EMA(window).gain(steps), math.fsum(brute_weights(window, steps)), rtol=1e-12)


@pytest.mark.parametrize(("window", "steps"), GRID)
def test_noise_factor_is_the_sum_of_squares(window, steps):
    np.testing.assert_allclose(EMA(window).noise_factor(steps), math.fsum(brute_weights(window, steps) ** 2), rtol=1e-12)


@pytest.mark.parametrize(("window", "steps"), GRID)
def test_n_eff_is_gain_squared_over_noise_factor(window, steps):
    w = brute_weights(window, steps)
    np.testing.assert_allclose(EMA(window).n_eff(steps), math.fsum(w) ** 2 / math.fsum(w**2), rtol=1e-12)


@pytest.mark.parametrize("window", WINDOWS)
def test_n_eff_has_the_closed_form_of_f2(window):
    beta, steps = 1 - 1 / window, 9
    expected = (2 * window - 1) * (1 - beta**steps) / (1 + beta**steps)
    np.testing.assert_allclose(EMA(window).n_eff(steps), expected, rtol=1e-12)


@pytest.mark.parametrize("window", WINDOWS)
def test_steady_state_is_the_limit_of_many_steps(window):
    steady, late = EMA(window), int(50 * window)
    assert steady.gain() == 1
    assert steady.noise_factor() == 1 / (2 * window - 1)
    np.testing.assert_allclose(steady.n_eff(), 2 * window - 1, rtol=1e-15)
    np.testing.assert_allclose([steady.gain(late), steady.n_eff(late)], [steady.gain(), steady.n_eff()], rtol=1e-12)


@pytest.mark.parametrize("window", [1e3, 1e6])
def test_first_step_has_weight_one_over_the_window(window):
    ema = EMA(window)
    np.testing.assert_allclose([ema.gain(1), ema.noise_factor(1), ema.n_eff(1)], [1 / window, 1 / window**2, 1], rtol=1e-9)


@pytest.mark.parametrize("window", [1.0, 1.001, 1.5, 2, 7.3, 1000])
@pytest.mark.parametrize("weight", [1e-6, 1e-12, 0.3])
def test_settling_is_the_first_step_below_the_weight(window, weight):
    ema = EMA(window)
    steps = ema.settling(weight)
    assert steps >= 1
    assert ema.startup(steps) < weight
    assert steps == 1 or ema.startup(steps - 1) >= weight


def test_startup_weight_and_gain_add_up_to_one():
    ema = EMA(12.5)
    np.testing.assert_allclose([ema.startup(t) + ema.gain(t) for t in range(1, 99)], 1, rtol=1e-15)


def test_equal_windows_are_equal_filters():
    assert EMA(5) == EMA(5.0) == EMA(np.float64(5))
    assert len({EMA(5), EMA(np.int64(5)), EMA(5.5)}) == 2
    assert repr(EMA(5)) == "EMA(5.0)"


@pytest.mark.parametrize("window", [0.999, 0, -1, math.nan, math.inf, -math.inf, "5", None, True, 5j])
def test_window_that_is_no_finite_number_from_one_is_refused(window):
    with pytest.raises(ValueError, match=r"^need 1 <= T <= 1e\+12, where T = 1/\(1 - beta\), got window="):
        EMA(window)


def test_window_whose_momentum_rounds_to_one_is_refused():
    with pytest.raises(ValueError, match=r"^need .+, got window="):
        EMA(1e17)
