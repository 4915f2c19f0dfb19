"""Run what a spec asks for and the store does not have yet."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from spikesim.simulate import simulate
from spikesim.sweep.spec import Spec
from spikesim.sweep.store import Store

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Ran:
    """How many points were computed and how many were there already."""

    computed: int
    kept: int


def run_spec(spec: Spec, store: Store, quick: bool = False, fresh: bool = False, progress: Progress | None = None) -> Ran:
    """Simulate each point that the store lacks; each result is on disk before the next begins.

    Args:
        spec: What to run.
        store: Where results go.
        quick: Recorded in the index.
        fresh: Compute again what is there.
        progress: Called with (point's label, trials done, trials), over all points.
    """
    store.write_index(spec, quick)
    total, done, computed = sum(p.arguments["trials"] for p in spec.points), 0, 0
    for point in spec.points:
        if fresh or not store.has(point):

            def report(now: int, _of: int, label: str = point.label, before: int = done) -> None:
                if progress is not None:
                    progress(label, before + now, total)

            start = time.monotonic()
            data = simulate(point.model, progress=report, **point.arguments)
            store.write(point, data.assign_attrs(seconds=time.monotonic() - start))
            computed += 1
        done += point.arguments["trials"]
        if progress is not None:
            progress(point.label, done, total)
    return Ran(computed, len(spec.points) - computed)
