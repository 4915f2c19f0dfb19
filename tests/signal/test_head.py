"""A head of the largest spikes: what is measured of it, and of all spikes, against dense decompositions."""

import array_api_strict as strict
import numpy as np
import pytest
from path import expected

import spikesim as ss
from spikesim.observables import OBSERVABLES, Truth

HEADS = [
    ((6, 5), (0.5, -3.0, 1.6), 1, ss.Constant()),
    ((6, 5), (0.5, -3.0, 1.6), 2, ss.Constant()),
    ((4, 7), (2.0, 4.0, 1.0, -0.5), 2, ss.Constant()),
    ((5, 5), (1.0, 3.0, -2.0, 0.1, 0.4), 3, ss.Constant()),
    ((6, 7), (1.0, 3.0, -2.0), 2, ss.Rotating(0.2, both=True)),
    ((6, 5), (3.0, -2.9, 0.5), 1, ss.Oscillating(7.0, 0.5, phase=0.4)),
    ((6, 5), (3.0, -2.9, 0.5), 2, ss.Alternating(3, kept=1)),
]


@pytest.mark.parametrize(("shape", "spikes", "head", "signal"), HEADS)
def test_every_observable_with_a_head_is_that_of_dense_decompositions(shape, spikes, head, signal):
    model = ss.SpikedModel(shape, spikes, ss.Gaussian(0.4), signal=signal, head=head)
    windows, trials = (1, 2, 7.5), range(1, 3)
    data = ss.simulate(model, windows=windows, trials=trials, seed=5, steps=19, spectrum=min(shape), workers=1)
    for name, values in expected(model, windows, trials, 5, 19).items():
        np.testing.assert_allclose(data[name].values, values, rtol=1e-9, atol=1e-9, err_msg=name)


@pytest.mark.parametrize("shape", [(4, 6), (6, 4), (4, 4)])
def test_a_signal_of_full_rank_agrees_too(shape):
    model = ss.SpikedModel(shape, ss.power_law(4.0, 1.0, 4), ss.Gaussian(0.3))
    data = ss.simulate(model, windows=(1, 5), trials=2, seed=5, steps=12, spectrum=4, workers=1)
    for name, values in expected(model, (1, 5), range(2), 5, 12).items():
        np.testing.assert_allclose(data[name].values, values, rtol=1e-9, atol=1e-9, err_msg=name)
    side = 0 if shape[0] <= shape[1] else 1
    assert np.all(data[("sin_theta_left", "sin_theta_right")[side]].values < 1e-7)  # the whole space
    assert data.suppression.isnull().all()


def test_the_largest_spikes_of_the_last_step_are_the_head():
    """The second spike leads at the end: lambda (3 (1 + .5 cos(pi)), 2.9 (1 + .5 cos(2 pi)))."""
    model = ss.SpikedModel((8, 6), (3.0, 2.9), ss.Gaussian(1e-9), signal=ss.Oscillating(4, 0.5, phase=0.5), head=1)
    assert model.amplitudes(2) == pytest.approx([1.5, 4.35])
    data = ss.simulate(model, windows=[1], trials=1, steps=3, observables=["sin_theta_left", "alignment_truncated"])
    found = data.sel(pipeline="polar-only").squeeze()
    assert float(found.sin_theta_left) < 1e-7
    assert float(found.alignment_truncated) == pytest.approx(4.35 / 5.85)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("vectors", ["haar", "axes"])
def test_the_frame_of_the_head_is_sorted_by_size(vectors, dtype):
    u, v = ss.SpikedModel((5, 6), (1.0, -4.0, 2.0), ss.Gaussian(), vectors).frame(0)
    truth = Truth(u, v, np.array([1.0, -4.0, 2.0], dtype), 2)
    for found, all_of_it in zip(truth.frame, (u, v), strict=True):
        np.testing.assert_array_equal(found, all_of_it[:, [1, 2]])
    assert Truth(u, v, truth.spikes).frame[0] is u


def test_the_frame_of_the_head_needs_no_more_than_the_array_standard():
    u, v = ss.SpikedModel((5, 6), (1.0, -4.0, 2.0), ss.Gaussian()).frame(0)
    truth = Truth(*(strict.asarray(x) for x in (u, v, np.array([1.0, -4.0, 2.0]))), 1)
    np.testing.assert_array_equal(np.asarray(truth.frame[1]), v[:, [1]])


def test_only_what_is_about_the_head_depends_on_it():
    def of(head):
        model = ss.SpikedModel((8, 6), (3.0, 2.0, 1.0), ss.Gaussian(0.5), head=head)
        return ss.simulate(model, windows=[1, 4], trials=2, steps=9, spectrum=4)

    whole, first = of(None), of(1)
    about = {"alignment_truncated", "sin_theta_left", "sin_theta_right", "gap", "tail", "head_error", "suppression"}
    for name in OBSERVABLES:
        same = np.array_equal(whole[name].values, first[name].values, equal_nan=True)
        assert same == (name not in about), name


def test_one_more_singular_value_than_the_head_is_given():
    model = ss.SpikedModel((8, 6), (3.0, 2.0, 1.0), ss.Gaussian(), head=1)
    assert ss.simulate(model, windows=[2], trials=1, steps=3).sizes["index"] == 2


def test_a_head_of_all_is_none_and_leaves_the_text_as_it_was():
    def model(**changes):
        return ss.SpikedModel((8, 6), (3.0, 2.0), ss.Gaussian(), **changes)

    assert model(head=2) == model()
    assert hash(model(head=np.int64(2))) == hash(model())
    assert model(head=1) != model()
    assert repr(model()) == (
        "SpikedModel(shape=(8, 6), spikes=(3.0, 2.0), noise=Gaussian(sigma=1.0), vectors='haar', signal=Constant())"
    )
    assert repr(model(head=1)) == repr(model())[:-1] + ", head=1)"
    assert (model().head_rank, model(head=1).head_rank) == (2, 1)


@pytest.mark.parametrize("head", [0, 3, -1, 1.0, True, "1", 10**30])
def test_a_head_that_is_none_of_the_spikes_is_refused(head):
    with pytest.raises(ValueError, match=r"^need head: None or an integer in \[1, r = 2\], got head="):
        ss.SpikedModel((8, 6), (3.0, 2.0), ss.Gaussian(), head=head)


def test_a_head_that_is_not_told_from_the_rest_is_refused():
    model = ss.SpikedModel((8, 6), (2.0, 3.0, -2.0), ss.Gaussian(), head=2)
    with pytest.raises(
        ValueError, match=r"^need a head larger than the other spikes at the last step, got head=2, amplitudes="
    ):
        ss.simulate(model, windows=[2], trials=1, steps=3)


def test_band_matrices_have_no_head():
    model = ss.SpikedModel((8, 6), (3.0, 2.0), ss.Gaussian(), head=1)
    options = {"windows": [2], "trials": 1, "joint": False, "pipelines": ["pre-polar"]}
    with pytest.raises(
        ValueError, match=r'^need head None \(all spikes\) for method "banded", got head=1; method "collapsed"'
    ):
        ss.simulate(model, method="banded", **options)
    big = ss.SpikedModel((300, 300), (90.0, 60.0), ss.Gaussian(), head=1)
    assert ss.simulate(big, **options).attrs["method"] == "collapsed"
