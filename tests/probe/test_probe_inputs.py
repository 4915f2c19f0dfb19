"""A probe depends on the numbers and on its seed: not on where the numbers come from, or how many are read at a time."""

import numpy as np
import pytest
import recordings

import spikesim as ss
from spikesim.probe import readings
from spikesim.recorded import Recording

KINDS = ("stationary", "trajectory")


@pytest.fixture(scope="module", params=KINDS)
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def gradients():
    return recordings.recorded((4, 7)).astype(np.float32)


def found(source, kind, seed=0):
    """Everything that a probe says, but the name of the file."""
    return {**ss.probe(source, kind=kind, readings=20, seed=seed).as_json(), "name": None}


@pytest.fixture(scope="module")
def plain(gradients, kind):
    return found(gradients, kind)


def test_the_same_seed_gives_the_same_bits(plain, gradients, kind):
    assert found(gradients.copy(), kind) == plain


def test_another_seed_draws_other_signs_and_for_a_stationary_recording_other_orders(plain, gradients, kind):
    other = found(gradients, kind, seed=1)
    assert other["effective_rank"]["anisotropy"] != plain["effective_rank"]["anisotropy"]
    assert (other["pipelines"] == plain["pipelines"]) == (kind == "trajectory")
    assert other["noise"] == plain["noise"]


@pytest.mark.parametrize("form", ["npy", "npz", "safetensors", "iterator", "list", "Fortran", "strided", "Recording"])
def test_wherever_the_numbers_come_from(plain, gradients, kind, form, tmp_path):
    path = tmp_path / f"gradients.{form}"
    source = path
    if form == "npy":
        np.save(path, gradients)
    elif form == "npz":
        np.savez_compressed(path, one=gradients)
    elif form == "safetensors":
        path.write_bytes(recordings.safetensors(gradients))
    else:
        doubled = np.repeat(gradients, 2, axis=0)[::2]
        source = {
            "iterator": iter(gradients), "list": list(gradients), "Fortran": np.asfortranarray(gradients),
            "strided": doubled, "Recording": Recording(gradients, "any"),
        }[form]  # fmt: skip
    assert found(source, kind) == plain


class Piecemeal(Recording):
    """A recording that is handed out a few gradients at a time."""

    def chunks(self, bytes=0):  # noqa: A002, ARG002
        for first in range(0, len(self), 7):
            yield first, self.take(range(first, min(first + 7, len(self))))


def test_how_much_is_read_at_a_time_decides_no_bit(plain, gradients, kind, monkeypatch):
    monkeypatch.setattr(readings, "CHUNK", 5)
    assert found(Piecemeal(gradients, "any"), kind) == plain


@pytest.mark.parametrize("deficient", [False, True])
def test_rounding_is_no_direction(gradients, kind, deficient):
    """float32 gradients keep float32's cut-off of singular values; in float64 their rounding has directions."""
    if deficient:
        gradients = (gradients.astype(float) @ projection(7, 2)).astype(np.float32)
    single, double = (ss.probe(x, kind=kind, readings=20).values["nuclear"][0] for x in (gradients, gradients.astype(float)))
    np.testing.assert_allclose(single, double, rtol=1e-5)
    update = [np.linalg.norm(ss.last_update("polar-only", x, 1.0)) ** 2 for x in (gradients, gradients.astype(float))]
    assert update[0] == pytest.approx(2 if deficient else 4, abs=1e-4)
    assert update[1] == pytest.approx(4, abs=1e-6)


def projection(size, rank):
    left = np.linalg.qr(np.random.default_rng(5).standard_normal((size, rank)))[0]
    return left @ left.T


def test_numbers_that_float32_cannot_hold_are_read_as_they_are(kind):
    exact = recordings.recorded((4, 7))
    rounded = found(exact.astype(np.float32), kind)["noise"]["eta"]["value"]
    assert rounded != found(exact, kind)["noise"]["eta"]["value"] == pytest.approx(rounded, rel=1e-5)
