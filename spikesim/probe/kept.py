"""Probes of a study on disk: a JSON file each, named by all that it depends on, and read back in the order of the study."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, overload

from spikesim.errors import need
from spikesim.model import SpikedModel
from spikesim.probe.study import Study
from spikesim.probe.task import Task
from spikesim.sweep.commit import commit
from spikesim.sweep.state import State

Progress = Callable[[State], None]


@dataclass(frozen=True)
class Probed:
    """One probe that is done.

    Attributes:
        task: What was asked for.
        found: Probe.as_json(), without its paths, and "seconds".
        truth: What a simulation with the signal known measured (task.py); None for recordings, or where none was asked for.
    """

    task: Task
    found: dict[str, Any]
    truth: dict[str, Any] | None = None

    @property
    def name(self) -> str:
        """Of the stream."""
        return self.task.stream.name

    @property
    def kind(self) -> str:
        """Either "stationary" or "trajectory"."""
        return self.task.stream.kind

    @property
    def model(self) -> SpikedModel:
        """What was simulated.

        Raises:
            ValueError: If it is a recording.
        """
        need(self.task.stream.model is not None, "a simulated stream", name=self.name)
        assert self.task.stream.model is not None
        return self.task.stream.model


class Probes(Sequence[Probed]):
    """The probes of a study, in its order.

    Args:
        study: What was asked for.
        folder: Where its results lie.
    """

    def __init__(self, study: Study, folder: Path) -> None:
        self.study, self.folder = study, folder

    def __len__(self) -> int:
        return len(self.study.tasks)

    @overload
    def __getitem__(self, number: int) -> Probed: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[Probed]: ...
    def __getitem__(self, number: int | slice) -> Probed | Sequence[Probed]:
        return self._all[number]

    def __iter__(self) -> Iterator[Probed]:
        return iter(self._all)

    @property
    def title(self) -> str:
        """Of the experiment."""
        return self.study.title

    @property
    def quick(self) -> bool:
        """Whether they are those of a quick run."""
        return self.study.quick

    @property
    def trials(self) -> int:
        """Probes of the last stream, as many as of every simulated one."""
        tasks = self.study.tasks
        return sum(task.label == tasks[-1].label for task in tasks)

    @property
    def seconds(self) -> float:
        """Core-seconds that probes and simulations of the truth took."""
        truths = {id(p.truth): p.truth["seconds"] for p in self if p.truth is not None}
        return sum(p.found["seconds"] for p in self) + sum(truths.values())

    @cached_property
    def _all(self) -> list[Probed]:
        names = {task.truth_identity for task in self.study.tasks if task.truth}
        truths = {name: self._read(name) for name in names}
        return [
            Probed(task, self._read(task.identity), truths[task.truth_identity] if task.truth else None)
            for task in self.study.tasks
        ]

    def _read(self, identity: str) -> dict[str, Any]:
        found = kept(self.folder, identity)
        need(found is not None, "results of `spikesim reproduce`", "run it", folder=str(self.folder), missing=identity)
        assert found is not None
        return found


def kept(folder: Path, identity: str) -> dict[str, Any] | None:
    """A result; None where there is none, or a damaged one."""
    try:
        found = json.loads((folder / f"{identity}.json").read_bytes())
    except (OSError, ValueError):
        return None
    whole = isinstance(found, dict) and found.get("identity") == identity and "seconds" in found
    return found if whole else None


def run_study(study: Study, folder: Path, fresh: bool = False, progress: Progress | None = None) -> tuple[int, int]:
    """Compute what the folder lacks, one probe after the other; each is on disk before the next begins.

    Args:
        study: What to probe.
        folder: Where results go; damaged ones are computed again.
        fresh: Compute again what is there.
        progress: Called with a State after every probe.

    Returns:
        (computed, kept): streams, each with all its trials, of which anything was computed, and of which nothing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    start, made = time.monotonic(), set()
    labels = list(dict.fromkeys(task.label for task in study.tasks))
    truths: set[str] = set()
    for number, task in enumerate(study.tasks):
        if _ensure(task, folder, fresh, truths):
            made.add(task.label)
        if progress is not None:
            at = labels.index(task.label) + int(number + 1 == len(study.tasks) or study.tasks[number + 1].label != task.label)
            progress(_state(task, at, len(labels), number + 1, len(study.tasks), time.monotonic() - start))
    return len(made), len(labels) - len(made)


def _ensure(task: Task, folder: Path, fresh: bool, truths: set[str]) -> bool:
    """Have a task's probe and its truth on disk; whether anything was computed. truths: those that are there for certain."""
    identity, computed = task.identity, False
    found = None if fresh else kept(folder, identity)
    if found is None:
        found = _write(folder, identity, task.probed())
        computed = True
    if task.truth and task.truth_identity not in truths:
        name = task.truth_identity
        if fresh or kept(folder, name) is None:
            _write(folder, name, task.true(found))
            computed = True
        truths.add(name)
    return computed


def _write(folder: Path, identity: str, found: dict[str, Any]) -> dict[str, Any]:
    whole = found | {"identity": identity}
    commit(folder / f"{identity}.json", json.dumps(whole, allow_nan=True).encode())
    return whole


def _state(task: Task, at: int, streams: int, done: int, total: int, seconds: float) -> State:
    rate = done / seconds if seconds > 0 else 0.0
    return State(task.label, at, streams, done, total, 0, seconds, rate, (total - done) / rate if rate else None)
