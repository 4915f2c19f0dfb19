"""Constants at high SNR by hand, by mpmath integrals, and as the limits of S3 and S4 (theory.md S6)."""

import math

import independent
import mpmath as mp
import pytest

from spikesim.theory import asymptotics, high_snr


def max_of_shifted_normals(bias):
    """E max_k |b_k + z_k| = int_0^inf P(some |b_k + z_k| > x) dx."""
    top = max(bias)
    knots = sorted({mp.mpf(0), *bias, *(max(b + d, 0) for b in bias for d in (-6, -2, 2, 6)), top + 12})
    inside = lambda x: mp.fprod(mp.ncdf(x - b) - mp.ncdf(-x - b) for b in bias)  # noqa: E731
    return mp.quad(lambda x: 1 - inside(x), knots)


def largest_value_excess(spike, gain, s, m, n):
    """sigma_k - theta_k of S3."""
    theta = gain * spike
    return mp.sqrt((theta**2 + m * s**2) * (theta**2 + n * s**2)) / theta - theta


@pytest.mark.parametrize(("shape", "rank"), [((50, 70), 2), ((70, 50), 3), ((3, 5), 3), ((1, 9), 1)])
@pytest.mark.parametrize("steps", [None, 4])
def test_tail_and_sines_by_hand(shape, rank, steps):
    gain, factor = independent.scales(8, steps)
    s, (m, n) = mp.mpf("0.3") * mp.sqrt(factor), shape
    spikes = tuple(20.0 + k for k in range(rank))
    want = s * (mp.sqrt(m - rank) + mp.sqrt(n - rank))
    assert high_snr.tail(shape, 0.3, rank, 8, steps) == pytest.approx(float(want), rel=1e-13, abs=0)
    found = high_snr.sin_theta(shape, 0.3, spikes, 8, steps)
    want = [float(s * mp.sqrt(size - rank) / (20 * gain)) for size in shape]
    assert found == pytest.approx(tuple(want), rel=1e-13, abs=0)


@pytest.mark.parametrize("steps", [None, 4])
def test_misses_by_hand(steps):
    gain, factor = independent.scales(8, steps)
    s2 = mp.mpf("0.09") * factor / gain**2
    want = [
        s2 * (mp.mpf(50 + 70 - 6) / (2 * a * a) + sum((mp.mpf(a) + b) ** -2 for j, b in enumerate((9, 4, 4)) if j != k))
        for k, a in enumerate((9, 4, 4))
    ]
    found = high_snr.misses((50, 70), 0.3, (9.0, -4.0, 4.0), 8, steps)
    assert found.tolist() == pytest.approx([float(x) for x in want], rel=1e-13, abs=0)
    alone = high_snr.misses((50, 70), 0.3, 9.0, 8, steps)
    assert isinstance(alone, float)
    assert alone == pytest.approx(float(s2 * 118 / 162), rel=1e-13, abs=0)


@pytest.mark.parametrize("spikes", [(30.0,), (200.0,), (60.0, 45.0), (9000.0, 400.0, 200.0)])
@pytest.mark.parametrize(("window", "steps"), [(1, None), (50, None), (50, 20)])
def test_head_error_is_the_mean_largest_of_shifted_normals(spikes, window, steps):
    gain, factor = independent.scales(window, steps)
    s = mp.mpf("1.5") * mp.sqrt(factor)
    bias = [largest_value_excess(mp.mpf(x), gain, s, 40, 60) / s for x in spikes]
    want = s * max_of_shifted_normals(bias)
    assert high_snr.head_error((40, 60), 1.5, spikes, window, steps) == pytest.approx(float(want), rel=1e-10, abs=0)


def test_head_error_of_one_spike_far_up_is_a_half_normal_mean():
    assert high_snr.head_error((40, 60), 1.0, 1e7, 1) == pytest.approx(math.sqrt(2 / math.pi), rel=1e-8, abs=0)


def test_head_error_of_one_spike_is_the_mean_of_a_folded_normal():
    b = float(largest_value_excess(mp.mpf(100), mp.mpf(1), mp.mpf(1), 40, 60))
    folded = math.sqrt(2 / math.pi) * math.exp(-b * b / 2) + b * math.erf(b / math.sqrt(2))
    assert high_snr.head_error((40, 60), 1.0, 100.0, 1) == pytest.approx(folded, rel=1e-10, abs=0)


def test_gap_shortfall_is_the_tail_less_what_noise_adds_to_the_smallest_spike():
    gain, factor = independent.scales(8, 30)
    s = mp.sqrt(factor)
    want = s * (mp.sqrt(38) + mp.sqrt(58)) - largest_value_excess(mp.mpf(20), gain, s, 40, 60)
    assert high_snr.gap_shortfall((40, 60), 1.0, (90.0, -20.0), 8, 30) == pytest.approx(float(want), rel=1e-11, abs=0)


@pytest.mark.parametrize("shape", [(40, 60), (60, 40), (50, 50)])
def test_rank_one_sines_and_miss_are_the_limits_of_s3_and_s4(shape):
    """At finite size S6 has m - r where the limits have m: compared with r = 1 and its share 1/m put back."""
    y, s6, s3 = 1e4, *(module.sin_theta(shape, 1.0, 1e4, 1) for module in (high_snr, asymptotics))
    for one, other, size in zip(s6, s3, shape, strict=True):
        assert one / other == pytest.approx(math.sqrt(1 - 1 / size), rel=1e-6, abs=0)
    miss = 1 - asymptotics.polar_alignment(shape, 1.0, y, 1)
    assert high_snr.misses(shape, 1.0, y, 1) / miss == pytest.approx(1 - 2 / sum(shape), rel=1e-3, abs=0)


def test_head_error_turns_from_rate_one_to_one_half():
    """100 x 100, spikes 12, 8, 5: the bias of rate -1 gives way to the fluctuation's -1/2 near n_eff = 400."""
    windows = [10.0, 50.0, 200.0, 2000.0, 1e5, 1e7]
    slopes = []
    for window in windows:
        low, high = (high_snr.head_error((100, 100), 1.0, (12.0, 8.0, 5.0), t) for t in (window, 1.1 * window))
        slopes.append(math.log(high / low) / math.log((2.2 * window - 1) / (2 * window - 1)))
    assert slopes == sorted(slopes)
    assert slopes[0] == pytest.approx(-1, abs=0.06)
    assert -0.9 < slopes[2] < -0.6  # n_eff = 399
    assert slopes[-1] == pytest.approx(-0.5, abs=1e-3)
