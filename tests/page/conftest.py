"""A small run, simulated once."""

import pytest

from spikesim.sweep.run import run_spec
from spikesim.sweep.spec import Spec
from spikesim.sweep.store import Store

TABLE = {
    "title": "Spikes & <script>alert(1)</script> é",
    "model": {"shape": [4, 6], "spikes": [5.0], "noise": {"law": "Gaussian", "sigma": 0.5}},
    "grid": {"noise.sigma": [0.5, 1.0]},
    "run": {
        "windows": [1, 2, 8], "trials": 240, "steps": 30,
        "observables": ["alignment", "sin_theta_left", "sin_theta_right", "gap", "tail", "noise_fro"],
    },
}  # fmt: skip


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("page") / "a run é")
    run_spec(Spec.from_dict(TABLE), store)
    return store


@pytest.fixture
def store(made, tmp_path):
    import shutil

    shutil.copytree(made.folder, tmp_path / "a run é")
    return Store(tmp_path / "a run é")


@pytest.fixture
def several(made, tmp_path):
    """A folder of two runs, one of them a single point at a single window, and a probe study's folder."""
    import shutil

    folder = tmp_path / "results"
    shutil.copytree(made.folder, folder / "first")
    alone = {"title": "one", "model": TABLE["model"], "run": TABLE["run"] | {"windows": [2], "observables": ["alignment"]}}
    run_spec(Spec.from_dict(alone), Store(folder / "second"))
    (folder / "probes").mkdir()
    (folder / "probes" / f"{'0' * 16}.json").write_text("{}")
    return folder
