"""Specs: TOML files that say which models to simulate, and how.

title = "..."
[model]                     one model, or [[model]] several, each with a name
shape = [100, 100]
spikes = [12.0, 8.0, 5.0]
vectors = "haar"            or "axes"
noise = {law = "Arch", alpha = 0.3, sigma = 1.0}
[grid]                      every model is run at every combination
"noise.sigma" = [0.5, 1.0, 2.0]
[run]                       arguments of ss.simulate; momenta = [...] may stand for windows
windows = [1, 2, 5, 10]
trials = 100
derived_seeds = false       true: a seed of its own for each point, instead of common random numbers
[quick.run]                 what --quick changes: [quick.model], [quick.grid], [quick.run]
trials = 10
"""

import hashlib
import itertools
import json
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from spikesim.design import design_from
from spikesim.errors import need
from spikesim.model import SpikedModel
from spikesim.noise import LAWS
from spikesim.pipelines import PIPELINES
from spikesim.rng import LAYOUT_VERSION

Value = Any


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelSpec(_Part):
    """One model of a spec file."""

    shape: tuple[int, int]
    spikes: tuple[float, ...]
    noise: dict[str, Value]
    vectors: str = "haar"
    name: str = ""

    def build(self) -> SpikedModel:
        """The model; raises ValueError as its parts do."""
        parameters = dict(self.noise)
        law = parameters.pop("law", None)
        need(isinstance(law, str) and law in LAWS, f"noise.law in {tuple(LAWS)}", law=law)
        try:
            noise = LAWS[str(law)](**parameters)
        except TypeError as error:
            names = tuple(f.name for f in fields(LAWS[str(law)]))
            need(False, f"noise parameters of {law} out of {names}", str(error).split("() ")[-1], noise=parameters)
        return SpikedModel(self.shape, self.spikes, noise, self.vectors)


class RunSpec(_Part):
    """The arguments of ss.simulate that a spec file may set."""

    windows: tuple[float, ...] = ()
    momenta: tuple[float, ...] = ()
    trials: int
    seed: int = 0
    derived_seeds: bool = False
    steps: int | None = None
    pipelines: tuple[str, ...] = PIPELINES
    observables: tuple[str, ...] | None = None
    spectrum: int | None = None
    joint: bool = True
    method: str = "auto"
    device: str = "cpu"
    dtype: str = "float64"

    def arguments(self) -> dict[str, Value]:
        """Keyword arguments of ss.simulate; raises ValueError unless windows or momenta are given, and not both."""
        need(bool(self.windows) != bool(self.momenta), "windows or momenta, and not both", windows=self.windows)
        for beta in self.momenta:
            need(0 <= beta < 1, "0 <= beta < 1", momenta=beta)
        out = self.model_dump(exclude={"windows", "momenta", "derived_seeds"})
        # T = 1/(1 - beta), to 12 digits: 0.9 is T = 10, not 10.000000000000002
        out["windows"] = self.windows or tuple(float(f"{1 / (1 - b):.12g}") for b in self.momenta)
        return out


def _one_or_more(value: Value) -> Value:
    return [value] if isinstance(value, dict) else value


class _File(_Part):
    title: str = ""
    model: Annotated[tuple[ModelSpec, ...], BeforeValidator(_one_or_more), Field(min_length=1)]
    grid: dict[str, Annotated[list[Value], Field(min_length=1)]] = {}
    run: RunSpec


@dataclass(frozen=True)
class Point:
    """One design point: a model, as built and as the spec describes it, how to simulate it, and where it lies in the spec."""

    model: SpikedModel
    described: ModelSpec
    arguments: dict[str, Value]
    coordinates: dict[str, Value]

    @property
    def identity(self) -> str:
        """Hash of its values and the random layout: the name of its result."""
        values = {"model": repr(self.model), "layout": LAYOUT_VERSION, **self.arguments}
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def label(self) -> str:
        """Coordinates as text."""
        return ", ".join(f"{k}={v}" for k, v in self.coordinates.items() if v != "") or "point"


