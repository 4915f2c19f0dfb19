"""Every law of a signal against the same written out step by step, with dense SVDs of every buffer."""

import math

import numpy as np
import pytest
from path import expected, path, signs

import spikesim as ss
from spikesim.signal import SIGNALS, amplitudes, mixed, products, stepped

LAWS = [
    ss.Oscillating(7.3, 0.6),
    ss.Oscillating(5.0, 2.5, phase=0.2),
    ss.Oscillating(9.0, 0.9, phase=-0.35, motion=ss.Rotating(0.3, both=True)),
    ss.Alternating(),
    ss.Alternating(every=3, mean=-0.4),
    ss.Alternating(every=2, mean=0.3, kept=1, motion=ss.Rotating(-0.2)),
    ss.Alternating(motion=ss.Oscillating(6.0, 0.5, phase=0.1)),
    ss.Switch(11),
    ss.Switch(11, "u"),
    ss.Switch(14, "sign"),
    ss.Oscillating(4.5, 0.5, 0.25, motion=ss.Switch(12, "u")),
    ss.Fading(0.7),
    ss.Fading(0.4, motion=ss.Alternating(every=4, kept=1)),
]
CONSTANT_OR_TURNING = [ss.Constant(), ss.Rotating(0.3), ss.Rotating(0.3, both=True)]
SHAPE, SPIKES, STEPS = (6, 5), (3.0, -1.6), 19


def model(signal, **changes):
    return ss.SpikedModel(**({"shape": SHAPE, "spikes": SPIKES, "noise": ss.Gaussian(0.4), "signal": signal} | changes))


@pytest.mark.parametrize("signal", [*CONSTANT_OR_TURNING, *LAWS], ids=str)
def test_every_step_is_the_formula_and_the_last_one_is_the_truth(signal):
    one = model(signal)
    parts = products(*one.frames(2), np.array(SPIKES), signal.shares(2))
    signals, spikes, left, right = path(one, 2, STEPS)
    for first, after in ((0, STEPS), (5, 9), (STEPS - 1, STEPS)):
        found = np.broadcast_to(stepped(signal, parts, first, after), (after - first, *SHAPE))
        np.testing.assert_allclose(found, signals[first:after], atol=1e-13)
    np.testing.assert_allclose(one.amplitudes(STEPS - 1), spikes, atol=1e-13)
    for found, expected_frame in zip(one.frame(2, STEPS - 1), (left, right), strict=True):
        np.testing.assert_allclose(found, expected_frame, atol=1e-14)


@pytest.mark.parametrize("window", [1, 3.5, 40])
@pytest.mark.parametrize("signal", LAWS, ids=str)
def test_a_buffer_of_the_signal_alone_is_its_recurrence_and_c_sig_is_read_off_it(signal, window):
    one, beta = model(signal), 1 - 1 / window
    buffer = np.zeros(SHAPE)
    for now in path(one, 2, STEPS)[0]:
        buffer = beta * buffer + (1 - beta) * now
    average = signal.averaged(ss.EMA(window), STEPS)
    parts = products(*one.frames(2), np.array(SPIKES), signal.shares(2))
    np.testing.assert_allclose(mixed(average, parts), buffer, atol=1e-13)
    values = np.linalg.svdvals(buffer)
    np.testing.assert_allclose(amplitudes(average[None], np.array(SPIKES), signal.shares(2))[0], values[:2], atol=1e-13)
    for k, spike in enumerate(SPIKES):  # each spike by itself: the largest singular value of its part
        alone = np.zeros(SHAPE)
        single = model(signal, spikes=tuple(x if j == k else 1e-90 for j, x in enumerate(SPIKES)))
        for now in path(single, 2, STEPS)[0]:
            alone = beta * alone + (1 - beta) * now
        found = one.persistence(ss.EMA(window), STEPS)[k]
        assert found == pytest.approx(np.linalg.svdvals(alone)[0] / abs(spike), abs=1e-13)


