"""The controller: its estimates and windows against a slow reference, and what must not change or must follow."""

import array_api_strict as strict
import numpy as np
import pytest
import slow_controller as slow

import spikesim as ss
from spikesim.filters import Schedule
from spikesim.pipelines import Pipeline, last_update
from spikesim.samplers.stream import Stream
from spikesim.stages.control import Controller, chosen_windows, estimated

SMALL = Controller(1, 30.0, 100.0, 7)


def stream(steps, omega=0.0, size=3.0, sigma=1.0, shape=(5, 7), before=(), seed=0):
    """Turning signal in noise, (..., steps, m, n)."""
    noise = sigma * np.random.default_rng(seed).standard_normal((*before, steps, *shape))
    angle = omega * np.arange(steps)
    noise[..., 0, 0] += size * np.cos(angle)
    noise[..., 1, 0] += size * np.sin(angle)
    return noise


@pytest.mark.parametrize("omega", [0.0, 0.05, np.pi])
def test_windows_and_estimates_are_those_of_the_reference(omega):
    g = stream(90, omega)
    expected = slow.windows(list(g), 1, 30.0, 100.0, 7)
    assert len(set(expected)) > 5  # they vary
    np.testing.assert_allclose(chosen_windows(SMALL, g), expected, rtol=1e-9)
    found, (signal, noise, chances) = estimated(SMALL, g), slow.motion(list(g), 100.0)
    np.testing.assert_allclose([found.signal, found.noise], [signal, noise], rtol=1e-9)
    np.testing.assert_allclose(found.chances, chances, atol=1e-9)
    np.testing.assert_allclose(found.drift, chances @ slow.ANGLES)


@pytest.mark.parametrize("rank", [1, 3])
def test_rank_counts_as_so_many_equal_spikes(rank):
    g = stream(60, 0.1)
    np.testing.assert_allclose(
        chosen_windows(Controller(rank, 30.0, 100.0, 7), g), slow.windows(list(g), rank, 30.0, 100.0, 7)
    )


def test_its_update_is_that_of_the_schedule_it_chose():
    g = stream(90, 0.05, before=(3,))
    windows = chosen_windows(SMALL, g)
    found = last_update(Pipeline((SMALL,)), g, 5.0)
    for own, each, update in zip(windows, g, found, strict=True):
        schedule = Schedule(own[-1], tuple(1 - 1 / own))
        memory = schedule.memory()
        for x in each:
            memory.push(x)
        np.testing.assert_allclose(update, memory.output(), rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(update, np.tensordot(schedule.weights(90), each[::-1], 1), rtol=1e-12, atol=1e-12)
        assert schedule.gain(90) == pytest.approx(1)
    assert not np.allclose(windows[0], windows[1])  # each stream has its own


def test_every_matrix_of_a_stack_is_alone_bit_by_bit():
    g = stream(90, 0.05, before=(2, 3))
    windows, updates = chosen_windows(SMALL, g), last_update(Pipeline((SMALL,)), g, 5.0)
    for i, j in np.ndindex(2, 3):
        np.testing.assert_array_equal(windows[i, j], chosen_windows(SMALL, g[i, j]))
        np.testing.assert_array_equal(updates[i, j], last_update(Pipeline((SMALL,)), g[i, j], 5.0))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_other_namespaces_and_types_choose_the_same(dtype):
    g = stream(90, 0.05, before=(2,)).astype(dtype)
    found = chosen_windows(SMALL, strict.asarray(g))
    assert str(found.dtype).endswith("float64")
    np.testing.assert_allclose(np.asarray(found), chosen_windows(SMALL, g), rtol=1e-9)
    assert last_update(Pipeline((SMALL,)), g, 5.0).dtype == dtype


def test_scale_and_frames_do_not_matter():
    g = stream(90, 0.05)
    u, v = (np.linalg.qr(np.random.default_rng(k).standard_normal((k, k)))[0] for k in (5, 7))
    expected = chosen_windows(SMALL, g)
    np.testing.assert_allclose(chosen_windows(SMALL, 1e-5 * u @ g @ v), expected)
    np.testing.assert_allclose(chosen_windows(SMALL, 1024 * g), expected)


def test_without_drift_its_window_grows_to_the_most():
    windows = chosen_windows(Controller(1, 60.0), stream(1500, before=(4,)))
    np.testing.assert_array_equal(windows[:, :10], np.broadcast_to(np.arange(10) + 1.0, (4, 10)))  # the mean of all so far
    np.testing.assert_allclose(windows[:, -1], 60)


def test_the_faster_the_drift_the_shorter_the_window():
    ends = [chosen_windows(Controller(1), stream(1500, omega))[-1] for omega in (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)]
    assert ends == sorted(ends, reverse=True)
    assert ends[0] > 20 * ends[-1]


def test_alternating_signs_are_not_averaged():
    g = stream(200, np.pi, size=30.0)
    np.testing.assert_allclose(chosen_windows(Controller(1), g)[50:], 1)


@pytest.mark.parametrize("g", [stream(300, size=0.0), np.zeros((300, 3, 4)), stream(300, sigma=0.0)])
def test_noise_alone_signal_alone_and_nothing_give_windows_in_range(g):
    windows = chosen_windows(Controller(1, 50.0), g)
    assert np.all((windows >= 1) & (windows <= 50))
    assert np.all(np.isfinite(last_update(Pipeline((Controller(1, 50.0),)), g, 5.0)))


def test_windows_rise_by_one_step_a_step_at_most():
    g = np.concatenate([stream(500, 0.3), stream(500, 0.0, seed=1)])
    windows = chosen_windows(Controller(1, 100.0, 200.0), g)
    assert np.max(np.diff(windows)) <= 1 + 1e-12
    assert windows[499] < 5 < 15 < windows[-1]


def test_a_run_has_the_windows_of_its_last_step():
    model = ss.SpikedModel((5, 7), (4.0,), ss.Gaussian(), signal=ss.Rotating(0.05))
    asked = {"windows": [3.0, 9.0], "trials": 3, "observables": ["alignment", "chosen_window"]}
    data = ss.simulate(model, pipelines=["pre-polar", f"{SMALL!r} -> Polar()"], steps=88, **asked)
    noise = Stream(model, 0, range(3), np.zeros(0), np.dtype("float64")).advance(88, keep=True)
    frames = [model.frame(0, t) for t in range(88)]
    signals = np.stack([4.0 * u @ v.T for u, v in frames])
    expected = chosen_windows(SMALL, noise + signals)[:, -1]
    found = data.chosen_window.values
    assert np.all(np.isnan(found[:, 0]))
    np.testing.assert_allclose(found[:, 1], np.stack([expected, expected], axis=1))
    alone = ss.simulate(model, pipelines=[f"{SMALL!r} -> Polar()"], steps=88, **asked | {"trials": range(2, 3)})
    np.testing.assert_array_equal(alone.alignment.values[0, 0], data.alignment.values[2, 1])
    assert "chosen_window" not in ss.simulate(model, windows=[3.0], trials=2, steps=5)


@pytest.mark.parametrize("function", [chosen_windows, estimated])
def test_what_is_no_stream_is_refused(function):
    with pytest.raises(ValueError, match=r"need .*\(\.\.\., steps, m, n\)"):
        function(SMALL, np.zeros((5, 7)))


def test_a_rank_that_the_stream_cannot_have_is_refused():
    with pytest.raises(ValueError, match="rank <= min"):
        chosen_windows(Controller(6), np.zeros((3, 5, 7)))
