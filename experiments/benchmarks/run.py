"""Everything measured in one run: python -m benchmarks.run, or `make bench`.

Writes benchmark.json with every repeat, draws benchmark.png and .pdf, and puts the table into README.md, all in --figures.
"""

import argparse
import json
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks import comparisons, environment, figure, growth, startup
from benchmarks.targets import targets
from benchmarks.workloads import Problem
from spikesim import benchmark
from spikesim.methods import METHODS

MOST_CORES = 2


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few short repeats: about a minute")
    parser.add_argument("--figures", type=Path, default=Path("figures"), help="folder to write into")
    options = parser.parse_args()
    start = time.perf_counter()
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))
    results = measured(cores[:MOST_CORES], options.quick, start)
    options.figures.mkdir(parents=True, exist_ok=True)
    (options.figures / "benchmark.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    figure.draw(results, options.figures)
    benchmark.update_page(options.figures)
    print(benchmark.section(results))


def measured(cores: Sequence[int], quick: bool, start: float) -> dict[str, Any]:
    """All results, with every repeat."""
    repeats, budget = (3, 0.15) if quick else (5, 0.5)

    def log(text: str) -> None:
        print(f"[{time.perf_counter() - start:4.0f} s] {text}", flush=True)

    chosen = [c if not quick or c.work == "noise" else replace(c, dtypes=c.dtypes[:1])
              for c in comparisons.COMPARISONS if not quick or c.work in figure.SHOWN]  # fmt: skip
    results: dict[str, Any] = {
        "quick": quick,
        "environment": environment.described(len(cores)),
        "problem": {"shape": Problem.shape, "spikes": Problem.spikes, "sigma": Problem.sigma, "windows": Problem.windows,
                    "steps": Problem.steps},
        "comparisons": [comparisons.compare(c, cores, repeats, budget, log) for c in chosen],
        "threads": comparisons.threads(cores, comparisons.DTYPES[: 1 if quick else 2], repeats, budget, log),
        "growth": _growth(growth.Growth(cores, repeats, log), len(cores), quick),
    }  # fmt: skip
    log("start-up")
    results["startup"] = startup.measured(1 if quick else 3)
    results["targets"] = [t.as_json() for t in targets(results)]
    results["seconds"] = time.perf_counter() - start
    return results


def _growth(measure: growth.Growth, cores: int, quick: bool) -> list[dict[str, Any]]:
    banded = "banded" in METHODS
    rows = growth.rows(16 if quick else 20) if banded else []
    one = [(4 * 65536, 4, growth.banded(16384, 65536))] if banded else []
    out = [
        measure.series("T, stream", growth.windows("stream", "Gaussian", 2 if quick else 3, 2)),
        measure.series("T, collapsed, Gaussian", growth.windows("collapsed", "Gaussian", 6, 32)),
        measure.series("T, collapsed, Radial", growth.windows("collapsed", "Radial", 4 if quick else 5, 2)),
        measure.series("min(m, n), stream", growth.sizes()[: 4 if quick else 5]),
        measure.series("trials, stream", growth.trial_counts()[: 4 if quick else 6]),
        measure.series("cores, stream", growth.cores(cores), cores),
        measure.series("rows, banded", rows),
        measure.series("banded, 16384 x 65536, rank 4", one),
    ]
    if not banded:
        for series in out[-2:]:
            series["notes"].append('method "banded" is not there')
    return out


if __name__ == "__main__":
    main()