@pytest.mark.parametrize("signal", LAWS, ids=str)
def test_every_observable_is_that_of_dense_decompositions(signal):
    windows, trials = (1, 2, 7.5), range(1, 3)
    data = ss.simulate(model(signal), windows=windows, trials=trials, seed=5, steps=STEPS, spectrum=5, workers=1)
    for name, values in expected(model(signal), windows, trials, 5, STEPS).items():
        np.testing.assert_allclose(data[name].values, values, rtol=1e-9, atol=1e-9, err_msg=name)


@pytest.mark.parametrize("signal", LAWS, ids=str)
def test_collapsed_holds_the_same_signal(signal):
    """Almost no noise, two windows: both methods read the signal's own numbers."""
    options = {"windows": [1.5, 6], "trials": 1, "steps": 17, "pipelines": ["pre-polar", "polar-only"]}
    quiet = model(signal, noise=ss.Gaussian(1e-9))
    names = ["alignment_truncated", "projection", "head_error", "singular_values", "cosine"]
    stream, collapsed = (
        ss.simulate(quiet, **options, observables=names, method=method) for method in ("stream", "collapsed")
    )
    for name in ("alignment_truncated", "head_error", "singular_values"):
        np.testing.assert_allclose(stream[name], collapsed[name], atol=1e-6, err_msg=name)


@pytest.mark.parametrize("signal", LAWS, ids=str)
def test_float32_agrees_and_blocks_and_chunks_do_not_matter(signal, monkeypatch):
    from spikesim.devices.cpu import CPU

    options = {"windows": [1, 4], "steps": STEPS, "seed": 3, "observables": ["projection", "noise_fro", "singular_values"]}
    whole = ss.simulate(model(signal), trials=4, workers=1, **options)
    single = ss.simulate(model(signal), trials=4, dtype="float32", workers=1, **options)
    np.testing.assert_allclose(single.projection, whole.projection, atol=1e-4)
    monkeypatch.setattr(CPU, "chunk_bytes", 1)
    parts = [ss.simulate(model(signal), trials=range(t, t + 1), workers=1, **options) for t in range(4)]
    for name in whole.data_vars:
        np.testing.assert_array_equal(np.concatenate([part[name].values for part in parts]), whole[name].values)


# c_sig by hand


@pytest.mark.parametrize("window", [1.5, 2, 10, 300])
def test_alternating_signs_leave_the_response_at_half_a_turn(window):
    """(1 - beta) / (1 + beta) = 1 / (2 T - 1), and the last sign's own."""
    beta = 1 - 1 / window
    for steps in (20_000, 20_001):
        one = model(ss.Alternating())
        found = one.persistence(ss.EMA(window), steps)
        np.testing.assert_allclose(found, [(1 - beta) / (1 + beta)] * 2, rtol=1e-9)
        np.testing.assert_allclose(found, [1 / (2 * window - 1)] * 2, rtol=1e-9)
        average = one.signal.averaged(ss.EMA(window), steps)
        assert np.sign(average.item()) == (-1) ** (steps - 1) == np.sign(one.amplitudes(steps - 1)[0])


@pytest.mark.parametrize("window", [2, 12.5])
@pytest.mark.parametrize("held", [1, 4, 7])
def test_signs_held_for_several_steps_leave_what_the_table_says(window, held):
    beta, every, signal = 1 - 1 / window, 7, ss.Alternating(every=7)
    steps = 2 * every * 300 + held
    expected_share = abs(1 - 2 * beta**held / (1 + beta**every))
    np.testing.assert_allclose(signal.persistence(ss.EMA(window), steps, 3), [expected_share] * 3, atol=1e-12)


@pytest.mark.parametrize("every", [1, 5])
@pytest.mark.parametrize("mean", [0.0, 0.25, -0.61, 0.999])
def test_signs_of_a_mean_leave_it_in_wide_windows(mean, every):
    """Within 2 E / T at every step (F11)."""
    signal, window = ss.Alternating(every, mean), 400
    for steps in range(20_000, 20_000 + 3 * every):
        assert abs(signal.averaged(ss.EMA(window), steps).item() - mean) < 2 * every / window
    assert abs(np.mean(signal.factors(np.arange(20_000), 1)) - mean) <= 2 * every / 20_000


