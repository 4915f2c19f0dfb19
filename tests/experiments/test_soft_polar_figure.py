"""The figure of soft polar steps holds errors on trials that the best was not picked on; errors are those of the moments."""

import numpy as np
import pytest
from harness import script, tiny

WINDOWS, TRIALS = [1, 5, 50], 12


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tiny("soft_polar", tmp_path_factory.mktemp("store"), trials=TRIALS, windows=WINDOWS)


def test_the_error_of_each_trial_sums_to_bias_and_variance(store):
    module = script("soft_polar")
    for result in store:
        for pipeline in result.data.pipeline.values:
            whole = (result.data.bias_squared + result.data.variance).sel(pipeline=pipeline).values
            np.testing.assert_allclose(module._samples(result, "error", pipeline).mean(0), whole, rtol=1e-9, atol=1e-9)


def test_an_update_of_zero_has_the_norm_of_the_target_as_its_error(store):
    module = script("soft_polar")
    seen = 0
    for result in store:
        nothing = module._samples(result, "cosine", "hard threshold") == 0
        seen += nothing.sum()
        np.testing.assert_array_equal(module._samples(result, "error", "hard threshold")[nothing], result.model.rank)
    assert seen > 0


def test_the_best_is_picked_on_even_trials_and_read_on_odd_ones(store):
    module = script("soft_polar")
    result = next(iter(store))
    members = [p for p in result.data.pipeline.values if p.startswith("soft ")]
    for w, best in enumerate(module._best(result, "soft")):
        errors = {p: module._samples(result, "error", p)[:, w] for p in members}
        chosen = min(members, key=lambda p: errors[p][::2].mean())
        assert best.parameter == float(chosen.removeprefix("soft "))
        np.testing.assert_array_equal(best.odd["error"], errors[chosen][1::2])
        np.testing.assert_array_equal(best.odd["cosine"], result.data.cosine.sel(pipeline=chosen).values[1::2, w])


def test_panels_hold_the_means_over_an_axis_that_both_noises_share(store, tmp_path, drawn):
    module = script("soft_polar")
    outcome = module.draw(store, tmp_path / "figures")
    finding, details = outcome.finding, outcome.details
    assert drawn["finding"] == finding
    assert len(finding.split()) <= 60
    assert len(drawn["axes"]) == 6
    for axes, group in zip(drawn["axes"][::3], (list(store)[:2], list(store)[2:]), strict=True):
        line = axes["lines"]["exact"]
        assert line[:, 1] == pytest.approx(module._samples(group[0], "error", "exact")[1::2].mean(0))
        x = (2 * np.array(WINDOWS) - 1) / group[0].model.noise.sigma ** 2
        np.testing.assert_allclose(line[:, 0], x * 1.04**-2.5)
    low = next(iter(store))
    exact, best = (low.data.variance.sel(pipeline=p).values[-1] for p in ("exact", module._picked(low, "soft", -1)))
    assert f"variance {exact:.4g} of the exact factor" in details
    assert f"and {best:.2g} of the best soft one" in details
    gains = [
        (result.data.alignment.sel(pipeline=p) - result.data.alignment.sel(pipeline="exact")).mean("trial").values
        for result in store
        for p in result.data.pipeline.values
        if p.startswith(("soft", "power"))
    ]
    assert f"no form in {np.size(gains)} cases raises raw alignment by more than {np.max(gains):.1e}" in details
    assert f"no soft form or power raises alignment by more than {np.max(gains):.1e} ±" in finding


def test_the_finding_has_the_least_errors_at_the_largest_sample(store, tmp_path):
    module = script("soft_polar")
    finding = module.draw(store, tmp_path / "figures").finding
    low, _, full, _ = store
    error = {f: [b.odd["error"] for b in module._best(low, f)] for f in module.FAMILIES}
    least = min(module.FAMILIES[:-1], key=lambda f: round(error[f][-1].mean(), 9))  # those that left the same tie
    won = error[least][-1]
    said = f"{won.mean():.2g} ± {1.96 * won.std(ddof=1) / (TRIALS / 2) ** 0.5:.1g}"
    assert finding.startswith(f"For S of rank 2, {module._name(least)} has the least squared error")
    assert f"{said}, exact {error['exact'][-1].mean():.3g})" in finding
    exact = module._best(full, "exact")[-1].odd["error"]
    changes = [(module._best(full, f)[-1].odd["error"] - exact).mean() for f in ("soft", "power", "hard threshold", "shrunk")]
    assert f"changes exact's by {min(changes):+.1g} ±" in finding


def test_the_largest_width_is_said_to_be_so_where_it_is_best(store):
    module = script("soft_polar")
    group = list(store)[:2]
    largest = max(float(p.split()[1]) for p in module._members(group[0], "soft"))
    module._best = lambda *_: [module.Best(largest, {})] * len(WINDOWS)
    assert module._width(group).count(f"(ε = {largest:g}, the largest tried)") == 3
    module._best = lambda *_: [module.Best(largest / 2, {})] * len(WINDOWS)
    assert "tried" not in module._width(group)
