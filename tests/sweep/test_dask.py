"""Blocks on Dask: the table of a run on threads, whatever dies meanwhile."""

import os
import pickle
import re
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

import spikesim as ss
from spikesim.sweep import cluster
from spikesim.sweep.cluster import opened
from spikesim.sweep.spec import Spec
from spikesim.sweep.task import Task, compute

distributed = pytest.importorskip("distributed", reason="distributed is not installed")

SPEC = """
[model]
shape = [16, 24]
spikes = [3.0]
noise = { law = "Gaussian", sigma = 0.5 }
[grid]
"noise.sigma" = [0.5, 1.0]
[run]
windows = [1, 4, 20]
pipelines = ["pre-polar"]
observables = ["alignment"]
method = "stream"
trials = 24
steps = %d
"""
RUN = {"windows": [1], "pipelines": ["pre-polar"], "observables": ["alignment"], "method": "stream", "steps": 3}
STEPS = 60_000  # about 50 ms a trial: long enough to be killed in
BLOCK, BLOCKS = 0.15, 12  # of 4 trials
ROOT = str(Path(ss.__file__).parents[1])
DEADLINE = 60.0


@pytest.fixture(scope="module")
def spec(tmp_path_factory):
    path = tmp_path_factory.mktemp("spec") / "spec.toml"
    path.write_text(SPEC % STEPS)
    return path


@pytest.fixture(scope="module")
def expected(spec, tmp_path_factory):
    return table(ss.Sweep.from_toml(spec).run(tmp_path_factory.mktemp("threads")))


