"""Laws of stages: collapsed against stream for several filters together, filters' factors, workers, and delays.

Family-wise error 1e-3 over N = 252 p-values (Bonferroni); seeds and sizes are fixed. Negative controls must be rejected at
the same level.

    N = 3 laws x 2 lengths x (6 filters x 3 numbers + 6 paired)   144
      + 12 filters x 2 lengths x (gain, variance)                  48
      + 3 counts of workers x 2 windows x 10 numbers               60
"""

from itertools import pairwise

import numpy as np
import pytest
from family import Family
from scipy import stats

import spikesim as ss
from spikesim.filters import EMA, FIR, IIR, HeavyBall, Kalman, Lookahead, MovingAverage, Nesterov, Warmup
from spikesim.pipelines import Pipeline, last_update

FAMILY = Family(error=1e-3, size=252)
FIRST = (
    "Filter()", "Filter(Nesterov)", "Filter(MovingAverage)", "Filter(IIR((0.2, 0.1), (1.0, -1.2, 0.52)))", "Filter(Kalman)",
    "Filter(Nesterov(start='debiased'))",
)  # fmt: skip
TEXTS = [f"{first} -> Polar()" for first in FIRST]
NOISE = {"gaussian": ss.Gaussian(), "contaminated": ss.Contaminated(0.1, 8.0), "radial": ss.Radial(2.5, 1.5)}
TRIALS = 3000


def same(a, b):
    """Two-sample KS, one p-value a column."""
    return np.array([stats.ks_2samp(x, y, method="asymp").pvalue for x, y in zip(a.T, b.T, strict=True)])


def drawn(noise, method, seed, steps, texts=TEXTS):
    model = ss.SpikedModel((4, 6), (3.0,), NOISE[noise], "axes")
    return ss.simulate(
        model, windows=[4.0], trials=TRIALS, seed=seed, steps=steps, pipelines=texts, method=method,
        observables=["alignment", "singular_values", "head_error"],
    )  # fmt: skip


def numbers(data):
    """Each pipeline's alignment, largest singular value and noise in the spike's place, (trials, 3 x pipelines)."""
    parts = data.alignment, data.singular_values.isel(index=0), data.head_error
    return np.concatenate([x.isel(window=0).values for x in parts], axis=1)


def paired(data):
    """Differences of neighbouring pipelines of one trial, the last and the first included, (trials, pipelines)."""
    x = data.singular_values.isel(index=0, window=0).values
    return np.roll(x, -1, axis=1) - x


@pytest.mark.parametrize("steps", [6, None])
@pytest.mark.parametrize("noise", NOISE)
def test_collapsed_filters_together_have_the_streams_law(noise, steps):
    stream, collapsed = drawn(noise, "stream", 50, steps), drawn(noise, "collapsed", 51, steps)
    FAMILY.hold(each=same(numbers(stream), numbers(collapsed)), pairs=same(paired(stream), paired(collapsed)))


def test_independent_filters_are_rejected_though_each_is_right():
    stream, collapsed = drawn("gaussian", "stream", 50, 6), drawn("gaussian", "collapsed", 51, 6)
    assert not FAMILY.rejects(same(numbers(stream), numbers(collapsed)))
    apart = collapsed.copy(deep=True)
    values = apart.singular_values.values
    for i in range(len(TEXTS)):
        values[:, i] = np.roll(values[:, i], i, axis=0)  # every filter of another trial
    assert FAMILY.rejects(same(paired(stream), paired(apart)))


def test_another_filter_is_rejected():
    stream, other = drawn("radial", "stream", 50, 6, [TEXTS[1]]), drawn("radial", "collapsed", 51, 6, [TEXTS[5]])
    assert FAMILY.rejects(same(numbers(stream), numbers(other)))


FILTERS = [
    EMA(4.0), EMA(4.0, "first"), EMA(4.0, "debiased"), HeavyBall(4.0), Nesterov(4.0), Nesterov(4.0, "debiased"),
    Lookahead(4.0, -0.5, 2.0), MovingAverage(5), FIR((0.5, -0.25, 1.0)), IIR((0.2, 0.1), (1.0, -1.2, 0.52)),
    Warmup(4.0, 0.2, 6), Kalman(4.0),
]  # fmt: skip
ENTRIES = 40_000


def entries(filter_, steps):
    """Entries of a buffer: independent streams 1 + Z_t, filtered step by step."""
    rng, memory = np.random.default_rng([5, steps]), filter_.memory()
    for _ in range(steps):
        memory.push(1 + rng.standard_normal(ENTRIES))
    return memory.output()


