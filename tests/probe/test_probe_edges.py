"""The probe at the ends of what it takes: fewest gradients, longest windows, vectors, no noise, noise alone, heavy tails."""

import json
import math

import numpy as np
import pytest
import recordings

import spikesim as ss
from spikesim.probe.page import above
from spikesim.probe.plan import FEWEST, GRID

KINDS = ("stationary", "trajectory")


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


def probed(gradients, kind, **options):
    """A probe whose text and JSON can be made, too."""
    found = ss.probe(gradients, kind=kind, readings=20, **options)
    assert "nan" not in found.text()
    json.dumps(found.as_json(), allow_nan=False)
    return found


def whole(found, *names):
    for name in names:
        assert np.all(np.isfinite(found.data[name])), name


def test_fewest_gradients(kind):
    found = probed(recordings.recorded((4, 7), FEWEST), kind)
    assert found.asked.windows == (1, 2, 3)
    whole(found, "alignment", "alignment_error", "singular_values", "filtering_ratio", "persistence")
    assert found.rank == 2
    if kind == "trajectory":
        assert found.leads == (1, 2, 3, 4, 5, 6)  # an eighth of the recording
        assert "the gradients 1 to 6 steps ahead" in found.text()


@pytest.mark.parametrize("count", [49, 83, 120])
def test_windows_may_reach_a_twelfth_of_the_recording_and_no_further(kind, count):
    gradients = recordings.recorded((3, 4), count)
    found = probed(gradients, kind, windows=(1, count / 12))
    whole(found, "alignment", "alignment_error")
    with pytest.raises(ValueError, match="gradients / 12"):
        ss.probe(gradients, kind=kind, windows=(1, count / 12 + 1e-9))
    assert probed(gradients, kind).asked.windows == tuple(t for t in GRID if t <= count / 12)


@pytest.mark.parametrize("shape", [(1, 9), (9, 1), (1, 1), (2, 2)])
def test_vectors_and_single_numbers(kind, shape):
    found = probed(recordings.signal(shape, (2.0,)) + 0.4 * recordings.noises("Gaussian", (60, *shape)), kind)
    assert (found.rank, found.asked.ranks) == (1, (1,))
    whole(found, "alignment", "filtering_ratio", "suppression")
    if min(shape) == 1:  # the one direction of the short side is always the same
        short = "left" if shape[0] == 1 else "right"
        np.testing.assert_allclose(found.data[f"sin_theta_{short}_held_out"], 0, atol=1e-12)


def test_gradients_without_noise_are_the_signal(kind):
    signal = recordings.signal((4, 7))
    found = probed(np.repeat(signal[None], 60, axis=0), kind)
    still = kind == "stationary"  # a trajectory that moves at all is told from one that stands still by noise alone
    np.testing.assert_allclose(found.data.decrease.sel(pipeline="pre-polar"), 4.5)
    np.testing.assert_allclose(found.data.alignment.sel(pipeline="pre-polar"), 1, rtol=1e-9 if still else 1e-2)
    np.testing.assert_allclose(found.data.alignment_in_buffer.sel(pipeline=["pre-polar", "polar-only", "re-polarised"]), 1)
    assert found.noise.eta.value < 1e-9 * found.noise.signal.value
    assert found.ranks.signed_noise == found.ranks.bulk_edge == found.ranks.hard_threshold == 2
    np.testing.assert_allclose(found.spikes, [3, 1.5], rtol=1e-6 if still else 1e-2)
    assert np.all(np.isnan(found.data.filtering_ratio.sel(index=[3, 4])))
    assert np.all(found.data.singular_values.sel(pipeline="pre-polar", index=[3, 4]) == 0)
    assert found.noise.outside == ()


def test_subspaces_that_do_not_exist_have_no_angle(kind):
    signal = recordings.signal((4, 7), (2.0, 2.0))
    found = probed(np.repeat(signal[None], 60, axis=0), kind, ranks=(1, 2, 3, 4))
    for side in ("left", "right"):
        for name in (f"sin_theta_{side}", f"sin_theta_{side}_held_out"):
            there = np.isfinite(found.data[name].sel(pipeline="pre-polar")).all("window")
            assert there.values.tolist() == [False, True, False, True], name


