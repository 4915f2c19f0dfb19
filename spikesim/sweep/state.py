"""How far a run is."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class State:
    """A moment of a run.

    Attributes:
        label: The point that was last at work.
        points_done: Points of which this run has nothing left to do.
        points: All points.
        trials_done: Trials that are there, by this run or earlier ones.
        trials: All trials of this run; may fall where points stop by themselves.
        failed: Blocks that were given up.
        seconds: Since the run began.
        rate: Trials a second of this run; 0 before its first.
        left: Seconds to go, at the rate so far, by the work that is left; None before the first trials are done.
        note: What holds it up, if anything does.
    """

    label: str
    points_done: int
    points: int
    trials_done: int
    trials: int
    failed: int
    seconds: float
    rate: float
    left: float | None
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {"event": "progress", **self.__dict__}

    @property
    def text(self) -> str:
        """All of it but trials, for people."""
        left = [] if self.left is None or self.points_done == self.points else [f"{clock(self.left)} left"]
        failed = [f"{self.failed} blocks failed"] if self.failed else []
        rate = [f"{self.rate:.3g} trials/s"] if self.rate else []
        note = [self.note] if self.note else []
        return ", ".join([f"{self.points_done}/{self.points} points", *failed, clock(self.seconds), *rate, *left, *note])


def clock(seconds: float) -> str:
    """A time in the units of its size: 42 s, 12 min, 3.5 h, 2.1 d."""
    for size, unit in ((86400, "d"), (3600, "h")):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds / 60:.0f} min" if seconds >= 120 else f"{seconds:.0f} s"
