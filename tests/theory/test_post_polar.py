"""Post-polar's buffer and re-polarised alignment against explicit weights, limits and symmetries (theory.md S9, S10)."""

import itertools
import math

import independent
import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from spikesim.theory import asymptotics, post_polar

CASES = [(30, 70, 3.0), (50, 50, 10.0), (50, 50, 0.5), (1, 400, 20.0), (70, 30, 30.0)]


@pytest.mark.parametrize(
    ("window", "m", "n", "spike"), [(1.5, 50, 50, 10.0), (3.0, 30, 70, 4.0), (3.0, 50, 50, 1.0), (7.0, 1, 40, 9.0)]
)
def test_buffer_is_the_formula_with_explicit_weights(window, m, n, spike):
    edge, value, left, right = (float(x) for x in independent.PostPolar(window, m, n, spike, 0.9).buffer())
    found = post_polar.buffer((m, n), 0.9, spike, window)
    assert found == pytest.approx((edge, value, left, right), rel=1e-11, abs=0)
    assert post_polar.buffer((n, m), 0.9, spike, window) == pytest.approx((edge, value, right, left), rel=1e-11, abs=0)


@pytest.mark.parametrize("window", [5.0, 20.0, 63.0, 65.0, 300.0])
@pytest.mark.parametrize(("m", "n", "spike"), CASES[:4])
def test_repolarised_alignment_is_the_integral_over_x(window, m, n, spike):
    want = independent.repolarised(window, m, n, spike, 1.1)
    assert post_polar.repolarised_alignment((m, n), 1.1, spike, window) == pytest.approx(want, rel=1e-10, abs=0)


@pytest.mark.parametrize("window", [1.001, 2.5, 64.0, 64.5, 200.0, 3000.0])
@pytest.mark.parametrize("power", [1, 2, 4])
def test_nodes_sum_as_all_weights_do(window, power):
    """sum w^p over the geometric series: T^-p / (1 - beta^p)."""
    weights, counts = post_polar.ema_nodes(window)
    want = window**-power / -math.expm1(power * math.log1p(-1 / window))
    assert counts @ weights**power == pytest.approx(want, rel=2e-12, abs=0)


def test_nodes_of_a_long_average_sum_a_saturating_function_as_one_by_one():
    weights, counts = post_polar.ema_nodes(500.0)
    each = (1 - 1 / 500) ** np.arange(42 * 500) / 500
    for scale in (1.0, 100.0, 1e4):
        assert counts @ (weights / (1 + scale * weights)) == pytest.approx(
            (each / (1 + scale * each)).sum(), rel=1e-12, abs=0
        )


@pytest.mark.parametrize(("m", "n", "spike"), CASES)
def test_swapping_rows_and_columns_swaps_the_overlaps(m, n, spike):
    found, other = post_polar.buffer((m, n), 1.0, spike, 12.0), post_polar.buffer((n, m), 1.0, spike, 12.0)
    assert (found.edge, found.value, found.left, found.right) == (other.edge, other.value, other.right, other.left)
    one, two = (post_polar.repolarised_alignment(shape, 1.0, spike, 12.0) for shape in ((m, n), (n, m)))
    assert one == two


@pytest.mark.parametrize("scale", [1e-80, 1e-3, 1e80])
@pytest.mark.parametrize(("m", "n", "spike"), CASES)
def test_only_the_ratio_of_spike_to_noise_matters(m, n, spike, scale):
    plain = (*post_polar.buffer((m, n), 1.0, spike, 12.0), post_polar.repolarised_alignment((m, n), 1.0, spike, 12.0))
    scaled = (*post_polar.buffer((m, n), scale, -scale * spike, 12.0),
              post_polar.repolarised_alignment((m, n), scale, -scale * spike, 12.0))  # fmt: skip
    assert scaled == pytest.approx(plain, rel=1e-11, abs=1e-14)


@pytest.mark.parametrize("shape", [(30, 70), (50, 50)])
@pytest.mark.parametrize("window", [3.0, 20.0, 1000.0])
def test_a_spike_leaves_the_bulk_of_the_buffer_continuously(shape, window):
    low, high = 1e-4, 1e3
    for _ in range(36):
        middle = math.sqrt(low * high)
        low, high = (low, middle) if post_polar.buffer(shape, 1.0, middle, window).left > 0 else (middle, high)
    below, above, well = (post_polar.buffer(shape, 1.0, x, window) for x in (low * 0.999, high * (1 + 1e-6), high * 1.1))
    assert below[1:] == (below.edge, 0, 0)
    assert above.value == pytest.approx(above.edge, rel=1e-8, abs=0)
    assert max(above.left, above.right) < 1e-4
    assert well.value > well.edge
    assert min(well.left, well.right) > 1e-3


@pytest.mark.parametrize("shape", [(30, 70), (50, 50)])
def test_critical_window_is_where_the_buffer_lets_go_of_the_spike_to_a_fifth(shape):
    window = post_polar.critical_window(shape, 1.0, 2.0)
    assert post_polar.buffer(shape, 1.0, 2.0, window / 1.2).left == 0
    assert post_polar.buffer(shape, 1.0, 2.0, window * 1.2).left > 0
    a = float(independent.s4(2, *shape, 1))
    assert 2 * window - 1 == pytest.approx((min(shape) / max(shape)) ** 0.5 / a**2, rel=1e-10, abs=0)