@pytest.mark.parametrize("mean", [0.0, 0.25, -0.5, 0.3])
def test_the_signs_are_the_most_even_pattern(mean):
    np.testing.assert_array_equal(ss.Alternating(2, mean).factors(np.arange(400), 1)[:, 0], signs(2, mean, 400))


def test_a_pattern_by_hand():
    assert ss.Alternating().factors(np.arange(4), 1)[:, 0].tolist() == [1, -1, 1, -1]
    assert ss.Alternating(2).factors(np.arange(5), 1)[:, 0].tolist() == [1, 1, -1, -1, 1]
    assert ss.Alternating(mean=0.5).factors(np.arange(4), 1)[:, 0].tolist() == [1, 1, 1, -1]
    np.testing.assert_array_equal(ss.Alternating(kept=2).factors([0, 1], 3), [[1, 1, 1], [1, 1, -1]])


@pytest.mark.parametrize("window", [2, 9.0])
def test_an_oscillation_leaves_the_response_at_its_frequency(window):
    signal, steps, theory = ss.Oscillating(12.5, 0.8, phase=0.3), 5000, ss.theory.filters
    gain, lag = theory.rotation(window, 2 * math.pi / 12.5)
    angles = 2 * math.pi * ((steps - 1) / 12.5 + 0.3 * np.arange(3)) - lag
    np.testing.assert_allclose(signal.persistence(ss.EMA(window), steps, 3), 1 + 0.8 * gain * np.cos(angles), atol=1e-9)


def test_what_a_switch_leaves_of_old_and_new():
    window, since = 10, 8
    old, new = 0.9**since, 1 - 0.9**since  # after 2000 steps before it
    for change, share in (("u", math.hypot(old, new)), ("both", max(old, new)), ("sign", abs(1 - 2 * old))):
        found = ss.Switch(2000, change).persistence(ss.EMA(window), 2000 + since, 1)
        np.testing.assert_allclose(found, [share], atol=1e-12)


def test_a_buffer_points_the_old_way_until_the_new_one_outweighs_it():
    """No noise to speak of; T = 10: 0.9^6 > 1/2 > 0.9^7."""
    one = ss.SpikedModel((5, 5), (2.0,), ss.Gaussian(1e-9), signal=ss.Switch(100, "sign"))
    for steps, sign in ((106, -1), (107, 1)):
        data = ss.simulate(one, windows=[10], trials=1, steps=steps, observables=["alignment_truncated"])
        assert float(data.alignment_truncated.sel(pipeline="pre-polar").squeeze()) == pytest.approx(sign, abs=1e-6)


def test_a_constant_signal_has_its_gain():
    np.testing.assert_allclose(model(ss.Constant()).persistence(ss.EMA(5), 7), [1 - 0.8**7] * 2, rtol=1e-14)


def test_results_say_c_sig_of_the_least_spike():
    signal = ss.Alternating(kept=1)
    data = ss.simulate(model(signal), windows=[2, 10], trials=1, steps=1001, observables=["alignment"])
    assert data.attrs["c_sig"] == "0.3333 at T = 2, 0.05263 at T = 10"
    assert "c_sig" not in ss.simulate(model(ss.Constant()), windows=[2], trials=1, observables=["alignment"]).attrs


# By value, and refusals


def test_laws_are_equal_by_value_and_tell_themselves():
    assert ss.Alternating(2.0) == ss.Alternating(every=2)
    assert hash(ss.Switch(5.0, "u")) == hash(ss.Switch(5, "u"))
    assert ss.Oscillating(10, 0.5) != ss.Oscillating(10, 0.5, motion=ss.Rotating(0.1))
    assert "Oscillating(motion=Constant(), period=10.0, depth=0.5, phase=0.0)" in repr(model(ss.Oscillating(10, 0.5)))
    assert set(SIGNALS) == {"Constant", "Rotating", "Switch", "Oscillating", "Alternating", "Fading"}