@pytest.fixture(scope="module")
def client():
    settings = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": ":0"}
    with (
        distributed.LocalCluster(host="127.0.0.1", **settings) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def separate(tmp_path_factory):
    """A scheduler and two workers that were started separately: its process and address. Later tests kill some of them."""
    with dask(tmp_path_factory.mktemp("dask"), workers=2) as scheduler_address:
        yield scheduler_address


@pytest.fixture
def address(separate):
    return separate[1]


def started(*command, **environment):
    python_path = os.pathsep.join([ROOT, os.environ.get("PYTHONPATH", "")])
    there = os.environ | {"PYTHONPATH": python_path} | environment
    return subprocess.Popen(
        [sys.executable, *command], env=there, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd="/"
    )


def end(process):
    process.kill()
    process.communicate()


@contextmanager
def dask(folder, workers, preload=None, **environment):
    """The scheduler's process, and its address."""
    where = folder / "scheduler.json"
    at = ("--host", "127.0.0.1", "--scheduler-file", str(where))
    with ExitStack() as stack:
        command = ("-m", "distributed.cli.dask_scheduler", "--port", "0", "--no-dashboard", "--dashboard-address", ":0")
        scheduler = started(*command, *at, **environment)
        stack.callback(end, scheduler)
        until(lambda: where.exists() and "address" in where.read_text())
        more = ("--preload", str(preload)) if preload else ()
        for _ in range(workers):
            command = ("-m", "distributed.cli.dask_worker", "--nthreads", "1", "--no-nanny", "--no-dashboard")
            stack.callback(end, started(*command, *at, *more, **environment))
        yield scheduler, re.search(r"tcp://[\d.:]+", where.read_text())[0]


def until(holds):
    deadline = time.monotonic() + DEADLINE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def command(spec, folder, *more):
    main = "from spikesim.cli import main; main()"
    return started("-c", main, "run", str(spec), "--out", str(folder), "--block-seconds", str(BLOCK), *more)


def table(store):
    return {
        (result.coordinates["noise.sigma"], name): x.values.tobytes() for result in store for name, x in result.data.items()
    }


def blocks(folder):
    return sorted(folder.rglob("*.parquet"))


def test_workers_give_the_table_of_threads_and_send_back_names(client, spec, expected, tmp_path):
    assert table(ss.Sweep.from_toml(spec).run(tmp_path, executor=client, block_seconds=BLOCK)) == expected
    assert len(blocks(tmp_path)) == BLOCKS


def test_what_travels_is_small(tmp_path):
    model = {"shape": [5, 7], "spikes": [3.0], "noise": {"law": "Gaussian", "sigma": 1.0}}
    point = Spec.from_dict({"model": model, "run": RUN | {"trials": 2000}}).points[0]
    (tmp_path / point.identity).mkdir()
    task = Task(str(tmp_path), point.identity, point.model, point.arguments, 0, 2000)
    outcome = compute(task)
    assert not outcome.error
    assert outcome.shard
    assert len(pickle.dumps(task)) < 4000
    assert len(pickle.dumps(outcome)) < 400
    assert (tmp_path / point.identity / outcome.shard).stat().st_size > 16000  # which is what does not travel


def test_a_block_that_kills_its_workers_is_on_record_and_the_rest_goes_on(spec, tmp_path):
    preload = tmp_path / "deadly.py"
    preload.write_text(
        "import os\n"
        "from spikesim.sweep import task\n"
        "def deadly(task, stop, part=task._part):\n"
        "    if task.first == 0 and task.model.noise.sigma == 0.5:\n"
        "        os._exit(1)\n"
        "    return part(task, stop)\n"
        "task._part = deadly\n"
    )
    with dask(tmp_path, 3, preload, DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES="0") as (_, address):
        run = command(spec, tmp_path / "out", "--dask", address)
        _, said = run.communicate(timeout=DEADLINE)
    assert run.returncode == 1, said
    assert "noise.sigma=0.5, trials 0 to 3: KilledWorker" in said
    assert said.count("failed: ") == 1  # those that were on the same worker are tried again, alone
    assert len(blocks(tmp_path / "out")) == BLOCKS - 1
    assert "Traceback" not in said


def test_the_command_on_separate_workers(address, spec, expected, tmp_path):
    run = command(spec, tmp_path, "--dask", address)
    _, said = run.communicate(timeout=DEADLINE)
    assert run.returncode == 0, said
    assert table(ss.Store(tmp_path)) == expected


def test_asked_to_stop_it_finishes_what_is_out_and_can_go_on(address, spec, expected, tmp_path):
    run = command(spec, tmp_path, "--dask", address)
    until(lambda: len(blocks(tmp_path)) >= 2)
    run.terminate()
    _, said = run.communicate(timeout=DEADLINE)
    assert run.returncode == 130, said
    assert "the same command goes on from there" in said
    kept = blocks(tmp_path)
    assert 2 <= len(kept) < BLOCKS
    time.sleep(0.5)
    assert blocks(tmp_path) == kept  # nothing was left computing
    again = command(spec, tmp_path, "--dask", address)
    again.communicate(timeout=DEADLINE)
    assert again.returncode == 0
    assert set(kept) < set(blocks(tmp_path))
    assert len(blocks(tmp_path)) == BLOCKS
    assert table(ss.Store(tmp_path)) == expected


def test_a_worker_that_does_not_see_the_folder_is_told(spec, tmp_path):
    preload = tmp_path / "elsewhere.py"
    preload.write_text(
        "from spikesim.sweep import task\ntask.Path = lambda *parts: __import__('pathlib').Path('/nowhere', *parts[1:])\n"
    )
    with dask(tmp_path, 1, preload) as (_, address):
        run = command(spec, tmp_path / "out", "--dask", address)
        _, said = run.communicate(timeout=DEADLINE)
    assert run.returncode == 2
    assert re.search(r"error: need a usable file or folder, got '.*out': no such folder on \S+\n", said)
    assert "Traceback" not in said


@pytest.mark.parametrize(("wrong", "why"), [
    ("nonsense", "missing port number"),
    ("http://127.0.0.1:8786", "unknown address scheme"),
    ("tcp://127.0.0.1:1", "Timed out|no answer within"),
])  # fmt: skip
def test_an_address_without_a_scheduler_is_refused(wrong, why, monkeypatch, capsys):
    monkeypatch.setattr(cluster, "ANSWER", 1.0)
    with pytest.raises(ValueError, match=f"need a running Dask scheduler, got '{wrong}': .*{why}"), cluster.opened(wrong):
        raise AssertionError
    assert capsys.readouterr().err == ""


def test_a_worker_is_no_scheduler(address):
    with opened(address) as client:
        worker = next(iter(client.nthreads()))
    with pytest.raises(ValueError, match=r"need a running Dask scheduler, got .*: a Worker"), opened(worker):
        raise AssertionError


def test_without_dask_the_command_says_what_to_install(spec, tmp_path):
    main = "import sys; sys.modules['distributed'] = None; from spikesim.cli import main; main()"
    run = started("-c", main, "run", str(spec), "--out", str(tmp_path), "--dask", "tcp://127.0.0.1:8786")
    _, said = run.communicate(timeout=DEADLINE)
    assert run.returncode == 2
    assert said == "error: need the package distributed, got none; pip install 'spikesim[dask]'\n"


def test_a_closed_client_is_refused(client, spec, tmp_path):
    with distributed.Client(client.cluster, set_as_default=False) as closed:
        pass
    with pytest.raises(ValueError, match="need a Dask scheduler to the end, got lost='closed'"):
        ss.Sweep.from_toml(spec).run(tmp_path, executor=closed)


def test_a_killed_worker_costs_nothing_but_time(address, spec, expected, tmp_path):
    killed = []
    with opened(address) as client:

        def kill(state):
            if not killed and state.trials_done >= 8:
                busy = [worker for worker, keys in client.processing().items() if keys]
                killed.append(client.run(os.getpid, workers=busy[:1])[busy[0]])
                os.kill(killed[0], signal.SIGKILL)

        run = ss.Sweep.from_toml(spec).run
        assert table(run(tmp_path, executor=client, block_seconds=BLOCK, progress=kill)) == expected
        assert killed
        assert len(client.nthreads()) == 1


def test_a_scheduler_that_dies_ends_the_command_and_threads_go_on(separate, spec, expected, tmp_path):
    scheduler, address = separate
    run = command(spec, tmp_path / "out", "--dask", address)
    until(lambda: len(blocks(tmp_path / "out")) >= 2)
    scheduler.kill()
    _, said = run.communicate(timeout=DEADLINE)
    assert run.returncode == 2
    errors = [line for line in said.splitlines() if not line.startswith("spec: ")]
    assert errors == [
        f"error: need a Dask scheduler to the end, got lost={address!r}; finished blocks are kept; start one and go on"
    ]
    kept = blocks(tmp_path / "out")
    assert 2 <= len(kept) < BLOCKS
    store = ss.Sweep.from_toml(spec).run(tmp_path / "out", block_seconds=BLOCK)
    assert set(kept) < set(blocks(tmp_path / "out"))
    assert table(store) == expected
