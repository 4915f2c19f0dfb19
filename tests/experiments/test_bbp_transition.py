"""The figure of the transition holds overlaps, singular values and alignments with their limits at three sizes."""

import numpy as np
import pytest
from harness import script, tiny
from scipy.integrate import quad

NAME, STEPS, WINDOWS = "bbp_transition", 60, [1, 2, 5, 10, 20, 25]
LABELS = ("left", "right", "value", "alignment")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tiny(NAME, tmp_path_factory.mktemp(NAME), trials=6, steps=STEPS, windows=WINDOWS)


@pytest.fixture
def made(store, tmp_path, drawn):
    outcome = script(NAME).draw(store, tmp_path / "figures")
    return list(store), outcome, drawn


def scales(window, spike):
    """(theta, s) at a finite step (F2)."""
    beta = 1 - 1 / window
    return (1 - beta**STEPS) * spike, ((1 - beta ** (2 * STEPS)) / (2 * window - 1)) ** 0.5


def limits(window, m, n, spike):
    """S3 for both overlaps and the singular value over the edge, S4 for the alignment."""
    theta, s = scales(window, spike)
    edge = s * (m**0.5 + n**0.5)
    if theta <= s * (m * n) ** 0.25:
        left, right, value = 0.0, 0.0, 1.0
    else:
        excess = theta**4 - m * n * s**4
        left, right = (excess / (theta**2 * (theta**2 + size * s**2)) for size in (m, n))
        value = np.sqrt((theta**2 + m * s**2) * (theta**2 + n * s**2)) / theta / edge

    def w(x):
        b = x**2 + s**2 * (m + n)
        return (b + np.sqrt(b**2 - 4 * s**4 * m * n)) / 2

    return left, right, value, 2 / np.pi * quad(lambda x: theta / (w(x) + theta**2), 0, np.inf, epsabs=1e-10)[0]


def measured(result):
    """Panel -> (trial, window)."""
    data, (m, n) = result.data.sel(pipeline="pre-polar"), result.model.shape
    edge = np.array([scales(t, 1.0)[1] for t in WINDOWS]) * (m**0.5 + n**0.5)
    left, right = (1 - data[f"sin_theta_{side}"].values ** 2 for side in ("left", "right"))
    return dict(zip(LABELS, (left, right, data.singular_values.values[..., 0] / edge, data.alignment.values), strict=True))


def test_four_panels_hold_means_bands_and_limits_and_the_critical_window(made):
    results, _, drawn = made
    (m, n), (spike,) = results[-1].model.shape, results[-1].model.spikes
    for k, (axes, name) in enumerate(zip(drawn["axes"][:4], LABELS, strict=True)):
        for result, span in zip(results, axes["spans"], strict=True):
            samples = measured(result)[name]
            line = axes["lines"][result.coordinates["name"]]
            np.testing.assert_allclose(line, np.column_stack([2 * np.array(WINDOWS) - 1, samples.mean(0)]), rtol=1e-9)
            np.testing.assert_allclose(span, 2 * 1.96 * samples.std(0, ddof=1) / 6**0.5, rtol=1e-6)
        curve = axes["lines"]["limit S4" if name == "alignment" else "limit S3"][::20]
        expected = [limits((x + 1) / 2, m, n, spike)[k] for x in curve[:, 0]]
        np.testing.assert_allclose(curve[:, 1], expected, rtol=1e-6, atol=1e-9)
        assert any(label.startswith("critical window S2: T = 10") for label in axes["lines"])
        line = next(xy for label, xy in axes["lines"].items() if label.startswith("critical"))
        theta, s = scales((line[0, 0] + 1) / 2, spike)
        assert theta == pytest.approx(s * (m * n) ** 0.25, rel=1e-6)


def test_finding_tells_overlaps_at_the_critical_window_and_distances_away_from_it(made):
    results, outcome, _ = made
    at = WINDOWS.index(10)
    x = np.array([2 * t - 1 for t in WINDOWS])
    theta_c = next(t for t in np.linspace(9, 12, 30001) if scales(t, 1)[0] * 19**-0.5 >= scales(t, 1)[1])
    away = (x <= (2 * theta_c - 1) / 2) | (x >= 2 * (2 * theta_c - 1))
    assert 0 < away.sum() < x.size
    over, smooth, means, errors = [], 0.0, [], []
    for result in results:
        expected = np.array([limits(t, *result.model.shape, result.model.spikes[0]) for t in WINDOWS])
        found = measured(result)
        over.append(max(np.max(np.abs(found[s].mean(0) - expected[:, k])[away]) for k, s in enumerate(("left", "right"))))
        smooth = max(smooth, np.max(np.abs(found["alignment"].mean(0) - expected[:, 3])))
        left = found["left"][:, at]
        means.append(left.mean())
        errors.append(left.std(ddof=1) / 6**0.5 / left.mean())
        assert f"{left.mean():.3f} ± {1.96 * left.std(ddof=1) / 6**0.5:.3f}" in outcome.finding
        assert f"{found['value'][:, at].mean():.3f}" in outcome.finding
    sizes = [np.prod(r.model.shape) ** 0.5 for r in results]
    line = np.linalg.pinv(np.stack([np.log(sizes), np.ones(3)], 1))[0]
    spread = np.sqrt(line**2 @ np.array(errors) ** 2)
    assert f"power {line @ np.log(means):.2f} ± {1.96 * spread:.2f}" in outcome.finding
    assert f"within {', '.join(f'{d:.3f}' for d in over)} of S3" in outcome.finding
    assert ("S3, falling with size" in outcome.finding) == bool(np.all(np.diff(over) < 0))
    assert f"within {smooth:.3f} of S4" in outcome.finding
