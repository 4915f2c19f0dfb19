"""Results on disk: a folder of shards for each point (ledger.py), and an index of the spec they belong to."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spikesim.errors import need
from spikesim.model import SpikedModel

if TYPE_CHECKING:
    import pyarrow as pa
    import xarray as xr

    from spikesim.sweep.index import Index, IndexPoint
    from spikesim.sweep.ledger import Ledger
    from spikesim.sweep.spec import Spec

INDEX = "index.json"
SPEC = "index.toml"
"""The text of the spec's file that was run last, for readers; nothing is computed from it."""


@dataclass(frozen=True)
class Result:
    """One point's model and data, and where it lies in the spec.

    Attributes:
        model: What was simulated.
        coordinates: The point's values of the grid, and its model's name.
        data: Of all trials, as ss.simulate gives them.
    """

    model: SpikedModel
    coordinates: dict[str, Any]
    data: "xr.Dataset"


class Store:
    """A folder of results: iterating gives a Result for each point, in the order of the spec.

    Args:
        folder: Created when something is first written.
        index: What to read of it; the points of the spec that was run last, where left out.
    """

    def __init__(self, folder: Path | str, index: "Index | None" = None) -> None:
        self.folder, self._index = Path(folder), index

    def __repr__(self) -> str:
        return f"Store({str(self.folder)!r})"

    def ledger(self, identity: str) -> "Ledger":
        """What is done of the point of an identity.

        Args:
            identity: Hash of the point, its folder's name.

        Raises:
            ValueError: If that is a link: what is written or removed would be elsewhere.
        """
        from spikesim.sweep.ledger import Ledger

        folder = self.folder / identity
        need(not folder.is_symlink(), "a point's folder in the store itself", link=str(folder))
        return Ledger(folder)

    def write_index(self, spec: "Spec", quick: bool) -> None:
        """Say which points, in which order, belong to the spec, and keep the text of its file if it has one.

        Args:
            spec: Its points, checked.
            quick: Whether its quick tables were applied.

        Raises:
            OSError: If it cannot be written.
        """
        from spikesim.sweep.commit import commit
        from spikesim.sweep.index import Index

        self.folder.mkdir(parents=True, exist_ok=True)
        contents = {INDEX: Index.of(spec, quick).model_dump_json(indent=1).encode()}
        contents |= {SPEC: spec.text.encode()} if spec.text else {}
        for path, content in ((self.folder / name, content) for name, content in contents.items()):
            if not (path.is_file() and path.read_bytes() == content):
                commit(path, content)

    @property
    def spec_text(self) -> str:
        """The text of the last spec file that was run, which may not be that of the index; empty where there is none."""
        try:
            return (self.folder / SPEC).read_bytes().decode("utf-8")
        except (OSError, UnicodeDecodeError):
            return ""

    @property
    def index(self) -> "Index":
        """Title, quick, points.

        Raises:
            ValueError: If there is no readable index.
        """
        from spikesim.sweep.index import Index

        if self._index is not None:
            return self._index
        path = self.folder / INDEX
        need(path.is_file(), f"results of `spikesim run` ({INDEX})", folder=str(self.folder))
        try:
            return Index.parsed(path.read_bytes())
        except ValueError:
            raise self._unreadable() from None

    def _unreadable(self, what: str = "") -> ValueError:
        from spikesim.sweep.remedy import rerun

        got = f"file={str(self.folder / INDEX)!r}{what}"
        return ValueError(f"need a readable {INDEX}, got {got}; {rerun(self.folder)} writes it again")

    def model(self, point: "IndexPoint") -> SpikedModel:
        """What was simulated at a point.

        Args:
            point: Of the index.

        Raises:
            ValueError: If the index describes none there that this version knows.
        """
        try:
            return point.build()
        except ValueError:
            raise self._unreadable(f", point={point.identity!r} of no known model") from None

    @property
    def quick(self) -> bool:
        """Whether the results are those of a quick run."""
        return self.index.quick

    def __len__(self) -> int:
        return len(self.index.points)

    def __iter__(self) -> Iterator[Result]:
        return map(self._result, self.index.points)

    def __getitem__(self, number: int) -> Result:
        """The result of one point, by its place in the spec."""
        return self._result(self.index.points[number])

    def at(self, **coordinates: Any) -> Result:
        """The result of the one point that has these coordinates: store.at(**{"noise.sigma": 0.5}).

        Args:
            **coordinates: Values of grid keys, and "model" for a model's name, as the points have them.

        Raises:
            ValueError: If none has them, or several do, or trials are missing.
        """
        points = self.index.points
        asked = {k: list(x) if isinstance(x, tuple) else x for k, x in coordinates.items()}
        found = [p for p in points if all(k in p.coordinates and p.coordinates[k] == x for k, x in asked.items())]
        known = sorted({k for p in points for k in p.coordinates})
        need(len(found) == 1, f"coordinates of one point, out of {known}", points=len(found), **coordinates)
        return self._result(found[0])

    def table(self, observables: "list[str] | None" = None) -> "pa.Table":
        """A row for each point, observable, pipeline, window and index, over the trials that are there; see summary.py.

        Args:
            observables: Names; all that are stored where left out.

        Returns:
            An Arrow table, which pandas (`.to_pandas()`), polars (`pl.from_arrow`) and DuckDB (by its name) take.
        """
        from spikesim.sweep.summary import table

        return table(self, observables)

    def _result(self, point: "IndexPoint") -> Result:
        from spikesim.parts import finished
        from spikesim.sweep.reading import read

        return Result(self.model(point), point.coordinates, finished(read(self.ledger(point.identity), point)))
