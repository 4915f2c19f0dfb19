"""Studies: TOML files that say which recordings or simulated streams to probe, and how.

title = "What it is for"
[probe]
files = ["data/gradients/a.npy", {file = "data/gradients/b.npy", kind = "trajectory", name = "b"}]
                        # beside this file; a trajectory may have a twin = "data/gradients/c.npy"
kind = "stationary"     # or "trajectory": of every stream that does not say so itself
steps = [128, 512]      # gradients of each simulated stream
trials = 8              # of each
seed = 0
truth = 100             # trials of ss.simulate that tell what the probe should find; 0 for none
readings = 24           # and windows, ranks, pipelines, reach: arguments of ss.probe
[[probe.models]]        # as in specs, each with a name, and a kind of its own where wanted
name = "white"
shape = [32, 48]
spikes = [6.0, 4.0]
noise = {law = "Gaussian", sigma = 1.0}
[quick.probe]           # what --quick changes; [quick.probe.models] in every model
trials = 2
"""

from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator

from spikesim.errors import need
from spikesim.pipelines import PIPELINES, pipelines_from
from spikesim.probe.plan import windows_for
from spikesim.probe.task import Stream, Task
from spikesim.sweep.faults import complaint, listed, merged, path_of, read_toml
from spikesim.sweep.fields import ModelSpec, Part, Real, Whole

APART = 1000
"""Between the trial numbers of streams, and of their lengths: no two probes of a study share random numbers."""
Kind = Literal["stationary", "trajectory"]
Value = Any


class _Simulated(ModelSpec):
    name: Annotated[str, Field(min_length=1)]
    kind: Kind | None = None


class _Recorded(Part):
    file: str
    kind: Kind | None = None
    name: str = ""
    twin: str | None = None


def _file(value: Value) -> Value:
    return {"file": value} if isinstance(value, str) else value


def _pipelines(texts: tuple[str, ...]) -> tuple[str, ...]:
    pipelines_from(texts)
    return texts


class _ProbeSpec(Part):
    files: tuple[Annotated[_Recorded, BeforeValidator(_file)], ...] = ()
    models: tuple[_Simulated, ...] = ()
    kind: Kind = "stationary"
    steps: tuple[Annotated[Whole, Field(ge=1)], ...] = ()
    trials: Annotated[Whole, Field(ge=1, le=APART)] = 1
    seed: Annotated[Whole, Field(ge=0)] = 0
    truth: Annotated[Whole, Field(ge=0)] = 0
    windows: tuple[Real, ...] | None = None
    ranks: tuple[Whole, ...] | None = None
    pipelines: Annotated[tuple[str, ...], AfterValidator(_pipelines)] = PIPELINES
    reach: Annotated[Real, Field(gt=0, lt=1)] = 0.9
    readings: Annotated[Whole, Field(ge=20)] | None = None

    @model_validator(mode="after")
    def _together(self) -> "_ProbeSpec":
        need(self.files or self.models, "files or models to probe", files=self.files, models=self.models)
        need(bool(self.models) == bool(self.steps), "steps for models, and for nothing else", steps=self.steps)
        names = [m.name for m in self.models] + [_name(f) for f in self.files]
        need(len(set(names)) == len(names), "distinct names of streams", names=names)
        for steps in self.steps:
            for kind in {m.kind or self.kind for m in self.models}:
                windows_for(kind, steps, self.windows)
        return self


class _File(Part):
    title: Annotated[str, Field(min_length=1)]
    probe: _ProbeSpec


def _name(recorded: _Recorded) -> str:
    return recorded.name or Path(recorded.file).stem


@dataclass(frozen=True)
class Study:
    """What a study file asks for.

    Attributes:
        title: Of the experiment.
        tasks: One for each probe, stream by stream, by steps and trials.
        quick: Whether its [quick] table was applied.
    """

    title: str
    tasks: tuple[Task, ...]
    quick: bool = False

    @classmethod
    def from_toml(cls, path: Path, quick: bool = False) -> "Study":
        """Read and check a study file.

        Raises:
            ValueError: If the file is no TOML, or with all its faults, each with its path in the file; or if a recording is
                no file.
            OSError: If it cannot be read.
        """
        return cls.from_dict(read_toml(path)[0], path.parent, quick, str(path))

    @classmethod
    def from_dict(cls, table: dict[str, Value], folder: Path, quick: bool = False, source: str = "study") -> "Study":
        """The same from the file's contents; recordings lie relative to a folder."""
        table = dict(table)
        changes = table.pop("quick", {})
        need(isinstance(changes, dict) and set(changes) <= {"probe"}, "[quick.probe] alone", quick=changes)
        changed = merged(table, changes)
        faults = _faults(table)
        faults |= {f"with [quick], {where}": what for where, what in _faults(changed).items() if where not in faults}
        if faults:
            raise ValueError(listed(source, faults))
        file = _File.model_validate(changed if quick else table)
        return cls(file.title, _tasks(file.probe, folder), quick)


def _faults(table: dict[str, Value]) -> dict[str, str]:
    try:
        _File.model_validate(table)
    except ValidationError as error:
        return {path_of(e["loc"]): complaint(e) for e in error.errors()}
    return {}


def _tasks(asked: _ProbeSpec, folder: Path) -> tuple[Task, ...]:
    names = ("windows", "ranks", "pipelines", "reach", "readings")
    arguments = {name: getattr(asked, name) for name in names}
    made = []
    for file in asked.files:
        path, twin = folder / file.file, None if file.twin is None else folder / file.twin
        for there in (path, twin):
            need(there is None or there.is_file(), "a recording: a file beside the study's", file=str(there))
        stream = Stream(_name(file), file.kind or asked.kind, file=path, twin=twin)
        made.append(Task(stream, None, 0, asked.seed, arguments, 0))
    for number, (model, steps) in enumerate(product(asked.models, asked.steps)):
        stream = Stream(model.name, model.kind or asked.kind, model=model.build())
        trials = range(number * APART, number * APART + asked.trials)
        made += [Task(stream, steps, trial, asked.seed, arguments, asked.truth) for trial in trials]
    return tuple(made)
