"""The figure of Nesterov compares what is equal: windows that the spec holds are solutions, differences are paired."""

import tomllib

import numpy as np
import pytest
from harness import ROOT, script, tiny
from scipy.integrate import quad

TRIALS, OMEGA, SHAPE, SPIKE = 30, 0.03, (32, 48), 3.464102


def weights(kind, t):
    """The last 4000 steps, by hand."""
    beta, k = 1 - 1 / t, np.arange(4000)
    slow = beta**k / t
    if kind == "EMA":
        return slow
    return beta * slow + (k == 0) / t


def n_eff(w):
    return w.sum() ** 2 / (w @ w)


def lag(w):
    return np.arange(w.size) @ w / w.sum()


def s8(w, omega):
    """a(|h| lambda) cos(lag), with S4's integral at the filter's own noise."""
    h, (m, n) = w @ np.exp(-1j * omega * np.arange(w.size)), SHAPE
    theta, s2 = abs(h) * SPIKE, w @ w

    def integrand(x):
        b = x * x + s2 * (m + n)
        return theta / ((b + np.sqrt(b * b - 4 * s2 * s2 * m * n)) / 2 + theta**2)

    return 2 / np.pi * quad(integrand, 0, np.inf, epsabs=1e-12)[0] * h.real / abs(h)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tiny("nesterov", tmp_path_factory.mktemp("store"), trials=TRIALS)


@pytest.fixture(scope="module")
def points(store):
    """(name, filters first) -> result."""
    return {(r.coordinates["name"], "-> Filter" not in r.data.attrs["pipelines"]): r for r in store}


@pytest.mark.parametrize("part", ["run", "quick"])
def test_the_specs_windows_are_equal_in_what_they_say(part):
    table = tomllib.loads((ROOT / "experiments" / "nesterov.toml").read_text())
    windows = np.array((table["quick"]["run"] if part == "quick" else table["run"])["windows"])
    ema, same_n, same_lag = windows.reshape(3, -1)
    assert list(ema) == [3, 5, 10, 20, 40][: ema.size]
    for a, b, c in zip(ema, same_n, same_lag, strict=True):
        assert n_eff(weights("Nesterov", b)) == pytest.approx(n_eff(weights("EMA", a)), rel=1e-8)
        assert lag(weights("Nesterov", c)) == pytest.approx(lag(weights("EMA", a)), rel=1e-8)
        assert n_eff(weights("Nesterov", a)) != pytest.approx(n_eff(weights("EMA", a)), rel=0.01)  # or there were no cost


def paired(result, how):
    """Nesterov less EMA for each of the EMA's three windows, (trial, 3)."""
    data = result.data.alignment
    first = {"equal T": 0, "equal n_eff": 3, "equal lag": 6}[how]
    return data.sel(pipeline="Nesterov").values[:, first : first + 3] - data.sel(pipeline="EMA").values[:, :3]


def test_costs_are_paired_differences_beside_s8(store, points, tmp_path, drawn):
    outcome = script("nesterov").draw(store, tmp_path / "figures")
    axes = drawn["axes"][2]
    for name in ("constant", "turning"):
        for how in ("equal T", "equal n_eff", "equal lag"):
            apart = paired(points[name, True], how)
            np.testing.assert_allclose(axes["lines"][f"{how}, {name}"][:, 1], apart.mean(0), atol=1e-14)
            low, half = apart.mean(0).argmin(), 1.96 * apart.std(0, ddof=1) / TRIALS**0.5
            if name == "turning":
                said = f"at {how} {apart.mean(0)[low]:+.4f} ± {half[low]:.4f} (T = {(3, 5, 10)[low]})"
                assert said in outcome.details


def test_curves_are_means_against_n_eff_and_s8(store, points, tmp_path, drawn):
    script("nesterov").draw(store, tmp_path / "figures")
    for panel, name, omega in ((0, "constant", 0.0), (1, "turning", OMEGA)):
        result = points[name, True]
        for family in ("EMA", "Nesterov"):
            line = drawn["axes"][panel]["lines"][family]
            sizes = np.array([n_eff(weights(family, t)) for t in result.data.window.values])
            order = np.argsort(sizes)
            np.testing.assert_allclose(line[:, 0], sizes[order], rtol=1e-9)
            np.testing.assert_allclose(line[:, 1], result.data.alignment.sel(pipeline=family).values.mean(0)[order])
        module = script("nesterov")
        for t in (3.0, 12.0):
            assert module._limit(result, module.Nesterov(t)) == pytest.approx(s8(weights("Nesterov", t), omega), abs=1e-8)


def test_post_polar_is_scaled_by_the_heavy_ball_and_loses_by_lag_alone(store, points, tmp_path, drawn):
    outcome = script("nesterov").draw(store, tmp_path / "figures")
    lines = drawn["axes"][3]["lines"]
    np.testing.assert_allclose(lines["heavy ball, over T"], lines["EMA"], rtol=1e-12)
    data = points["turning", False].data.alignment
    last = data.window.values.argmax()
    apart = data.sel(pipeline="Nesterov").values[:, last] - data.sel(pipeline="EMA").values[:, last]
    assert f"{apart.mean():+.4f} ± {1.96 * apart.std(ddof=1) / TRIALS**0.5:.4f} on the turning" in outcome.details
    assert "heavy ball is T times" in outcome.details


def test_the_best_windows_are_chosen_by_s8_and_not_by_the_data(store, points, tmp_path):
    outcome = script("nesterov").draw(store, tmp_path / "figures")
    result = points["turning", True]
    t, data = result.data.window.values, result.data.alignment
    best = [max(range(t.size), key=lambda k, f=f: s8(weights(f, t[k]), OMEGA)) for f in ("EMA", "Nesterov")]
    apart = data.sel(pipeline="Nesterov").values[:, best[1]] - data.sel(pipeline="EMA").values[:, best[0]]
    half = 1.96 * apart.std(ddof=1) / TRIALS**0.5
    assert f"against the EMA (T = {t[best[0]]:.4g}), Nesterov (T = {t[best[1]]:.4g}) {apart.mean():+.4f} ± {half:.4f}" in (
        outcome.details
    )
    assert f"each at its best T, {apart.mean():+.4f} ± {half:.4f}." in outcome.finding


def test_the_finding_holds_the_largest_difference_at_equal_size(store, points, tmp_path):
    outcome = script("nesterov").draw(store, tmp_path / "figures")
    for name, said in (("constant", "at most"), ("turning", "it is up to")):
        apart = paired(points[name, True], "equal n_eff")
        k, half = np.abs(apart.mean(0)).argmax(), 1.96 * apart.std(0, ddof=1) / TRIALS**0.5
        assert f"{said} {apart.mean(0)[k]:+.4f} ± {half[k]:.4f}" in outcome.finding
    assert len(outcome.finding.split()) <= 60
