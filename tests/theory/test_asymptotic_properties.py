"""Properties of the sharp limits: order, special cases, symmetry, scale, continuity (S1 to S4)."""

import math

import independent
import mpmath as mp
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from spikesim.theory import asymptotics, bounds, high_snr

FAST = settings(max_examples=60, derandomize=True, deadline=None)
SIZES = st.integers(1, 3000)
SHAPES = st.tuples(SIZES, SIZES)
LEVELS = st.floats(-3, 3).map(lambda x: 10**x)  # theta / (s sqrt(max))
WINDOWS = st.floats(0, 6).map(lambda x: 10**x)


def spike_of(level, shape):
    return level * math.sqrt(max(shape))


@pytest.mark.parametrize("shape", [(50, 50), (30, 70), (70, 30), (1, 400)])
@pytest.mark.parametrize("spike", [0.05, 4.0, 60.0])
@pytest.mark.parametrize("steps", [1, 3, 40])
def test_start_up_changes_gain_and_noise_as_f2_says(shape, spike, steps):
    gain, factor = independent.scales(9, steps)
    theta, s = gain * mp.mpf(spike), mp.mpf("0.7") * mp.sqrt(factor)
    m, n = shape
    found = asymptotics.polar_alignment(shape, 0.7, spike, 9, steps)
    assert found == pytest.approx(float(independent.s4(theta, m, n, s)), rel=1e-10, abs=0)
    assert asymptotics.scales(0.7, 9, steps) == pytest.approx((float(gain), float(s)), rel=1e-13, abs=0)
    edge = s * (mp.sqrt(m) + mp.sqrt(n))
    assert asymptotics.bulk_edge(shape, 0.7, 9, steps) == pytest.approx(float(edge), rel=1e-13, abs=0)
    above = theta > s * mp.mpf(m * n) ** mp.mpf("0.25")
    top = mp.sqrt((theta**2 + m * s**2) * (theta**2 + n * s**2)) / theta if above else edge
    both = [(theta**4 - m * n * s**4) / (theta**2 * (theta**2 + k * s**2)) if above else mp.mpf(0) for k in shape]
    assert asymptotics.singular_value(shape, 0.7, spike, 9, steps) == pytest.approx(float(top), rel=1e-12, abs=0)
    assert asymptotics.overlaps(shape, 0.7, spike, 9, steps) == pytest.approx(tuple(map(float, both)), rel=1e-12, abs=0)
    sines = [float(mp.sqrt(1 - x)) for x in both]
    assert asymptotics.sin_theta(shape, 0.7, (spike, 99.0)[: min(shape)], 9, steps) == pytest.approx(
        tuple(sines), rel=1e-12, abs=0
    )
    truncated = float(mp.sqrt(both[0] * both[1]))
    assert asymptotics.truncated_alignment(shape, 0.7, -spike, 9, steps) == pytest.approx(truncated, rel=1e-12, abs=0)


def test_alignments_of_many_spikes_are_means_weighted_by_size():
    spikes, parts = (9.0, -4.0, 0.5), []
    for x in spikes:
        left, right = asymptotics.overlaps((40, 60), 1.0, x, 3)
        parts.append((independent.s4(abs(x), 40, 60, 1 / mp.sqrt(5)), math.sqrt(left * right)))
    full, truncated = (sum(abs(x) * p[i] for x, p in zip(spikes, parts, strict=True)) / 13.5 for i in (0, 1))
    assert asymptotics.alignment((40, 60), 1.0, spikes, 3) == pytest.approx(float(full), rel=1e-11, abs=0)
    assert asymptotics.truncated_alignment((40, 60), 1.0, spikes, 3) == pytest.approx(float(truncated), rel=1e-11, abs=0)


