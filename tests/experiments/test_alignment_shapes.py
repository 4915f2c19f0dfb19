"""The figure of shapes holds both pipelines' means, S4, and what lies between."""

import numpy as np
import pytest
from harness import script, tiny
from scipy.integrate import quad

NAME, STEPS, WINDOWS = "alignment_shapes", 60, [1, 2, 5, 20]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tiny(NAME, tmp_path_factory.mktemp(NAME), trials=8, steps=STEPS, windows=WINDOWS)


@pytest.fixture
def made(store, tmp_path, drawn):
    outcome = script(NAME).draw(store, tmp_path / "figures")
    return list(store), outcome, drawn


def limit(window, m, n, spike):
    """S4 by its integral, at a finite step (F2)."""
    beta = 1 - 1 / window
    theta, s = (1 - beta**STEPS) * spike, ((1 - beta ** (2 * STEPS)) / (2 * window - 1)) ** 0.5

    def w(x):
        b = x**2 + s**2 * (m + n)
        return (b + np.sqrt(b**2 - 4 * s**4 * m * n)) / 2

    return 2 / np.pi * quad(lambda x: theta / (w(x) + theta**2), 0, np.inf, epsabs=1e-10)[0]


def worst(results):
    """(largest deviation, in standard errors, against standard error plus 1/min(m, n)) over shapes and windows."""
    found = []
    for result in results:
        samples, (m, n) = result.data.alignment.sel(pipeline="pre-polar").values, result.model.shape
        off = samples.mean(0) - [limit(t, m, n, result.model.spikes[0]) for t in WINDOWS]
        error = samples.std(0, ddof=1) / 8**0.5
        found += list(zip(off, abs(off) / error, abs(off) / (error + 1 / min(m, n)), strict=True))
    return max((x[0] for x in found), key=abs), max(x[1] for x in found), max(x[2] for x in found)


def test_panels_hold_means_limits_and_scaled_deviations(made):
    results, _, drawn = made
    values, deviations = drawn["axes"][:2]
    x = 2 * np.array(WINDOWS) - 1
    assert len(results) == len(deviations["spans"]) == len(values["spans"]) / 2 == 5
    for k, result in enumerate(results):
        (m, n), name = result.model.shape, result.coordinates["name"]
        expected = np.array([limit(t, m, n, result.model.spikes[0]) for t in WINDOWS])
        pre, flat = (result.data.alignment.sel(pipeline=p).values for p in ("pre-polar", "polar-only"))
        np.testing.assert_allclose(values["lines"][name], np.column_stack([x, pre.mean(0)]))
        np.testing.assert_allclose(values["lines"][f"_polar-only {name}"][:, 1], pre[:, 0].mean(), rtol=1e-12)
        np.testing.assert_allclose(flat.mean(0), pre[:, 0].mean(), rtol=1e-12)
        conjecture = " (conjecture)" if "Student-t" in name else ""
        np.testing.assert_allclose(values["lines"][f"_S4 {name}{conjecture}"][:, 1], expected, rtol=1e-7)
        scaled = min(m, n) * (pre.mean(0) - expected)
        np.testing.assert_allclose(deviations["lines"][name][:, 1], scaled, rtol=1e-6, atol=1e-7)
        half = 1.96 * pre.std(0, ddof=1) / 8**0.5
        np.testing.assert_allclose(values["spans"][2 * k], 2 * half, rtol=1e-6)
        np.testing.assert_allclose(deviations["spans"][k], 2 * half * min(m, n), rtol=1e-6)


def test_finding_keeps_what_s4_states_apart_from_what_it_conjectures(made):
    results, outcome, _ = made
    light, heavy = outcome.finding.split("where S4 is a conjecture, ")
    for text, chosen in ((light, results[:-1]), (heavy, results[-1:])):
        off, in_errors, in_both = worst(chosen)
        assert f"within {abs(off):.4f} of S4 ({off:+.4f} at T = " in text
        assert f"{in_errors:.1f} standard errors" in text
        assert f"up to {in_both:.2f} of a standard error plus 1/min(m, n)" in text
    means = results[0].data.alignment.mean("trial").values[:, -1]
    assert f"{means[1]:.2f} and {means[0]:.2f} (32 × 32)" in outcome.finding
    assert outcome.finding.startswith("For 4 shapes with Gaussian noise")
