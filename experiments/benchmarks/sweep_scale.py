"""What sweeps cost beside their simulation: python -m benchmarks.sweep_scale (ten minutes; needs an idle machine).

overhead   a run of five-second blocks on all cores, against the same blocks computed by as many threads and thrown away
blocks     milliseconds that a block costs beside its simulation: nearly empty blocks on one thread
messages   the same on one Dask worker; milliseconds to hand out a task; bytes of a task and of an outcome
dask       one worker of one thread against one for each core, on this machine; needs the package distributed
summary    opening a store and making its table, with and without starting Python: 20,000 shards of 20 trials, four
           observables, four pipelines, six windows

Each in turn, several times; medians, and all repeats.
"""

import argparse
import json
import pickle
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from spikesim.arguments import worker_count
from spikesim.blocks import one_blas_thread
from spikesim.devices.cpu import CPU
from spikesim.simulate import run_part
from spikesim.sweep import shard
from spikesim.sweep.contents import encoded
from spikesim.sweep.plan import planned
from spikesim.sweep.point_run import PointRun
from spikesim.sweep.run import run_spec
from spikesim.sweep.spec import Spec
from spikesim.sweep.store import Store
from spikesim.sweep.task import Outcome

MODEL = {"shape": [48, 64], "spikes": [8.0, 5.0], "noise": {"law": "Gaussian", "sigma": 0.5}}
RUN = {"windows": [1, 2, 5, 10, 20, 50], "steps": 400, "trials": 100}
BLOCK = 5.0


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def sized(blocks: int, block_seconds: float) -> tuple[Spec, float]:
    """A spec of about so many blocks, and the block length to ask for so that each takes so long here."""
    spec = Spec.from_dict({"model": MODEL, "run": RUN})
    plan = planned(spec, Store("none"))[0]
    run_part(plan.design, range(8), workers=1)  # compiles
    trial = seconds(lambda: run_part(plan.design, range(64), workers=1)) / 64
    count = max(1, round(block_seconds / trial))
    spec = Spec.from_dict({"model": MODEL, "run": RUN | {"trials": count * blocks}})
    per_trial = BLOCK / planned(spec, Store("none"), block_seconds=BLOCK)[0].size
    return spec, per_trial * (count + 0.5)


def overhead(folder: Path, repeats: int) -> dict[str, Any]:
    """Wall time of a run over that of its blocks alone."""
    cores = worker_count(None, CPU())
    spec, length = sized(4 * cores, BLOCK)
    found: dict[str, list[float]] = {"run": [], "compute": []}
    for k in range(repeats):
        store = Store(folder / f"overhead{k}")
        plan = planned(spec, store, block_seconds=length)[0]
        blocks = plan.survey().blocks
        found["run"].append(seconds(lambda: run_spec(spec, store, block_seconds=length)))  # noqa: B023
        with one_blas_thread, ThreadPoolExecutor(cores) as pool:
            found["compute"].append(
                seconds(lambda: list(pool.map(lambda b: run_part(plan.design, b, workers=1), blocks)))  # noqa: B023
            )
    ratios = [a / b for a, b in zip(found["run"], found["compute"], strict=True)]
    return {"cores": cores, "blocks": len(blocks), **found, "ratio": statistics.median(ratios), "ratios": ratios}


def blocks(folder: Path, repeats: int, executor: Any = None, count: int = 400) -> dict[str, Any]:
    """Milliseconds of nearly empty blocks beside their simulation, after a repeat that compiles."""
    run = {"windows": [1.0, 2.0, 5.0, 10.0, 20.0, 50.0], "steps": 2, "trials": count, "observables": ["alignment"]}
    spec = Spec.from_dict({"model": MODEL | {"shape": [4, 4]}, "run": run})
    design = spec.points[0].design
    each = []
    for k in range(repeats + 1):
        store = Store(folder / f"blocks{executor is None}{k}")
        options = {"workers": 1} if executor is None else {"executor": executor}
        run_time = seconds(lambda: run_spec(spec, store, block_seconds=1e-9, **options))  # noqa: B023
        compute = seconds(lambda: [run_part(design, range(i, i + 1), workers=1) for i in range(count)])
        each.append(1e3 * (run_time - compute) / count)
    return {"blocks": count, "milliseconds": statistics.median(each[1:]), "all": each[1:]}