@FAST
@given(SHAPES, LEVELS, WINDOWS, st.floats(1.01, 100))
def test_directions_improve_with_window_and_spike(shape, level, window, factor):
    spike = spike_of(level, shape)
    here = asymptotics.polar_alignment(shape, 1.0, spike, window)
    assert 0 < here <= 1 + 1e-15
    for better in ((spike * factor, window), (spike, window * factor)):
        assert asymptotics.polar_alignment(shape, 1.0, *better) >= here * (1 - 1e-12)
        for one, other in zip(
            asymptotics.overlaps(shape, 1.0, *better), asymptotics.overlaps(shape, 1.0, spike, window), strict=True
        ):
            assert 0 <= other <= one <= 1
        assert max(asymptotics.sin_theta(shape, 1.0, *better)) <= max(asymptotics.sin_theta(shape, 1.0, spike, window))


@FAST
@given(SHAPES, LEVELS, WINDOWS, st.one_of(st.none(), st.integers(1, 500)))
def test_swapping_rows_and_columns_swaps_left_and_right(shape, level, window, steps):
    spike, swapped = spike_of(level, shape), shape[::-1]
    assert (
        asymptotics.overlaps(swapped, 1.0, spike, window, steps)
        == asymptotics.overlaps(shape, 1.0, spike, window, steps)[::-1]
    )
    assert (
        asymptotics.sin_theta(swapped, 1.0, spike, window, steps)
        == asymptotics.sin_theta(shape, 1.0, spike, window, steps)[::-1]
    )
    for f in (asymptotics.polar_alignment, asymptotics.singular_value):
        assert f(swapped, 1.0, spike, window, steps) == pytest.approx(f(shape, 1.0, spike, window, steps), rel=1e-13, abs=0)


@FAST
@given(SHAPES, LEVELS, WINDOWS, st.floats(-60, 60))
def test_only_the_ratio_of_spike_to_noise_matters(shape, level, window, power):
    spike, scale = spike_of(level, shape), 10**power
    for f in (asymptotics.polar_alignment, asymptotics.overlaps, asymptotics.sin_theta, asymptotics.truncated_alignment):
        assert f(shape, scale, scale * spike, window) == pytest.approx(f(shape, 1.0, spike, window), rel=1e-11, abs=1e-11)
    one = asymptotics.singular_value(shape, scale, scale * spike, window) / scale
    assert one == pytest.approx(asymptotics.singular_value(shape, 1.0, spike, window), rel=1e-11, abs=0)


@FAST
@given(SHAPES, LEVELS, st.floats(0, 2).map(lambda x: 10**x))
def test_many_steps_are_the_steady_state(shape, level, window):
    spike, late = spike_of(level, shape), math.ceil(45 * window)
    for f in (asymptotics.polar_alignment, asymptotics.singular_value, asymptotics.sin_theta):
        assert f(shape, 1.0, spike, window, late) == pytest.approx(f(shape, 1.0, spike, window), rel=1e-12, abs=0)


@FAST
@given(SHAPES, LEVELS, WINDOWS, st.integers(1, 10**5))
def test_directions_after_some_steps_are_those_of_the_window_of_equal_size(shape, level, window, steps):
    gain, factor = independent.scales(window, steps)
    equal = max(1.0, float((gain**2 / factor + 1) / 2))
    spike = spike_of(level, shape)
    for f in (asymptotics.polar_alignment, asymptotics.overlaps, asymptotics.sin_theta):
        assert f(shape, 1.0, spike, window, steps) == pytest.approx(f(shape, 1.0, spike, equal), rel=1e-9, abs=1e-9)


@FAST
@given(SHAPES)
def test_the_threshold_is_crossed_continuously(shape):
    at = math.prod(shape) ** 0.25
    below, above = ((1 + side * 1e-9) * at for side in (-1, 1))
    for one in asymptotics.overlaps(shape, 1.0, above, 1):
        assert 0 <= one < 1e-8
    assert asymptotics.overlaps(shape, 1.0, below, 1) == (0, 0)
    assert min(asymptotics.sin_theta(shape, 1.0, above, 1)) > 1 - 1e-8
    pair = [asymptotics.singular_value(shape, 1.0, x, 1) for x in (below, above)]
    assert pair[1] == pytest.approx(pair[0], rel=1e-12, abs=0)
    assert pair[0] == pytest.approx(math.sqrt(shape[0]) + math.sqrt(shape[1]), rel=1e-14, abs=0)


