"""The figure of layers holds alignments, gaps and overlaps with their limits, and the critical window against width."""

import numpy as np
import pytest
from harness import script, tiny
from scipy.integrate import quad
from scipy.optimize import brentq

NAME, STEPS, TRIALS, SPIKES = "layers", 2000, 3, (32, 20, 12, 8)
X = np.array([1.0, 24, 40, 100, 200, 400, 1200])
SHAPES = [(768, 768), (4096, 4096), (16384, 16384), (768, 3072), (4096, 16384), (16384, 65536)]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tiny(NAME, tmp_path_factory.mktemp(NAME), trials=TRIALS, steps=STEPS, windows=((X + 1) / 2).tolist())


@pytest.fixture
def made(store, tmp_path, drawn):
    outcome = script(NAME).draw(store, tmp_path / "figures")
    return {r.model.shape: r.data.sel(pipeline="pre-polar") for r in store}, outcome.finding, drawn


def scales(x):
    """(gain, s) at a finite step (F2)."""
    beta = (x - 1) / (x + 1)
    return 1 - beta**STEPS, ((1 - beta ** (2 * STEPS)) / x) ** 0.5


def critical(m, n):
    """2T - 1 at which the weakest spike is as large as the threshold of S2."""
    return brentq(lambda x: scales(x)[0] * SPIKES[-1] - scales(x)[1] * (m * n) ** 0.25, 1, 2000, rtol=1e-13)


def alignment(x, m, n):
    """S4 by its integral."""
    gain, s = scales(x)

    def one(theta):
        def integrand(t):
            b = t**2 + s**2 * (m + n)
            return theta / ((b + np.sqrt(b**2 - 4 * s**4 * m * n)) / 2 + theta**2)

        return 2 / np.pi * (quad(integrand, 0, 100, limit=500)[0] + quad(integrand, 100, np.inf, limit=500)[0])

    return sum(a * one(gain * a) for a in SPIKES) / sum(SPIKES)


def gap(x, m, n):
    """S3 less S2, over the weakest spike."""
    gain, s = scales(x)
    theta = gain * SPIKES[-1]
    if theta <= s * (m * n) ** 0.25:
        return 0.0
    value = np.sqrt((theta**2 + m * s**2) * (theta**2 + n * s**2)) / theta
    return (value - s * (m**0.5 + n**0.5)) / SPIKES[-1]


def overlap(x, m, n):
    """S3, left, squared."""
    gain, s = scales(x)
    theta = gain * SPIKES[-1]
    return max(0.0, (theta**4 - m * n * s**4) / (theta**2 * (theta**2 + m * s**2)))


def at(limit, shape, places):
    return np.array([limit(x, *shape) for x in places])


def transition(data, m, n):
    """(critical 2T - 1, standard error) of the windows of middling overlap, by root finding and differences."""
    samples = 1 - data.sin_theta_left.values**2
    mean, error = samples.mean(0), samples.std(0, ddof=1) / TRIALS**0.5
    chosen = [i for i in range(X.size) if 0.3 <= mean[i] <= 0.8]

    def critical_of(y, i):  # S3 at x = critical / c: (1 - c^2) / (1 + sqrt(m/n) c)
        return X[i] * brentq(lambda c: (1 - c**2) / (1 + (m / n) ** 0.5 * c) - y, 0, 1, xtol=1e-14)

    slopes = np.array([(critical_of(mean[i] + 1e-5, i) - critical_of(mean[i] - 1e-5, i)) / 2e-5 for i in chosen])
    value = np.mean([critical_of(mean[i], i) for i in chosen])
    return value, np.linalg.norm(slopes * error[chosen]) / len(chosen)


def test_upper_panels_hold_means_bands_and_limits_of_every_shape(made):
    data, _, drawn = made
    for axes, name, limit, label in zip(
        drawn["axes"], ("alignment", "gap"), (alignment, gap), ("limit S4", "limit S3 − S2"), strict=False
    ):
        assert axes["x"] == "2T − 1 (effective sample size)"
        for shape, span in zip(SHAPES, axes["spans"], strict=True):
            samples = data[shape][name].values / (SPIKES[-1] if name == "gap" else 1)
            words = f"{shape[0]} × {shape[1]}"
            np.testing.assert_allclose(axes["lines"][words], np.column_stack([X, samples.mean(0)]), rtol=1e-12)
            np.testing.assert_allclose(span, 2 * 1.96 * samples.std(0, ddof=1) / TRIALS**0.5, rtol=1e-6, atol=1e-12)
            curve = axes["lines"][label if shape == SHAPES[-1] else f"_{label} {words}"][::10]
            np.testing.assert_allclose(curve[:, 1], at(limit, shape, curve[:, 0]), rtol=1e-6, atol=1e-9)


