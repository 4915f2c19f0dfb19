"""Specs: TOML files that say which models to simulate, and how.

title = "What it is for"
[model]                 # one model; or [[model]], several, each with a name
shape = [100, 100]
spikes = [12.0, 8.0, 5.0]   # or a table that names a law for them (spectra.py)
head = 2                # how many of them the subspaces, gap and tail are about; all where left out
vectors = "haar"        # or "axes"
noise = {law = "Arch", alpha = 0.3, sigma = 1.0}
signal = {law = "Rotating", omega = 0.001, both = false}   # "Constant" where left out; see spikesim/signal/laws.py
[grid]                  # every model is run at every combination
"noise.sigma" = [0.5, 1.0, 2.0]
[run]                   # arguments of ss.simulate; momenta = [...] may stand for windows
windows = [1, 2, 5, 10]
filter = "EMA"          # or "Nesterov", "EMA(start='first')", ...: what the windows are windows of
pipelines = ["pre-polar", "clipped = Clip(3.0) -> Filter() -> Polar()"]   # names, or stages (stages/text.py)
trials = 100            # with until = {mean = "alignment", standard_error = 0.002}, at most so many (until.py)
derived_seeds = false   # true: a seed of its own for each point, instead of common random numbers
[quick.run]             # what --quick changes: [quick.model], [quick.grid], [quick.run]
trials = 10
"""

import hashlib
import itertools
import json
import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    BeforeValidator,
    Field,
    ValidationError,
    model_validator,
)

from spikesim.design import Design, design_from
from spikesim.errors import need
from spikesim.model import SpikedModel
from spikesim.rng import LAYOUT_VERSION
from spikesim.sweep.faults import complaint, listed, merged, one_line, path_of, read_toml
from spikesim.sweep.fields import ModelSpec, Part, RunSpec
from spikesim.sweep.until import Until

Value = Any
MOST_POINTS = 1_000_000


def _one_or_more(value: Value) -> Value:
    return [value] if isinstance(value, dict) else value


class _File(Part):
    title: str = ""
    model: Annotated[tuple[ModelSpec, ...], BeforeValidator(_one_or_more), Field(min_length=1)]
    grid: Annotated[dict[str, Annotated[list[Value], Field(min_length=1)]], Field(default_factory=dict)]
    run: RunSpec

    @model_validator(mode="after")
    def _together(self) -> "_File":
        names = [m.name for m in self.model]
        need(len(names) == 1 or "" not in names, "a name for each of several models", names=names)
        points = len(names) * math.prod(len(values) for values in self.grid.values())
        need(points <= MOST_POINTS, f"at most {MOST_POINTS:,} points", points=points)
        return self


@dataclass(frozen=True)
class Point:
    """One point: a model, as built and as the spec describes it, how to simulate it, and where it lies in the spec.

    Attributes:
        model: As built.
        described: As the spec describes it.
        arguments: Of ss.simulate.
        coordinates: Where it lies in the spec.
        design: The same, checked and ready to run.
        until: When to stop before all trials are done, if ever.
    """

    model: SpikedModel
    described: ModelSpec
    arguments: dict[str, Value]
    coordinates: dict[str, Value]
    design: Design
    until: Until | None = None

    @property
    def identity(self) -> str:
        """Hash of its values and the random layout, but for the number of trials, which can be raised: its folder's name."""
        values = {"model": repr(self.model), "layout": LAYOUT_VERSION, **self.arguments}
        del values["trials"]
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def label(self) -> str:
        """Coordinates as text."""
        return label_of(self.coordinates)


def label_of(coordinates: dict[str, Value]) -> str:
    """A point's coordinates as text."""
    return ", ".join(f"{k}={v}" for k, v in coordinates.items() if v != "") or "point"


