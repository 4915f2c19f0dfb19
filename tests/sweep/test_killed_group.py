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
        self.stores, self.before, self.torn = [], {}, set()
        self.checked = self.at_work = 0
        self.to_begin = 1.0
        self._next()

    def _next(self):
        self.stores.append(Store(self.folder / f"store {len(self.stores)}"))
        self.before = {}

    @property
    def words(self):
        return "run", self.spec, "--out", self.stores[-1].folder, "--block-seconds", BLOCK_SECONDS

    @property
    def shards(self):
        """Names, which is quicker than bytes."""
        return list(self.stores[-1].folder.glob("*/*.parquet"))

    def kill(self, anywhere):
        """Kill a run, at a moment between its start and its end, or soon after its first block."""
        process = subprocess.Popen(
            survival.arguments(*self.words), start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        self.wait(process, anywhere)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        said = process.communicate()[1].decode()
        assert process.returncode in (0, -signal.SIGKILL), said
        self.look(ended=process.returncode == 0)

    def wait(self, process, anywhere):
        if anywhere:
            time.sleep(self.random.uniform(0.0, 1.6 * self.to_begin))
            return
        start = time.monotonic()
        while process.poll() is None and time.monotonic() < start + PATIENCE and len(self.shards) == len(self.before):
            time.sleep(0.005)
        self.to_begin = time.monotonic() - start
        time.sleep(self.random.uniform(0.0, 0.15))

    def look(self, ended):
        store = self.stores[-1]
        after = survival.shards(store)
        assert self.before.items() <= after.items()  # committed is committed
        self.checked += len(self.before)
        self.at_work += not ended and len(after) > len(self.before)
        self.torn |= set(store.folder.rglob("*.tmp"))
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


def test_the_whole_group_killed_at_random_moments(tmp_path, full_size):
    kills = 100 if full_size else 8
    spec = survival.toml(tmp_path / "spec.toml", survival.table())
    life = Life(tmp_path, spec, survival.uninterrupted(tmp_path / "whole", survival.table()), np.random.default_rng(0))
    for number in range(kills):
        life.kill(anywhere=number % 2 == 1)
    life.finish()
    print(
        f"{kills} kills, {life.at_work} after new blocks, {len(life.torn)} of them within a write; "
        f"{life.checked} shards held against their bytes, {len(life.stores) - 1} stores against the whole one"
    )
    assert life.at_work >= kills // 4
    assert life.checked > 0