def messages(folder: Path, repeats: int, count: int = 400) -> dict[str, Any]:
    """What a block costs on one Dask worker, and what is said of it."""
    from distributed import Client, LocalCluster

    spec = Spec.from_dict({"model": MODEL, "run": RUN})
    task = PointRun(planned(spec, Store(folder))[0], fresh=False).task(range(1), Store(folder), 1)
    outcome = Outcome(shard=str(shard.ShardName(0, 1, "0" * shard.DIGITS)))
    sizes = {"task_bytes": len(pickle.dumps(task)), "outcome_bytes": len(pickle.dumps(outcome))}
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
        found = blocks(folder, repeats, client)
        pool = client.get_executor(pure=False)
        futures: list[Any] = []
        each = []
        for _ in range(repeats):
            each.append(1e3 / count * seconds(lambda: futures.extend(pool.submit(repr, task) for _ in range(count))))
            for future in futures:
                future.result()
    return {**found, "submit_milliseconds": statistics.median(each), "submit_all": each, **sizes}


def dask(folder: Path, repeats: int) -> dict[str, Any]:
    """Wall time of one worker over that of one a core."""
    from distributed import Client, LocalCluster

    cores = worker_count(None, CPU())
    spec, length = sized(6 * cores, BLOCK)
    found: dict[int, list[float]] = {1: [], cores: []}
    for k in range(repeats):
        for workers in found:
            options = {"n_workers": workers, "threads_per_worker": 1, "dashboard_address": None}
            with LocalCluster(**options) as cluster, Client(cluster) as client:
                client.run(_warm, spec)
                store = Store(folder / f"dask{workers}-{k}")
                found[workers].append(
                    seconds(lambda: run_spec(spec, store, executor=client, block_seconds=length))  # noqa: B023
                )
    ratios = [a / b for a, b in zip(found[1], found[cores], strict=True)]
    return {"workers": cores, "seconds": found, "speedup": statistics.median(ratios), "speedups": ratios}


def _warm(spec: Spec) -> None:
    run_part(spec.points[0].design, range(8), workers=1)


def summary(folder: Path, repeats: int, points: int, each: int) -> dict[str, Any]:
    """Seconds of a process of its own to import, open and summarise points * each shards."""
    run = RUN | {"trials": 20 * each, "steps": 20, "observables": ["alignment", "sin_theta_left", "gap", "noise_op"]}
    grid = {"noise.sigma": [0.1 + k / points for k in range(points)]}
    spec, store = Spec.from_dict({"model": MODEL, "grid": grid, "run": run}), Store(folder / f"summary{points}")
    store.write_index(spec, quick=False)
    design = spec.points[0].design
    parts = [run_part(design, range(20 * k, 20 * k + 20)).assign_attrs(seconds=5.0) for k in range(each)]
    contents = [encoded(part) for part in parts]
    for point in spec.points:
        where = store.folder / point.identity
        where.mkdir()
        for k, content in enumerate(contents):
            (where / str(shard.ShardName.of(where, 20 * k, 20 * k + 20, content))).write_bytes(content)
    code = (
        f"import time; a = time.perf_counter(); import spikesim as ss; s = ss.Store({str(store.folder)!r}); s.index; "
        "import pyarrow.parquet, spikesim.sweep.summary; b = time.perf_counter(); s.table(); print(time.perf_counter() - b)"
    )
    inside, outside = [], []
    for _ in range(repeats):
        start = time.perf_counter()
        said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
        outside.append(time.perf_counter() - start)
        inside.append(float(said))
    medians = {"table": statistics.median(inside), "with_start": statistics.median(outside)}
    return {"points": points, "shards": points * each, **medians, "all": inside}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--only", nargs="*", default=["overhead", "blocks", "messages", "dask", "summary"], help="which of them"
    )
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as room:
        folder, repeats = Path(room), options.repeats
        works: dict[str, Callable[[], Any]] = {
            "overhead": lambda: overhead(folder, repeats),
            "blocks": lambda: blocks(folder, repeats),
            "messages": lambda: messages(folder, repeats),
            "dask": lambda: dask(folder, repeats),
            "summary": lambda: [summary(folder, repeats, 1000, 20), summary(folder, repeats, 20000, 1)],
        }
        for name in options.only:
            print(json.dumps({name: works[name]()}), flush=True)


if __name__ == "__main__":
    main()