@dataclass(frozen=True)
class Spec:
    """What a spec file asks for, and its text where there is a file."""

    title: str
    points: tuple[Point, ...]
    text: str = field(default="", compare=False)

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
        table, text = read_toml(path)
        return replace(cls.from_dict(table, quick, str(path)), text=text)

    @classmethod
    def from_dict(cls, table: dict[str, Value], quick: bool = False, source: str = "spec") -> "Spec":
        """The same from the file's contents."""
        need(isinstance(table, dict), "a spec's table", table=table)
        table = dict(table)
        changes = table.pop("quick", {})
        known = isinstance(changes, dict) and set(changes) <= {"model", "grid", "run"}
        need(known, "[quick.model], [quick.grid] and [quick.run] alone", quick=changes)
        changed = merged(table, changes)
        faults = _faults_of(table)
        faults |= {f"with [quick], {where}": what for where, what in _faults_of(changed).items() if where not in faults}
        if faults:
            raise ValueError(listed(source, faults))
        file = _File.model_validate(changed if quick else table)
        return cls(file.title, _points(file, source))


def _faults_of(table: dict[str, Value]) -> dict[str, str]:
    """Where -> what, of every part that is no good by itself."""
    faults = {}
    try:
        _File.model_validate(table)
    except ValidationError as error:
        faults = {path_of(e["loc"]): complaint(e) for e in error.errors()}
    grid = table.get("grid")
    for key in grid if isinstance(grid, dict) else ():
        if not _can_vary(key):
            faults[path_of(("grid", key))] = "need a grid key such as 'noise.sigma', 'spikes' or 'run.steps', got this one"
    return faults


def _can_vary(key: str) -> bool:
    """Whether a grid may name it: a field of model, noise, signal or run, but none that makes no point."""
    first, *rest = key.split(".")
    if first == "run":
        return bool(rest) and rest[0] in set(RunSpec.model_fields) - {"trials", "until", "derived_seeds"}
    return first in set(ModelSpec.model_fields) - {"name"}


def _points(file: _File, source: str) -> tuple[Point, ...]:
    """Every model at every combination of the grid; raises ValueError with what does not go together."""
    points: list[Point] = []
    faults: dict[str, str] = {}  # what -> where it was first met: a grid meets most faults many times
    for number, model in enumerate(file.model):
        for values in itertools.product(*file.grid.values()):
            at = dict(zip(file.grid, values, strict=True))
            where = one_line(", ".join([f"model[{number}]", *(f"{k}={v}" for k, v in at.items())]))
            try:
                points.append(_point(model, file.run, at))
            except ValidationError as error:
                for e in error.errors():
                    faults.setdefault(complaint(e), f"{where}: {path_of(e['loc'])}")
            except ValueError as error:
                faults.setdefault(str(error), where)
    seen: dict[str, str] = {}
    for point in () if faults else points:
        if point.identity in seen:
            faults.setdefault("need distinct points, got two alike", f"{seen[point.identity]} and {point.label}")
        seen.setdefault(point.identity, point.label)
    if faults:
        raise ValueError(listed(source, {where: what for what, where in faults.items()}))
    return tuple(points)


def _point(model: ModelSpec, run: RunSpec, at: dict[str, Value]) -> Point:
    values: dict[str, Value] = {"model": model.model_dump(), "run": run.model_dump()}
    for key, value in at.items():
        _set(values, key, value)
    if any(key.startswith("run.") for key in at):
        run = RunSpec.model_validate(values["run"])
    described = ModelSpec.model_validate(values["model"])
    built, arguments = described.build(), run.arguments()
    if run.derived_seeds:
        digest = hashlib.sha256(f"{run.seed} {built!r}".encode()).digest()
        arguments["seed"] = int.from_bytes(digest[:8], "little")
    design, _ = design_from(built, **arguments)
    if run.until is not None:
        run.until.check(design)
    return Point(built, described, arguments, {"name": model.name, **at} if model.name else at, design, run.until)


def _set(values: dict[str, Value], key: str, value: Value) -> None:
    """Set a dotted key: a field of the model, of its noise or signal, or run.something."""
    *parents, last = key.split(".")
    table = values["run"] if parents[:1] == ["run"] else values["model"]
    for parent in parents[1:] if parents[:1] == ["run"] else parents:
        need(isinstance(table.get(parent), dict), "grid keys such as 'noise.sigma', 'spikes' or 'run.steps'", key=key)
        table = table[parent]
    need(last in table, f"grid keys that the model or run has, one of {tuple(table)}", key=key)
    table[last] = value
