"""Method "collapsed" (L1): the square root of F8 by three ways, the scalars and normals it takes, and what it refuses.

Oracles: W^T diag(rho^2) W written out with EMA.weights; theory.filters.covariance; rng.uniforms and Box-Muller.
"""

import importlib

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import spikesim as ss
from spikesim import rng
from spikesim.devices.cpu import CPU
from spikesim.filters import EMA
from spikesim.samplers.collapsed import CHUNK_STEPS, LAWS_NAMED, Collapsed, normals
from spikesim.samplers.roots import root, steady
from spikesim.theory.filters import covariance

module = importlib.import_module("spikesim.simulate")  # the package attribute of that name is the function
SEED, TRIAL, SHAPE = 5, 3, (4, 6)
WINDOWS = np.array([1, 1.5, 2, 10, 10.001, 300, 1e4])
CLOSE = np.geomspace(1, 1000, 30)
THIRTY = np.concatenate([[1.0], np.geomspace(1.2, 1e6, 29)])
SEPARABLE = ss.Kronecker((1.0, 0.0, 2.0, 3.0), (0.5, 1.0, 1.0, 2.0, 3.0, 4.0), 2.0)
STEP_SCALARS = [ss.Radial(2.1, 2.0), ss.Contaminated(0.3, 7.0, 2.0), ss.Contaminated(0.01, 1e30)]
LAWS = [ss.Gaussian(2.0), SEPARABLE, ss.ScaleMixture(0.5, 7.0, 2.0), *STEP_SCALARS]


def closed_form(windows, steps=None):
    return np.array([[covariance(a, b, steps=steps) for b in windows] for a in windows])


def explicit(windows, rho):
    """W^T diag(rho^2) W from the scalars of all steps, oldest first."""
    rows = np.stack([EMA(t).weights(len(rho)) for t in windows], axis=1) * rho[::-1, None]
    return rows.T @ rows


def assert_same(found, expected, rtol):
    """Within rtol of each pair's standard deviations."""
    size = np.sqrt(np.diagonal(expected))
    assert_allclose(found / np.outer(size, size), expected / np.outer(size, size), rtol=0, atol=rtol)
    assert_allclose(np.diagonal(found), np.diagonal(expected), rtol=rtol)


# The root


@pytest.mark.parametrize("steps", [1, 2, 3, 6, 7, 8, 100, 1023, 5000])
def test_the_root_has_the_covariance_of_explicit_weights(steps):
    r = root(WINDOWS, steps)
    assert_same(r.T @ r, explicit(WINDOWS, np.ones(steps)), 1e-12)
    assert_array_equal(r, np.triu(r))
    assert np.all(np.diagonal(r) >= 0)


@pytest.mark.parametrize("steps", [1, 5, 29, 10**4, 10**6, 13_815_504, 10**8, 2**33 - 1])
@pytest.mark.parametrize("windows", [WINDOWS, THIRTY, CLOSE, np.array([1.0])], ids=["few", "thirty", "close", "one"])
def test_the_root_has_the_covariance_of_two_windows(windows, steps):
    r = root(windows, steps)
    assert_same(r.T @ r, closed_form(windows, steps), 1e-12)


@pytest.mark.parametrize("windows", [WINDOWS, THIRTY, CLOSE, np.array([1.0, 1e12])], ids=["few", "thirty", "close", "two"])
def test_the_closed_form_is_the_steady_root(windows):
    r = steady(windows)
    assert_allclose(r.T @ r, closed_form(windows), rtol=1e-12)
    assert_array_equal(r, np.triu(r))


def test_the_root_becomes_the_closed_form_without_a_jump():
    """Just before the start is below rounding: the same root, not only the same covariance."""
    for windows in (WINDOWS, THIRTY[:12]):
        last = EMA(windows[-1]).settling(2.0**-26.6)
        before, after = root(windows, last - 1 - int(windows[-1])), steady(windows)
        assert_allclose(before, after, atol=1e-13 * np.max(after))
        assert_array_equal(root(windows, last + 1), after)


def test_thirty_windows_have_a_covariance_that_is_better_not_factored():
    assert np.linalg.cond(closed_form(CLOSE)) > 1e16


# The sampler


def sampler(noise, filters=WINDOWS, trials=(TRIAL,), steps=40, dtype="float64", shape=SHAPE, seed=SEED):
    drawn = Collapsed(ss.SpikedModel(shape, (3.0,), noise), seed, trials, [EMA(t) for t in filters], dtype)
    while drawn.step < steps:
        drawn.advance(min(CHUNK_STEPS, steps - drawn.step))
    return drawn


