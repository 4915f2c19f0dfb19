"""A disk that is full, a folder that may not be written: one line that says so, and nothing that is in the way later."""

import os
import sys
import tempfile
import traceback
from pathlib import Path

import pyarrow as pa
import pytest
import survival

import spikesim.cli
from spikesim.sweep import shard
from spikesim.sweep import status as states
from spikesim.sweep.run import run_spec
from spikesim.sweep.spec import Spec
from spikesim.sweep.store import Store

TRIALS = 40
SPEC = survival.table(TRIALS)
NOBODY, FELL = 65534, 99
LIMITED = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({0}, {0})); " + survival.COMMAND
pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # no other thread is at work then


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return survival.uninterrupted(tmp_path_factory.mktemp("whole") / "store", SPEC)


@pytest.fixture
def room():
    """A folder that any user may enter, as tmp_path is not."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def files(store):
    return sorted(p for p in store.folder.rglob("*") if p.is_file())


def assert_one_line(code, said, why):
    """An error as the command line has it."""
    assert code == 2, said
    assert "Traceback" not in said
    (line,) = [line for line in said.splitlines() if not line.startswith("spec:")]  # which is progress
    assert line.startswith("error: need a usable file or folder, got '")
    assert line.endswith(why)


@pytest.mark.parametrize("limit", [100, 2000])  # less than an index, less than a shard
def test_a_full_disk_is_said_in_a_line_and_resumed(tmp_path, whole, limit):
    spec, store = survival.toml(tmp_path / "spec.toml", SPEC), Store(tmp_path / "store")
    words = "run", spec, "--out", store.folder, "--block-seconds", "7e-5"
    full = survival.command(*words, code=LIMITED.format(limit))
    assert_one_line(full.returncode, full.stderr, "File too large")
    assert files(store) == ([store.folder / "index.json", store.folder / "index.toml"] if limit > 100 else [])
    assert survival.command(*words).returncode == 0
    assert_sound(store, whole)


def test_a_disk_that_fills_up_keeps_what_is_done(tmp_path, whole):
    """Shards of one trial fit, and those of more do not."""
    spec, store = survival.toml(tmp_path / "spec.toml", SPEC), Store(tmp_path / "store")
    some = run_spec(Spec.from_dict(survival.table(4)), store, block_seconds=1e-5)
    assert some.computed == len(survival.SIGMAS)
    before = survival.shards(store)
    limit = max(map(len, before.values()))
    full = survival.command("run", spec, "--out", store.folder, code=LIMITED.format(limit))
    assert_one_line(full.returncode, full.stderr, "File too large")
    assert survival.shards(store) == before
    (first, *_) = states.status(store)
    assert (first.done, first.damaged, first.left_over) == (4, (), ())
    run_spec(Spec.from_toml(spec), store)
    assert before.items() < survival.shards(store).items()
    assert_sound(store, whole)


def assert_sound(store, whole):
    survival.assert_once(store, TRIALS)
    survival.assert_same(store.table(), whole.table())
    assert not any(p.damaged or p.left_over for p in states.status(store))


def as_another(folder, work):
    """Exit code and output of work in a process whose user may read a folder, and no more.

    The interpreter may lie where that user cannot go, so the process is a copy of this one.
    """
    folders = [path for path in (folder, *folder.rglob("*")) if path.is_dir()]
    for path in folders:
        path.chmod(0o555)
    with tempfile.TemporaryFile() as said:
        child = os.fork()
        if child == 0:
            os._exit(_become(said, work))
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        for path in folders:
            path.chmod(0o755)
        said.seek(0)
        return code, said.read().decode()


def _become(said, work):
    code = FELL
    try:
        for stream in (1, 2):
            os.dup2(said.fileno(), stream)
        sys.stdout, sys.stderr = (open(n, "w", closefd=False) for n in (1, 2))  # noqa: SIM115
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        work()
        code = 0
    except SystemExit as ended:
        code = ended.code or 0
    except BaseException:  # it must not go on as a second pytest
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return code


def command(monkeypatch, *words):
    """Work: a command, of which this process has run one already, so that everything is imported."""

    def work():
        monkeypatch.setattr(sys, "argv", ["spikesim", *map(str, words)])
        spikesim.cli.main()

    return work


@pytest.fixture
def warm(room, monkeypatch):
    """A spec file and a finished store of some of its trials, made by the command in this process."""
    spec = survival.toml(room / "spec.toml", survival.table(10))
    with pytest.raises(SystemExit) as ended:
        command(monkeypatch, "run", spec, "--out", room / "store")()
    assert not ended.value.code
    survival.toml(spec, SPEC).chmod(0o644)
    return spec, Store(room / "store")


@pytest.mark.parametrize("changed", [True, False])  # the index is written first, if it is another
def test_a_folder_that_may_not_be_written_is_said_in_a_line_and_resumed(warm, whole, monkeypatch, changed):
    spec, store = warm
    if not changed:
        store.write_index(Spec.from_toml(spec), quick=False)
    before = files(store)
    code, said = as_another(store.folder, command(monkeypatch, "run", spec, "--out", store.folder))
    assert_one_line(code, said, "Permission denied")
    assert files(store) == before
    run_spec(Spec.from_toml(spec), store)
    assert_sound(store, whole)


def test_a_new_folder_where_none_may_be_made_is_said_in_a_line(warm, monkeypatch):
    spec, store = warm
    code, said = as_another(store.folder, command(monkeypatch, "run", spec, "--out", store.folder / "new"))
    assert_one_line(code, said, "Permission denied")
    assert not (store.folder / "new").exists()


def test_who_may_only_read_can_read(warm, monkeypatch):
    _, store = warm
    expected = store.table()
    code, said = as_another(store.folder, lambda: survival.assert_same(store.table(), expected))
    assert code == 0, said
    code, said = as_another(store.folder, command(monkeypatch, "status", store.folder))
    assert (code, said) == (0, "3 points, 30 of 30 trials, 0 failed, 0 damaged files, 0 left over\n")


def test_who_may_only_read_can_read_what_is_sound_beside_a_damaged_shard(warm, monkeypatch):
    _, store = warm
    whole = store.table()
    damaged = sorted(survival.shards(store))[1]
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")

    def read():
        got = store.table()
        sound = [identity != damaged.parent.name for identity in whole["identity"].to_pylist()]
        survival.assert_same(got.filter(pa.compute.greater(got["n"], 0)), whole.filter(sound))
        assert got.filter(pa.compute.equal(got["n"], 0))["missing"].to_pylist() == [10]
        assert sum(len(store.ledger(p.identity).found(range(p.trials))) for p in store.index.points) == 2
        with pytest.raises(ValueError, match="need all trials, got found=0, wanted=10"):
            list(store)

    code, said = as_another(store.folder, read)
    assert code == 0, said
    code, said = as_another(store.folder, command(monkeypatch, "status", store.folder))
    assert code == 1
    assert f"0 of 10 trials; damaged: {damaged}" in said
    code, said = as_another(store.folder, command(monkeypatch, "status", store.folder, "--clean"))
    assert_one_line(code, said, "Permission denied")
    assert damaged.exists()
    assert shard.shards(damaged.parent)
