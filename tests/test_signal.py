"""Signals that turn: their frames, their matrices at every step and in a buffer, and what is refused."""

import math

import numpy as np
import pytest

import spikesim as ss
from spikesim.signal import amplitudes, mixed, products, stepped

U = np.linalg.qr(np.random.default_rng(0).standard_normal((6, 2)))[0]
V = np.linalg.qr(np.random.default_rng(1).standard_normal((5, 2)))[0]
VECTORS = {"haar": "haar", "axes": "axes", "given": (U, V)}


def model(**changes):
    standard = {"shape": (6, 5), "spikes": (3.0, -1.0), "noise": ss.Gaussian(0.5), "signal": ss.Rotating(0.3)}
    return ss.SpikedModel(**(standard | changes))


def parts(one, seed=0):
    return products(*one.frames(seed), np.array(one.spikes), one.signal.shares(one.rank))


# Frames


@pytest.mark.parametrize("shape", [(6, 5), (4, 4), (40, 60)], ids=str)
@pytest.mark.parametrize("seed", range(5))
def test_frames_and_partners_are_orthonormal_together(shape, seed):
    u, v = model(shape=shape, signal=ss.Rotating(0.3, both=True)).frames(seed)
    for frames, size in ((u, shape[0]), (v, shape[1])):
        assert frames.shape == (2, size, 2)
        together = np.hstack(list(frames))
        np.testing.assert_allclose(together.T @ together, np.eye(4), atol=4e-15)


@pytest.mark.parametrize("vectors", VECTORS.values(), ids=VECTORS)
def test_a_turning_signal_starts_from_the_frame_of_a_constant_one(vectors):
    for turning in (ss.Rotating(0.3), ss.Rotating(-2.0, both=True)):
        one, still = model(vectors=vectors, signal=turning), model(vectors=vectors, signal=ss.Constant())
        for seed in (0, 7):
            for x, y in zip(one.frame(seed), still.frame(seed), strict=True):
                np.testing.assert_array_equal(x, y)


def test_partners_of_axes_are_the_next_axes():
    u, v = model(vectors="axes", signal=ss.Rotating(0.3, both=True)).frames(4)
    np.testing.assert_array_equal(np.hstack(list(u)), np.eye(6, 4))
    np.testing.assert_array_equal(np.hstack(list(v)), np.eye(5, 4))


@pytest.mark.parametrize("vectors", ["haar", (U, V)], ids=["haar", "given"])
def test_partners_depend_on_the_seed_and_not_on_the_motion(vectors):
    one, faster, both = (
        model(vectors=vectors, signal=s) for s in (ss.Rotating(0.3), ss.Rotating(2), ss.Rotating(1, both=True))
    )
    np.testing.assert_array_equal(one.frames(4)[0], faster.frames(4)[0])
    np.testing.assert_array_equal(one.frames(4)[0], both.frames(4)[0])
    assert np.abs(one.frames(4)[0][1] - one.frames(5)[0][1]).max() > 0.01


def test_a_partner_is_uniform_in_the_complement():
    """Squared coordinate of u' along a fixed unit vector of u's complement in R^3: mean 1/2, 400 seeds, 5 standard errors."""
    given = (np.eye(3, 1), np.eye(2, 1))
    frames = [model(shape=(3, 2), spikes=3.0, vectors=given).frames(seed)[0] for seed in range(400)]
    partners = np.array([x[1, :, 0] for x in frames])
    assert np.abs(partners[:, 0]).max() < 1e-15
    assert abs(np.mean(partners[:, 1] ** 2) - 0.5) < 5 * math.sqrt(1 / 8 / 400)
    assert abs(np.mean(partners[:, 1] > 0) - 0.5) < 5 * 0.5 / 20


# S_t and S_bar


@pytest.mark.parametrize("vectors", VECTORS.values(), ids=VECTORS)
@pytest.mark.parametrize("both", [False, True])
def test_the_signal_of_a_step_is_the_formula(vectors, both):
    one = model(vectors=vectors, signal=ss.Rotating(0.3, both))
    (u, partner), v = one.frames(2)[0], one.frames(2)[1][0]
    for t, found in enumerate(stepped(one.signal, parts(one, 2), 0, 25)):
        expected = np.zeros((6, 5))
        for k, spike in enumerate(one.spikes):
            right = math.cos(0.3 * t) * v[:, k] + math.sin(0.3 * t) * one.frames(2)[1][1][:, k] if both else v[:, k]
            expected += spike * np.outer(math.cos(0.3 * t) * u[:, k] + math.sin(0.3 * t) * partner[:, k], right)
        np.testing.assert_allclose(found, expected, atol=1e-14)
        left, right = one.frame(2, t)
        np.testing.assert_allclose((left * one.spikes) @ right.T, expected, atol=1e-14)


def test_axes_turn_by_hand():
    """omega = pi / 2: u is e_1, e_2, -e_1, -e_2 in turn."""
    one = model(shape=(2, 1), spikes=2.0, vectors="axes", signal=ss.Rotating(math.pi / 2))
    expected = np.array([[2, 0], [0, 2], [-2, 0], [0, -2]])
    np.testing.assert_allclose(stepped(one.signal, parts(one), 0, 4)[..., 0], expected, atol=1e-14)


def test_a_signal_that_does_not_move_is_one_matrix():
    one = model(signal=ss.Constant())
    u, v = one.frame(0)
    found = stepped(one.signal, parts(one), 3, 12)
    np.testing.assert_array_equal(found, ((u * one.spikes) @ v.T)[None])


