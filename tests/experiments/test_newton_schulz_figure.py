"""The figure of Newton-Schulz iterations holds residuals and paired differences; its finding is of the data."""

import numpy as np
import pytest
from harness import script, tiny

WINDOWS, TRIALS = [1, 16, 256], 6


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tiny("newton_schulz", tmp_path_factory.mktemp("store"), trials=TRIALS, windows=WINDOWS)


def samples(store, name, pipeline):
    (result,) = store
    return result.data[name].sel(pipeline=pipeline).transpose("trial", "window").values


def test_every_iteration_runs_as_published_in_three_types_and_with_other_numbers_of_steps(store):
    (result,) = store
    module = script("newton_schulz")
    names = set(result.data.pipeline.values)
    for iteration in module.ITERATIONS:
        assert {f"{iteration}, {d}" for d in ("float64", "float32", "bfloat16")} <= names
        assert {f"{iteration}, {k} steps" for k in module.STEPS} | {f"{iteration} over its norm"} <= names


def test_panels_hold_residuals_paired_differences_cosines_and_steps(store, tmp_path, drawn):
    module = script("newton_schulz")
    module.draw(store, tmp_path / "figures")
    residual, alignment, cosine, steps = (axes["lines"] for axes in drawn["axes"])
    x = 2 * np.array(WINDOWS) - 1
    exact = samples(store, "alignment", "exact")
    for name, published in module.ITERATIONS.items():
        own = f"{name}, float64"
        np.testing.assert_allclose(residual[name], np.column_stack([x, samples(store, "residual", own).mean(0)]))
        np.testing.assert_allclose(alignment[f"_{name}, raw"][:, 1], (samples(store, "alignment", own) - exact).mean(0))
        scaled = samples(store, "alignment", f"{name} over its norm") - exact
        np.testing.assert_allclose(alignment[f"_{name}, over its norm"][:, 1], scaled.mean(0))
        ratio = samples(store, "cosine", own) / samples(store, "cosine", "exact")
        np.testing.assert_allclose(cosine[f"_{name}"][:, 1], ratio.mean(0))
        line = steps[f"_{name}"]
        assert published in line[:, 0]
        for k, value in line:
            pipeline = own if k == published else f"{name}, {k:g} steps"
            assert value == pytest.approx((samples(store, "alignment", pipeline) - exact)[:, 1].mean(), abs=1e-12)
    np.testing.assert_allclose(alignment["exact at T/16"][:, 1], (exact[:, :-1] - exact[:, 1:]).mean(0))
    assert [axes["x"] for axes in drawn["axes"]] == ["2T − 1 (effective sample size)"] * 3 + ["steps of the iteration"]
    assert "colours and marks are those of the first panel" in drawn["above"]


def significant(x) -> float:
    return x.mean() / (x.std(ddof=1) / TRIALS**0.5)


def test_the_finding_says_what_gets_worse_from_the_shortest_to_the_longest_window(store, tmp_path, drawn):
    module = script("newton_schulz")
    finding = module.draw(store, tmp_path / "figures").finding
    assert len(finding.split()) <= 60
    assert drawn["finding"] == finding
    exact, change, counts = samples(store, "alignment", "exact"), {}, np.zeros(3, int)
    for name in module.ITERATIONS:
        residual, alignment, cosine = (samples(store, n, f"{name}, float64") for n in ("residual", "alignment", "cosine"))
        change[name] = (alignment - exact)[:, -1] - (alignment - exact)[:, 0]
        ratio = (cosine / samples(store, "cosine", "exact"))[:, -1]
        rises = significant(residual[:, -1] - residual[:, 0]) > 1.96
        counts += [rises, significant(change[name]) < -1.96, significant(ratio - 1) > 1.96]
    assert f"From T = 1 to 256 the residual rises for {counts[0]} of 5 iterations" in finding
    most = min(change, key=lambda name: change[name].mean())
    ends = [f"{d.mean():+.3f} ± {1.96 * d.std(ddof=1) / TRIALS**0.5:.1g}"
            for d in (samples(store, "alignment", f"{most}, float64") - exact)[:, [0, -1]].T]  # fmt: skip
    assert f"the exact step's for {counts[1]} ({most} most, {ends[0]} to {ends[1]})" in finding
    ratio = (samples(store, "cosine", f"{most}, float64") / samples(store, "cosine", "exact"))[:, -1]
    assert f"ends above it for {counts[2]} ({most} {ratio.mean():.2f} ±" in finding


def test_the_details_have_differences_precision_and_cosines(store, tmp_path):
    details = script("newton_schulz").draw(store, tmp_path / "figures").details
    d = (samples(store, "alignment", "muon, float64") - samples(store, "alignment", "exact"))[:, 1]
    assert f"muon {d.mean():+.3f} ± {1.96 * d.std(ddof=1) / TRIALS**0.5:.1g}" in details
    iterations = script("newton_schulz").ITERATIONS
    half = [
        (samples(store, "cosine", f"{n}, bfloat16") - samples(store, "cosine", f"{n}, float64")).mean(0) for n in iterations
    ]
    assert f"{np.ravel(half)[np.abs(half).argmax()]:+.1g} ±" in details
    ratio = samples(store, "cosine", "cubic, float64").mean(0) / samples(store, "cosine", "exact").mean(0)
    assert f"the cosine is then cubic {ratio[-1]:.2f}" in details
    left = (samples(store, "alignment", "aol, 20 steps") - samples(store, "alignment", "exact")).mean(0)
    assert f"aol {np.abs(left).max():.1g}." in details
