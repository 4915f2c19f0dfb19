"""Every shard says on what machine and from which source it was made."""

import json
import subprocess

from spikesim.sweep import shard
from spikesim.sweep.provenance import commit, provenance
from spikesim.sweep.run import run_spec
from spikesim.sweep.spec import Spec
from spikesim.sweep.store import Store

TABLE = {
    "model": {"shape": [4, 5], "spikes": [3.0], "noise": {"law": "Gaussian", "sigma": 0.5}},
    "run": {"windows": [1, 4], "trials": 3, "steps": 12, "observables": ["alignment"]},
}


def test_every_shard_has_it_and_so_has_what_is_read(tmp_path):
    store, spec = Store(tmp_path), Spec.from_dict(TABLE)
    run_spec(spec, store)
    folder = store.ledger(spec.points[0].identity).folder
    (name,) = shard.shards(folder)
    attrs = shard.read(folder, name).attrs
    found = json.loads(attrs["provenance"])
    assert set(found) == {"python", "platform", "cpu", "blas", "commit"}
    assert all(found[name] for name in ("python", "platform", "blas"))
    assert {"versions", "layout", "device", "dtype", "method"} <= set(attrs)
    assert next(iter(store)).data.attrs["provenance"] == provenance()


def git(folder, *arguments):
    who = ["-c", "user.name=a", "-c", "user.email=a@b"]
    run = subprocess.run(["git", "-C", str(folder), *who, *arguments], capture_output=True, text=True, check=True)
    return run.stdout.strip()


def test_the_commit_is_told_and_whether_files_are_changed_since(tmp_path):
    folder = tmp_path / "repository"
    folder.mkdir()
    assert commit(folder) == ""
    git(folder, "init")
    assert commit(folder) == ""
    (folder / "file").write_text("one")
    assert commit(folder) == ""  # of a repository that does not track it
    git(folder, "add", "file")
    git(folder, "commit", "-m", "one")
    now = git(folder, "rev-parse", "HEAD")
    assert commit(folder) == now
    (folder / "file").write_text("two")
    assert commit(folder) == now + "+"
    assert commit(tmp_path / "nowhere") == ""
