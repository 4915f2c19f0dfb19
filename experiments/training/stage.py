"""What every stage of `training.run` is given: tasks, processes, and where to write."""

import json
import math
import os
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from training.tasks import Task

A = TypeVar("A")
B = TypeVar("B")
DIGITS = 6
"""Significant digits of numbers in records."""


@dataclass(frozen=True)
class Context:
    """A run of stages.

    Args:
        tasks: By name.
        quick: Whether all is small.
        pool: Processes of one thread each.
        records: Folder of the JSON records; `../gradients` beside it is for recordings that are committed.
        recordings: Folder of recorded gradients.
    """

    tasks: dict[str, Task]
    quick: bool
    pool: ProcessPoolExecutor
    records: Path
    recordings: Path
    start: float = field(default_factory=time.perf_counter)

    def each(self, function: Callable[[A], B], items: Iterable[A]) -> list[B]:
        """function of every item, in order, by the pool."""
        return list(self.pool.map(function, items))

    def log(self, text: str) -> None:
        """Say how far it is."""
        print(f"[{time.perf_counter() - self.start:4.0f} s] {text}", flush=True)

    def write(self, name: str, record: dict[str, Any]) -> None:
        """Write records/name.json, numbers rounded, what is no finite number as null."""
        self.records.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"quick": self.quick, **rounded(record)}, allow_nan=False, separators=(",", ":"))
        (self.records / f"{name}.json").write_text(text + "\n", encoding="utf-8")

    def read(self, name: str) -> dict[str, Any]:
        """What write wrote."""
        return json.loads((self.records / f"{name}.json").read_text(encoding="utf-8"))


def one_thread() -> None:
    """Set a process of the pool up: its matrices are small."""
    import torch

    torch.set_num_threads(1)


def cores(most: int = 2) -> int:
    """Processes to run at once."""
    return min(most, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def rounded(value: Any, digits: int = DIGITS) -> Any:
    """The same lists and dictionaries with numbers of so many digits; what is no finite number is None."""
    if isinstance(value, dict):
        return {key: rounded(x, digits) for key, x in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(x, digits) for x in value]
    if isinstance(value, float):
        return float(f"{value:.{digits}g}") if math.isfinite(value) else None
    return value
