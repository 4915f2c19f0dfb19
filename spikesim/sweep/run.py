"""Run what a spec asks for and the store does not have yet: blocks out, outcomes in, until nothing is left to do."""

import errno
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event
from typing import Any

from spikesim.arguments import worker_count
from spikesim.devices.named import device
from spikesim.errors import need
from spikesim.sweep.books import Books
from spikesim.sweep.executors import handed, threads
from spikesim.sweep.failure import Failure
from spikesim.sweep.plan import BLOCK_SECONDS, WHOLE, PointPlan, Share, planned
from spikesim.sweep.point_run import PointRun
from spikesim.sweep.pool import Pool
from spikesim.sweep.remedy import rerun
from spikesim.sweep.spec import Spec
from spikesim.sweep.state import State
from spikesim.sweep.store import INDEX, Store
from spikesim.sweep.task import Outcome

ATTEMPTS = 3
"""How often a block is tried before it is on record as failed."""
TICK = 0.25
"""Seconds between looks at whether the run is to stop."""
VISIBLE = 10.0
"""Seconds within which a shard that another machine wrote must be seen here."""

Progress = Callable[[State], None]


@dataclass(frozen=True)
class Ran:
    """What a run did.

    Attributes:
        computed: Points of which it computed trials.
        kept: Points of which it had nothing to compute.
        stopped: Whether it was stopped before the end.
        failed: Blocks that were given up: point, trials, error.
        unmet: Points that came to their last trial before the wanted standard error.
        trials: That it computed.
    """

    computed: int
    kept: int
    stopped: bool = False
    failed: tuple[str, ...] = ()
    unmet: tuple[str, ...] = ()
    trials: int = 0

    @property
    def text(self) -> str:
        """In a line."""
        return f"{self.trials} trials of {self.computed} points computed, {self.kept} points kept"

    @property
    def notes(self) -> list[str]:
        """What a user should know."""
        return [
            *(f"a block failed: {failure}" for failure in self.failed),
            *(f"all trials are done, but the standard error is not as wanted: {label}" for label in self.unmet),
        ]

    def as_json(self, out: str) -> dict[str, Any]:
        """For programs.

        Args:
            out: The store's folder.
        """
        counts = {"points_computed": self.computed, "points_kept": self.kept, "trials_computed": self.trials}
        lists = {"failed": list(self.failed), "unmet": list(self.unmet)}
        return {"event": "end", "out": out, **counts, "stopped": self.stopped, **lists}


def run_spec(
    spec: Spec, store: Store, quick: bool = False, fresh: bool = False, progress: Progress | None = None,
    stop: Event | None = None, *, workers: int | None = None, executor: Any = None, share: Share = WHOLE,
    block_seconds: float = BLOCK_SECONDS,
) -> Ran:  # fmt: skip
    """Simulate the trials that the store lacks, in blocks; each is on disk before it counts as done.

    Args:
        spec: What to run.
        store: Where results go; damaged ones are set aside and computed again.
        quick: Recorded in the index.
        fresh: Compute again what is there.
        progress: Called with a State a few times a second.
        stop: Once set, the blocks under way are finished and written, and no other begun.
        workers: Blocks at a time; as many as cores where left out, one for a GPU. Another executor's are at its discretion.
        executor: Where blocks are computed (executors.py); threads of this process where left out.
        share: The part of all blocks that falls to this run.
        block_seconds: Of a core, about, for a block; equal in all runs that share their blocks.

    Raises:
        ValueError: If the executor takes no blocks, or everything is to be computed afresh by several runs.
        OSError: If results cannot be written; what is done is kept.
    """
    need(not fresh or share == WHOLE, "share 1/1 for a fresh run", "remove the folder instead", share=str(share))
    need(workers is None or executor is not None or worker_count(workers, device("cpu")), "workers >= 1", workers=workers)
    plans = planned(spec, store, share, block_seconds)
    store.write_index(spec, quick)
    with _pool(plans, executor, workers) as pool:
        ran = _Run(plans, store, pool, fresh, progress, stop or Event()).go()
    if not (ran.stopped or ran.failed):
        lost = sum(bool(plan.survey().blocks) for plan in plans) + (not (store.folder / INDEX).exists())
        need(lost == 0, "files that were written to stay", f"{rerun(store.folder)} goes on", points_that_lost_some=lost)
    return ran


def _pool(plans: list[PointPlan], executor: Any, workers: int | None) -> AbstractContextManager[Pool]:
    if executor is not None:
        return handed(executor, workers)
    on_gpu = any(plan.design.runs_on != "cpu" for plan in plans)
    return threads(workers or (1 if on_gpu else worker_count(None, device("cpu"))))


@dataclass(frozen=True)
class _Block:
    """Some trials of a point, how often they were tried, and whether they are now alone, as they may have cost workers."""

    point: PointRun
    trials: range
    attempts: int = 0
    alone: bool = False


