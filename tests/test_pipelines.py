"""Filter and polar step in every order: a 2 x 2 counterexample by hand, hand-written loops, other array namespaces."""

from typing import ClassVar

import array_api_strict as strict
import numpy as np
import pytest
import reference as ref

import spikesim as ss
from spikesim import pipelines as pp
from spikesim import spectrum
from spikesim.cascade import Cascade
from spikesim.devices.cpu import CPU
from spikesim.filters import EMA
from spikesim.kernels import ema
from spikesim.measure import measure
from spikesim.observables import MOMENTS, NOISE, OBSERVABLES, VALUES, Truth
from spikesim.pipelines import POLAR_ONLY, POST_POLAR, PRE_POLAR, RE_POLARISED, Pipeline, last_update
from spikesim.samplers.stream import Stream
from spikesim.spectrum import Exact
from spikesim.stages.filter import Bank, Filter
from spikesim.stages.polar import Polar

I, R = np.eye(2), np.array([[0.0, -1.0], [1.0, 0.0]])  # noqa: E741
G = np.stack([I, 3 * R])  # (step, m, n); a I + b R has polar factor (a I + b R) / hypot(a, b)
NAMED = (PRE_POLAR, POST_POLAR, POLAR_ONLY, RE_POLARISED)
WINDOWS = (1.0, 2.5, 6.0)
BANK = Bank.made(WINDOWS)
BETAS = np.array([EMA(w).beta for w in WINDOWS])


