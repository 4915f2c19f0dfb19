"""Legal but unusual arguments: one row, full rank, no memory, long windows, other number types, extreme scales."""

import math

import independent
import numpy as np
import pytest

from spikesim.theory import asymptotics, bounds, choice, drift, filters, high_snr, post_polar, updates

THIN = [(1, 1), (1, 2), (1, 10**6), (10**6, 1), (3, 10**6)]


@pytest.mark.parametrize("shape", THIN)
@pytest.mark.parametrize("y", [1e-8, 1e-3, 1.0, 1e4])
def test_thin_matrices_have_the_integral(shape, y):
    spike = y * math.sqrt(max(shape))
    want = float(independent.s4(spike, *shape, 1))
    assert asymptotics.polar_alignment(shape, 1.0, spike, 1) == pytest.approx(want, rel=1e-10, abs=0)
    assert asymptotics.polar_alignment(shape, 2.0, -2 * spike, 1) == pytest.approx(want, rel=1e-10, abs=0)


@pytest.mark.parametrize("shape", THIN)
@pytest.mark.parametrize("window", [1.0, 1e12])
def test_everything_is_finite_for_thin_matrices_and_the_shortest_and_longest_window(shape, window):
    args = (shape, 1.0, 3.0, window)
    with np.errstate(all="raise", under="ignore"):
        found = [
            asymptotics.singular_value(*args), *asymptotics.overlaps(*args), *asymptotics.sin_theta(*args),
            asymptotics.truncated_alignment(*args), high_snr.tail(shape, 1.0, 1, window), *high_snr.sin_theta(*args),
            high_snr.misses(*args), high_snr.head_error(*args), high_snr.gap_shortfall(*args),
            updates.post_polar_cosine(*args), updates.pre_polar_cosine(*args), drift.alignment(*args, 0.1),
            drift.alignment(*args, 0.1, both=True), bounds.uncorrelated_alignment_bound(shape, 1.0, window, 3.0),
            *filters.nesterov(window, 3), *filters.rotation(window, 0.1), *drift.best_window(*args[:3], 0.01),
        ]  # fmt: skip
    assert np.all(np.isfinite(found))
    assert np.all(np.abs(found[1:6]) <= 1)


@pytest.mark.parametrize("shape", [(3, 5), (5, 3), (4, 4)])
def test_full_rank_has_no_bulk_of_its_own_in_the_small_dimension(shape):
    rank = min(shape)
    spikes = tuple(50.0 + k for k in range(rank))
    tail = high_snr.tail(shape, 1.0, rank, 1)
    assert tail == pytest.approx(math.sqrt(max(shape) - rank), rel=1e-14, abs=0)
    assert min(high_snr.sin_theta(shape, 1.0, spikes, 1)) == 0
    assert np.all(high_snr.misses(shape, 1.0, spikes, 1) >= 0)
    assert updates.bias_variance(shape, np.ones(rank)) == (0, 0)


@pytest.mark.parametrize("kind", [np.float64, np.float32, np.int64, int])
def test_number_types_do_not_matter(kind):
    shape = (np.int32(30), np.int64(70))
    plain = asymptotics.polar_alignment((30, 70), 2.0, 9.0, 4.0, 7)
    assert asymptotics.polar_alignment(shape, kind(2), kind(9), kind(4), np.int64(7)) == plain
    assert asymptotics.polar_alignment(np.array([30, 70]), 2, np.array([9.0]), 4, 7.0).tolist() == [plain]
    assert high_snr.head_error(shape, kind(1), kind(9), kind(4)) == high_snr.head_error((30, 70), 1.0, 9.0, 4.0)


@pytest.mark.parametrize(
    "kind",
    [np.int64, np.float32],
)
def test_number_types_do_not_matter_to_post_polar(kind):
    found = post_polar.buffer((np.int32(30), np.int64(70)), kind(1), kind(9), kind(6))
    assert found == pytest.approx(post_polar.buffer((30, 70), 1.0, 9.0, 6.0), rel=1e-14, abs=0)


def test_one_spike_gives_a_number_and_a_list_an_array():
    for f in (asymptotics.polar_alignment, asymptotics.singular_value, high_snr.misses):
        assert isinstance(f((30, 70), 1.0, 9.0, 8), float)
        assert f((30, 70), 1.0, [9.0], 8).shape == (1,)
    assert isinstance(post_polar.repolarised_alignment((30, 70), 1.0, 9.0, 8), float)
    assert post_polar.repolarised_alignment((30, 70), 1.0, [9.0, 4.0], 8).shape == (2,)


