"""bfloat16 (O3) against a twin that searches the nearest of all bfloat16 numbers, at each, each midpoint and beside."""

import array_api_strict as strict
import numpy as np
import pytest

from spikesim.orthogonal.bfloat16 import LARGEST, round_to_bfloat16

ALL = (np.arange(2**15, dtype=np.uint32) << 16).view(np.float32)  # from 0 up, infinity and NaN at the end
FINITE = ALL[np.isfinite(ALL)].astype(float)
MIDDLES = (FINITE[:-1] + FINITE[1:]) / 2  # exact in float32, and so are the numbers next to them


def by_search(x):
    """The nearer neighbour, and of two as near the one with an even last bit; numbers 0 or more, in float64."""
    above = np.clip(np.searchsorted(FINITE, x), 1, FINITE.size - 1)
    low, high = FINITE[above - 1], FINITE[above]
    up = (high - x < x - low) | ((high - x == x - low) & (above % 2 == 0))
    return np.where(up, high, low)


def strictly(x):
    return np.asarray(round_to_bfloat16(strict.asarray(x)))


@pytest.mark.parametrize("rounding", [round_to_bfloat16, strictly], ids=["bits", "arithmetic"])
def test_every_bfloat16_stays_and_every_midpoint_goes_to_even(rounding):
    middles = MIDDLES.astype(np.float32)
    np.testing.assert_array_equal(middles, MIDDLES)
    beside = np.concatenate([np.nextafter(middles, np.float32(0)), np.nextafter(middles, np.float32(np.inf))])
    for x in (FINITE.astype(np.float32), middles, beside):
        for sign in (1, -1):
            np.testing.assert_array_equal(rounding(np.float32(sign) * x), sign * by_search(x.astype(float)))


@pytest.mark.parametrize("rounding", [round_to_bfloat16, strictly], ids=["bits", "arithmetic"])
def test_random_numbers_go_to_the_nearest(rounding):
    bits = np.random.default_rng(0).integers(0, 0x7F7F0000, 100_000).astype(np.uint32)
    x = bits.view(np.float32)
    np.testing.assert_array_equal(rounding(x), by_search(x.astype(float)))


@pytest.mark.parametrize("rounding", [round_to_bfloat16, strictly], ids=["bits", "arithmetic"])
def test_infinities_begin_half_a_unit_beyond_the_largest(rounding):
    first = np.float32((2 - 2.0**-8) * 2.0**127)
    x = np.array([first, np.nextafter(first, np.float32(0)), np.finfo(np.float32).max, np.inf, -np.inf, -first], np.float32)
    np.testing.assert_array_equal(rounding(x), [np.inf, LARGEST, np.inf, np.inf, -np.inf, -np.inf])


@pytest.mark.parametrize("rounding", [round_to_bfloat16, strictly], ids=["bits", "arithmetic"])
def test_nan_and_zeros_keep_their_kind(rounding):
    nans = np.array([0x7FFFFFFF, 0xFFFFFFFF, 0x7F800001], np.uint32).view(np.float32)
    assert np.all(np.isnan(rounding(nans)))
    tiny = np.array([0.0, -0.0, 1e-45, -1e-45, 2.0**-134, 1.5 * 2.0**-134], np.float32)
    found = rounding(tiny)
    np.testing.assert_array_equal(found, [0, 0, 0, 0, 0, 2.0**-133])
    np.testing.assert_array_equal(np.signbit(found[:2]), [False, True])


def test_views_and_shapes_are_kept():
    x = np.random.default_rng(1).standard_normal((4, 5, 6)).astype(np.float32)
    for view in (x[::2, ::-1], x.transpose(2, 0, 1), x[:0], x[0, 0, 0:1]):
        found = round_to_bfloat16(view)
        assert found.shape == view.shape
        np.testing.assert_array_equal(found, strictly(np.ascontiguousarray(view)))


def test_it_is_what_ml_dtypes_does():
    ml_dtypes = pytest.importorskip("ml_dtypes", reason="ml_dtypes is not installed")
    x = np.random.default_rng(2).integers(0, 2**32, 100_000).astype(np.uint32).view(np.float32)
    np.testing.assert_array_equal(round_to_bfloat16(x), x.astype(ml_dtypes.bfloat16).astype(np.float32))


def test_other_types_are_refused():
    with pytest.raises(ValueError, match=r"need x of float32, got x.dtype='float64'"):
        round_to_bfloat16(np.ones(3))
