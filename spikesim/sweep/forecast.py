"""What a run would do, without doing it: points, trials, blocks, time and bytes."""

from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from spikesim.arguments import worker_count
from spikesim.devices.named import device
from spikesim.parts import SECONDS
from spikesim.sweep import cost
from spikesim.sweep.plan import BLOCK_SECONDS, WHOLE, PointPlan, Share, planned
from spikesim.sweep.spec import Spec
from spikesim.sweep.state import clock
from spikesim.sweep.store import Store

SAMPLE = 100
"""Points of which a finished block is looked at for the pace of this machine."""


@dataclass(frozen=True)
class Forecast:
    """What a run would do.

    Attributes:
        points: In the spec.
        points_done: Of which nothing is left to do for this run.
        trials: In the spec, or in the share; of points that stop by themselves, at most.
        trials_to_do: That this run would compute, at most.
        blocks: In which it would compute them.
        core_seconds: They take, about.
        workers: On how many cores at once.
        seconds: They take so, about.
        bytes: That they take on disk, about.
        blocks_timed: Finished blocks of the store from which the pace is; 0: it is that of cost.py.
    """

    points: int
    points_done: int
    trials: int
    trials_to_do: int
    blocks: int
    core_seconds: float
    workers: int
    seconds: float
    bytes: int
    blocks_timed: int

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {"event": "forecast", **asdict(self)}

    @property
    def text(self) -> str:
        """For people."""
        pace = f"at the pace of {self.blocks_timed} finished blocks" if self.blocks_timed else "within a factor of three"
        return (
            f"{self.points} points, {self.points_done} of them done; {self.trials_to_do} of {self.trials} trials to do in "
            f"{self.blocks} blocks\nabout {clock(self.seconds)} with {self.workers} at a time ({pace}), "
            f"{_bytes(self.bytes)} on disk"
        )


def forecast(
    spec: Spec, store: Store, fresh: bool = False, workers: int | None = None, share: Share = WHOLE,
    block_seconds: float = BLOCK_SECONDS,
) -> Forecast:  # fmt: skip
    """What run_spec with the same arguments would do; nothing is computed or written."""
    plans = planned(spec, store, share, block_seconds)
    surveys = [plan.survey(fresh) for plan in plans]
    to_do = [(plan, survey.blocks) for plan, survey in zip(plans, surveys, strict=True)]
    counts = [sum(map(len, blocks)) for _, blocks in to_do]
    there = sum(survey.there for survey in surveys)
    pace, timed = _pace(plans)
    blocks, count = sum(len(b) for _, b in to_do), worker_count(workers, device("cpu"))
    core_seconds = pace * sum(n * cost.seconds(plan.design) for plan, n in zip(plans, counts, strict=True))
    core_seconds += cost.BLOCK * blocks
    longest = pace * max((len(b[0]) * cost.seconds(plan.design) for plan, b in to_do if b), default=0.0)
    size = sum(cost.size(plan.design, n, len(b)) for (plan, b), n in zip(to_do, counts, strict=True) if b)
    return Forecast(
        len(plans), sum(not b for _, b in to_do), there + sum(counts), sum(counts), blocks, core_seconds,
        count, max(core_seconds / count, longest if blocks >= count else 0.0) + cost.START * bool(blocks), size, timed,
    )  # fmt: skip


def _pace(plans: list[PointPlan]) -> tuple[float, int]:
    """Measured seconds over those of cost.py, the median over so many blocks."""
    ratios: list[float] = []
    for plan in plans:
        names = plan.ledger.used(plan.trials)[-1:]  # the first of a run compiles
        for raw in plan.ledger.raw(names[0].trials, ()) if names and len(ratios) < SAMPLE else ():
            measured = float(raw.attributes.get(SECONDS, 0.0))
            ratios.append(measured / (len(names[0].trials) * cost.seconds(plan.design)))
    return (median(ratios), len(ratios)) if ratios else (1.0, 0)


def _bytes(count: int) -> str:
    for size, unit in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count} bytes"
