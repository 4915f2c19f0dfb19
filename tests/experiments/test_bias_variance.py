"""The figure of bias and variance holds both of each order in T and b, beside S11, and exponents over groups of trials."""

import numpy as np
import pytest
from harness import script, tiny
from scipy.stats import t as student

WINDOWS, STEPS, TRIALS, N, GROUPS = [1, 2.5, 4, 6.5, 10], 110, 80, 16, 4
X = 2 * np.array(WINDOWS) - 1
ORDERS = ("pre-polar", "post-polar")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tiny("bias_variance", tmp_path_factory.mktemp("store"), trials=TRIALS, steps=STEPS, windows=WINDOWS)


@pytest.fixture(scope="module")
def points(store):
    return list(store)


def groups(points, name, b):
    return [r for r in points if (r.coordinates["name"], r.coordinates["noise.sigma"]) == (name, b**-0.5)]


def of(points, name, b, variable, pipeline):
    """(seed, window)."""
    return np.stack([r.data[variable].sel(pipeline=pipeline).values for r in groups(points, name, b)])


def by_directions(points, b, pipeline):
    """sum (1 - E o_k)^2 of two spikes without bias: over pairs of different trials, (seed, window)."""
    out = []
    for r in groups(points, "rank 2", b):
        (one, two), data = r.model.spikes, r.data.sel(pipeline=pipeline)
        weights = [[one / (one + two), two / (one + two)], [0.5, 0.5]]
        o = np.linalg.solve(weights, np.stack([data.alignment.values, data.projection.values]).reshape(2, -1))
        miss = 1 - o.reshape(2, TRIALS, -1)
        pairs = (miss.sum(1) ** 2 - (miss**2).sum(1)) / TRIALS / (TRIALS - 1)
        out.append(pairs.sum(0))
    return np.stack(out)


def half(samples):
    return student.ppf(0.975, GROUPS - 1) * samples.std(0, ddof=1) / GROUPS**0.5


def test_spectra_are_low_rank_and_invertible_of_condition_four(points):
    two, full = groups(points, "rank 2", 1)[0].model, groups(points, "invertible", 1)[0].model
    assert (two.rank, full.rank) == (2, N)
    assert max(full.spikes) / min(full.spikes) == pytest.approx(4, rel=1e-3)
    assert len({r.data.attrs["seed"] for r in groups(points, "rank 2", 1)}) == GROUPS


@pytest.mark.parametrize(("row", "name"), [(0, "rank 2"), (1, "invertible")])
def test_panels_hold_bias_variance_and_ratios_of_each_batch_size(store, points, tmp_path, drawn, row, name):
    script("bias_variance").draw(store, tmp_path / "figures")
    bias, variance, ratio = drawn["axes"][3 * row : 3 * row + 3]
    for b in (1, 4, 16, 64):
        for order in ORDERS:
            spread = of(points, name, b, "variance", order)
            np.testing.assert_allclose(variance["lines"][f"{order}, b = {b}"], np.stack([X, spread.mean(0)], 1))
            squared = by_directions(points, b, order) if name == "rank 2" else of(points, name, b, "bias_squared", order)
            shown = squared.mean(0) > half(squared)
            expected = np.stack([X, squared.mean(0)], 1)[shown]
            np.testing.assert_allclose(bias["lines"][f"{order}, b = {b}"], expected, rtol=1e-7, atol=1e-13)
        pre, post = (
            (of(points, name, b, "bias_squared", o) + of(points, name, b, "variance", o)).mean(0) for o in ORDERS
        )  # fmt: skip
        np.testing.assert_allclose(ratio["lines"][f"post-polar, b = {b}"], np.stack([X, post / pre], 1))


def test_two_ways_to_bias_agree_within_their_spread(points):
    for order in ORDERS:
        apart = np.concatenate([of(points, "rank 2", b, "bias_squared", order) - by_directions(points, b, order)
                                for b in (1, 4)], 1)  # fmt: skip
        error = apart.std(0, ddof=1) / GROUPS**0.5
        assert np.all(np.abs(apart.mean(0)) < student.ppf(1 - 1e-3 / 40, GROUPS - 1) * error)


