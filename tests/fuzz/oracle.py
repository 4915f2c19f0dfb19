"""What holds of any command, whatever it is given.

Exit code 0, 1, 2 or 130; 2 with a line "error: need ..." or a usage box; no exception of any other kind, no warning, no
control character on the error stream; JSON where JSON was asked for; few seconds of the processor; and nothing made,
changed or removed but what the case names.
"""

import contextlib
import hashlib
import io
import json
import os
import re
import resource
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from spikesim import cli

CODES = 0, 1, 2, 130
SECONDS = 20.0
"""Of the processor, for one case in this process; the first ones import libraries and compile."""
MEMORY = 8 << 30
"""Bytes of addresses that a process of its own may take."""
LONGEST = 50_000
"""Characters of a refusal: more has never been read by anyone."""
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
QUIET = DeprecationWarning, PendingDeprecationWarning, ImportWarning  # which Python does not show to users
COMMAND = "from spikesim.cli import main; main()"


class FoundError(AssertionError):
    """A case that does not hold."""


class TooSlowError(BaseException):
    """Which no handler of errors takes for one of its own."""


@dataclass(frozen=True)
class Case:
    """One thing to try.

    Attributes:
        arguments: Of the command line.
        writes: Files and folders that it may make or change.
        call: What is called in place of the command, as the command would call it.
    """

    arguments: tuple[str, ...]
    writes: tuple[Path, ...] = ()
    call: Callable[[], object] | None = None


@dataclass(frozen=True)
class Outcome:
    """What came of a command."""

    code: int
    out: str
    err: str
    warned: tuple[str, ...] = ()


def held(case: Case, room: Path, apart: bool = False) -> Outcome:
    """Run a case in a room, whose `work` is the current folder, and hold it against all of the above.

    Args:
        case: To run.
        room: Folder whose contents are watched: all that a case makes and reads lies in it.
        apart: In a process of its own, with a limit on memory.
    """
    before = listing(room)
    got = _apart(case, room) if apart and case.call is None else _here(case, room)
    after = listing(room)
    need(got.code in CODES, f"exit code {got.code}", got)
    need("Traceback" not in got.out + got.err, "a traceback", got)
    need(not got.warned and "Warning:" not in got.err, f"warnings {got.warned}", got)
    if got.code == 2:
        refused = re.search(r"^error: need |^Usage: |^╭─ Error ", got.err, re.MULTILINE)
        need(refused is not None, "a refusal in no known words", got)
        need(len(got.err) < LONGEST, f"a refusal of {len(got.err)} characters", got)
        need("╭─ Error " in got.err or not CONTROL.search(got.err), "control characters in a refusal", got)
    if got.code == 0 and "--json" in case.arguments and "--help" not in case.arguments:
        need(_is_json(got.out), "output that is no JSON", got)
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    beyond = {name for name in changed if not any(_within(room / name, allowed) for allowed in case.writes)}
    need(not beyond, f"files made, changed or removed: {sorted(beyond)}", got)
    return got


def need(holds: object, what: str, got: Outcome) -> None:
    """Raise FoundError unless something holds."""
    if not holds:
        raise FoundError(f"{what}\n--- code {got.code}, out:\n{got.out[-2000:]}\n--- err:\n{got.err[-4000:]}")


def listing(room: Path) -> dict[str, tuple[object, ...]]:
    """Everything in a folder: its kind, and when and what was written last."""
    found: dict[str, tuple[object, ...]] = {}
    for top, folders, files in os.walk(room):
        for name in [*folders, *files]:
            path = os.path.join(top, name)
            where, state = os.path.relpath(path, room), os.lstat(path)
            if os.path.islink(path):
                found[where] = "link", os.readlink(path)
            elif os.path.isfile(path):
                with open(path, "rb") as file:
                    found[where] = "file", state.st_mtime_ns, state.st_mode, hashlib.sha256(file.read()).digest()
            else:
                found[where] = ("other", state.st_mode)
    return found


def _within(path: Path, allowed: Path) -> bool:
    return path == allowed or allowed in path.parents


def _is_json(text: str) -> bool:
    """As one value, or as one a line; NaN and infinity are none."""
    for parts in ([text], text.splitlines()):
        try:
            for part in parts:
                json.loads(part, parse_constant=float.fromhex)
            return bool(parts)
        except ValueError:
            continue
    return False


@contextlib.contextmanager
def within(folder: Path) -> Iterator[None]:
    """As the current folder."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


@contextlib.contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise TooSlowError after so many seconds of the processor."""

    def over(_number: int, _frame: object) -> None:
        raise TooSlowError(f"more than {seconds} seconds of the processor")

    before = signal.signal(signal.SIGPROF, over)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _here(case: Case, room: Path) -> Outcome:
    """In this process, by the same way in as a user's; what is no refusal is raised."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    code, before = 0, sys.argv
    sys.argv = ["spikesim", *case.arguments]
    try:
        with (
            within(room / "work"), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err),
            warnings.catch_warnings(record=True) as warned, limited(SECONDS),
        ):  # fmt: skip
            warnings.simplefilter("always")
            cli.answered(case.call or cli.app)
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else int(left.code is not None)
    finally:
        sys.argv = before
    said = tuple(f"{w.category.__name__}: {w.message}" for w in warned if not issubclass(w.category, QUIET))
    return Outcome(code, _text(out), _text(err), said)


def _text(stream: io.TextIOWrapper) -> str:
    return stream.buffer.getvalue().decode("utf-8", "surrogateescape")  # type: ignore[attr-defined]


def _apart(case: Case, room: Path) -> Outcome:
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, *case.arguments], cwd=room / "work", capture_output=True, check=False, timeout=600,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)),
        env={**os.environ, "HOME": str(room.parent), "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    return Outcome(done.returncode, *(x.decode("utf-8", "surrogateescape") for x in (done.stdout, done.stderr)))