@dataclass(frozen=True)
class Spec:
    """What a spec file asks for."""

    title: str
    points: tuple[Point, ...]

    @classmethod
    def from_toml(cls, path: Path | str, quick: bool = False) -> "Spec":
        """Read and check a spec file.

        Args:
            path: The file.
            quick: Apply its [quick] tables.

        Raises:
            ValueError: If the file is no TOML, or with all its faults, each with its path in the file.
            OSError: If it cannot be read.
        """
        try:
            table = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ValueError(f"need a TOML file, got {path}: {error}") from None
        return cls.from_dict(table, quick, str(path))

    @classmethod
    def from_dict(cls, table: dict[str, Value], quick: bool = False, source: str = "spec") -> "Spec":
        """The same from the file's contents."""
        table = dict(table)
        changes = table.pop("quick", {})
        known = isinstance(changes, dict) and set(changes) <= {"model", "grid", "run"}
        need(known, "[quick.model], [quick.grid] and [quick.run] alone", quick=changes)
        if quick:
            table = _merged(table, changes)
        try:
            file = _File.model_validate(table)
        except ValidationError as error:
            raise ValueError(_faults(source, [(_path(e["loc"]), _complaint(e)) for e in error.errors()])) from None
        return cls(file.title, _points(file, source))


def _merged(table: dict[str, Value], changes: dict[str, Value]) -> dict[str, Value]:
    """The table with a change merged in; a change of model goes into every model."""
    out = dict(table)
    for name, change in changes.items():
        old = out.get(name, {})
        if isinstance(change, dict) and isinstance(old, list):
            out[name] = [_merged(item, change) if isinstance(item, dict) else item for item in old]
        elif isinstance(change, dict) and isinstance(old, dict):
            out[name] = _merged(old, change)
        else:
            out[name] = change
    return out


def _points(file: _File, source: str) -> tuple[Point, ...]:
    points: list[Point] = []
    faults: dict[str, str] = {}  # what -> where it was first met

    def attempt(where: str, model: ModelSpec, at: dict[str, Value]) -> None:
        try:
            points.append(_point(model, file.run, at))
        except ValidationError as error:
            for e in error.errors():
                faults.setdefault(_complaint(e), f"{where}: {_path(e['loc'])}")
        except ValueError as error:
            faults.setdefault(str(error), where)

    for number, model in enumerate(file.model):
        attempt(f"model[{number}]", model, {})
    if not faults:
        points.clear()
        for number, model in enumerate(file.model):
            for values in itertools.product(*file.grid.values()):
                at = dict(zip(file.grid, values, strict=True))
                attempt(", ".join([f"model[{number}]", *(f"{k}={v}" for k, v in at.items())]), model, at)
    if not faults and len({p.identity for p in points}) < len(points):
        faults["need distinct design points, got two alike"] = "model, grid"
    if faults:
        raise ValueError(_faults(source, [(where, what) for what, where in faults.items()]))
    return tuple(points)


def _point(model: ModelSpec, run: RunSpec, at: dict[str, Value]) -> Point:
    values: dict[str, Value] = {"model": model.model_dump(), "run": run.model_dump()}
    for key, value in at.items():
        _set(values, key, value)
    run = RunSpec.model_validate(values["run"])
    described = ModelSpec.model_validate(values["model"])
    built, arguments = described.build(), run.arguments()
    if run.derived_seeds:
        digest = hashlib.sha256(f"{run.seed} {built!r}".encode()).digest()
        arguments["seed"] = int.from_bytes(digest[:8], "little")
    design_from(built, **arguments)
    return Point(built, described, arguments, {"name": model.name, **at} if model.name else at)


def _set(values: dict[str, Value], key: str, value: Value) -> None:
    """Set a dotted key: a field of the model, of its noise, or run.something."""
    *parents, last = key.split(".")
    table = values["run"] if parents[:1] == ["run"] else values["model"]
    for parent in parents[1:] if parents[:1] == ["run"] else parents:
        need(isinstance(table.get(parent), dict), "grid keys such as 'noise.sigma', 'spikes' or 'run.steps'", key=key)
        table = table[parent]
    need(last in table, f"grid keys that the model or run has, one of {tuple(table)}", key=key)
    table[last] = value


def _path(loc: tuple[int | str, ...]) -> str:
    return "".join(f"[{x}]" if isinstance(x, int) else f".{x}" for x in loc).lstrip(".")


def _complaint(error: Any) -> str:
    given = error.get("input")
    shown = repr(given) if not isinstance(given, dict) else "a table"
    return {"missing": "need a value, got none", "extra_forbidden": "need a known key, got this one"}.get(
        error["type"], f"need {error['msg'].lower().removeprefix('input should be ')}, got {shown}"
    )


def _faults(source: str, faults: list[tuple[str, str]]) -> str:
    lines = "\n".join(f"  {where}: {what}" for where, what in faults)
    return f"need a valid spec, got {len(faults)} fault{'s' * (len(faults) > 1)} in {source}:\n{lines}"
