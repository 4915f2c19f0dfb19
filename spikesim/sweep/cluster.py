"""Blocks on the workers of a Dask scheduler: processes of this machine or of many that see the store's folder.

Dask itself gives the blocks of a worker that died to others; KilledWorker is its word for a block that was there each of
several times (allowed-failures in Dask's configuration).
"""

import asyncio
import logging
import time
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

from spikesim.errors import need
from spikesim.sweep.pool import Pool
from spikesim.sweep.task import Outcome

ASK_SECONDS = 2.0
"""Time between questions to the scheduler about its workers."""
LOOK_SECONDS = 0.1
"""Time between looks at whether a lost scheduler is back."""
ANSWER = 10.0
"""Seconds within which a scheduler must answer, at first and when the connection was lost."""


class DaskPool(Pool):
    """Takes blocks to a Dask scheduler, two for each thread of its workers.

    Args:
        client: Connected; someone else's to close.
    """

    def __init__(self, client: Any) -> None:
        from distributed import KilledWorker

        need(not client.asynchronous, "a Dask Client that is not asynchronous", asynchronous=True)
        super().__init__(client.get_executor(pure=False), final=(KilledWorker,))
        self._client, self._asked, self._threads = client, 0.0, 0
        self._address = client.scheduler.address if client.scheduler else "closed"

    def slots(self) -> int:
        """How many blocks it is to hold at the moment.

        Raises:
            ValueError: If the scheduler is gone.
        """
        while self._client.status == "connecting":  # the client itself gives up after some time, and is closed then
            time.sleep(LOOK_SECONDS)
        alive = self._client.status == "running"
        need(alive, "a Dask scheduler to the end", "finished blocks are kept; start one and go on", lost=self._address)
        return max(1, 2 * self._found())  # one waits for the first worker

    @property
    def note(self) -> str:
        """What holds it up, if anything does."""
        return "" if self._threads else "waiting for workers"

    def withdrawn(self, out: "Iterable[Future[Outcome]]") -> "list[Future[Outcome]]":
        """All of them if there are no workers; what has begun cannot be told from what has not."""
        return [future for future in out if future.cancel()] if self._found() == 0 else []

    def halt(self, out: "Collection[Future[Outcome]]") -> None:
        """Give up everything; what has begun is computed and written none the less."""
        if out and self._client.status == "running":
            self._executor.shutdown(wait=False)

    def _found(self) -> int:
        """Threads of all workers, as of a moment ago."""
        if time.monotonic() > self._asked + ASK_SECONDS:
            try:
                self._threads = sum(self._client.nthreads().values())
            except Exception:  # of a connection that is just being lost, which its status will tell
                if self._client.status == "closed":
                    self._threads = 0
            self._asked = time.monotonic()
        return self._threads


@contextmanager
def opened(address: str | None, workers: int | None = None) -> Iterator[Any]:
    """A Dask Client of a running scheduler; None where there is no address. Its log is silent meanwhile.

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
    with _silent(), _client(address) as client:
        yield client


def _client(address: str) -> Any:
    try:
        from distributed import Client
    except ImportError:
        raise ValueError("need the package distributed, got none; pip install 'spikesim[dask]'") from None
    try:
        kind = asyncio.run(asyncio.wait_for(_kind(address), ANSWER))  # a Client that fails at this takes 20 s more to go
        if kind != "Scheduler":
            raise ValueError(f"a {kind}")
        return Client(address, timeout=ANSWER, set_as_default=False)
    except Exception as error:  # of addresses, sockets, certificates, protocols
        got = str(error) or f"no answer within {ANSWER:.0f} s"
        raise ValueError(f"need a running Dask scheduler, got {address!r}: {got}") from None


async def _kind(address: str) -> str:
    """What part of Dask answers at an address."""
    from distributed import Security
    from distributed.core import rpc

    async with rpc(address, timeout=ANSWER, connection_args=Security().get_connection_args("client")) as far:
        return str((await far.identity())["type"])


@contextmanager
def _silent() -> Iterator[None]:
    """No logging: what matters of it ends the run, with a line of its own."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
