"""Bounds are the formulas of theory.md B, and refuse what the theorems do not cover."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import spikesim as ss
from spikesim.theory import bounds

FAST = settings(max_examples=60, derandomize=True, deadline=None)


def test_radius_and_failure_are_the_papers_at_one_half():
    assert bounds.perturbation_radius(10000, 200) == pytest.approx(100 * 399**-0.25, rel=1e-14, abs=0)
    assert bounds.failure_probability(200) == pytest.approx(399**-0.5, rel=1e-14, abs=0)


def test_radius_trades_level_for_size():
    windows = np.array([1, 5, 50.0])
    np.testing.assert_allclose(bounds.perturbation_radius(4.0, windows, q=0.2), 2 * (2 * windows - 1) ** -0.4)
    np.testing.assert_allclose(bounds.failure_probability(windows, q=0.2), (2 * windows - 1) ** -0.2)


def test_subspace_bound_is_inf_where_its_hypothesis_fails():
    bound = bounds.subspace_bound(16.0, np.array([1.0, 8.0, 1e6]), spike=4.0)
    assert bound[0] == math.inf
    eps = 4 * 15**-0.25
    assert bound[1] == pytest.approx(eps / (4 - eps), rel=1e-14, abs=0)
    assert bound[2] < 0.1


def test_persistence_shrinks_the_spike():
    assert bounds.subspace_bound(1.0, 50, 8.0, c_sig=0.5) == pytest.approx(bounds.subspace_bound(1.0, 50, 4.0))


def test_bound_b2_falls_below_one_only_beyond_a_million_at_the_papers_setting():
    eta = ss.SpikedModel((100, 100), (12.0, 8.0, 5.0), ss.Gaussian(1.0)).eta
    assert bounds.subspace_bound(eta, 1e6, 5.0) > 1
    assert bounds.subspace_bound(eta, 1e7, 5.0) < 1


def test_alignment_bound_is_eight_times_the_sharp_value_at_high_snr():
    eta, (m, n), spike, window = 0.01 * 40 * 60, (40, 60), 5.0, 100
    sharp = 0.01 / 199 * (m + n) / (2 * spike**2)  # S4, high SNR
    tangent = (m + n - 1) / (m * n)  # share of eta in the tangent space
    assert bounds.alignment_bound((m, n), eta, window, spike) * tangent / sharp == pytest.approx(8, rel=0.02, abs=0)


def test_alignment_bound_knows_rank_and_gain():
    expected = 4 * 7 / (19 * (0.5 * 2) * (0.5 * 6))
    assert bounds.alignment_bound((5, 5), 7.0, 10, (4.0, -2.0), gain=0.5) == pytest.approx(expected)


def test_bounds_by_hand():
    """eta = 6, 2T - 1 = 16, spikes 4 and 2, gain 1/2: lambda_bar_r = 1, ‖S_bar‖_* = 3."""
    assert bounds.perturbation_radius(6, 8.5, 0.25) == pytest.approx(math.sqrt(6) * 16**-0.375, rel=1e-14, abs=0)
    assert bounds.failure_probability(8.5, 0.25) == pytest.approx(0.5, rel=1e-14, abs=0)
    assert bounds.expected_tail(6, 8.5) == pytest.approx(math.sqrt(6) / 4, rel=1e-14, abs=0)
    assert bounds.expected_subspace(6, 8.5, 2.0, 0.5) == pytest.approx(math.sqrt(6) / 2, rel=1e-14, abs=0)
    assert bounds.nuclear_bound(0.6, (4.0, -2.0), 0.5) == pytest.approx(0.4, rel=1e-14, abs=0)
    assert bounds.tangent_bound(0.6, (4.0, -2.0), 0.5) == pytest.approx(0.48, rel=1e-14, abs=0)
    assert bounds.alignment_bound((3, 2), 6, 8.5, (4.0, -2.0), 0.5) == pytest.approx(0.5, rel=1e-14, abs=0)
    assert bounds.uncorrelated_alignment_bound((3, 5), 0.5, 8.5, (4.0, -2.0), 0.5) == pytest.approx(0.25, rel=1e-14, abs=0)
    assert bounds.wedin_bound(0.4, 2.0, 0.5) == pytest.approx(0.4 / 0.6, rel=1e-14, abs=0)
    assert bounds.wedin_bound([0.0, 1.0, 3.0], 2.0, 0.5).tolist() == [0, math.inf, math.inf]
    assert bounds.order_window(6, (4.0, 2.0), 0.5) == pytest.approx((4 * 6 / (2 * 6 * 0.5) + 1) / 2, rel=1e-14, abs=0)
    assert bounds.order_window(1e-9, (4.0, 2.0), 0.5) == 1
    assert bounds.vanishing_spike((100, 36), 2.0) == bounds.vanishing_spike((36, 100), 2.0) == 2.0
    assert bounds.vanishing_spike((36, 36), 2.0) == 0
    assert bounds.vanishing_alignment((100, 36), 2.0, -3.0) == pytest.approx(0.15, rel=1e-14, abs=0)


def test_order_window_is_where_the_bound_meets_polar_only():
    window = bounds.order_window(50.0, (4.0, 2.0), 0.9)
    assert bounds.alignment_bound((9, 9), 50.0, window, (4.0, 2.0)) == pytest.approx(1 - 0.9, rel=1e-13, abs=0)


@pytest.mark.parametrize("seed", range(6))
def test_what_holds_for_every_noise_holds_for_a_random_one(seed):
    """Weyl, Wedin, B3 and B3' on dense matrices, small and large noise, with the norms that the bounds ask for."""
    rng = np.random.default_rng(seed)
    m, n, spikes = 5 + seed, 9 - seed, np.array([3.0, 2.0])
    for size in (0.01, 0.2, 1.0):
        noise = size * rng.standard_normal((m, n))
        signal = np.zeros((m, n))
        signal[0, 0], signal[1, 1] = spikes
        u, d, vt = np.linalg.svd(signal + noise, full_matrices=False)
        polar, norms = u @ vt, np.linalg.svd(noise, compute_uv=False)
        miss = 1 - (polar * signal).sum() / spikes.sum()
        tangent = math.sqrt((noise**2).sum() - (noise[2:, 2:] ** 2).sum())
        assert miss <= bounds.nuclear_bound(norms.sum(), spikes)
        assert miss <= bounds.tangent_bound(tangent, spikes)
        assert np.all(np.abs(d[:2] - spikes) <= norms[0])
        sine = max(np.linalg.norm(u[2:, :2], 2), np.linalg.norm(vt[:2, 2:], 2))
        assert sine <= bounds.wedin_bound(norms[0], 2.0)


