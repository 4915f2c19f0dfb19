"""Where blocks are computed: anything with the interface of concurrent.futures.

    none given                threads of this process
    a Dask Client             its workers: processes of this machine or of many
    any other Executor        a pool of processes, mpi4py.futures.MPIPoolExecutor, ...

Only a description of a block goes out, and only what became of it comes back (task.py).
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from spikesim.blocks import one_blas_thread
from spikesim.errors import need
from spikesim.sweep.cluster import DaskPool
from spikesim.sweep.pool import AHEAD, Pool


@contextmanager
def threads(workers: int) -> Iterator[Pool]:
    """Threads of this process; each block uses its own and no other, but for a device's."""
    with one_blas_thread, ThreadPoolExecutor(workers, "block") as executor:
        yield Pool(executor, workers, threads=workers)


@contextmanager
def handed(executor: Any, workers: int | None = None) -> Iterator[Pool]:
    """An executor, or a Dask Client, that is someone else's to close."""
    if hasattr(executor, "get_executor"):
        yield DaskPool(executor)
        return
    usable = callable(getattr(executor, "submit", None))
    need(usable, "executor: a concurrent.futures.Executor or a Dask Client", executor=type(executor).__name__)
    yield Pool(executor, workers or AHEAD)
