"""Method "scalars": the same scalars as the stream's, the exact weights, one chi-square a trial, and what it refuses.

Oracle: Q = sum_k w_k^2 rho_{t-k}^2 written out with the law's own step factors and EMA.weights.
"""

import importlib
from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import spikesim as ss
from spikesim import rng
from spikesim.filters import EMA
from spikesim.kernels.scalars import BLOCK, STEPS
from spikesim.samplers.scalars import Scalars

module = importlib.import_module("spikesim.simulate")  # the package attribute of that name is the function
SEED, TRIAL, SHAPE = 5, 3, (4, 6)
FILTERS = [EMA(t) for t in (1, 1.5, 20, 1000, 1e4)]
LAWS = [
    ss.Gaussian(2.0), ss.Radial(2.1, 2.0), ss.Radial(30.0), ss.Contaminated(0.3, 7.0, 2.0), ss.Contaminated(1e-5, 1e3),
    ss.ScaleMixture(0.5, 7.0, 2.0),
]  # fmt: skip
DRAWN = [noise for noise in LAWS if noise.scalars != "constant"]
SMALL = np.flatnonzero(rng.words(SEED, rng.SCALARS, TRIAL, np.arange(1 << 16), 0) < rng.SMALL_WORD)


def sampler(noise, trials=(TRIAL,), shape=SHAPE, seed=SEED):
    return Scalars(ss.SpikedModel(shape, (3.0,), noise), seed, trials, FILTERS)


def squares(noise, steps, trials=(TRIAL,)):
    drawn = sampler(noise, trials)
    drawn.advance(steps)
    return drawn.squares()


def explicit(rho, steps):
    return np.array([np.sum(f.weights(steps) ** 2 * rho[::-1] ** 2) for f in FILTERS])


@pytest.mark.parametrize("steps", [1, 2, 7, 8, BLOCK - 1, BLOCK + 1, 5 * BLOCK + 12, SMALL[0] + 3])
@pytest.mark.parametrize("noise", LAWS, ids=repr)
def test_squares_are_the_weighted_sums_of_the_streams_scalars(noise, steps):
    rho = noise.step_factors(SEED, TRIAL, np.arange(steps))
    assert_allclose(squares(noise, steps)[0], explicit(np.ones(steps) if rho is None else rho, steps), rtol=1e-12)


def test_small_words_have_their_further_bits():
    steps, noise = SMALL[0] + 3, ss.Radial(2.1)
    u = (rng.words(SEED, rng.SCALARS, TRIAL, np.arange(steps), 0) + 0.5) * 2.0**-32
    coarse = explicit((0.1 / 2.1) ** 0.5 * u ** (-1 / 2.1), steps)
    assert np.all(np.abs(squares(noise, steps)[0] / coarse - 1)[2:] > 1e-9)


def test_the_smallest_uniforms_are_within_the_table():
    """A word of 0 with further bits 0, and one of 2^32 - 1."""
    from spikesim.kernels.scalars import SQUARES, prepared

    for alpha in (2.000001, 2.5, 1e3, 1e100):
        least = (0.5 * 2.0**-64) * 2.0**-32
        u = np.concatenate([[least, 1 - 2.0**-33, 0.5, 0.25], np.geomspace(least, 1 - 2.0**-33, BLOCK - 4)])
        square = np.empty(BLOCK)
        SQUARES["pareto"][0](u.copy(), square, prepared("pareto", (alpha,)))
        assert_allclose(square, (alpha - 2) / alpha * u ** (-2 / alpha), rtol=3e-14)


@pytest.mark.parametrize("noise", DRAWN, ids=repr)
def test_bits_do_not_depend_on_how_steps_are_cut(noise):
    def run(*ends):
        drawn = sampler(noise)
        for a, b in pairwise((0, *ends)):
            drawn.advance(b - a)
        return drawn.norms().tobytes()

    last = 2 * BLOCK + 3
    assert run(last) == run(STEPS, last) == run(STEPS, BLOCK, BLOCK + 5 * STEPS, last)
    assert run(last) != run(last + 1)


def test_nothing_follows_a_broken_group_of_steps():
    drawn = sampler(ss.Radial(3.0))
    drawn.advance(STEPS + 1)
    with pytest.raises(ValueError, match=f"need nothing after steps that are no multiple of {STEPS}, got step={STEPS + 1}"):
        drawn.advance(STEPS)


@pytest.mark.parametrize("noise", LAWS, ids=repr)
def test_a_trial_does_not_depend_on_its_block(noise):
    trials = (7, TRIAL, 2**32 - 1)
    together, alone = sampler(noise, trials), [sampler(noise, (trial,)) for trial in trials]
    for drawn in (together, *alone):
        drawn.advance(100)
    assert_array_equal(together.norms(), np.concatenate([drawn.norms() for drawn in alone]))
    assert len(np.unique(together.norms()[:, 0])) == 3


