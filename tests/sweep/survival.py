"""What the tests of survival share: a sweep that needs no compiler, the command as a process, and tables bit by bit."""

import json
import subprocess
import sys
from itertools import chain, pairwise

import numpy as np

from spikesim.sweep import shard
from spikesim.sweep.run import run_spec
from spikesim.sweep.spec import Spec
from spikesim.sweep.store import Store

COMMAND = "from spikesim.cli import main; main()"
SIGMAS = [0.5, 1.0, 2.0]
TRIALS = 100


def table(trials=TRIALS, sigmas=SIGMAS, **run):
    """A spec whose blocks are drawn by NumPy alone: what takes time is to begin, to store and to read."""
    scalars = {"method": "scalars", "joint": False, "observables": ["noise_fro"], "pipelines": ["pre-polar"]}
    return {
        "model": {"shape": [8, 12], "spikes": [3.0], "noise": {"law": "Gaussian", "sigma": 0.5}},
        "grid": {"noise.sigma": sigmas},
        "run": {"windows": [1, 4, 20], "trials": trials, **scalars, **run},
    }  # fmt: skip


def toml(path, spec):
    """The same as a file."""

    def value(x):
        return "{" + ", ".join(f"{k} = {value(v)}" for k, v in x.items()) + "}" if isinstance(x, dict) else json.dumps(x)

    lines = [line for name, part in spec.items() for line in (f"[{name}]", *(f'"{k}" = {value(v)}' for k, v in part.items()))]
    path.write_text("\n".join(lines))
    return path


def arguments(*words, code=COMMAND):
    """A process of `spikesim`."""
    return [sys.executable, "-c", code, *map(str, words)]


def command(*words, code=COMMAND):
    """What became of a process of `spikesim`."""
    return subprocess.run(arguments(*words, code=code), capture_output=True, text=True)


def uninterrupted(folder, spec, **how):
    """A store that was made in one go."""
    store = Store(folder)
    assert not run_spec(Spec.from_dict(spec), store, **how).failed
    return store


def shards(store):
    """Every shard and its bytes."""
    return {p: p.read_bytes() for p in store.folder.glob("*/*.parquet")}


def assert_same(one, other):
    """Tables that are equal, and whose numbers have the same bits."""
    assert one.num_rows > 0
    assert one.equals(other)
    for name in one.column_names:
        if str(one.schema.field(name).type) == "double":
            assert bits(one[name]) == bits(other[name]), name


def bits(column):
    return column.to_numpy(zero_copy_only=False).tobytes()


def assert_once(store, trials=TRIALS):
    """Every trial of every point is in just one shard."""
    for point in store.index.points:
        names = shard.shards(store.ledger(point.identity).folder)
        assert sorted(chain.from_iterable(s.trials for s in names)) == list(range(trials))


def assert_used_once(store, trials=TRIALS):
    """Of shards that may overlap, those that answer hold every trial once."""
    for point in store.index.points:
        used = store.ledger(point.identity).used(range(trials))
        assert all(a.after == b.first for a, b in pairwise(used))
        assert sum(len(s.trials) for s in used) == trials
    assert set(np.asarray(store.table()["n"])) == {trials}
