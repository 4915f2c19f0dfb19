"""The figure of recorded gradients: lines, predictions and words are those of the probes, whatever is listed."""

import tomllib

import numpy as np
import pytest
from harness import ROOT, script

from spikesim.gradients import gradients
from spikesim.model import SpikedModel
from spikesim.noise import Gaussian
from spikesim.probe.jackknife import student
from spikesim.probe.kept import Probes, run_study
from spikesim.probe.study import Study
from spikesim.signal.rotating import Rotating

FILE = ROOT / "experiments" / "real_gradients.toml"


@pytest.fixture(scope="module")
def probes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("probes")
    strong = SpikedModel((8, 12), (6.0, 4.0), Gaussian(1.0))
    turning = SpikedModel((8, 12), (6.0,), Gaussian(1.0), signal=Rotating(0.05))
    nothing = SpikedModel((8, 12), (0.01,), Gaussian(1.0))
    for name, model in (("strong", strong), ("turning", turning), ("nothing", nothing)):
        np.save(folder / f"{name}.npy", gradients(model, 120, 2, 0).astype(np.float32))
    table = {
        "title": "x",
        "probe": {
            "readings": 20,
            "files": ["strong.npy", {"file": "turning.npy", "name": "a turn", "kind": "trajectory"}, "nothing.npy"],
        },
    }
    study = Study.from_dict(table, folder)
    run_study(study, folder / "r")
    return Probes(study, folder / "r")


def test_lines_are_alignments_with_bands_of_students_t(probes, tmp_path, drawn):
    script("real_gradients").draw(probes, tmp_path)
    shown = [axes for axes in drawn["axes"] if axes["y"]]
    for axes, p in zip(shown, probes, strict=True):
        for name in ("pre-polar", "post-polar", "polar-only", "re-polarised"):
            np.testing.assert_allclose(axes["lines"][name][:, 1], np.array(p.found["pipelines"][name]["alignment"], float))
        half = student(10) * np.array(p.found["pipelines"]["pre-polar"]["alignment_error"], float)
        np.testing.assert_allclose(axes["spans"][0], 2 * half[np.isfinite(half)], rtol=1e-6)
        if p.found["advice"]["window"] is None:
            assert "advised T" not in axes["lines"]
        else:
            assert axes["lines"]["advised T"][0, 0] == p.found["advice"]["window"]
    np.testing.assert_allclose(
        drawn["axes"][0]["lines"]["theory for white noise (S4, S8)"][:, 1], probes[0].found["predicted_alignment"]
    )


def test_the_finding_is_of_the_largest_gap_and_the_range_of_advice(probes, tmp_path):
    module = script("real_gradients")
    outcome = module.draw(probes, tmp_path)
    gaps = [module._gap(p) for p in probes]
    worst = max((g for g in gaps if g is not None), key=lambda g: abs(g[0]))
    assert f"off by up to {worst[0]:+.2f} ± {worst[1]:.2f} of alignment" in outcome.finding
    low, high = (f(p.found["advice"]["momentum"] for p in probes[:2]) for f in (min, max))
    assert probes[2].found["advice"]["momentum"] is None
    assert f"advised momentum is {low:.2f} to {high:.2f}" in outcome.finding
    assert "of 3 recordings" in outcome.finding
    assert len(outcome.finding.split()) <= 45
    assert "a turn: signal to noise" in outcome.details


def test_recordings_without_a_signal_say_so(probes):
    module = script("real_gradients")
    assert probes[2].found["spikes"] == []
    assert module._gap(probes[2]) is None
    assert "no direction stands out" in module._finding([probes[2]])
    assert module._ahead([probes[2]]) == 0
    assert module._ahead([probes[0]]) == 1


def test_every_recording_that_is_listed_is_there():
    listed = tomllib.loads(FILE.read_text())["probe"]["files"]
    assert all((FILE.parent / one["file"]).is_file() for one in listed)
