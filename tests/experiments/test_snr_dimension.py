"""The figure of SNR and dimension holds maps, decay and ratio, and its exponents are those of its means."""

import numpy as np
import pytest
from harness import s4, script, tiny

T, STEPS = 10, 30
GAIN = 1 - 0.9**STEPS
S2 = (1 - 0.9 ** (2 * STEPS)) / (2 * T - 1)  # noise factor after STEPS
SIZES = np.array([16.0, 32, 64])


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tiny("snr_dimension", tmp_path_factory.mktemp("store"), trials=60, steps=STEPS)


def samples(store, pipeline):
    """(size, spike, trial)."""
    rows = {(max(r.model.shape), r.model.spikes[0]): r.data.alignment.sel(pipeline=pipeline).values[:, 0] for r in store}
    spikes = sorted({k[1] for k in rows})
    return np.array([[rows[size, x] for x in spikes] for size in SIZES]), spikes


def test_maps_hold_means_the_regime_and_the_contour(store, tmp_path, drawn):
    module = script("snr_dimension")
    module.draw(store, tmp_path / "figures")
    grid = module._grid(store)
    for axes, pipeline in zip(drawn["axes"][:4], ("pre-polar", "post-polar", "polar-only", "re-polarised"), strict=True):
        expected, spikes = samples(store, pipeline)
        np.testing.assert_array_equal(grid.samples[pipeline], expected)
        regime = axes["lines"]["below: Theorem 3 (B6)"]
        np.testing.assert_allclose(regime, np.stack([SIZES, (SIZES**0.5 - (SIZES / 4) ** 0.5) / 4], 1))
        assert min(spikes) < regime[0, 1]
        label = "limit S10 (conjecture) = 0.5" if pipeline == "re-polarised" else "limit S4 = 0.5"
        contour = axes["lines"][label]
        if pipeline in ("pre-polar", "post-polar"):
            for size, spike in contour:
                one = GAIN * s4(spike, 1.0, size, size / 4)
                value = s4(GAIN * spike, S2**0.5, size, size / 4) if pipeline == "pre-polar" else one
                assert value == pytest.approx(0.5, abs=1e-5)


def test_map_cells_are_the_means(store, tmp_path, monkeypatch):
    from matplotlib.axes import Axes

    module, shown = script("snr_dimension"), []
    mesh = Axes.pcolormesh

    def spy(axis, x, y, values, **options):
        shown.append((x, y, values))
        return mesh(axis, x, y, values, **options)

    monkeypatch.setattr(Axes, "pcolormesh", spy)
    module.draw(store, tmp_path / "figures")
    assert len(shown) == 5  # the colour bar's is the last
    for (x, y, values), pipeline in zip(shown[:4], ("pre-polar", "post-polar", "polar-only", "re-polarised"), strict=True):
        expected, spikes = samples(store, pipeline)
        np.testing.assert_allclose(values, expected.mean(-1).T)
        np.testing.assert_allclose(x, [16 / 2**0.5, 16 * 2**0.5, 32 * 2**0.5, 64 * 2**0.5])
        assert all(low < spike < high for low, spike, high in zip(y[:-1], spikes, y[1:], strict=True))


def test_decay_holds_means_bands_limits_and_the_cap(store, tmp_path, drawn):
    script("snr_dimension").draw(store, tmp_path / "figures")
    decay = next(a for a in drawn["axes"] if "λ / (σ √max): above polar-only's S4" in a["lines"])
    for pipeline, span in zip(("polar-only", "post-polar", "pre-polar"), decay["spans"], strict=True):
        x = samples(store, pipeline)[0][:, 0]
        np.testing.assert_allclose(decay["lines"][pipeline], np.stack([SIZES, x.mean(-1)], 1))
        np.testing.assert_allclose(span, 2 * 1.96 * x.std(-1, ddof=1) / 60**0.5, rtol=1e-6)
    spike = samples(store, "pre-polar")[1][0]
    cap = decay["lines"]["λ / (σ √max): above polar-only's S4"]
    np.testing.assert_allclose(cap[:, 1], spike / SIZES**0.5)
    limit = decay["lines"]["S4 (post-polar: times its gain)"]  # the last drawn: pre-polar's
    np.testing.assert_allclose(limit[:, 1], [s4(GAIN * spike, S2**0.5, m, m / 4) for m in SIZES], rtol=1e-8)


def test_ratio_and_exponents_are_those_of_the_means(store, tmp_path, drawn):
    module = script("snr_dimension")
    outcome = module.draw(store, tmp_path / "figures")
    pre, post, one = (samples(store, p)[0][:, 0] for p in ("pre-polar", "post-polar", "polar-only"))
    ratio = next(a for a in drawn["axes"] if "√(2T − 1)" in a["lines"])
    np.testing.assert_allclose(ratio["lines"]["√(2T − 1)"][:, 1], 19**0.5)
    spike = samples(store, "pre-polar")[1][0]
    limit = [s4(GAIN * spike, S2**0.5, m, m / 4) / s4(spike, 1.0, m, m / 4) for m in SIZES]
    np.testing.assert_allclose(ratio["lines"]["S4"][:, 1], limit, rtol=1e-8)
    measured = pre.mean(-1) / post.mean(-1) * GAIN
    assert f"is {measured[-1]:.2f} ±" in outcome.finding
    for name, x in (("polar-only", one), ("post-polar", post), ("pre-polar", pre)):
        slope = np.polyfit(np.log(SIZES), np.log(x.mean(-1)), 1)[0]
        assert f"{name} {slope:.2f} ±" in outcome.finding
    assert "at 3 of 3 sizes" in outcome.finding
    assert "polar-only" in outcome.finding
    assert "squares the regime is empty" in outcome.finding


def test_error_of_a_slope_is_that_of_its_replications():
    generator = np.random.default_rng(5)
    sizes, mean, error = np.array([8.0, 16, 32, 64]), np.array([0.4, 0.3, 0.2, 0.15]), np.array([0.01, 0.01, 0.005, 0.004])
    slope, found = script("snr_dimension")._slope(sizes, mean, error)
    draws = [np.polyfit(np.log(sizes), np.log(mean + error * generator.normal(size=4)), 1)[0] for _ in range(4000)]
    assert slope == pytest.approx(np.polyfit(np.log(sizes), np.log(mean), 1)[0])
    assert found == pytest.approx(np.std(draws), rel=0.05)
