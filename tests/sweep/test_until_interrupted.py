"""Points that stop by themselves stop after the same trials, whatever interrupted them and in whatever blocks."""

import os
import signal
import subprocess
import time
from itertools import count
from threading import Event

import numpy as np
import pytest
import survival

from spikesim.sweep import status as states
from spikesim.sweep import task
from spikesim.sweep.plan import Share
from spikesim.sweep.run import run_spec
from spikesim.sweep.spec import Spec
from spikesim.sweep.store import Store

AT_MOST, EVERY = 200, 20
RULE = {"mean": "noise_fro", "window": 4, "standard_error": 0.03, "every": EVERY}
SPEC = survival.table(AT_MOST, [0.5, 0.75, 1.0], until=RULE)
SIGMAS = SPEC["grid"]["noise.sigma"]
WORK = task.run_part


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return survival.uninterrupted(tmp_path_factory.mktemp("whole") / "store", SPEC)


def ends(store):
    """Trials after which each point stopped."""
    return [p.wanted for p in states.status(store)]


def test_points_stop_early_and_not_alike(whole):
    assert ends(whole) == sorted(ends(whole))
    assert EVERY < ends(whole)[0] < ends(whole)[-1] < AT_MOST
    assert all(end % EVERY == 0 for end in ends(whole))


def assert_ended(store, whole):
    """As the whole one, with no trial twice."""
    assert ends(store) == ends(whole)
    survival.assert_same(store.table(), whole.table())
    for point, end in zip(store.index.points, ends(whole), strict=True):
        used = [s for between in point.rounds for s in store.ledger(point.identity).used(between)]
        assert sum(len(s.trials) for s in used) == end
        assert max(s.after for s in used) == end  # no round more than the whole one


@pytest.mark.parametrize(("seconds", "most"), [(2e-5, 50), (7e-5, 15), (5.0, 5)])  # blocks between two stops
@pytest.mark.parametrize("workers", [1, 2])
def test_stopped_again_and_again_it_ends_alike(tmp_path, whole, workers, seconds, most):
    """Ctrl-C at a random state of the run: what is under way is finished, and no more begun."""
    store, spec, random, stops = Store(tmp_path), Spec.from_dict(SPEC), np.random.default_rng(workers), 0
    for _ in range(200):
        stop, after = Event(), int(random.integers(1, most))
        ran = run_spec(spec, store, progress=setter(stop, after), stop=stop, workers=workers, block_seconds=seconds)
        stops += ran.stopped
        if not ran.stopped:
            break
    assert not ran.stopped
    assert stops >= 2
    assert_ended(store, whole)
    assert run_spec(spec, store).kept == len(SIGMAS)


def setter(stop, after):
    """Progress that stops the run when it is told for the n-th time."""
    told = count(1)

    def progress(_state):
        if next(told) >= after:
            stop.set()

    return progress


def test_other_blocks_in_every_life_change_nothing(tmp_path, whole, monkeypatch):
    store, spec, random = Store(tmp_path), Spec.from_dict(SPEC), np.random.default_rng(0)
    lives = 0
    with monkeypatch.context() as inside:
        while lives < 200:
            inside.setattr(task, "run_part", breaking(random))
            lives += 1
            try:
                run_spec(spec, store, workers=1 + lives % 2, block_seconds=random.choice([1e-5, 3e-5, 7e-5, 5.0]))
            except KeyboardInterrupt:
                continue
            break
    assert lives >= 5
    assert_ended(store, whole)


def breaking(random):
    """Ends the run at once, some blocks later."""
    left = int(random.integers(2, 12))

    def run_part(*arguments, **named):
        nonlocal left
        left -= 1
        if left == 0:
            raise KeyboardInterrupt
        return WORK(*arguments, **named)

    return run_part


def test_killed_and_resumed_it_ends_alike(tmp_path, whole, full_size):
    spec, random = survival.toml(tmp_path / "spec.toml", SPEC), np.random.default_rng(1)
    at_work = 0
    for number in range(5 if full_size else 1):
        store = Store(tmp_path / f"store {number}")
        for workers, seconds in [(1, 1e-5), (2, 4e-5), (2, 1e-5), (1, 4e-5)][: 4 if full_size else 2]:
            words = "run", spec, "--out", store.folder, "--workers", workers, "--block-seconds", seconds
            at_work += killed(store, random, *words)
        assert run_spec(Spec.from_toml(spec), store).failed == ()
        assert_ended(store, whole)
    print(f"{at_work} kills while blocks were computed")
    assert at_work >= 2


def killed(store, random, *words):
    """Kill a command's group once it has written some shards more; whether it had not ended before."""
    before = survival.shards(store)
    quiet = dict.fromkeys(("stdout", "stderr"), subprocess.DEVNULL)
    with subprocess.Popen(survival.arguments(*words), start_new_session=True, **quiet) as process:
        wanted = len(before) + int(random.integers(1, 20))
        while process.poll() is None and len(survival.shards(store)) < wanted:
            time.sleep(0.001)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert before.items() <= survival.shards(store).items()
    return process.returncode == -signal.SIGKILL


@pytest.mark.parametrize("of", [2, 3])
def test_shares_are_of_whole_points(tmp_path, whole, of):
    spec, store = Spec.from_dict(SPEC), Store(tmp_path)
    for number in range(1, of + 1):
        before = survival.shards(store)
        run_spec(spec, store, share=Share(number, of), block_seconds=7e-5)
        folders = {p.parent.name for p in survival.shards(store).keys() - before.keys()}
        assert folders == {p.identity for i, p in enumerate(spec.points) if i % of == number - 1}
    assert_ended(store, whole)


def test_trials_beyond_the_end_and_their_failures_are_not_asked_for(tmp_path, whole, monkeypatch):
    """A stricter rule went further, and failed there; the rule of the index is content without."""
    stricter = survival.table(AT_MOST, SIGMAS, until=RULE | {"standard_error": 0.02})
    store, beyond = Store(tmp_path), ends(whole)[0]

    def fails(design, trials, *rest, **named):
        if trials.start >= beyond and design.model.noise.sigma == 0.5:
            raise FloatingPointError("no number")
        return WORK(design, trials, *rest, **named)

    with monkeypatch.context() as inside:
        inside.setattr(task, "run_part", fails)
        assert len(run_spec(Spec.from_dict(stricter), store).failed) == 1
    assert sum(p.failed for p in states.status(store)) == EVERY
    run_spec(Spec.from_dict(SPEC), store)
    assert [(p.done, p.wanted, p.failed, p.errors) for p in states.status(store)] == [(n, n, 0, ()) for n in ends(whole)]
    survival.assert_same(store.table(), whole.table())
