"""The figure of shapes holds both sides' errors, S3 and S4, and finds sides, transposes and crossings."""

import re

import numpy as np
import pytest
from harness import script, tiny

WINDOWS, TRIALS = [1, 2.5, 8.5, 32.5, 128.5], 12


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tiny("rectangular", tmp_path_factory.mktemp("store"), trials=TRIALS, windows=WINDOWS)


def sides(result):
    """Short and long side's sin theta, (trial, window)."""
    left, right = (result.data[f"sin_theta_{s}"].sel(pipeline="pre-polar").values for s in ("left", "right"))
    m, n = result.model.shape
    return (left, right) if m <= n else (right, left)


def s3(result, t):
    """sin theta of (short, long) at entry noise (2T - 1)^(-1/2)."""
    p, q = min(result.model.shape), max(result.model.shape)
    square, s2 = result.model.spikes[0] ** 2, 1 / (2 * t - 1)
    kept = max(square**2 - p * q * s2**2, 0)
    return [(1 - kept / (square * (square + k * s2))) ** 0.5 for k in (p, q)]


def test_shapes_have_one_size_and_one_ratio_and_their_transposes(store):
    shapes = [r.model.shape for r in store]
    assert len({m * n for m, n in shapes}) == 1
    assert {(n, m) for m, n in shapes} == set(shapes)
    for r in store:
        m, n = r.model.shape
        assert r.model.spikes[0] == pytest.approx(0.5 * (m * n) ** 0.25, rel=1e-4)


def test_lines_are_the_means_and_the_limits(store, tmp_path, drawn):
    script("rectangular").draw(store, tmp_path / "figures")
    align, _, short, long = drawn["axes"]
    for r in store:
        m, n = r.model.shape
        np.testing.assert_allclose(
            align["lines"][f"{m} × {n}"][:, 1], r.data.alignment.sel(pipeline="pre-polar").mean("trial")
        )
        for axes, x in zip((short, long), sides(r), strict=True):
            np.testing.assert_allclose(axes["lines"][f"{m} × {n}"][:, 1], x.mean(0))
    last = [r for r in store if r.model.shape[0] <= r.model.shape[1]][-1]  # whose limit is the labelled one
    for axes, k in ((short, 0), (long, 1)):
        for x, y in axes["lines"]["_limit"][::17]:
            assert y == pytest.approx(s3(last, (x + 1) / 2)[k], abs=1e-9)


def test_a_crossing_is_that_of_a_power_law():
    crossing = script("rectangular")._crossing
    windows = np.array([1.0, 2.5, 8.5, 32.5])
    means = np.array([3.0, 7.5])[:, None] * (2 * windows - 1) ** -1.0
    np.testing.assert_allclose(crossing(windows, means), [6, 15])
    assert np.isnan(crossing(windows, np.full(4, 0.9)))


def test_the_finding_says_when_each_side_is_learnt(store, tmp_path):
    module = script("rectangular")
    outcome = module.draw(store, tmp_path / "figures")
    for r in store:
        m, n = r.model.shape
        if m < n:
            said = [f"{float(module._crossing(np.array(WINDOWS), x.mean(0))):.3g} [" for x in sides(r)]
            assert re.search(
                re.escape(said[0]) + r"[^;]* and " + re.escape(said[1]) + rf"[^;]*at 1 : {n // m}\b", outcome.finding
            )


def test_transposes_are_compared_as_independent(store, tmp_path):
    outcome = script("rectangular").draw(store, tmp_path / "figures")
    named = {r.model.shape: r for r in store}
    scores, apart = [], []
    for (m, n), wide in named.items():
        if m >= n:
            continue
        tall = named[n, m]
        pairs = [*zip(sides(wide), sides(tall), strict=True)]
        pairs.append(tuple(r.data.alignment.sel(pipeline="pre-polar").values for r in (wide, tall)))
        for a, b in pairs:
            apart.append(a.mean(0) - b.mean(0))
            scores.append(np.abs(apart[-1]) / np.sqrt((a.var(0, ddof=1) + b.var(0, ddof=1)) / TRIALS))
    assert f"in {np.size(scores)} comparisons (jointly at 95 %; {np.max(scores):.1f} standard errors" in outcome.finding
    assert f"{np.max(np.abs(apart)):.4f} in size" in outcome.finding
    assert not np.array_equal(sides(named[8, 32])[0], sides(named[32, 8])[0])  # no copy of one another
