"""The figure of estimators holds root mean squares and coverage of what the probes say."""

import numpy as np
import pytest
from harness import probed, script
from scipy.stats import chi2

from spikesim.probe.kept import Probed
from spikesim.probe.truth import ESTIMATORS

ETA, DRIFT = ESTIMATORS[0], next(e for e in ESTIMATORS if e.label == "drift ω")


@pytest.fixture(scope="module")
def probes(tmp_path_factory):
    return probed("probe_estimators", tmp_path_factory.mktemp("probes"), steps=[48, 64], truth=4, readings=20)


def etas(probes, name, steps):
    return np.array([p.found["noise"]["eta"]["value"] for p in probes if p.name == name and p.task.steps == steps])


def test_lines_are_root_mean_squares_of_relative_errors(probes, tmp_path, drawn):
    script("probe_estimators").draw(probes, tmp_path)
    for row, kind in ((0, "still"), (3, "turning")):
        line = drawn["axes"][row]["lines"]["η"]
        np.testing.assert_allclose(line[:, 0], [48, 64])
        expected = [np.mean((etas(probes, f"{kind}, 1", k) / (16 * 24) - 1) ** 2) ** 0.5 for k in (48, 64)]
        np.testing.assert_allclose(line[:, 1], expected)
        beside = drawn["axes"][row + 1]["lines"]["η"]
        np.testing.assert_allclose(beside[:, 0], np.array([3.25, 13, 52, 208]) / (16 * 24))
        names = [f"{kind}, {x}" for x in ("1/4", "1/2", "1", "2")]
        np.testing.assert_allclose(
            beside[:, 1], [np.mean((etas(probes, name, 64) / (16 * 24) - 1) ** 2) ** 0.5 for name in names]
        )
    assert "drift ω" not in drawn["axes"][0]["lines"]
    assert "drift ω" in drawn["axes"][3]["lines"]


def test_intervals_of_root_mean_squares_are_those_of_normal_errors(probes):
    some = [p for p in probes if p.name == "still, 1"][:2]
    value, low, high = script("probe_estimators")._rms(ETA, some)
    assert low == pytest.approx(value * (2 / chi2.ppf(0.975, 2)) ** 0.5)
    assert high == pytest.approx(value * (2 / chi2.ppf(0.025, 2)) ** 0.5)


def test_coverage_counts_intervals_that_hold_the_truth(probes):
    module = script("probe_estimators")
    some = [p for p in probes if p.name.startswith("turning")]
    share, low, high = module._share(DRIFT, some)
    drifts = [p.found["noise"]["drift"] for p in some if p.found["noise"]["drift"]["value"] is not None]
    assert 0 < len(drifts) < len(some)  # the smallest signal is not told from none
    held = [drift["low"] <= 0.01 <= drift["high"] for drift in drifts]
    assert share == np.mean(held)
    assert low <= share <= high


def test_wrong_estimates_are_on_record_as_missing(probes):
    """Every eta of a probe moved by a fifth: its intervals do not hold the truth."""
    module = script("probe_estimators")

    def moved(one: Probed) -> Probed:
        noise = dict(one.found["noise"])
        noise["eta"] = {k: 1.2 * x for k, x in noise["eta"].items()}
        return Probed(one.task, one.found | {"noise": noise}, one.truth)

    assert "η (still)" not in module._missing(list(probes))
    assert "η (still)" in module._missing([moved(p) for p in probes])


def test_the_finding_names_sizes_errors_and_misses(probes, tmp_path):
    module = script("probe_estimators")
    outcome = module.draw(probes, tmp_path)
    some = [p for p in probes if p.name == "still, 1" and p.task.steps == 64]
    error = np.mean([(p.found["scale"]["nuclear_norm"] / 10 - 1) ** 2 for p in some]) ** 0.5
    assert f"Errors from 64 gradients at signal to noise 0.14: {100 * error:.2g} % [" in outcome.finding
    shares = [share for share, _, _ in module._covered(list(probes)).values()]
    assert f"hold the truth in {min(shares):.2f} to {max(shares):.2f} of cases" in outcome.finding
    assert len(outcome.finding.split()) <= 45
    assert "correlation φ (AR(1))" in outcome.details
