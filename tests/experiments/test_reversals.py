"""The figure of reversals holds means, cosines over S5 and S4, and o_1/o_2 over S4."""

import numpy as np
import pytest
from harness import script, tiny

WINDOWS, STEPS, TRIALS = [1, 2, 5, 10, 20], 100, 12


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tiny("reversals", tmp_path_factory.mktemp("store"), trials=TRIALS, steps=STEPS, windows=WINDOWS)


def named(store):
    return {r.coordinates["name"]: r for r in store}


def filtered(t):
    """Gain and noise factor after STEPS (F2)."""
    beta = 1 - 1 / t
    return 1 - beta**STEPS, (1 - beta ** (2 * STEPS)) / (2 * t - 1)


def square(theta, s, n):
    y = theta / (s * n**0.5)
    return 2 / np.pi * ((1 - y**-2) * np.arctan(y) + 1 / y)


def test_first_panel_holds_all_pipelines_under_rare_large_gradients(store, tmp_path, drawn):
    outcome = script("reversals").draw(store, tmp_path / "figures")
    result = named(store)["rare large gradients"]
    noise = result.model.noise
    assert (noise.p, noise.factor, noise.sigma) == (0.05, 300.0, 0.3)
    axes = drawn["axes"][0]
    for pipeline, span in zip(result.data.pipeline.values, axes["spans"], strict=True):
        x = result.data.alignment.sel(pipeline=pipeline).values
        np.testing.assert_allclose(axes["lines"][pipeline], np.stack([2 * np.array(WINDOWS) - 1, x.mean(0)], 1))
        np.testing.assert_allclose(span, 2 * 1.96 * x.std(0, ddof=1) / TRIALS**0.5, rtol=1e-6)
    lead = (result.data.alignment.sel(pipeline="post-polar") - result.data.alignment.sel(pipeline="pre-polar")).values
    error = lead.std(0, ddof=1) / TRIALS**0.5
    k = int(lead.mean(0).argmax())
    assert f"at {np.sum(lead.mean(0) > 1.96 * error)} of {len(WINDOWS)} windows" in outcome.finding
    said = f"most at T = {WINDOWS[k]}, by {lead.mean(0)[k]:.2f} ± {1.96 * error[k]:.2f}"
    assert said in outcome.finding
    for pipeline in result.data.pipeline.values:
        assert f"{pipeline} {float(result.data.alignment.sel(pipeline=pipeline).mean('trial')[k]):.3f}" in outcome.finding


def test_second_panel_holds_cosines_over_s5_and_s4(store, tmp_path, drawn):
    outcome = script("reversals").draw(store, tmp_path / "figures")
    result = named(store)["one spike"]
    (n, _), (spike,) = result.model.shape, result.model.spikes
    axes, one = drawn["axes"][1], square(spike, 1.0, n)
    for pipeline in ("pre-polar", "post-polar", "re-polarised"):
        mean = result.data.cosine.sel(pipeline=pipeline).mean("trial")
        np.testing.assert_allclose(axes["lines"][pipeline][:, 1], mean)
    sizes = [g**2 / f for g, f in map(filtered, WINDOWS)]
    s5 = [one / np.sqrt(n / size + (1 - 1 / size) * one**2) for size in sizes]
    pre = [square(g * spike, f**0.5, n) / n**0.5 for g, f in map(filtered, WINDOWS)]
    np.testing.assert_allclose(axes["lines"]["post-polar, S5"][:, 1], s5, rtol=1e-9)
    np.testing.assert_allclose(axes["lines"]["pre-polar, S4"][:, 1], pre, rtol=1e-9)
    last = [float(result.data.cosine.sel(pipeline=p).mean("trial")[-1]) for p in ("post-polar", "pre-polar")]
    assert f"{last[0]:.3f} against {last[1]:.3f} at the last" in outcome.finding
    gaps = [
        np.abs(result.data.cosine.sel(pipeline=p).values.mean(0) - theory).max()
        for p, theory in (("post-polar", s5), ("pre-polar", pre))
    ]
    assert f"within {max(gaps):.3f} (" in outcome.finding


def test_third_panel_holds_ratios_over_s4(store, tmp_path, drawn):
    outcome = script("reversals").draw(store, tmp_path / "figures")
    result = named(store)["unequal spikes"]
    (n, _), (first, second) = result.model.shape, result.model.spikes
    assert first / second == pytest.approx(3)
    axes, long = drawn["axes"][2], [t for t in WINDOWS if t >= 5]
    ratios = [square(g * first, f**0.5, n) / square(g * second, f**0.5, n) for g, f in map(filtered, long)]
    np.testing.assert_allclose(axes["lines"]["pre-polar, S4"], np.stack([2 * np.array(long) - 1, ratios], 1), rtol=1e-9)
    one = square(first, 1.0, n) / square(second, 1.0, n)
    np.testing.assert_allclose(axes["lines"]["post-polar, S4"][:, 1], one, rtol=1e-9)
    np.testing.assert_allclose(axes["lines"]["λ₁ / λ₂: plain average"][:, 1], 3)
    for pipeline in ("pre-polar", "post-polar"):
        mean, total = (
            result.data[name].sel(pipeline=pipeline, window=long).mean("trial") for name in ("projection", "alignment")
        )
        # solve (o1 + o2)/2 = projection, (l1 o1 + l2 o2)/(l1 + l2) = alignment
        o = np.linalg.solve([[0.5, 0.5], [first / (first + second), second / (first + second)]], np.stack([mean, total]))
        assert f"{pipeline} {(o[0] / o[1])[-1]:.2f} ±" in outcome.finding


def test_error_of_the_ratio_is_that_of_its_replications(store):
    module, result = script("reversals"), named(store)["unequal spikes"]
    generator, (first, second) = np.random.default_rng(3), result.model.spikes
    one, two = 0.3 + 0.05 * generator.normal(size=(200, 50)), 0.1 + 0.02 * generator.normal(size=(200, 50))
    data = result.data.isel(window=[0]).copy()
    ratios, errors = [], []
    for x, y in zip(one, two, strict=True):
        made = data.isel(trial=np.zeros(50, int)).copy(deep=True)
        made["projection"].loc[{"pipeline": "pre-polar"}] = ((x + y) / 2)[:, None]
        made["alignment"].loc[{"pipeline": "pre-polar"}] = ((first * x + second * y) / (first + second))[:, None]
        ratio, error = module._ratio(type(result)(result.model, result.coordinates, made), "pre-polar")
        assert ratio[0] == pytest.approx(x.mean() / y.mean())
        ratios.append(ratio[0])
        errors.append(error[0])
    assert np.mean(errors) == pytest.approx(np.std(ratios), rel=0.15)
