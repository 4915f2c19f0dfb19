"""Alignment under drift by hand and against dense matrices, its limits, and its best window (theory.md S8)."""

import math

import independent
import mpmath as mp
import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from spikesim.theory import asymptotics, drift

SHAPES = [(30, 70), (70, 30), (50, 50)]


def s8(shape, sigma, spikes, window, omega, both):
    """S8 with h and lag of F7's closed form in mpmath."""
    beta, s = 1 - 1 / mp.mpf(window), sigma / mp.sqrt(2 * mp.mpf(window) - 1)
    h = (1 - beta) / (1 - beta * mp.expj(-omega * (2 if both else 1)))
    size, lag = abs(h), -mp.arg(h)
    total = mp.mpf(0)
    for x in spikes:
        if both:
            for share, weight in (((1 + size) / 2, mp.cos(lag / 2) ** 2), ((1 - size) / 2, mp.sin(lag / 2) ** 2)):
                total += x * weight * independent.s4(x * share, *shape, s)
        else:
            total += x * mp.cos(lag) * independent.s4(x * size, *shape, s)
    return total / sum(spikes)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize(("window", "omega"), [(4.0, 0.3), (60.0, -0.02), (200.0, 1.5)])
def test_alignment_is_the_formula_on_the_integral(shape, both, window, omega):
    spikes = (9.0, 4.0)
    want = s8(shape, mp.mpf("0.8"), spikes, window, mp.mpf(omega), both)
    found = drift.alignment(shape, 0.8, spikes, window, omega, both)
    assert found == pytest.approx(float(want), rel=1e-10, abs=0)


@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_signal_that_stands_still_has_the_alignment_of_s4(shape, both):
    still = asymptotics.alignment(shape, 1.0, (9.0, 4.0), 20)
    assert drift.alignment(shape, 1.0, (9.0, 4.0), 20, 0.0, both) == pytest.approx(still, rel=1e-13, abs=0)
    assert drift.alignment(shape, 1.0, (9.0, 4.0), 20, 1e-9, both) == pytest.approx(still, rel=1e-10, abs=0)


@pytest.mark.parametrize("both", [False, True])
def test_without_memory_drift_does_not_matter(both):
    still = asymptotics.alignment((30, 70), 1.0, 6.0, 1)
    assert drift.alignment((30, 70), 1.0, 6.0, 1, 0.7, both) == pytest.approx(still, rel=1e-13, abs=0)


@pytest.mark.parametrize("both", [False, True])
def test_the_direction_of_turning_does_not_matter(both):
    one, other = (drift.alignment((30, 70), 1.0, 6.0, 12, x, both) for x in (0.1, -0.1))
    assert one == pytest.approx(other, rel=1e-14, abs=0)


def test_both_turning_rises_to_one_while_one_turning_falls_to_zero():
    one, both = ([drift.alignment((30, 70), 1.0, 6.0, t, 0.2, b) for t in (10.0, 1e3, 1e6, 1e9)] for b in (False, True))
    assert both == sorted(both)
    assert both[-1] == pytest.approx(1, abs=1e-4)
    assert one == sorted(one, reverse=True)
    assert one[-1] < 1e-4


@pytest.mark.parametrize("both", [False, True])
def test_the_formula_meets_a_dense_stream(both):
    """12 buffers of 120 x 100 Gaussian matrices, fixed seed: within 4 standard errors and 1/100 of bias."""
    rng, (m, n), window, omega, spike = np.random.default_rng(3), (120, 100), 8, 0.08, 10.0
    weights = (1 - 1 / window) ** np.arange(90) / window
    angle = -omega * np.arange(90)  # now at angle 0, k steps ago at -k omega
    s, rows = math.sqrt(1 / (2 * window - 1)), []
    for _ in range(12):
        buffer = s * rng.standard_normal((m, n))
        right = (np.cos(angle), np.sin(angle)) if both else (np.ones(90), np.zeros(90))
        for i, left in enumerate((np.cos(angle), np.sin(angle))):
            for j in range(2):
                buffer[i, j] += spike * weights @ (left * right[j])
        with threadpool_limits(1):
            u, _, vt = np.linalg.svd(buffer, full_matrices=False)
        rows.append((u @ vt)[0, 0])
    limit, error = drift.alignment((m, n), 1.0, spike, window, omega, both), np.std(rows, ddof=1) / 12**0.5
    assert abs(np.mean(rows) - limit) < 4 * error + 1 / 100
    assert abs(np.mean(rows) - drift.alignment((m, n), 1.0, spike, window, 0.0, both)) > 4 * error + 1 / 100


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("spike", [0.1, 3.0, 40.0, 3000.0])
@pytest.mark.parametrize("omega", [1e-5, 1e-3, 0.1, -1.0, 2.0, math.pi])
def test_best_window_beats_a_dense_grid(shape, spike, omega):
    window, best = drift.best_window(shape, 1.0, spike, omega)
    assert best == pytest.approx(drift.alignment(shape, 1.0, spike, window, omega), rel=1e-12, abs=0)
    grid = np.geomspace(1, 30 / abs(omega) + 1, 120)
    assert best >= max(drift.alignment(shape, 1.0, spike, t, omega) for t in grid) - 1e-12


