"""The figure of bounds holds measured quantiles and means, the bounds, and where these are vacuous."""

import numpy as np
import pytest
from harness import script, tiny

STEPS, TRIALS = 256, 24


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tiny("bounds", tmp_path_factory.mktemp("results"), trials=TRIALS, windows=[1, 4, 16, 64, 256], steps=STEPS)


@pytest.fixture
def found(store, tmp_path, drawn):
    outcome = script("bounds").draw(store, tmp_path / "figures")
    return [Expected(result) for result in store], outcome, drawn


class Expected:
    """Measured values and bounds of one model, written out."""

    def __init__(self, result):
        data = result.data.sel(pipeline="pre-polar")
        self.t = t = data.window.values[1:]
        self.m, self.n = m, n = result.model.shape
        spikes = np.array(result.model.spikes)
        r, gain, size = spikes.size, 1 - (1 - 1 / t) ** STEPS, 2 * t - 1
        small, nuclear, p = gain * spikes.min(), gain * spikes.sum(), size**-0.5
        sine = np.maximum(data["sin_theta_left"], data["sin_theta_right"]).values
        self.samples = {"tail": data["tail"].values, "sine": sine, "miss": 1 - data["alignment"].values}
        eps = (m * n) ** 0.5 * size**-0.25
        noise = data["noise_nuclear"].values[:, 1:].mean(0)
        self.bounds = {
            "B1": ("tail", eps, p),
            "B1e": ("tail", (m * n / size) ** 0.5, None),
            "B2": ("sine", np.where(small > eps, eps / np.where(small > eps, small - eps, 1), np.inf), p),
            "B2e": ("sine", 2 * (m * n / size) ** 0.5 / small, None),
            "B3": ("miss", 2 * noise / nuclear, None),
            "B3'": ("miss", 4 * m * n / size / small / nuclear, None),
            "B3' uncorrelated": ("miss", 4 * r * (m + n - r) / size / small / nuclear, None),
        }
        self.sharp = {"tail": "sharp S6", "sine": "sharp S3", "miss": "sharp S4"}

    def measured(self, name, column=None):
        """At all windows beyond 1; of one column (0: unfiltered), at each window's own level."""
        quantity, values, shares = self.bounds[name]
        x = self.samples[quantity]
        columns = x[:, 1:].T if column is None else [x[:, column]] * values.size
        if shares is None:
            return np.array([c.mean() for c in columns])
        return np.array([np.sort(c)[::-1][int(p * c.size)] for c, p in zip(columns, shares, strict=True)])

    def vacuous(self, name):
        quantity, values, _ = self.bounds[name]
        return (values >= self.measured(name, 0)) | ((quantity != "tail") & (values >= 1))


def test_measured_values_bounds_and_their_vacuous_parts_are_drawn(found):
    cases, _, drawn = found
    panels = iter(drawn["axes"])
    for case in cases:
        for quantity in ("tail", "sine", "miss"):
            axes = next(panels)
            lines = axes["lines"]
            x, mean = lines["measured mean"].T
            np.testing.assert_allclose(x, 2 * case.t - 1)
            np.testing.assert_allclose(mean, case.samples[quantity][:, 1:].mean(0))
            half = 1.96 * case.samples[quantity][:, 1:].std(0, ddof=1) / TRIALS**0.5
            np.testing.assert_allclose(axes["spans"][-1], 2 * half, rtol=1e-6, atol=1e-12)
            for name, (of, values, shares) in case.bounds.items():
                if of != quantity:
                    continue
                if shares is not None:
                    np.testing.assert_allclose(lines["measured quantile"][:, 1], case.measured(name))
                empty, finite = case.vacuous(name), np.where(np.isfinite(values), values, np.nan)
                np.testing.assert_allclose(lines[f"_all of {name}"][:, 1], finite)
                np.testing.assert_allclose(lines[f"bound {name}"][:, 1], np.where(empty, np.nan, finite))


def test_sharp_values_are_the_limits(found):
    cases, _, drawn = found
    for case, panels in zip(cases, (drawn["axes"][:3], drawn["axes"][3:6]), strict=True):
        spikes = np.array([16.0, 12.0] if case.m == 16 else [12.0, 8.0, 5.0])
        beta, n, r = 1 - 1 / case.t, case.n, spikes.size
        s, gain = np.sqrt((1 - beta ** (2 * STEPS)) / (2 * case.t - 1)), 1 - beta**STEPS
        y = gain * spikes[:, None] / (s * n**0.5)
        full = spikes @ (2 / np.pi * ((1 - y**-2) * np.arctan(y) + 1 / y)) / spikes.sum()
        limits = {"sharp S6": 2 * s * (n - r) ** 0.5, "sharp S3": np.minimum(1 / y[-1], 1), "sharp S4": 1 - full}
        for axes, (label, values) in zip(panels, limits.items(), strict=True):
            np.testing.assert_allclose(axes["lines"][label][:, 1], values, rtol=1e-6)


def test_the_finding_says_where_bounds_are_vacuous_and_how_far_off(found):
    cases, outcome, _ = found
    for case in cases:
        said = outcome.finding.split(f"at {case.m} × {case.n} ")[1]
        for name, (_, values, _) in case.bounds.items():
            empty, ratio = case.vacuous(name), values[-1] / case.measured(name)[-1]
            first = "none" if empty.all() else f"T = {case.t[~empty].min():g}"
            far = "infinite" if np.isinf(ratio) else f"{ratio:.0f} times" if ratio >= 100 else f"{ratio:.1f} times"
            assert f"{name} {empty.sum()} ({first}; {far})" in said
    passed = sum(int(np.sum(c.measured(name) > values)) for c in cases for name, (_, values, _) in c.bounds.items())
    assert f"exceed bounds at {passed} of 56 points" in outcome.finding


def test_windows_are_shaded_only_where_every_bound_drawn_is_vacuous():
    module = script("bounds")

    class Axis:
        def __init__(self):
            self.spans = []

        def axvspan(self, low, high, **_):
            self.spans.append((low, high))

    axis = Axis()
    module._shade(axis, np.array([1.0, 4.0, 16.0, 64.0]), np.array([True, True, False, True]))
    np.testing.assert_allclose(axis.spans, [(1, 2), (2, 8), (32, 64)])
