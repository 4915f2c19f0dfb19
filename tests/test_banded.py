"""Method "banded" (L2 to L4): each number against a dense SVD of the same band matrix, where draws lie, what it refuses.

Oracles: numpy's SVD of the matrix written out; observables.py on it; degrees of freedom counted; EMA.weights.
"""

import importlib

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import spikesim as ss
from spikesim import observables as obs
from spikesim import rng
from spikesim.filters import EMA
from spikesim.measure import noise_norms
from spikesim.pipelines import Pipeline, pipelines_from
from spikesim.samplers import corner as corner_module
from spikesim.samplers import leading as leading_module
from spikesim.samplers.band import Band, heads
from spikesim.samplers.banded import Banded, unit
from spikesim.samplers.banded_scope import can, readable
from spikesim.samplers.corner import LOWEST, corner, lowest
from spikesim.samplers.leading import DENSE, leading

design_module = importlib.import_module("spikesim.design")
SHAPES = [(4, 4), (4, 5), (5, 5), (6, 9), (12, 30), (20, 20), (20, 21), (20, 23), (20, 24), (70, 70), (70, 72), (70, 200)]
RANKS = [1, 2, 3, 4]
ONE = ["pre-polar", "polar-only"]


def drawn(shape, rank, seed=0, spikes=None, s=1.0):
    """A band with spikes, m <= n; amplitudes from below the edge to well above it where not given."""
    z = unit(np.random.default_rng(seed), np.random.default_rng(seed + 10**6), shape, rank)
    entries = s * z.entries
    edge = np.sqrt(shape[0]) + np.sqrt(shape[1])
    entries[np.arange(rank), rank] += spikes if spikes is not None else np.array([-2.0, 0.3, 1.1, 1.1])[:rank] * edge
    return Band(entries, z.columns)


def written(band):
    """The matrix entry by entry."""
    r, out = band.rank, np.zeros((band.rows, band.columns))
    for i in range(band.rows):
        for c in range(2 * r + 1):
            if 0 <= i + c - r < band.columns:
                out[i, i + c - r] = band.entries[i, c]
            else:
                assert band.entries[i, c] == 0
    return out


def polar(a):
    u, d, vt = np.linalg.svd(a, full_matrices=False)
    keep = d > 1e-14 * d[0]
    return u[:, keep] @ vt[keep]


# The corner of the polar factor


