"""Identities and frequencies that hold in law, at fixed seeds and sizes (theory.md B1, B4).

A statistic is compared in its own standard errors and must lie within 5: twelve comparisons at a two-sided normal level of
5.8e-7 each, family-wise error below 1e-5. Binomial frequencies are refused at a one-sided level of 1e-6. The negative
controls must fail by the same rule.
"""

import numpy as np
import pytest
from scipy import stats

import spikesim as ss
from spikesim.theory import bounds

LIMIT = 5.0
LEVEL = 1e-6
WINDOWS = [3, 10, 40]
STEPS = 12


@pytest.fixture(scope="module", params=[ss.Gaussian(), ss.Contaminated(0.1, 20.0, 0.7)], ids=lambda law: type(law).__name__)
def short_runs(request):
    model = ss.SpikedModel((4, 6), (3.0, -1.5), request.param)
    return ss.simulate(
        model, windows=WINDOWS, trials=2000, seed=20, steps=STEPS, pipelines=["post-polar", "polar-only"],
        observables=["alignment", "projection"],
    )  # fmt: skip


def standard_scores(data, name, factor):
    """(mean of post - factor polar-only) / its standard error, one a window; trials are paired."""
    paired = data[name].sel(pipeline="post-polar") - factor * data[name].sel(pipeline="polar-only")
    return (paired.mean("trial") / (paired.std("trial", ddof=1) / paired.sizes["trial"] ** 0.5)).values


@pytest.mark.parametrize("name", ["alignment", "projection"])
def test_post_polar_is_polar_only_times_the_gain_in_expectation(short_runs, name):
    gain = 1 - (1 - 1 / short_runs.window) ** STEPS
    assert np.max(np.abs(standard_scores(short_runs, name, gain))) < LIMIT


@pytest.mark.parametrize("name", ["alignment", "projection"])
def test_without_the_gain_it_is_not(short_runs, name):
    assert np.min(np.abs(standard_scores(short_runs, name, 1.0)[1:])) > LIMIT  # at window 3 the gain is 0.992


# B1: the event, on a model where it says something


@pytest.fixture(scope="module")
def long_runs():
    model = ss.SpikedModel((2, 3), (5.0,), ss.Gaussian(0.3))
    return model, ss.simulate(
        model, windows=[10, 50, 200], trials=400, seed=21, pipelines=["pre-polar"], observables=["tail", "singular_values"]
    )


def held(model, data, radius):
    """How often sigma_k >= c_sig lambda_k - radius for k <= r, and sigma_{r+1} <= radius; one count a window."""
    pre = data.sel(pipeline="pre-polar")
    c_sig = 1 - (1 - 1 / data.window) ** data.attrs["steps"]
    heads = (pre.singular_values[..., : model.rank] >= (c_sig * model.spikes[0] - radius)).all("index")
    return (heads & (pre["tail"] <= radius)).sum("trial").values


def p_values(counts, trials, least):
    """One-sided: how likely so few successes are if the probability is `least`."""
    return stats.binom.cdf(counts, trials, least)


def test_event_of_theorem_one_is_as_frequent_as_it_says(long_runs):
    model, data = long_runs
    radius = data.window * 0 + bounds.perturbation_radius(model.eta, data.window.values)
    assert float(radius.max()) < 0.1 * model.spikes[0]  # not vacuous
    least = 1 - bounds.failure_probability(data.window.values)
    assert np.all(p_values(held(model, data, radius), data.sizes["trial"], least) > LEVEL)


def test_a_radius_that_shrinks_as_one_over_the_window_would_not_do(long_runs):
    model, data = long_runs
    radius = model.eta**0.5 / (2 * data.window - 1)
    least = 1 - bounds.failure_probability(data.window.values)
    assert np.all(p_values(held(model, data, radius), data.sizes["trial"], least) < LEVEL)
