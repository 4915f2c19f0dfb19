"""Several runs on one store at the same moment: nothing is lost, and nothing is counted twice."""

import subprocess
from contextlib import ExitStack
from itertools import combinations

import pytest
import survival

from spikesim.sweep import shard
from spikesim.sweep import status as states
from spikesim.sweep.plan import Share
from spikesim.sweep.run import run_spec
from spikesim.sweep.spec import Spec
from spikesim.sweep.store import Store


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return survival.uninterrupted(tmp_path_factory.mktemp("whole") / "store", SPEC)


TRIALS = 30
SPEC = survival.table(TRIALS)
READY = "import sys, spikesim.sweep.run; print('ready', flush=True); sys.stdin.read(); "


def at_once(folder, spec, *options):
    """A process of the command for each list of options, all on one store; none begins before all can."""
    words = [survival.arguments("run", spec, "--out", folder, *each, code=READY + survival.COMMAND) for each in options]
    with ExitStack() as open_:
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        started = [open_.enter_context(subprocess.Popen(each, **pipes)) for each in words]
        assert [process.stdout.readline() for process in started] == [b"ready\n"] * len(started)
        for process in started:
            process.stdin.close()
        for process in started:
            said = process.stderr.read().decode()
            assert process.wait() == 0, said
    return Store(folder)


def test_overlapping_shards_of_runs_at_once_are_never_both_used(tmp_path, whole):
    spec = survival.toml(tmp_path / "spec.toml", SPEC)
    store = at_once(tmp_path / "s", spec, *[["--block-seconds", x] for x in ("1e-5", "7e-5", "1.1e-4")])
    held = [len(s.trials) for p in store.index.points for s in shard.shards(store.ledger(p.identity).folder)]
    assert sum(held) > TRIALS * len(survival.SIGMAS)  # some are of trials that others have
    survival.assert_used_once(store, TRIALS)
    survival.assert_same(store.table(), whole.table())
    assert run_spec(Spec.from_toml(spec), store).kept == len(survival.SIGMAS)
    before = survival.shards(store)
    assert states.clean(store) > 0
    assert survival.shards(store).items() < before.items()
    survival.assert_once(store, TRIALS)
    survival.assert_same(store.table(), whole.table())


def test_shares_at_once_are_disjoint_and_their_union_is_the_whole(tmp_path, whole):
    spec = survival.toml(tmp_path / "spec.toml", SPEC)
    store = at_once(tmp_path / "s", spec, *[["--share", f"{i}/3", "--block-seconds", "7e-5"] for i in (1, 2, 3)])
    survival.assert_once(store, TRIALS)
    survival.assert_same(store.table(), whole.table())
    apart = [Store(tmp_path / str(i)) for i in (1, 2, 3)]
    for i, each in enumerate(apart, 1):
        run_spec(Spec.from_toml(spec), each, share=Share(i, 3), block_seconds=7e-5)
    taken = [trials_of(each) for each in apart]
    assert all(not a & b for a, b in combinations(taken, 2))
    assert min(map(len, taken)) > 0
    assert set.union(*taken) == trials_of(store) == trials_of(whole)


def trials_of(store):
    """(point, trial) of every shard."""
    folders = {p.parent for p in survival.shards(store)}
    return {(f.name, t) for f in folders for s in shard.shards(f) for t in s.trials}


def test_a_share_mends_what_is_damaged_of_another_without_falling_over(tmp_path, whole):
    """The damaged shard is set aside by whoever comes first, and computed again by the run whose share it is."""
    spec, store = Spec.from_dict(SPEC), Store(tmp_path)
    run_spec(spec, store, block_seconds=7e-5)
    path = sorted(survival.shards(store))[0]
    path.write_bytes(b"torn")
    ran = [run_spec(spec, store, share=Share(i, 3), block_seconds=7e-5) for i in (3, 2, 1)]
    assert sum(r.computed for r in ran) == 1
    survival.assert_once(store, TRIALS)
    survival.assert_same(store.table(), whole.table())


def test_a_damaged_shard_for_which_others_stand_costs_nothing(tmp_path, whole):
    spec, store = Spec.from_dict(SPEC), Store(tmp_path)
    run_spec(spec, store, block_seconds=7e-5)
    (first, *_), (one, *_) = sorted(survival.shards(store)), sorted(survival.shards(whole))
    torn = first.parent / one.name  # all trials of the point
    for read in (lambda: survival.assert_same(store.table(), whole.table()), lambda: run_spec(spec, store)):
        torn.write_bytes(b"torn")
        (status, *_) = states.status(store)
        assert (status.done, status.damaged) == (TRIALS, (torn,))
        read()
    assert not torn.exists()  # the run set it aside, the table did not touch it
    assert run_spec(spec, store).kept == len(survival.SIGMAS)


def test_fresh_computes_again_what_overlaps_too(tmp_path, whole):
    store, spec = Store(tmp_path), Spec.from_dict(SPEC)
    run_spec(spec, store, block_seconds=7e-5)
    for path, content in survival.shards(whole).items():  # the same trials in one shard besides
        (store.folder / path.parent.name / path.name).write_bytes(content)
    before = survival.shards(store)
    assert run_spec(spec, store, fresh=True, block_seconds=7e-5).computed == len(survival.SIGMAS)
    after = survival.shards(store)
    assert not before.keys() & after.keys()  # the seconds that they took are in them, and so in their names
    survival.assert_once(store, TRIALS)
    survival.assert_same(store.table(), whole.table())
