"""Gradients that are late, and the mean over workers who each draw their own."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from spikesim.arrays import Array, array_namespace
from spikesim.errors import need
from spikesim.stages.base import Filters, Running, Stage, Stepwise

MOST_DELAY = 10_000
MOST_WORKERS = 10_000


def whole(x: Any) -> bool:
    """Whether it is an integer."""
    return isinstance(x, int) and not isinstance(x, bool)


@dataclass(frozen=True, repr=False)
class Delay(Stage):
    """What entered `steps` steps ago; zero before there is any. A gradient of stale weights.

    Args:
        steps: d >= 0, in steps of what enters.

    Raises:
        ValueError: If steps is not an integer in [0, MOST_DELAY].

    Source: theory.md F7.
    """

    steps: int
    timed: ClassVar[bool] = True
    linear: ClassVar[bool] = True

    def __post_init__(self) -> None:
        need(whole(self.steps) and 0 <= self.steps <= MOST_DELAY, f"steps: an integer in [0, {MOST_DELAY}]", steps=self.steps)

    def settling(self, _filters: Filters, _weight: float, /) -> int:
        """See `Stage.settling`."""
        return self.steps

    def held(self, _filters: Filters, /) -> int:
        """See `Stage.held`."""
        return self.steps + 1

    def start(self, _filters: Filters, /) -> Running:
        """From zero."""
        return _Workers(1, (self.steps,))


@dataclass(frozen=True, repr=False)
class Workers(Stage):
    """The mean over W workers, who draw one gradient each: W steps of the stream are one step of what follows.

    Before a polar step workers' gradients are averaged and then orthogonalised, after it the other way round. Windows of
    filters that follow count steps of what follows. A stream that moves does so W times from one such step to the next.

    Args:
        count: W >= 1.
        delays: How many of these steps each worker's share is late, W integers >= 0; none where left out.

    Raises:
        ValueError: If the count or a delay is outside its range, or there is not one delay a worker.

    Source: theory.md F1.
    """

    count: int
    delays: tuple[int, ...] = ()
    timed: ClassVar[bool] = True
    linear: ClassVar[bool] = True

    def __post_init__(self) -> None:
        need(
            whole(self.count) and 1 <= self.count <= MOST_WORKERS,
            f"count: an integer in [1, {MOST_WORKERS}]",
            count=self.count,
        )
        delays = tuple(self.delays) if isinstance(self.delays, Sequence) else (self.delays,)
        good = all(whole(d) and 0 <= d <= MOST_DELAY for d in delays) and len(delays) in (0, self.count)
        need(good, f"delays: {self.count} integers in [0, {MOST_DELAY}], or none", delays=self.delays)
        object.__setattr__(self, "delays", delays)

    @property
    def pace(self) -> int:
        """See `Stage.pace`."""
        return self.count

    def settling(self, _filters: Filters, _weight: float, /) -> int:
        """See `Stage.settling`."""
        return max(self.delays, default=0)

    def held(self, _filters: Filters, /) -> int:
        """See `Stage.held`."""
        return self.count + sum(self.delays)

    def start(self, _filters: Filters, /) -> Running:
        """From zero."""
        return _Workers(self.count, self.delays or (0,) * self.count)


class _Workers(Stepwise):
    """Shares of workers that are under way, each in a queue as long as its delay."""

    def __init__(self, count: int, delays: tuple[int, ...]) -> None:
        self._queues: list[deque[Array]] = [deque(maxlen=d + 1) for d in delays]
        self._turn, self._count = 0, count
        self._mean: Array = None

    def push(self, x: Array) -> bool:
        """See `Stepwise.push`."""
        self._queues[self._turn].append(array_namespace(x).asarray(x, copy=True))
        self._turn = (self._turn + 1) % self._count
        if self._turn:
            return False
        total = array_namespace(x).zeros_like(x)
        for queue in self._queues:
            if len(queue) == queue.maxlen:
                total = total + queue[0]
        self._mean = total / self._count
        return True

    def last(self) -> Array:
        """See `Running.last`."""
        return self._mean
