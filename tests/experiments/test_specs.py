"""Every experiment is a pair of files, and small where it is quick."""

import pytest
from harness import NAMES, PROBED, ROOT, script

from spikesim.probe.study import Study
from spikesim.sweep.spec import Spec


@pytest.mark.parametrize("name", NAMES)
def test_every_experiment_is_a_pair_and_matrices_of_its_quick_form_are_at_most_64_wide(name):
    assert callable(script(name).draw)
    path = ROOT / "experiments" / f"{name}.toml"
    assert Spec.from_toml(path).title
    formed = [p for p in Spec.from_toml(path, quick=True).points if p.arguments["method"] != "banded"]
    assert all(max(p.model.shape) <= 64 for p in formed)


@pytest.mark.parametrize("name", PROBED)
def test_every_experiment_that_probes_is_a_pair_and_matrices_of_its_quick_form_are_at_most_64_wide(name):
    assert callable(script(name).draw)
    path = ROOT / "experiments" / f"{name}.toml"
    assert Study.from_toml(path).title
    models = [task.stream.model for task in Study.from_toml(path, quick=True).tasks if task.stream.model is not None]
    assert all(max(model.shape) <= 64 for model in models)


@pytest.mark.parametrize("name", ["alignment_momentum", "published_grid", "subspace_error"])
def test_the_papers_experiments_are_at_the_papers_size(name):
    assert all(p.model.shape == (100, 100) for p in Spec.from_toml(ROOT / "experiments" / f"{name}.toml").points)