def test_nothing_but_noise_has_no_rank_no_alignment_and_says_so(kind):
    noise = np.random.default_rng(12).standard_normal((120, 5, 8))  # one of nine passes for rank 1 (P5), this does not
    found = probed(noise, kind)
    assert found.rank == 0
    assert found.spikes.size == 0
    assert not found.curve.seen
    assert "no signal seen" in found.advice.reason
    assert "no signal to judge it by" in found.text()
    assert np.isnan(found.advice.window)
    assert (found.advice.clip, found.advice.order_gain) == (False, None)
    assert found.as_json()["advice"]["momentum"] is None
    undefined = {name for name in found.data if np.any(np.isnan(found.data[name]))}
    documented = {"alignment", "alignment_error", "predicted", "sin_theta_left", "sin_theta_right"}  # Probe, P2, P6
    documented |= {"persistence_error"}  # of a c_sig of 0 (P7)
    documented |= {"sin_theta_left_error", "sin_theta_right_error", "alignment_path"}
    documented |= {"sin_theta_left_held_out", "sin_theta_right_held_out"}  # of a mean of polar factors at T = 1
    documented |= {f"sin_theta_{side}_{rest}" for side in ("left", "right") for rest in ("held_out_error", "path")}
    if found.noise.signal.value <= 0:
        documented |= {"persistence", "persistence_error"}
    assert undefined <= documented, undefined - documented
    assert found.noise.outside == ()


def test_a_signal_is_not_overlooked(kind):
    found = probed(recordings.recorded((5, 8), 120, sigma=1.0), kind)
    assert found.curve.seen
    assert found.rank >= 1
    assert "no signal" not in found.text()


def test_heavy_tails_are_named_and_a_mean_that_is_all_noise_breaks_nothing(kind):
    generator = np.random.default_rng(3)
    found = probed(generator.standard_cauchy((240, 24, 36)), kind, windows=(1, 5))
    assert any("no finite variance" in reason for reason in found.noise.outside)
    assert found.noise.tail_entries.high < 2
    assert "BVMZOS" in found.text()
    light = probed(generator.standard_normal((240, 24, 36)), kind, windows=(1, 5))
    assert light.noise.tail_entries.low > 2


def test_zero_gradients_here_and_there_are_gradients(kind):
    gradients = recordings.recorded((4, 7), 60)
    gradients[5::9] = 0
    found = probed(gradients, kind)
    whole(found, "alignment", "singular_values")
    assert math.isfinite(found.noise.eta.value)


def test_dead_rows_and_columns_leave_the_rest_as_it_is(kind):
    """Inputs that are always 0, as the corners of images are: the gradient's columns are 0 exactly."""
    gradients = recordings.recorded((4, 7), 60)
    padded = np.zeros((60, 6, 9))
    padded[:, :4, 2:] = gradients
    small, large = probed(gradients, kind), probed(padded, kind)
    for name in ("singular_values", "filtering_ratio", "decrease", "alignment_in_buffer"):
        wanted, got = small.data[name], large.data[name]
        got = got.sel(index=wanted.index) if "index" in got.dims else got
        np.testing.assert_allclose(got, wanted, rtol=1e-9, atol=1e-9, err_msg=name)
    assert np.all(np.isnan(large.data.filtering_ratio.sel(index=[5, 6])))
    assert large.noise.eta.value == pytest.approx(small.noise.eta.value)


def test_one_step_whose_squares_no_float32_holds(kind):
    gradients = recordings.recorded((3, 4), 60).astype(np.float32)
    gradients[30] *= np.float32(1e21)
    found = probed(gradients, kind)
    whole(found, "singular_values", "filtering_ratio")
    assert found.data["singular_values"].max() > 1e18


def test_a_direction_that_next_to_no_gradient_has_is_one_without_a_ratio(kind):
    """Sizes 1 and 1e-315: their ratio has no place in a float64."""
    gradients = recordings.recorded((2, 4), 60)
    gradients[:, 1] = np.where(np.arange(60) % 2, 1e-315, 0.0)[:, None] * np.arange(4)
    gradients *= 1e60
    gradients[::2, 1] = 0
    ratio = probed(gradients, kind).data["filtering_ratio"]
    assert np.isfinite(ratio.sel(index=1)).all()
    assert np.isnan(ratio.sel(index=2)).all()


def test_a_recording_is_called_by_its_file_without_folders(tmp_path):
    (tmp_path / "secret").mkdir()
    gradients = recordings.recorded((3, 4), 60)
    for name, title in (("g.npy", "g.npy"), ("g.npz", "g.npz:a/b")):
        path = tmp_path / "secret" / name
        np.save(path, gradients) if name == "g.npy" else np.savez(path, **{"a/b": gradients})
        found = probed(path, "stationary")
        assert found.name == title
        assert found.text().startswith(f"{title}: 60 gradients")
        assert "secret" not in found.text() + json.dumps(found.as_json()) + above(found)
