"""The gradient model: frames, identity by value, and what it refuses."""

import math

import numpy as np
import pytest
from scipy import stats

import spikesim as ss
from spikesim.signal import Signal

U = np.linalg.qr(np.random.default_rng(0).standard_normal((4, 2)))[0]
V = np.linalg.qr(np.random.default_rng(1).standard_normal((5, 2)))[0]


def model(**changes):
    return ss.SpikedModel(**({"shape": (4, 5), "spikes": (3.0, -1.0), "noise": ss.Gaussian(0.5)} | changes))


VECTORS = {"haar": "haar", "axes": "axes", "arrays": (U, V), "lists": [U.tolist(), V.tolist()]}


@pytest.mark.parametrize("vectors", VECTORS.values(), ids=VECTORS)
def test_frame_has_orthonormal_columns(vectors):
    u, v = model(vectors=vectors).frame(3)
    assert (u.shape, v.shape) == ((4, 2), (5, 2))
    np.testing.assert_allclose(u.T @ u, np.eye(2), atol=1e-14)
    np.testing.assert_allclose(v.T @ v, np.eye(2), atol=1e-14)


def test_axes_are_unit_vectors():
    u, v = model(vectors="axes").frame(0)
    np.testing.assert_array_equal(u, np.eye(4, 2))
    np.testing.assert_array_equal(v, np.eye(5, 2))


def test_given_vectors_are_used_as_they_are_and_kept():
    given = U.copy()
    one = model(vectors=(given, V))
    given[:] = 0
    np.testing.assert_array_equal(one.frame(9)[0], U)
    with pytest.raises(ValueError, match="read-only"):
        one.frame(9)[0][0, 0] = 2.0


def test_haar_vectors_depend_on_the_seed_alone():
    one, other = model(), model(spikes=(9.0, 8.0), noise=ss.SignFlip(2.0))
    for a, b in zip(one.frame(4), other.frame(4), strict=True):
        np.testing.assert_array_equal(a, b)
    assert np.abs(one.frame(4)[0] - one.frame(5)[0]).max() > 0.01


def test_haar_vectors_are_uniform_on_the_sphere():
    """Squared first coordinates are Beta(1/2, (m-1)/2), signs are fair: six tests of 600 seeds, level 1e-4 each."""
    frames = [model(shape=(4, 3), spikes=(3.0, 1.0)).frame(seed) for seed in range(600)]
    u, v = (np.array(x) for x in zip(*frames, strict=True))
    for x, size in ((u[:, 0, 0], 4), (u[:, 3, 1], 4), (v[:, 1, 1], 3)):
        assert stats.kstest(x**2, stats.beta(0.5, (size - 1) / 2).cdf).pvalue > 1e-4
        assert stats.binomtest(int(np.sum(x > 0)), 600).pvalue > 1e-4


def test_rank_signs_and_eta_follow_the_arguments():
    one = model()
    assert one.rank == 2
    np.testing.assert_array_equal(one.signs, [1.0, -1.0])
    assert one.eta == pytest.approx(0.25 * 20)
    assert model(noise=ss.StudentT(1.5)).eta == math.inf


def test_equal_arguments_are_equal_models_with_equal_hash():
    for vectors in ("haar", "axes", (U, V)):
        one, other = model(vectors=vectors), model(vectors=vectors, shape=[4, 5], spikes=np.array([3, -1]))
        assert one == other
        assert hash(one) == hash(other)
    assert model(vectors=(U, V)) != model(vectors=(-U, V))
    assert model(vectors=(U, V)) != model()


def test_one_number_is_one_spike():
    assert model(spikes=3).spikes == model(spikes=np.float64(3)).spikes == (3.0,)


def test_full_rank_is_allowed():
    assert model(spikes=(4, 3, 2, 1)).rank == 4


BAD_SHAPES = [(0, 5), (4, -5), (4,), (4, 5, 6), 4, None, "45", (4.5, 5), (True, 5), (math.nan, 5), (math.inf, 5)]


@pytest.mark.parametrize("shape", BAD_SHAPES)
def test_no_two_whole_sizes_are_refused(shape):
    with pytest.raises(ValueError, match=r"^need shape == \(m, n\), integers >= 1, got shape="):
        model(shape=shape)


@pytest.mark.parametrize(("spikes", "rank"), [((), 0), ((1,) * 5, 5)])
def test_rank_zero_or_above_the_smaller_side_is_refused(spikes, rank):
    with pytest.raises(ValueError, match=rf"^need 1 <= rank <= min\(m, n\) = 4, got rank={rank}$"):
        model(spikes=spikes)


@pytest.mark.parametrize("spikes", [(0,), (3, 0.0), (math.nan,), (3, math.inf), (3, "a"), (None,), "34", None, 3j])
def test_spikes_that_are_no_finite_nonzero_numbers_are_refused(spikes):
    with pytest.raises(ValueError, match=r"^need spikes.+, got spikes="):
        model(spikes=spikes)


BAD_VECTORS = [
    ("Haar", "vectors="),
    (None, "vectors="),
    (7, "vectors="),
    ((U,), "vectors="),
    ((U, V, V), "vectors="),
    ((V, U), r"u.shape=\(5, 2\)"),
    ((U[:, :1], V), r"u.shape=\(4, 1\)"),
    ((U, V.T), r"v.shape=\(2, 5\)"),
    ((2 * U, V), r"max\|u\^T u - I\|="),
    ((U, V[:, [0, 0]]), r"max\|v\^T v - I\|="),
    ((U, V * math.nan), r"max\|v\^T v - I\|=nan"),
    ((U, V + 1e-6), r"max\|v\^T v - I\|="),
    (("a", "b"), "="),
]


@pytest.mark.parametrize(("vectors", "got"), BAD_VECTORS)
def test_vectors_without_orthonormal_columns_are_refused(vectors, got):
    with pytest.raises(ValueError, match=f"^need vectors.+, got .*{got}"):
        model(vectors=vectors)


@pytest.mark.parametrize("noise", [None, 0.5, ss.Gaussian, "gaussian"])
def test_noise_that_is_no_law_is_refused(noise):
    with pytest.raises(ValueError, match=r"^need noise from spikesim\.noise.+, got noise="):
        model(noise=noise)


def test_spectra_of_other_lengths_are_refused():
    with pytest.raises(ValueError, match=r"^need spectra of lengths \(4, 5\), got rows=5, columns=4"):
        model(noise=ss.Kronecker((1.0,) * 5, (1.0,) * 4))


@pytest.mark.parametrize("signal", [None, "constant", ss.Constant, Signal()])
def test_signal_of_unknown_motion_is_refused(signal):
    with pytest.raises(ValueError, match=r"^need signal from spikesim\.signal.+, got signal="):
        model(signal=signal)
