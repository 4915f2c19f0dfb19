"""The figure of true rates holds the means of every law between the bounds in expectation and the sharp values."""

import numpy as np
import pytest
from harness import script, tiny

from spikesim.estimate import fit_rate

STEPS, SPIKES, SIZE = 120, np.array([20.0, 14.0]), 24


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tiny("true_rates", tmp_path_factory.mktemp("results"), trials=6, windows=[2, 5, 20], steps=STEPS)


@pytest.fixture
def found(store, tmp_path, drawn):
    outcome = script("true_rates").draw(store, tmp_path / "figures")
    return list(store), outcome, drawn


def samples(result) -> list[np.ndarray]:
    data = result.data.sel(pipeline="pre-polar")
    sine = np.maximum(data["sin_theta_left"], data["sin_theta_right"])
    return [1 - data["alignment"].values, sine.values, data["tail"].values]


def theory(t: np.ndarray) -> list[dict[str, np.ndarray]]:
    """Bounds, then the sharp value, of each quantity; eta = 24^2, after STEPS steps from zero."""
    beta = 1 - 1 / t
    gain = 1 - beta**STEPS
    small, nuclear = gain * SPIKES.min(), gain * SPIKES.sum()
    s = np.sqrt((1 - beta ** (2 * STEPS)) / (2 * t - 1))
    y = gain * SPIKES[:, None] / (s * SIZE**0.5)
    full = SPIKES @ (2 / np.pi * ((1 - y**-2) * np.arctan(y) + 1 / y)) / SPIKES.sum()
    x = y[1] ** -2  # S3, square: overlap^2 = (1 - x^2)/(1 + x) = 1 - x
    return [
        {
            "bound B3', any BVMZOS noise": 4 * SIZE**2 / ((2 * t - 1) * small * nuclear),
            "bound B3', uncorrelated entries": 4 * 2 * (2 * SIZE - 2) / ((2 * t - 1) * small * nuclear),
            "sharp S4": 1 - full,
        },
        {"bound B2e": 2 * SIZE / np.sqrt(2 * t - 1) / small, "sharp S3": np.sqrt(x)},
        {"bound B1e": SIZE / np.sqrt(2 * t - 1), "sharp S6": 2 * s * (SIZE - 2) ** 0.5},
    ]


def test_every_law_has_entry_variance_one_and_its_means_and_bands_drawn(found):
    results, _, drawn = found
    assert len(results) == 10
    for number, result in enumerate(results):
        assert result.model.noise.variance == pytest.approx(1, rel=1e-7)
        assert result.model.eta == pytest.approx(SIZE**2, rel=1e-7)
        for axes, values in zip(drawn["axes"], samples(result), strict=True):
            line = axes["lines"][result.coordinates["name"]]
            np.testing.assert_allclose(line, np.stack([2 * result.data.window - 1, values.mean(0)], 1))
            half = 1.96 * values.std(0, ddof=1) / 6**0.5
            np.testing.assert_allclose(axes["spans"][number], 2 * half, rtol=1e-6, atol=1e-12)


def test_bounds_and_sharp_values_are_those_of_the_theory(found):
    results, _, drawn = found
    t = results[0].data.window.values
    for axes, curves in zip(drawn["axes"], theory(t), strict=True):
        for label, values in curves.items():
            (line,) = [xy for name, xy in axes["lines"].items() if name.split(":")[0] == label]
            np.testing.assert_allclose(line[:, 1], values, rtol=1e-6)
        guide = axes["lines"]["guide: exponent −1/4"]
        assert np.polyfit(*np.log(guide).T, 1)[0] == pytest.approx(-0.25)


def test_the_finding_counts_means_intervals_and_ratios(found):
    results, outcome, _ = found
    t = results[0].data.window.values
    assert len(outcome.rows) == 30
    for k, curves in enumerate(theory(t)):
        *limits, sharp = curves.values()
        means = np.stack([samples(r)[k].mean(0) for r in results])
        below = np.sum(np.all([means <= x for x in limits], axis=0))
        assert f"{below} of 30 means under the bound" in outcome.finding
        assert f"{np.sum(means >= sharp)} above the sharp value" in outcome.finding
        for label, x in list(curves.items())[:-1]:
            factors = f"{(x / means).min():.3g} to {(x / means).max():.3g} ({label.removeprefix('bound ')})"
            assert factors in outcome.finding
        fits = [fit_rate(t, samples(r)[k]) for r in results]
        ends = min(f.exponent for f in fits), max(f.exponent for f in fits)
        assert f"{ends[0]:.2f} to {ends[1]:.2f} (sharp" in outcome.finding
        slope = np.polyfit(np.log(2 * t - 1), np.log(sharp), 1)[0]
        for row, fit in zip(outcome.rows[10 * k : 10 * k + 10], fits, strict=True):
            assert row.fit == fit
            assert row.theory == pytest.approx(slope)
    excluded = sum(row.fit.high < -0.25 for row in outcome.rows)
    assert f"{excluded} of 30 intervals lie below −1/4" in outcome.finding
