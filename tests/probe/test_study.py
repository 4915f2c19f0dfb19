"""Experiments that probe: computed once, kept, computed again where damaged or changed, and refused in words."""

import json
from pathlib import Path

import numpy as np
import pytest

import spikesim as ss
from spikesim.gradients import gradients
from spikesim.kinds import PROBES
from spikesim.probe.kept import Probes, run_study
from spikesim.probe.study import APART, Study
from spikesim.progress import Bar
from spikesim.reproduce import reproduce

TOML = """
title = "Probed"
[probe]
files = ["kept.npy"]
steps = [48, 64]
trials = 2
truth = 5
readings = 20
windows = [1, 2, 4]
pipelines = ["pre-polar"]
[[probe.models]]
name = "white"
shape = [4, 6]
spikes = [3.0]
noise = {law = "Gaussian", sigma = 1.0}
[quick.probe]
steps = [48]
[quick.probe.models]
shape = [3, 5]
"""
SCRIPT = """
from spikesim import plots
from spikesim.report import Outcome
GROUP = "Real gradients"
def draw(probes, figures, published=None):
    with plots.panels(1, 1, (4, 3)) as (figure, axes):
        axes[0, 0].set(xlabel="T (steps)", ylabel="alignment")
        plots.save(figure, figures, "probed", "", "found")
    return Outcome(f"{len(probes)} of {probes.title}, quick {probes.quick}")
"""
MODEL = ss.SpikedModel((4, 6), (3.0,), ss.Gaussian(1.0))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "probed.toml").write_text(TOML)
    (tmp_path / "probed.py").write_text(SCRIPT)
    np.save(tmp_path / "kept.npy", gradients(MODEL, 50, 3, 0))
    return tmp_path


def run(folder: Path, **options):
    given = {"quick": False, "fresh": False} | options
    return reproduce(folder, folder / "r", folder / "f", published=None, bar=Bar(quiet=True), **given)


def study(folder: Path, text: str = TOML, quick: bool = False) -> Study:
    (folder / "probed.toml").write_text(text)
    return Study.from_toml(folder / "probed.toml", quick)


def test_a_study_is_probed_once_and_drawn_in_the_gallery(folder):
    (done,) = run(folder)
    assert done.outcome.finding == "5 of Probed, quick False"
    assert (done.computed, done.kept, done.kind) == (3, 0, PROBES)
    assert done.seconds > 0
    (again,) = run(folder)
    assert (again.computed, again.kept, again.seconds) == (0, 3, done.seconds)
    assert run(folder, fresh=True)[0].computed == 3
    page = (folder / "f" / "README.md").read_text()
    assert "`spikesim reproduce --full`, `python experiments/probed.py` (" in page
    assert " core-seconds of probing)" in page


def test_a_quick_run_has_the_quick_tables(folder):
    (done,) = run(folder, quick=True)
    assert done.outcome.finding == "3 of Probed, quick True"
    probes = Probes(study(folder, quick=True), folder / "r" / "probed")
    assert [p.name for p in probes] == ["kept", "white", "white"]
    assert probes[1].found["shape"] == [48, 3, 5]


def test_results_are_those_of_the_probe_and_of_the_simulation(folder):
    asked = study(folder)
    run_study(asked, folder / "r")
    probes = Probes(asked, folder / "r")
    arguments = {"windows": [1, 2, 4], "readings": 20, "pipelines": ["pre-polar"]}
    found = ss.probe(gradients(MODEL, 64, 0, APART + 1), **arguments).as_json()
    assert probes[4].task.steps == 64
    assert probes[4].found["noise"] == json.loads(json.dumps(found["noise"]))
    assert probes[4].found["pipelines"] == json.loads(json.dumps(found["pipelines"]))
    assert probes[0].found["noise"] == json.loads(json.dumps(ss.probe(folder / "kept.npy", **arguments).as_json()["noise"]))
    data = ss.simulate(
        MODEL, windows=[1, 2, 4], trials=5, pipelines=["pre-polar"], observables=["alignment"], method="stream"
    )
    np.testing.assert_allclose(probes[4].truth["pipelines"]["pre-polar"]["alignment"], data.alignment.mean("trial")[0])
    assert probes[0].truth is None
    assert probes[3].truth is probes[4].truth
    assert "clipped pre-polar" in probes[4].truth["pipelines"]


