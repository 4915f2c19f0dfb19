"""The figure of post-polar's buffer holds its means over S9 and S10, and says how far they are apart."""

import numpy as np
import pytest
from harness import s4, script, tiny
from scipy.optimize import brentq, minimize_scalar

WINDOWS, TRIALS = [2, 5, 8, 20], 8


class Formula:
    """S9 and S10 written out: gain 1, m <= n, all weights one by one."""

    def __init__(self, shape, spike, t):
        self.m, self.n = sorted(shape)
        self.c, self.w = self.m / self.n, (1 - 1 / t) ** np.arange(int(30 * t)) / t
        self.a = s4(spike, 1.0, self.m, self.n)
        self.rest = (self.m + spike**2) / (self.n + spike**2) - self.a**2

    def terms(self, p):
        p = np.asarray(p)[..., None]
        tau = 2 * self.w**2 * p / (1 + np.sqrt(1 - 4 * self.c * self.w**2 * p))
        d = 1 - tau * self.rest
        left, right = tau * (1 - self.a**2 - tau * self.rest) / d, (1 - self.c * tau) * tau * self.rest / d
        return tuple(each.sum(-1) for each in (tau, left, right, self.w * self.a / d))

    def x(self, p):
        total = self.terms(p)[0]
        return (1 - total) * (1 - self.c * total) / p

    def determinant(self, p):
        total, left, right, h = self.terms(p)
        return (1 - total + left) * (1 - self.c * total + right) / p + h * h

    def edge_at(self):
        guess = 1 / np.sum(self.w**2)
        return minimize_scalar(
            lambda q: -self.x(-np.exp(q)),
            bounds=(np.log(guess) - 6, np.log(guess) + 6),
            method="bounded",
            options={"xatol": 1e-9},
        ).x

    def edge(self):
        return np.sqrt(-self.x(-np.exp(self.edge_at())))

    def value(self):
        far = np.exp(self.edge_at())
        if self.determinant(-far) <= 0:
            return self.edge()
        return np.sqrt(-self.x(-brentq(lambda q: self.determinant(-q), 1e-9 * far, far, rtol=1e-14)))

    def repolarised(self):
        last = brentq(lambda q: self.terms(q)[0] - 1, 0, (1 - 1e-12) / (4 * self.c * self.w.max() ** 2))
        phi = np.append(np.geomspace(1e-5, 0.03, 900), np.linspace(0.03, np.pi / 2 - 1e-7, 700)[1:])
        p = last * np.sin(phi) ** 2
        x = np.sqrt(self.x(p))
        inner = -np.trapezoid(self.terms(p)[3] / self.determinant(p), x)
        return 2 / np.pi * (inner + self.a / x[0])  # beyond x[0], where p is 1/x^2, the integrand is a/x^2


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tiny("post_polar", tmp_path_factory.mktemp("store"), trials=TRIALS, steps=100, windows=WINDOWS)


def band(x):
    return 2 * 1.96 * x.std(0, ddof=1) / TRIALS**0.5