def test_large_whole_sizes_do_not_overflow():
    shape, spike = (np.int64(10**10), np.int64(10**10)), 3e5
    left, right = asymptotics.overlaps(shape, 1.0, spike, 1)
    assert left == right == pytest.approx((1 - 9.0**-2 / 1) / (1 + 1 / 9), rel=1e-12, abs=0)


@pytest.mark.parametrize("shape", [(10, 20), (10, 10)])
@pytest.mark.parametrize("power", [-60, -30, 30, 60])
def test_extreme_ratios_have_the_expansions(shape, power):
    m, n = shape
    spike = 10.0**power
    found = asymptotics.polar_alignment(shape, 1.0, spike, 1)
    slope = independent.noise_nuclear(m, n) / (m * n)
    assert found == pytest.approx(float(slope * spike) if power < 0 else 1, rel=1e-10, abs=0)


def test_bounds_broadcast():
    found = bounds.subspace_bound(np.array([[1.0], [2.0]]), np.array([10.0, 100.0, 1000.0]), 9.0)
    assert found.shape == (2, 3)
    assert found[1, 2] == pytest.approx(bounds.subspace_bound(2.0, 1000.0, 9.0), rel=1e-14, abs=0)


@pytest.mark.parametrize("omega", [1e-12, 1e-16])
def test_best_window_of_very_slow_drift_balances_noise_and_lag(omega):
    """T^3 = (m + n) sigma^2/(4 lambda^2 omega^2)."""
    window, _ = drift.best_window((50, 50), 1.0, 100.0, omega)
    assert window == pytest.approx((100 / (4 * 1e4 * omega**2)) ** (1 / 3), rel=0.02, abs=0)


# The ends of the ranges.


@pytest.mark.parametrize("shape", [(10, 20), (10, 10)])
def test_alignment_stays_linear_below_one_in_1e70(shape):
    one, other = (asymptotics.polar_alignment(shape, 1.0, x, 1) for x in (1e-60, 1e-80))
    assert other / one == pytest.approx(1e-20, rel=1e-10, abs=0)


def test_square_alignment_without_any_noise_to_speak_of_is_one():
    assert asymptotics.polar_alignment((10, 10), 1e-100, 1e100, 1) == 1


def test_square_alignment_never_exceeds_one():
    each = asymptotics.polar_alignment((1, 1), 1.0, 1e9, 1)
    updates.bias_variance((1, 1), each)
    assert each <= 1


@pytest.mark.parametrize("call", [lambda x: post_polar.buffer((30, 40), 1.0, x, 9.0),
                                  lambda x: post_polar.critical_window((30, 40), 1.0, x)])  # fmt: skip
def test_functions_of_one_spike_refuse_several(call):
    with pytest.raises(ValueError, match=r"^need .+, got .+"):
        call((3.0, 20.0))


@pytest.mark.parametrize("steps", [0, -1, 1.5, True])
def test_steps_are_checked_also_where_they_do_not_matter(steps):
    for call in (
        lambda: asymptotics.critical_window((30, 40), 1.0, 3.0, steps),
        lambda: asymptotics.critical_window((30, 40), 1.0, 300.0, steps),
        lambda: filters.covariance(1.0, 5.0, 1.0, steps),
    ):
        with pytest.raises(ValueError, match=r"^need .+, got steps="):
            call()


@pytest.mark.parametrize("bad", [(), "abc", [[1.0, 2.0]]])
@pytest.mark.parametrize("call", [lambda x: bounds.nuclear_bound(1.0, x), lambda x: bounds.tangent_bound(1.0, x),
                                  lambda x: bounds.order_window(1.0, x, 0.5)])  # fmt: skip
def test_bounds_refuse_what_is_no_list_of_spikes(call, bad):
    with pytest.raises(ValueError, match=r"^need .+, got .+"):
        call(bad)


def test_infinitely_many_steps_are_refused():
    with pytest.raises(ValueError, match=r"^need .+, got steps=inf"):
        filters.ema(5.0, math.inf)


def test_windows_of_choice_are_exact_in_scale():
    one, other = (choice.smallest_window((30, 40), 1.0, x, 0.5) for x in (1e-3, 1e-30))
    assert other / one == pytest.approx(1e54, rel=1e-5, abs=0)
