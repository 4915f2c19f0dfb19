"""Sums over trials that do not know how trials were cut."""

from fractions import Fraction
from functools import reduce
from operator import add

import array_api_strict
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from spikesim.kernels.sums import added, portable
from spikesim.moments import Moments
from spikesim.observables import moments


def deviations(count=60, shape=(2, 3, 4, 5), seed=0):
    """Of widely differing sizes, so that sums round at every step."""
    random = np.random.default_rng(seed)
    return random.standard_normal((count, *shape)) * 10 ** random.uniform(-6, 6, (count, *shape))


def same_bits(a, b):
    assert a.count == b.count
    for x, y in ((a.total, b.total), (a.squares, b.squares)):
        assert x[0].tobytes() == y[0].tobytes()


@pytest.mark.parametrize("seed", range(5))
def test_any_cut_and_any_order_of_blocks_give_the_same_bits(seed):
    d, random = deviations(seed=seed), np.random.default_rng(seed)
    whole = Moments.of(d)
    for _ in range(5):
        ends = np.sort(random.choice(np.arange(1, len(d)), 6, replace=False))
        blocks = [Moments.of(part) for part in np.split(d, ends)]
        random.shuffle(blocks)
        same_bits(reduce(add, blocks), whole)
    same_bits(Moments.of(d[::-1]), whole)


def test_plain_sums_do_depend_on_the_order():
    """Negative control: the same numbers, without a second half."""
    d = deviations()
    assert (np.add.reduce(d) != np.add.reduce(d[::-1])).any()


def test_sums_are_exact_to_the_last_bit():
    d = deviations(shape=(1, 1, 2, 2))
    found = Moments.of(d).total[0].reshape(-1)
    for i, x in enumerate(d.reshape(len(d), -1).T):
        assert found[i] == float(sum(map(Fraction, x.tolist())))


def test_estimates_are_those_of_plain_sums():
    d = deviations(9)
    expected = moments(d.sum(0), np.sum(d * d, axis=(0, -2, -1)), 9)
    np.testing.assert_allclose(Moments.of(d).estimates(), expected, rtol=1e-12)


def test_namespaces_agree_bit_by_bit_and_nothing_given_is_changed():
    d = deviations(8)
    kept, strict = d.copy(), Moments.of(array_api_strict.asarray(d))
    same_bits(strict, Moments.of(d))
    assert_array_equal(d, kept)
    one, two = Moments.of(d[:3]), Moments.of(d[3:])
    before = one.total[0].copy()
    same_bits(one + two, two + one)
    assert_array_equal(one.total[0], before)
    pairs = [(x.copy(), y.copy()) for x, y in (one.total, two.total)]
    for a, b in zip(portable(*pairs), added(*pairs), strict=True):
        assert_array_equal(a, b)
