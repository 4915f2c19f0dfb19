"""Results on disk: a folder of shards for each design point (ledger.py), and an index of the spec they belong to."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from spikesim.errors import need
from spikesim.model import SpikedModel
from spikesim.parts import finished
from spikesim.sweep.ledger import Ledger
from spikesim.sweep.shard import commit
from spikesim.sweep.spec import ModelSpec, Point, Spec

if TYPE_CHECKING:
    import xarray as xr

INDEX = "index.json"


class _IndexPoint(BaseModel):
    identity: str
    trials: int
    coordinates: dict[str, Any]
    model: ModelSpec


class _Index(BaseModel):
    title: str
    quick: bool
    points: list[_IndexPoint]


@dataclass(frozen=True)
class Result:
    """One point's model and data, and where it lies in the spec."""

    model: SpikedModel
    coordinates: dict[str, Any]
    data: "xr.Dataset"


class Store:
    """A folder of results.

    Args:
        folder: Created when something is first written.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)

    def ledger(self, identity: str) -> Ledger:
        """What is done of the point of an identity."""
        return Ledger(self.folder / identity)

    def write_index(self, spec: Spec, quick: bool) -> None:
        """Say which points, in which order, belong to the spec."""
        self.folder.mkdir(parents=True, exist_ok=True)
        points = [_described(p) for p in spec.points]
        content = json.dumps({"title": spec.title, "quick": quick, "points": points}, indent=1).encode()
        path = self.folder / INDEX
        if not (path.is_file() and path.read_bytes() == content):
            commit(path, content)

    @property
    def index(self) -> dict[str, Any]:
        """Title, quick, points.

        Raises:
            ValueError: If there is no readable index.
        """
        path = self.folder / INDEX
        need(path.is_file(), f"results of `spikesim run` ({INDEX})", folder=str(self.folder))
        try:
            return _Index.model_validate_json(path.read_bytes()).model_dump()
        except ValueError:
            need(False, f"a readable {INDEX}", "run again", folder=str(self.folder))
            raise

    @property
    def quick(self) -> bool:
        """Whether the results are those of a quick run."""
        return bool(self.index["quick"])

    def __iter__(self) -> Iterator[Result]:
        for point in self.index["points"]:
            model = ModelSpec.model_validate(point["model"]).build()
            part = self.ledger(point["identity"]).read(range(point["trials"]))
            yield Result(model, point["coordinates"], finished(part))


def _described(point: Point) -> dict[str, Any]:
    return {
        "identity": point.identity, "trials": point.arguments["trials"], "coordinates": point.coordinates,
        "model": point.described.model_dump(),
    }  # fmt: skip
