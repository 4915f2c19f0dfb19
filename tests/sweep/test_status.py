"""What a store holds is said, and what is damaged or left over is found and removed, but nothing else."""

import json
import subprocess
import sys

import pytest

from spikesim.sweep import status as states
from spikesim.sweep.remedy import of_damage
from spikesim.sweep.run import run_spec
from spikesim.sweep.spec import Spec
from spikesim.sweep.store import Store

TABLE = {
    "model": {"shape": [4, 5], "spikes": [3.0], "noise": {"law": "Gaussian", "sigma": 0.5}},
    "grid": {"noise.sigma": [0.5, 1.0]},
    "run": {"windows": [1, 4], "trials": 3, "steps": 12, "observables": ["alignment"]},
}


@pytest.fixture
def store(tmp_path):
    made = Store(tmp_path / "a b é")
    run_spec(Spec.from_dict(TABLE), made)
    return made


def files(store):
    return sorted(p for p in store.folder.rglob("*") if p.is_file())


def spoil(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_a_finished_store_is_said_to_be_so(store):
    points = states.status(store)
    assert [(p.label, p.done, p.wanted, p.damaged, p.left_over) for p in points] == [
        ("noise.sigma=0.5", 3, 3, (), ()), ("noise.sigma=1.0", 3, 3, (), ()),
    ]  # fmt: skip
    assert states.text(points) == "2 points, 6 of 6 trials, 0 failed, 0 damaged files, 0 left over"


def test_damage_and_what_is_left_over_are_found_and_removed_alone(store):
    whole, shards = files(store), [p for p in files(store) if p.suffix == ".parquet"]
    spoil(shards[0])
    torn = shards[1].parent / f".{shards[1].name}.77.tmp"
    torn.write_bytes(b"half")
    points = states.status(store)
    assert [x for p in points for x in p.damaged] == [shards[0]]
    assert [x for p in points for x in p.left_over] == [torn]
    assert sum(p.done for p in points) == 3
    said = states.text(points)
    assert f"0 of 3 trials; damaged: {shards[0]}" in said
    assert f"left over: {torn.name}" in said
    assert states.clean(store) == 2
    assert files(store) == [p for p in whole if p != shards[0]]
    assert run_spec(Spec.from_dict(TABLE), store).computed == 1
    assert states.text(states.status(store)).startswith("2 points, 6 of 6 trials, 0 failed, 0 damaged")


def command(*arguments):
    code = "from spikesim.cli import main; main()"
    return subprocess.run([sys.executable, "-c", code, "status", *map(str, arguments)], capture_output=True, text=True)


def test_of_many_damaged_files_the_first_are_named(tmp_path):
    said = of_damage([tmp_path / "point" / f"{k}" for k in range(9)])
    assert said.startswith(
        f"damaged: {', '.join(str(tmp_path / 'point' / str(k)) for k in range(3))}, 6 more; `spikesim run "
    )
    assert f"--out {tmp_path}` sets them aside" in said
    assert "\n" not in of_damage([tmp_path / "a\nb" / "point" / "x"])


def test_the_command_says_it_and_its_exit_code_too(store, tmp_path):
    assert command(store.folder).returncode == 0
    shard = next(store.folder.rglob("*.parquet"))
    spoil(shard)
    bad = command(store.folder, "--json")
    assert bad.returncode == 1
    (line,) = bad.stderr.splitlines()
    assert line == (
        f"damaged: {shard}; `spikesim run SPEC --out '{store.folder}'` sets it aside and simulates the trials again"
    )
    assert sum(len(p["damaged"]) for p in json.loads(bad.stdout)["points"]) == 1
    cleaned = command(store.folder, "--clean")
    assert cleaned.returncode == 0
    assert "removed: 1" in cleaned.stdout
    alone = command(store.folder, "--forget")
    assert alone.returncode == 2
    assert "need --forget with --clean" in alone.stderr
    missing = command(tmp_path / "none")
    assert missing.returncode == 2
    assert "need results of `spikesim run` (index.json)" in missing.stderr
    assert "Traceback" not in missing.stderr
