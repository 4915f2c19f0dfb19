"""The same work on one GPU by spikesim, PyTorch and CuPy, in turn, beside spikesim on the CPU."""

import importlib
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from typing import Any

from benchmarks import contenders, gpu_device, gpu_peers
from benchmarks.contenders import Contender
from benchmarks.harness import Measure, Runner, in_turn
from benchmarks.workloads import NOISE_SHAPE, NOISE_WINDOWS, Problem

Log = Callable[[str], None]
DTYPES = ("float32", "float64")
TRIALS = 512
"""Of the noise that is drawn at once: 4 million entries."""
ENTRIES = TRIALS * NOISE_SHAPE[0] * NOISE_SHAPE[1]
STEPS = 64
"""Least steps of a job of noise: a multiple of every peer's chunk."""
MOST = 1024
"""Most trials that a job begins with."""
PATIENCE = 3.0
"""Seconds that the first job of a contender may take; it has fewer trials otherwise."""

ON_GPU = {"device": "cuda"}
SPIKESIM = Contender("spikesim", "spikesim, GPU", "spikesim_run", "", ON_GPU)
CPU = Contender("cpu", "spikesim, CPU", "spikesim_run", "trials on threads")
NOISE = (
    Contender("torch", "torch, normal_ + lerp_", "torch_common", "", ON_GPU, needs="torch"),
    Contender("torch-chunk", "torch, 16 steps a product", "torch_common", "", {"chunk": 16, **ON_GPU}, needs="torch"),
    Contender("cupy", "CuPy, cuRAND + fused kernel", "cupy_noise", "", {"chunk": 16}, needs="cupy"),
    Contender("cupy-chunk", "CuPy, 16 steps a product", "cupy_noise", "", {"chunk": 16, "fused": False}, needs="cupy"),
)
END_TO_END = (
    Contender("torch-gram", "torch, Gram iteration", "torch_gram", "", ON_GPU, needs="torch"),
    Contender("torch-gesvdj", "torch, SVD by gesvdj", "torch_svd", "", {"driver": "gesvdj", **ON_GPU}, needs="torch"),
    Contender("torch-gesvda", "torch, SVD by gesvda", "torch_svd", "", {"driver": "gesvda", **ON_GPU}, needs="torch"),
    Contender("cupy-gram", "CuPy, Gram iteration", "cupy_gram", "", needs="cupy"),
)


@dataclass(frozen=True)
class Comparison:
    """Work of one kind (worker.py), who else does it on the GPU, and with how many cores the CPU."""

    work: str
    title: str
    peers: tuple[Contender, ...]
    unit: str = "trials"
    cores: int = 2
    dtypes: tuple[str, ...] = DTYPES


COMPARISONS = (
    Comparison("noise", "noise + EMA, 6 windows", NOISE, "entry-steps", 1),
    Comparison("all", "end to end, all observables", END_TO_END),
    Comparison("core", "end to end, all but alignment_truncated", END_TO_END, dtypes=DTYPES[:1]),
    Comparison("alignment", "end to end, alignment only", END_TO_END),
)


def perform(contender: Contender, work: str, dtype: str, size: int, seed: int, problem: Problem) -> Any:
    """Do a job on the GPU: `size` steps of ENTRIES entries, or `size` trials of the problem."""
    module = importlib.import_module(f"benchmarks.{contender.module}")
    options = dict(contender.options)
    if work == "noise":
        trials = {"trials": TRIALS} if contender is SPIKESIM else {}
        return module.noise_ema(ENTRIES, NOISE_WINDOWS, size, seed, dtype, **trials, **options)
    if work == "alignment":
        return module.alignment(problem, size, seed, dtype, **options)
    return module.observables(problem, size, seed, dtype, work == "all", **options)


def begun(measure: Measure, most: int) -> int:
    """The size of a first job: 2, 4, ... up to `most`, while the next may be expected within PATIENCE.

    A larger one that fails, as for want of memory, ends it as well.

    Raises:
        Exception: Whatever the smallest job does.
    """
    size, seconds = 2, 0.0  # variances need two
    measure(size)  # compiles
    while size < most and 2 * seconds < PATIENCE:
        try:
            seconds = measure(2 * size)
        except Exception:  # of any library; the size before did well
            break
        size *= 2
    return size


def compare(comparison: Comparison, cores: Sequence[int], repeats: int, budget: float, log: Log) -> dict[str, Any]:
    """Rates of every contender that works: name -> dtype -> one a repeat."""
    notes: list[str] = []
    measures: dict[str, Measure] = {}
    units: dict[str, int] = {}
    used = cores[: comparison.cores]
    with ExitStack() as stack:
        runner = stack.enter_context(Runner(contenders.SPIKESIM, used))
        for dtype in comparison.dtypes:
            measures[f"cpu {dtype}"] = on_cpu(runner, comparison.work, dtype)
            units[f"cpu {dtype}"] = 512 if comparison.work == "noise" else len(used)
            for contender in (SPIKESIM, *comparison.peers):
                log(f"{comparison.title}: {contender.label}, {dtype}")
                measure = on_gpu(contender, comparison.work, dtype)
                try:
                    gpu_peers.checked(perform, contender, SPIKESIM, comparison.work, dtype)
                    unit = STEPS if comparison.work == "noise" else begun(measure, MOST)
                    measure(unit)
                except Exception as error:  # told in the results: a peer that fails is no reason to lose the others
                    notes.append(f"{contender.label}, {dtype}: {type(error).__name__}: {str(error)[:200]}")
                    continue
                measures[f"{contender.name} {dtype}"], units[f"{contender.name} {dtype}"] = measure, unit
        rates = in_turn(measures, units, repeats, budget)
    return _row(comparison, len(used), rates, units, notes)


def _row(
    comparison: Comparison, cores: int, rates: dict[str, list[float]], units: dict[str, int], notes: list[str]
) -> dict[str, Any]:
    entries = {"cpu": NOISE_SHAPE[0] * NOISE_SHAPE[1]}
    by_type: dict[str, dict[str, list[float]]] = {dtype: {} for dtype in DTYPES}
    for key, values in rates.items():
        name, dtype = key.split()
        scale = entries.get(name, ENTRIES) if comparison.work == "noise" else 1
        by_type[dtype][name] = [x * scale for x in values]
    return {
        "work": comparison.work, "title": comparison.title, "unit": comparison.unit, "cores": cores,
        "labels": {c.name: c.label for c in (SPIKESIM, CPU, *comparison.peers)}, "first_jobs": units, "notes": notes,
        "rates": by_type,
    }  # fmt: skip


def on_gpu(contender: Contender, work: str, dtype: str) -> Measure:
    """Seconds of a job of a contender here, each with a seed of its own."""
    seeds, problem = count(1), Problem()
    assert problem.signal is not None  # made before the clock starts
    return gpu_device.timed(lambda size: perform(contender, work, dtype, size, next(seeds), problem))


def on_cpu(runner: Runner, work: str, dtype: str) -> Measure:
    """Seconds of a job of spikesim's own process on the CPU."""
    seeds = count(1)
    alone: dict[str, Any] = {"options": {}} if work == "noise" else {}  # one thread: nothing to share out

    def measure(size: int) -> float:
        job = {"work": work, "dtype": dtype, "steps": Problem.steps, "seed": next(seeds)}
        return runner.seconds(job | alone, size)

    return measure
