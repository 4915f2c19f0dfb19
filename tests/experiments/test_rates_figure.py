"""The figure of rates holds four errors of ten laws, their sharp curves, and fits that leave nothing out in silence."""

import numpy as np
import pytest
from harness import script, tiny
from scipy.special import ndtr

from spikesim.estimate import fit_rate

NAME, WINDOWS, SPIKES, SIZE = "rates", [5, 10, 20], np.array([12.0, 8.0, 5.0]), 48


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tiny(NAME, tmp_path_factory.mktemp(NAME), trials=24, windows=WINDOWS)


@pytest.fixture
def made(store, tmp_path, drawn):
    outcome = script(NAME).draw(store, tmp_path / "figures")
    return list(store), outcome, drawn


def samples(result):
    data = result.data.sel(pipeline="pre-polar")
    return data["tail"].values, 5 - data["gap"].values, data["head_error"].values, 1 - data["alignment"].values


def curves(window):
    """Tail, lambda_r - gap, head error (S6) and 1 - alignment (S4, square) in steady state, by hand."""
    s2, n = 1 / (2 * window - 1), SIZE
    tail = 2 * np.sqrt(s2 * (n - 3))
    bias = (SPIKES**2 + n * s2) / SPIKES - SPIKES
    x = np.linspace(0, bias.max() + 10 * s2**0.5, 40001)
    inside = np.prod([ndtr((x - b) / s2**0.5) - ndtr((-x - b) / s2**0.5) for b in bias], axis=0)
    y = SPIKES / np.sqrt(s2 * n)
    a = 2 / np.pi * ((1 - y**-2) * np.arctan(y) + 1 / y)
    return tail, tail - bias[2], np.trapezoid(1 - inside, x), 1 - np.sum(SPIKES * a) / SPIKES.sum()


def test_panels_hold_means_of_every_law_and_sharp_curves(made):
    results, _, drawn = made
    assert len(results) == 10
    assert len({round(r.model.noise.variance, 6) for r in results}) == 1
    expected = np.array([curves(t) for t in WINDOWS])
    for k, axes in enumerate(drawn["axes"][:4]):
        limit = axes["lines"]["limit S4" if k == 3 else "limit S6"]
        np.testing.assert_allclose(limit[:, 1], expected[:, k], rtol=1e-5)
        assert len(axes["spans"]) == 10
        for result, span in zip(results, axes["spans"], strict=True):
            values = samples(result)[k]
            line = axes["lines"][result.coordinates["name"]]
            np.testing.assert_allclose(line, np.column_stack([2 * np.array(WINDOWS) - 1, values.mean(0)]))
            np.testing.assert_allclose(span, 2 * 1.96 * values.std(0, ddof=1) / 24**0.5, rtol=1e-6)


def test_rows_fit_means_and_hold_them_against_the_curve_on_the_same_windows(made):
    results, outcome, _ = made
    x = np.log(2 * np.array(WINDOWS) - 1)
    slopes = np.polyfit(x, np.log([curves(t) for t in WINDOWS]), 1)[0]
    rows = {row.quantity.removesuffix(" (batch means)"): row for row in outcome.rows}
    for k, name in enumerate(("tail", "λᵣ − gap", "head error", "1 − alignment")):
        present = [r for r in results if f"{name}, {r.coordinates['name']}" in rows]
        for result in present:
            row = rows[f"{name}, {result.coordinates['name']}"]
            fitted = np.polyfit(x, np.log(samples(result)[k].mean(0)), 1)[0]
            assert row.fit.exponent == pytest.approx(fitted, rel=1e-6)
            assert row.theory == pytest.approx(slopes[k], rel=1e-4)
        exponents = [rows[f"{name}, {r.coordinates['name']}"].fit.exponent for r in present]
        inside = sum(rows[f"{name}, {r.coordinates['name']}"].agrees for r in present)
        part = next(p for p in outcome.finding.split(";") if name in p)
        assert f"{name} {min(exponents):.2f} (" in part
        assert f"to {max(exponents):.2f} (" in part
        assert f"inside {inside} of {len(present)} intervals" in part
        assert (f"{10 - len(present)} without a fit" in part) == (len(present) < 10)


def test_finding_tells_the_range_of_tails_in_units_of_s6(made):
    results, outcome, _ = made
    ratio = {r.coordinates["name"]: samples(r)[0][:, -1].mean() / curves(WINDOWS[-1])[0] for r in results}
    low, high = min(ratio, key=ratio.get), max(ratio, key=ratio.get)
    assert f"are {ratio[low]:.2f} ({low}) to {ratio[high]:.2f} ({high}) of S6" in outcome.finding
    assert f"{ratio['sign flip']:.2f}" in outcome.finding


def test_samples_that_are_not_all_positive_are_fitted_by_batches_or_not_at_all():
    fit = script(NAME)._fit
    rng = np.random.default_rng(0)
    good = rng.uniform(1, 2, (24, 3)) / np.array([1.0, 2.0, 4.0])
    windows = np.array(WINDOWS)
    assert fit(windows, good) == (fit_rate(windows, good), "")
    dented = good.copy()
    dented[5, 1] = -0.1
    found, how = fit(windows, dented)
    assert how == " (batch means)"
    assert found.exponent == pytest.approx(np.polyfit(np.log(2 * windows - 1), np.log(dented.mean(0)), 1)[0])
    dented[:, 1] -= 1
    assert fit(windows, dented) == (None, "")
    assert fit(windows, -good[:4]) == (None, "")
