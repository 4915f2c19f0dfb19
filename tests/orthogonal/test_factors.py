"""Shape factors (O9) by what they are for: norms of the polar factor that they multiply."""

import numpy as np
import pytest
from stacks import random, singular

import spikesim as ss
from spikesim.orthogonal.factors import FACTORS, shape_factor

SIDES = [(8, 8), (4, 16), (16, 4)]


@pytest.mark.parametrize("shape", SIDES)
def test_rms_rms_gives_the_rms_to_rms_norm_one(shape):
    n = shape[1]
    a = shape_factor(shape, "rms-rms") * ss.polar_factor(random(*shape))
    _, _, right = np.linalg.svd(a)
    x = right[0] * n**0.5  # root mean square 1, in the direction that grows most
    assert np.sqrt(np.mean(x**2)) == pytest.approx(1)
    assert np.sqrt(np.mean((a @ x) ** 2)) == pytest.approx(1)


@pytest.mark.parametrize("shape", SIDES)
def test_adam_rms_gives_entries_of_a_fifth(shape):
    a = shape_factor(shape, "adam-rms") * ss.polar_factor(random(*shape))
    assert np.sqrt(np.mean(a**2)) == pytest.approx(0.2)


def test_muons_factor_never_shrinks():
    assert [shape_factor(s, "muon") for s in SIDES] == [1, 1, 2]
    assert [shape_factor(s, None) for s in SIDES] == [1, 1, 1]
    assert singular(shape_factor((16, 4), "muon") * ss.polar_factor(random(16, 4))).max() == pytest.approx(2)


def test_the_last_two_sides_of_a_stack_count():
    for name in FACTORS:
        assert shape_factor((7, 16, 4), name) == shape_factor((16, 4), name)


@pytest.mark.parametrize(("shape", "name", "message"), [
    ((4,), "muon", r"need shape == \(..., m, n\), m and n integers >= 1, got shape=\(4,\)"),
    ((0, 4), "muon", "need shape"),
    ((2.0, 4), None, "need shape"),
    ((2, 4), "adam", "need name in .+ got name='adam'"),
])  # fmt: skip
def test_bad_shapes_and_names_are_refused(shape, name, message):
    with pytest.raises(ValueError, match=message):
        shape_factor(shape, name)
