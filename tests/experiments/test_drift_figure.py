"""The figure of drift holds the means, S8, and both best windows."""

import numpy as np
import pytest
from harness import script, tiny
from scipy.integrate import quad

WINDOWS = [1, 7, 14, 28, 40]


def s4(theta, s, m, n):
    """(2/pi) int theta / (W + theta^2) dx of the full polar factor."""

    def integrand(x):
        b = x * x + s * s * (m + n)
        return theta / ((b + np.sqrt(b * b - 4 * s**4 * m * n)) / 2 + theta**2)

    return 2 / np.pi * quad(integrand, 0, np.inf, epsabs=1e-12)[0]


def s8(result, t, omega, both):
    (m, n), (spike,) = result.model.shape, result.model.spikes
    s, beta = (2 * t - 1) ** -0.5, 1 - 1 / t
    # h by its series: the average of e^{-i omega k} under the weights
    k = np.arange(4000)
    h = np.sum((1 - beta) * beta**k * np.exp(-1j * omega * (2 if both else 1) * k)) if t > 1 else 1.0
    if not both:
        return np.real(h) / abs(h) * s4(abs(h) * spike, s, m, n)
    cos2 = (1 + np.real(h) / abs(h)) / 2
    small = s4(spike * (1 - abs(h)) / 2, s, m, n) if t > 1 else 0.0
    return cos2 * s4(spike * (1 + abs(h)) / 2, s, m, n) + (1 - cos2) * small


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tiny("drift", tmp_path_factory.mktemp("store"), trials=6, steps=400, windows=WINDOWS)


def test_lines_are_the_means_and_s8_of_each_omega(store, tmp_path, drawn):
    script("drift").draw(store, tmp_path / "figures")
    results, seen = list(store), [0, 0]
    assert [r.coordinates["name"] for r in results] == ["u turning"] * 4 + ["u and v turning"] * 2
    for result in results:
        signal = result.model.signal
        axes = drawn["axes"][int(signal.both)]
        samples = result.data.alignment.sel(pipeline="pre-polar").values
        line = axes["lines"][f"ω = {signal.omega:g}"]
        np.testing.assert_allclose(line[:, 0], 2 * np.array(WINDOWS) - 1)
        np.testing.assert_allclose(line[:, 1], samples.mean(0))
        half = 1.96 * samples.std(0, ddof=1) / 6**0.5
        np.testing.assert_allclose(axes["spans"][seen[signal.both]], 2 * half, rtol=1e-6)
        seen[signal.both] += 1
    assert seen == [4, 2]
    for both, last in ((False, results[3]), (True, results[5])):  # the labelled curve is that of the largest omega
        curve = drawn["axes"][both]["lines"]["limit S8"]
        for x, y in curve[::17]:
            assert y == pytest.approx(s8(last, (x + 1) / 2, 0.03, both), abs=1e-8)


def test_best_windows_are_the_top_of_s8_and_of_the_means(store, tmp_path, drawn):
    module = script("drift")
    outcome = module.draw(store, tmp_path / "figures")
    ((x, y),) = drawn["axes"][0]["lines"]["best T of S8"]
    fine = np.geomspace(3, 40, 60)
    curve = [s8(list(store)[3], t, 0.03, False) for t in fine]
    assert (x + 1) / 2 == pytest.approx(fine[np.argmax(curve)], rel=0.05)
    assert y == pytest.approx(max(curve), abs=1e-4)
    assert f"against {(x + 1) / 2:.3g} at ω = 0.03" in outcome.finding
    assert f"against {1 - y:.3f}" in outcome.finding


def test_peak_is_that_of_a_parabola_in_the_logarithm():
    windows = np.array([1.0, 3, 9, 20, 50, 90])
    tops = np.array([5.0, 30.0])
    means = 0.9 - 0.05 * np.log(windows / tops[:, None]) ** 2
    np.testing.assert_allclose(script("drift")._peak(windows, means), tops, rtol=3e-3)


def test_the_finding_has_falls_and_deviations(store, tmp_path):
    outcome = script("drift").draw(store, tmp_path / "figures")
    results = list(store)
    apart, scores = [], []
    for r in results:
        x = r.data.alignment.sel(pipeline="pre-polar").values
        apart += [
            mean - s8(r, t, r.model.signal.omega, r.model.signal.both) for mean, t in zip(x.mean(0), WINDOWS, strict=True)
        ]
        scores += list(x.std(0, ddof=1) / 6**0.5)
    z = np.abs(np.array(apart) / scores)
    assert f"of {6 * len(WINDOWS)} deviations from S8 is {z.max():.1f} standard errors" in outcome.finding
    assert f"largest in size {np.abs(apart).max():.3f}" in outcome.finding
    both = results[5].data.alignment.sel(pipeline="pre-polar").values
    assert f"ends at {both[:, -1].mean():.3f}" in outcome.finding
    falls = np.maximum.accumulate(both.mean(0)) - both.mean(0)
    assert (f"falls by {falls.max():.3f} ±" in outcome.finding) == bool(falls.max() > 0)
