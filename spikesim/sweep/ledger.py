"""What is done of one design point: the shards in its folder are the only record of it.

Nothing else is written down, so nothing can disagree with the files. Runs that know nothing of each other may write to one
folder, with blocks of any size: shards of the same trials hold the same numbers, and those that overlap are never both used.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from spikesim.errors import need
from spikesim.parts import joined
from spikesim.sweep import shard
from spikesim.sweep.shard import DamagedError, ShardName

if TYPE_CHECKING:
    import xarray as xr

QUARANTINE = "quarantine"


@dataclass(frozen=True)
class Ledger:
    """The folder of one design point.

    Args:
        folder: Made when something is first written.
    """

    folder: Path

    def used(self, trials: range) -> list[ShardName]:
        """Shards that answer for trials, in their order: of those inside the range, the disjoint ones that hold most."""
        inside = [s for s in shard.shards(self.folder) if trials.start <= s.first and s.after <= trials.stop]
        return disjoint(inside)

    def missing(self, trials: range, size: int) -> Iterator[range]:
        """Blocks that are still to be computed: gaps between used shards, cut at the multiples of `size`."""
        need(trials.step == 1, "consecutive trials", trials=trials)
        need(size >= 1, "size >= 1", size=size)
        at = trials.start
        for first, after in [*((s.first, s.after) for s in self.used(trials)), (trials.stop, trials.stop)]:
            while at < first:
                end = min(first, at - at % size + size)
                yield range(at, end)
                at = end
            at = after

    def read(self, trials: range) -> "xr.Dataset":
        """All trials of a range, one part (parts.py).

        Raises:
            ValueError: If some are missing, or their shards are damaged: these are set aside, and a run computes them again.
        """
        parts = [self._sound(name) for name in self.used(trials)]
        found = sum(len(part.trial) for part in parts if part is not None)
        need(found == len(trials), "all trials", "run it again: what is done is kept", found=found, wanted=len(trials))
        return joined([part for part in parts if part is not None])

    def _sound(self, name: ShardName) -> "xr.Dataset | None":
        try:
            return shard.read(self.folder, name)
        except DamagedError:
            self.set_aside(name)
            return None

    def damaged(self) -> list[ShardName]:
        """Shards whose bytes are not those that were written; every one is read."""
        return [s for s in shard.shards(self.folder) if shard.digest_of((self.folder / str(s)).read_bytes()) != s.digest]

    def set_aside(self, name: ShardName) -> None:
        """Move a damaged shard where it is never read; it may be gone already, by another run's hand."""
        (self.folder / QUARANTINE).mkdir(exist_ok=True)
        try:
            (self.folder / str(name)).replace(self.folder / QUARANTINE / str(name))
        except FileNotFoundError:
            return

    def left_over(self, trials: range) -> list[Path]:
        """Files that answer for nothing: temporary ones, shards of the range that others stand for, what was set aside."""
        if not self.folder.is_dir():
            return []
        used = {str(s) for s in self.used(trials)}
        aside = self.folder / QUARANTINE
        inside = [s for s in shard.shards(self.folder) if trials.start <= s.first and s.after <= trials.stop]
        superseded = [self.folder / str(s) for s in inside if str(s) not in used]
        return sorted([*self.folder.glob(".*.tmp"), *superseded, *(aside.iterdir() if aside.is_dir() else ())])


def disjoint(found: Sequence[ShardName]) -> list[ShardName]:
    """Of shards, those that overlap nowhere and together hold the most trials; of equals, the first by name."""
    ordered = sorted(found, key=lambda s: (s.after, s.first, s.digest))
    ends = [s.after for s in ordered]
    best = [0]  # trials held by the best of the first k
    links: list[tuple[int, int] | None] = [None]
    for k, s in enumerate(ordered):
        before = bisect_right(ends, s.first, 0, k)
        with_it, without = best[before] + s.after - s.first, best[k]
        best.append(max(with_it, without))
        links.append((k, before) if with_it > without else None)
    return list(_traced(ordered, links))[::-1]


def _traced(ordered: Sequence[ShardName], links: Sequence[tuple[int, int] | None]) -> Iterator[ShardName]:
    at = len(ordered)
    while at > 0:
        link = links[at]
        if link is None:
            at -= 1
        else:
            yield ordered[link[0]]
            at = link[1]
