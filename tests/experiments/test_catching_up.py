"""The figure of catching up holds what post-polar lacks, where that is little, and paired differences beside limits."""

import numpy as np
import pytest
from harness import script, tiny
from scipy.stats import t as student

WINDOWS, STEPS, TRIALS, N = [1.1, 1.5, 2, 5], 40, 40, 16


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tiny("catching_up", tmp_path_factory.mktemp("store"), trials=TRIALS, steps=STEPS, windows=WINDOWS)


@pytest.fixture(scope="module")
def points(store):
    return list(store)


def of(points, name, pipeline):
    """(y, trial, window), y rising."""
    rising = sorted(points, key=lambda r: -r.model.noise.sigma)
    return np.stack([r.data[name].sel(pipeline=pipeline).values for r in rising])


def ys(points):
    return np.sort([4 / (r.model.noise.sigma * N**0.5) for r in points])


def square(ratio):
    return 2 / np.pi * ((1 - ratio**-2) * np.arctan(ratio) + 1 / ratio)


def size(t):
    """n_eff and gain after STEPS."""
    beta = 1 - 1 / t
    gain = 1 - beta**STEPS
    return gain**2 * (2 * t - 1) / (1 - beta ** (2 * STEPS)), gain


def test_shortfalls_are_those_of_means_over_s4(store, points, tmp_path, drawn):
    script("catching_up").draw(store, tmp_path / "figures")
    axes = drawn["axes"][0]
    ratio = of(points, "alignment", "post-polar").mean(1) / of(points, "alignment", "pre-polar").mean(1)
    plotted = [xy for xy in axes["lines"].values() if xy.shape == (len(ys(points)), 2)]
    for k in range(len(WINDOWS)):
        assert any(np.allclose(xy[:, 1], 1 - ratio[:, k]) and np.allclose(xy[:, 0], ys(points)) for xy in plotted)
    curve = axes["lines"]["S4"]
    n_eff, gain = size(1.1)
    expected = 1 - gain * square(curve[:, 0]) / square(curve[:, 0] * n_eff**0.5)
    np.testing.assert_allclose(curve[:, 1], expected, atol=1e-9)


def test_catching_up_is_read_between_the_neighbours(store, points, tmp_path, drawn):
    outcome = script("catching_up").draw(store, tmp_path / "figures")
    lacking = 1 - of(points, "alignment", "post-polar").mean(1) / of(points, "alignment", "pre-polar").mean(1)
    found = []
    for k, window in enumerate(WINDOWS):
        j = np.flatnonzero(lacking[:, k] > 0.01)[-1]
        (x0, x1), (l0, l1) = np.log(ys(points)[j : j + 2]), np.log(lacking[j : j + 2, k])
        found.append(np.exp(x0 + (np.log(0.01) - l0) / (l1 - l0) * (x1 - x0)))
        assert f"{found[-1]:.3g} [" in outcome.finding
        assert f"at T = {window:g}" in outcome.finding
    assert any(xy.shape == (4, 2) and np.allclose(xy[:, 1], found) for xy in drawn["axes"][1]["lines"].values())
    sharp = drawn["axes"][1]["lines"]["S4"][:, 1]
    for y, t in zip(sharp, WINDOWS, strict=True):
        n_eff, gain = size(t)
        assert 1 - gain * square(y) / square(y * n_eff**0.5) == pytest.approx(0.01, rel=0.01)


@pytest.mark.parametrize(("panel", "name", "pair"), [(2, "alignment", "re-polarised"), (3, "cosine", "post-polar")])
def test_differences_are_paired_and_their_signs_counted(store, points, tmp_path, drawn, panel, name, pair):
    outcome = script("catching_up").draw(store, tmp_path / "figures")
    apart = of(points, name, pair) - of(points, name, "pre-polar")
    mean, error = apart.mean(1), apart.std(1, ddof=1) / TRIALS**0.5
    axes = drawn["axes"][panel]
    for k, t in enumerate(WINDOWS):
        np.testing.assert_allclose(axes["lines"][f"T = {t:g}"], np.stack([ys(points), mean[:, k]], 1), atol=1e-15)
        np.testing.assert_allclose(axes["spans"][k], 2 * 1.96 * error[:, k], rtol=1e-6, atol=1e-15)
    limit = student.ppf(1 - 0.05 / 2 / mean.size, TRIALS - 1)
    up, down = np.sum(mean > limit * error), np.sum(mean < -limit * error)
    said = f"below 0 in {down} and above in {up} of {mean.size} cells"
    if name == "cosine":
        said = f"ahead in {up} and behind in {down} of {mean.size} cells"
        assert f"by {mean.max():.3f} ± {1.96 * error.flat[mean.argmax()]:.3f}" in outcome.finding
    else:
        assert f"{mean.min():.4f} ± {1.96 * error.flat[mean.argmin()]:.4f}" in outcome.finding
    assert said in outcome.finding


def test_cosine_limits_are_s5_and_s4(store, tmp_path, drawn):
    script("catching_up").draw(store, tmp_path / "figures")
    curve = drawn["axes"][3]["lines"]["S5 − S4"]  # the first window's
    n_eff, _ = size(1.1)
    one = square(curve[:, 0])
    post = one / np.sqrt(N / n_eff + (1 - 1 / n_eff) * one**2)
    np.testing.assert_allclose(curve[:, 1], post - square(curve[:, 0] * n_eff**0.5) / N**0.5, atol=1e-9)


def test_a_crossing_is_the_last_and_may_be_missing():
    module = script("catching_up")
    lacking = np.array([[0.1, 0.1, 0.001], [0.001, 0.1, 0.001], [0.1, 0.1, 0.001], [0.001, 0.1, 0.001]])
    np.testing.assert_allclose(module._caught_at(np.array([1.0, 2, 4, 8]), lacking), [4 * 2**0.5, np.nan, 1])
