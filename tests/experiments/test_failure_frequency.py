"""The figure of failure frequencies holds exact frequencies, intervals and upper limits."""

import numpy as np
import pytest
from harness import ROOT, script, tiny
from matplotlib.collections import LineCollection
from scipy.stats import binom, binomtest, chi2

from spikesim import plots
from spikesim.sweep.spec import Spec

TRIALS = 60
TUNED = {"scale": "one scale a run, tuned to each T", "step": "rare i.i.d. steps, tuned to each T"}


def fails(result, t: float) -> np.ndarray:
    """Trials of one window at which the noise, and some singular value, is further off than eps, (2, trial)."""
    data = result.data.sel(window=t, pipeline="pre-polar")
    eps = (result.model.eta / (2 * t - 1) ** 0.5) ** 0.5
    far = np.maximum(data["head_error"], data["tail"])
    return np.stack([data["noise_fro"] > eps, far > eps])


def bars(axis) -> list[np.ndarray]:
    """Ends of each series' error bars, (points with failures, 2)."""
    found = [c.get_segments() for c in axis.collections if isinstance(c, LineCollection)]
    return [np.array([segment[:, 1] for segment in segments if len(segment)]).reshape(-1, 2) for segments in found]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tiny("failure_frequency", tmp_path_factory.mktemp("results"), trials=TRIALS, steps=640)


@pytest.fixture
def found(store, tmp_path, drawn, monkeypatch):
    save = plots.save

    def spy(figure, *rest):
        drawn["bars"] = [bars(axis) for axis in figure.axes]
        save(figure, *rest)

    monkeypatch.setattr(plots, "save", spy)
    outcome = script("failure_frequency").draw(store, tmp_path / "figures")
    counts: dict[str, dict[float, np.ndarray]] = {}
    for result in store:
        name, _, own = result.coordinates["name"].partition(", T = ")
        for t in [float(own)] if own else result.data.window.values:
            counts.setdefault(TUNED.get(name, name), {})[t] = fails(result, t).sum(1)
    return counts, outcome, drawn


def test_frequencies_limits_and_findings_are_those_of_the_trials(found):
    counts, outcome, drawn = found
    assert len(counts) == 9
    for event, axes in enumerate(drawn["axes"][:2]):
        lines = axes["lines"]
        for name, each in counts.items():
            t, k = np.array(list(each)), np.array([c[event] for c in each.values()])
            limits = lines[f"_none: {name}"]
            np.testing.assert_allclose(limits[:, 1], 1 - 0.05 ** (1 / TRIALS))
            np.testing.assert_allclose(limits[:, 0] / (2 * t[k == 0] - 1), 1, atol=0.2)
        allowed = lines["B1 allows (2T − 1)^(−1/2)"]
        np.testing.assert_allclose(allowed[:, 1], allowed[:, 0] ** -0.5)
    fixed = [n for n in counts if n not in TUNED.values()]
    zeros = [sum(int(c[event] == 0) for n in fixed for c in counts[n].values()) for event in (0, 1)]
    assert f"no failure at {zeros[0]} and {zeros[1]} of 28 points" in outcome.finding
    shares = {n: np.array([c / TRIALS * (2 * t - 1) ** 0.5 for t, c in each.items()]) for n, each in counts.items()}
    for event in (0, 1):
        best = max(fixed, key=lambda n: shares[n][:, event].max())
        share = shares[best][:, event].max()
        said = f"{share:.2f} ({best}, T =" if share else "none"
        assert said in outcome.finding.split(" for ")[event]
    for name in TUNED.values():
        said = [f"{x.mean():.2f} ({x.min():.2f} to {x.max():.2f})" for x in shares[name].T]
        assert f"{said[0]} and {said[1]} by {name}" in outcome.finding
    above = 0
    for each in counts.values():
        for t, both in each.items():
            above += sum(k > 0 and binom.sf(k - 1, TRIALS, (2 * t - 1) ** -0.5) < 0.025 for k in both)
    assert f"intervals lie above the allowance at {above} of 72 points" in outcome.finding


def test_points_with_failures_stand_at_their_frequency_with_exact_bars(found):
    counts, _, drawn = found
    for event, axes in enumerate(drawn["axes"][:2]):
        for number, (name, each) in enumerate(counts.items()):
            k = np.array([c[event] for c in each.values()])
            np.testing.assert_array_equal(axes["lines"][name][:, 1], np.where(k > 0, k / TRIALS, np.nan))
            seen = k[k > 0]
            ends = drawn["bars"][event][number]
            ends = ends[np.isfinite(ends).all(1)]
            np.testing.assert_allclose(ends, [[exact.low, exact.high] for exact in map(pearson, seen)] or np.empty((0, 2)))


def pearson(count):
    return binomtest(int(count), TRIALS).proportion_ci(0.95, "exact")


@pytest.mark.parametrize("count", [1, 7, 60])
def test_bars_are_clopper_and_pearsons(count):
    low, high = (float(x[0]) for x in script("failure_frequency").exact_interval(np.array([count]), TRIALS))
    assert binom.sf(count - 1, TRIALS, low) == pytest.approx(0.025)
    assert high == 1 if count == TRIALS else binom.cdf(count, TRIALS, high) == pytest.approx(0.025)


def test_no_failure_has_a_one_sided_limit():
    _, high = script("failure_frequency").exact_interval(np.array([0]), TRIALS)
    assert binom.cdf(0, TRIALS, high[0]) == pytest.approx(0.05)


@pytest.mark.parametrize(("quick", "share"), [(False, 0.85), (True, 0.75)])
def test_tuned_laws_have_the_parameters_of_their_window(quick, share):
    points = Spec.from_toml(ROOT / "experiments" / "failure_frequency.toml", quick=quick).points
    tuned = {p.coordinates["name"]: p.model.noise for p in points if ", T = " in p.coordinates["name"]}
    for t in points[0].arguments["windows"]:
        scale, step = tuned.pop(f"scale, T = {t:g}"), tuned.pop(f"step, T = {t:g}")
        assert (scale.p, scale.factor) == (pytest.approx(share * (2 * t - 1) ** -0.5, rel=1e-4), 1000)
        assert (step.p, step.factor) == (pytest.approx((2 * t - 1) ** 0.5 / np.e / t**2, rel=1e-4), 1e4)
    assert not tuned


def test_a_law_tuned_to_its_window_fails_nearly_as_often_as_allowed(found):
    counts, *_ = found
    for t, (radius, values) in counts[TUNED["scale"]].items():
        expected = 0.75 * (2 * t - 1) ** -0.5 * chi2.sf(64 * 0.75, 64)
        assert binom.cdf(radius, TRIALS, expected) > 1e-4
        assert binom.sf(radius - 1, TRIALS, expected) > 1e-4
        assert values <= radius
