"""Bounds are the formulas of theory.md B, and refuse what the theorems do not cover."""

import math

import numpy as np
import pytest

import spikesim as ss
from spikesim.theory import bounds


def test_radius_and_failure_are_the_papers_at_one_half():
    assert bounds.perturbation_radius(10000, 200) == pytest.approx(100 * 399**-0.25, rel=1e-14)
    assert bounds.failure_probability(200) == pytest.approx(399**-0.5, rel=1e-14)


def test_radius_trades_level_for_size():
    windows = np.array([1, 5, 50.0])
    np.testing.assert_allclose(bounds.perturbation_radius(4.0, windows, q=0.2), 2 * (2 * windows - 1) ** -0.4)
    np.testing.assert_allclose(bounds.failure_probability(windows, q=0.2), (2 * windows - 1) ** -0.2)


def test_subspace_bound_is_inf_where_its_hypothesis_fails():
    bound = bounds.subspace_bound(16.0, np.array([1.0, 8.0, 1e6]), spike=4.0)
    assert bound[0] == math.inf
    eps = 4 * 15**-0.25
    assert bound[1] == pytest.approx(eps / (4 - eps), rel=1e-14)
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
    assert bounds.alignment_bound((m, n), eta, window, spike) * tangent / sharp == pytest.approx(8, rel=0.02)


def test_alignment_bound_knows_rank_and_gain():
    expected = 4 * 7 / (19 * (0.5 * 2) * (0.5 * 6))
    assert bounds.alignment_bound((5, 5), 7.0, 10, (4.0, -2.0), gain=0.5) == pytest.approx(expected)


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
