"""The figure of unequal spikes holds o_2/o_1, contrasts and turning points, each beside its limit."""

import numpy as np
import pytest
from harness import script, tiny

WINDOWS, STEPS, TRIALS = [2, 5, 10], 60, 40
PIPELINES = ("pre-polar", "post-polar", "polar-only", "re-polarised")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tiny("unequal_spikes", tmp_path_factory.mktemp("store"), trials=TRIALS, steps=STEPS, windows=WINDOWS)


@pytest.fixture(scope="module")
def points(store):
    return list(store)


def of(points, name):
    """Results of one model, y rising."""
    found = [r for r in points if r.coordinates["name"] == name]
    return sorted(found, key=lambda r: -r.model.noise.sigma)


def y(result):
    return result.model.spikes[-1] / (result.model.noise.sigma * result.model.shape[0] ** 0.5)


def both(result, pipeline, t=10):
    """o_1 and o_2 of each trial, (2, trial), solved for."""
    (one, two), data = result.model.spikes, result.data.sel(pipeline=pipeline, window=t)
    weights = [[one / (one + two), two / (one + two)], [0.5, 0.5]]
    return np.linalg.solve(weights, np.stack([data.alignment.values, data.projection.values]))


def square(theta, s, n):
    ratio = theta / (s * n**0.5)
    return 2 / np.pi * ((1 - ratio**-2) * np.arctan(ratio) + 1 / ratio)


def filtered(t):
    beta = 1 - 1 / t
    return 1 - beta**STEPS, (1 - beta ** (2 * STEPS)) / (2 * t - 1)


def test_first_panel_holds_ratios_of_means_where_they_can_be_read(store, points, tmp_path, drawn):
    script("unequal_spikes").draw(store, tmp_path / "figures")
    lines, results = drawn["axes"][0]["lines"], of(points, "two spikes")
    for pipeline in PIPELINES:
        o = np.stack([both(r, pipeline) for r in results])  # (y, 2, trial)
        ratio = o[:, 1].mean(-1) / o[:, 0].mean(-1)
        error = (
            np.array([np.std(b - k * a, ddof=1) / abs(a.mean()) for (a, b), k in zip(o, ratio, strict=True)]) / TRIALS**0.5
        )
        shown = error < 0.12
        assert shown.sum() > 0
        expected = np.stack([np.array([y(r) for r in results])[shown], ratio[shown]], 1)
        assert any(xy.shape == expected.shape and np.allclose(xy, expected) for xy in lines_of(drawn, 0)), pipeline
    gain, factor = filtered(10)
    sigma = [r.model.noise.sigma for r in results]
    pre = [square(gain, s * factor**0.5, 16) / square(4 * gain, s * factor**0.5, 16) for s in sigma]
    np.testing.assert_allclose(lines["pre-polar, S4"][:, 1], pre, rtol=1e-8)
    np.testing.assert_allclose(lines["post-polar, S4"][:, 1], [square(1, s, 16) / square(4, s, 16) for s in sigma], rtol=1e-8)
    np.testing.assert_allclose(lines["λ₂/λ₁: plain average"][:, 1], 0.25)


def lines_of(drawn, axis):
    return drawn["axes"][axis]["lines"].values()


def test_second_panel_holds_contrasts_of_four_spikes(store, points, tmp_path, drawn):
    outcome = script("unequal_spikes").draw(store, tmp_path / "figures")
    results = of(points, "four spikes")
    assert results[0].model.spikes == (8, 4, 2, 1)
    lines = drawn["axes"][1]["lines"]
    np.testing.assert_allclose(lines["o ∝ λ: plain average"][:, 1], 4 * 85 / 225)
    near = min(results, key=lambda r: abs(np.log(y(r) / 0.1)))
    gain, factor = filtered(10)
    s = near.model.noise.sigma * factor**0.5
    a = np.array([square(gain * x, s, 16) for x in (8, 4, 2, 1)])
    k = results.index(near)
    assert lines["pre-polar, S4"][k, 1] == pytest.approx(a @ [8, 4, 2, 1] / 15 / a.mean(), rel=1e-8)
    for pipeline in ("pre-polar", "post-polar", "re-polarised"):
        data = near.data.sel(pipeline=pipeline, window=10)
        total, mean = data.alignment.values, data.projection.values
        ratio = total.mean() / mean.mean()
        error = 1.96 * np.std(total - ratio * mean, ddof=1) / abs(mean.mean()) / TRIALS**0.5
        assert f"{pipeline} {ratio:.3f} ± {error:.3f}" in outcome.finding


def test_third_panel_and_the_finding_hold_where_the_ratio_is_halfway(store, points, tmp_path, drawn):
    outcome = script("unequal_spikes").draw(store, tmp_path / "figures")
    results, axes = of(points, "two spikes"), drawn["axes"][2]
    for t in (2, 10):
        share = [(lambda o: o[1].mean() / o[0].mean())(both(r, "post-polar", t)) for r in results]
        k = max(i for i, x in enumerate(share) if x < 0.5)
        left, right = np.log(y(results[k])), np.log(y(results[k + 1]))
        turn = np.exp(left + (0.5 - share[k]) / (share[k + 1] - share[k]) * (right - left))
        assert f"post-polar {turn:.3g} [" in outcome.finding or f"and {turn:.3g} [" in outcome.finding
        assert any(np.any(np.isclose(xy[:, 1], turn) & np.isclose(xy[:, 0], 2 * t - 1)) for xy in axes["lines"].values())
    grid = np.geomspace(0.01, 10, 20001)  # of the limit: read off the sparse y, so only near the true one
    true = grid[np.argmax(square(grid, 1, 1) / square(4 * grid, 1, 1) > 0.5)]
    np.testing.assert_allclose(axes["lines"]["post-polar, S4"][:, 1], true, rtol=0.05)


def test_turns_of_a_known_curve_are_found_and_missing_ones_said():
    turn = script("unequal_spikes")._turn
    ys = np.array([1.0, 2, 4, 8])
    curves = np.array([[0.1, 0.3, 0.7, 0.9], [0.1, 0.6, 0.4, 0.9], [0.1, 0.2, 0.3, 0.4], [0.6, 0.7, 0.8, 0.9]]).T
    np.testing.assert_allclose(turn(ys, curves, 0.5), [2 * 2**0.5, 4 * 2**0.2, np.nan, np.nan])
