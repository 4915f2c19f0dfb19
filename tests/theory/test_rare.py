"""R1 against means over simulated scalars: given them, the buffer's noise is Gaussian, so that S4 holds of each."""

import numpy as np
import pytest

from spikesim.theory import rare

SHAPE, SIGMA, SPIKES = (24, 24), 0.3, (10.0,)


def square(y):
    """S4, m = n."""
    return 2 / np.pi * ((1 - y**-2) * np.arctan(y) + 1 / y)


def simulated(t, p, factor, steps, trials=40_000):
    """E a(gain y / scale) over independent scalars, from their weights; and its standard error."""
    generator = np.random.default_rng(7)
    w = (1 - 1 / t) ** np.arange(steps) / t
    scales = np.where(generator.random((trials, steps)) < p, factor, 1.0)
    s = SIGMA * np.sqrt(scales**2 @ w**2)
    a = square(w.sum() * SPIKES[0] / (s * 24**0.5))
    return a.mean(), a.std() / trials**0.5


@pytest.mark.parametrize(
    ("t", "p", "factor", "within"),
    [
        (2, 0.02, 300.0, 0.004),
        (20, 0.003, 300.0, 0.004),
        (20, 0.05, 300.0, 0.012),
        (20, 0.3, 30.0, 0.008),
        (40, 0.1, 10.0, 0.001),
    ],
)
def test_pre_polar_is_the_mean_over_scalars_up_to_how_older_steps_count(t, p, factor, within):
    value = rare.pre_polar(SHAPE, SIGMA, SPIKES, t, p, factor, 150)
    mean, error = simulated(t, p, factor, 150)
    assert abs(value - mean) < within + 4.5 * error
    wrong = rare.pre_polar(SHAPE, SIGMA, SPIKES, t, p / 2, factor, 150)  # negative control: large steps half as frequent
    assert abs(wrong - mean) > within + 4.5 * error or within < 0.002


def test_one_large_step_is_exact_where_no_second_can_matter():
    # p -> 0 with one large step at age k, to first order: sum_k p (a(s_k) - a(s)) on top of the clean mean
    t, p, factor = 5, 1e-7, 200.0
    beta, k = 0.8, np.arange(2000.0)
    clean = SPIKES[0] / (SIGMA * 24**0.5)
    hit = square(
        clean / np.sqrt((1 - beta ** (2 * k + 2)) / 9 + beta ** (2 * k) * (factor**2 - 1) / 25 + beta ** (2 * k + 2) / 9)
    )
    slope = np.sum(hit - square(clean * 3))
    found = (rare.pre_polar(SHAPE, SIGMA, SPIKES, t, p, factor) - square(clean * 3)) / p
    assert found == pytest.approx(slope, rel=1e-3)


def test_equal_steps_are_s4_and_post_polar_is_a_mixture():
    y = SPIKES[0] / (SIGMA * 24**0.5)
    assert rare.pre_polar(SHAPE, SIGMA, SPIKES, 20, 0.3, 1.0) == pytest.approx(square(y * 39**0.5), abs=1e-12)
    gain = 1 - 0.95**30
    expected = gain * (0.8 * square(y) + 0.2 * square(y / 50))
    assert rare.post_polar(SHAPE, SIGMA, SPIKES, 20, 0.2, 50.0, 30) == pytest.approx(expected, rel=1e-12)


def test_border_is_where_mean_squares_are_lost_alike():
    y, t, p = 10 / (0.3 * 24**0.5), 20, 0.05
    f = rare.border(SHAPE, SIGMA, 10.0, t, p)
    assert (1 + p * f**2) / ((2 * t - 1) * y**2) == pytest.approx(1 / y**2 + p, rel=1e-12)


@pytest.mark.parametrize(("p", "factor"), [(0.0, 3.0), (1.0, 3.0), (float("nan"), 3.0), (0.1, 0.0), (0.1, float("inf"))])
def test_refuses_what_is_no_chance_or_no_factor(p, factor):
    with pytest.raises(ValueError, match="need "):
        rare.pre_polar(SHAPE, SIGMA, SPIKES, 5, p, factor)
    with pytest.raises(ValueError, match="need "):
        rare.post_polar(SHAPE, SIGMA, SPIKES, 5, p, factor)
