"""Timing that can be trusted on a noisy machine: warm processes, repeats in turn, ratios pair by pair."""

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from benchmarks.contenders import Contender

EXPERIMENTS = Path(__file__).parents[1]
PATIENCE = 90.0
"""Seconds after which a silent process counts as hung."""
THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")
TUNING_VARIABLES = ("OPENBLAS_CORETYPE",)
"""Taken out of every contender's environment: it would make BLAS run another machine's kernel."""


@dataclass(frozen=True)
class Ratio:
    """Ratios of paired repeats."""

    low: float
    median: float
    high: float

    @classmethod
    def paired(cls, above: ArrayLike, below: ArrayLike) -> "Ratio":
        """above[i] / below[i] of repeats i, which ran side by side."""
        ratios = np.asarray(above, float) / np.asarray(below, float)
        return cls(float(ratios.min()), float(np.median(ratios)), float(ratios.max()))


class FailedError(RuntimeError):
    """A contender's process said so, or said nothing for too long."""


@dataclass
class Process:
    """One worker process (worker.py), pinned to some cores."""

    cores: Sequence[int]
    _child: Any = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._child = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", ",".join(map(str, self.cores))],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment(), cwd=EXPERIMENTS, bufsize=0,
        )  # fmt: skip

    def send(self, job: Mapping[str, Any]) -> None:
        """Give it a job (worker.py)."""
        self._child.stdin.write((json.dumps(job) + "\n").encode())

    def answer(self) -> float:
        """Seconds that the last job took.

        Raises:
            FailedError: If it did not end well, or not within PATIENCE.
        """
        ready, _, _ = select.select([self._child.stdout], [], [], PATIENCE)
        line = self._child.stdout.readline() if ready else b'{"error": "no answer"}'
        found = json.loads(line or b'{"error": "process ended"}')
        if "error" in found:
            raise FailedError(found["error"])
        return float(found["seconds"])

    def close(self) -> None:
        """End the process."""
        self._child.kill()
        self._child.wait()
        self._child.stdin.close()
        self._child.stdout.close()


class Runner:
    """A contender on some cores: one process, or one a core, kept alive between repeats."""

    def __init__(self, contender: Contender, cores: Sequence[int]) -> None:
        self.contender, self.cores = contender, cores
        groups = [[c] for c in cores] if contender.process_each else [list(cores)]
        self._processes = [Process(group) for group in groups]

    def seconds(self, job: Mapping[str, Any], size: int) -> float:
        """Wall time of a job of `size` units, shared out between the processes."""
        count = len(self._processes)
        shares = [size // count + (i < size % count) for i in range(count)]
        base = {"module": self.contender.module, "options": self.contender.arguments(len(self.cores)), **job}
        if count == 1:
            self._processes[0].send({**base, "size": size})
            return self._processes[0].answer()
        start = time.perf_counter()
        for i, (process, share) in enumerate(zip(self._processes, shares, strict=True)):
            process.send({**base, "size": share, "seed": job["seed"] * count + i})
        for process in self._processes:
            process.answer()
        return time.perf_counter() - start

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        for process in self._processes:
            process.close()


def environment(blas_threads: int | None = 1) -> dict[str, str]:
    """This process's variables, less TUNING_VARIABLES, with BLAS threads as asked: None leaves the library's default."""
    out = {k: v for k, v in os.environ.items() if k not in (*TUNING_VARIABLES, *THREAD_VARIABLES)}
    out["PYTHONPATH"] = os.pathsep.join([str(EXPERIMENTS), str(EXPERIMENTS.parent), *filter(None, [out.get("PYTHONPATH")])])
    return out if blas_threads is None else out | dict.fromkeys(THREAD_VARIABLES, str(blas_threads))


Measure = Callable[[int], float]
"""Seconds that a job of so many units takes."""


def calibrated(measure: Measure, unit: int, budget: float) -> int:
    """Units, a multiple of `unit`, that take about `budget` seconds; measured once before, so that all is compiled."""
    took = measure(unit)
    return unit * max(1, round(budget / max(took, 1e-6))) if took < budget else unit


def in_turn(measures: Mapping[str, Measure], units: Mapping[str, int], repeats: int, budget: float) -> dict[str, list[float]]:
    """Units a second of each contender, one repeat of all before the next of any: noise of the machine hits all alike.

    Args:
        measures: One for each contender, warm.
        units: Least size of each contender's job.
        repeats: How many.
        budget: Seconds of one repeat of one contender.
    """
    sizes = {name: calibrated(measure, units[name], budget) for name, measure in measures.items()}
    rates: dict[str, list[float]] = {name: [] for name in measures}
    for _ in range(repeats):
        for name, measure in measures.items():
            rates[name].append(sizes[name] / measure(sizes[name]))
    return rates
