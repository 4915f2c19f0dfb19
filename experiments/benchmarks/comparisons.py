"""Side by side: the same work by every contender, in turn."""

import importlib.util
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from benchmarks import contenders
from benchmarks.contenders import SPIKESIM, Contender
from benchmarks.harness import FailedError, Measure, Runner, in_turn
from benchmarks.workloads import Problem

DTYPES = ("float32", "float64")
Log = Callable[[str], None]


@dataclass(frozen=True)
class Comparison:
    """Work done by spikesim and by its peers.

    Args:
        work: "noise", "all", "core", "alignment" or "alignment of three" (worker.py).
        title: In the table.
        peers: Who else does it.
        unit: Of the rates, a second.
        units: Least size of a job: what one call of each contender handles at once.
        entries: Units that one of the job's units counts as.
        one_core: Whether it runs on one core instead of all.
        dtypes: Which are measured.
    """

    work: str
    title: str
    peers: tuple[Contender, ...]
    unit: str = "trials"
    units: int = 1
    entries: int = 1
    one_core: bool = False
    dtypes: tuple[str, ...] = DTYPES


_SHORT = tuple(c for c in contenders.END_TO_END if c is not contenders.NUMPY)
COMPARISONS = (
    Comparison("noise", "noise + EMA, 6 windows", contenders.NOISE, "entry-steps", 512, 64 * 128, one_core=True),
    Comparison("all", "end to end, all observables", contenders.END_TO_END),
    Comparison("core", "end to end, all but alignment_truncated", _SHORT, dtypes=DTYPES[:1]),
    Comparison("alignment", "end to end, alignment only", contenders.END_TO_END),
    Comparison("alignment of three", "alignment only, without re-polarised", _SHORT, dtypes=DTYPES[:1]),
)


def compare(comparison: Comparison, cores: Sequence[int], repeats: int, budget: float, log: Log) -> dict[str, Any]:
    """Rates of every contender that is installed: name -> dtype -> one a repeat."""
    used = cores[:1] if comparison.one_core else cores
    notes: list[str] = []
    with ExitStack() as stack:
        measures: dict[str, Measure] = {}
        units: dict[str, int] = {}
        for contender in (SPIKESIM, *comparison.peers):
            if importlib.util.find_spec(contender.needs) is None:
                notes.append(f"{contender.label}: {contender.needs} is not installed")
                continue
            runner = stack.enter_context(Runner(contender, used))
            for dtype in comparison.dtypes:
                measure = _measure(runner, comparison.work, dtype)
                unit = comparison.units * (1 if contender.one_thread else len(used))
                if _works(measure, unit, f"{contender.label}, {dtype}", notes):
                    measures[f"{contender.name} {dtype}"], units[f"{contender.name} {dtype}"] = measure, unit
        log(f"{comparison.title}: {len(measures)} contenders")
        rates = in_turn(measures, units, repeats, budget)
    labels = {c.name: c.label for c in (SPIKESIM, *comparison.peers)}
    threading = {c.name: c.threading for c in (SPIKESIM, *comparison.peers)}
    scaled = {name: [x * comparison.entries for x in values] for name, values in rates.items()}
    return {
        "work": comparison.work, "title": comparison.title, "unit": comparison.unit, "cores": len(used), "labels": labels,
        "threading": threading, "notes": notes,
        "rates": {d: {n.split()[0]: v for n, v in scaled.items() if n.endswith(d)} for d in DTYPES},
    }  # fmt: skip


def threads(cores: Sequence[int], dtypes: Sequence[str], repeats: int, budget: float, log: Log) -> dict[str, Any]:
    """spikesim on one core and on all, in turn."""
    log(f"threads: 1 and {len(cores)}")
    with ExitStack() as stack:
        runners = {n: stack.enter_context(Runner(SPIKESIM, cores[:n])) for n in sorted({1, len(cores)})}
        measures = {
            f"{work}, {dtype}, {n}": _measure(runner, work, dtype)
            for work in ("all", "alignment") for dtype in dtypes for n, runner in runners.items()
        }  # fmt: skip
        for measure in measures.values():
            measure(1)
        rates = in_turn(measures, dict.fromkeys(measures, len(cores)), repeats, budget)
    return {"cores": len(cores), "rates": rates}


def _measure(runner: Runner, work: str, dtype: str) -> Measure:
    count = iter(range(1, 1 << 30))
    steps = Problem().steps

    def measure(size: int) -> float:
        job = {"work": work, "dtype": dtype, "steps": steps, "seed": next(count)}
        alone = {"options": runner.contender.options} if work == "noise" else {}  # one thread: nothing to share out
        return runner.seconds(job | alone, size)

    return measure


def _works(measure: Measure, size: int, who: str, notes: list[str]) -> bool:
    """Whether a first call ends well; what compiles does so here."""
    try:
        measure(size)
    except FailedError as error:
        notes.append(f"{who}: {error}")
        return False
    return True
