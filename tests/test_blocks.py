"""Trials in blocks: in order, whatever their size; halved where they do not fit."""

import gc
import importlib
import threading
import warnings
import weakref

import numpy as np
import pytest

import spikesim as ss
from spikesim.blocks import collect, cut


def test_blocks_cover_the_trials_in_their_order():
    assert [list(b) for b in cut(range(9, 0, -2), 2)] == [[9, 7], [5, 3], [1]]


@pytest.mark.parametrize("most", [1, 2, 3, 7])
@pytest.mark.parametrize("workers", [1, 3])
def test_a_block_that_does_not_fit_is_halved_and_nothing_is_lost(most, workers):
    ran, lock, told = [], threading.Lock(), []

    def run(block, _stop):
        with lock:
            ran.append(len(block))
        if len(block) > most:
            raise MemoryError("no room")
        return list(block)

    with pytest.warns(UserWarning, match=r"trials do not fit into memory \(no room\): \d+ at once") as warned:
        out = list(collect(run, range(40), 16, workers, lambda done, total: told.append((done, total))))
    assert [t for block in out for t in block] == list(range(40))
    assert told[-1] == (40, 40)
    assert str(warned[0].message).startswith("16 trials")
    assert len(warned) <= 4  # 16, 8, 4, 2: one a halving, whatever was under way
    assert ran.count(16) <= 2


def test_one_trial_that_does_not_fit_ends_the_run():
    def run(_block, _stop):
        raise MemoryError("no room")

    with pytest.raises(MemoryError, match="no room"), pytest.warns(UserWarning, match="1 at once"):
        list(collect(run, range(5), 2, 1))


def test_results_of_halved_blocks_are_the_same_bits(monkeypatch):
    module = importlib.import_module("spikesim.simulate")
    model, options = ss.SpikedModel((6, 8), (5.0, 3.0), ss.Gaussian(0.5)), {"windows": [1, 4], "trials": 23, "steps": 16}
    whole, run = ss.simulate(model, workers=1, **options), module.run_block

    def short_of_room(design, trials, *rest):
        if len(trials) > 5:
            raise MemoryError
        return run(design, trials, *rest)

    monkeypatch.setattr(module, "run_block", short_of_room)
    with pytest.warns(UserWarning, match="do not fit into memory"):
        halved = ss.simulate(model, workers=1, **options)
    for name in whole:
        np.testing.assert_array_equal(halved[name].values, whole[name].values)


class Held:
    """Memory of a machine for a few trials, held by whatever refers to it."""

    def __init__(self, room):
        self.free, self.lock = room, threading.Lock()

    def take(self, count):
        with self.lock:
            if count > self.free:
                raise MemoryError(f"{self.free} left of what {count} trials take")
            self.free -= count
        taken = set()  # something that can be watched
        weakref.finalize(taken, self.give, count)
        return taken

    def give(self, count):
        with self.lock:
            self.free += count


@pytest.mark.parametrize("trials", [40, 160, 400])
@pytest.mark.parametrize(("room", "workers"), [(7, 2), (3, 2), (1, 1), (1, 3), (2, 4)])
def test_what_failed_is_let_go_and_a_lone_trial_waits_for_the_others(trials, room, workers):
    """Each trial takes one unit, twice while it is under way; no garbage collector helps, and nothing that fits dies."""
    memory = Held(2 * room)

    def run(block, _stop):
        first = memory.take(len(block))
        second = memory.take(len(block))
        assert first is not second
        return list(block)

    gc.disable()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            out = [t for block in collect(run, range(trials), 32, workers) for t in block]
    finally:
        gc.enable()
    assert out == list(range(trials))
    assert memory.free == 2 * room
