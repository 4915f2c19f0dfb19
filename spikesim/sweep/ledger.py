"""What is done of one point: the shards in its folder are the only record of it.

Nothing else is written down, so nothing can disagree with the files. Runs that know nothing of each other may write to one
folder, with blocks of any size: shards of the same trials hold the same numbers, and those that overlap are never both used.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from spikesim.errors import need
from spikesim.parts import joined
from spikesim.sweep import shard
from spikesim.sweep.contents import DamagedError, Raw
from spikesim.sweep.failure import Failure, failures
from spikesim.sweep.remedy import rerun
from spikesim.sweep.shard import ShardName

if TYPE_CHECKING:
    import xarray as xr

QUARANTINE = "quarantine"


@dataclass(frozen=True)
class Ledger:
    """The folder of one point.

    Args:
        folder: Made when something is first written.
    """

    folder: Path

    def inside(self, trials: range) -> list[ShardName]:
        """Every shard of no other trials than these."""
        return shard.shards(self.folder, trials)

    def used(self, trials: range, without: Collection[ShardName] = ()) -> list[ShardName]:
        """Shards that answer for trials, in their order: of those inside the range, the disjoint ones that hold most."""
        return disjoint([s for s in self.inside(trials) if s not in without])

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
            ValueError: If some are missing, or their shards are damaged.
        """
        parts = self.found(trials)
        found = sum(len(part.trial) for part in parts)
        advice = f"{self.advice}{self.reason(trials)}"
        need(found == len(trials), "all trials", advice, found=found, wanted=len(trials))
        return joined(parts)

    @property
    def advice(self) -> str:
        """What to do where trials are missing."""
        return f"{rerun(self.folder.parent)} keeps what is done and simulates the rest"

    def reason(self, trials: range) -> str:
        """Why trials are missing, if that is on record, as it follows an advice."""
        return "".join(f"; trials {f.first} to {f.after - 1} failed: {f.error}" for f in self.failures(trials)[:1])

    def found(self, trials: range) -> "list[xr.Dataset]":
        """Parts of a range that are there and sound, in the order of their trials."""
        return [raw.dataset for raw in self.raw(trials)]

    def raw(self, trials: range, names: Collection[str] | None = None) -> Iterator[Raw]:
        """Contents of the shards that answer for trials; others stand for damaged ones, if there are.

        Args:
            trials: Of these alone.
            names: Variables to read; all where left out.

        Raises:
            ValueError: If a name vouches for bytes that are no shard's: nothing that befalls a file can do that.
        """
        for name, content in self._sound(trials):
            try:
                raw = Raw.of(content, names)
            except DamagedError as error:
                again = f"remove it: {rerun(self.folder.parent)} simulates its trials again"
                raise DamagedError(f"{error}, file={str(self.folder / str(name))!r}; {again}") from None
            yield raw

    def _sound(self, trials: range, without: Collection[ShardName] = ()) -> Iterator[tuple[ShardName, bytes]]:
        for name in self.used(trials, without):
            try:
                content = shard.content_of(self.folder, name)
            except (DamagedError, FileNotFoundError):  # or set aside meanwhile, by a run
                yield from self._sound(name.trials, {*without, name})
            else:
                yield name, content

    def failures(self, trials: range) -> list[Failure]:
        """Blocks of which trials are still missing because computing them failed."""
        there = [s.trials for s in self.used(trials)]
        recorded = [f for f in failures(self.folder) if f.first < trials.stop and trials.start < f.after]
        return [f for f in recorded if sum(len(overlap(x, f.trials)) for x in there) < len(overlap(trials, f.trials))]

    def failed(self, trials: range) -> int:
        """How many trials are missing because computing them failed: once each, whatever blocks they were tried in."""
        gaps, records = list(self.missing(trials, max(1, len(trials)))), self.failures(trials)
        return len({trial for gap in gaps for f in records for trial in overlap(gap, f.trials)})

    def damaged(self) -> list[ShardName]:
        """Shards whose bytes are not those that were written; every one is read."""
        return [name for name in shard.shards(self.folder) if self._differs(name)]

    def _differs(self, name: ShardName) -> bool:
        try:
            shard.content_of(self.folder, name)
        except DamagedError:
            return True
        except FileNotFoundError:  # set aside meanwhile, by another run
            return False
        return False

    def set_aside(self, name: ShardName) -> None:
        """Move a damaged or unwanted shard where it is never read; it may be gone already, by another run's hand."""
        aside = self.folder / QUARANTINE
        need(not aside.is_symlink(), "a folder of its own for what is set aside", link=str(aside))
        aside.mkdir(exist_ok=True)
        try:
            (self.folder / str(name)).replace(aside / str(name))
        except FileNotFoundError:
            return

    def left_over(self, *rounds: range) -> list[Path]:
        """Files left over when the trials of each round are read together.

        Temporary ones, shards that others stand for, what was set aside, records of failures whose trials are there.
        """
        if not self.folder.is_dir():
            return []
        used = {s for trials in rounds for s in self.used(trials)}
        inside = {s for trials in rounds for s in self.inside(trials)}
        still = {f for trials in rounds for f in self.failures(trials)}
        stop = max(trials.stop for trials in rounds)
        over = [f.path(self.folder) for f in failures(self.folder) if f not in still and f.after <= stop]
        aside = self.folder / QUARANTINE
        apart = [aside] if aside.is_symlink() else aside.iterdir() if aside.is_dir() else ()  # never what a link leads to
        temporary = self.folder.glob(".*.tmp")
        return sorted([*temporary, *(self.folder / str(s) for s in inside - used), *over, *apart])


def overlap(a: range, b: range) -> range:
    """Numbers of both, each range of step 1."""
    return range(max(a.start, b.start), min(a.stop, b.stop))


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
