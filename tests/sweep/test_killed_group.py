"""The command, killed with all its processes at any moment and started again, ends as if it had never been."""

import os
import signal
import subprocess
import time

import numpy as np
import survival

from spikesim.sweep import status as states
from spikesim.sweep.store import Store

BLOCK_SECONDS = 1e-5  # a trial a block
PATIENCE = 60.0


class Life:
    """One store after the other: each is killed and resumed until it is done, and then held against the whole one."""

    def __init__(self, folder, spec, whole, random):
        self.folder, self.spec, self.whole, self.random = folder, spec, whole, random
        self.stores, self.before, self.said = [], {}, []
        self.checked = self.at_work = self.torn = 0
        self._next()

    def _next(self):
        self.stores.append(Store(self.folder / f"store {len(self.stores)}"))
        self.before = {}

    @property
    def words(self):
        return "run", self.spec, "--out", self.stores[-1].folder, "--block-seconds", BLOCK_SECONDS

    def kill(self, anywhere):
        """Kill a run, at a moment between its start and its end, or soon after its first block."""
        process = subprocess.Popen(
            survival.arguments(*self.words), start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        self.wait(process, anywhere)
        ended = process.poll() is not None
        if not ended:
            os.killpg(process.pid, signal.SIGKILL)
        said = process.communicate()[1].decode()
        assert process.returncode == (0 if ended else -signal.SIGKILL), said
        self.look(ended)

    def wait(self, process, anywhere):
        if anywhere:
            time.sleep(self.random.uniform(0.0, 1.4))
            return
        deadline = time.monotonic() + PATIENCE
        while process.poll() is None and time.monotonic() < deadline and survival.shards(self.stores[-1]) == self.before:
            time.sleep(0.001)
        time.sleep(self.random.uniform(0.0, 0.2))

    def look(self, ended):
        store = self.stores[-1]
        after = survival.shards(store)
        assert self.before.items() <= after.items()  # committed is committed
        self.checked += len(self.before)
        self.at_work += not ended and len(after) > len(self.before)
        self.torn += len(list(store.folder.rglob("*.tmp")))
        self.before = after
        if len(after) == len(survival.SIGMAS) * survival.TRIALS:
            self.finish()

    def finish(self):
        """Run what is left, and hold the store against the whole one."""
        assert survival.command(*self.words).returncode == 0
        store = self.stores[-1]
        survival.assert_once(store)
        survival.assert_same(store.table(), self.whole.table())
        assert not any(p.damaged for p in states.status(store))
        states.clean(store)
        assert not list(store.folder.rglob("*.tmp"))
        assert survival.shards(store).keys() >= self.before.keys()
        survival.assert_same(store.table(), self.whole.table())
        self._next()


def test_the_whole_group_killed_at_random_moments(tmp_path, full_size, record_property):
    kills = 100 if full_size else 12
    spec = survival.toml(tmp_path / "spec.toml", survival.table())
    life = Life(tmp_path, spec, survival.uninterrupted(tmp_path / "whole", survival.table()), np.random.default_rng(0))
    for number in range(kills):
        life.kill(anywhere=number % 2 == 0)
    life.finish()
    for name in ("at_work", "checked", "torn"):
        record_property(name, getattr(life, name))
    print(f"{kills} kills, {life.at_work} while blocks were committed, {life.checked} shards held against their bytes, "
          f"{life.torn} temporary files, {len(life.stores) - 1} stores")  # fmt: skip
    assert life.at_work >= kills // 4
    assert life.checked > 0
