"""Grids of learning rates: the best inside, all of one length, and a pipeline's scale without a say."""

import math
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs torch: make references or make training")
sys.path.append(str(Path(__file__).parents[2] / "experiments"))  # the training is a package of scripts beside the experiments

from training import rates
from training.rates import best, wanted
from training.tasks import QUICK


def searched(loss, length=0):
    """Places tried until none is wanted."""
    found = {k: loss(k) for k in rates.FIRST}
    while more := wanted(found, length):
        assert not set(more) & set(found)
        found |= {k: loss(k) for k in more}
    assert sorted(found) == list(range(min(found), max(found) + 1))
    return found


@pytest.mark.parametrize("at", [-7, -2, 0, 1, 6])
def test_the_best_has_two_others_on_either_side(at):
    found = searched(lambda k: (k - at) ** 2)
    assert best(found) == at
    assert min(found) <= at - 2
    assert max(found) >= at + 2
    assert len(found) <= 5 + abs(at)


def test_a_second_fall_beyond_the_end_is_followed():
    found = searched({-2: 5, -1: 4, 0: 3, 1: 4, 2: 2, 3: 1, 4: 6, 5: 7}.__getitem__)
    assert best(found) == 3


def test_shorter_grids_grow_where_the_best_has_fewer_beside_it():
    found = {k: abs(k - 1.0) for k in range(-2, 4)}
    assert wanted(found, length=7) == (4,)
    assert wanted({k: abs(k + 1.0) for k in range(-3, 3)}, length=7) == (-4,)
    assert wanted(found, length=6) == ()


def test_rates_that_diverge_are_never_best():
    found = searched(lambda k: math.nan if k > 0 else (k - 0.2) ** 2)
    assert best(found) == 0
    assert max(found) == 2


def test_a_loss_that_falls_for_ever_is_an_error():
    with pytest.raises(ValueError, match="need a best rate inside a grid of 16, got losses="):
        searched(lambda k: -k)


def test_middles_give_updates_of_one_size():
    task = QUICK["gpt"]
    assert rates.centre(task, "pre-polar", 0.95, 7) == task.centre
    for pipeline in ("post-polar", "momentum SGD"):
        ratio = rates._size(task, pipeline, 0.95, 7) / rates._size(task, "pre-polar", 0.95, 7)
        middle = rates.centre(task, pipeline, 0.95, 7)
        assert middle * ratio == pytest.approx(task.centre, rel=0.05)
        assert middle > 1.2 * task.centre  # without the rule they would be the same
