"""Trials in blocks, on threads, their results in order; a block that does not fit into memory is halved."""

import warnings
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Event, Lock
from typing import Any, TypeVar

Result = TypeVar("Result")
Progress = Callable[[int, int], None]
"""(trials done, trials)."""


def cut(trials: range, size: int) -> deque[range]:
    """Trials in blocks of at most that size."""
    return deque(trials[i : i + size] for i in range(0, len(trials), size))


class _OneBlasThread:
    """While any run is inside, BLAS uses one thread; the last one out sets what was before. Runs may overlap."""

    def __init__(self) -> None:
        self._inside, self._lock = 0, Lock()

    def __enter__(self) -> None:
        from threadpoolctl import threadpool_limits

        with self._lock:
            if self._inside == 0:
                self._limits = threadpool_limits(limits=1)
            self._inside += 1

    def __exit__(self, *_error: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._limits.restore_original_limits()


one_blas_thread = _OneBlasThread()

Attempt = tuple[Any, str]
"""A block's result, or why it did not fit: no exception, which would hold on to all that the block had made."""


def _attempt(run: Callable[[range, Event], Result], block: range, stop: Event) -> Attempt:
    try:
        return run(block, stop), ""
    except MemoryError as error:
        return None, str(error) or "MemoryError"


def collect(
    run: Callable[[range, Event], Result], trials: range, size: int, workers: int, progress: Progress | None = None,
    stop: Event | None = None,
) -> Iterator[Result]:  # fmt: skip
    """Results of all blocks, in order; a few are under way at a time, so that what waits stays bounded.

    Args:
        run: (block, stop) to its result; gives up with CancelledError once `stop` is set.
        trials: What to cut.
        size: Of a block. Halved, with a warning, whenever a block ends in MemoryError.
        workers: Threads.
        progress: Told as blocks end.
        stop: Set by another thread, ends this one with CancelledError.

    Raises:
        MemoryError: If a block of one trial does.
    """
    done, stop, waiting = 0, stop or Event(), cut(trials, size)
    queue: deque[tuple[range, Future[Attempt]]] = deque()
    with one_blas_thread, ThreadPoolExecutor(workers) as pool:
        try:
            while waiting or queue:
                while waiting and len(queue) < 2 * workers:
                    block = waiting.popleft()
                    queue.append((block, pool.submit(_attempt, run, block, stop)))
                block, future = queue.popleft()
                result, why = future.result()
                if why and len(block) == 1:  # what is under way may be all that is in its way
                    wait([other for _, other in queue])
                    result, why = _attempt(run, block, stop)
                    if why:
                        raise MemoryError(f"one trial does not fit into memory ({why})")
                if why:
                    if len(block) <= size:  # one that was under way when another failed is cut alone
                        size = -(-len(block) // 2)
                        warnings.warn(f"{len(block)} trials do not fit into memory ({why}): {size} at once", stacklevel=5)
                    parts = [(part, pool.submit(_attempt, run, part, stop)) for part in cut(block, size)]
                    queue.extendleft(reversed(parts))
                    waiting = deque(part for block in waiting for part in cut(block, size))
                    continue
                yield result
                done += len(block)
                if progress is not None:
                    progress(done, len(trials))
        except BaseException:
            stop.set()  # running blocks end at their next chunk
            pool.shutdown(wait=False, cancel_futures=True)
            raise
