"""A contender's own process: does the work that it is told, line by line, and says how long it took.

python -m benchmarks.worker CORES, with one JSON object a line on standard input.
"""

import importlib
import json
import os
import sys
import time
from typing import Any

from benchmarks.workloads import NOISE_SHAPE, NOISE_WINDOWS, THREE, Problem


def main() -> None:
    """Read jobs until the input ends; answer each with its seconds or its error."""
    cores = [int(core) for core in sys.argv[1].split(",")]
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)
    for line in sys.stdin:
        try:
            answer = perform(json.loads(line))
        except Exception as error:  # told to the harness, which decides
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


def perform(job: dict[str, Any]) -> dict[str, Any]:
    """Do one job; the module is imported before the clock starts."""
    module = importlib.import_module(f"benchmarks.{job['module']}")
    work, size, dtype, options = job["work"], job["size"], job["dtype"], dict(job["options"])
    if "factors" in options:
        options["factors"] = getattr(module, options["factors"])
    problem, seed = Problem(steps=job["steps"]), job["seed"]
    assert problem.signal is not None
    start = time.perf_counter()
    if work == "noise":
        module.noise_ema(NOISE_SHAPE[0] * NOISE_SHAPE[1], NOISE_WINDOWS, size, seed, dtype, **options)
    elif work in ("all", "core"):
        module.observables(problem, size, seed, dtype, work == "all", **options)
    elif work == "simulate":
        module.simulate_once(size, dtype, **options)
    else:
        pipelines = {"pipelines": THREE} if work == "alignment of three" else {}
        module.alignment(problem, size, seed, dtype, **pipelines, **options)
    return {"seconds": time.perf_counter() - start}


if __name__ == "__main__":
    main()