@pytest.mark.parametrize("steps", [1, 2, 7, CHUNK_STEPS, CHUNK_STEPS + 1, 3 * CHUNK_STEPS + 12])
@pytest.mark.parametrize("noise", LAWS, ids=repr)
def test_scalars_are_the_streams_step_by_step(noise, steps):
    a = sampler(noise, trials=(0, TRIAL), steps=steps)._root(1, TRIAL)
    rho = noise.step_factors(SEED, TRIAL, np.arange(steps))
    assert_same(a @ a.T, explicit(WINDOWS, np.ones(steps) if rho is None else rho), 1e-12)
    assert_allclose(a[0], np.eye(len(WINDOWS))[0] * (1.0 if rho is None else rho[-1]), rtol=1e-14)  # the newest step's own


@pytest.mark.parametrize("noise", LAWS, ids=repr)
def test_noise_is_the_root_times_normals_times_each_entrys_scale(noise):
    drawn = sampler(noise)
    z = normals(SEED, [TRIAL], len(WINDOWS), 24, CPU())[0]
    expected = (drawn._root(0, TRIAL) @ z).reshape(-1, *SHAPE) * noise.entry_scale(SHAPE)
    size = np.abs(expected).max(axis=(1, 2), keepdims=True)
    assert_allclose(drawn.buffers()[0] / size, expected / size, atol=1e-14)
    assert drawn.buffers().shape == (1, len(WINDOWS), *SHAPE)
    assert drawn.last().shape == (1, 1, *SHAPE)


def test_normals_lie_where_documented():
    """Words of (COLLAPSED, step = place of the window), two steps to a pair of Box-Muller, whose radius is the first's."""
    seed, trial = 2**64 - 1, 2**32 - 1
    found = normals(seed, [trial], 12, 300, CPU())[0]
    u = rng.uniforms(seed, rng.COLLAPSED, trial, np.arange(0, 12, 2)[:, None], np.arange(300))
    assert_allclose(np.hypot(found[::2], found[1::2]), np.sqrt(-2 * np.log(u)), atol=1e-6)
    assert_array_equal(normals(seed, [trial], 5, 77, CPU())[0], found[:5, :77])
    assert len(np.unique(np.abs(found))) > 3590  # no place twice


def test_a_window_of_one_is_the_last_step_itself():
    for noise in LAWS:
        drawn = sampler(noise, filters=[20, 1, 5])
        assert_array_equal(drawn.buffers()[:, 1], drawn.last()[:, 0])
        assert_array_equal(drawn.last(), sampler(noise, filters=[7]).last())
        assert_array_equal(sampler(noise, filters=[1]).buffers(), drawn.last())


def test_wider_windows_and_their_order_change_nothing():
    for noise in (ss.Gaussian(), SEPARABLE):
        whole = sampler(noise, filters=[50, 2, 1, 9]).buffers()
        assert_allclose(sampler(noise, filters=[2, 9]).buffers(), whole[:, [1, 3]], rtol=1e-12)
        assert_array_equal(sampler(noise, filters=[1, 2, 9, 50]).buffers(), whole[:, [2, 1, 3, 0]])


@pytest.mark.parametrize("noise", LAWS, ids=repr)
def test_a_trial_does_not_depend_on_its_block(noise):
    trials = (7, TRIAL, 2**32 - 1)
    together = sampler(noise, trials=trials).buffers()
    assert_array_equal(together, np.concatenate([sampler(noise, trials=(t,)).buffers() for t in trials]))
    assert len(np.unique(together[:, 0, 0, 0])) == 3


def test_an_entry_does_not_depend_on_the_shape():
    wide, tall = (sampler(ss.Radial(3.0), shape=shape).buffers().reshape(7, -1) for shape in ((2, 400), (31, 11)))
    assert_array_equal(wide[:, :341], tall)


def test_float32_is_float64_rounded():
    for noise in LAWS[:-1]:
        single = sampler(noise, dtype="float32")
        assert single.buffers().dtype == single.last().dtype == np.float32
        assert_array_equal(single.buffers(), sampler(noise).buffers().astype(np.float32))


def test_nothing_follows_the_draw_and_no_gradient_is_kept():
    drawn = sampler(ss.Gaussian())
    drawn.buffers()
    with pytest.raises(ValueError, match=r"need no gradients kept, no steps after buffers\(\), got keep=False, step=40"):
        drawn.advance(1)
    with pytest.raises(ValueError, match="keep=True"):
        sampler(ss.Gaussian()).advance(1, keep=True)


def test_constant_scalars_may_come_in_pieces():
    whole, drawn = sampler(ss.Gaussian()), sampler(ss.Gaussian(), steps=13)
    drawn.advance(27)
    assert_allclose(drawn.buffers(), whole.buffers(), rtol=1e-9)


# simulate


def simulated(noise, **change):
    arguments = {"windows": [1, 20], "trials": 6, "seed": SEED, "steps": 40, "method": "collapsed",
                 "pipelines": ["pre-polar", "polar-only"]}  # fmt: skip
    return ss.simulate(ss.SpikedModel(SHAPE, (3.0,), noise), **(arguments | change))