def test_overlaps_are_drawn_against_multiples_of_the_critical_sample_size(made):
    data, _, drawn = made
    axes = drawn["axes"][2]
    assert axes["x"] == "(2T − 1) / critical (S2)"
    assert axes["bands"] == len(SHAPES)
    assert np.all(axes["lines"]["critical S2"][:, 0] == 1)
    for shape in SHAPES:
        mean = (1 - data[shape].sin_theta_left.values ** 2).mean(0)
        line = axes["lines"][f"{shape[0]} × {shape[1]}"]
        np.testing.assert_allclose(line, np.column_stack([X / critical(*shape), mean]), rtol=1e-9)
    for label, shape in (("limit S3, d × d", SHAPES[2]), ("limit S3, d × 4d", SHAPES[5])):
        curve = axes["lines"][label]
        np.testing.assert_allclose(curve[:, 1], at(overlap, shape, curve[:, 0] * critical(*shape)), rtol=1e-6, atol=1e-7)
        assert np.all(curve[curve[:, 0] < 1, 1] == 0)
        assert curve[-1, 1] > 0.8


def test_the_last_panel_holds_s2_and_what_overlaps_say_of_it_against_width(made):
    data, _, drawn = made
    axes = drawn["axes"][3]
    assert (axes["x"], axes["y"]) == ("width d", "2T − 1 (effective sample size)")
    for family, shapes in (("d × d", SHAPES[:3]), ("d × 4d", SHAPES[3:])):
        d = [m for m, _ in shapes]
        expected = [critical(*shape) for shape in shapes]
        np.testing.assert_allclose(axes["lines"][f"critical S2, {family}"], np.column_stack([d, expected]), rtol=1e-9)
        found = [transition(data[shape], *shape)[0] for shape in shapes]
        np.testing.assert_allclose(
            axes["lines"][f"measured (overlaps, S3), {family}"], np.column_stack([d, found]), rtol=1e-9
        )


def test_s2_is_met_and_a_threshold_of_another_power_is_not(made):
    """n in place of sqrt(m n) and m n in place of it are told from it."""
    data, _, _ = made
    found = [transition(data[shape], *shape)[0] for shape in SHAPES]
    right, longer, area = (np.log(found / np.array(x)) for x in ([critical(*s) for s in SHAPES],
                           [s[1] / 64 for s in SHAPES], [s[0] * s[1] / 768 / 64 for s in SHAPES]))  # fmt: skip
    assert np.ptp(right) < 0.1
    assert np.max(np.abs(right)) < 0.1
    assert np.ptp(longer) > 0.5
    assert np.ptp(area) > 1


def test_finding_tells_deviations_transitions_and_gaps(made):
    data, finding, drawn = made
    critical_ones = np.array([critical(*shape) for shape in SHAPES])
    far, near = [], []
    for shape, threshold in zip(SHAPES, critical_ones, strict=True):
        samples = data[shape].alignment.values
        off = np.abs(samples.mean(0) - at(alignment, shape, X))
        errors = np.max(off / samples.std(0, ddof=1)) * TRIALS**0.5
        assert f"{off.max():.4f} ({errors:.1f}) at {shape[0]} × {shape[1]}" in finding
        apart = np.abs(data[shape].gap.values.mean(0) / SPIKES[-1] - at(gap, shape, X))
        far.append(apart[threshold * 2 <= X].max())
        near.append(apart[threshold * 2 > X].max())
    assert f"within {100 * max(far):.1f} % of the weakest λ" in finding
    assert f"within {100 * max(near):.1f} % below" in finding
    value, error = np.array([transition(data[shape], *shape) for shape in SHAPES]).T
    ratio, half = value / critical_ones, 1.96 * error / critical_ones
    assert f"is {ratio.min():.3f} to {ratio.max():.3f} of S2's" in finding
    assert f"± {half.min():.3f} to ± {half.max():.3f} of which {np.sum(abs(ratio - 1) <= half)} of 6 contain 1" in finding
    x = np.log([m * n for m, n in SHAPES]) / 2
    line = np.linalg.pinv(np.stack([x, np.ones(6)], 1))[0]
    spread = np.sqrt(line**2 @ (error / value) ** 2)
    assert f"power {line @ np.log(value):.3f} ± {1.96 * spread:.3f} (S2: 1)" in finding
    assert f"from T = {(1 + value.min()) / 2:.1f} to {(1 + value.max()) / 2:.0f}" in finding
    assert "no matrix formed" in drawn["above"]


def test_shapes_share_no_random_numbers(store):
    """The exponent over shapes and its error take them as independent."""
    assert len({result.data.attrs["seed"] for result in store}) == len(SHAPES)


def test_windows_that_miss_the_transition_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"need windows of squared overlap between 0\.3 and 0\.8, got shape=\(768, 768\)"):
        script(NAME).draw(tiny(NAME, tmp_path, trials=2, steps=STEPS, windows=[1]), tmp_path)
