"""One block of trials, computed and written where this is called: on a thread, in a process, on another machine.

What travels there is a description of the block, and back only what became of it: results are in the store's folder, which
all machines must share.
"""

import errno
import platform
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

from spikesim.design import design_from
from spikesim.model import SpikedModel
from spikesim.parts import SECONDS
from spikesim.simulate import run_part
from spikesim.sweep import shard
from spikesim.sweep.ledger import Ledger
from spikesim.sweep.provenance import provenance


@dataclass(frozen=True)
class Task:
    """A block.

    Args:
        store: The store's folder, which must be there.
        identity: Of the point: its folder's name.
        model: The point's.
        arguments: Of ss.simulate, the point's.
        first: First trial.
        after: The one after the last.
        threads: To use; as many as the device needs where None.
    """

    store: str
    identity: str
    model: SpikedModel
    arguments: dict[str, Any]
    first: int
    after: int
    threads: int | None = 1

    @property
    def trials(self) -> range:
        """Global trial numbers."""
        return range(self.first, self.after)


@dataclass(frozen=True)
class Outcome:
    """What became of a block.

    Args:
        shard: Its file's name; empty if other files have all of its trials already, or there is an error.
        error: Why it failed, in a line.
        details: The same with where it came from.
        unwritable: Errno, text and file if results could not be written.
    """

    shard: str = ""
    error: str = ""
    details: str = ""
    unwritable: tuple[int, str, str] | None = None


def compute(task: Task, stop: Event | None = None) -> Outcome:
    """Simulate a block and commit its shard, unless its trials are there already; never raises what can be told instead.

    Args:
        task: The block.
        stop: Set by another thread, ends the computation within a chunk of steps.
    """
    if not Path(task.store).is_dir():
        return Outcome(unwritable=(errno.ENOENT, f"no such folder on {platform.node()}", task.store))
    try:
        ledger = Ledger(Path(task.store, task.identity))
        if not list(ledger.missing(task.trials, len(task.trials))):
            return Outcome()
        part = _part(task, stop)
    except Exception as error:
        return Outcome(error=f"{type(error).__name__}: {error}", details=traceback.format_exc())
    try:
        return Outcome(shard=str(shard.write(ledger.folder, part)))
    except OSError as error:
        where = str(error.filename or ledger.folder)
        return Outcome(unwritable=(error.errno or 0, error.strerror or str(error), where))


def _part(task: Task, stop: Event | None) -> Any:
    start = time.monotonic()
    design, _ = design_from(task.model, **task.arguments)
    part = run_part(design, task.trials, task.arguments["joint"], workers=task.threads, stop=stop)
    seconds = (time.monotonic() - start) * (task.threads or 1)
    return part.assign_attrs({SECONDS: seconds, "provenance": provenance()})
