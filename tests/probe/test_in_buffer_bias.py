"""P1's bias of the in-buffer mean: what Gaussian noise adds to <O(M), mean> if the mean holds the buffer's own gradients."""

import numpy as np
import pytest
import recordings
from scipy import stats

import spikesim as ss

SHAPE, COUNT, SIGMA, TRIALS, WINDOWS = (5, 8), 96, 0.6, 100, (1.0, 2.0, 4.0, 8.0)
SIGNAL = recordings.signal(SHAPE, (1.5, 0.6))
LEVEL = stats.t.ppf(1 - 1e-3 / (2 * 8), TRIALS - 1)
"""Of a test statistic, in standard errors: eight of them, of a family-wise error of 1e-3."""


class Measured:
    """(trial, window) each: <O(M), mean of all>, <O(M), S> as measured on what is held out, and ‖M‖_*, over 2T - 1."""

    def __init__(self):
        generator, rows = np.random.default_rng(20), []
        for seed in range(TRIALS):
            gradients = SIGNAL + SIGMA * generator.standard_normal((COUNT, *SHAPE))
            found = ss.probe(gradients, windows=WINDOWS, readings=20, pipelines=["pre-polar"], seed=seed)
            scale = np.linalg.norm(gradients.mean(0), "nuc")
            inside = scale * found.data.alignment_in_buffer.values[0]
            rows.append((inside, found.data.decrease.values[0], found.values["nuclear"][0]))
        self.inside, self.held, self.nuclear = np.moveaxis(rows, 1, 0)
        self.n_eff = 2 * np.array(WINDOWS) - 1

    def bias(self, held):
        return self.n_eff / COUNT * (self.nuclear - held)


@pytest.fixture(scope="module")
def measured():
    return Measured()


def errors_off(x):
    """How many standard errors the mean over trials is away from 0, (W,)."""
    return np.abs(x.mean(0)) / (x.std(0, ddof=1) / np.sqrt(TRIALS))


def test_the_in_buffer_mean_is_off_by_what_the_page_says(measured):
    assert np.all(errors_off(measured.inside - measured.held - measured.bias(measured.held)) < LEVEL)


def test_without_the_bias_the_two_would_be_told_apart(measured):
    """Negative control: no bias at all, and one of the window in place of 2T - 1."""
    longer = np.array(WINDOWS) > 1
    assert np.all(errors_off(measured.inside - measured.held)[longer] > LEVEL)
    halved = measured.bias(measured.held) * np.array(WINDOWS) / measured.n_eff
    assert np.all(errors_off(measured.inside - measured.held - halved)[longer] > LEVEL)


def test_what_is_held_out_has_no_bias(measured):
    """Against S itself, with updates of buffers of independent gradients."""
    generator, true = np.random.default_rng(21), []
    for _ in range(TRIALS):
        gradients = SIGNAL + SIGMA * generator.standard_normal((COUNT, *SHAPE))
        buffers, each = np.zeros((len(WINDOWS), *SHAPE)), 1 / np.array(WINDOWS)[:, None, None]
        for g in gradients:
            buffers += each * (g - buffers)
        left, _, right = np.linalg.svd(buffers, full_matrices=False)
        true.append(np.einsum("wij,ij->w", left @ right, SIGNAL))
    true = np.array(true)
    apart = measured.held.mean(0) - true.mean(0)
    error = np.sqrt((measured.held.var(0, ddof=1) + true.var(0, ddof=1)) / TRIALS)
    assert np.all(np.abs(apart) < LEVEL * error)
    biased = measured.inside.mean(0) - true.mean(0)
    assert np.abs(biased)[-1] > LEVEL * error[-1]  # negative control
