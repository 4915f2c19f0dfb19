"""The books of a run: trials done and to do, and from them rate and time left."""

import time
from collections.abc import Iterable

from spikesim.sweep import cost
from spikesim.sweep.plan import PointPlan
from spikesim.sweep.state import State


class Books:
    """Counts trials, and what they cost (cost.py).

    Args:
        plans: All points.
        fresh: Whether what is there counts as to do.
    """

    def __init__(self, plans: Iterable[PointPlan], fresh: bool) -> None:
        self._start = time.monotonic()
        self._to_do: dict[int, int] = {}
        self._there: dict[int, int] = {}
        self._done = self._total = self._mine = self._points_done = self._failed = 0
        self._work_done = self._work_left = 0.0
        self.blocks = 0
        for plan in plans:
            self._open(plan, fresh)

    def _open(self, plan: PointPlan, fresh: bool = False) -> None:
        blocks, there = plan.survey(fresh)
        trials = sum(map(len, blocks))
        self.blocks += len(blocks)
        self._there[plan.number] = there
        self._to_do[plan.number] = trials
        self._total += trials + there
        self._done += there
        self._work_left += trials * cost.seconds(plan.design)

    def recount(self, plan: PointPlan) -> None:
        """A point lost trials that were thought to be there."""
        before, there = self._to_do[plan.number], self._there[plan.number]
        self._open(plan)
        self._total -= before + there
        self._done -= there
        self._work_left -= before * cost.seconds(plan.design)

    def block_done(self, plan: PointPlan, trials: int) -> None:
        """A block of a point is there."""
        self._to_do[plan.number] -= trials
        self._done += trials
        self._mine += trials
        self._work_done += trials * cost.seconds(plan.design)
        self._work_left -= trials * cost.seconds(plan.design)

    @property
    def computed(self) -> int:
        """Trials of this run."""
        return self._mine

    def block_failed(self) -> None:
        """A block was given up."""
        self._failed += 1

    def point_done(self, plan: PointPlan, failed: bool) -> None:
        """Nothing is left to do of a point; what was not asked of it is not counted any more."""
        left = self._to_do.pop(plan.number)
        self._points_done += 1
        self._work_left -= left * cost.seconds(plan.design)
        self._total -= 0 if failed else left

    def state(self, label: str, note: str = "") -> State:
        """How far the run is; note: what holds it up."""
        seconds = time.monotonic() - self._start
        left = seconds * self._work_left / self._work_done if self._work_done else None
        return State(
            label, self._points_done, self._points_done + len(self._to_do), self._done, self._total, self._failed, seconds,
            self._mine / seconds if self._mine else 0.0, max(0.0, left) if left is not None else None, note,
        )  # fmt: skip
