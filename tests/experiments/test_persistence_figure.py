"""The figure of persistence holds alignments against c_sig and T, and steps of recovery."""

import numpy as np
import pytest
from harness import script, tiny

TRIALS, WINDOWS = 5, [1, 2, 10]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tiny("persistence", tmp_path_factory.mktemp("store"), trials=TRIALS, windows=WINDOWS)


@pytest.fixture
def made(store, tmp_path, drawn):
    outcome = script("persistence").draw(store, tmp_path / "figures")
    return list(store), outcome, drawn["axes"]


def read(result, pipeline):
    return result.data.alignment.sel(pipeline=pipeline).values


def of(results, name, steps, mean=None):
    found = [r for r in results if r.coordinates["name"] == name and r.data.attrs["steps"] == steps]
    return next(r for r in found if mean is None or r.model.signal.mean == mean)


def c_sig(mean, t, steps):
    """Sum of weights by sign of the even pattern of signs, newest first."""
    p, j = (1 + mean) / 2, np.arange(steps)
    signs = 2 * (np.ceil(np.round((j + 1) * p, 9)) - np.ceil(np.round(j * p, 9))) - 1
    weights = (1 - 1 / t) ** np.arange(steps) / t
    return np.sum(weights * signs[::-1])


def test_alignments_stand_against_c_sig_by_its_definition(made):
    results, outcome, axes = made
    for pipeline in ("pre-polar", "post-polar", "polar-only", "re-polarised"):
        line = axes[0]["lines"][pipeline]
        expected = [(1 - 0.9**301, read(of(results, "constant", 301), pipeline)[:, 2].mean())]
        for steps, sign in ((301, 1), (300, -1)):
            for m in (0.0, 0.2, 0.6):
                expected.append((sign * c_sig(m, 10, steps), read(of(results, "signs", steps, m), pipeline)[:, 2].mean()))
        np.testing.assert_allclose(line, sorted(expected), atol=1e-9)
        mean = read(of(results, "signs", 301, 0.0), pipeline)[:, 2].mean()
        assert f"{pipeline} {mean:.3f} ± " in outcome.details
    assert f"(c_sig {1 / 19:.3f} at T = 10)" in outcome.details


def test_the_last_sign_is_plus_at_one_end_and_minus_at_the_other(made):
    results, _, _ = made
    for mean in (0.0, 0.2, 0.6):
        for steps, sign in ((301, 1), (300, -1)):
            model = of(results, "signs", steps, mean).model
            assert np.sign(model.amplitudes(steps - 1)).tolist() == [sign, sign]


def test_alternating_alignments_and_differences_are_the_means(made):
    results, _, axes = made
    result = of(results, "signs", 301, 0.0)
    np.testing.assert_allclose(axes[1]["lines"]["pre-polar"][:, 1], read(result, "pre-polar").mean(0))
    np.testing.assert_allclose(axes[1]["lines"]["c_sig"][:, 1], 1 / (2 * np.array(WINDOWS) - 1), rtol=1e-6)
    apart = (read(result, "pre-polar") - read(result, "re-polarised")).mean(0)
    assert axes[2]["lines"]["T = 10"][0, 1] == pytest.approx(apart[2])


def test_recovery_is_between_the_readings_around_the_level(made):
    results, outcome, axes = made
    for place, pipeline in enumerate(("pre-polar", "post-polar", "re-polarised")):
        switched = [r for r in results if r.coordinates["name"] == "switch of sign"]
        switched.sort(key=lambda r: r.data.attrs["steps"] - r.model.signal.at)
        since = [int(r.data.attrs["steps"] - r.model.signal.at) for r in switched]
        assert since == [4, 5, 19, 20, 79, 80]
        means = [read(r, pipeline)[:, 2].mean() for r in switched]
        level = 0.9 * read(of(results, "constant", 301), pipeline)[:, 2].mean()
        first = next(i for i, x in enumerate(means) if x >= level)
        part = (level - means[first - 1]) / (means[first] - means[first - 1])
        expected = np.exp(np.interp(part, [0, 1], np.log(since[first - 1 : first + 1])))
        found = axes[3]["lines"][f"{pipeline}, sign"][1]
        np.testing.assert_allclose(found, [19 * (0.96 + 0.04 * place), expected])
        assert f"{expected:.3g} [" in outcome.details


def test_recovery_never_reached_is_infinite_and_at_once_is_the_first_reading():
    recovered = script("persistence")._recovered
    steps, means = np.array([1, 2, 4]), np.array([[0.1, 0.2, 0.3], [0.9, 0.9, 0.9]])
    assert recovered(steps, means, np.array([0.5, 0.5])).tolist() == [np.inf, 1.0]


def test_the_finding_holds_the_alternating_means_and_their_difference(made):
    results, outcome, _ = made
    pre, again, alone = (read(of(results, "signs", 301, 0.0), p)[:, 2] for p in ("pre-polar", "re-polarised", "polar-only"))
    assert f"{pre.mean():.3f} ± " in outcome.finding
    apart = (pre - again).mean()
    assert f", {abs(apart):.3f} ± " in outcome.finding
    assert f" {'above' if apart > 0 else 'below'} re-polarised's" in outcome.finding
    assert f"{alone.mean():.3f} ± " in outcome.finding
    assert len(outcome.finding.split()) <= 60


def test_recoveries_outside_the_sampled_steps_are_bounds():
    said, sampled = script("persistence")._steps_text, np.array([2, 5, 10])
    assert said(3.0, 2.5, 4.0, sampled) == "3 [2.5, 4]"
    assert said(2.0, 2.0, 2.0, sampled) == "at most 2"
    assert said(2.0, 2.0, 3.25, sampled) == "at most 2 [at most 2, 3.25]"
    assert said(np.inf, 9.0, np.inf, sampled) == "more than 10 [9, more than 10]"
