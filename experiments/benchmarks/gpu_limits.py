"""What the GPU could do at most, from what it is and from measured rates, for the work that is compared.

Noise + EMA, entry-steps a second: lanes of a multiprocessor x multiprocessors x clock / instructions an entry-step,

    issue     128 lanes, all instructions: four schedulers of 32 lanes
    multiply   64 lanes, integer products (half rate)
    integer    64 lanes, other integer and logical instructions (half rate)
    double     64 lanes (compute capability 9.0), 32 (8.0), 2 otherwise

and its limit is the least of them. Instructions are counted in the compiled loop (assembly.py).

End to end, trials a second, for each of `steps` steps of m x n gradients, m <= n, K windows, numbers of s bytes:

    entry-steps   m n                            noise and its averages, at the limit above
    products      2 m^2 n + 2 m^2 n              G G^T, and its inverse root times G
    root          4/3 m^3 + 2 m^3                to tridiagonal form, and back
    averages      2 K m n                        of polar factors
    bytes         (5 m n + 4 m^2) s              G written and read twice, its factor written and read, two m x m matrices too

Operations go at the rate of large matrix products, bytes at that of a copy; the limit is the slower of computing and moving.
Left out is what is done once a trial, the 2 r numbers that truncated factors ask for, and any second pass over anything.

Source: CUDA C++ Programming Guide, Arithmetic Instructions, for lanes.
"""

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from benchmarks import gpu_device
from benchmarks.assembly import Loop, innermost
from benchmarks.workloads import NOISE_WINDOWS, Problem

COPY_BYTES = 1_000_000_000
REPEATS = 7
BATCH = 8192
"""Matrices of a batched product."""
LARGE = {"float32": 8192, "float64": 4096}


def lanes(capability: tuple[int, int]) -> dict[str, int]:
    """Results a multiprocessor and clock gives: of all instructions, and of some classes."""
    double = {(9, 0): 64, (8, 0): 32}.get(capability, 2)
    return {"issue": 128, "multiply": 64, "integer": 64, "double": double}


def noise_limits(loop: Loop, device: Mapping[str, Any]) -> dict[str, float]:
    """Entry-steps a second that each of `lanes` allows; a class that does not occur has no limit."""
    counts = {"issue": sum(loop.counts.values()), **loop.counts}
    clocks = device["multiprocessors"] * device["clock"] * loop.entry_steps
    width = lanes((device["capability"][0], device["capability"][1]))
    return {name: clocks * width[name] / counts[name] for name in width if counts.get(name)}


def noise_limit(device: Mapping[str, Any], dtype: str) -> dict[str, Any]:
    """Limits of the compiled Gaussian kernel of the noise comparison; the reason where it cannot be read."""
    try:
        source, text = gpu_device.assembly_of(len(NOISE_WINDOWS) + 1, dtype)  # the last step is kept as well
        loop = innermost(text)
    except Exception as error:  # of any library: a limit less, and the rest is still of use
        return {"limit": None, "why": f"{type(error).__name__}: {error}"}
    limits = noise_limits(loop, device)
    binding = min(limits, key=lambda name: limits[name])
    return {
        "source": source, "counts": loop.counts, "products": loop.products, "entry_steps_a_trip": loop.entry_steps,
        "instructions": sum(loop.counts.values()) / loop.entry_steps, "limits": limits, "binding": binding,
        "limit": limits[binding],
    }  # fmt: skip


def work(problem: Problem, dtype: str) -> dict[str, float]:
    """What one trial takes at least: entry_steps, operations (products, root, averages together) and bytes."""
    (m, n), k = sorted(problem.shape), len(problem.windows)
    operations = 4 * m**2 * n + (4 / 3 + 2) * m**3 + 2 * k * m * n
    moved = (5 * m * n + 4 * m**2) * np.dtype(dtype).itemsize
    return {name: problem.steps * x for name, x in (("entry_steps", m * n), ("operations", operations), ("bytes", moved))}


def end_to_end(problem: Problem, dtype: str, noise: float | None, rates: Mapping[str, float]) -> dict[str, Any]:
    """Trials a second at most; noise: its limit in entry-steps a second, None where it is not known and counts nothing."""
    takes = work(problem, dtype)
    drawing = takes["entry_steps"] / noise if noise else 0.0
    computing = drawing + takes["operations"] / rates[f"product {dtype}"]
    moving = takes["bytes"] / rates["copy"]
    return {**takes, "drawing": drawing, "computing": computing, "moving": moving, "limit": 1 / max(computing, moving)}


def measured_rates() -> dict[str, float]:
    """Bytes a second of a copy (read and written), operations a second of products: large ones and batches of 64 x 64."""
    cp = gpu_device.namespace()
    source, target = (cp.ones(COPY_BYTES // 4, cp.float32) for _ in range(2))
    rates = {"copy": 2 * COPY_BYTES / best(partial(cp.copyto, target, source))}
    for dtype, large in LARGE.items():
        for name, shape in (("product", (large, large)), ("batched product", (BATCH, 64, 64))):
            x = cp.ones(shape, dtype)
            out = cp.empty_like(x)
            rates[f"{name} {dtype}"] = 2.0 * x.size * shape[-1] / best(partial(cp.matmul, x, x, out=out))
    return rates


def best(act: Callable[[], Any]) -> float:
    """Seconds of the fastest of some calls, each from an idle device to an idle device."""
    act()
    taken = []
    for _ in range(REPEATS):
        gpu_device.synchronise()
        start = time.perf_counter()
        act()
        gpu_device.synchronise()
        taken.append(time.perf_counter() - start)
    return min(taken)


def limits(device: Mapping[str, Any], rates: Mapping[str, float], problem: Problem) -> dict[str, Any]:
    """Every limit, by dtype."""
    noise = {dtype: noise_limit(device, dtype) for dtype in LARGE}
    whole = {dtype: end_to_end(problem, dtype, noise[dtype]["limit"], rates) for dtype in LARGE}
    return {"rates": dict(rates), "noise": noise, "end_to_end": whole}
