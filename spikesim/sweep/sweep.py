"""A spec, ready to run: what `spikesim run` does, from Python."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from spikesim.sweep.store import Store

if TYPE_CHECKING:
    from spikesim.sweep.forecast import Forecast
    from spikesim.sweep.spec import Point, Spec
    from spikesim.sweep.state import State


@dataclass(frozen=True)
class Sweep:
    """Points to simulate.

        store = ss.Sweep.from_toml("spec.toml").run("results")
        store.table().to_pandas()

    Args:
        spec: Checked.
        quick: Whether its [quick] tables were applied.
    """

    spec: "Spec"
    quick: bool = False

    @classmethod
    def from_toml(cls, path: Path | str, quick: bool = False) -> "Sweep":
        """Of a spec file, whose form is at the top of spikesim/sweep/spec.py.

        Args:
            path: The file.
            quick: Apply its [quick] tables.

        Raises:
            ValueError: With all its faults, each with its path in the file.
            OSError: If it cannot be read.
        """
        from spikesim.sweep.spec import Spec

        return cls(Spec.from_toml(path, quick), quick)

    @classmethod
    def from_dict(cls, table: dict[str, Any], quick: bool = False) -> "Sweep":
        """The same of the file's contents.

        Args:
            table: What a spec file holds, as tomllib reads it.
            quick: Apply its [quick] tables.

        Raises:
            ValueError: With all its faults, each with its path in the table.
        """
        from spikesim.sweep.spec import Spec

        return cls(Spec.from_dict(table, quick), quick)

    @property
    def title(self) -> str:
        """What it is for."""
        return self.spec.title

    @property
    def points(self) -> "tuple[Point, ...]":
        """Every model at every combination of the grid."""
        return self.spec.points

    def __len__(self) -> int:
        return len(self.points)

    def run(
        self, folder: Path | str, *, workers: int | None = None, executor: Any = None, share: str = "1/1",
        block_seconds: float = 5.0, fresh: bool = False, progress: "Callable[[State], None] | None" = None,
        stop: Event | None = None,
    ) -> Store:  # fmt: skip
        """Simulate the trials that a folder lacks, in blocks; each is kept once it is done.

        Args:
            folder: Of results; shared by all machines that take part.
            workers: Blocks at a time; as many as cores where left out, one on a GPU.
            executor: Where blocks are computed: a Dask Client, or any concurrent.futures.Executor (a pool of processes,
                mpi4py.futures.MPIPoolExecutor); threads of this process where left out.
            share: "i/n": only the i-th of n shares of the blocks; runs of the others may go on elsewhere, at any time.
            block_seconds: Of a core, about, for a block; equal in runs that share their blocks. Longer ones for thousands of
                cores (docs/sweeps.md).
            fresh: Compute again what is there.
            progress: Called with a State (points and trials done, rate, time left) a few times a second.
            stop: Once set, from another thread, the blocks under way are finished and no other is begun.

        Returns:
            The store of this sweep's points. What it holds does not depend on workers, executors, shares or interruptions.

        Raises:
            ValueError: If an argument breaks the conditions above, or the executor takes no blocks.
            OSError: If results cannot be written; what is done is kept.

        Warns:
            RuntimeWarning: Of blocks that failed three times, or took several workers with them: the rest goes on, and they
                are on record (`spikesim status`) until another run computes them. Of points that came to their last trial
                before the wanted standard error.
        """
        from spikesim.sweep.index import Index
        from spikesim.sweep.plan import Share
        from spikesim.sweep.run import run_spec

        store = Store(folder, Index.of(self.spec, self.quick))
        ran = run_spec(
            self.spec, store, self.quick, fresh, progress, stop, workers=workers, executor=executor,
            share=Share.parsed(share), block_seconds=block_seconds,
        )  # fmt: skip
        for note in ran.notes:
            warnings.warn(note, RuntimeWarning, stacklevel=2)
        return store

    def forecast(
        self, folder: Path | str, *, workers: int | None = None, share: str = "1/1", block_seconds: float = 5.0,
        fresh: bool = False,
    ) -> "Forecast":  # fmt: skip
        """What `run` would do: points, trials, blocks, time, bytes. Nothing is computed or written.

        Args:
            folder: As of `run`, and so are all others.
            workers: Blocks at a time.
            share: "i/n", the i-th of n shares of the blocks.
            block_seconds: About how long a core works at a block, in seconds.
            fresh: Count what is there as to be computed again.

        Raises:
            ValueError: If an argument is outside its range.
        """
        from spikesim.sweep.forecast import forecast
        from spikesim.sweep.plan import Share

        return forecast(self.spec, Store(folder), fresh, workers, Share.parsed(share), block_seconds)
