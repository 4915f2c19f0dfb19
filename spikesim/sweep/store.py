"""Results on disk: one netCDF file a design point, named by its identity, and an index of the spec they belong to."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from spikesim.errors import need
from spikesim.model import SpikedModel
from spikesim.sweep.spec import ModelSpec, Point, Spec

if TYPE_CHECKING:
    import xarray as xr

INDEX = "index.json"


class _IndexPoint(BaseModel):
    file: str
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

    def path(self, point: Point) -> Path:
        """Where the point's result is."""
        return self.folder / f"{point.identity}.nc"

    def has(self, point: Point) -> bool:
        """Whether the point's result is there and whole."""
        import xarray as xr

        try:
            xr.load_dataset(self.path(point), engine="scipy").close()
        except (OSError, ValueError, TypeError, IndexError, KeyError):
            return False
        return True

    def write(self, point: Point, data: "xr.Dataset") -> None:
        """Write a point's result whole or not at all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        _replace(self.path(point), lambda temporary: data.to_netcdf(temporary, engine="scipy"))

    def write_index(self, spec: Spec, quick: bool) -> None:
        """Say which points, in which order, belong to the spec."""
        self.folder.mkdir(parents=True, exist_ok=True)
        points = [
            {"file": self.path(p).name, "coordinates": p.coordinates, "model": p.described.model_dump()} for p in spec.points
        ]
        text = json.dumps({"title": spec.title, "quick": quick, "points": points}, indent=1)
        path = self.folder / INDEX
        if not (path.is_file() and path.read_bytes() == text.encode()):
            _replace(path, lambda temporary: temporary.write_bytes(text.encode()))

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
        import xarray as xr

        for point in self.index["points"]:
            path = self.folder / point["file"]
            need(path.is_file(), "all points of the spec", "run it again: what is done is kept", missing=path.name)
            model = ModelSpec.model_validate(point["model"]).build()
            yield Result(model, point["coordinates"], xr.load_dataset(path, engine="scipy"))


def _replace(path: Path, write: Any) -> None:
    """Write to a temporary file, sync, and rename over the path."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        write(temporary)
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