def test_best_window_at_low_snr_turns_by_one_over_root_three():
    """a linear: Re(h) sqrt(2T - 1) is largest at omega T = 1/sqrt 3 for small omega."""
    window, _ = drift.best_window((50, 50), 1.0, 1e-3, 1e-4)
    assert 1e-4 * window == pytest.approx(3**-0.5, rel=1e-3, abs=0)


def test_best_window_at_high_snr_balances_noise_and_lag():
    """1 - alignment ~ (m + n)/(2 lambda^2 (2T - 1)) + (omega T)^2/2: T^3 = (m + n)/(4 lambda^2 omega^2)."""
    window, _ = drift.best_window((50, 50), 1.0, 100.0, 1e-6)
    assert window == pytest.approx((100 / (4 * 1e4 * 1e-12)) ** (1 / 3), rel=5e-3, abs=0)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("omega", [0.02, -0.3, 2.0])
def test_the_general_formula_is_that_of_the_ema_with_its_weights(shape, omega):
    """h and the noise factor from explicit weights of T = 9."""
    weights = (8 / 9) ** np.arange(400) / 9
    h = complex(weights @ np.exp(-1j * omega * np.arange(400)))
    found = drift.filtered_alignment(shape, 0.8, (9.0, 4.0), h, float(weights @ weights))
    assert found == pytest.approx(drift.alignment(shape, 0.8, (9.0, 4.0), 9, omega), rel=1e-12, abs=0)


def test_what_is_left_of_a_changing_signal_decides_in_the_general_formula():
    """A gain and its sign factor out; across, or without a signal, nothing is left."""
    still = asymptotics.alignment((30, 70), 1.0, 6.0, 5)
    at = (30, 70), 1.0, 6.0
    assert drift.filtered_alignment(*at, 1, 1 / 9) == pytest.approx(still, rel=1e-13, abs=0)
    assert drift.filtered_alignment(*at, -20.0, 400 / 9) == pytest.approx(-still, rel=1e-13, abs=0)
    assert drift.filtered_alignment(*at, 1j, 1 / 9) == 0
    assert drift.filtered_alignment(*at, 0, 1 / 9) == 0


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("omega", [1e-5, 1e-4, -1e-3])
def test_at_high_snr_the_best_window_is_two_thirds_above_the_cube_root(shape, omega):
    window, _ = drift.best_window(shape, 2.0, 2e4, omega)
    root = (4 * sum(shape) / (4 * 4e8 * omega**2)) ** (1 / 3)
    assert drift.high_snr_window(shape, 2.0, 2e4, omega) == pytest.approx(root, rel=1e-12, abs=0)
    assert window - root == pytest.approx(2 / 3, abs=0.06)
    assert drift.rule_window(shape, 2.0, 2e4, omega) == pytest.approx(window, rel=0.06, abs=0)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("y", [0.1, 0.3, 1.0, 3.0, 10.0])
@pytest.mark.parametrize("omega", [1e-3, 1e-2, -1e-1, 3e-1])
def test_the_rule_loses_little_of_the_best(shape, y, omega):
    """0.001 of the alignment; the cube root alone loses up to 0.07 of it here."""
    spike = y * math.sqrt(max(shape))
    window, best = drift.rule_window(shape, 1.0, spike, omega), drift.best_window(shape, 1.0, spike, omega)[1]
    assert 0 <= best - drift.alignment(shape, 1.0, spike, window, omega) < 0.001


def test_the_cube_root_alone_loses_more_at_low_snr():
    shape, spike = (50, 50), 0.1 * math.sqrt(50)
    window = drift.high_snr_window(shape, 1.0, spike, 0.1)
    assert drift.best_window(shape, 1.0, spike, 0.1)[1] - drift.alignment(shape, 1.0, spike, window, 0.1) > 0.05


def test_the_rule_at_low_snr_turns_by_one_over_root_three():
    assert drift.rule_window((50, 50), 1.0, 1e-3, 1e-4) * 1e-4 == pytest.approx(3**-0.5, rel=1e-3, abs=0)
    assert drift.rule_window((50, 50), 1.0, 1e4, 3.0) == 1


def test_no_drift_has_no_best_window():
    assert drift.best_window((50, 50), 1.0, 3.0, 0.0) == (math.inf, 1.0)
