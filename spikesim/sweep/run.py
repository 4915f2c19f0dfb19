"""Run what a spec asks for and the store does not have yet."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event

from spikesim.design import Design, design_from
from spikesim.simulate import run_part
from spikesim.sweep import shard
from spikesim.sweep.provenance import provenance
from spikesim.sweep.spec import Spec
from spikesim.sweep.store import Store

Progress = Callable[[str, int, int], None]

BLOCK_WORK = 5e9
"""Work of one shard in entry-steps of noise: about five seconds of two cores."""


@dataclass(frozen=True)
class Ran:
    """How many points had trials to compute and how many had all of them already; whether it was stopped before the end."""

    computed: int
    kept: int
    stopped: bool = False


def run_spec(
    spec: Spec, store: Store, quick: bool = False, fresh: bool = False, progress: Progress | None = None,
    stop: Event | None = None,
) -> Ran:  # fmt: skip
    """Simulate the trials of each point that the store lacks, block by block; each is on disk before the next begins.

    Args:
        spec: What to run.
        store: Where results go; damaged ones are set aside and computed again.
        quick: Recorded in the index.
        fresh: Compute again what is there.
        progress: Called with (point's label, trials done, trials), over all points.
        stop: Once set, the block under way is finished and written, and no other begun.
    """
    store.write_index(spec, quick)
    total, done, computed, kept = sum(p.arguments["trials"] for p in spec.points), 0, 0, 0
    for point in spec.points:
        ledger = store.ledger(point.identity)
        design, trials = design_from(point.model, **point.arguments)
        for name in ledger.used(trials) if fresh else ledger.damaged():
            ledger.set_aside(name)
        blocks = list(ledger.missing(trials, block_size(design, len(trials))))
        now = done + len(trials) - sum(map(len, blocks))
        for block in blocks:
            if stop is not None and stop.is_set():
                return Ran(computed + (block != blocks[0]), kept, stopped=True)

            def report(count: int, _of: int, label: str = point.label, before: int = now) -> None:
                if progress is not None:
                    progress(label, before + count, total)

            start = time.monotonic()
            part = run_part(design, block, point.arguments["joint"], report)
            took = time.monotonic() - start
            shard.write(ledger.folder, part.assign_attrs(seconds=took, provenance=provenance()))
            now += len(block)
        computed += bool(blocks)
        kept += not blocks
        done += len(trials)
        if progress is not None:
            progress(point.label, done, total)
    return Ran(computed, kept)


def block_size(design: Design, trials: int) -> int:
    """Trials of a shard: about BLOCK_WORK, at most all."""
    return max(1, min(trials, int(BLOCK_WORK / max(design.work, 1.0))))
