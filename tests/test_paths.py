"""Files and folders of any name, in any place: commands write there and nowhere else, or say in a line why not."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from spikesim import cli

SPEC = """
[model]
shape = [4, 5]
spikes = [3.0]
noise = {law = "Gaussian", sigma = 0.5}
[run]
windows = [1, 3]
trials = 2
steps = 8
"""
NAMES = ["a b", "ü漢字😀", "-dash", "a\nb", "'\"`$", "{x}%s%%", "..x", "#?*[a]", "n" * 200, "$HOME", "~", "a.b.c", "\udcff"]
COMMAND = "from spikesim.cli import main; main()"


def spikesim(capfd, *words):
    """Exit code, output and errors of a command, in this process."""
    before, sys.argv = sys.argv, ["spikesim", *map(str, words)]
    try:
        cli.main()
        code = 0
    except SystemExit as left:
        code = left.code
    finally:
        sys.argv = before
    out, err = capfd.readouterr()
    assert "Traceback" not in err
    return code, out, err


def files(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if not p.is_dir())


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def all_commands(capfd, spec, out, table):
    """Run, status and export; the files that are there then."""
    assert spikesim(capfd, "run", f"--out={out}", "--", spec)[0] == 0
    code, said, _ = spikesim(capfd, "status", "--json", "--", out)
    assert code == 0
    assert json.loads(said)["points"][0]["done"] == 2
    assert spikesim(capfd, "export", f"--to={table}", "--", out)[0] == 0


@pytest.mark.parametrize("name", NAMES)
def test_any_name_will_do(here, capfd, name):
    Path(f"{name}.toml").write_text(SPEC)
    all_commands(capfd, f"{name}.toml", name, f"{name}.csv")
    found = files(here)
    assert len(found) == 5
    assert found.count(f"{name}/index.toml") == 1
    assert found.count(f"{name}.toml") == found.count(f"{name}.csv") == found.count(f"{name}/index.json") == 1
    with Path(f"{name}.npy").open("wb") as file:
        np.save(file, np.random.default_rng(0).normal(size=(48, 2, 3)).astype("f4"))
    code, said, _ = spikesim(capfd, "probe", "--json", "--window=1", "--window=2", "--", f"{name}.npy")
    assert code == 0
    assert json.loads(said)
    assert len(files(here)) == 6


@pytest.mark.parametrize("out", ["results/", "./results", "x/../results", "link", "a/b/c", "link/../results"])
def test_any_way_to_a_folder_will_do(here, capfd, out):
    for folder in ("real", "x"):
        Path(folder).mkdir()
    Path("link").symlink_to("real")
    Path("spec.toml").write_text(SPEC)
    all_commands(capfd, here / "spec.toml", out, "x/../table.parquet")
    assert len(files(here)) == 5
    assert files(Path(out)) == [p for p in files(Path(out)) if p in ("index.json", "index.toml") or p.endswith(".parquet")]


@pytest.mark.parametrize("out", ["n" * 256, "taken", "taken/in it", "loop"])
def test_a_folder_that_cannot_be_is_said_in_a_line(here, capfd, out):
    Path("spec.toml").write_text(SPEC)
    Path("taken").write_text("a file")
    Path("loop").symlink_to("loop")
    for words in (
        ("run", "spec.toml", f"--out={out}"),
        ("status", out),
        ("export", out, "--to=t.csv"),
        ("export", out, f"--to={out}.nc"),
    ):
        code, said, err = spikesim(capfd, *words)
        assert (code, said) == (2, "")
        (line,) = [line for line in err.splitlines() if not line.startswith("spec:")]
        assert line.startswith("error: need ")
    assert files(here) == ["loop", "spec.toml", "taken"]


@pytest.mark.parametrize(("words", "said"), [
    (("run", "spec.toml", "--out=taken"), "need a folder, got file='taken'"),
    (("run", "spec.toml", "--out=taken", "--dry-run"), "need a folder, got file='taken'"),
    (("run", "spec.toml", "--out=taken/in it"), "need a folder, got file='taken'"),
    (("run", "folder.npy", "--out=out"), "need a file, got folder='folder.npy'"),
    (("run", "absent.toml", "--out=out"), "need a file that is there, got file='absent.toml'"),
    (("probe", "absent.npy"), "need a file that is there, got file='absent.npy'"),
    (("probe", "absent/layer.npz"), "need a folder that is there, got folder='absent'"),
    (("probe", "folder.npy"), "need a file, got folder='folder.npy'"),
    (("probe", "folder"), "need a file that ends in .npy, .npz, .safetensors, got folder='folder'"),
])  # fmt: skip
@pytest.mark.usefixtures("here")
def test_what_a_path_should_have_been_is_said(capfd, words, said):
    """Not in the system's words, which name neither what is needed nor what is in the way."""
    Path("spec.toml").write_text(SPEC)
    Path("taken").write_text("a file")
    for name in ("folder", "folder.npy"):
        Path(name).mkdir()
    code, _, err = spikesim(capfd, *words)
    assert (code, err.splitlines()[-1]) == (2, f"error: {said}")


def apart(*words, cwd, stdout=subprocess.PIPE, **options):
    return subprocess.run(
        [sys.executable, "-c", COMMAND, *words], cwd=cwd, stdout=stdout, stderr=subprocess.PIPE, check=False, **options
    )


def test_without_room_on_the_disk_nothing_is_left(here, capfd):
    Path("spec.toml").write_text(SPEC)
    assert spikesim(capfd, "run", "spec.toml", "--out=results")[0] == 0
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))  # noqa: E731
    done = apart("export", "results", "--to=table.nc", cwd=here, preexec_fn=limit)
    assert done.returncode == 2
    assert done.stderr.decode() == "error: need a usable file or folder, got 'table.nc': File too large\n"
    assert "table.nc" not in " ".join(files(here))


PREDICT = "predict", "--shape=40x60", "--spike=8", "--sigma=1", "--window=20"


@pytest.mark.parametrize(
    "change", [{"LC_ALL": "C", "HOME": None}, {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}]
)
def test_a_place_without_unicode_or_home_is_no_reason_to_fail(here, change):
    """Letters that a terminal lacks are shown by their numbers; without a home nothing is looked for there."""
    (here / "ü±.npy").write_bytes(b"x")
    environment = {k: x for k, x in (os.environ | change).items() if x is not None}
    done = apart(*PREDICT, cwd=here, env=environment)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"bulk edge" in done.stdout
    refused = apart("probe", "ü±.npy", cwd=here, env=environment)
    assert refused.returncode == 2
    assert refused.stderr.startswith(b"error: need a whole .npy file")


@pytest.mark.parametrize("words", [PREDICT, ("--help",)])
def test_a_reader_who_leaves_early_is_no_error_to_speak_of(here, words):
    reading, writing = os.pipe()
    os.close(reading)
    done = apart(*words, cwd=here, stdout=writing)
    os.close(writing)
    assert done.stderr == b""
    assert done.returncode == 1
