"""The index of a store: which points, in which order, belong to the spec that was run last."""

from typing import Any

from pydantic import BaseModel

from spikesim.model import SpikedModel
from spikesim.sweep.spec import ModelSpec, Spec, label_of
from spikesim.sweep.until import Until, rounds


class IndexPoint(BaseModel):
    """One point.

    Attributes:
        identity: Its folder's name.
        trials: Wanted; with `until`, at most.
        until: When it may stop before.
        coordinates: Where it lies in the spec.
        model: As the spec describes it.
    """

    identity: str
    trials: int
    until: Until | None = None
    coordinates: dict[str, Any]
    model: dict[str, Any]

    @property
    def rounds(self) -> list[range]:
        """Trials that are asked for together."""
        return rounds(self.trials, self.until)

    @property
    def label(self) -> str:
        """Coordinates as text."""
        return label_of(self.coordinates)

    def build(self) -> SpikedModel:
        """The model; raises ValueError if it is none."""
        return ModelSpec.model_validate(self.model).build()


class Index(BaseModel):
    """What stands in index.json."""

    title: str
    quick: bool
    points: list[IndexPoint]

    @classmethod
    def of(cls, spec: Spec, quick: bool) -> "Index":
        """Of a spec."""
        points = [
            IndexPoint(
                identity=p.identity, trials=p.arguments["trials"], until=p.until, coordinates=p.coordinates,
                model=p.described.model_dump(),
            )
            for p in spec.points
        ]  # fmt: skip
        return cls(title=spec.title, quick=quick, points=points)
