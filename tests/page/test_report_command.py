"""The command: one file, its exit codes, one line for what is no good."""

import json

from typer.testing import CliRunner

from spikesim import cli


def test_the_command_writes_the_page_and_says_where(store):
    done = CliRunner().invoke(cli.app, ["report", str(store.folder)])
    assert done.exit_code == 0, done.output
    assert done.output.strip() == str(store.folder / "report.html")


def test_json_goes_elsewhere_with_verdicts(store, tmp_path):
    done = CliRunner().invoke(cli.app, ["report", str(store.folder), "--to", str(tmp_path / "x y.html"), "--json"])
    found = json.loads(done.output)
    assert found["to"] == str(tmp_path / "x y.html")
    assert found["verdicts"]["broken"] == []
    assert found["damaged"] == 0


def test_damage_ends_in_exit_code_1(store):
    shard = next(store.folder.rglob("*.parquet"))
    shard.write_bytes(b"torn")
    done = CliRunner().invoke(cli.app, ["report", str(store.folder)])
    assert done.exit_code == 1
    remedy = f"`spikesim run SPEC --out '{store.folder}'` sets it aside and simulates the trials again"
    assert f"damaged: {shard}; {remedy}" in done.output.splitlines()