class _Run:
    """Blocks out, outcomes in."""

    def __init__(
        self, plans: list[PointPlan], store: Store, pool: Pool, fresh: bool, progress: Progress | None, stop: Event
    ) -> None:
        self._store, self._pool, self._progress, self._stop = store, pool, progress, stop
        self._books = Books(plans, fresh)
        self._threads = max(1, pool.threads // max(1, self._books.blocks))
        self._points: Iterator[PointRun] = (PointRun(plan, fresh) for plan in plans)
        self._ready: deque[_Block] = deque()
        self._suspects: deque[_Block] = deque()
        self._out: dict[Future[Outcome], _Block] = {}
        self._inbox: SimpleQueue[Future[Outcome]] = SimpleQueue()
        self._label = ""
        self._failures: list[str] = []
        self._unmet: list[str] = []
        self._kept = 0
        self._computed: set[int] = set()

    def go(self) -> Ran:
        try:
            while self._fill():
                for future in self._ended():
                    self._take(future)
                self._tell()
        except BaseException:
            self._pool.halt(self._out)
            raise
        self._tell()
        stopped = bool(self._ready or self._suspects) or next(self._points, None) is not None
        return Ran(len(self._computed), self._kept, stopped, tuple(self._failures), tuple(self._unmet), self._books.computed)

    def _fill(self) -> bool:
        """Send out as many blocks as the pool takes; whether any are out."""
        if self._stop.is_set():
            self._ready.extend(self._out.pop(future) for future in self._pool.withdrawn(self._out))
            return bool(self._out)
        slots = self._pool.slots()
        while len(self._out) < slots and (block := self._next()) is not None:
            task = block.point.task(block.trials, self._store, self._threads)
            future = self._pool.submit(task)
            self._out[future] = replace(block, attempts=block.attempts + 1)
            future.add_done_callback(self._inbox.put)
        return bool(self._out)

    def _ended(self) -> Iterator["Future[Outcome]"]:
        """Blocks that came to their end, within a tick."""
        with suppress(Empty):
            yield self._inbox.get(timeout=TICK)
            while True:
                yield self._inbox.get_nowait()

    def _next(self) -> _Block | None:
        while not self._ready:
            point = next(self._points, None)
            if point is None:
                return self._suspects.popleft() if self._suspects and not self._out else None
            blocks = point.begin()
            if point.lost:
                self._books.recount(point.plan)
            self._queue(point, blocks)
        return self._ready.popleft()

    def _queue(self, point: PointRun, blocks: list[range]) -> None:
        """What is to be computed next of a point, before other points are begun; with nothing, it is done."""
        self._ready.extend(_Block(point, block) for block in blocks)
        if not blocks and point.idle:
            self._label = point.plan.point.label
            self._books.point_done(point.plan, point.failed)
            self._unmet += [self._label] if point.unmet and not point.failed else []
            self._kept += not point.failed and point.plan.number not in self._computed

    def _take(self, future: "Future[Outcome]") -> None:
        if future not in self._out:  # withdrawn
            return
        block = self._out.pop(future)
        outcome, again = self._outcome(future)
        if outcome.unwritable is not None:
            raise OSError(*outcome.unwritable)
        if outcome.error and again and block.attempts < ATTEMPTS:
            self._ready.appendleft(block)
            return
        if outcome.error and not again and not block.alone:  # it may merely have been where another cost the worker
            self._suspects.append(replace(block, alone=True))
            return
        point, plan = block.point, block.point.plan
        self._label = plan.point.label
        if outcome.error:
            self._record(block, outcome)
        else:
            _need_visible(plan.ledger.folder, outcome)
            self._books.block_done(plan, len(block.trials))
            self._computed.add(plan.number)
        self._queue(point, point.ended(not outcome.error))

    def _outcome(self, future: "Future[Outcome]") -> tuple[Outcome, bool]:
        """What became of a block, and whether to try again if it failed."""
        try:
            return future.result(), True
        except (Exception, CancelledError) as error:  # of the executor: a worker died, say
            return Outcome(error=f"{type(error).__name__}: {error}"), not isinstance(error, self._pool.final)

    def _record(self, block: _Block, outcome: Outcome) -> None:
        trials, plan = block.trials, block.point.plan
        failure = Failure(trials.start, trials.stop, outcome.error, outcome.details, block.attempts)
        failure.write(plan.ledger.folder)
        self._books.block_failed()
        self._failures.append(f"{plan.point.label}, trials {trials.start} to {trials.stop - 1}: {outcome.error}")

    def _tell(self) -> None:
        if self._progress is not None:
            self._progress(self._books.state(self._label, self._pool.note if self._out else ""))


def _need_visible(folder: Path, outcome: Outcome) -> None:
    """Wait until a shard is seen, as on a network's file system it may not be at once."""
    deadline = time.monotonic() + VISIBLE
    while outcome.shard and not (folder / outcome.shard).exists():
        if time.monotonic() > deadline:
            raise OSError(errno.ENOENT, "a worker wrote it, but it is not here: need a folder that all share", str(folder))
        time.sleep(TICK)