@pytest.mark.parametrize("rank", RANKS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_corner_is_that_of_a_dense_polar_factor(shape, rank):
    for seed in range(5):
        band = drawn(shape, rank, seed)
        found = corner(band)
        assert_allclose(found.values, polar(written(band))[:rank, :rank], rtol=0, atol=2e-12)
        assert found.residual < 1e-10


@pytest.mark.parametrize("rank", RANKS)
@pytest.mark.parametrize("shape", [(40, 40), (40, 41), (40, 60)], ids=str)
@pytest.mark.parametrize("small", [1e-3, 1e-5, 1e-7])
def test_nearly_singular_matrices_are_as_exact_as_their_condition_allows(shape, rank, small):
    for where in (rank, 20, 39):
        band = drawn(shape, rank, where)
        band.entries[where] *= small
        found, condition = corner(band), 1 / small
        assert_allclose(found.values, polar(written(band))[:rank, :rank], rtol=0, atol=2e-12 + 1e-15 * condition)


@pytest.mark.parametrize("rank", RANKS)
def test_of_a_singular_matrix_it_is_a_partial_isometrys(rank):
    band = drawn((30, 30), rank)
    band.entries[17] = 0
    assert lowest(band.divided(band.bound)) == LOWEST
    assert_allclose(corner(band).values, polar(written(band))[:rank, :rank], rtol=0, atol=1e-11)


@pytest.mark.parametrize("rank", RANKS)
@pytest.mark.parametrize("shape", [(4, 4), (30, 30), (30, 31)], ids=str)
def test_a_pivot_that_happens_to_be_singular_does_no_harm(shape, rank):
    for tiny in (0.0, 1e-12, 1e-8, 1e-5):
        band = drawn(shape, rank)
        band.entries[-1, rank + shape[1] - shape[0] if rank > 1 else rank] = tiny
        band.entries[-2] *= 0.0 if shape == (30, 30) else 1.0  # nodes reach down to 1e-12 then
        found = corner(band)
        assert_allclose(found.values, polar(written(band))[:rank, :rank], rtol=0, atol=1e-11)
        assert found.residual <= 1e-10


def test_a_large_band_says_that_rounding_may_have_grown():
    band = drawn((600, 600), 2)
    assert corner(band).residual < 1e-10
    band.entries[300] = 0
    assert corner(band).residual > 1e-6


@pytest.mark.parametrize("unit_", [1e-100, 1e100])
def test_the_corner_has_no_unit(unit_):
    band = drawn((20, 25), 2)
    assert_allclose(corner(Band(unit_ * band.entries, band.columns)).values, corner(band).values, rtol=1e-12)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_lower_bound_is_below_every_singular_value(shape):
    for seed in range(20):
        band = drawn(shape, 2, seed)
        least = np.linalg.svd(written(band), compute_uv=False)[-1] / band.bound
        found = lowest(band.divided(band.bound))
        assert found <= least
        assert found > 0.05 * least  # the next candidate would not do


def test_fewer_nodes_for_better_conditioned_matrices(monkeypatch):
    counts, true = [], corner_module.nodes
    monkeypatch.setattr(corner_module, "nodes", lambda low: counts.append(len(true(low)[0])) or true(low))
    for shape in ((60, 600), (60, 60)):
        corner(drawn(shape, 1))
    assert counts[0] <= 12
    assert counts[1] >= 20


@pytest.mark.parametrize("rank", RANKS)
@pytest.mark.parametrize("shape", [(20, 20), (20, 22), (20, 40)], ids=str)
def test_inertia_counts_singular_values(shape, rank):
    band = drawn(shape, rank)
    d = np.linalg.svd(written(band), compute_uv=False)
    shifts = np.concatenate([(d[1:] + d[:-1]) / 2, [1.1 * d[0], 0.5 * d[-1]]])
    found = heads(band, -shifts, -1.0)
    above = found.positive + (np.linalg.eigvalsh(found.matrices) > 0).sum(-1)
    assert_array_equal(above, [*range(1, len(d)), 0, len(d)])


# The leading block


def assert_leads(band, shape, count, tolerance=1e-12):
    """Values, and the projectors of the top-r subspaces where they exist, against a dense SVD."""
    u, d, vt = np.linalg.svd(written(band), full_matrices=False)
    found, r = leading(band, shape, count), band.rank
    assert_allclose(found.d, d[:count], rtol=0, atol=tolerance * d[0])
    gap = d[r - 1] - (d[r] if len(d) > r else 0)
    left, right = (np.zeros((max(len(x), len(found.u)), 2, r)) for x in (u, vt.T))  # theirs and ours, filled up with zeros
    for both, theirs, ours in ((left, u, found.u), (right, vt.T, found.v)):
        both[: len(theirs), 0], both[: len(ours), 1] = theirs[:, :r], ours[:, :r]
    for x, y in ((left, left), (right, right), (left, right)):
        assert_allclose(x[:, 1] @ y[:, 1].T, x[:, 0] @ y[:, 0].T, rtol=0, atol=10 * tolerance * d[0] / gap)


@pytest.mark.parametrize("rank", RANKS)
@pytest.mark.parametrize("shape", [*SHAPES, (300, 300), (300, 302), (300, 900)], ids=str)
def test_leading_values_and_vectors_are_those_of_a_dense_svd(monkeypatch, shape, rank):
    if shape[0] > DENSE:
        monkeypatch.setattr(leading_module, "_dense", None)  # not taken
    count = min(rank + 1, shape[0])
    for seed in range(3):
        assert_leads(drawn(shape, rank, seed), shape, count)


@pytest.mark.parametrize(
    "spikes",
    [(60.0, 60.0), (60.0, -60.0), (1e-3, 2e-3), (1e7, 50.0), (1e7, -1e7), (1e12, 1e12), (34.6, 34.6)],
    ids=str,
)
def test_spikes_of_any_size_and_sign_have_their_leading_values(monkeypatch, spikes):
    monkeypatch.setattr(leading_module, "_dense", None)
    shape = (150, 300)
    for seed in range(5):
        assert_leads(drawn(shape, 2, seed, spikes), shape, 3)


@pytest.mark.parametrize("count", [1, 8, 40])
def test_more_values_or_fewer(count):
    assert_leads(drawn((400, 500), 1), (400, 500), count)


def test_blocks_are_small_where_the_matrix_is_large():
    shape = (20_000, 20_000)
    assert len(leading(drawn(shape, 1), shape, 2).u) < 400


def test_a_block_that_is_too_small_grows(monkeypatch):
    monkeypatch.setattr(leading_module, "rows_needed", lambda *_: 12)
    assert_leads(drawn((300, 400), 2), (300, 400), 3)


def test_where_iteration_fails_the_block_is_decomposed_whole(monkeypatch):
    band = drawn((300, 400), 2)
    before = leading(band, (300, 400), 3)
    monkeypatch.setattr(leading_module, "NEAR", ())
    after = leading(band, (300, 400), 3)
    assert_allclose(after.d, before.d, rtol=1e-13)
    assert not np.array_equal(after.d, before.d)


def test_a_missed_value_is_seen(monkeypatch):
    """Intervals that leave out the second value: the count after them tells, and narrower ones are tried."""
    true, tried = leading_module._middles, []

    def missing(band, count, near):
        tried.append(near)
        found = true(band, count + 1, near)
        return found[[0, *range(2, count + 1)]] if len(tried) == 1 else found[:count]

    monkeypatch.setattr(leading_module, "_middles", missing)
    monkeypatch.setattr(leading_module, "ROUNDS", 2)
    band = drawn((300, 400), 2, spikes=(90.0, 60.0))
    assert_leads(band, (300, 400), 3)
    assert len(tried) == 2


# The law's band, and what is read from it


class Means:
    """Generators that draw root mean squares: 1, and half the degrees of freedom."""

    def standard_normal(self, size):
        return np.ones(size)

    def standard_gamma(self, shape):
        return shape


@pytest.mark.parametrize("rank", RANKS)
@pytest.mark.parametrize("shape", [*SHAPES, (9, 6), (30, 12), (72, 70)], ids=str)
def test_degrees_of_freedom_are_as_many_as_entries(shape, rank):
    z = unit(Means(), Means(), shape, rank)
    a = written(z)
    m, n = sorted(shape)
    assert a.shape == (m, min(n, m + rank))
    assert np.sum(a**2) == pytest.approx(m * n)
    assert_allclose(np.sum(a[:rank] ** 2, axis=1), n)  # rows and columns of the spikes are whole
    assert_allclose(np.sum(a[:, :rank] ** 2, axis=0), m)
    assert np.count_nonzero(a) == sum(min(n - 1, i + rank) - max(0, i - rank) + 1 for i in range(m))


MODELS = [
    ss.SpikedModel((12, 20), (5.0,), ss.Gaussian(0.7)),
    ss.SpikedModel((20, 12), (-5.0, 9.0), ss.Gaussian(0.7)),
    ss.SpikedModel((15, 15), (4.0, 4.0, -4.0), ss.Gaussian(0.7), "axes"),
    ss.SpikedModel((16, 17), (2.0, 8.0, 4.0, 3.0), ss.Gaussian(0.7)),
    ss.SpikedModel((4, 4), (2.0, 8.0, 4.0, 3.0), ss.Gaussian(0.7)),
    ss.SpikedModel((90, 70), (20.0, -1.0), ss.Gaussian(0.7)),
]


def sampler(model, pipelines=("pre-polar",), windows=(3.0,), steps=7, names=None, spectrum=None):
    run = pipelines_from(pipelines)
    spectrum = spectrum or min(model.rank + 1, *model.shape)
    return Banded(model, 5, [EMA(t) for t in windows], steps, run, names or readable(run), spectrum)


def placed(model, theta, s, number, kind, trial):
    """The matrix (m, n) that stands for a buffer, and its noise, u_k = v_k = e_k."""
    generators = (rng.generator(5, rng.BANDED, trial, number, kind + k) for k in (0, 2))
    a, (m, n), r = written(unit(*generators, model.shape, model.rank)), model.shape, model.rank
    noise = np.zeros((min(m, n), max(m, n)))
    noise[:, : a.shape[1]] = s * a
    noise = noise if m <= n else noise.T
    return noise + np.pad(np.diag(theta), ((0, m - r), (0, n - r))), noise


def expected(model, x, noise, theta, spectrum):
    """Every observable of one buffer from its dense SVD."""
    (m, n), r = model.shape, model.rank
    truth = obs.Truth(np.eye(m, r), np.eye(n, r), np.asarray(model.spikes))
    u, d, vt = np.linalg.svd(x, full_matrices=False)
    update, head = u @ vt, u[:, :r] @ vt[:r]
    o = obs.directions(update, truth)
    return {
        "alignment": obs.alignment(o, truth), "projection": obs.projection(o, truth),
        "alignment_truncated": obs.alignment(obs.directions(head, truth), truth),
        "cosine": obs.cosine(o, np.linalg.norm(update), truth),
        "sin_theta_left": obs.sin_theta(u[:, :r], truth.u), "sin_theta_right": obs.sin_theta(vt[:r].T, truth.v),
        "gap": obs.gap(d, r), "tail": obs.tail(d, r), "head_error": obs.head_error(d, np.abs(theta)),
        "singular_values": d[:spectrum], **{k: v for k, v in noise_norms(noise, truth).items() if k != "noise_nuclear"},
    }  # fmt: skip


@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_every_observable_is_that_of_the_dense_matrix(model):
    f, steps, spectrum = EMA(3.0), 7, min(model.rank + 2, *model.shape)
    theta, s = f.gain(steps) * np.array(model.spikes), 0.7 * f.noise_factor(steps) ** 0.5
    window = int(np.float64(3.0).view(np.uint64))
    for trial in range(4):
        found = sampler(model, spectrum=spectrum).read(trial)
        x, noise = placed(model, theta, s, window, 1, trial)
        for name, value in expected(model, x, noise, theta, spectrum).items():
            got = found.pop(name)
            assert_allclose(got[0, 0] if got.ndim > 1 else got[0], value, rtol=0, atol=1e-10, err_msg=name)
        assert found.pop("residual").item() < 1e-11
        assert not found


@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_polar_only_is_the_last_gradients(model):
    theta = np.array(model.spikes)
    found = sampler(model, ["polar-only"], (3.0, 8.0)).read(2)
    x, noise = placed(model, theta, 0.7, 6, 0, 2)
    for name, value in expected(model, x, noise, theta, min(model.rank + 1, *model.shape)).items():
        if name not in obs.NOISE:
            assert_allclose(found[name][0, 0], value, rtol=0, atol=1e-10, err_msg=name)
            assert_array_equal(found[name][0, 0], found[name][0, 1])


def test_post_polar_filters_each_gradients_numbers():
    model, windows, steps = MODELS[1], (1.0, 2.5, 40.0), 9
    found = sampler(model, ["post-polar"], windows, steps).read(0)
    assert set(found) == {
        "alignment",
        "projection",
        "alignment_truncated",
        "residual",
        "noise_fro",
        "noise_op",
        "noise_tangent",
    }
    each = [sampler(model, ["polar-only"], (1.0,), t + 1).read(0) for t in range(steps)]
    for name in ("alignment", "projection", "alignment_truncated"):
        numbers = np.array([x[name].item() for x in each])[::-1]
        assert_allclose(found[name][0], [EMA(t).weights(steps) @ numbers for t in windows], rtol=1e-13)
    assert_array_equal(found["residual"][0], np.full(3, each[-1]["residual"].item()))


@pytest.mark.parametrize(("spikes", "sigma"), [((1e100, 1e99), 1e-100), ((1e-100, -1e-99), 1e100), ((1.0, 1.0), 1e-16)])
@pytest.mark.parametrize("shape", [(20, 20), (100, 200)], ids=str)
def test_scales_as_far_apart_as_they_may_be(shape, spikes, sigma):
    found = sampler(ss.SpikedModel(shape, spikes, ss.Gaussian(sigma))).read(0)
    largest_noise = 0.446 * sigma * (shape[0] ** 0.5 + shape[1] ** 0.5)  # of the buffer, about
    assert found["noise_op"].item() == pytest.approx(largest_noise, rel=0.3)
    if spikes[0] > sigma:
        for name in ("alignment", "projection", "alignment_truncated"):
            assert found[name].item() == pytest.approx(1, abs=1e-11)
        assert found["sin_theta_left"].item() < 1e-13
        assert found["tail"].item() < 1e-13 * spikes[0]
    else:
        assert abs(found["alignment"].item()) < 0.9
        assert found["tail"].item() > 0.5 * largest_noise


def test_a_subspace_that_does_not_exist_is_nan(monkeypatch):
    model = ss.SpikedModel((12, 20), (5.0,), ss.Gaussian(0.7))
    monkeypatch.setattr(obs, "separated", lambda *_: np.False_)
    found = sampler(model).read(0)
    nan = {name for name, x in found.items() if np.isnan(x).any()}
    assert nan == {"alignment_truncated", "sin_theta_left", "sin_theta_right"}


# Places, and the whole simulation

MODEL = ss.SpikedModel((30, 40), (9.0, -7.0), ss.Gaussian())


def simulated(model=MODEL, **options):
    given = {"windows": [1, 3, 20], "trials": 12, "seed": 5, "steps": 7, "pipelines": ONE, "joint": False} | options
    return ss.simulate(model, method="banded", **given)


def test_a_number_is_a_function_of_seed_trial_and_window_alone():
    whole = simulated()
    assert whole.identical(simulated(workers=1))
    assert whole.isel(trial=slice(5, 9)).equals(simulated(trials=range(5, 9), workers=2))
    alone = simulated(windows=[3.0])
    for name in whole:
        assert_array_equal(alone[name].sel(window=3.0), whole[name].sel(window=3.0))
        some = simulated(observables=[name])
        assert_array_equal(some[name], whole[name])
    only = simulated(pipelines="polar-only")
    assert_array_equal(only.alignment.sel(pipeline="polar-only"), whole.alignment.sel(pipeline="polar-only"))
    assert not np.array_equal(whole.alignment, simulated(seed=6).alignment)


def test_windows_and_pipelines_coincide_where_they_are_one_matrix():
    data = simulated(pipelines=["pre-polar", "post-polar", "polar-only"]).sel(window=1.0)
    for name in ("alignment", "projection", "alignment_truncated"):
        for other in ("post-polar", "polar-only"):
            assert_array_equal(data[name].sel(pipeline="pre-polar"), data[name].sel(pipeline=other))


def test_draws_lie_where_documented():
    normal, gamma = (rng.generator(2**64 - 1, rng.BANDED, 2**32 - 1, 6, k) for k in (0, 2))
    z = unit(normal, gamma, (20, 50), 3)
    key = (2**64 - 1) + (rng.BANDED << 64) + ((2**32 - 1) << 96)
    again = np.random.Generator(np.random.Philox(key=key, counter=6 * 2**128)).standard_normal((20, 5))
    assert_array_equal(z.entries[2:, 1:6], again[2:])
    chi = np.random.Generator(np.random.Philox(key=key, counter=6 * 2**128 + 2 * 2**192))
    assert_array_equal(
        z.entries[4:, 0], np.sqrt(2 * chi.standard_gamma(np.stack([20 - np.arange(20), 47 - np.arange(20)], 1) / 2))[4:, 0]
    )


def test_shapes_beyond_the_entry_layout_are_for_this_method():
    model = ss.SpikedModel((2**16, 2**22), (3e3,), ss.Gaussian())
    data = simulated(model, windows=[2], trials=1, steps=None, pipelines="polar-only", observables=["alignment", "gap"])
    assert 0.5 < data.alignment.item() < 1
    with pytest.raises(ValueError, match=r"need m n <= 2\*\*33 entries .*, got shape=\(65536, 4194304\); larger: method"):
        ss.simulate(model, windows=[2], trials=1)


def test_memory_does_not_hold_a_matrix():
    import tracemalloc

    simulated(ss.SpikedModel((50, 200), (200.0, 150.0), ss.Gaussian()), windows=[2], trials=1, workers=1)  # compiles
    tracemalloc.start()
    simulated(ss.SpikedModel((5000, 20_000), (200.0, 150.0), ss.Gaussian()), windows=[2], trials=1, workers=1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100 * 8 * 5000 * 2  # 8 MB; the matrix has 800


def test_attributes_name_the_method_and_what_is_not_joint():
    attrs = simulated().attrs
    assert attrs["method"] == "banded"
    assert attrs["method_reason"].startswith("each buffer is drawn as a band matrix of the same law")
    assert attrs["joint"].startswith("no: exact in law for each buffer")


def test_a_stopped_run_does_not_finish_its_blocks(monkeypatch):
    drawn_, true = [], Banded._reading

    def counted(self, trial, buffer):
        drawn_.append(trial)
        return true(self, trial, buffer)

    def interrupt(_done, _total):
        raise KeyboardInterrupt

    monkeypatch.setattr(Banded, "_reading", counted)
    with pytest.raises(KeyboardInterrupt):
        simulated(pipelines="post-polar", trials=40, steps=200, workers=2, observables=["alignment"], progress=interrupt)
    assert len(drawn_) < 0.8 * 40 * 200


# Refusals


OTHER = [ss.SpikedModel((4, 6), (3.0,), noise) for noise in (ss.StudentT(5), ss.ScaleMixture(0.1, 3.0))]
TURNING = ss.SpikedModel((4, 6), (3.0,), ss.Gaussian(), "haar", ss.Rotating(0.1))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"joint": True},
            r'^need joint=False for method "banded", which draws each buffer for itself \(marginal laws only\), got',
        ),
        ({"dtype": "float32"}, r"""^need dtype "float64" for method "banded", got dtype='float32'"""),
        (
            {"pipelines": ss.PIPELINES},
            r"^need pipelines among .*, got pipeline='re-polarised'; every other needs matrices: method",
        ),
        ({"pipelines": [Pipeline((ss.Filter(), ss.Polar(1)))]}, r'^need pipelines among .* for method "banded", got'),
        ({"observables": "suppression"}, r"^need observables in .*, got observable='suppression'; it is of two buffers"),
        ({"observables": "variance"}, r"got observable='variance'; .* or of whole updates: method \"collapsed\""),
        ({"observables": "noise_nuclear"}, r"got observable='noise_nuclear'; it needs every singular value: method"),
        ({"observables": "gap", "pipelines": "post-polar"}, r"got observable='gap'; post-polar has no other"),
        (
            {"model": OTHER[0]},
            r'^need noise Gaussian for method "banded", got noise=StudentT.*; for other laws: method "stream"',
        ),
        ({"model": OTHER[1]}, r'^need noise Gaussian for method "banded", got noise=ScaleMixture.*, or "collapsed" where'),
        ({"model": TURNING}, r'^need signal Constant\(\) for method "banded", got signal=Rotating'),
    ],
)
def test_what_it_cannot_do_is_named_with_what_can(options, message):
    with pytest.raises(ValueError, match=message):
        simulated(**options)


