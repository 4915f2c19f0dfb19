"""Where blocks are computed: anything with the interface of concurrent.futures.

    none given                threads of this process
    a Dask Client             its workers: processes of this machine or of many
    any other Executor        a pool of processes, mpi4py.futures.MPIPoolExecutor, ...

Only a description of a block goes out, and only what became of it comes back (task.py).
"""

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import Any

from spikesim.blocks import one_blas_thread
from spikesim.errors import need
from spikesim.sweep.task import Outcome, Task, compute

AHEAD = 1024
"""Blocks that are given at once to an executor that does not say how many it takes."""
ASK_SECONDS = 2.0
"""Time between questions to Dask's scheduler about its workers."""


class Pool:
    """Takes blocks.

    Args:
        executor: Of the interface of concurrent.futures.
        slots: How many blocks it is to hold at the moment.
        threads: That are this run's own, in this process; 0 if it has none, and blocks are to use one each.
        queues: Whether blocks that have not begun can be withdrawn, and those that have are let be.
        final: Errors after which a block is not tried again.
    """

    def __init__(
        self, executor: Executor, slots: Callable[[], int], threads: int = 0, queues: bool = True,
        final: tuple[type[BaseException], ...] = (),
    ) -> None:  # fmt: skip
        self.slots, self.threads, self.final = slots, threads, final
        self._executor, self._queues = executor, queues
        self._stops: dict[Future[Outcome], Event] = {}

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

    def withdrawn(self, out: Iterable["Future[Outcome]"]) -> "list[Future[Outcome]]":
        """Those that had not begun, taken back, where that can be told."""
        return [future for future in out if self._queues and future.cancel()]

    def halt(self, out: Iterable["Future[Outcome]"]) -> None:
        """End everything as soon as possible, without waiting for it."""
        for stop in list(self._stops.values()):
            stop.set()
        for future in out:
            future.cancel()


@contextmanager
def threads(workers: int) -> Iterator[Pool]:
    """Threads of this process; each block uses its own and no other, but for a device's."""
    with one_blas_thread, ThreadPoolExecutor(workers, "block") as executor:
        yield Pool(executor, lambda: workers, threads=workers)


@contextmanager
def handed(executor: Any, workers: int | None = None) -> Iterator[Pool]:
    """An executor, or a Dask Client, that is someone else's to close."""
    if hasattr(executor, "get_executor"):
        yield _of_dask(executor)
        return
    usable = callable(getattr(executor, "submit", None))
    need(usable, "executor: a concurrent.futures.Executor or a Dask Client", executor=type(executor).__name__)
    yield Pool(executor, lambda: workers or AHEAD)


def _of_dask(client: Any) -> Pool:
    from distributed import KilledWorker

    asked, found = 0.0, 1

    def slots() -> int:
        nonlocal asked, found
        if time.monotonic() > asked + ASK_SECONDS:
            asked, found = time.monotonic(), 2 * sum(client.nthreads().values())
        return max(1, found)  # one waits for the first worker

    # Dask itself gives the blocks of a worker that died to others; KilledWorker says that one has cost several
    return Pool(client.get_executor(pure=False), slots, queues=False, final=(KilledWorker,))


@contextmanager
def opened(address: str | None, workers: int | None = None) -> Iterator[Any]:
    """A Dask Client of a running scheduler; None where there is no address.

    Args:
        address: Such as tcp://host:8786.
        workers: Must be left out where there is one: it is the scheduler that has them.

    Raises:
        ValueError: If Dask is not installed, or no scheduler answers there.
    """
    if address is None:
        yield None
        return
    need(workers is None, "--workers or --dask, not both", workers=workers, dask=address)
    try:
        from distributed import Client
    except ImportError:
        raise ValueError("need the package distributed, got none; pip install 'spikesim[dask]'") from None
    try:
        client = Client(address, timeout="10s", set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise ValueError(f"need a running Dask scheduler, got {address!r}: {error}") from None
    with client:
        yield client
