"""Blocks that fail are tried again, and then put on record; what is sound goes on, and a later run computes them."""

import multiprocessing
import os
import signal
import sys
import warnings
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest
import survival

import spikesim as ss
import spikesim.cli
from spikesim.sweep import shard, task
from spikesim.sweep import status as states
from spikesim.sweep.failure import Failure, failures
from spikesim.sweep.plan import Share
from spikesim.sweep.run import run_spec
from spikesim.sweep.spec import Spec
from spikesim.sweep.store import Store

TRIALS = 20
SPEC = survival.table(TRIALS)
SECONDS = 5e-5  # five trials a block
WORK = task.run_part
pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return survival.uninterrupted(tmp_path_factory.mktemp("whole") / "store", SPEC)


class Faults:
    """Makes blocks that hold a trial fail, at the point of noise 1, so many times each."""

    def __init__(self, *trials, times=10**9):
        self.trials, self.times, self.tried = trials, times, Counter()

    def __call__(self, design, trials, *rest, **named):
        self.tried[design.model.noise.sigma, trials.start] += 1
        bad = design.model.noise.sigma == 1.0 and any(t in trials for t in self.trials)
        if bad and self.tried[1.0, trials.start] <= self.times:
            raise FloatingPointError(f"no number at {trials.start}")
        return WORK(design, trials, *rest, **named)


@pytest.fixture
def faulty(monkeypatch):
    """Puts faults in, or out with none."""

    def put(*trials, **how):
        faults = Faults(*trials, **how)
        monkeypatch.setattr(task, "run_part", faults)
        return faults

    return put


def ledger(store):
    """Of the point where blocks fail."""
    (point,) = [p for p in store.index.points if p.coordinates["noise.sigma"] == 1.0]
    return store.ledger(point.identity)


@pytest.mark.parametrize("workers", [1, 3])
def test_a_failing_block_is_tried_three_times_and_put_on_record(tmp_path, whole, faulty, monkeypatch, workers):
    store, faults, spec = Store(tmp_path), faulty(7, 16), Spec.from_dict(SPEC)
    ran = run_spec(spec, store, workers=workers, block_seconds=SECONDS)
    assert {first: faults.tried[1.0, first] for first in (0, 5, 10, 15)} == {0: 1, 5: 3, 10: 1, 15: 3}
    said = {f"noise.sigma=1.0, trials {a} to {a + 4}: FloatingPointError: no number at {a}" for a in (5, 15)}
    assert set(ran.failed) == said
    assert (ran.computed, ran.kept, ran.stopped) == (3, 0, False)
    records = failures(ledger(store).folder)
    assert [(f.first, f.after, f.attempts) for f in records] == [(5, 10, 3), (15, 20, 3)]
    assert [p.name for p in sorted(ledger(store).folder.glob("*.json"))] == [
        "0000000005-0000000010.failed.json", "0000000015-0000000020.failed.json",
    ]  # fmt: skip
    assert records[0].error == "FloatingPointError: no number at 5"
    assert records[0].details.startswith("Traceback")
    assert "run_part" in records[0].details
    assert [s.first for s in shard.shards(ledger(store).folder)] == [0, 10]
    monkeypatch.undo()
    assert_counted(store, whole, 10)
    assert run_spec(spec, store, block_seconds=SECONDS).computed == 1
    assert_mended(store, whole)


def assert_counted(store, whole, count):
    """The table counts what failed, and the rest of it is right."""
    table, full = store.table(), whole.table()
    there = np.array([x == 1.0 for x in table["noise.sigma"].to_pylist()])
    survival.assert_same(table.filter(~there), full.filter(~there))
    for name in ("missing", "failed"):
        assert set(np.asarray(table[name])[there]) == {count}
        assert set(np.asarray(table[name])[~there]) == {0}
    assert set(np.asarray(table["n"])[there]) == {TRIALS - count}
    status = {p.label: p for p in states.status(store)}["noise.sigma=1.0"]
    assert (status.done, status.wanted, status.failed) == (TRIALS - count, TRIALS, count)


def assert_mended(store, whole):
    """All is there; records are left over, until they are removed."""
    survival.assert_same(store.table(), whole.table())
    records = [f.path(ledger(store).folder) for f in failures(ledger(store).folder)]
    assert records
    found = states.status(store)
    assert sum(p.failed for p in found) == 0
    assert [x for p in found for x in p.left_over] == records
    before = survival.shards(store)
    assert states.clean(store) == len(records)
    assert failures(ledger(store).folder) == []
    assert survival.shards(store) == before


def test_a_block_that_fails_once_leaves_no_record(tmp_path, whole, faulty):
    store, faults = Store(tmp_path), faulty(7, times=2)
    assert run_spec(Spec.from_dict(SPEC), store, block_seconds=SECONDS).failed == ()
    assert faults.tried[1.0, 5] == 3
    assert failures(ledger(store).folder) == []
    survival.assert_same(store.table(), whole.table())
    assert not any(p.left_over or p.failed for p in states.status(store))


