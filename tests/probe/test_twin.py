"""A twin holds updates of a trajectory against the signal of their own step, even where weights answer to the update."""

import numpy as np
import pytest

import spikesim as ss
from spikesim.theory import drift

SIGMA, OMEGA, COUNT = 0.5, 0.03, 400
MODEL = ss.SpikedModel((24, 36), (4.0, 3.0), ss.Gaussian(SIGMA), signal=ss.Rotating(OMEGA))


@pytest.fixture(scope="module")
def probed():
    return ss.probe(ss.gradients(MODEL, COUNT), kind="trajectory", twin=ss.gradients(MODEL, COUNT, trial=1))


def test_alignment_is_that_with_the_signal_of_the_step(probed):
    """Against S8: pre-polar's error is common to all windows, so one comparison at the 99.9 % level of t on 9 degrees."""
    expected = [drift.alignment(MODEL.shape, SIGMA, MODEL.spikes, t, OMEGA) for t in probed.asked.windows]
    apart = np.abs(probed.values["alignment"][0] - expected)
    assert np.all(apart < 4.78 * probed.errors["alignment"][0] + 1 / min(MODEL.shape))  # S4's bias at finite size
    assert probed.leads == ()


def test_signal_and_noise_are_found_without_a_curve_through_lags(probed):
    assert probed.noise.signal.low < 25 < probed.noise.signal.high
    assert abs(probed.noise.eta.value / (SIGMA**2 * 24 * 36) - 1) < 0.01  # 800 x 864 normals: 0.17 % a standard error
    assert not probed.noise.autocorrelation.clear_of(0.0, 0.999)


def reacting(count, rate, curvature=1.0, seed=3):
    """Gradients curvature W + noise, and their twins, where every step takes W against the polar factor of an average."""
    generator = np.random.default_rng(seed)
    weights, average, recorded = 8 * signal(generator), np.zeros((12, 16)), []
    for _ in range(count):
        pair = curvature * weights + 0.3 * generator.standard_normal((2, 12, 16))
        average = 0.8 * average + 0.2 * pair[0]
        weights = weights - rate * ss.polar_factor(average)
        recorded.append(pair)
    return np.stack(recorded, axis=1)


def signal(generator):
    left, right = (np.linalg.qr(generator.standard_normal((k, 3)))[0] for k in (12, 16))
    return left @ right.T


def test_weights_that_answer_are_seen_by_a_twin_and_not_by_the_steps_that_follow():
    """At so large a rate that weights swing about their optimum, what follows an update is its undoing."""
    gradients, twin = reacting(240, rate=0.5)
    with_twin = ss.probe(gradients, kind="trajectory", windows=[1, 5], twin=twin)
    without = ss.probe(gradients, kind="trajectory", windows=[1, 5])
    at_one = [p.values["decrease"][0, 0] / p.errors["decrease"][0, 0] for p in (with_twin, without)]
    assert at_one[0] > 5
    assert with_twin.values["decrease"][0, 0] > without.values["decrease"][0, 0] + 5 * without.errors["decrease"][0, 0]


def test_a_twin_that_is_the_recording_is_refused_with_the_step():
    gradients, twin = ss.gradients(MODEL, 96), ss.gradients(MODEL, 96, trial=1)
    twin[41] = gradients[41]
    with pytest.raises(ValueError, match="need a twin of other batches than the recording's, got same_at_step=41"):
        ss.probe(gradients, kind="trajectory", twin=twin)


def test_a_twin_that_shares_batches_is_all_signal():
    """Negative control: almost the same batches share their noise, and what they say is wrong, as it must be."""
    gradients = ss.gradients(MODEL, 96)
    found = ss.probe(gradients, kind="trajectory", twin=gradients * (1 + 1e-6))
    assert found.noise.eta.value < 1e-3 * SIGMA**2 * 24 * 36


def test_a_twin_of_another_shape_or_of_a_stationary_recording_is_refused():
    gradients = ss.gradients(MODEL, 96)
    with pytest.raises(ValueError, match=r"need a twin of shape \(96, 24, 36\), got shape=\(95, 24, 36\)"):
        ss.probe(gradients, kind="trajectory", twin=gradients[:95])
    with pytest.raises(ValueError, match="need a twin of a \"trajectory\" only, got kind='stationary'"):
        ss.probe(gradients, twin=gradients)
