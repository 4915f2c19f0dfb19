"""spikesim on the same work, through what it makes public; device: "cpu" or "cuda"."""

from collections.abc import Sequence
from typing import Any

import numpy as np

import spikesim as ss
from benchmarks import gpu_device
from benchmarks.workloads import MODEL_SEED, NOISE_SHAPE, PIPELINES, Problem
from spikesim.observables import OBSERVABLES
from spikesim.samplers.stream import Stream

CORE = tuple(name for name in OBSERVABLES if name != "alignment_truncated")


def noise_ema(
    entries: int, windows: Sequence[float], steps: int, seed: int, dtype: str, trials: int = 1, device: str = "cpu"
) -> Any:
    """Averages (B, K, entries / B) of standard normal steps from zero, of B trials: the kernel alone."""
    m = NOISE_SHAPE[0]
    model = ss.SpikedModel((m, entries // (m * trials)), (1.0,), ss.Gaussian(1.0))
    place: dict[str, Any] = {} if device == "cpu" else {"device": gpu_device.device()}
    stream = Stream(model, seed, range(trials), 1 - 1 / np.array(windows), np.dtype(dtype), **place)
    stream.advance(steps)
    return stream.buffers().reshape(trials, len(windows), -1)


def simulated(problem: Problem, trials: int, seed: int, dtype: str, **options: Any) -> dict[str, Any]:
    """What simulate gives, name by name."""
    del seed  # fixes the singular vectors as well, which all contenders share
    data = ss.simulate(problem.model, windows=problem.windows, trials=trials, seed=MODEL_SEED, steps=problem.steps,
                       dtype=dtype, method="stream", **options)  # fmt: skip
    return {str(name): data[name].values for name in data.data_vars}


def observables(
    problem: Problem, trials: int, seed: int, dtype: str, truncated: bool, threads: int = 1, device: str = "cpu"
) -> dict[str, Any]:
    """Every observable; alignment_truncated where asked for."""
    names = None if truncated else CORE
    return simulated(problem, trials, seed, dtype, observables=names, **_where(device, threads))


def alignment(
    problem: Problem,
    trials: int,
    seed: int,
    dtype: str,
    pipelines: Sequence[str] = PIPELINES,
    threads: int = 1,
    device: str = "cpu",
) -> dict[str, Any]:
    """Alignment alone, (trial, pipeline, window)."""
    where = _where(device, threads)
    return simulated(problem, trials, seed, dtype, observables=["alignment"], pipelines=pipelines, **where)


def _where(device: str, threads: int) -> dict[str, Any]:
    return {"workers": threads} if device == "cpu" else {"device": device}


def simulate_once(size: int, dtype: str, shape: Sequence[int], spikes: Sequence[float], law: str, **options: Any) -> None:
    """One call of simulate on axes, with `size` trials, for how its cost grows."""
    model = ss.SpikedModel((shape[0], shape[1]), tuple(spikes), LAWS[law], vectors="axes")
    ss.simulate(model, trials=size, dtype=dtype, **options)


LAWS = {"Gaussian": ss.Gaussian(1.0), "Radial": ss.Radial(3.0, 1.0)}
