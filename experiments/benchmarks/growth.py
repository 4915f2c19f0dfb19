"""How spikesim's cost grows: with T, min(m, n), trials and cores; each series in turn, one call of `simulate` a point."""

from collections.abc import Sequence
from typing import Any

from benchmarks.comparisons import Log
from benchmarks.contenders import SPIKESIM
from benchmarks.harness import FailedError, Runner

BASE: dict[str, Any] = {
    "shape": (64, 128), "spikes": (12.0, 8.0), "law": "Gaussian", "windows": (10,), "steps": 500, "method": "stream",
    "observables": ("alignment",), "pipelines": ("pre-polar", "post-polar", "polar-only"), "workers": 1,
}  # fmt: skip
TWO = ("pre-polar", "polar-only")
Point = tuple[float, int, dict[str, Any]]
"""Where on the axis, trials, and arguments of simulate that differ from BASE."""


def windows(method: str, law: str, largest: int, trials: int) -> list[Point]:
    """T = 10, 100, ..., each run to its own steady state."""
    points = [10**k for k in range(1, largest + 1)]
    return [(t, trials, {"windows": (t,), "steps": None, "method": method, "law": law, "pipelines": TWO}) for t in points]


def sizes() -> list[Point]:
    """min(m, n) = 16 to 256, of n = 2 m."""
    return [(m, 2, {"shape": (m, 2 * m), "steps": 100}) for m in (16, 32, 64, 128, 256)]


def trial_counts() -> list[Point]:
    """1 to 32 trials."""
    return [(n, n, {"steps": 200}) for n in (1, 2, 4, 8, 16, 32)]


def cores(most: int) -> list[Point]:
    """1, 2, 4, ... workers on one number of trials."""
    return [(2**k, 4 * most, {"workers": 2**k, "steps": 200}) for k in range(most.bit_length()) if 2**k <= most]


def rows(largest: int) -> list[Point]:
    """min(m, n) = 2^10 to 2^largest by method "banded", rank 4, 10 times the critical spike."""
    return [(2.0**k, 2, banded(2**k, 4 * 2**k)) for k in range(10, largest + 1, 2)]


def banded(m: int, n: int) -> dict[str, Any]:
    """Arguments of one banded call: every observable of one buffer and of polar-only."""
    edge = (m * n) ** 0.25
    return {
        "shape": (m, n), "spikes": tuple(x * edge for x in (2.5, 2.0, 1.5, 1.2)), "windows": (10,), "steps": None,
        "method": "banded", "joint": False, "observables": None, "pipelines": TWO,
    }  # fmt: skip


class Growth:
    """Measures series in one warm process."""

    def __init__(self, cores: Sequence[int], repeats: int, log: Log) -> None:
        self._cores, self._repeats, self._log = cores, repeats, log

    def series(self, name: str, points: Sequence[Point], cores: int = 1) -> dict[str, Any]:
        """Seconds a call, (point, repeat); points that simulate refuses are left out with its reason."""
        self._log(f"growth: {name}")
        kept, notes = [], []
        with Runner(SPIKESIM, self._cores[:cores]) as runner:
            for point in points:
                try:
                    _seconds(runner, point)
                    kept.append(point)
                except FailedError as error:
                    notes.append(f"{point[0]:g}: {error}")
            taken = [[_seconds(runner, p) for p in kept] for _ in range(self._repeats)]
        return {
            "name": name, "x": [p[0] for p in kept], "trials": [p[1] for p in kept], "notes": notes,
            "seconds": [list(column) for column in zip(*taken, strict=True)],
        }  # fmt: skip


def _seconds(runner: Runner, point: Point) -> float:
    _, trials, changed = point
    job = {"work": "simulate", "dtype": "float64", "steps": 1, "seed": 0, "options": BASE | changed}
    return runner.seconds(job, trials)