def test_theory_lines_are_s11_and_sum_with_the_norm_of_a_polar_factor(store, points, tmp_path, drawn):
    script("bias_variance").draw(store, tmp_path / "figures")
    for row, rank in ((0, 2), (1, N)):
        bias, variance = (drawn["axes"][3 * row + k]["lines"] for k in (0, 1))
        b2, v = (x["_pre-polar, b = 16, theory"][:, 1] for x in (bias, variance))
        # sum (1 - a)^2 + N - sum a^2 = rank + N - 2 sum a, and both follow from each other where all a are alike
        a = (rank + N - b2 - v) / 2
        assert np.all(a <= rank)
        if rank == N:
            model = groups(points, "invertible", 16)[0].model
            spikes = np.array(model.spikes)
            others = ((spikes[:, None] + spikes) ** -2.0).sum(1) - (2 * spikes) ** -2.0
            np.testing.assert_allclose(b2, np.sum(others**2) / 16**2 / X**2, rtol=1e-3)
            np.testing.assert_allclose(rank - a, others.sum() / 16 / X, rtol=1e-3)
        flat = bias["_post-polar, b = 16, theory"][:, 1]
        np.testing.assert_allclose(flat, flat[0], rtol=1e-2)
        np.testing.assert_allclose(variance["_post-polar, b = 16, theory"][:, 1] * X, v[0], rtol=1e-3)


def test_rows_and_finding_hold_the_fits_at_the_headline(store, points, tmp_path):
    outcome = script("bias_variance").draw(store, tmp_path / "figures")
    assert len(outcome.rows) == 8
    fits = {row.quantity: row for row in outcome.rows}
    inside = (4 * X >= 9) & (4 * X <= 160)
    assert inside.tolist() == [False, True, True, True, True]
    values = of(points, "invertible", 4, "variance", "post-polar").mean(0)[inside]
    slope = np.polyfit(np.log(X[inside]), np.log(values), 1)[0]
    assert fits["variance, post-polar, invertible, b = 4"].fit.exponent == pytest.approx(slope)
    assert fits["variance, post-polar, invertible, b = 4"].theory == pytest.approx(-1, abs=1e-3)
    assert fits["bias², pre-polar, invertible, b = 4"].theory == pytest.approx(-2, abs=1e-3)
    assert f"n_eff^({slope:.3f} ±" in outcome.details
    in_b = np.polyfit(
        np.log([4, 16, 64]),
        np.log([of(points, "invertible", b, "variance", "post-polar").mean(0)[2] for b in (4, 16, 64)]),
        1,
    )
    assert f"b^({in_b[0]:.3f} ±" in outcome.details
    assert "swap the names" in outcome.details
    assert len(outcome.finding.split()) <= 60


def test_the_better_order_is_counted_in_cells_beyond_one_gradient(store, points, tmp_path):
    outcome = script("bias_variance").draw(store, tmp_path / "figures")
    for name in ("rank 2", "invertible"):
        post = pre = 0
        for b in (1, 4, 16, 64):
            total = [of(points, name, b, "bias_squared", o) + of(points, name, b, "variance", o) for o in ORDERS]
            apart = (total[1] - total[0])[:, 1:]
            score = apart.mean(0) / (apart.std(0, ddof=1) / GROUPS**0.5)
            limit = student.ppf(1 - 0.05 / 2 / 16, GROUPS - 1)
            post, pre = post + np.sum(score < -limit), pre + np.sum(score > limit)
        order, cells = ("post-polar EMA(O(G))", post) if post > pre else ("pre-polar O(EMA(G))", pre)
        assert f"for {name} S {order} in {cells} of 16 cells" in outcome.finding
        b4 = [of(points, name, 4, "bias_squared", o) + of(points, name, 4, "variance", o) for o in ORDERS]
        assert f"{b4[1].mean(0)[-1] / b4[0].mean(0)[-1]:.4f} ± " in outcome.finding
        assert f"post-polar is the better estimator in {post} and pre-polar in {pre} of 16 cells" in outcome.details


def test_interval_of_an_exponent_covers_it():
    generator, line = np.random.default_rng(11), script("bias_variance")._line
    x = np.array([1.0, 2, 4, 8])
    hits, halves = 0, []
    for _ in range(400):
        slope, half_width = line(x, 3 * x**-1.5 * (1 + 0.1 * generator.normal(size=(8, 4))))
        hits += abs(slope + 1.5) < half_width
        halves.append(half_width)
    assert 0.91 <= hits / 400 <= 0.985  # 95 %, ± 3.5 standard errors of 400
    exact = 0.1 / 8**0.5 * np.sqrt(np.sum((np.log(x) - np.log(x).mean()) ** 2)) ** -1
    assert np.mean(halves) == pytest.approx(student.ppf(0.975, 7) * exact, rel=0.06)
