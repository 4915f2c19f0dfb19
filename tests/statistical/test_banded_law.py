"""Method "banded" (L2) has the stream's law in every observable of one buffer, and in post-polar's windows together.

Family-wise error 1e-3 over N = 202 p-values (Bonferroni): 21 to 27 a model, 6 for post-polar of each of two; seeds and sizes
are fixed. Negative controls must be rejected at the same level: chi variates of a degree of freedom fewer, spikes off by
5 %, a band without its lower diagonals, two windows of pre-polar together, gradients of another trial.
"""

from functools import cache

import numpy as np
import pytest
from family import Family
from scipy import stats

import spikesim as ss
from spikesim.samplers import banded
from spikesim.samplers.band import Band
from spikesim.samplers.banded import BUFFER, NORMS

FAMILY = Family(error=1e-3, size=202)
WINDOWS, STEPS, TRIALS = [3.0], 4, 1500  # 4 steps: the start still shows at window 3
PIPELINES = ["pre-polar", "polar-only"]
NAMES = [name for name in (*BUFFER, *NORMS) if name not in ("residual", "tail", "cosine")]  # tail: a singular value
MODELS = [
    ss.SpikedModel((6, 9), (4.0,), ss.Gaussian(), "axes"),
    ss.SpikedModel((9, 6), (4.0,), ss.Gaussian(), "axes"),
    ss.SpikedModel((7, 7), (5.0, -3.0), ss.Gaussian(1.5), "axes"),
    ss.SpikedModel((7, 8), (5.0, 5.0), ss.Gaussian(), "axes"),
    ss.SpikedModel((12, 5), (5.0, 3.0, -4.0), ss.Gaussian(), "axes"),
    ss.SpikedModel((5, 12), (5.0, 3.0, 4.0), ss.Gaussian(), "axes"),
    ss.SpikedModel((4, 4), (5.0, 3.0, 4.0, -2.0), ss.Gaussian(), "axes"),
    ss.SpikedModel((5, 7), (5.0, 3.0, 4.0, -2.0), ss.Gaussian(), "axes"),
]
ONE, SQUARE, TRUE = MODELS[0], MODELS[2], banded.unit


def simulated(model, method, seed, **options):
    given = {"windows": WINDOWS, "trials": TRIALS, "steps": STEPS, "pipelines": PIPELINES, "observables": NAMES}
    return ss.simulate(model, seed=seed, method=method, joint=False, **(given | options))


def numbers(data):
    """Every observable of one window, (trials, N): of pre-polar, of polar-only, of the noise."""
    one = data.isel(window=0)
    columns = [one[name].sel(pipeline=p).values for p in PIPELINES for name in NAMES if "pipeline" in one[name].dims]
    columns += [one[name].values for name in NORMS]
    return np.column_stack(columns)  # each singular value has its own


def same(a, b):
    """Two-sample KS, one p-value a column."""
    return np.array([stats.ks_2samp(x, y, method="asymp").pvalue for x, y in zip(a.T, b.T, strict=True)])


@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_every_observable_has_the_streams_law(model):
    FAMILY.hold(each=same(streamed(model), numbers(simulated(model, "banded", 51))))


def stepwise(data):
    """Post-polar at two windows, each by itself, apart from each other, and apart from the last gradient, (trials, 6)."""
    post, last = data.sel(pipeline="post-polar"), data.alignment.sel(pipeline="polar-only").isel(window=0)
    near, far = (post.isel(window=i) for i in (0, 1))
    columns = [near.alignment, far.alignment, far.alignment_truncated, far.projection]
    return np.column_stack([*columns, far.alignment - near.alignment, near.alignment - last])


POST = {"windows": [1.5, 6.0], "steps": 3, "pipelines": ["post-polar", "polar-only"], "observables": [
    "alignment", "projection", "alignment_truncated"]}  # fmt: skip


@pytest.mark.parametrize("model", [ONE, SQUARE], ids=repr)
def test_post_polar_has_the_streams_law_its_windows_together(model):
    FAMILY.hold(post=same(stepwise(simulated(model, "stream", 52, **POST)), stepwise(simulated(model, "banded", 53, **POST))))


@cache
def streamed(model):
    return numbers(simulated(model, "stream", 50))


# Negative controls


def test_chi_variates_of_fewer_degrees_of_freedom_are_rejected(monkeypatch):
    class Fewer:
        def __init__(self, generator):
            self.generator = generator

        def standard_gamma(self, shape):
            return self.generator.standard_gamma(np.maximum(shape - 0.5, 0.25))

    true = banded.unit
    monkeypatch.setattr(banded, "unit", lambda normal, gamma, *of: true(normal, Fewer(gamma), *of))
    p = same(streamed(ONE), numbers(simulated(ONE, "banded", 51)))
    assert FAMILY.rejects(p[-len(NORMS)])  # noise_fro
    assert FAMILY.rejects(p[: -len(NORMS)])


def test_spikes_that_are_off_are_rejected():
    off = ss.SpikedModel(ONE.shape, (1.05 * ONE.spikes[0],), ONE.noise, "axes")
    assert FAMILY.rejects(same(streamed(ONE), numbers(simulated(off, "banded", 51))))


def test_a_band_without_its_lower_diagonals_is_rejected(monkeypatch):
    def upper(*of):
        z = TRUE(*of)
        z.entries[:, 0] = 0
        return Band(z.entries, z.columns)

    monkeypatch.setattr(banded, "unit", upper)
    assert FAMILY.rejects(same(streamed(SQUARE), numbers(simulated(SQUARE, "banded", 51))))


def test_windows_of_pre_polar_are_right_each_and_wrong_together():
    options = {"windows": [3.0, 6.0], "pipelines": ["pre-polar"], "observables": ["alignment"]}
    stream, drawn = (simulated(ONE, *at, **options).alignment.values[:, 0] for at in (("stream", 50), ("banded", 51)))
    assert not FAMILY.rejects(same(stream, drawn))
    assert FAMILY.rejects(same(np.diff(stream), np.diff(drawn)))


def test_post_polar_with_gradients_of_another_trial_is_rejected():
    stream, drawn = stepwise(simulated(ONE, "stream", 52, **POST)), simulated(ONE, "banded", 53, **POST)
    last = np.roll(drawn.alignment.sel(pipeline="polar-only").isel(window=0).values, 1)
    assert FAMILY.rejects(
        same(stream[:, -1:], (drawn.alignment.sel(pipeline="post-polar").isel(window=0).values - last)[:, None])
    )
