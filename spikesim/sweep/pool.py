"""What takes blocks: an executor of the interface of concurrent.futures, and how much of it a run may rely on."""

from collections.abc import Collection, Iterable
from concurrent.futures import Executor, Future
from threading import Event

from spikesim.sweep.task import Outcome, Task, compute

AHEAD = 1024
"""Blocks that are given at once to an executor that does not say how many it takes."""


class Pool:
    """Takes blocks to an executor.

    Args:
        executor: Of the interface of concurrent.futures; someone else's to close.
        ahead: How many blocks it is to hold.
        threads: That are this run's own, in this process; 0 if it has none, and blocks are to use one each.
        final: Errors after which a block is not tried again.
    """

    def __init__(
        self, executor: Executor, ahead: int = AHEAD, threads: int = 0, final: tuple[type[BaseException], ...] = ()
    ) -> None:
        self.threads, self.final = threads, final
        self._executor, self._ahead = executor, ahead
        self._stops: dict[Future[Outcome], Event] = {}

    @property
    def note(self) -> str:
        """What holds it up, if anything does."""
        return ""

    def slots(self) -> int:
        """How many blocks it is to hold at the moment."""
        return self._ahead

    def submit(self, task: Task) -> "Future[Outcome]":
        """Have a block computed.

        Raises:
            ValueError: If the executor takes no more.
        """
        stop = (Event(),) if self.threads else ()
        try:
            future = self._executor.submit(compute, task, *stop)
        except Exception as error:  # each executor has its own
            got = f"{type(error).__name__}: {error}"
            raise ValueError(f"need an executor that takes blocks, got {got}; finished blocks are kept") from error
        if stop:
            self._stops[future] = stop[0]
            future.add_done_callback(self._stops.pop)
        return future

    def withdrawn(self, out: "Iterable[Future[Outcome]]") -> "list[Future[Outcome]]":
        """Those that had not begun, taken back."""
        return [future for future in out if future.cancel()]

    def halt(self, out: "Collection[Future[Outcome]]") -> None:
        """End everything as soon as possible, without waiting for it."""
        for stop in list(self._stops.values()):
            stop.set()
        for future in out:
            future.cancel()
