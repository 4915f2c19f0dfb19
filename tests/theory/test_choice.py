"""Windows found by inverting the limits give back what was asked for (theory.md S2, S4)."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from independent import mp

from spikesim.theory import asymptotics, choice, filters

FAST = settings(max_examples=40, derandomize=True, deadline=None)
SHAPES = st.sampled_from([(30, 70), (70, 30), (50, 50), (1, 400)])


@FAST
@given(SHAPES, st.floats(0.01, 30), st.floats(0.01, 0.999))
def test_smallest_window_reaches_what_was_asked_and_no_smaller_one_does(shape, spike, reach):
    window = choice.smallest_window(shape, 1.3, (spike, spike / 2)[: min(shape)], reach)
    spikes = (spike, spike / 2)[: min(shape)]
    if window == 1:
        assert asymptotics.alignment(shape, 1.3, spikes, 1) >= reach
    else:
        assert asymptotics.alignment(shape, 1.3, spikes, window) == pytest.approx(reach, rel=1e-10, abs=0)
        assert asymptotics.alignment(shape, 1.3, spikes, max(1.0, 0.99 * window)) < reach


def test_smallest_window_at_high_snr_is_the_one_of_the_expansion():
    """1 - a ~ sigma^2 (m + n)/(2 lambda^2 (2T - 1)), up to a share of order sqrt(1 - a)."""
    n_eff = 100 / (2 * 9 * 1e-6)
    assert choice.smallest_window((30, 70), 1.0, 3.0, 1 - 1e-6) == pytest.approx((n_eff + 1) / 2, rel=2e-3, abs=0)


def test_smallest_window_grows_with_the_noise_and_is_one_where_a_gradient_is_enough():
    assert choice.smallest_window((30, 70), 1e-6, 3.0, 0.99) == 1
    windows = [choice.smallest_window((30, 70), sigma, 3.0, 0.9) for sigma in (0.5, 1, 2, 1e6)]
    assert windows == sorted(windows)
    assert windows[3] / windows[2] == pytest.approx(2.5e11, rel=0.05, abs=0)


@pytest.mark.parametrize("spike", [0.3, 2.0, 5.0])
@pytest.mark.parametrize("shape", [(30, 70), (50, 50)])
def test_critical_window_by_hand_in_steady_state(shape, spike):
    n_eff = mp.mpf("1.69") * mp.sqrt(shape[0] * shape[1]) / mp.mpf(spike) ** 2
    assert asymptotics.critical_window(shape, 1.3, spike) == pytest.approx(float((n_eff + 1) / 2), rel=1e-13, abs=0)


@FAST
@given(SHAPES, st.floats(0.2, 40), st.integers(2, 3000))
def test_critical_window_after_some_steps_has_the_critical_sample_size(shape, spike, steps):
    window = asymptotics.critical_window(shape, 1.0, spike, steps)
    n_eff = math.sqrt(math.prod(shape)) / spike**2
    if math.isinf(window):
        assert n_eff >= steps
    elif n_eff <= 1:
        assert window == 1
    else:
        assert filters.ema(window, steps).n_eff == pytest.approx(n_eff, rel=1e-10, abs=0)
        assert window >= asymptotics.critical_window(shape, 1.0, spike) * (1 - 1e-12)


def test_critical_window_after_many_steps_is_the_steady_one():
    late = asymptotics.critical_window((50, 50), 1.0, (0.5, 2.0), 10**7)
    assert late.tolist() == pytest.approx(asymptotics.critical_window((50, 50), 1.0, (0.5, 2.0)).tolist(), rel=1e-10, abs=0)


def test_critical_window_is_where_the_overlap_begins():
    window = asymptotics.critical_window((30, 70), 1.0, 2.0, 40)
    assert asymptotics.overlaps((30, 70), 1.0, 2.0, window * (1 - 1e-6), 40) == (0, 0)
    assert min(asymptotics.overlaps((30, 70), 1.0, 2.0, window * (1 + 1e-6), 40)) > 0


def test_no_window_makes_few_steps_enough():
    assert asymptotics.critical_window((50, 50), 1.0, 1.0, 49) == math.inf
    assert asymptotics.critical_window((50, 50), 1.0, 1.0, 51) < math.inf
