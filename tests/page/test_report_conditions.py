"""A claim is judged only where its conditions and those of its test hold; what then is false is BROKEN."""

from dataclasses import replace

import numpy as np
import pytest

import spikesim as ss
from spikesim.page.verdicts import tried
from spikesim.theory import bounds
from spikesim.verify.finding import mean_equals
from spikesim.verify.verdict import judge

MODEL = ss.SpikedModel((4, 6), (5.0,), ss.Gaussian(0.5))
NAMES = ("alignment", "tail", "noise_fro")


@pytest.fixture(scope="module")
def data():
    return ss.simulate(MODEL, windows=[1, 8], trials=240, steps=30, observables=NAMES, method="stream")


def labels(model, data):
    return {f.label for f in tried(model, data).findings}


def reasons(model, data):
    return dict(tried(model, data).unjudged)


def test_where_all_conditions_hold_claims_are_judged(data):
    assert labels(MODEL, data) >= {"B1", "B1e", "B3'", "B4", "B5"}


@pytest.mark.parametrize(
    ("model", "changed", "why"),
    [
        (MODEL, {"method": "collapsed"}, "draws from formulas"),
        (MODEL, {"filter": "HeavyBall"}, "about the EMA"),
        (MODEL, {"dtype": "float32"}, "float64's rounding"),
        (replace(MODEL, spikes=(5.0, 4.0), head=1), {}, "not about a head"),
        (replace(MODEL, signal=ss.Rotating(0.1)), {}, "does not move"),
        (replace(MODEL, noise=ss.Gaussian(1e-9)), {}, "rounding would be judged"),
    ],
)
def test_nothing_is_judged_where_a_condition_fails(data, model, changed, why):
    other = data.assign_attrs(changed)
    assert labels(model, other) == set()
    assert why in reasons(model, other)["all claims"]


def test_few_trials_judge_nothing_and_some_no_equality(data):
    assert "fewer than 40 trials" in reasons(MODEL, data.isel(trial=slice(39)))["all claims"]
    some = data.isel(trial=slice(60))
    assert "B5" in labels(MODEL, some)
    assert "B4" not in labels(MODEL, some)
    assert "fewer than the 240 trials" in reasons(MODEL, some)["B4"]


def test_an_equality_is_judged_with_light_tails_alone(data):
    heavy = replace(MODEL, noise=ss.Contaminated(1e-3, 1e3, 0.01))
    assert "light tails" in reasons(heavy, data)["B4"]
    assert "B4" not in labels(heavy, data)


def test_trials_without_a_value_are_no_verdict_and_no_error(data):
    lost = data.assign(tail=data["tail"] * np.nan)
    assert "defined samples" in reasons(MODEL, lost)["B1e"]
    assert "B3'" in labels(MODEL, lost)


@pytest.mark.parametrize("spike", [0.8, -0.8])
def test_a_small_matrix_says_nothing_of_b6_and_a_large_one_may_be_broken(monkeypatch, spike):
    small = ss.SpikedModel((40, 4), (0.5,), ss.Gaussian(1.0))
    large = ss.SpikedModel((64, 16), (spike,), ss.Gaussian(1.0))
    few = {"windows": [2], "trials": 60, "steps": 3, "observables": ["alignment"], "pipelines": ["polar-only"]}
    assert "about large matrices" in reasons(small, ss.simulate(small, method="stream", **few))["B6"]
    stored = ss.simulate(large, method="stream", **few)
    assert "BROKEN" not in verdicts(large, stored)
    monkeypatch.setattr(bounds, "vanishing_alignment", lambda *_: 0.02)
    assert verdicts(large, stored) == ["BROKEN"]


def verdicts(model, data):
    return [row.verdict for row in judge([f for f in tried(model, data).findings if f.label == "B6"], {"B6": ""})]


def test_the_hypothesis_of_b6_is_about_the_size_of_a_negative_spike():
    large = ss.SpikedModel((64, 16), (-30.0,), ss.Gaussian(1.0))
    few = {"windows": [2], "trials": 40, "steps": 3, "observables": ["alignment"], "pipelines": ["polar-only"]}
    (found,) = (f for f in tried(large, ss.simulate(large, method="stream", **few)).findings if f.label == "B6")
    assert "its hypothesis fails" in found.vacuous


def test_rounding_is_no_evidence_against_an_equality():
    off = 1.0 + 1e-15 * np.array([1.0, 1.0, 1.2, 1.0, 1.0] * 20)
    assert mean_equals("B4", "", "", 1.0, off, 1.0).p == 1.0
    assert mean_equals("B4", "", "", 1.0, off + 1e-6, 1.0).p < 1e-12
