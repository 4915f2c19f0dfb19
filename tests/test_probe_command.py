"""`spikesim probe` as a user meets it: exit codes, JSON, one-line errors, and a file that stays as it was."""

import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from spikesim.cli import app, main

SHORT = ("--readings", "20", "--window", "1", "--window", "4")


def gradients(count=60):
    generator = np.random.default_rng(4)
    signal = 2 * np.outer(np.ones(3), np.arange(4)) / np.sqrt(42)
    return (signal + 0.5 * generator.standard_normal((count, 3, 4))).astype(np.float32)


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    place = tmp_path / "my gradients é 梯度"
    place.mkdir()
    monkeypatch.chdir(place)
    return place


@pytest.fixture
def path(folder):
    where = folder / "layer 1 ü.npy"
    np.save(where, gradients())
    return where


@pytest.fixture
def spikesim(monkeypatch, capfd):
    """Runs the command in this process, as a shell would; exit code, output, errors."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["spikesim", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        out, errors = capfd.readouterr()
        return ended.value.code or 0, out, errors

    return run


def numbers(value):
    if isinstance(value, dict | list):
        for x in value.values() if isinstance(value, dict) else value:
            yield from numbers(x)
    elif isinstance(value, float):
        yield value


@pytest.mark.parametrize("kind", ["stationary", "trajectory"])
def test_it_prints_text_and_leaves_the_file_alone(path, folder, spikesim, kind):
    before, when = path.read_bytes(), path.stat().st_mtime_ns
    code, out, errors = spikesim("probe", path, "--kind", kind, *SHORT)
    assert (code, errors) == (0, "")
    assert out.startswith(f"{path.name}: 60 gradients of 3 x 4, {kind}.")
    for said in ("noise: eta", "effective rank", "pre-polar", "momentum: beta = ", "clipping: "):
        assert said in out
    assert (path.read_bytes(), path.stat().st_mtime_ns) == (before, when)
    assert list(folder.iterdir()) == [path]


@pytest.mark.parametrize("kind", ["stationary", "trajectory"])
@pytest.mark.parametrize("noise", [False, True])
def test_json_is_json_without_nan(path, spikesim, kind, noise):
    if noise:
        np.save(path, gradients() - gradients().mean(0))
    code, out, errors = spikesim("probe", path, "--kind", kind, "--json", *SHORT)
    assert (code, errors) == (0, "")
    found = json.loads(out, parse_constant=lambda text: pytest.fail(f"{text} is no JSON"))
    assert (found["kind"], found["shape"], found["windows"]) == (kind, [60, 3, 4], [1.0, 4.0])
    assert all(map(math.isfinite, numbers(found)))
    assert set(found["pipelines"]) == {"pre-polar", "post-polar", "polar-only", "re-polarised", "clipped pre-polar"}


def test_the_same_file_and_seed_give_the_same_bytes(path, spikesim):
    said = [spikesim("probe", path, "--json", "--seed", seed, *SHORT)[1] for seed in (0, 0, 1)]
    assert said[0] == said[1] != said[2]


def test_options_reach_the_probe(path, spikesim):
    text = "mine = Clip(3.0) -> Filter() -> Polar()"
    _, out, _ = spikesim("probe", path, "--json", "--rank", "2", "--rank", "1", "--pipeline", text, *SHORT)
    found = json.loads(out)
    assert (found["ranks"], list(found["pipelines"])) == ([1, 2], ["pre-polar", "mine", "clipped pre-polar"])
    low, high = (json.loads(spikesim("probe", path, "--json", "--reach", r, *SHORT)[1])["advice"] for r in (0.3, 0.99))
    assert low["window"] < high["window"]


def test_an_array_of_many_is_named_after_a_colon(folder, spikesim):
    np.savez(folder / "all of it.npz", **{"layer.é": gradients(), "other": gradients()[:, :2]})
    code, out, _ = spikesim("probe", "all of it.npz:layer.é", "--json", *SHORT)
    assert (code, json.loads(out)["shape"]) == (0, [60, 3, 4])
    code, out, errors = spikesim("probe", "all of it.npz", *SHORT)
    assert (code, out) == (2, "")
    assert "layer.é" in errors
    assert "other" in errors
    code, _, errors = spikesim("probe", "all of it.npz:absent", *SHORT)
    assert code == 2
    assert "absent" in errors


def holding(change):
    stream = gradients()
    stream[change[0]] = change[1]
    return stream


BAD = {
    "NaN": (lambda p: np.save(p, holding(((3, 1, 2), np.nan))), "step=3"),
    "infinity": (lambda p: np.save(p, holding(((9, 0, 0), np.inf))), "step=9"),
    "a matrix": (lambda p: np.save(p, gradients()[0]), "(K, m, n)"),
    "too few": (lambda p: np.save(p, gradients(47)), "need 48 gradients or more, got gradients=47"),
    "too short for the window": (lambda p: np.save(p, gradients(48)[:48]), None),
    "zeros": (lambda p: np.save(p, 0 * gradients()), "not mostly zero"),
    "objects": (lambda p: np.save(p, gradients().astype(object), allow_pickle=True), "object"),
    "integers": (lambda p: np.save(p, np.ones((60, 3, 4), int)), "int"),
    "cut off": (lambda p: p.write_bytes(p.read_bytes()[:-5]), "bytes"),
    "empty": (lambda p: p.write_bytes(b""), "layer 1"),
    "no array": (lambda p: p.write_text("hello"), "layer 1"),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("form", [(), ("--json",)], ids=["text", "json"])
def test_a_bad_file_ends_in_one_line_and_exit_code_2(path, folder, spikesim, case, form):
    spoil, message = BAD[case]
    spoil(path)
    before = path.read_bytes()
    windows = ("--window", "1", "--window", "5") if message is None else ()
    code, out, errors = spikesim("probe", path, *windows, *form)
    assert (code, out) == (2, "")
    assert (message or "need T <= 4 = 48 gradients / 12, got window=5.0; record 60 gradients") in errors
    assert len(errors.strip().splitlines()) == 1, errors
    assert "Traceback" not in errors
    assert path.read_bytes() == before
    assert list(folder.iterdir()) == [path]


@pytest.mark.parametrize(
    "arguments",
    [
        ("absent.npy",),
        (".",),
        ("layer 1 ü.npy", "--kind", "moving"),
        ("layer 1 ü.npy", "--window", "3"),
        ("layer 1 ü.npy", "--rank", "9"),
        ("layer 1 ü.npy", "--pipeline", "nonsense"),
        ("layer 1 ü.npy", "--pipeline", "Filter( -> Polar()"),
        ("layer 1 ü.npy", "--reach", "2"),
        ("layer 1 ü.npy", "--readings", "3"),
        ("layer 1 ü.npy", "--seed", "-1"),
    ],
    ids=lambda a: " ".join(a),
)
@pytest.mark.usefixtures("path")
def test_bad_arguments_end_in_one_line_and_exit_code_2(spikesim, arguments):
    code, out, errors = spikesim("probe", *arguments)
    assert (code, out) == (2, "")
    assert len(errors.strip().splitlines()) == 1, errors
    assert "Traceback" not in errors


def test_help_says_what_a_recording_is():
    said = CliRunner().invoke(app, ["probe", "--help"], env={"COLUMNS": "200"})
    assert said.exit_code == 0
    assert "(K, m, n)" in said.output
