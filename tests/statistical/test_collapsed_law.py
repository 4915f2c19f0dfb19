"""Method "collapsed" has the stream's law: each window, several windows together, and windows with the last gradient.

Family-wise error 1e-3 over N = 98 p-values (Bonferroni), 14 a model; seeds and sizes are fixed. The two methods are given
different seeds, as with one seed they share their scalars. Negative controls must be rejected at the same level.
"""

import numpy as np
import pytest
from family import Family
from scipy import stats

import spikesim as ss
from spikesim.samplers import roots

FAMILY = Family(error=1e-3, size=98)
WINDOWS, STEPS, TRIALS = [3.0, 12.0], 12, 4000  # 12 steps: the start still shows at window 12
OBSERVABLES = ["alignment", "alignment_truncated", "sin_theta_left", "tail", "suppression", "noise_op"]
SEPARABLE = ss.Kronecker((0.2, 0.5, 1.0, 2.0, 4.0), (0.1, 0.3, 1.0, 1.0, 2.0, 2.0, 3.0, 4.0))
MODELS = [
    ss.SpikedModel((5, 8), (4.0,), ss.Gaussian(), "axes"),
    ss.SpikedModel((9, 4), (5.0, -3.0), ss.Gaussian(2.0), "axes"),
    ss.SpikedModel((5, 8), (4.0, 3.0), SEPARABLE, "axes"),
    ss.SpikedModel((5, 8), (4.0,), ss.Radial(2.1, 2.0), "axes"),
    ss.SpikedModel((5, 8), (4.0, 3.0), ss.Contaminated(0.1, 20.0), "axes"),
    ss.SpikedModel((5, 8), (4.0,), ss.ScaleMixture(0.2, 5.0), "axes"),
    ss.SpikedModel((5, 8), (4.0,), ss.Gaussian(), "axes", ss.Rotating(0.15, both=True)),
]
TRUE = roots.root
ONE, CONTAMINATED = MODELS[0], MODELS[4]


def simulated(model, method, seed, steps=STEPS):
    return ss.simulate(
        model, windows=WINDOWS, trials=TRIALS, steps=steps, seed=seed, method=method, observables=OBSERVABLES,
        pipelines=["pre-polar", "polar-only"],
    )  # fmt: skip


def separate(data):
    """Numbers of one window each, (trials, 11); together with the last step's own."""
    pre, last = data.sel(pipeline="pre-polar"), data.sel(pipeline="polar-only").isel(window=0)
    names = ["alignment", "alignment_truncated", "sin_theta_left", "tail"]
    return np.column_stack([*(pre[name] for name in names), data.noise_op, last.alignment])


def together(data):
    """Numbers of two windows or of a window and the last step, (trials, 3)."""
    alignment = data.alignment.sel(pipeline="pre-polar")
    apart = alignment[:, 1] - alignment[:, 0]
    return np.column_stack([data.suppression, apart])


def same(a, b):
    """Two-sample KS, one p-value a column."""
    return np.array([stats.ks_2samp(x, y, method="asymp").pvalue for x, y in zip(a.T, b.T, strict=True)])


@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_every_window_and_windows_together_have_the_streams_law(model):
    stream, drawn = simulated(model, "stream", 40), simulated(model, "collapsed", 41)
    FAMILY.hold(each=same(separate(stream), separate(drawn)), pairs=same(together(stream), together(drawn)))


def replaced(monkeypatch, root):
    """The same model from another root."""
    monkeypatch.setattr(roots, "root", root)
    return simulated(ONE, "collapsed", 41)


def test_independent_windows_are_rejected_though_each_is_right(monkeypatch):
    data = replaced(monkeypatch, lambda *at: np.diag(np.linalg.norm(TRUE(*at), axis=0)))
    stream = simulated(ONE, "stream", 40)
    assert not FAMILY.rejects(same(separate(stream), separate(data)))
    first, _, apart = same(together(stream), together(data))  # window 12 has little to do with the last step
    assert FAMILY.rejects(first)
    assert FAMILY.rejects(apart)


def test_a_last_step_of_another_run_is_rejected():
    data = simulated(CONTAMINATED, "collapsed", 41)
    buffer, last = (data["tail"].sel(pipeline=name).values for name in ("pre-polar", "polar-only"))
    stream = simulated(CONTAMINATED, "stream", 40).suppression.values
    assert all(FAMILY.rejects(p) for p in same(stream, buffer / np.roll(last, 1, axis=0)))


@pytest.mark.parametrize(
    "wrong", [lambda windows, _steps: roots.steady(windows), lambda *at: 1.1 * TRUE(*at)], ids=["steady", "larger"]
)
def test_a_wrong_root_is_rejected(monkeypatch, wrong):
    stream, data = simulated(ONE, "stream", 40), replaced(monkeypatch, wrong)
    assert FAMILY.rejects(same(stream.noise_op.values, data.noise_op.values)[1])


def test_a_scalar_a_trial_is_not_a_scalar_a_step():
    mixture = ss.SpikedModel(CONTAMINATED.shape, CONTAMINATED.spikes, ss.ScaleMixture(0.1, 20.0), "axes")
    stream, data = simulated(CONTAMINATED, "stream", 40), simulated(mixture, "collapsed", 41)
    assert FAMILY.rejects(same(separate(stream), separate(data))[:-1])
    assert not FAMILY.rejects(same(separate(stream), separate(data))[-1])  # one step of either is the same
