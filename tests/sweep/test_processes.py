"""Any executor of the interface of concurrent.futures does: a pool of processes gives the table of threads."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import spikesim as ss

TABLE = {
    "model": {"shape": [8, 12], "spikes": [3.0], "noise": {"law": "Gaussian", "sigma": 0.5}},
    "run": {
        "windows": [1, 4], "trials": 12, "steps": 40, "pipelines": ["pre-polar"], "observables": ["alignment"],
        "method": "stream",
    },
}  # fmt: skip


def test_a_pool_of_processes_gives_the_table_of_threads(tmp_path):
    sweep = ss.Sweep.from_dict(TABLE)
    (here,) = sweep.run(tmp_path / "here")
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        (there,) = sweep.run(tmp_path / "there", executor=pool, block_seconds=1e-9)
    assert len(list((tmp_path / "there").rglob("*.parquet"))) == 12
    assert there.data.alignment.values.tobytes() == here.data.alignment.values.tobytes()
