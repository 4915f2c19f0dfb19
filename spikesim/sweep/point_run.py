"""One point under way: its rounds of trials, one after the other, until they are enough."""

from collections import deque

import numpy as np

from spikesim.sweep.plan import PointPlan
from spikesim.sweep.reading import values_of
from spikesim.sweep.store import Store
from spikesim.sweep.task import Task
from spikesim.sweep.until import Floats


class PointRun:
    """What is left to do of one point.

    Args:
        plan: The point.
        fresh: Whether what is there counts as to do.

    Attributes:
        failed: Whether one of its blocks was given up.
        lost: Whether shards were found damaged, and set aside.
        unmet: Whether it is to stop by itself, and its mean is not as wanted yet.
    """

    def __init__(self, plan: PointPlan, fresh: bool) -> None:
        self.plan, self.failed, self.lost, self.unmet = plan, False, False, False
        self._rounds, self._left, self._fresh = deque(plan.rounds), 0, fresh
        self._values: list[Floats] = []

    def begin(self) -> list[range]:
        """Its first blocks; none if it is done."""
        ledger = self.plan.ledger
        unwanted = ledger.inside(self.plan.trials) if self._fresh else ledger.damaged()
        for name in unwanted:
            ledger.set_aside(name)
        self.lost = bool(unwanted) and not self._fresh
        return self._next_round()

    @property
    def idle(self) -> bool:
        """Whether none of its blocks are out or waiting."""
        return self._left == 0

    def ended(self, done: bool) -> list[range]:
        """What to compute now that one of its blocks is done, or has failed."""
        self._left -= 1
        self.failed |= not done
        if self._left > 0:
            return []
        if self.failed:
            self._rounds.clear()
        return self._next_round()

    def _next_round(self) -> list[range]:
        while self._rounds:
            blocks = self.plan.missing(self._rounds[0])
            if blocks:
                self._left = len(blocks)
                return blocks
            if self._enough(self._rounds.popleft()):
                self._rounds.clear()
        return []

    def _enough(self, between: range) -> bool:
        until = self.plan.point.until
        if until is None or not self.plan.share.has(self.plan.number):
            return False
        found = values_of(self.plan.ledger, until, between)
        if found is None:  # damaged since they were written: compute them again
            for name in self.plan.ledger.damaged():
                self.plan.ledger.set_aside(name)
            self._rounds.appendleft(between)
            return False
        self._values.append(found)
        self.unmet = not until.met(np.concatenate(self._values))
        return not self.unmet

    def task(self, block: range, store: Store, threads: int | None) -> Task:
        """A block as it is sent out."""
        point = self.plan.point
        count = threads if self.plan.design.runs_on == "cpu" else None
        where = str(store.folder.resolve())
        return Task(where, point.identity, point.model, point.arguments, block.start, block.stop, count)