REFUSED = [
    (lambda: ss.Oscillating(1.5, 0.5), r"need 2 <= period <= 1e\+12, got period=1.5"),
    (lambda: ss.Oscillating(math.nan, 0.5), r"need 2 <= period <= 1e\+12, got period=nan"),
    (lambda: ss.Oscillating(10, 0), "need 0 < depth <= 1000, got depth=0"),
    (lambda: ss.Oscillating(10, True), "need 0 < depth <= 1000, got depth=True"),
    (lambda: ss.Oscillating(10, 1, 1.5), r"need \|phase\| <= 1, got phase=1.5"),
    (lambda: ss.Oscillating(10, 1, motion="turn"), "need motion: a signal, .*, got motion='turn'"),
    (lambda: ss.Alternating(0), "need every: an integer >= 1, got every=0"),
    (lambda: ss.Alternating(1.5), "need every: an integer >= 1, got every=1.5"),
    (lambda: ss.Alternating(math.inf), "need every: an integer >= 1, got every=inf"),
    (lambda: ss.Alternating(mean=1), "need -1 < mean < 1, got mean=1"),
    (lambda: ss.Alternating(kept=-1), "need kept: an integer >= 0, got kept=-1"),
    (lambda: model(ss.Alternating(kept=2)), "need kept < r, or nothing alternates, got kept=2, r=2"),
    (lambda: ss.Switch(0), "need at: an integer >= 1, got at=0"),
    (lambda: ss.Switch(None), "need at: an integer >= 1, got at=None"),
    (lambda: ss.Switch(3, "v"), r"need change in \('u', 'both', 'sign'\), got change='v'"),
    (lambda: model(ss.Switch(3), shape=(5, 3)), "need n >= 2 r where v moves, got n=3, r=2"),
    (lambda: ss.Fading(0), "need 0 < exponent <= 4, got exponent=0"),
    (lambda: model(ss.Oscillating(9, 1, motion=ss.Rotating(1)), shape=(3, 9)), "need m >= 2 r where u moves, got m=3, r=2"),
]


@pytest.mark.parametrize(("made", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_bad_parameters_are_refused(made, message):
    with pytest.raises(ValueError, match=message):
        made()


@pytest.mark.parametrize("signal", [ss.Switch(5), ss.Fading(0.5), ss.Alternating(motion=ss.Switch(5, "sign"))], ids=str)
def test_a_signal_without_a_steady_state_needs_steps(signal):
    with pytest.raises(ValueError, match=r"^need steps=: the signal has no steady state, got steps=None, signal="):
        ss.simulate(model(signal), windows=[2], trials=1)
    assert ss.simulate(model(signal), windows=[2], trials=1, steps=9).sizes["trial"] == 1


@pytest.mark.parametrize(
    ("signal", "steps"), [(ss.Oscillating(6, 1), 4), (ss.Oscillating(3, 2, phase=0.1), 3), (ss.Oscillating(3, 2), 3)]
)
def test_an_amplitude_of_nothing_at_the_last_step_is_refused(signal, steps):
    with pytest.raises(ValueError, match=r"^need lambda_k\(t\) != 0 at the last step, got amplitudes="):
        ss.simulate(model(signal), windows=[2], trials=1, steps=steps)
    assert ss.simulate(model(signal), windows=[2], trials=1, steps=steps + 1).sizes["trial"] == 1


def test_band_matrices_are_for_a_constant_signal_alone():
    with pytest.raises(ValueError, match=r'^need signal Constant\(\) for method "banded", got signal=Alternating'):
        ss.simulate(model(ss.Alternating()), windows=[2], trials=1, method="banded", joint=False, pipelines=["pre-polar"])
