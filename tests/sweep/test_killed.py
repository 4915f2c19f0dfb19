"""A run that is killed at any moment, and started again, ends as if it had never been: no file is lost or changed."""

import multiprocessing
import os
import signal
import time
from itertools import chain

import numpy as np
import pytest

from spikesim.sweep import shard
from spikesim.sweep.run import run_spec
from spikesim.sweep.spec import Spec
from spikesim.sweep.store import Store

TABLE = {
    "model": {"shape": [8, 12], "spikes": [3.0], "noise": {"law": "Gaussian", "sigma": 0.5}},
    "grid": {"noise.sigma": [0.5, 1.0]},
    "run": {"windows": [1, 4, 20], "trials": 60, "steps": 400},
}
KILLS = 30
pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # no other thread is at work then


def contents(store):
    return {p: p.read_bytes() for p in store.folder.rglob("*.parquet")}


def results(store):
    return {(r.coordinates["noise.sigma"], name): x.values for r in store for name, x in r.data.items()}


def assert_same(a, b):
    assert set(a) == set(b)
    for key, x in a.items():
        assert x.tobytes() == b[key].tobytes(), key


def run(spec, store, block_seconds):
    run_spec(spec, store, block_seconds=block_seconds)


def killed(store, spec, seconds):
    """A run in a process of its own, killed after some time; whether it had ended by itself."""
    process = multiprocessing.get_context("fork").Process(target=run, args=(spec, store, 0.01))  # a few trials a block
    process.start()
    time.sleep(seconds)
    ended = not process.is_alive()
    if not ended:
        os.kill(process.pid, signal.SIGKILL)
    process.join()
    return ended


def test_killed_at_random_moments_and_resumed_it_ends_the_same(tmp_path):
    spec, random = Spec.from_dict(TABLE), np.random.default_rng(0)
    whole = Store(tmp_path / "whole")
    run_spec(spec, whole)  # compiles everything, in large blocks
    expected = results(whole)
    store, before, kills = Store(tmp_path / "killed"), {}, 0
    for seconds in random.uniform(0.01, 0.25, KILLS):
        kills += not killed(store, spec, seconds)
        after = contents(store)
        assert before.items() <= after.items()  # committed is committed
        before = after
    assert kills >= 5
    run_spec(spec, store)
    assert_same(results(store), expected)
    for point in spec.points:
        names = shard.shards(store.ledger(point.identity).folder)
        assert sorted(chain.from_iterable(s.trials for s in names)) == list(range(60))  # nothing twice, nothing lost


def test_two_runs_at_once_lose_nothing(tmp_path):
    spec = Spec.from_dict(TABLE)
    whole = Store(tmp_path / "whole")
    run_spec(spec, whole)
    store = Store(tmp_path / "shared")
    processes = []
    for seconds in (0.01, 0.03):  # blocks of different sizes, so that shards overlap
        processes.append(multiprocessing.get_context("fork").Process(target=run, args=(spec, store, seconds)))
        processes[-1].start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    run_spec(spec, store)
    assert_same(results(store), results(whole))
