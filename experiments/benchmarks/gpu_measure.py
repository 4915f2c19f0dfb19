"""Everything that `python experiments/gpu.py` measures, in one record."""

import os
import time
from typing import Any

from benchmarks import environment, gpu_device, gpu_limits, gpu_run, gpu_verify
from benchmarks.gpu_targets import targets
from benchmarks.workloads import Problem

MOST_CORES = 2


def measured(quick: bool) -> dict[str, Any]:
    """All results, with every repeat."""
    start = time.perf_counter()
    repeats, budget = (3, 0.2) if quick else (5, 0.7)
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))
    used = cores[:MOST_CORES]

    def log(text: str) -> None:
        print(f"[{time.perf_counter() - start:4.0f} s] {text}", flush=True)

    device, problem = gpu_device.described(), Problem()
    where = environment.described(len(used), (*environment.PACKAGES, *gpu_device.PACKAGES))
    verification = gpu_verify.verified(quick, "cuda", log)
    rows = [gpu_run.compare(c, used, repeats, budget, log) for c in gpu_run.COMPARISONS]
    log("limits")
    results = {
        "quick": quick, "device": device, "environment": where,
        "problem": {"shape": problem.shape, "spikes": problem.spikes, "sigma": problem.sigma, "windows": problem.windows,
                    "steps": problem.steps},
        "verification": verification, "comparisons": rows,
        "limits": gpu_limits.limits(device, gpu_limits.measured_rates(), problem),
    }  # fmt: skip
    results["targets"] = [t.as_json() for t in targets(results)]
    results["seconds"] = time.perf_counter() - start
    return results
