"""The figure of the first window holds paired leads, the crossing and B5's window of every setting."""

import numpy as np
import pytest
from harness import script, tiny

WINDOWS, TRIALS = [1.1, 2, 5, 13, 32, 80, 200, 400], 60


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tiny("first_window", tmp_path_factory.mktemp("store"), trials=TRIALS)


@pytest.fixture(scope="module")
def points(store):
    return list(store)


def lead(result):
    x = result.data.alignment
    return (x.sel(pipeline="pre-polar") - x.sel(pipeline="polar-only")).values


def crossing(means):
    """T after the last mean below 0, linear in ln T; the first T if there is none."""
    if not np.any(means < 0):
        return WINDOWS[0]
    k = np.flatnonzero(means < 0)[-1]
    if k == len(WINDOWS) - 1:
        return np.inf
    return np.exp(np.interp(0, means[k : k + 2], np.log(WINDOWS[k : k + 2])))


def b5(result):
    """4 eta / (lambda ‖S‖_* (1 - E polar-only)) = 2T - 1 of one spike."""
    polar_only = result.data.alignment.sel(pipeline="polar-only").values[:, 0].mean()
    return (4 * result.model.eta / result.model.spikes[0] ** 2 / (1 - polar_only) + 1) / 2


def test_leads_are_paired_and_drawn_for_one_noise_level(store, points, tmp_path, drawn):
    script("first_window").draw(store, tmp_path / "figures")
    axes = drawn["axes"][0]
    shown = [r for r in points if r.model.noise.sigma == 0.3]
    assert len(shown) == 7
    for result, span in zip(shown, axes["spans"], strict=True):
        x = lead(result)
        line = axes["lines"][result.coordinates["name"]]
        np.testing.assert_allclose(line, np.stack([2 * np.array(WINDOWS) - 1, x.mean(0)], 1))
        np.testing.assert_allclose(span, 2 * 1.96 * x.std(0, ddof=1) / TRIALS**0.5, rtol=1e-6)


def test_windows_and_bounds_of_every_setting(store, points, tmp_path, drawn):
    module = script("first_window")
    outcome = module.draw(store, tmp_path / "figures")
    results, axes = points, drawn["axes"][1]
    found = [module._found(r) for r in results]
    for result, f in zip(results, found, strict=True):
        assert f.value == pytest.approx(crossing(lead(result).mean(0)))
        assert f.low <= f.value <= f.high
        assert f.bound == pytest.approx(max(1, b5(result)))
        (n, _) = result.model.shape
        assert f.uncorrelated == pytest.approx(max(1, ((2 * b5(result) - 1) * (2 * n - 1) / n**2 + 1) / 2))
    for name in {r.coordinates["name"] for r in results}:
        mine = [f for r, f in zip(results, found, strict=True) if r.coordinates["name"] == name]
        np.testing.assert_allclose(axes["lines"][f"_{name}, B5"][:, 1], [f.bound for f in mine])
    kept = sum(f.high <= f.bound for f in found)
    assert f"at most B5's T₀ in {kept} of {len(found)}" in outcome.finding
    assert f"in {sum(f.value <= 1.1 for f in found)} of {len(found)} settings" in outcome.finding
    worst = min(lead(r).mean(0).min() for r in results)
    assert f"than {-worst:.2f} ±" in outcome.finding


def test_looseness_is_shown_where_pre_polar_is_behind(store, points, tmp_path, drawn):
    module = script("first_window")
    outcome = module.draw(store, tmp_path / "figures")
    behind = [(r, f) for r in points if (f := module._found(r)).low > 1.1 and np.isfinite(f.high)]
    assert behind  # rare gradients a hundred times as large put it there even at this size
    assert {type(r.model.noise).__name__ for r, _ in behind} == {"Contaminated"}
    ratios = [f.bound / f.value for _, f in behind]
    assert f"is {min(ratios):.0f} to {max(ratios):.0f} times too large" in outcome.finding
    most = max((f for _, f in behind), key=lambda f: f.value)
    assert f"up to T₀ = {most.value:.3g} [{most.low:.3g}, {most.high:.3g}]" in outcome.finding
    shares = np.concatenate([xy[:, 1] for xy in drawn["axes"][2]["lines"].values()])
    assert all(np.any(np.isclose(shares, f.value / f.bound)) for _, f in behind)


def test_a_law_that_starts_ahead_has_no_threshold_and_one_never_ahead_an_infinite_one():
    module = script("first_window")
    means = np.array([[0.1, 0.2, 0.3], [-0.1, -0.1, 0.1], [-0.1, 0.1, -0.1]])
    np.testing.assert_allclose(module._from(np.array([1.5, 4.0, 16.0]), means), [1.5, 8, np.inf])
