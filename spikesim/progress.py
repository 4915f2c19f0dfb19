"""Progress on the error stream: a bar in a terminal, plain lines elsewhere, nothing when quiet."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LINE_SECONDS = 10.0
"""Time between plain lines."""

Advance = Callable[[str, int, int], None]


class Bar:
    """Shows tasks one after the other.

    Args:
        quiet: Show nothing.
    """

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet

    @contextmanager
    def task(self, name: str, unit: str = "trials") -> Iterator[Advance]:
        """A callable (label, units done, units) that shows them while the context is open."""
        if self.quiet:
            yield lambda _label, _done, _total: None
        elif sys.stderr.isatty():
            with _rich(name) as advance:
                yield advance
        else:
            yield _plain(name, unit)


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
def _rich(name: str) -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(name, total=None)

        def advance(label: str, done: int, total: int) -> None:
            progress.update(task, completed=done, total=total, description=f"{name} ({label})")

        yield advance
