"""Cosines, bias and variance of updates by hand and by small exact laws (theory.md S5, S11)."""

import independent
import mpmath as mp
import numpy as np
import pytest

from spikesim.theory import asymptotics, updates


def a(theta, shape, s):
    return independent.s4(theta, *shape, s)


@pytest.mark.parametrize("shape", [(30, 70), (70, 30), (50, 50)])
@pytest.mark.parametrize("spikes", [(8.0,), (12.0, 5.0, 5.0)])
@pytest.mark.parametrize("steps", [None, 6])
def test_cosines_are_the_formulas_on_the_integral(shape, spikes, steps):
    gain, factor = independent.scales(9, steps)
    n_eff, r = gain**2 / factor, len(spikes)
    one = [a(x, shape, 0.8) for x in spikes]
    want = sum(one) / mp.sqrt(r * (min(shape) / n_eff + (1 - 1 / n_eff) * sum(x * x for x in one)))
    assert updates.post_polar_cosine(shape, 0.8, spikes, 9, steps) == pytest.approx(float(want), rel=1e-11, abs=0)
    buffer = [a(gain * x, shape, mp.mpf("0.8") * mp.sqrt(factor)) for x in spikes]
    want = sum(buffer) / mp.sqrt(r * min(shape))
    assert updates.pre_polar_cosine(shape, 0.8, spikes, 9, steps) == pytest.approx(float(want), rel=1e-11, abs=0)


def test_without_averaging_both_cosines_are_that_of_a_polar_factor():
    one, other = (f((40, 60), 1.0, (9.0, 4.0), 1) for f in (updates.post_polar_cosine, updates.pre_polar_cosine))
    assert one == pytest.approx(other, rel=1e-14, abs=0)


def test_at_equal_spikes_the_pre_polar_cosine_is_a_share_of_the_projection():
    projection = asymptotics.alignment((40, 60), 1.0, (9.0, 9.0), 7)
    assert updates.pre_polar_cosine((40, 60), 1.0, (9.0, 9.0), 7) == pytest.approx(
        (2 / 40) ** 0.5 * projection, rel=1e-13, abs=0
    )


def test_cosines_are_the_simulated_figures_of_r2():
    """200 x 200, average of 64, y = 1: 0.339 against 0.070 (simulated, theory.md R2)."""
    window, spike = (64 + 1) / 2, 200**0.5
    assert updates.post_polar_cosine((200, 200), 1.0, spike, window) == pytest.approx(0.339, abs=1e-3)
    assert updates.pre_polar_cosine((200, 200), 1.0, spike, window) == pytest.approx(0.070, abs=1e-3)


def test_post_polar_cosine_tends_to_that_of_its_mean():
    each = np.array([float(a(x, (40, 60), 1.0)) for x in (9.0, 4.0)])
    limit = each.sum() / (2 * (each**2).sum()) ** 0.5
    assert updates.post_polar_cosine((40, 60), 1.0, (9.0, 4.0), 1e12) == pytest.approx(limit, rel=1e-9, abs=0)
    assert limit < 1


def test_bias_and_variance_by_hand():
    bias, variance = updates.bias_variance((3, 5), (0.5, 0.25), gain=0.5, noise_factor=0.1)
    assert bias == pytest.approx(0.75**2 + 0.875**2, rel=1e-14, abs=0)
    assert variance == pytest.approx(0.1 * (3 - 0.25 - 0.0625), rel=1e-14, abs=0)


def test_bias_and_variance_are_those_of_a_brute_law():
    """A 2 x 2 polar factor that turns by +-phi about the identity: its mean is cos(phi) times it."""
    phi, weights = 0.6, np.array([0.5, 0.3, 0.2])
    outcomes = [np.array([[np.cos(p), -np.sin(p)], [np.sin(p), np.cos(p)]]) for p in (phi, -phi)]
    mean = sum(outcomes) / 2
    runs = range(8)  # equally likely
    buffers = [sum(w * outcomes[(k >> j) & 1] for j, w in enumerate(weights)) for k in runs]
    variance = np.mean([np.linalg.norm(b - weights.sum() * mean) ** 2 for b in buffers])
    bias = np.linalg.norm(np.mean(buffers, 0) - np.eye(2)) ** 2
    found = updates.bias_variance((2, 2), [np.cos(phi)] * 2, weights.sum(), weights @ weights)
    assert found == pytest.approx((bias, variance), rel=1e-12, abs=0)


@pytest.mark.parametrize("shape", [(2, 2), (3, 9), (9, 3)])
def test_a_sure_polar_factor_has_the_variance_of_its_noise_directions(shape):
    assert updates.bias_variance(shape, (1.0, 1.0)) == (0.0, min(shape) - 2.0)