@pytest.mark.parametrize("shape", [(30, 70), (50, 50)])
def test_long_averages_leave_the_mean_alone(shape):
    """The buffer tends to its mean a u v^T: value a, overlaps 1, an edge of order T^-1/2."""
    a = float(independent.s4(4, *shape, 1))
    found = post_polar.buffer(shape, 1.0, 4.0, 1e7)
    assert (found.value, found.left, found.right) == pytest.approx((a, 1, 1), rel=1e-5, abs=0)
    assert found.edge * math.sqrt(2e7) == pytest.approx(1 + math.sqrt(min(shape) / max(shape)), rel=1e-3, abs=0)


def test_overlaps_and_alignment_rise_with_window_and_spike():
    windows = [post_polar.buffer((30, 70), 1.0, 3.0, t) for t in (6, 9, 30, 100, 1000)]
    spikes = [post_polar.buffer((30, 70), 1.0, x, 20.0) for x in (3, 5, 20, 1e3)]
    for found in (windows, spikes):
        assert all(b.left > a.left and b.right > a.right for a, b in itertools.pairwise(found))
    again = [post_polar.repolarised_alignment((30, 70), 1.0, 3.0, t) for t in (5, 9, 30, 100, 1000)]
    assert again == sorted(again)
    each = post_polar.repolarised_alignment((30, 70), 1.0, (1.0, 3.0, 9.0), 20.0)
    assert each.tolist() == sorted(each.tolist())
    assert each[1] == post_polar.repolarised_alignment((30, 70), 1.0, 3.0, 20.0)


def test_repolarised_beats_post_polar_and_nearly_reaches_pre_polar():
    """200 x 200, mean of 64 steps, y = 1: 0.9803(6) against 0.9856(4) in 5 dense simulations."""
    spike, window = 200**0.5, (64 + 1) / 2
    again = post_polar.repolarised_alignment((200, 200), 1.0, spike, window)
    pre = asymptotics.polar_alignment((200, 200), 1.0, spike, window)
    assert again == pytest.approx(0.9803, abs=2e-3)
    assert pre == pytest.approx(0.9856, abs=2e-3)
    assert asymptotics.polar_alignment((200, 200), 1.0, spike, 1) < again < pre


def test_the_limits_meet_a_dense_stream():
    """4 EMAs of 60 x 90 polar factors, T = 6, fixed seed: within 4 standard errors and 3/60 of finite size."""
    rng, (m, n), spike, window, rows = np.random.default_rng(5), (60, 90), 8.0, 6.0, []
    for _ in range(4):
        g = rng.standard_normal((40, m, n))
        g[:, 0, 0] += spike
        with threadpool_limits(1):
            u, _, vt = np.linalg.svd(g, full_matrices=False)
            u, d, vt = np.linalg.svd(np.tensordot((1 - 1 / window) ** np.arange(40) / window, u @ vt, 1), full_matrices=False)
        rows.append((d[0], u[0, 0] ** 2, vt[0, 0] ** 2, (u @ vt)[0, 0]))
    mean, error = np.mean(rows, 0), np.std(rows, 0, ddof=1) / 2
    found = post_polar.buffer((m, n), 1.0, spike, window)
    limit = np.array([found.value, found.left, found.right, post_polar.repolarised_alignment((m, n), 1.0, spike, window)])
    assert np.all(np.abs(mean - limit) < 4 * error + 3 / 60)
    assert found.value > 1.1 * found.edge


def test_a_spike_exactly_at_the_threshold_has_the_edge():
    """A spike, found by bisection, at which the determinant's zero rounds to the edge itself."""
    found = post_polar.buffer((30, 70), 1.0, 1.1458357022528671, 20.0)
    assert found.value == pytest.approx(found.edge, rel=1e-12, abs=0)
    assert 0 <= found.left < 1e-12


@pytest.mark.parametrize(
    ("spike", "window"),
    [(1e3, 1e4), (10.0, 1e4), (0.1, 1e4), (0.1, 1e6)]
    + [(x, t) for x, t in [(1e3, 1e5), (1e3, 1e6), (10.0, 1e6), (10.0, 1e9), (0.1, 1e9), (10.0, 1e12), (0.1, 1e12)]],
)
def test_repolarised_alignment_of_a_very_long_average_rises_to_one(spike, window):
    """Its buffer is a u v^T and noise of sum w^2/n an entry, less along u and v: S4 of that, or better."""
    a = asymptotics.polar_alignment((50, 50), 1.0, spike, 1)
    found = post_polar.repolarised_alignment((50, 50), 1.0, spike, window)
    assert asymptotics.polar_alignment((50, 50), 50**-0.5, a, window) - 1e-9 <= found <= 1 + 1e-12


@pytest.mark.parametrize(
    "window",
    [1e9, 1e12],
)
def test_buffer_of_a_very_long_average_is_its_mean(window):
    a = asymptotics.polar_alignment((50, 50), 1.0, 10.0, 1)
    assert post_polar.buffer((50, 50), 1.0, 10.0, window)[1:] == pytest.approx((a, 1, 1), rel=1e-8, abs=0)
