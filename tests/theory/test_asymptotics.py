"""Sharp limits: closed forms against independent quadrature and algebra, and against dense matrices."""

import math

import mpmath
import numpy as np
import pytest

from spikesim.theory import asymptotics


def s4_by_mpmath(theta, m, n, s):
    def w(x):
        b = x * x + s * s * (m + n)
        return (b + mpmath.sqrt(b * b - 4 * s**4 * m * n)) / 2

    mpmath.mp.dps = 30
    edge = s * math.sqrt(n)
    return 2 / mpmath.pi * mpmath.quad(lambda x: theta / (w(x) + theta**2), [0, edge / 10, edge, theta + edge, mpmath.inf])


@pytest.mark.parametrize(("m", "n"), [(50, 50), (30, 70), (70, 30), (1, 400)])
@pytest.mark.parametrize("spike", [0.01, 1.0, 9.0, 300.0])
def test_polar_alignment_is_the_integral(m, n, spike):
    value = asymptotics.polar_alignment((m, n), 0.7, spike, 5)
    assert value == pytest.approx(float(s4_by_mpmath(spike, m, n, 0.7 / 3)), rel=1e-10, abs=0)


def test_square_alignment_is_smooth_where_the_closed_form_gives_way_to_its_series():
    below, above = (asymptotics.polar_alignment((100, 100), 1.0, 10 * y, 1) for y in (0.01 * (1 - 1e-9), 0.01 * (1 + 1e-9)))
    assert above / below == pytest.approx(1, rel=1e-8, abs=0)
    assert asymptotics.polar_alignment((100, 100), 1.0, 1e-6, 1) == pytest.approx(8 / (3 * math.pi) * 1e-7, rel=1e-10, abs=0)


def test_alignment_weights_by_spike_and_ignores_sign():
    a = asymptotics.polar_alignment((40, 60), 1.0, (9.0, 3.0), 4)
    assert asymptotics.alignment((40, 60), 1.0, (9.0, -3.0), 4) == pytest.approx((9 * a[0] + 3 * a[1]) / 12)


def test_overlaps_and_singular_value_above_threshold():
    left, right = asymptotics.overlaps((40, 90), 1.0, 12.0, 1)
    assert left == pytest.approx((12**4 - 3600) / (144 * (144 + 40)))
    assert right == pytest.approx((12**4 - 3600) / (144 * (144 + 90)))
    assert asymptotics.singular_value((40, 90), 1.0, 12.0, 1) == pytest.approx(math.sqrt(184 * 234) / 12)


def test_below_threshold_there_is_only_the_edge():
    shape, window = (40, 90), 2.0
    critical = (window * 2 - 1) ** -0.5 * 3600**0.25
    assert asymptotics.overlaps(shape, 1.0, 0.999 * critical, window) == (0, 0)
    assert asymptotics.singular_value(shape, 1.0, 0.999 * critical, window) == asymptotics.bulk_edge(shape, 1.0, window)
    assert asymptotics.singular_value(shape, 1.0, 1.001 * critical, window) == pytest.approx(
        asymptotics.bulk_edge(shape, 1.0, window), rel=1e-5
    )
    assert asymptotics.critical_window(shape, 1.0, critical) == pytest.approx(window)


def test_critical_window_is_at_least_one():
    assert asymptotics.critical_window((10, 10), 1.0, 100.0) == 1
    np.testing.assert_allclose(asymptotics.critical_window((100, 100), 1.0, (12.0, 5.0)), [1, 2.5])


def test_limits_meet_dense_matrices():
    """Means of 40 Gaussian 300 x 450 matrices, fixed seed: within 4 standard errors plus the finite-size bias 1/300."""
    rng, (m, n), theta = np.random.default_rng(7), (300, 450), 30.0
    rows = []
    for _ in range(40):
        x = rng.standard_normal((m, n))
        x[0, 0] += theta
        u, d, vt = np.linalg.svd(x, full_matrices=False)
        rows.append((d[0] / theta, u[0, 0] ** 2, vt[0, 0] ** 2, u[0] @ vt[:, 0]))
    mean, error = np.mean(rows, 0), np.std(rows, 0, ddof=1) / 40**0.5
    left, right = asymptotics.overlaps((m, n), 1.0, theta, 1)
    limit = np.array([asymptotics.singular_value((m, n), 1.0, theta, 1) / theta, left, right,
                      asymptotics.polar_alignment((m, n), 1.0, theta, 1)])  # fmt: skip
    assert np.all(np.abs(mean - limit) < 4 * error + 1 / 300)
    assert not np.all(np.abs(mean - 1.03 * limit) < 4 * error + 1 / 300)  # a formula 3 % off is found out


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: asymptotics.bulk_edge((3, 3), 0, 1), "need 0 < sigma < inf, got sigma=0"),
        (lambda: asymptotics.bulk_edge((3, 3), 1, 0.9), "need 1 <= T < inf, got window=0.9"),
        (lambda: asymptotics.bulk_edge((0, 3), 1, 1), r"need shape == \(m, n\), both >= 1, got shape=\(0, 3\)"),
        (lambda: asymptotics.overlaps((3, 3), 1, 0.0, 1), "need spikes finite, not 0, got spike=0.0"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
