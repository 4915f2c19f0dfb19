"""The figure of advice holds windows against S4 and S8, what following it loses, and clipping against simulation."""

import numpy as np
import pytest
from harness import probed, script

from spikesim.probe.kept import Probed
from spikesim.theory import asymptotics, drift


@pytest.fixture(scope="module")
def probes(tmp_path_factory):
    return probed("probe_choice", tmp_path_factory.mktemp("probes"), steps=[96], truth=6, readings=20)


def named(probes, name):
    return [p for p in probes if p.name == name]


def advised(probes, window):
    """The same probes with one window advised to all."""
    return [Probed(p.task, p.found | {"advice": p.found["advice"] | {"window": window}}, p.truth) for p in probes]


def test_points_are_medians_against_the_best_of_theory(probes, tmp_path, drawn):
    script("probe_choice").draw(probes, tmp_path)
    line = drawn["axes"][0]["lines"]["turning: T of most alignment (S8)"]
    some = named(probes, "turning 0.03, 2")
    (m, n), spikes = some[0].model.shape, some[0].model.spikes
    fine = np.geomspace(1, 8, 800)
    best = fine[np.argmax([drift.alignment((m, n), 1.0, spikes, t, 0.03) for t in fine])]
    assert line[-1, 0] == pytest.approx(best, rel=0.01)
    assert line[-1, 1] == np.median([p.found["advice"]["window"] for p in some])
    line = drawn["axes"][0]["lines"]["at rest: least T with alignment 0.9 (S4)"]
    strong = named(probes, "still, 2")[0].model
    assert asymptotics.alignment(strong.shape, 1.0, strong.spikes, line[-1, 0]) == pytest.approx(0.9)


def test_what_is_lost_is_zero_at_the_best_window_and_more_elsewhere(probes):
    module = script("probe_choice")
    (one, *_) = named(probes, "turning 0.03, 2")
    best = module._best(one)
    (same,), (short,), (long) = advised([one], best), advised([one], 1.0), advised([one], 60.0)
    assert module._lost(same) == 0
    at = one.model.shape, 1.0, one.model.spikes
    assert module._lost(short) == pytest.approx(drift.alignment(*at, best, 0.03) - drift.alignment(*at, 1.0, 0.03))
    assert module._lost(long[0]) > 0.05


def test_gains_of_clipping_are_the_simulations(probes):
    module = script("probe_choice")
    some = named(probes, "outliers 10, stationary")
    truth = some[0].truth
    (moved, *_) = advised(some, 5.2)
    at = truth["windows"].index(5.0)
    expected = [truth["pipelines"][name]["alignment"][at] for name in ("clipped pre-polar", "pre-polar")]
    assert module._true_gain(moved)[0] == expected[0] - expected[1]


def test_the_finding_counts_advice(probes, tmp_path):
    module = script("probe_choice")
    outcome = module.draw(probes, tmp_path)
    turning = [p for p in probes if p.name.startswith("turning")]
    gaussian = turning + [p for p in probes if p.name.startswith("still")]
    assert f"loses {np.mean([module._lost(p) for p in turning]):.3f} ± " in outcome.finding
    false = sum(p.found["advice"]["clip"] for p in gaussian)
    assert f"and in {false} of {len(gaussian)} Gaussian ones" in outcome.finding
    assert len(outcome.finding.split()) <= 45
    for p in probes:
        assert f"{p.name}: " in outcome.details


def test_advice_that_ignores_the_drift_is_on_record_as_a_loss(probes):
    module = script("probe_choice")
    turning = module._streams(list(probes), "turning")
    noisy = module._noisy(list(probes))
    wrong = [advised(some, 300.0) for some in turning]
    said = [float(module._finding(x, noisy, []).split("loses ")[1].split(" ±")[0]) for x in (turning, wrong)]
    assert said[1] > said[0] + 0.1
