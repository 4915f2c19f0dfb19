"""Runs, kills, damage, growth and cleaning of a store in any order, against a dictionary of what was simulated.

The runs are real, of a law so small that a block takes milliseconds; a kill is a run that ends after some of its blocks, with
a torn temporary file where the next one was being written.
"""

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

import spikesim as ss
from spikesim.sweep import status as states
from spikesim.sweep.run import run_spec
from spikesim.sweep.spec import Spec
from spikesim.sweep.store import Store

SIGMAS = (0.5, 1.0, 2.0)
MODEL = {"shape": [4, 6], "spikes": [3.0], "noise": {"law": "Gaussian", "sigma": 0.5}}
RUN = {"windows": [1, 5], "steps": 10, "observables": ["noise_fro"], "joint": False, "method": "scalars"}
MOST = 24


def truth():
    """Noise norms of every trial, by sigma."""
    models = {s: ss.SpikedModel((4, 6), (3.0,), ss.Gaussian(s)) for s in SIGMAS}
    arguments = {"windows": [1, 5], "steps": 10, "observables": ["noise_fro"], "joint": False, "method": "scalars"}
    return {s: ss.simulate(m, trials=MOST, **arguments).noise_fro.values for s, m in models.items()}


class KilledError(Exception):
    """The end of a run."""


class Life(RuleBasedStateMachine):
    """What was ever asked for is in `asked`: sigma -> trials."""

    truth: dict = None

    def __init__(self):
        super().__init__()
        Life.truth = Life.truth or truth()
        self.room = tempfile.TemporaryDirectory()
        self.store, self.spec = Store(Path(self.room.name, "a b é")), None

    def teardown(self):
        self.room.cleanup()

    def files(self):
        return {p: p.read_bytes() for p in self.store.folder.rglob("*-*-*.parquet") if p.parent.name != "quarantine"}

    @rule(
        sigmas=st.lists(st.sampled_from(SIGMAS), min_size=1, unique=True), trials=st.integers(2, MOST),
        seconds=st.sampled_from([1e-9, 3.5e-5, 5.0]), blocks=st.none() | st.integers(0, 3),
    )  # fmt: skip
    def run(self, sigmas, trials, seconds, blocks):
        before, sound = self.files(), self.sound()
        self.spec = Spec.from_dict({"model": MODEL, "grid": {"noise.sigma": sigmas}, "run": RUN | {"trials": trials}})

        def kill(state):
            if blocks is not None and len(self.files()) >= len(before) + blocks and state.points_done < state.points:
                raise KilledError

        try:
            ran = run_spec(self.spec, self.store, progress=kill, workers=1, block_seconds=seconds)
            assert (ran.stopped, ran.failed) == (False, ())
            self.assert_whole(sigmas, trials)
        except KilledError:
            (self.store.folder / self.spec.points[0].identity).mkdir(exist_ok=True)
            (self.store.folder / self.spec.points[0].identity / ".torn.parquet.1.tmp").write_bytes(b"half")
        after = self.files()
        assert all(after[path] == before[path] for path in sound)  # committed is committed

    @rule(which=st.integers(0, 2**20), where=st.integers(0, 2**20), how=st.sampled_from(["flip", "cut", "move"]))
    def damage(self, which, where, how):
        files = sorted(self.files())
        if files:
            path = files[which % len(files)]
            content = bytearray(path.read_bytes())
            content[where % len(content)] ^= 1
            if how == "move":
                path.rename(path.with_name(path.name.replace(path.name[:21], "0000000001-0000000024")))
            else:
                path.write_bytes(content if how == "flip" else content[: len(content) // 2])

    @rule(forget=st.booleans())
    def clean(self, forget):
        if self.spec is not None:
            done = {p.identity: p.done for p in states.status(self.store)}
            states.clean(self.store, forget)
            assert {p.identity: (p.done, p.damaged, p.left_over) for p in states.status(self.store)} == {
                identity: (count, (), ()) for identity, count in done.items()
            }

    def sound(self):
        folders = [p for p in self.store.folder.iterdir() if p.is_dir()] if self.store.folder.is_dir() else []
        ledgers = [self.store.ledger(p.name) for p in folders]
        bad = {ledger.folder / str(s) for ledger in ledgers for s in ledger.damaged()}
        return [path for path in self.files() if path not in bad]

    def assert_whole(self, sigmas, trials):
        assert [r.coordinates["noise.sigma"] for r in self.store] == sigmas
        for result in self.store:
            np.testing.assert_array_equal(result.data.noise_fro, self.truth[result.coordinates["noise.sigma"]][:trials])

    @invariant()
    def what_is_read_is_what_was_simulated(self):
        for point in self.spec.points if self.spec else ():
            for part in self.store.ledger(point.identity).found(range(point.arguments["trials"])):
                expected = self.truth[point.coordinates["noise.sigma"]][part.trial.values]
                np.testing.assert_array_equal(part.noise_fro, expected)


TestLife = Life.TestCase
TestLife.settings = settings(derandomize=True, database=None, deadline=None, max_examples=15, stateful_step_count=10)