@pytest.mark.parametrize("window", [1, 1.5, 20, 400])
@pytest.mark.parametrize("steps", [1, 7, 3000])
@pytest.mark.parametrize("signal", [ss.Constant(), ss.Rotating(0.02), ss.Rotating(-1.1, both=True)], ids=str)
def test_the_average_of_a_buffer_is_its_recurrence(signal, window, steps):
    buffer, beta = np.zeros((*signal.parts, 1)), 1 - 1 / window
    for t in range(steps):
        buffer = beta * buffer + (1 - beta) * signal.coefficients(t)
    np.testing.assert_allclose(signal.averaged(ss.EMA(window), steps), buffer, atol=1e-14)


def test_the_average_of_a_wide_window_is_summed_in_pieces_to_the_closed_form():
    """(1 - beta) sum_k beta^k cos, sin(omega (t - k)) is the real and imaginary part of a geometric sum (F7)."""
    omega, steps, filter_ = 1e-3, 300_001, ss.EMA(50_000)
    ratio = filter_.beta * np.exp(-1j * omega)
    closed = np.exp(1j * omega * (steps - 1)) * (1 - ratio**steps) / (1 - ratio) / filter_.window
    found = ss.Rotating(omega).averaged(filter_, steps)
    np.testing.assert_allclose(found[:, 0, 0], [closed.real, closed.imag], rtol=1e-9)


def test_steady_amplitude_and_lag_are_those_of_f7():
    omega, window = 0.05, 8
    beta = 1 - 1 / window
    gain = (1 - beta) / math.sqrt(1 - 2 * beta * math.cos(omega) + beta**2)
    lag = math.atan2(beta * math.sin(omega), 1 - beta * math.cos(omega))
    average = ss.Rotating(omega).averaged(ss.EMA(window), 1001)
    np.testing.assert_allclose(average[:, 0, 0], [gain * math.cos(50 - lag), gain * math.sin(50 - lag)], atol=1e-13)
    np.testing.assert_allclose(
        amplitudes(average[None], np.array([1.0, -3.0]), np.ones((1, 2))), [[3 * gain, gain]], rtol=1e-12
    )


@pytest.mark.parametrize("signal", [ss.Constant(), ss.Rotating(0.4), ss.Rotating(0.4, both=True)], ids=str)
def test_amplitudes_are_the_largest_singular_values_of_the_average(signal):
    one = model(signal=signal)
    averages = np.stack([signal.averaged(ss.EMA(w), 30) for w in (1, 3, 12)])
    expected = np.linalg.svd(mixed(averages, parts(one)), compute_uv=False)[:, :2]
    np.testing.assert_allclose(amplitudes(averages, np.array(one.spikes), one.signal.shares(one.rank)), expected, atol=1e-14)


# Without noise, against theory


def test_the_current_signal_is_what_alignment_is_held_against():
    """Almost no noise: a buffer of a turning u lags behind by F7's angle; polar-only does not (S8)."""
    omega, window = 0.05, 8
    beta = 1 - 1 / window
    lag = math.atan2(beta * math.sin(omega), 1 - beta * math.cos(omega))
    one = model(shape=(5, 5), noise=ss.Gaussian(1e-9), signal=ss.Rotating(omega))
    data = ss.simulate(one, windows=[window], trials=1, steps=300, observables=["alignment_truncated", "sin_theta_left"])
    found = data.isel(trial=0, window=0)
    assert float(found.alignment_truncated.sel(pipeline="pre-polar")) == pytest.approx(math.cos(lag), abs=1e-7)
    assert float(found.sin_theta_left.sel(pipeline="pre-polar")) == pytest.approx(math.sin(lag), abs=1e-7)
    assert float(found.alignment_truncated.sel(pipeline="polar-only")) == pytest.approx(1, abs=1e-7)


# By value, and refusals


def test_equal_signals_are_equal_with_equal_hash_and_tell_themselves():
    assert ss.Rotating(1) == ss.Rotating(np.float64(1.0), both=False)
    assert hash(ss.Rotating(1)) == hash(ss.Rotating(1.0))
    assert ss.Rotating(1) != ss.Rotating(1, both=True)
    assert model(signal=ss.Rotating(0.1)) != model(signal=ss.Rotating(0.2))
    data = ss.simulate(model(), windows=[2], trials=1, steps=3, observables=["alignment"])
    assert "signal=Rotating(omega=0.3, both=False)" in data.attrs["model"]
    assert "signal=Constant()" in repr(model(signal=ss.Constant()))


@pytest.mark.parametrize("omega", [0, 0.0, 3.2, -3.2, math.nan, math.inf, "0.1", None, True, 1j, 10**400])
def test_a_turn_of_nothing_or_more_than_half_a_circle_is_refused(omega):
    with pytest.raises(ValueError, match=r"^need 0 < \|omega\| <= pi, got omega="):
        ss.Rotating(omega)


@pytest.mark.parametrize("both", [0, 1, None, "yes"])
def test_both_is_true_or_false(both):
    with pytest.raises(ValueError, match=r"^need both: True or False, got both="):
        ss.Rotating(0.1, both)


@pytest.mark.parametrize("vectors", ["haar", "axes"])
def test_shapes_without_room_for_partners_are_refused(vectors):
    with pytest.raises(ValueError, match=r"^need m >= 2 r where u moves, got m=3, r=2$"):
        model(shape=(3, 9), vectors=vectors)
    with pytest.raises(ValueError, match=r"^need n >= 2 r where v moves, got n=3, r=2$"):
        model(shape=(9, 3), vectors=vectors, signal=ss.Rotating(0.3, both=True))
    assert model(shape=(4, 2), vectors=vectors).rank == 2