def test_every_panel_holds_the_means_of_its_shape(store, tmp_path, drawn):
    script("post_polar").draw(store, tmp_path / "figures")
    results = list(store)
    assert [r.model.shape for r in results] == [(16, 40)] * 3 + [(32, 32)] * 3
    for k, result in enumerate(results):
        name, data, row = result.coordinates["name"], result.data, 3 * (k // 3)
        values, overlap, again = drawn["axes"][row : row + 3]
        x = 2 * np.array(WINDOWS) - 1
        post = data.sel(pipeline="post-polar")
        first = post.singular_values.sel(index=1).values
        np.testing.assert_allclose(values["lines"][f"σ₁, {name}"], np.stack([x, first.mean(0)], 1))
        for side in ("left", "right"):
            squared = 1 - post[f"sin_theta_{side}"].values ** 2
            np.testing.assert_allclose(overlap["lines"][f"{side}, {name}"], np.stack([x, squared.mean(0)], 1))
        update = data.alignment.sel(pipeline="re-polarised").values
        np.testing.assert_allclose(again["lines"][f"re-polarised, {name}"], np.stack([x, update.mean(0)], 1))
        np.testing.assert_allclose(again["spans"][k % 3], band(update), rtol=1e-6)
        if name == "y = 0.2":
            second = post.singular_values.sel(index=2).values
            np.testing.assert_allclose(values["lines"]["σ₂, y = 0.2"][:, 1], second.mean(0))
            np.testing.assert_allclose(values["spans"][0], band(first), rtol=1e-6)
            np.testing.assert_allclose(values["spans"][1], band(second), rtol=1e-6)


def test_curves_are_the_formulas_written_out(store, tmp_path, drawn):
    script("post_polar").draw(store, tmp_path / "figures")
    results = list(store)
    for row, result in ((0, results[0]), (3, results[3])):
        (spike,), (m, n) = result.model.spikes, result.model.shape
        lines = {}
        for axes in drawn["axes"][row : row + 3]:
            lines |= axes["lines"]
        at = {label: {round((x + 1) / 2, 9): y for x, y in line} for label, line in lines.items()}
        for t in WINDOWS:
            formula = Formula((m, n), spike, t)
            assert at["edge of S9 (conjecture)"][t] == pytest.approx(formula.edge(), rel=1e-6)
            assert at["σ₁ of S9 (conjecture)"][t] == pytest.approx(formula.value(), rel=1e-6)
            assert (at["left, S9 (conjecture)"][t] > 0) == (formula.value() > formula.edge() * (1 + 1e-9))
            assert at["pre-polar, S4"][t] == pytest.approx(s4(spike, (2 * t - 1) ** -0.5, m, n), rel=1e-8)
            assert (t in at["S10 (conjecture), T ≥ 5"]) == (t >= 5)
            if t >= 5:
                assert at["S10 (conjecture), T ≥ 5"][t] == pytest.approx(formula.repolarised(), rel=1e-3)


def test_the_finding_has_deviations_and_shares(store, tmp_path):
    outcome = script("post_polar").draw(store, tmp_path / "figures")
    apart, scores, edges = [], [], []
    for result in store:
        again = result.data.alignment.sel(pipeline="re-polarised").values
        pre = result.data.alignment.sel(pipeline="pre-polar").values
        share = f"{100 * again[:, -1].mean() / pre[:, -1].mean():.1f}"
        assert share in outcome.finding
        for k, t in enumerate(WINDOWS):
            formula = Formula(result.model.shape, result.model.spikes[0], t)
            edges.append(
                formula.edge() - float(result.data.singular_values.sel(pipeline="post-polar", index=2).mean("trial")[k])
            )
            if t >= 5:
                apart.append(abs(again[:, k].mean() - formula.repolarised()))
                scores.append(apart[-1] / (again[:, k].std(ddof=1) / TRIALS**0.5))
    assert f"S10 by at most {max(apart):.3f} or {max(scores):.1f} standard errors ({len(apart)} means)" in outcome.finding
    assert f"σ₂ lies {min(edges):.3f} to {max(edges):.3f} below the edge" in outcome.finding
    assert "conjectured S9" in outcome.finding


def test_deviations_are_split_at_the_threshold():
    module = script("post_polar")
    mean, error = np.array([0.5, 0.6, 0.9]), np.array([0.1, 0.05, 0.01])
    one = module.Compared("value", mean, error, np.array([0.2, 0.55, 0.87]), np.array([False, False, True]))
    assert module._worst([one], (True,)) == "0.030 or 3.0 standard errors (1 means)"
    assert module._worst([one], (False,)) == "0.300 or 3.0 standard errors (2 means)"
    assert module._worst([one], (True, False)) == "0.300 or 3.0 standard errors (3 means)"
    low = one._replace(above=np.zeros(3, bool))
    assert module._worst([low], (True,)) == "(no window)"
