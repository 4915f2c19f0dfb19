"""The figure of filtered spectra holds means, limits and edges, and says where they part."""

import numpy as np
import pytest
from harness import script, tiny

NAME, STEPS, WINDOWS = "filtered_spectra", 60, [1, 1.5, 2, 3, 5, 10, 20]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tiny(NAME, tmp_path_factory.mktemp(NAME), trials=6, steps=STEPS, windows=WINDOWS)


@pytest.fixture
def made(store, tmp_path, drawn):
    outcome = script(NAME).draw(store, tmp_path / "figures")
    (result,) = store
    return result, outcome, drawn, tmp_path / "figures"


def limits(result):
    """(window, 4): limits of three spikes and the edge, at a finite step (F2, S2, S3), by hand."""
    (m, n), rows = result.model.shape, []
    for t in WINDOWS:
        beta = 1 - 1 / t
        s = ((1 - beta ** (2 * STEPS)) / (2 * t - 1)) ** 0.5
        theta = (1 - beta**STEPS) * np.array(result.model.spikes)
        edge = s * (m**0.5 + n**0.5)
        head = np.sqrt((theta**2 + m * s**2) * (theta**2 + n * s**2)) / theta
        rows.append([*np.where(theta > s * (m * n) ** 0.25, head, edge), edge])
    return np.array(rows)


@pytest.mark.usefixtures("written")
def test_both_panels_hold_means_with_bands_and_limits(made):
    result, _, drawn, folder = made
    values, expected = result.data.singular_values, limits(result)
    left, right = drawn["axes"][:2]
    pre, raw = (values.sel(pipeline=p).values for p in ("pre-polar", "polar-only"))
    np.testing.assert_allclose(left["lines"]["raw gradient Gₜ (T = 1)"][:, 1], raw[:, 0, :30].mean(0))
    np.testing.assert_allclose(left["lines"]["T = 20"][:, 1], pre[:, -1, :30].mean(0))
    np.testing.assert_allclose(left["lines"]["T = 20"][:, 0], np.arange(1, 31))
    np.testing.assert_allclose(left["lines"]["limit of the spikes, S3"][:, 1], expected[-1, :3], rtol=1e-9)
    np.testing.assert_allclose(left["lines"]["bulk edge, S2"][:, 1], expected[-1, 3], rtol=1e-9)
    np.testing.assert_allclose(left["lines"]["_edge at T = 1"][:, 1], 8.0 * 2, rtol=1e-9)
    names = ("$d_{1}$", "$d_{2}$", "$d_{3}$", "$d_{4}$ (first of the bulk)")
    curves = ("limit of the spikes, S3", "_limit 2", "_limit 3", "bulk edge, S2")
    for k, (name, curve) in enumerate(zip(names, curves, strict=True)):
        np.testing.assert_allclose(right["lines"][name], np.column_stack([2 * np.array(WINDOWS) - 1, pre[..., k].mean(0)]))
        np.testing.assert_allclose(right["lines"][curve][:, 1], expected[:, k], rtol=1e-9)
        half = 1.96 * pre[..., k].std(0, ddof=1) / 6**0.5
        np.testing.assert_allclose(right["spans"][k], 2 * half, rtol=1e-6)
    for name, spike in zip(("true λ", "_true 2", "_true 3"), result.model.spikes, strict=True):
        np.testing.assert_array_equal(right["lines"][name][:, 1], spike)
    assert (len(left["spans"]), len(right["spans"])) == (4, 4)
    assert {p.name for p in folder.iterdir()} == {"filtered_spectra.png", "filtered_spectra.pdf"}
    assert "quick run" in drawn["above"]


def test_finding_names_the_largest_deviations_and_where_spikes_leave_the_bulk(made):
    result, outcome, *_ = made
    values, expected = result.data.singular_values.sel(pipeline="pre-polar").values, limits(result)
    mean, error = values.mean(0)[:, :4], values.std(0, ddof=1)[:, :4] / 6**0.5
    off = 100 * (mean / expected - 1)
    assert f"within {np.abs(off[:, :3]).max():.1f} % of S3" in outcome.finding
    assert f"first of the bulk within {np.abs(off[:, 3]).max():.1f} % of the edge S2" in outcome.finding
    for k, (spike, critical) in enumerate(((12, 1.0), (8, 1.0), (5, (64 / 25 + 1) / 2))):
        clear = mean[:, k] - 1.96 * error[:, k] > expected[:, 3]
        first = next(t for i, t in enumerate(WINDOWS) if clear[i:].all())
        assert f"{first:g} (λ = {spike}; S2: {critical:.1f})" in outcome.finding
    gap = values[:, -1, 2] - values[:, -1, 3]
    half = 1.96 * gap.std(ddof=1) / 6**0.5
    limit = expected[-1, 2] - expected[-1, 3]
    assert f"{gap.mean():.2f} ± {half:.2f} at T = 20, where S3 less S2 is {limit:.2f}." in outcome.finding
    assert outcome.rows == ()


def test_a_spike_that_never_clears_the_edge_has_no_window(made):
    result, *_ = made
    assert script(NAME)._leaves(result.data, limits(result) * [1, 1, 1, 100]) == [np.inf] * 3
