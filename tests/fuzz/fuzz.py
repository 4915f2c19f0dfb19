"""`make fuzz`: everything that reads what people give it, tried with what nobody would give it.

python tests/fuzz/fuzz.py [--minutes 10] [--seed 0] [--surface specs|recordings|commands] [--number N]

A case is made by (surface, seed, number) alone: what is found is told by these, and --number tries it again.
"""

import argparse
import faulthandler
import random
import resource
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import commands
import nasty
import oracle
import readers
import specs

SURFACES: dict[str, Callable[[nasty.Random, Path], oracle.Case]] = {
    "specs": specs.case, "recordings": readers.case, "commands": commands.case,
}  # fmt: skip
APART = 400
"""Every so many cases one runs in a process of its own."""
HANGS = 120
"""Seconds after which a case that comes to no end is shown, and all ends."""


def room_in(folder: Path) -> Path:
    """A room with other people's files in it."""
    room = folder / "room"
    (room / "home").mkdir(parents=True)
    (room / "home" / "letter.txt").write_text("dear")
    (room / "beside.toml").write_text("[model]")
    return room


def tried(surface: str, seed: int, number: int, room: Path, apart: bool = False) -> oracle.Outcome:
    """Try one case; raises whatever it meets."""
    work = room / "work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    case = SURFACES[surface](random.Random(f"{surface}/{seed}/{number}"), work)
    try:
        return oracle.held(case, room, apart)
    except BaseException as error:
        error.add_note(f"{surface} seed {seed} number {number}: {ascii(case.arguments)[:600]}")
        raise


def campaign(surface: str, seed: int, seconds: float, room: Path) -> tuple[Counter[str], dict[str, str]]:
    """Cases of a surface until time is up: how many came to what, and each kind of finding once."""
    came: Counter[str] = Counter()
    found: dict[str, str] = {}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        number = came.total()
        faulthandler.dump_traceback_later(HANGS, exit=True)
        try:
            came[f"exit {tried(surface, seed, number, room, number % APART == APART - 1).code}"] += 1
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            came["found"] += 1
            said = "".join(traceback.format_exception(error))
            frames = [f"{f.name}:{f.lineno}" for f in traceback.extract_tb(error.__traceback__)][-1]
            found.setdefault(f"{type(error).__name__} {frames} {str(error)[:60]}", said)
    faulthandler.cancel_dump_traceback_later()
    return came, found


def main() -> int:
    """All surfaces, one after the other; exit code 1 if anything was found."""
    parser = argparse.ArgumentParser(description="Try spikesim with what nobody would give it.")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--surface", choices=SURFACES, help="one of them only")
    parser.add_argument("--number", type=int, help="one case only, of --surface")
    asked = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (oracle.MEMORY, oracle.MEMORY))
    sys.dont_write_bytecode = True
    surfaces = [asked.surface] if asked.surface else list(SURFACES)
    with tempfile.TemporaryDirectory(prefix="spikesim-fuzz-") as name:
        room = room_in(Path(name))
        if asked.number is not None:
            print(tried(surfaces[0], asked.seed, asked.number, room))
            return 0
        all_found = 0
        for surface in surfaces:
            came, found = campaign(surface, asked.seed, asked.minutes * 60 / len(surfaces), room)
            for said in found.values():
                print(said, end="\n\n")
            print(f"{surface}: {came.total()} cases, {dict(sorted(came.items()))}, {len(found)} kinds of finding", flush=True)
            all_found += len(found)
    return 1 if all_found else 0


if __name__ == "__main__":
    sys.exit(main())
