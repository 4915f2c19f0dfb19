"""Commands write below the folders they are given, and nowhere else: held by Python's own audit of every file it opens.

Matplotlib keeps a list of the fonts in its own cache folder, once for a user and a version: that of these tests is given.
"""

import os
import subprocess
import sys

import numpy as np

AUDITED = """
import os, sys
seen = []
CHANGES = {"os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod", "os.utime"}
def hook(event, arguments):
    if event == "open" and isinstance(arguments[0], (str, bytes)):
        if (arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC):
            seen.append(arguments[0])
    elif event in CHANGES:
        seen.extend(x for x in arguments[:2] if isinstance(x, (str, bytes)))
sys.dont_write_bytecode = True
sys.addaudithook(hook)
from spikesim import cli
for words in [WORDS]:
    sys.argv = ["spikesim", *words]
    try:
        cli.main()
    except SystemExit as left:
        assert not left.code, (words, left.code)
print("WRITTEN", sorted({os.path.abspath(os.fsdecode(x)) for x in seen}))
"""
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
COMMANDS = (
    ("run", "spec.toml", "--out=given/results"), ("status", "given/results", "--clean"),
    *(("export", "given/results", f"--to=given/table.{suffix}") for suffix in ("csv", "parquet", "nc")),
    ("probe", "g.npy", "--window=1", "--window=2", "--figure=given/page"),
    ("predict", "--shape=40x60", "--spike=8", "--sigma=1", "--window=20"),
)  # fmt: skip


def test_nothing_is_written_but_where_it_was_asked_for(tmp_path):
    for name in ("given", "home", "fonts"):
        (tmp_path / name).mkdir()
    (tmp_path / "spec.toml").write_text(SPEC)
    np.save(tmp_path / "g.npy", np.random.default_rng(0).normal(size=(48, 2, 3)))
    code = AUDITED.replace("[WORDS]", repr(COMMANDS))
    environment = {
        **os.environ,
        "HOME": str(tmp_path / "home"),
        "MPLCONFIGDIR": str(tmp_path / "fonts"),
        "TMPDIR": str(tmp_path / "home"),
    }
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (said,) = [line for line in done.stdout.splitlines() if line.startswith("WRITTEN ")]
    allowed = *(f"{tmp_path}/{name}" for name in ("given", "fonts")), os.devnull
    written = [path.strip("' ") for path in said.removeprefix("WRITTEN [").rstrip("]").split(", ")]
    assert len(written) > 5
    assert [path for path in written if not path.startswith(allowed)] == []
    assert sorted(p.name for p in tmp_path.iterdir()) == ["fonts", "g.npy", "given", "home", "spec.toml"]
    assert list((tmp_path / "home").rglob("*")) == []
