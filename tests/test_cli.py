"""The command line as a user meets it: exit codes, messages, JSON, and never a traceback."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SPEC = """
[model]
shape = [5, 7]
spikes = [3.0]
noise = {law = "Gaussian", sigma = 0.5}
[run]
windows = [1, 4]
trials = 3
steps = 12
"""


def spikesim(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from spikesim.cli import main; main()", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "my spec é.toml"
    path.write_text(SPEC, encoding="utf-8")
    return path


def test_run_writes_results_and_says_so(spec, tmp_path):
    first = spikesim("run", spec, "--out", tmp_path / "out dir", cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    assert first.stdout.startswith("3 trials of 1 points computed, 0 points kept, in ")
    assert "3/3 trials" in first.stderr
    again = spikesim("run", spec, "--out", tmp_path / "out dir", "--json", cwd=tmp_path)
    lines = [json.loads(line) for line in again.stdout.splitlines()]
    assert [line["event"] for line in lines] == ["progress", "end"]
    assert (lines[0]["trials_done"], lines[0]["trials"], lines[0]["left"]) == (3, 3, None)
    done = {"points_computed": 0, "points_kept": 1, "trials_computed": 0, "stopped": False, "failed": [], "unmet": []}
    assert lines[1] == {"event": "end", "out": str(tmp_path / "out dir"), **done}
    assert again.stderr == ""
    assert {p.name for p in tmp_path.iterdir()} == {spec.name, "out dir"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("windows", "windos"), "run.windos: need a known key"),
        (("[1, 4]", "[0.5]"), "need 1 <= T <= 1e+12, where T = 1/(1 - beta), got window=0.5"),
        (("Gaussian", "Normal"), "got law='Normal'"),
        (("[model]", "[model"), "need a TOML file"),
    ],
)
def test_a_bad_spec_ends_in_a_message_and_exit_code_2(spec, tmp_path, change, message):
    spec.write_text(SPEC.replace(*change), encoding="utf-8")
    result = spikesim("run", spec, "--out", tmp_path / "out", cwd=tmp_path)
    assert result.returncode == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "absent.toml", "--out", "out"),
        ("run", ".", "--out", "out"),
        ("run",),
        ("nonsense",),
        ("reproduce", "--experiments", "absent"),
        ("reproduce", "--published", "absent.json"),
        ("reproduce", "--no-such-option"),
    ],
)
def test_bad_usage_ends_in_exit_code_2_without_a_traceback(arguments, tmp_path):
    result = spikesim(*arguments, cwd=tmp_path)
    assert result.returncode == 2
    assert result.stderr.strip()
    assert "Traceback" not in result.stderr


def test_a_file_in_the_way_of_the_folder_is_an_error_not_a_traceback(spec, tmp_path):
    (tmp_path / "taken").write_text("")
    result = spikesim("run", spec, "--out", tmp_path / "taken", cwd=tmp_path)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr


LONG = SPEC.replace("[5, 7]", "[64, 64]").replace("trials = 3", "trials = 4000").replace("steps = 12", "steps = 2000")


def started(tmp_path, *arguments):
    """A run of 4,000 trials in blocks of a second or two; once its first block is there."""
    (tmp_path / "long.toml").write_text(LONG)
    command = [
        sys.executable,
        "-c",
        "from spikesim.cli import main; main()",
        "run",
        "long.toml",
        "--out",
        "out",
        "--block-seconds",
        "1",
        *arguments,
    ]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("out/*/*.parquet")):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return process


def test_a_signal_lets_the_block_under_way_finish_and_says_how_to_go_on(tmp_path):
    process = started(tmp_path)
    before = set(tmp_path.rglob("*.parquet"))
    process.send_signal(signal.SIGTERM)
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "stopping after the block under way" in errors
    assert "stopped; finished blocks are kept, and the same command goes on from there" in errors
    assert " trials of 1 points computed, 0 points kept" in out
    assert "Traceback" not in errors
    after = set(tmp_path.rglob("*.parquet"))
    assert before < after  # it was finished
    assert {p.suffix for p in (tmp_path / "out").rglob("*") if p.is_file()} == {".json", ".parquet", ".toml"}


def test_a_second_ctrl_c_stops_at_once(tmp_path):
    process = started(tmp_path, "--json", "--fresh")
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "stopped; finished blocks are kept, and the same without --fresh goes on" in errors
    assert "Traceback" not in errors
    assert not list(tmp_path.rglob("*.tmp"))


def test_a_second_ctrl_c_that_comes_when_all_is_finished_changes_nothing(tmp_path):
    code = """
import os, signal
from spikesim.cli import _finishing
with _finishing("said") as stop:
    os.kill(os.getpid(), signal.SIGINT)
os.kill(os.getpid(), signal.SIGINT)
print("all of it said", stop.is_set())
"""
    result = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (result.returncode, result.stdout) == (0, "all of it said True\n")
    assert "Traceback" not in result.stderr


def test_too_large_a_matrix_is_an_error_not_a_traceback(spec, tmp_path):
    for shape in ("[1000000, 1000000]", "[5, 99999999999999999999]"):
        spec.write_text(SPEC.replace("[5, 7]", shape), encoding="utf-8")
        result = spikesim("run", spec, "--out", tmp_path / "out", cwd=tmp_path)
        assert result.returncode == 2
        assert "Traceback" not in result.stderr
        assert not (tmp_path / "out").exists()


def test_help_names_the_commands(tmp_path):
    result = spikesim("--help", cwd=tmp_path)
    assert result.returncode == 0
    assert "run" in result.stdout
    assert "reproduce" in result.stdout