def test_observables_left_out_are_all_that_every_pipeline_has():
    assert set(simulated(trials=1)) == set(obs.OBSERVABLES) - {"suppression", "bias_squared", "variance", "noise_nuclear"}
    both = set(simulated(trials=1, pipelines=["pre-polar", "post-polar"]))
    assert both == {"alignment", "projection", "alignment_truncated", "residual", "noise_fro", "noise_op", "noise_tangent"}


def test_a_design_can_be_asked_whether_it_is_in_reach():
    def of(model=MODEL, **options):
        given = {"windows": [2], "trials": 1, "observables": "alignment", "pipelines": "pre-polar"} | options
        return design_module.design_from(model, **given)[0]

    assert can(of()) == ""
    assert "re-polarised" in can(of(pipelines="re-polarised"))
    assert "noise Gaussian" in can(of(ss.SpikedModel((4, 6), (3.0,), ss.Laplace())))


def test_work_grows_with_rows_steps_and_windows():
    def work(shape=(1000, 2000), **options):
        given = {
            "windows": [2],
            "trials": 1,
            "pipelines": "pre-polar",
            "method": "banded",
            "joint": False,
            "steps": 50,
        } | options
        return design_module.design_from(ss.SpikedModel(shape, (9.0,), ss.Gaussian()), **given)[0].work

    assert work() < work((2000, 2000)) < work((100_000, 100_000))
    assert work(pipelines="post-polar", observables="alignment") > 20 * work(observables="alignment")
    assert work(windows=[2, 3]) > 1.9 * work()