@pytest.mark.parametrize("noise", LAWS, ids=repr)
def test_norms_are_sigma_times_the_root_of_squares_and_one_chi_square(noise):
    drawn = sampler(noise, (TRIAL, 2**32 - 1), seed=2**64 - 1)
    drawn.advance(100)
    for trial, norms, q in zip(drawn.trials, drawn.norms(), drawn.squares(), strict=True):
        key = (2**64 - 1) + (rng.COLLAPSED << 64) + (trial << 96)
        chi_square = np.random.Generator(np.random.Philox(key=key)).chisquare(24)
        assert_allclose(norms, noise.sigma * np.sqrt(q * chi_square), rtol=1e-14)


# simulate


def simulated(noise, **change):
    arguments = {"windows": [1, 20], "trials": 8, "seed": SEED, "steps": 40, "method": "scalars", "joint": False}
    return ss.simulate(ss.SpikedModel(SHAPE, (3.0,), noise), **(arguments | change))


@pytest.mark.parametrize("noise", LAWS, ids=repr)
def test_numbers_do_not_depend_on_threads_or_on_the_range_of_trials(noise):
    data = simulated(noise, trials=200, workers=1)
    again = [simulated(noise, trials=t, workers=2) for t in (range(70), range(70, 200))]
    assert data.noise_fro.dims == ("trial", "window")
    assert_array_equal(data.noise_fro.values, np.concatenate([x.noise_fro.values for x in again]))


def test_steady_state_is_as_long_as_the_streams():
    data = simulated(ss.Radial(2.1), steps=None)
    assert data.attrs["steps"] == EMA(20).settling(1e-6)
    assert_array_equal(data.noise_fro, simulated(ss.Radial(2.1), steps=EMA(20).settling(1e-6)).noise_fro)
    assert np.all(data.noise_fro.values[:, 1] != simulated(ss.Radial(2.1)).noise_fro.values[:, 1])


def test_attributes_name_the_method_and_what_is_not_joint():
    data = simulated(ss.Radial(2.1))
    assert list(data) == ["noise_fro"]
    assert data.attrs["method"] == "scalars"
    assert data.attrs["method_reason"] == "norms alone, with no matrix: the noise is Gaussian given one scalar a step"
    assert data.attrs["joint"].startswith("no: exact in law for each window; ")
    assert simulated(ss.Radial(2.1), method="auto").attrs["method"] == "stream"


def test_large_steps_are_the_streams():
    """At 24 x 24 the norm is its scalars' to a few per cent, and windows of several trials differ by much more."""
    model = ss.SpikedModel((24, 24), (3.0,), ss.Radial(2.1))
    run = {"windows": [1, 5, 20], "trials": 100, "steps": 60}
    scalars = ss.simulate(model, seed=SEED, method="scalars", joint=False, **run).noise_fro
    for seed, alike in ((SEED, True), (SEED + 1, False)):
        stream = ss.simulate(model, seed=seed, pipelines=["pre-polar"], observables="noise_fro", **run).noise_fro
        assert bool(np.all(np.std(np.log(stream / scalars), axis=0) < 0.07)) == alike


def test_work_counts_steps_of_scalars_and_nothing_of_the_matrix():
    simulated(ss.Gaussian(), windows=[1e8], steps=None)  # one scalar a trial: no work at all
    simulated(ss.Radial(2.1), windows=[1e4], steps=None, trials=2)
    with pytest.raises(ValueError, match=r"need work <= 4e\+12 entry-steps for steady state, got work="):
        simulated(ss.Radial(2.1), windows=[1e8], steps=None, trials=10_000)


LAWS_NAMED = r"\('Gaussian', 'Radial', 'Contaminated', 'ScaleMixture'\)"
OTHERS = [
    ss.Kronecker((1,) * 4, (1,) * 6), ss.SignFlip(), ss.StudentT(3.0), ss.SymmetricPareto(3.0), ss.Laplace(), ss.Rademacher(),
    ss.Mixture(0.1, 5.0), ss.AlphaStable(1.5), ss.Biased(0.0), ss.Arch(0.0), ss.AR1(0.0),
]  # fmt: skip


@pytest.mark.parametrize("noise", OTHERS, ids=repr)
def test_every_other_law_is_refused_with_those_that_are_not(noise):
    with pytest.raises(
        ValueError, match=rf'^need noise in {LAWS_NAMED} .* for method "scalars", got noise={type(noise).__name__}'
    ):
        simulated(noise)


def test_every_law_is_taken_or_refused():
    assert {type(noise) for noise in LAWS + OTHERS} == set(ss.noise.LAWS.values())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"joint": True}, 'need joint=False for method "scalars", which is exact for each window by itself, got joint=True'),
        ({"observables": "tail"}, r"""need observables \("noise_fro",\) .*, got observables=\('tail',\)"""),
        ({"observables": ["noise_fro", "noise_op"]}, r"got observables=\('noise_fro', 'noise_op'\)"),
        ({"dtype": "float32"}, """need dtype "float64" for method "scalars", got dtype='float32'"""),
        (
            {"method": "scalar"},
            r"""need method in \('auto', 'stream', 'scalars', 'collapsed', 'banded'\), got method='scalar'""",
        ),
    ],
)
def test_what_needs_a_matrix_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        simulated(ss.Radial(2.1), **change)