def test_trials_that_failed_in_blocks_of_several_sizes_are_counted_once(tmp_path, whole, faulty):
    """Trials 5 to 9 failed together, then 5 and 7 alone: two are missing, not seven."""
    store, spec = Store(tmp_path), Spec.from_dict(SPEC)
    faulty(5, 7)
    run_spec(spec, store, block_seconds=SECONDS)
    assert_counted(store, whole, 5)
    run_spec(spec, store, block_seconds=1e-5)
    assert [(f.first, f.after) for f in failures(ledger(store).folder)] == [(5, 6), (5, 10), (7, 8)]
    assert_counted(store, whole, 2)
    faulty()
    run_spec(spec, store, block_seconds=1e-5)
    assert_mended(store, whole)


def test_records_of_another_share_are_not_this_ones(tmp_path, whole, faulty):
    store, spec = Store(tmp_path), Spec.from_dict(SPEC)
    faulty(7)
    ran = [run_spec(spec, store, share=Share(i, 2), block_seconds=SECONDS) for i in (1, 2)]
    assert sorted(len(r.failed) for r in ran) == [0, 1]
    assert_counted(store, whole, 5)


def test_from_python_it_is_a_warning(tmp_path, faulty):
    faulty(7)
    with pytest.warns(RuntimeWarning, match="a block failed: noise.sigma=1.0, trials 5 to 9: FloatingPointError") as seen:
        store = ss.Sweep.from_dict(SPEC).run(tmp_path, block_seconds=SECONDS)
    assert len(seen) == 1
    with pytest.raises(ValueError, match=r"found=15, wanted=20; `spikesim run SPEC --out .*; trials 5 to 9 failed: Float"):
        store.at(**{"noise.sigma": 1.0})
    faulty()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ss.Sweep.from_dict(SPEC).run(tmp_path).at(**{"noise.sigma": 1.0}).data.sizes["trial"] == TRIALS


def test_the_command_goes_on_and_its_exit_code_says_it(tmp_path, whole, monkeypatch, capsys):
    spec, folder = survival.toml(tmp_path / "spec.toml", SPEC), tmp_path / "store"
    run = "run", spec, "--out", folder, "--block-seconds", SECONDS

    def command(*words):
        monkeypatch.setattr(sys, "argv", ["spikesim", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            spikesim.cli.main()
        return ended.value.code or 0, capsys.readouterr()

    assert not folder.exists()
    with monkeypatch.context() as inside:
        inside.setattr(task, "run_part", Faults(7))
        code, said = command(*run)
        assert code == 1
        assert "failed: noise.sigma=1.0, trials 5 to 9: FloatingPointError: no number at 5" in said.err
        assert "Traceback" not in said.err
    code, said = command("status", folder)
    assert code == 1
    assert "15 of 20 trials; trials 5 to 9 failed: FloatingPointError: no number at 5" in said.out
    assert "60 trials, 5 failed, 0 damaged files, 0 left over" in said.out
    assert command("status", folder, "--clean")[0] == 1  # a record of what is missing is not left over
    assert command(*run)[0] == 0
    code, said = command("status", folder)
    assert (code, "left over: 0000000005-0000000010.failed.json" in said.out) == (0, True)
    assert command("status", folder, "--clean")[0] == 0
    assert command("status", folder)[1].out == "3 points, 60 of 60 trials, 0 failed, 0 damaged files, 0 left over\n"
    survival.assert_same(Store(folder).table(), whole.table())


@pytest.mark.parametrize("text", ["", "{", "[]", '{"error": 3}', "null"])
def test_a_torn_record_is_a_record_nevertheless(tmp_path, whole, faulty, text):
    store, spec = Store(tmp_path), Spec.from_dict(SPEC)
    faulty(7)
    run_spec(spec, store, block_seconds=SECONDS)
    (record,) = failures(ledger(store).folder)
    record.path(ledger(store).folder).write_text(text)
    assert failures(ledger(store).folder) == [Failure(5, 10, "unreadable record")]
    assert_counted(store, whole, 5)
    faulty()
    run_spec(spec, store)
    assert_mended(store, whole)


def test_an_executor_that_breaks_is_said_and_what_is_done_is_kept(tmp_path, whole, monkeypatch):
    store, spec = Store(tmp_path), Spec.from_dict(SPEC)

    def kills(design, trials, *rest, **named):
        if design.model.noise.sigma == 1.0 and 7 in trials:
            os.kill(os.getpid(), signal.SIGKILL)
        return WORK(design, trials, *rest, **named)

    monkeypatch.setattr(task, "run_part", kills)
    said = pytest.raises(ValueError, match=r"need an executor that takes blocks, got BrokenProcessPool: .*; finished")
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork")) as executor, said:
        run_spec(spec, store, executor=executor, block_seconds=SECONDS)
    before = survival.shards(store)
    assert len(before) == 5  # four blocks of the first point, and one of the second
    assert not any(p.damaged or p.left_over or p.failed for p in states.status(store))
    monkeypatch.undo()
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("fork")) as executor:
        assert run_spec(spec, store, executor=executor, block_seconds=SECONDS).computed == 2
    assert before.items() <= survival.shards(store).items()
    survival.assert_once(store, TRIALS)
    survival.assert_same(store.table(), whole.table())