def moments(x, gain, noise_factor):
    """P-values of the mean and the variance of Gaussian entries."""
    z = (x.mean() - gain) / np.sqrt(noise_factor / x.size)
    chi = ((x - x.mean()) ** 2).sum() / noise_factor
    return np.array([2 * stats.norm.sf(abs(z)), 2 * min(stats.chi2.sf(chi, x.size - 1), stats.chi2.cdf(chi, x.size - 1))])


@pytest.mark.parametrize("steps", [3, 60])
@pytest.mark.parametrize("filter_", FILTERS, ids=repr)
def test_gain_and_noise_factor_are_those_of_simulated_entries(filter_, steps):
    at = steps if steps == 3 else None
    FAMILY.hold(moments=moments(entries(filter_, steps), filter_.gain(at), filter_.noise_factor(at)))


def test_moments_of_another_filter_are_rejected():
    x = entries(Nesterov(4.0, "debiased"), 3)
    p = moments(x, Nesterov(4.0).gain(3), Nesterov(4.0).noise_factor(3))
    assert all(FAMILY.rejects(one) for one in p)
    steady = Nesterov(4.0)
    assert FAMILY.rejects(moments(entries(steady, 3), steady.gain(3), steady.noise_factor()))


SIGMA, GROUPS = 2.0, 10


def averaged(count, seed, sigma=SIGMA, steps=GROUPS):
    """(trials, 10): alignment, two singular values, head error and cosine by window."""
    first = f"Workers({count}) -> " if count else ""
    data = ss.simulate(
        ss.SpikedModel((4, 6), (3.0,), ss.Gaussian(sigma), "axes"), windows=[2.0, 6.0], trials=TRIALS, seed=seed,
        steps=steps * max(count, 1), pipelines=f"{first}Filter() -> Polar()",
        observables=["alignment", "singular_values", "tail", "cosine"],
    ).isel(pipeline=0)  # fmt: skip
    parts = data.alignment, data.singular_values[..., 0], data.singular_values[..., 1], data["tail"], data.cosine
    return np.concatenate([x.values for x in parts], axis=1)


@pytest.mark.parametrize("count", [2, 3, 5])
def test_workers_are_a_stream_of_less_noise(count):
    FAMILY.hold(workers=same(averaged(count, 60), averaged(0, 61, SIGMA / count**0.5)))


def test_workers_that_divide_the_noise_by_their_number_are_rejected():
    assert FAMILY.rejects(same(averaged(2, 60), averaged(0, 61, SIGMA / 2)))


@pytest.mark.parametrize("steps", [1, 3, 8])
def test_a_delay_turns_a_rotating_signal_back_by_its_steps(steps):
    """Noise is negligible: u_t^T A v = cos of the angle that the filter and the delay stay behind."""
    omega, window = 0.05, 5.0
    model = ss.SpikedModel((6, 5), (3.0,), ss.Gaussian(1e-9), "axes", ss.Rotating(omega))
    data = ss.simulate(
        model, windows=[window], trials=2, pipelines=[f"Delay({steps}) -> Filter() -> Polar(1)", "Filter() -> Polar(1)"],
        observables=["alignment"], steps=400,
    )  # fmt: skip
    angle = -np.angle(EMA(window).response(omega))
    late, own = data.alignment.values[:, :, 0].T
    np.testing.assert_allclose(late, np.cos(angle + omega * steps), rtol=0, atol=1e-7)
    np.testing.assert_allclose(own, np.cos(angle), rtol=0, atol=1e-7)
    assert np.all(np.abs(late - np.cos(angle + omega * (steps + 1))) > 1e-3)


def test_a_delay_is_a_later_start():
    g = np.random.default_rng(3).standard_normal((20, 3, 4))
    late = last_update(Pipeline.from_text("Delay(4) -> Filter(Nesterov)"), g, 5.0)
    np.testing.assert_array_equal(
        late, last_update(Pipeline.from_text("Filter(Nesterov)"), np.vstack([0 * g[:4], g[:-4]]), 5.0)
    )


def test_neighbours_of_the_family_are_told_apart():
    """No two of the filters above are one: the paired differences are of something."""
    x = drawn("gaussian", "collapsed", 51, 6).singular_values.isel(index=0, window=0).values
    assert all(np.abs(x[:, a] - x[:, b]).min() > 0 for a, b in pairwise(range(len(TEXTS))))
