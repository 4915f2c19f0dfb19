"""What is to be computed of a spec: each point's trials in blocks, and which of them are this run's."""

import math
import re
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from spikesim.design import Design
from spikesim.errors import need
from spikesim.sweep import cost
from spikesim.sweep.ledger import Ledger
from spikesim.sweep.reading import until_enough
from spikesim.sweep.spec import Point, Spec
from spikesim.sweep.store import Store
from spikesim.sweep.until import rounds

BLOCK_SECONDS = 5.0
"""Of a core, about, for a block, where nothing else is said."""
MOST_BLOCKS = 1_000_000
"""Of a run: each is a file."""


@dataclass(frozen=True)
class Share:
    """The part of all blocks that falls to one of several runs that know nothing of each other: every `of`-th.

    Args:
        number: Which one, 1 to `of`.
        of: How many runs there are.
    """

    number: int = 1
    of: int = 1

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    @classmethod
    def parsed(cls, text: str) -> "Share":
        """From "i/n"; raises ValueError."""
        found = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text) if isinstance(text, str) else None
        number, of = (int(found[1]), int(found[2])) if found else (0, 0)
        need(1 <= number <= of, 'a share "i/n" with 1 <= i <= n, such as 3/16', share=text)
        return cls(number, of)

    def has(self, block: int) -> bool:
        """Whether a block, by its number, is in it."""
        return block % self.of == self.number - 1


WHOLE = Share()


@dataclass(frozen=True)
class PointPlan:
    """One point of a run.

    Args:
        point: Of the spec.
        ledger: What is done of it.
        number: Of the point in the spec.
        offset: Number of its first block.
        share: Which blocks are computed by this run; of points that stop by themselves, whole points.
        block_seconds: Of a core, about, for a block.
    """

    point: Point
    ledger: Ledger
    number: int
    offset: int
    share: Share
    block_seconds: float

    @property
    def design(self) -> Design:
        """What a trial is."""
        return self.point.design

    @property
    def trials(self) -> range:
        """All that may be asked for."""
        return range(self.point.arguments["trials"])

    @cached_property
    def size(self) -> int:
        """Trials of a block: at most all. Not a matter of workers, so that shares are cut alike."""
        return max(1, int(min(len(self.trials), self.block_seconds / cost.seconds(self.design))))

    @property
    def blocks(self) -> int:
        """Of all trials, at most: one begins at each multiple of `size`, and with each round."""
        until = self.point.until
        return -(-len(self.trials) // self.size) + (0 if until is None else (len(self.trials) - 1) // until.every)

    @property
    def rounds(self) -> list[range]:
        """Trials that are asked for together."""
        return rounds(len(self.trials), self.point.until)

    def missing(self, between: range, fresh: bool = False) -> list[range]:
        """This run's blocks of a round that are not done; all of them if fresh."""
        ledger = self.ledger if not fresh else Ledger(self.ledger.folder / "none")
        return [block for block in ledger.missing(between, self.size) if self._mine(block)]

    def _mine(self, block: range) -> bool:
        return self.share.has(self.offset + block.start // self.size if self.point.until is None else self.number)

    def survey(self, fresh: bool = False) -> "Survey":
        """What there is to do, as far as names tell; of rounds that may turn out not to be asked for, too."""
        until = self.point.until
        if until is not None and not fresh:
            count, enough = until_enough(self.ledger, until, len(self.trials))
            if enough:
                return Survey([], count)
        blocks = [block for between in self.rounds for block in self.missing(between, fresh)]
        return Survey(blocks, len(self.trials) - sum(map(len, blocks)) if self.share == WHOLE else 0)


class Survey(NamedTuple):
    """Blocks of a point that this run has to do, and how many trials are there (of a share of the blocks: 0)."""

    blocks: list[range]
    there: int


def planned(spec: Spec, store: Store, share: Share = WHOLE, block_seconds: float = BLOCK_SECONDS) -> list[PointPlan]:
    """Every point of a spec; raises ValueError unless block_seconds > 0, or if there are more than MOST_BLOCKS blocks."""
    real = isinstance(block_seconds, int | float)
    need(real and 0 < block_seconds < math.inf, "0 < block_seconds < inf", block_seconds=block_seconds)
    plans: list[PointPlan] = []
    offset = 0
    for number, point in enumerate(spec.points):
        plans.append(PointPlan(point, store.ledger(point.identity), number, offset, share, block_seconds))
        offset += -(-len(plans[-1].trials) // plans[-1].size)
    blocks, advice = sum(plan.blocks for plan in plans), "ask for fewer trials, or longer blocks (--block-seconds)"
    need(blocks <= MOST_BLOCKS, f"at most {MOST_BLOCKS:,} blocks in a run", advice, blocks=blocks)
    return plans
