"""The index of a store: which points, in which order, belong to the spec that was run last."""

from typing import Annotated, Any

from pydantic import BaseModel, Field

from spikesim.errors import need
from spikesim.model import SpikedModel
from spikesim.sweep.fields import ModelSpec
from spikesim.sweep.shard import digest_of
from spikesim.sweep.spec import Spec, label_of
from spikesim.sweep.until import Until, rounds

MOST_TRIALS = 2**32
"""As many as have numbers of their own."""


class IndexPoint(BaseModel):
    """One point.

    Attributes:
        identity: Its folder's name.
        trials: Wanted; with `until`, at most.
        until: When it may stop before.
        coordinates: Where it lies in the spec.
        model: As the spec describes it.
    """

    identity: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
    trials: Annotated[int, Field(ge=1, le=MOST_TRIALS)]
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
        """The model; raises ValueError if it is none. `Store.model` says of which store."""
        return ModelSpec.model_validate(self.model).build()


class Index(BaseModel):
    """What stands in index.json.

    Attributes:
        title: Of the spec.
        quick: Whether its [quick] tables were applied.
        points: In the order of the spec.
        digest: Of all that, so that a changed label is no other point's result.
    """

    title: str
    quick: bool
    points: list[IndexPoint]
    digest: str = ""

    @property
    def content(self) -> bytes:
        """What the digest is of."""
        return self.model_dump_json(exclude={"digest"}).encode()

    @classmethod
    def parsed(cls, text: bytes) -> "Index":
        """From the file; raises ValueError if it is not as it was written."""
        index = cls.model_validate_json(text)
        need(index.digest == digest_of(index.content), "the index that was written", digest=index.digest)
        return index

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
        index = cls(title=spec.title, quick=quick, points=points)
        return index.model_copy(update={"digest": digest_of(index.content)})