@pytest.mark.parametrize("noise", LAWS[:-1], ids=repr)
def test_numbers_do_not_depend_on_threads_or_on_the_range_of_trials(noise):
    data = simulated(noise, trials=100, workers=1)
    again = [simulated(noise, trials=t, workers=2) for t in (range(70), range(70, 100))]
    for name in set(data) - {"bias_squared", "variance"}:
        assert_array_equal(data[name].values, np.concatenate([x[name].values for x in again]), err_msg=name)


def test_every_observable_has_the_streams_form():
    data, stream = simulated(ss.Gaussian()), simulated(ss.Gaussian(), method="stream")
    assert {k: v.sizes for k, v in data.items()} == {k: v.sizes for k, v in stream.items()}
    assert set(data) == set(ss.observables.OBSERVABLES)
    for name, values in data.items():
        assert_array_equal(np.isnan(values), np.isnan(stream[name]), err_msg=name)
    first, second = data.alignment.sel(window=1).values.T
    assert_array_equal(first, second)
    assert_array_equal(data.suppression.sel(window=1), 1.0)


def test_attributes_name_the_method():
    data = simulated(ss.Radial(2.1))
    assert data.attrs["method"] == "collapsed"
    assert data.attrs["method_reason"].startswith("the buffers at the last step are drawn at once: the noise is Gaussian")
    assert data.attrs["joint"] == "yes: exact in law for all pipelines and windows together"
    assert simulated(ss.Gaussian(), joint=False).attrs["joint"] == "not asked for; still so"


def test_thirty_windows_to_a_million_are_drawn_in_steady_state():
    for dtype in ("float64", "float32"):
        data = simulated(ss.Gaussian(), windows=THIRTY, steps=None, trials=200, dtype=dtype, observables="noise_fro")
        assert data.attrs["steps"] == EMA(1e6).settling(1e-6)
        squares = (data.noise_fro**2).mean("trial") * (2 * data.window - 1) / 24
        assert_allclose(squares, 1, atol=5 * (2 / 24 / 200) ** 0.5)


def test_work_counts_steps_only_where_each_has_a_scalar():
    simulated(ss.Gaussian(), windows=[1e8], steps=None)
    simulated(ss.Radial(2.1), windows=[1e3], steps=None, trials=2)
    with pytest.raises(ValueError, match=r"need work <= 4e\+12 entry-steps for steady state, got work="):
        simulated(ss.Radial(2.1), windows=[1e8], steps=None, trials=100)


OTHERS = [
    ss.SignFlip(), ss.StudentT(3.0), ss.SymmetricPareto(3.0), ss.Laplace(), ss.Rademacher(), ss.AlphaStable(1.5),
    ss.Mixture(0.1, 5.0), ss.Biased(0.0), ss.Arch(0.0), ss.AR1(0.0),
]  # fmt: skip


@pytest.mark.parametrize("noise", OTHERS, ids=repr)
def test_every_other_law_is_refused_with_those_that_are_not(noise):
    named = r"\('Gaussian', 'Kronecker', 'Radial', 'Contaminated', 'ScaleMixture'\)"
    message = rf'^need noise in {named} .* for method "collapsed", got noise={type(noise).__name__}'
    with pytest.raises(ValueError, match=message):
        simulated(noise)


def test_every_law_is_taken_or_refused():
    assert {type(noise) for noise in LAWS + OTHERS} == set(ss.noise.LAWS.values())
    assert {type(noise).__name__ for noise in LAWS} == set(LAWS_NAMED)


FILTER, POLAR = ss.Filter(), ss.Polar()


@pytest.mark.parametrize(
    ("pipelines", "named"),
    [
        (["pre-polar", "post-polar"], "post-polar"),
        ("re-polarised", "re-polarised"),
        (ss.pipelines.PIPELINES, "post-polar"),
        ([ss.pipelines.Pipeline((FILTER, FILTER), "twice")], "twice"),
    ],
)
def test_pipelines_that_need_every_step_are_refused(pipelines, named):
    can = 'need pipelines that filter gradients alone, such as "pre-polar" and "polar-only", for method "collapsed"'
    with pytest.raises(ValueError, match=rf"^{can}, got pipeline='{named}'; .*method \"stream\""):
        simulated(ss.Gaussian(), pipelines=pipelines)


def test_pipelines_that_filter_gradients_alone_are_taken():
    alone = [ss.pipelines.Pipeline(s) for s in ((FILTER,), (FILTER, POLAR, POLAR), (ss.pipelines.Polar(1),))]
    assert simulated(ss.Gaussian(), pipelines=alone, observables="cosine").cosine.shape == (6, 3, 2)
