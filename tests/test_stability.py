"""What docs/stability.md promises across versions, and that every test it names exists."""

import re
from pathlib import Path

import numpy as np
import pytest

import spikesim as ss
from spikesim import rng
from spikesim.sweep import spec as specs

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "stability.md").read_text()
FIRST = [
    [0x6627E8D5, 0xE169C58D, 0xF8E4CCA4],
    [0xBC57AC4C, 0x9B00DBD8, 0xB1A574EB],
    [0x6AD0C5EC, 0xEA236249, 0x6DA11836],
]
FAR = 0x2AE17F25
NAMES = [
    "AR1", "AlphaStable", "Alternating", "Arch", "Biased", "Constant", "Contaminated", "EMA", "FIR", "Fading", "Family",
    "Filter", "Gaussian", "HeavyBall", "IIR", "Kalman", "Kronecker", "Laplace", "Lookahead", "Mixture", "MovingAverage",
    "Nesterov", "Oscillating", "PIPELINES", "Pipeline", "Polar", "Prediction", "Probe", "Rademacher", "Radial", "RateFit",
    "Recorder", "Rotating", "ScaleMixture", "Schedule", "SignFlip", "SpikedModel", "Store", "StudentT", "Sweep", "Switch",
    "SymmetricPareto", "TorchRecorder", "Warmup", "fit_rate", "gradients", "last_update", "newton_schulz", "polar_factor",
    "power_law", "predict", "probe", "simulate", "stages", "theory",
]  # fmt: skip
STAGES = [
    "Adam", "Clip", "Controller", "Delay", "DualNorm", "Filter", "Fisher", "HardThreshold", "Identity", "NewtonSchulz",
    "Normalise", "Polar", "Power", "QR", "RandomisedPolar", "SecondMoment", "ShapeFactor", "Shampoo", "Shrink", "Sign",
    "Soft", "Tiled", "Workers",
]  # fmt: skip
OPTIONS = {
    "run": "--out --workers --share --block-seconds --dask --dry-run --quick --fresh --json",
    "status": "--clean --forget --json",
    "export": "--to",
    "report": "--to --json",
    "reproduce": "--quick --full",
    "verify": "--all --json",
    "predict": "--shape --spike --sigma --window --json",
    "probe": "--kind --twin --figure --json",
}


def test_words_are_those_of_layout_1():
    assert rng.LAYOUT_VERSION == 1
    first = rng.words(0, rng.NOISE, 0, [[0], [1], [2]], [0, 1, 2])
    far = rng.words(2**64 - 1, rng.PROBE, 2**32 - 1, 2**33 - 1, 2**33 - 1, draw=5)
    np.testing.assert_array_equal(first, FIRST)
    assert far == FAR


def test_another_layout_is_another_point(monkeypatch):
    model = {"name": "a", "shape": [4, 5], "spikes": [2.0], "noise": {"law": "Gaussian", "sigma": 1.0}}
    given = {"title": "one", "model": [model], "run": {"windows": [2], "trials": 2}}
    before = [p.identity for p in specs.Spec.from_dict(given).points]
    monkeypatch.setattr(specs, "LAYOUT_VERSION", 2)
    assert not set(before) & {p.identity for p in specs.Spec.from_dict(given).points}


def test_public_names_stay():
    assert set(NAMES) <= set(ss.__all__)
    assert set(STAGES) <= set(ss.stages.__all__)
    for name in NAMES:
        assert hasattr(ss, name)


@pytest.mark.parametrize("command", OPTIONS)
def test_commands_and_options_stay(command):
    from typer.testing import CliRunner

    from spikesim.cli import app

    text = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200", "TERM": "dumb", "NO_COLOR": "1"}).output
    for option in OPTIONS[command].split():
        assert re.search(rf"(?<![\w-]){option}(?![\w-])", text), option


def test_names_of_the_theory_are_theirs():
    assert ss.PIPELINES == ("pre-polar", "post-polar", "polar-only", "re-polarised")
    model = ss.SpikedModel((4, 5), (2.0,), ss.Gaussian())
    with pytest.raises(ValueError, match=r"need a name other than .*'pre-polar'"):
        ss.simulate(model, windows=[2], trials=1, pipelines=["pre-polar = Polar() -> Filter()"])


def test_every_test_that_the_page_names_is_there():
    file, named = "", []
    for path, name in re.findall(r"`(?:(tests/[\w/]+\.py): )?(test_\w+)`", PAGE):
        file = path or file
        named.append((file, name))
    assert len(named) > 20
    for file, name in named:
        assert re.search(rf"^def {name}\(", (ROOT / file).read_text(), flags=re.MULTILINE), f"{file}: {name}"
