"""The first cases of each surface of `make fuzz`, and that its oracle sees what it is there to see."""

import sys
from pathlib import Path

import fuzz
import oracle
import pytest

from spikesim import cli
from spikesim.errors import need

CASES = {"specs": 300, "recordings": 150, "commands": 90}
SEED = 7


@pytest.fixture
def room(tmp_path):
    return fuzz.room_in(tmp_path)


@pytest.mark.parametrize("surface", CASES)
def test_whatever_is_given_is_answered_or_refused_in_a_line(room, surface):
    codes = {fuzz.tried(surface, SEED, number, room).code for number in range(CASES[surface])}
    assert {0, 2} <= codes <= {0, 1, 2}


def test_a_case_comes_out_alike_in_a_process_of_its_own(room):
    for number in range(2):
        assert fuzz.tried("commands", SEED, number, room, apart=True).code == fuzz.tried("commands", SEED, number, room).code


def _bad():
    raise ValueError("math domain error")


def _warns():
    import numpy as np

    np.float64(1e308) * np.float64(10)


def _escapes():
    need(False, "no \x1b[31mcolour", value=1)


BAD = {
    "an accident's words": (_bad, "no known words"),
    "a warning": (_warns, "warnings"),
    "control characters": (_escapes, "control characters"),
    "a file beside": (lambda: Path("../beside.txt").write_text("x"), "files made, changed or removed: .*beside.txt"),
    "a file removed": (lambda: Path("../home/letter.txt").unlink(), "files made, changed or removed: .*letter.txt"),
    "an exit code": (lambda: sys.exit(3), "exit code 3"),
    "a traceback": (lambda: print("Traceback (most recent call last):"), "a traceback"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_the_oracle_sees(room, name):
    (room / "work").mkdir()
    call, said = BAD[name]
    with pytest.raises(oracle.FoundError, match=said):
        oracle.held(oracle.Case((), call=call), room)


def test_the_oracle_passes_an_unexpected_error_on(room):
    (room / "work").mkdir()
    with pytest.raises(ZeroDivisionError):
        oracle.held(oracle.Case((), call=lambda: 1 / 0), room)


def test_an_unexpected_error_is_a_line_for_a_user_and_a_traceback_on_demand(monkeypatch, capsys):
    monkeypatch.setattr(cli, "app", lambda: {}["nothing\nhere"])
    monkeypatch.delenv(cli.TRACEBACK, raising=False)
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert left.value.code == 70
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: unexpected KeyError: ")
    assert f"{cli.TRACEBACK}=1" in line
    monkeypatch.setenv(cli.TRACEBACK, "1")
    with pytest.raises(KeyError):
        cli.main()
