"""The figure of the tail index holds quantiles, their formula, and exponents with the bootstrap's intervals."""

import numpy as np
import pytest
from harness import script, tiny
from scipy.stats import binom

from spikesim.estimate import upper_quantile
from spikesim.sweep.spec import Spec


def formula(alpha: float, t: float) -> float:
    """S7 at q = 1/2."""
    beta, n = 1 - 1 / t, 2 * t - 1
    jump = ((alpha - 2) / alpha) ** 0.5 * ((1 - beta) ** alpha * n**0.5 / (1 - beta**alpha)) ** (1 / alpha)
    return ((1 - (((alpha - 2) / alpha) ** 0.5 / (jump / (1 - beta))) ** (alpha - 2)) / n + jump**2) ** 0.5


def quantile(column: np.ndarray, t: float) -> tuple[float, float, float]:
    """With its interval: the trials beyond the quantile are binomial."""
    x, p = np.sort(column)[::-1], (2 * t - 1) ** -0.5
    k = np.arange(x.size + 1)
    fewest = k[binom.cdf(k, x.size, p) > 0.025][0]  # as few trials beyond it, or fewer, have a chance above 2.5 %
    most = k[binom.sf(k, x.size, p) <= 0.025][0]
    return x[int(p * x.size)], x[most], x[fewest - 1]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tiny("tail_index", tmp_path_factory.mktemp("results"), trials=400, windows=[4, 8, 16, 32], steps=200)


@pytest.fixture
def found(store, tmp_path, drawn):
    outcome = script("tail_index").draw(store, tmp_path / "figures")
    return list(store), outcome, drawn


def test_the_quantiles_and_their_formula_are_drawn(found):
    results, _, drawn = found
    lines = drawn["axes"][0]["lines"]
    chosen = results[::2]
    assert [r.coordinates["noise.alpha"] for r in chosen] == [2.05, 2.2, 2.5, 3.0, 5.0]
    for number, result in enumerate(chosen):
        alpha, t = result.coordinates["noise.alpha"], result.data.window.values
        values = np.array([quantile(c / 64, w) for c, w in zip(result.data["noise_fro"].values.T, t, strict=True)])
        np.testing.assert_allclose(lines[f"α = {alpha:g}"], np.stack([2 * t - 1, values[:, 0]], 1))
        np.testing.assert_allclose(drawn["axes"][0]["spans"][number], values[:, 2] - values[:, 1], rtol=1e-6)
        np.testing.assert_allclose(lines[f"_S7, α = {alpha:g}"][:, 1], [formula(alpha, w) for w in t])
    np.testing.assert_allclose(lines["bound B1: (2T − 1)^(−1/4)"][:, 1], (2 * t - 1) ** -0.25)


def test_the_exponents_their_limit_and_slopes_are_drawn(found):
    results, outcome, drawn = found
    lines = drawn["axes"][1]["lines"]
    alphas, t = [r.coordinates["noise.alpha"] for r in results], results[0].data.window.values
    x = np.log(2 * t - 1)
    for result, row in zip(results, outcome.rows, strict=True):
        y = [np.log(quantile(c, w)[0]) for c, w in zip(result.data["noise_fro"].values.T, t, strict=True)]
        assert row.fit.exponent == pytest.approx(np.polyfit(x, y, 1)[0])
        assert row.fit.low < row.fit.exponent < row.fit.high
        slope = np.polyfit(x, np.log([formula(result.model.noise.alpha, w) for w in t]), 1)[0]
        assert row.theory == pytest.approx(slope)
    np.testing.assert_allclose(lines["slope of S7 on the same T"], np.stack([alphas, [r.theory for r in outcome.rows]], 1))
    limit = lines["limit S7: −min(1/2, (α − 3/2)/α)"]
    np.testing.assert_allclose(limit[:, 1], np.maximum(-0.5, -(limit[:, 0] - 1.5) / limit[:, 0]))
    first = outcome.rows[0]
    assert f"{first.fit.exponent:.3f} [{first.fit.low:.3f}, {first.fit.high:.3f}] at α = 2.05" in outcome.finding
    assert f"limit {-0.55 / 2.05:.3f}" in outcome.finding
    assert f"{sum(r.fit.low <= r.theory <= r.fit.high for r in outcome.rows)} of 9 intervals" in outcome.finding


def test_the_weighted_quantile_is_that_of_the_resampled_trials():
    module, generator = script("tail_index"), np.random.default_rng(3)
    samples = generator.pareto(2.5, (500, 3))
    shares = np.array([0.3, 0.05, 0.011])
    order = np.argsort(-samples, axis=0)
    for _ in range(20):
        drawn = generator.integers(500, size=500)
        direct = [upper_quantile(c[drawn], p)[0] for c, p in zip(samples.T, shares, strict=True)]
        np.testing.assert_array_equal(module._weighted(samples, order, shares, drawn), direct)


def test_the_interval_of_the_exponent_is_as_wide_as_the_estimate_varies():
    module, generator, t = script("tail_index"), np.random.default_rng(5), np.array([16.0, 64.0, 256.0])
    fits = [module.fit_quantile(t, generator.pareto(2.2, (800, 1)) * (2 * t - 1) ** -0.3, 200) for _ in range(60)]
    spread = np.std([f.exponent for f in fits], ddof=1)
    width = np.mean([f.high - f.low for f in fits])
    assert width == pytest.approx(3.92 * spread, rel=0.4)  # 60 fits know the spread to 9 %, and tails are heavier than normal


def test_two_hundred_trials_lie_beyond_each_quantile():
    path = script("tail_index").__file__.replace(".py", ".toml")
    for quick in (False, True):
        for point in Spec.from_toml(path, quick=quick).points:
            widest = max(point.arguments["windows"])
            assert point.arguments["trials"] * (2 * widest - 1) ** -0.5 >= 200
            assert point.arguments["steps"] >= 6 * widest
            assert quick or widest >= 1e4
