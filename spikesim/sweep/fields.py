"""The tables of a spec file, [model] and [run]: every field checked by itself, and all of a table together."""

from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    Strict,
    ValidationInfo,
    field_validator,
    model_validator,
)

from spikesim.design import design_from
from spikesim.errors import need
from spikesim.model import SpikedModel
from spikesim.noise import Gaussian
from spikesim.pipelines import PIPELINES, pipelines_from
from spikesim.sweep.laws import checked, law_from
from spikesim.sweep.spectra import Spikes, spikes_from
from spikesim.sweep.until import Until

Value = Any
Whole = Annotated[int, Strict()]
Real = Annotated[float, Strict()]

PROBE = SpikedModel((1, 1), (1.0,), Gaussian())
"""A model on which each argument of a run is checked by itself."""


class Part(BaseModel):
    """A table whose keys are all known."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelSpec(Part):
    """One model of a spec file."""

    shape: Annotated[tuple[Whole, Whole], AfterValidator(lambda x: SpikedModel(x, (1.0,), Gaussian()).shape)]
    spikes: Spikes
    noise: Annotated[dict[str, Value], AfterValidator(checked)]
    vectors: str = "haar"
    signal: Annotated[dict[str, Value], AfterValidator(checked)] = {"law": "Constant"}
    head: Whole | None = None
    name: str = ""

    @model_validator(mode="after")
    def _together(self) -> "ModelSpec":
        self.build()
        return self

    def build(self) -> SpikedModel:
        """The model; raises ValueError as its parts do."""
        noise, signal = law_from("noise", self.noise), law_from("signal", self.signal)
        return SpikedModel(self.shape, spikes_from(self.spikes, self.shape), noise, self.vectors, signal, self.head)


class RunSpec(Part):
    """The arguments of ss.simulate that a spec file may set."""

    windows: tuple[Real, ...] = ()
    momenta: tuple[Annotated[float, Strict(), Field(ge=0, lt=1)], ...] = ()
    trials: Whole
    until: Until | None = None
    seed: Whole = 0
    derived_seeds: Annotated[bool, Strict()] = False
    steps: Whole | None = None
    filter: str = "EMA"
    pipelines: tuple[str, ...] = PIPELINES
    observables: tuple[str, ...] | None = None
    spectrum: Whole | None = None
    joint: Annotated[bool, Strict()] = True
    method: str = "auto"
    device: str = "cpu"
    dtype: str = "float64"

    @field_validator("windows", "trials", "seed", "steps", "filter", "pipelines", "observables", "method", "device", "dtype")
    @classmethod
    def _alone(cls, value: Value, info: ValidationInfo) -> Value:
        """Check each argument by itself, so that every bad one is reported."""
        if info.field_name == "pipelines":
            pipelines_from(value)  # whether they are for a model's shape, that model's design says
            return value
        given = {} if info.field_name == "windows" and not value else {str(info.field_name): value}
        usual = {"windows": (1.0,), "trials": 2, "steps": 1, "joint": False, "pipelines": ("pre-polar",)}
        design_from(PROBE, **(usual | given))
        return value

    @model_validator(mode="after")
    def _together(self) -> "RunSpec":
        need(bool(self.windows) != bool(self.momenta), "windows or momenta, and not both", windows=self.windows)
        return self

    def arguments(self) -> dict[str, Value]:
        """Keyword arguments of ss.simulate."""
        out = self.model_dump(exclude={"windows", "momenta", "derived_seeds", "until"})
        # T = 1/(1 - beta), to 12 digits: 0.9 is T = 10, not 10.000000000000002
        out["windows"] = self.windows or tuple(float(f"{1 / (1 - b):.12g}") for b in self.momenta)
        if out["filter"] == "EMA":  # the usual one is left out, so that a point's identity is what it was
            del out["filter"]
        return out
