"""What holds for every filter of any parameters."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikesim.filters import EMA, FIR, IIR, HeavyBall, Kalman, Lookahead, MovingAverage, Nesterov, Schedule, Warmup

FIXED = {"deadline": None, "derandomize": True, "database": None, "max_examples": 100}

windows = st.floats(1, 300) | st.sampled_from([1.0, 2.0])
shares = st.floats(-5, 5).filter(lambda x: abs(x) > 1e-3)
taps = st.lists(st.floats(-10, 10), min_size=1, max_size=6).filter(lambda c: max(map(abs, c)) > 1e-3)
betas = st.lists(st.floats(0, 1, exclude_max=True), max_size=12)


@st.composite
def stable(draw):
    """Recursive filters from their poles: real ones and pairs."""
    real = draw(st.lists(st.floats(-0.98, 0.98), max_size=2))
    pairs = draw(st.lists(st.tuples(st.floats(0.01, 0.98), st.floats(0, math.pi)), max_size=2))
    poles = [*real, *(r * np.exp(s * 1j * a) for r, a in pairs for s in (1, -1))]
    return IIR(tuple(draw(taps)), tuple(np.real(np.poly(poles))) if poles else (1.0,))


averages = (
    st.builds(EMA, windows, st.sampled_from(["zero", "first", "debiased"]))
    | st.builds(Kalman, windows)
    | st.builds(Schedule, windows, betas)
    | st.builds(Warmup, windows, st.floats(0, 0.99), st.integers(1, 40), st.sampled_from(["linear", "cosine"]))
    | st.builds(MovingAverage, st.integers(1, 60))
    | st.builds(Nesterov, windows)
)
filters = (
    averages
    | st.builds(Nesterov, windows, st.just("debiased"))
    | st.builds(HeavyBall, windows)
    | st.builds(Lookahead, windows, shares, shares)
    | st.builds(FIR, taps)
    | stable()
)


@settings(**FIXED)
@given(filters, st.integers(1, 120))
def test_weights_are_finite_and_their_sums_are_what_is_derived(filter_, steps):
    w = filter_.weights(steps)
    assert w.shape == (steps,)
    assert np.all(np.isfinite(w))
    size = np.abs(w).sum()
    assert filter_.gain(steps) == pytest.approx(w.sum(), rel=1e-10, abs=1e-12 * size)
    assert filter_.noise_factor(steps) == pytest.approx(w @ w, rel=1e-10, abs=1e-300)


@settings(**FIXED)
@given(filters, st.integers(1, 60), st.integers(0, 2**32 - 1))
def test_output_is_linear_and_the_sum_of_weights_times_inputs(filter_, steps, seed):
    stream = np.random.default_rng(seed).standard_normal((steps, 2))
    memory = filter_.memory()
    for x in stream:
        memory.push(x)
    w = filter_.weights(steps)
    loudest = max(np.abs(filter_.weights(t)).sum() for t in range(1, steps + 1))
    np.testing.assert_allclose(memory.output(), w @ stream[::-1], rtol=0, atol=1e-11 * loudest + 1e-300)


@settings(**FIXED)
@given(filters, st.integers(1, 60) | st.none())
def test_n_eff_is_at_most_the_steps_and_the_response_at_most_the_absolute_weights(filter_, steps):
    seen = steps or filter_.settling(2.0**-60)
    assert filter_.n_eff(steps) <= seen * (1 + 1e-9)
    size = np.abs(filter_.weights(seen)).sum() * (1 + 1e-9)
    assert abs(filter_.response(0.7, steps)) <= size
    assert filter_.response(0.0, steps) == pytest.approx(filter_.gain(steps), rel=1e-9, abs=1e-11 * size)


@settings(**FIXED)
@given(averages, st.integers(1, 60) | st.none())
def test_averages_have_no_negative_weights_and_a_gain_of_at_most_one(filter_, steps):
    assert np.all(filter_.weights(steps or 50) >= 0)
    assert 0 < filter_.gain(steps) <= 1 + 1e-12
    assert filter_.n_eff(steps) >= 1 - 1e-12
    assert filter_.lag(steps) >= 0


@settings(**FIXED)
@given(filters, st.floats(1e-9, 0.5))
def test_settling_is_no_later_for_a_larger_weight(filter_, weight):
    assert 1 <= filter_.settling(2 * weight if weight < 0.5 else 0.999) <= filter_.settling(weight)


@pytest.mark.parametrize(
    "law", [EMA, HeavyBall, Nesterov, Kalman, lambda w: Lookahead(w, 1, 1), lambda w: Schedule(w, ()), Warmup]
)
@pytest.mark.parametrize("window", [0.999, 0, -1, math.nan, math.inf, "5", None, True, 5j, 1e17])
def test_a_window_that_is_none_is_refused(law, window):
    with pytest.raises(ValueError, match=r"^need 1 <= T <= 1e\+12, where T = 1/\(1 - beta\), got window="):
        law(window)


@pytest.mark.parametrize("window", [0, -3, 2.5, math.nan, math.inf, "5", None, True, 2**33])
def test_a_moving_averages_window_is_a_whole_number(window):
    with pytest.raises(ValueError, match=r"^need window: a whole number in \[1, 4294967296\], got window="):
        MovingAverage(window)


@pytest.mark.parametrize("start", ["", "Zero", None, 1, "last"])
def test_an_unknown_start_is_refused(start):
    with pytest.raises(ValueError, match=r"^need start in \('zero', 'first', 'debiased'\), got start="):
        EMA(5, start)


@pytest.mark.parametrize(
    ("nu", "kappa", "message"),
    [
        (math.nan, 1, "nu: a finite number, got nu=nan"),
        (1, "1", "kappa: a finite number, got kappa='1'"),
        (0, 0, "nu or kappa other than 0, got nu=0.0, kappa=0.0"),
    ],
)
def test_shares_that_are_none_are_refused(nu, kappa, message):
    with pytest.raises(ValueError, match=f"^need {message}"):
        Lookahead(5, nu, kappa)
