"""The figure of first steps: limits by explicit weights, paired differences, and what the finding says of them."""

import numpy as np
import pytest
from harness import script, tiny
from scipy.integrate import quad

TRIALS, SHAPE, SPIKE, T = 24, (32, 48), 3.464102, 20
NAMES = ["from zero", "first gradient", "debiased", "Kalman"]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tiny("start_up", tmp_path_factory.mktemp("store"), trials=TRIALS)


def weights(name, t):
    """By the recursions M = (1 - alpha) M + alpha G on unit impulses."""
    alphas = {
        "from zero": [1 / T] * t,
        "first gradient": [1.0] + [1 / T] * (t - 1),
        "debiased": [1 / T / (1 - (1 - 1 / T) ** (k + 1)) for k in range(t)],
    }
    if name == "Kalman":
        rates, rho = [1.0], 1 / (T * (T - 1))
        while len(rates) < t:
            rates.append((rates[-1] + rho) / (rates[-1] + rho + 1))
    else:
        rates = alphas[name]
    out = np.zeros(t)
    for k, alpha in enumerate(rates):
        out *= 1 - alpha
        out[k] = alpha
    return out[::-1]


def s4(w):
    (m, n), s2, theta = SHAPE, w @ w, SPIKE * w.sum()

    def integrand(x):
        b = x * x + s2 * (m + n)
        return theta / ((b + np.sqrt(b * b - 4 * s2 * s2 * m * n)) / 2 + theta**2)

    return 2 / np.pi * quad(integrand, 0, np.inf, epsabs=1e-12)[0]


def pre(store):
    """Pre-polar's results, steps rising."""
    found = [r for r in store if "-> Filter" not in r.data.attrs["pipelines"]]
    return sorted(found, key=lambda r: r.data.attrs["steps"])


def values(result, name):
    return result.data.alignment.sel(pipeline=name).values[:, 0]


def test_limits_are_those_of_the_weights(store):
    module = script("start_up")
    filters = module._filters(T)
    for result in pre(store):
        t = int(result.data.attrs["steps"])
        for name in NAMES:
            assert module._pre_limit(result, filters[name]) == pytest.approx(s4(weights(name, t)), abs=1e-8)
            one = s4(np.ones(1))
            assert module._post_limit(result, filters[name]) == pytest.approx(weights(name, t).sum() * one, abs=1e-8)


def test_differences_are_paired_and_their_extremes_said(store, tmp_path, drawn):
    outcome = script("start_up").draw(store, tmp_path / "figures")
    for name in ("first gradient", "Kalman"):
        apart = [values(r, name) - values(r, "from zero") for r in pre(store)]
        line = drawn["axes"][1]["lines"][name]
        np.testing.assert_allclose(line[:, 1], [x.mean() for x in apart], atol=1e-14)
        top = max(apart, key=lambda x: abs(x.mean()))
        assert f"at most {top.mean():+.4f} ± {1.96 * top.std(ddof=1) / TRIALS**0.5:.4f} (t = " in outcome.finding
    for name in NAMES:
        w = weights(name, T)
        assert f"{name} {w.sum() ** 2 / (w @ w):.2f}" in outcome.finding


def test_scale_is_seen_by_post_polar_alone(store, tmp_path):
    outcome = script("start_up").draw(store, tmp_path / "figures")
    assert "debiasing changes nothing" in outcome.finding
    for result in store:
        t, first = int(result.data.attrs["steps"]), "-> Filter" not in result.data.attrs["pipelines"]
        scale = 1.0 if first else 1 - 0.95**t
        np.testing.assert_allclose(values(result, "from zero"), scale * values(result, "debiased"), rtol=1e-9)
