"""The figure of filters holds paired differences of filters that are alike in n_eff, beside limits by explicit weights."""

import numpy as np
import pytest
from harness import script, tiny
from scipy.integrate import quad
from scipy.signal import lfilter

TRIALS, SHAPE, SPIKE, STEPS = 24, (32, 48), 3.464102, 420
NAMES = ["EMA", "moving average", "triangle", "double pole", "double EMA", "Nesterov"]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tiny("filters_compared", tmp_path_factory.mktemp("store"), trials=TRIALS)


@pytest.fixture(scope="module")
def points(store):
    return list(store)


def by_hand():
    """Weights of 420 steps, made of each filter's words."""
    k = np.arange(STEPS)
    impulse = (k == 0).astype(float)

    def ema(x, beta):
        return lfilter([1 - beta], [1, -beta], x)

    slow, t = ema(impulse, 0.9580629156026144), 12.65603286
    average = ema(impulse, 1 - 1 / t)
    triangle = np.maximum(24.83225103661343 - k, 0)
    return {
        "EMA": ema(impulse, 0.9),
        "moving average": (k < 19) / 19,
        "triangle": triangle / triangle.sum(),
        "double pole": ema(ema(impulse, 0.8113744389770896), 0.8113744389770896),
        "double EMA": 2 * slow - ema(slow, 0.9580629156026144),
        "Nesterov": (1 - 1 / t) * average + impulse / t,
    }


def limit(w, c):
    """a(|h| lambda) Re h/|h| where k steps ago the signal was c_k (cosine, sine) of the present one."""
    h, s2, (m, n) = w @ c, w @ w, SHAPE
    theta = abs(h) * SPIKE

    def integrand(x):
        b = x * x + s2 * (m + n)
        return theta / ((b + np.sqrt(b * b - 4 * s2 * s2 * m * n)) / 2 + theta**2)

    return 2 / np.pi * quad(integrand, 0, np.inf, epsabs=1e-12)[0] * h.real / abs(h)


def test_filters_are_what_they_are_called_and_of_one_size(points):
    filters = script("filters_compared")._filters(points[0])
    assert list(filters) == NAMES
    for name, w in by_hand().items():
        np.testing.assert_allclose(filters[name].weights(STEPS), w, atol=6e-9)
        assert filters[name].n_eff() == pytest.approx(19, rel=1e-6)
    assert abs(filters["double EMA"].lag()) < 1e-6 < filters["triangle"].lag() < filters["double pole"].lag() < 9


def test_limits_are_those_of_the_weights_and_the_signals_past(points):
    module, k = script("filters_compared"), np.arange(STEPS)
    past = {
        "constant": lambda _: np.ones(STEPS),
        "alternating": lambda _: (-1.0) ** k,
        "turning": lambda s: np.exp(-1j * s.omega * k),
        "switch": lambda s: np.where(STEPS - 1 - k >= s.at, 1, 1j),
    }
    for result in points:
        name, filters = result.coordinates["name"], module._filters(result)
        if name in past:
            for f in ("double EMA", "triangle"):
                c = past[name](result.model.signal)
                assert module._limit(result, filters[f]) == pytest.approx(limit(filters[f].weights(STEPS), c), abs=1e-8)
    assert np.isnan(module._limit(points[1], filters["EMA"]))  # large steps: no limit is drawn


def test_a_swing_is_measured_by_its_present_size(points):
    module = script("filters_compared")
    swing = next(r for r in points if r.coordinates["name"] == "oscillating")
    ages = STEPS - 1 - np.arange(STEPS)
    sizes = 1 + 0.9 * np.cos(2 * np.pi * ages / 30)
    left, size = module._left(swing, module._filters(swing)["EMA"])
    assert size == pytest.approx(sizes[0], rel=1e-9)
    assert left == pytest.approx(by_hand()["EMA"] @ sizes / sizes[0], rel=1e-9)


def apart(result, name):
    data = result.data.alignment
    x = data.sel(pipeline=name).values[:, 0] - data.sel(pipeline="EMA").values[:, 0]
    return x.mean(), 1.96 * x.std(ddof=1) / TRIALS**0.5


def test_differences_are_paired_and_the_extremes_are_said(store, points, tmp_path, drawn):
    outcome = script("filters_compared").draw(store, tmp_path / "figures")
    still, turning = points[:4], [r for r in points if r.coordinates["name"] == "turning"]
    for name in NAMES[1:]:
        for panel, results in ((1, still), (2, turning)):
            means = [apart(r, name)[0] for r in results]
            np.testing.assert_allclose(drawn["axes"][panel]["lines"][name][:, 1], means, atol=1e-14)
    for result in (still[1], still[2], still[3]):
        means = {n: result.data.alignment.sel(pipeline=n).values.mean() for n in NAMES}
        worst = min(means, key=means.get)
        assert f"worst {worst}" in outcome.details
        assert worst == "EMA" or "{:+.4f} ± {:.4f}".format(*apart(result, worst)) in outcome.details
    for results in (still[1:], turning):
        gain = max(apart(r, n) for r in results for n in NAMES[1:])
        assert "{:+.4f} ± {:.4f} by ".format(*gain) in outcome.finding
    equal = max((apart(still[0], n) for n in NAMES[1:]), key=lambda pair: abs(pair[0]))
    assert "at most {:+.4f} ± {:.4f} from the EMA".format(*equal) in outcome.finding
    assert len(outcome.finding.split()) <= 60
    most = max(abs(apart(still[0], n)[0]) for n in NAMES[1:])
    assert f"of n_eff = 19 differ by at most {most:.4f}" in outcome.details


def test_recovery_is_read_between_the_neighbours(store, points, tmp_path):
    module = script("filters_compared")
    assert module._crossing([1, 2, 4], [0.1, 0.4, 0.8], 0.5) == pytest.approx(2.5)
    assert module._crossing([1, 2, 4], [0.6, 0.4, 0.8], 0.5) == 1
    assert module._crossing([1, 2, 4], [0.1, 0.2, 0.3], 0.5) == np.inf
    outcome = module.draw(store, tmp_path / "figures")
    switched = [r for r in points if r.coordinates["name"] == "switch"]
    switched.sort(key=lambda r: -r.model.signal.at)
    since = [STEPS - r.model.signal.at for r in switched]
    for name in NAMES:
        y = [r.data.alignment.sel(pipeline=name).values.mean() for r in switched]
        goal = 0.9 * points[0].data.alignment.sel(pipeline=name).values.mean()
        k = int(np.argmax(np.array(y) >= goal))
        assert f"{name} {np.interp(goal, y[k - 1 : k + 1], since[k - 1 : k + 1]):.1f} [" in outcome.details