def test_no_two_probes_of_a_study_share_random_numbers(folder):
    text = TOML.replace(
        "[quick.probe]\n",
        '[[probe.models]]\nname = "b"\nshape = [4, 6]\nspikes = [1.0]\nnoise = {law = "Gaussian"}\n[quick.probe]\n',
    )
    trials = [task.trial for task in study(folder, text).tasks[1:]]
    assert len(set(trials)) == len(trials) == 8


@pytest.mark.parametrize("damage", [b"", b"{}", b"\xff", b'{"identity": "another", "seconds": 1}'])
def test_damaged_results_are_computed_again(folder, damage):
    asked = study(folder)
    assert run_study(asked, folder / "r") == (3, 0)
    path = folder / "r" / f"{asked.tasks[1].identity}.json"
    whole = json.loads(path.read_bytes())
    path.write_bytes(damage)
    assert run_study(asked, folder / "r") == (1, 2)
    again = json.loads(path.read_bytes())
    assert {**again, "seconds": 0} == {**whole, "seconds": 0}


def test_results_that_are_not_there_are_asked_for(folder):
    with pytest.raises(ValueError, match=r"need results of `spikesim reproduce`, got folder=.*; run it"):
        list(Probes(study(folder), folder / "absent"))


def test_an_identity_is_that_of_everything_a_probe_depends_on(folder):
    def identities(text: str) -> list[str]:
        return [task.identity for task in study(folder, text).tasks]

    whole = identities(TOML)
    assert len(set(whole)) == 5
    assert identities(TOML.replace("truth = 5", "truth = 6").replace('"Probed"', '"P"')) == whole
    changes = {
        "seed": ("truth", "seed = 1\ntruth"),
        "windows": ("[1, 2, 4]", "[1, 2, 3]"),
        "kind": ("trials", 'kind = "trajectory"\ntrials'),
    }
    for old, new in changes.values():
        assert not set(identities(TOML.replace(old, new, 1))) & set(whole)
    stronger = identities(TOML.replace("[3.0]", "[3.1]"))
    assert [a == b for a, b in zip(whole, stronger, strict=True)] == [True] + 4 * [False]
    np.save(folder / "kept.npy", gradients(MODEL, 50, 4, 0))
    assert [a == b for a, b in zip(whole, identities(TOML), strict=True)] == [False] + 4 * [True]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('title = "Probed"', "", "title: need a value, got none"),
        ("truth = 5", "truths = 5", "probe.truths: need a known key, got this one"),
        ("trials = 2", "trials = 0", "probe.trials: need greater than or equal to 1, got 0"),
        ("readings = 20", "readings = 3", "probe.readings: need greater than or equal to 20, got 3"),
        ('pipelines = ["pre-polar"]', 'pipelines = ["no"]', "probe.pipelines: need "),
        ("steps = [48, 64]", "", "probe: need steps for models, and for nothing else, got steps="),
        ("[1, 2, 4]", "[1, 2, 400]", "probe: need T <= "),
        ("[3.0]", "[-0.0]", r"probe.models\[0\]"),
        ('name = "white"', 'name = "kept"', "probe: need distinct names of streams"),
        ('name = "white"', 'name = ""', r"probe.models\[0\].name: need "),
        ('["kept.npy"]', '["absent.npy"]', "need a recording: a file beside the study's, got file="),
        ('["kept.npy"]', '[{file = "kept.npy", kinds = "x"}]', r"probe.files\[0\].kinds: need a known key"),
        ("[quick.probe.models]\nshape = [3, 5]", "[quick.run]\ntrials = 1", r"need \[quick.probe\] alone, got quick="),
        ("shape = [3, 5]", "shape = [3, 0]", r"with \[quick\], probe.models\[0\].shape"),
        ("[probe]", "[probe", "need a TOML file, got "),
    ],
)  # fmt: skip
def test_faults_are_told_with_their_place(folder, old, new, said):
    assert old in TOML
    with pytest.raises(ValueError, match=said):
        study(folder, TOML.replace(old, new, 1))


def test_a_study_without_streams_is_refused(folder):
    with pytest.raises(ValueError, match=r"need files or models to probe, got files=\(\), models=\(\)"):
        study(folder, 'title = "x"\n[probe]\nseed = 1\n')
