"""Progress: on the error stream a bar in a terminal and plain lines elsewhere; JSON lines for programs; or nothing."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from spikesim.sweep.state import State

LINE_SECONDS = 10.0
"""Time between lines."""

Advance = Callable[[str, int, int], None]


class Bar:
    """Shows tasks one after the other.

    Args:
        quiet: Show nothing.
        as_json: Print runs as lines of JSON, on standard output.
    """

    def __init__(self, quiet: bool = False, as_json: bool = False) -> None:
        self._quiet, self._json = quiet, as_json

    @contextmanager
    def task(self, name: str, unit: str = "trials") -> Iterator[Advance]:
        """A callable (label, units done, units) that shows them while the context is open."""
        if self._quiet or self._json:
            yield lambda _label, _done, _total: None
        elif sys.stderr.isatty():
            with _rich(name) as advance:
                yield advance
        else:
            yield _plain(name, unit)

    @contextmanager
    def run(self, name: str) -> Iterator[Callable[[State], None]]:
        """A callable (State) that shows how far a run is while the context is open."""
        if self._quiet:
            yield lambda _state: None
        elif self._json:
            yield _lines(lambda state: print(json.dumps(state.as_json()), flush=True))
        elif sys.stderr.isatty():
            with _rich(name) as advance:
                yield lambda state: advance(state.label, state.trials_done, state.trials, state.text)
        else:
            yield _lines(lambda s: print(f"{name}: {s.trials_done}/{s.trials} trials, {s.text}", file=sys.stderr, flush=True))


def _lines(show: Callable[[State], None]) -> Callable[[State], None]:
    """Show a state now and then, and the last of all."""
    last, shown = time.monotonic(), -1

    def advance(state: State) -> None:
        nonlocal last, shown
        ended = state.points_done == state.points and state.points_done != shown
        if ended or time.monotonic() - last >= LINE_SECONDS:
            last, shown = time.monotonic(), state.points_done
            show(state)

    return advance


def _plain(name: str, unit: str) -> Advance:
    start = last = time.monotonic()
    shown = -1

    def advance(label: str, done: int, total: int) -> None:
        nonlocal last, shown
        now = time.monotonic()
        if done == shown or (now - last < LINE_SECONDS and done < total):
            return
        last, shown = now, done
        print(f"{name}: {done}/{total} {unit}, {now - start:.0f} s ({label})", file=sys.stderr, flush=True)

    return advance


@contextmanager
def _rich(name: str) -> Iterator[Callable[..., None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[note]}"))
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(name, total=None, note="")

        def advance(label: str, done: int, total: int, note: str = "") -> None:
            progress.update(task, completed=done, total=total, description=f"{name} ({label})" if label else name, note=note)

        yield advance