@pytest.mark.parametrize("shape", [(50, 50), (30, 70), (400, 1), (1, 10**6)])
def test_low_snr_slope_is_the_nuclear_norm_of_the_noise(shape):
    """a ~ theta E‖N‖_* / (s^2 m n), N Marchenko-Pastur with s = 1."""
    slope = independent.noise_nuclear(*shape) / math.prod(shape)
    spike = 1e-6 * math.sqrt(max(shape))
    assert asymptotics.polar_alignment(shape, 1.0, spike, 1) / spike == pytest.approx(float(slope), rel=1e-10, abs=0)


@pytest.mark.parametrize("shape", [(50, 50), (30, 70), (400, 1), (1, 10**6)])
def test_high_snr_miss_is_the_noise_in_the_tangent_space(shape):
    spike = 1e4 * math.sqrt(max(shape))
    assert 1 - asymptotics.polar_alignment(shape, 1.0, spike, 1) == pytest.approx(
        sum(shape) / (2 * spike**2), rel=1e-3, abs=0
    )
    for sine, size in zip(asymptotics.sin_theta(shape, 1.0, spike, 1), shape, strict=True):
        assert sine == pytest.approx(math.sqrt(size) / spike, rel=1e-7, abs=0)


@pytest.mark.parametrize("y", [1e-6, 1e-2, 0.3, 1.0, 8.0, 1e3])
def test_square_closed_form_is_the_quadrature_of_rectangles(y):
    square = asymptotics.polar_alignment((64, 64), 1.0, 8 * y, 1)
    assert asymptotics._quadrature(1 / (8 * y), 64, 64) == pytest.approx(square, rel=1e-11, abs=0)
    near = [asymptotics.polar_alignment((10**k, 10**k + 1), 1.0, y * 10 ** (k / 2), 1) for k in (2, 4, 6, 8)]
    error = np.abs(np.array(near) / square - 1)
    assert np.all(error < 1.01 * 10.0 ** -np.array([2, 4, 6, 8]))


@FAST
@given(SHAPES, st.lists(LEVELS, min_size=1, max_size=4), WINDOWS)
def test_bound_b3_exceeds_the_sharp_miss(shape, levels, window):
    assume(len(levels) <= min(shape))
    spikes = tuple(spike_of(x, shape) for x in levels)
    bound = bounds.uncorrelated_alignment_bound(shape, 1.0, window, spikes)
    assert 1 - asymptotics.alignment(shape, 1.0, spikes, window) <= bound * (1 + 1e-12) + 1e-15
    assert bound <= bounds.alignment_bound(shape, math.prod(shape), window, spikes) * (1 + 1e-12)


@FAST
@given(SHAPES, LEVELS, WINDOWS)
def test_expectation_bounds_exceed_the_constants_of_high_snr(shape, level, window):
    spike, eta = spike_of(level, shape), math.prod(shape)
    assert max(high_snr.sin_theta(shape, 1.0, spike, window)) <= bounds.expected_subspace(eta, window, spike)
    assert max(asymptotics.sin_theta(shape, 1.0, spike, window)) <= max(1.0, bounds.expected_subspace(eta, window, spike))
    for rank in range(1, min(*shape, 4) + 1):
        assert high_snr.tail(shape, 1.0, rank, window) <= bounds.expected_tail(eta, window) * (1 + 1e-14)


@FAST
@given(SHAPES, LEVELS)
def test_polar_only_never_exceeds_the_vanishing_alignment(shape, level):
    spike = spike_of(level, shape)
    limit = bounds.vanishing_alignment(shape, 1.0, spike)
    assert limit == pytest.approx(level, rel=1e-13, abs=0)
    assert asymptotics.polar_alignment(shape, 1.0, spike, 1) <= limit * (1 + 1e-12)
