"""Numbers are those of a trial alone: workers, blocks and orders of any kind give the same table, bit by bit."""

from concurrent.futures import Executor, Future

import numpy as np
import pytest
import survival

from spikesim.sweep.plan import Share, planned
from spikesim.sweep.run import run_spec
from spikesim.sweep.spec import Spec
from spikesim.sweep.store import Store

POINTS, TRIALS = 4, 13
NAMES = ["alignment", "singular_values", "head_error", "bias_squared", "variance"]
SPEC = {
    "model": {"shape": [6, 9], "spikes": [3.0, 1.0], "noise": {"law": "Gaussian", "sigma": 0.5}},
    "grid": {"noise.sigma": [0.5, 2.0], "spikes": [[3.0], [3.0, 2.0]]},
    "run": {"windows": [1, 4], "trials": TRIALS, "steps": 60, "observables": NAMES, "pipelines": ["pre-polar", "post-polar"]},
}
SECONDS = {"a trial": 1e-9, "some": 5e-4, "all": 5.0}


class Shuffled(Executor):
    """Computes blocks once it has all of them, in an order of its own."""

    def __init__(self, random, count):
        self.random, self.count, self.waiting, self.order = random, count, [], []

    def submit(self, function, task):
        future = Future()
        self.waiting.append((future, function, task))
        if len(self.waiting) == self.count:
            for k in self.random.permutation(self.count):
                future_, function, task = self.waiting[k]
                self.order.append((task.identity, task.first))
                future_.set_result(function(task))
        return future


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return survival.uninterrupted(tmp_path_factory.mktemp("whole") / "store", SPEC, workers=1)


@pytest.fixture
def expected(whole):
    """Its table, checked to hold every kind of number."""
    table = whole.table()
    assert set(table["observable"].to_pylist()) == set(NAMES)
    assert min(table["undefined"].to_pylist()) == 0 < max(table["undefined"].to_pylist())
    return table


@pytest.mark.parametrize("seconds", SECONDS.values(), ids=SECONDS)
@pytest.mark.parametrize("workers", [1, 2, 7])
def test_workers_and_blocks_change_nothing(tmp_path, expected, workers, seconds):
    store = survival.uninterrupted(tmp_path, SPEC, workers=workers, block_seconds=seconds)
    blocks = {"a trial": POINTS * TRIALS, "all": POINTS}
    found = len(survival.shards(store))
    assert found == blocks.get({v: k for k, v in SECONDS.items()}[seconds], found)
    assert POINTS <= found <= POINTS * TRIALS
    survival.assert_once(store, TRIALS)
    survival.assert_same(store.table(), expected)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("seconds", [1e-9, 5e-4])
def test_the_order_of_blocks_changes_nothing(tmp_path, expected, seconds, seed):
    spec, store = Spec.from_dict(SPEC), Store(tmp_path)
    count = sum(len(plan.survey().blocks) for plan in planned(spec, store, block_seconds=seconds))
    executor = Shuffled(np.random.default_rng(seed), count)
    assert run_spec(spec, store, executor=executor, block_seconds=seconds).computed == POINTS
    assert executor.order != sorted(executor.order, key=lambda at: ([p.identity for p in spec.points].index(at[0]), at[1]))
    survival.assert_same(store.table(), expected)


def test_the_order_of_points_changes_nothing_but_the_order_of_rows(tmp_path, expected):
    backwards = SPEC | {"grid": {name: values[::-1] for name, values in reversed(SPEC["grid"].items())}}
    store = survival.uninterrupted(tmp_path, backwards, workers=2, block_seconds=5e-4)
    table = store.table()
    assert table["identity"] != expected["identity"]
    survival.assert_same(by_point(table, expected.column_names), by_point(expected, expected.column_names))


def by_point(table, names):
    """Rows by their point, those of one point in their order; columns in the order of names."""
    identities = np.array(table["identity"].to_pylist())
    return table.take(np.argsort(identities, kind="stable")).select(names).combine_chunks()


def test_blocks_of_different_sizes_in_one_store_change_nothing(tmp_path, expected):
    """Shares of one size, then what is left of another, and more trials than were first asked for."""
    store, fewer = Store(tmp_path), SPEC | {"run": SPEC["run"] | {"trials": 5}}
    run_spec(Spec.from_dict(fewer), store, block_seconds=5e-4)
    run_spec(Spec.from_dict(SPEC), store, block_seconds=1e-9, share=Share(2, 3))
    run_spec(Spec.from_dict(SPEC), store, block_seconds=1.7e-3)
    lengths = {len(name.trials) for p in store.index.points for name in store.ledger(p.identity).used(range(TRIALS))}
    assert len(lengths) >= 3
    survival.assert_once(store, TRIALS)
    survival.assert_same(store.table(), expected)