def random(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def cascade_of(pipelines, gradients, chunk=4):
    cascade = Cascade([p.stages for p in pipelines], BANK)
    steps = gradients.shape[-3]
    for start in range(0, steps, chunk):
        cascade.advance(gradients[..., start : min(start + chunk, steps), :, :])
    return cascade


# The counterexample: EMA from zero with window 2 has weights 1/4, 1/2


def test_pre_polar_weights_gradients_by_size():
    np.testing.assert_allclose(last_update(PRE_POLAR, G, window=2), (I + 6 * R) / 37**0.5, atol=1e-15)


def test_post_polar_forgets_gradient_size():
    np.testing.assert_allclose(last_update(POST_POLAR, G, window=2), I / 4 + R / 2, atol=1e-15)


def test_polar_only_forgets_the_past():
    np.testing.assert_allclose(last_update(POLAR_ONLY, G, window=2), R, atol=1e-15)


def test_re_polarised_keeps_direction_of_post_polar():
    np.testing.assert_allclose(last_update(RE_POLARISED, G, window=2), (I + 2 * R) / 5**0.5, atol=1e-15)


def test_filter_alone_is_the_momentum_buffer():
    np.testing.assert_allclose(last_update(Pipeline((Filter(),)), G, window=2), I / 4 + 1.5 * R, atol=1e-15)


# Against the reference and hand-written loops


@pytest.mark.parametrize("shape", [(4, 4), (3, 6), (5, 2), (1, 4), (1, 1)])
@pytest.mark.parametrize("window", [1, 2.5, 30])
def test_named_pipelines_equal_the_reference(shape, window):
    gradients = random(11, *shape)
    for name, expected in ref.updates(gradients, window).items():
        np.testing.assert_allclose(last_update(pp.NAMED[name], gradients, window), expected, atol=1e-13)


@pytest.mark.parametrize("shape", [(4, 4), (3, 6), (5, 2)])
def test_truncated_pipelines_equal_the_reference(shape):
    gradients = random(11, *shape)
    for name, expected in ref.truncated_updates(gradients, 2.5, rank=2).items():
        np.testing.assert_allclose(last_update(pp.NAMED[name].truncated(2), gradients, 2.5), expected, atol=1e-13)


def by_hand(stages, gradients, beta):
    """One matrix at a time: each filter keeps a buffer from zero."""
    buffers = dict.fromkeys(range(len(stages)), 0.0)
    for g in gradients:
        x = g
        for i, stage in enumerate(stages):
            if isinstance(stage, Filter):
                x = buffers[i] = beta * buffers[i] + (1 - beta) * x
            else:
                x = ref.polar(x) if stage.rank is None else ref.truncated_polar(x, stage.rank)
    return x


F, P, P1 = Filter(), Polar(), Polar(1)
CUSTOM = [(F,), (F, F), (F, P, F), (P, F, P, F), (F, P, F, P), (P1, F, P), (P, F, P1), (F, P1, F), (P, P), (P1, P, F, F)]


@pytest.mark.parametrize("stages", CUSTOM, ids=str)
def test_any_stages_equal_a_hand_written_loop(stages):
    gradients = random(10, 3, 4)
    for window, beta in zip(WINDOWS, BETAS, strict=True):
        expected = by_hand(stages, gradients, beta)
        np.testing.assert_allclose(last_update(Pipeline(stages), gradients, window), expected, atol=1e-12)


def test_cascade_runs_all_together_as_each_alone():
    gradients = random(3, 10, 3, 4)
    pipelines = [*NAMED, *map(Pipeline, CUSTOM)]
    cascade = cascade_of(pipelines, gradients)
    for pipeline in pipelines:
        together = np.broadcast_to(cascade.last(pipeline.stages), (3, len(WINDOWS), 3, 4))
        alone = np.stack([last_update(pipeline, gradients, w) for w in WINDOWS], axis=1)
        np.testing.assert_allclose(together, alone, atol=1e-14)


def test_chunks_change_no_bit():
    gradients = random(2, 10, 3, 4)
    whole, cut = (cascade_of(NAMED, gradients, chunk=c) for c in (10, 3))
    for pipeline in NAMED:
        np.testing.assert_array_equal(whole.last(pipeline.stages), cut.last(pipeline.stages))


def test_reading_on_the_way_changes_no_bit():
    gradients = random(2, 10, 3, 4)
    read = Cascade([p.stages for p in NAMED], BANK)
    for part in (gradients[:, :6], gradients[:, 6:]):
        read.advance(part)
        found = [read.last(p.stages) for p in NAMED]
    for pipeline, x in zip(NAMED, found, strict=True):
        np.testing.assert_array_equal(x, cascade_of(NAMED, gradients).last(pipeline.stages))


def test_pipelines_agree_at_window_one():
    gradients = random(7, 3, 5)
    for pipeline in NAMED:
        np.testing.assert_allclose(last_update(pipeline, gradients, window=1), ref.polar(gradients[-1]), atol=1e-14)


def test_custom_pipelines_are_measured_by_simulate():
    model = ss.SpikedModel((3, 4), (2.0, -1.0), ss.Gaussian(0.5))
    own = [Pipeline((P, F, P, F), "twice"), Pipeline((F, P, F), "smoothed")]
    data = ss.simulate(model, windows=WINDOWS, trials=2, steps=13, pipelines=["pre-polar", *own], workers=1)
    noise = Stream(model, 0, range(2), BETAS, np.dtype("float64")).advance(13, keep=True)
    left, right = model.frame(0)
    signal = (left * model.spikes) @ right.T
    for pipeline in own:
        for k, beta in enumerate(BETAS):
            updates = [by_hand(pipeline.stages, x + signal, beta) for x in noise]
            expected = [np.sum(a * signal) / 3.0 for a in updates]
            np.testing.assert_allclose(data.alignment.sel(pipeline=str(pipeline))[:, k], expected, atol=1e-12)
    assert np.all(np.isnan(data.head_error.sel(pipeline=["twice", "smoothed"])))


# One polar factor a step


class Counting(Exact):
    """Counts the stacks that were analysed."""

    calls: ClassVar = []

    def __init__(self, x):
        super().__init__(x)
        self.calls.append(x.shape)


@pytest.fixture
def polar_calls(monkeypatch):
    monkeypatch.setattr(Counting, "calls", [])
    return Counting.calls


def counted(pipelines, chunk):
    gradients = random(2, 12, 3, 4)
    cascade = Cascade([p if isinstance(p, tuple) else p.stages for p in pipelines], BANK, frame=FRAME, spectra=Counting)
    for start in range(0, 12, chunk):
        cascade.advance(gradients[:, start : start + chunk])
    return cascade


FRAME = np.eye(3, 2), np.eye(4, 2)


def test_polar_first_pipelines_share_one_analysis_a_chunk(polar_calls):
    counted([POST_POLAR, POLAR_ONLY, RE_POLARISED], chunk=4)
    assert polar_calls == [(2, 4, 1, 3, 4)] * 3


def test_truncated_twins_share_it_too(polar_calls):
    counted([*NAMED, *(p.truncated(2) for p in NAMED)], chunk=6)
    assert polar_calls.count((2, 6, 1, 3, 4)) == 2


def test_filter_first_pipelines_need_none_on_the_way(polar_calls):
    counted([PRE_POLAR, POLAR_ONLY], chunk=4)
    assert polar_calls == []


def test_what_is_read_only_is_never_made(monkeypatch, polar_calls):
    monkeypatch.setattr(Counting, "polar", lambda *_: pytest.fail("a polar factor was made"))
    monkeypatch.setattr(Counting, "directions", lambda x, *_: np.ones((*x.x.shape[:-2], 2)))
    cascade = counted([POST_POLAR.read, POST_POLAR.truncated(2).read], chunk=4)
    assert polar_calls == [(2, 4, 1, 3, 4)] * 3
    gains = [EMA(w).gain(12) for w in WINDOWS]
    np.testing.assert_allclose(cascade.last(POST_POLAR.read)[0, :, 0, 0], gains)


@pytest.mark.parametrize("stages", [(P, F), (Polar(2), F), (F, P, F), (P, F, P, F), (P, F, F), (P, F, P1, F, F)], ids=str)
def test_reading_before_the_filters_equals_reading_after(stages):
    gradients, (u, v) = random(2, 12, 3, 4), FRAME
    pipeline = Pipeline(stages)
    cascade = Cascade([pipeline.stages, pipeline.read], BANK, frame=FRAME)
    for part in (gradients[:, :5], gradients[:, 5:]):
        cascade.advance(part)
    after = np.sum(u * (cascade.last(stages) @ v), axis=-2)
    np.testing.assert_allclose(cascade.last(pipeline.read)[..., 0], after, atol=1e-14)


@pytest.mark.parametrize("stages", [(P,), (F,), (F, P), (P, F, P)], ids=str)
def test_what_ends_in_its_polar_step_is_read_from_that(stages):
    assert Pipeline(stages).read is None


def test_simulate_analyses_each_chunk_once(monkeypatch):
    monkeypatch.setattr(CPU, "chunk_bytes", 1)  # 8 steps
    seen = []
    monkeypatch.setattr(spectrum, "_means", lambda x, *a, real=spectrum._means, **k: seen.append(x.shape) or real(x, *a, **k))
    model = ss.SpikedModel((3, 4), (2.0,), ss.Gaussian())
    ss.simulate(model, windows=WINDOWS, trials=1, steps=24, workers=1, observables=["alignment"])
    assert seen.count((8, 3, 4)) == 3


# Any array namespace


def to_strict(x):
    return strict.asarray(x)


def measured(convert, names, rank=2, shape=(4, 5), steps=9):
    gradients = random(3, steps, *shape)
    left, right = (np.linalg.qr(random(k, rank, seed=k))[0] for k in shape)
    truth = Truth(convert(left), convert(right), convert(np.array([3.0, -1.0])[:rank]))
    pipelines = (*NAMED, Pipeline((P, F, P, F)), Pipeline((F,)))
    run = (*pipelines, *(t for t in (p.truncated(rank) for p in pipelines) if t is not None))
    cascade = cascade_of(run, convert(gradients))
    noise = convert(np.stack([[ref.ema(x, w) for w in WINDOWS] for x in random(3, steps, *shape, seed=1)]))
    gains = np.array([EMA(w).gain(steps) for w in WINDOWS])
    amplitudes = {(F,): convert(gains[:, None] * np.array([3.0, 1.0])[:rank])}
    result = measure(pipelines, names, min(shape), cascade, truth, amplitudes, noise)
    return result.values | ({} if result.deviations is None else {"deviations": result.deviations})


@pytest.mark.parametrize("shape", [(4, 5), (5, 2), (3, 3)])
@pytest.mark.parametrize("names", [OBSERVABLES, (*VALUES, *NOISE)], ids=["all", "no vectors"])
def test_measure_on_array_api_strict_equals_numpy(names, shape):
    plain, other = (measured(convert, names, shape=shape) for convert in (np.asarray, to_strict))
    asked = {"deviations"} if set(names) & set(MOMENTS) else set()
    assert set(plain) == set(other) == ({*names} | asked) - {*MOMENTS}
    for name, values in plain.items():
        np.testing.assert_allclose(np.asarray(other[name]), values, rtol=1e-12, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("stages", [(F, P), (P, F), (P, F, P), (F, P, F), (P1, F)], ids=str)
def test_last_update_on_array_api_strict_equals_numpy(stages):
    gradients = random(2, 8, 3, 4)
    other = last_update(Pipeline(stages), to_strict(gradients), 2.5)
    assert type(other) is type(to_strict(gradients))
    np.testing.assert_allclose(np.asarray(other), last_update(Pipeline(stages), gradients, 2.5), atol=1e-13)


# Compiled kernel


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("entries", [(1, 1), (3, 5), (37, 41)])
def test_compiled_sums_equal_the_portable_ones_bitwise(dtype, entries):
    sums, x = random(2, 3, *entries).astype(dtype), random(2, 6, 1, *entries, seed=1).astype(dtype)
    betas = BETAS.astype(dtype)
    expected = ema.portable(sums.copy(), x, betas)
    assert ema.accumulate(sums, x, betas).tobytes() == expected.tobytes()


def test_one_input_a_window_is_summed_window_by_window():
    sums, x = random(2, 3, 3, 5), random(2, 6, 3, 3, 5, seed=1)
    together = ema.accumulate(sums.copy(), x, BETAS)
    alone = [ema.accumulate(sums[:, [k]].copy(), x[:, :, [k]], BETAS[[k]])[:, 0] for k in range(3)]
    np.testing.assert_array_equal(together, np.stack(alone, axis=1))


# Names and refusals


def test_names_are_those_of_the_theory():
    assert ss.PIPELINES == ("pre-polar", "post-polar", "polar-only", "re-polarised")
    assert {p.name: p.stages for p in NAMED} == {
        "pre-polar": (F, P), "post-polar": (P, F), "polar-only": (P,), "re-polarised": (P, F, P)
    }  # fmt: skip


def test_equal_stages_and_names_are_equal_pipelines():
    assert Pipeline([F, P], "pre-polar") == PRE_POLAR
    assert len({Pipeline((F, P), "pre-polar"), PRE_POLAR}) == 1
    assert str(Pipeline((F, P1))) == "Filter() -> Polar(1)"


@pytest.mark.parametrize("stages", [(), (Filter,), ("polar",), (F, None)])
def test_other_stages_are_refused(stages):
    with pytest.raises(ValueError, match=r"^need stages such as Filter\(\) and Polar\(\), got stages="):
        Pipeline(stages)


@pytest.mark.parametrize("rank", [0, -1, 1.5, True])
def test_truncation_to_no_whole_rank_is_refused(rank):
    with pytest.raises(ValueError, match=r"^need .+, got rank="):
        Polar(rank)


def test_gradients_without_a_time_axis_are_refused():
    with pytest.raises(ValueError, match=r"^need gradients.shape == \(..., steps, m, n\), steps >= 1, got .*shape=\(2, 2\)"):
        last_update(PRE_POLAR, I, window=2)


@pytest.mark.parametrize("window", [0.5, np.nan, np.inf])
def test_windows_below_one_are_refused(window):
    with pytest.raises(ValueError, match=r"^need 1 <= T <= 1e.*, got window="):
        last_update(PRE_POLAR, G, window=window)