@FAST
@given(st.floats(0, 1e6), st.floats(1, 1e9), st.floats(1.001, 1e3), st.floats(0.01, 0.99), st.floats(0.01, 1))
def test_bounds_fall_with_the_window_and_rise_with_the_noise(eta, window, factor, q, gain):
    later, louder = (eta, window * factor), (2 * eta, window)
    for bound in (
        lambda e, t: bounds.perturbation_radius(e, t, q),
        bounds.expected_tail,
        lambda e, t: bounds.subspace_bound(e, t, 3.0, gain, q),
        lambda e, t: bounds.expected_subspace(e, t, 3.0, gain),
        lambda e, t: bounds.alignment_bound((4, 5), e, t, (3.0, 5.0), gain),
    ):
        assert bound(*later) <= bound(eta, window) <= bound(*louder)
    assert bounds.failure_probability(window * factor, q) < bounds.failure_probability(window, q)


@FAST
@given(st.floats(1e-3, 1e6), st.floats(1, 1e9), st.floats(0.01, 0.99))
def test_radius_and_probability_are_chebyshevs_pair(eta, window, q):
    """P(‖N‖_F > radius) <= E‖N‖_F^2 / radius^2."""
    share = (bounds.expected_tail(eta, window) / bounds.perturbation_radius(eta, window, q)) ** 2
    assert bounds.failure_probability(window, q) == pytest.approx(share, rel=1e-12, abs=0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: bounds.perturbation_radius(math.inf, 10),
            r"need 0 <= eta < inf \(the theorems need finite variance\), got eta=inf",
        ),
        (lambda: bounds.perturbation_radius(1, 0.5), "need 1 <= T < inf, got window=0.5"),
        (lambda: bounds.failure_probability(math.nan), "need 1 <= T < inf, got window=nan"),
        (lambda: bounds.failure_probability(10, q=1.0), "need 0 < q < 1, got q=1.0"),
        (lambda: bounds.subspace_bound(1, 10, 0.0), "need 0 < spike < inf, got spike=0.0"),
        (lambda: bounds.subspace_bound(1, 10, 1.0, c_sig=2.0), "need 0 < c_sig <= 1, got c_sig=2.0"),
        (lambda: bounds.alignment_bound((2, 2), 1, 10, (1, 2, 3)), r"need 1 <= rank <= min\(m, n\) = 2, got rank=3"),
        (lambda: bounds.alignment_bound((2, 2), 1, 10, 1.0, gain=0), "need 0 < gain <= 1, got gain=0"),
    ],
)
def test_what_the_theorems_do_not_cover_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
