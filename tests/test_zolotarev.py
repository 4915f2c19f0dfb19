"""Zolotarev's rule: its error is what was asked for on the whole interval, and with fewer nodes than any smaller error."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from spikesim.zolotarev import zolotarev


def off(d, x, w):
    """What the rule is off by at each d."""
    return 2 / np.pi * np.sum(w * d[:, None] / (d[:, None] ** 2 + x**2), axis=1) - 1


@pytest.mark.parametrize("error", [0.1, 1e-2, 1e-5, 1e-11, 2e-15])
@pytest.mark.parametrize("ratio", [1.0, 0.7, 0.3, 1e-2, 1e-5, 1e-8, 1e-12, 1e-40])
def test_the_error_is_as_asked_for_within_the_interval(ratio, error):
    high = 3.0
    x, w = zolotarev(ratio * high, high, error)
    d = np.geomspace(ratio * high, high, 4001)
    assert np.max(np.abs(off(d, x, w))) <= error + 1e-14
    assert np.all(np.diff(x) > 0)
    assert np.all(w > 0)


@pytest.mark.parametrize("ratio", [0.3, 1e-3, 1e-12])
def test_errors_alternate_at_full_size_so_that_no_rule_of_as_many_nodes_is_better(ratio):
    x, w = zolotarev(ratio, 1.0, 1e-6)
    e = off(np.geomspace(ratio, 1.0, 20_001), x, w)
    turns = np.flatnonzero(np.diff(np.sign(np.diff(e)))) + 1
    peaks = np.concatenate([e[:1], e[turns], e[-1:]])
    assert len(peaks) == 2 * len(x) + 1
    assert_allclose(np.abs(peaks), np.abs(peaks).max(), rtol=1e-4)
    assert np.all(np.diff(np.sign(peaks)) != 0)


def test_it_goes_with_the_unit():
    for a, b in zip(zolotarev(1e-3, 2.0, 1e-8), zolotarev(4e-3, 8.0, 1e-8), strict=True):
        assert_allclose(4 * a, b, rtol=1e-15)


def test_eighty_nodes_reach_eleven_digits_over_twelve_decades():
    assert len(zolotarev(1e-12, 1.0, 1e-11)[0]) == 79


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.0, 1.0, 1e-3), r"need 0 < low <= high, low >= 1e-100 high, got low=0.0, high=1.0"),
        ((2.0, 1.0, 1e-3), r"need 0 < low <= high"),
        ((1.0, np.inf, 1e-3), r"need 0 < low <= high"),
        ((1e-101, 1.0, 1e-3), r"need 0 < low <= high"),
        ((float("nan"), 1.0, 1e-3), r"need 0 < low <= high"),
        ((0.1, 1.0, 1e-15), r"need 1e-15 < error <= 0.1, got error=1e-15"),
        ((0.1, 1.0, 1.0), r"need 1e-15 < error <= 0.1"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        zolotarev(*arguments)
