"""The figure of starts: filters are the spec's, debiasing is exact, means stand over S4."""

import numpy as np
import pytest
from harness import script, tiny

from spikesim.sweep.spec import Spec

STARTS = ("zero", "debiased", "first", "Kalman", "rising", "Muon's")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tiny("momentum_warmup", tmp_path_factory.mktemp("store"), trials=10)


def test_filters_are_those_of_the_spec():
    point = Spec.from_toml("experiments/momentum_warmup.toml").points[0]
    pipelines = {str(p): p for p in point.design.pipelines}
    module = script("momentum_warmup")
    assert len(pipelines) == 2 * len(STARTS)
    for start in STARTS:
        for order, i in (("pre", 0), ("post", 1)):
            (made,) = point.design.bank(pipelines[f"{order} {start}"].stages[i].of)
            assert made == module._filter(start, 50.0)


def test_debiasing_adds_what_the_gain_lacks_to_post_polar_and_nothing_to_pre_polar(store, tmp_path, drawn):
    module = script("momentum_warmup")
    outcome = module.draw(store, tmp_path / "figures")
    results = sorted(store, key=lambda r: r.coordinates["run.steps"])
    for r in results:
        x, t = r.data.alignment.isel(window=0), r.coordinates["run.steps"]
        np.testing.assert_allclose(x.sel(pipeline="pre zero"), x.sel(pipeline="pre debiased"), atol=1e-9)
        gain = 1 - 0.98**t
        np.testing.assert_allclose(x.sel(pipeline="post zero"), gain * x.sel(pipeline="post debiased"), atol=1e-12)
        assert abs(float((x.sel(pipeline="pre first") - x.sel(pipeline="pre zero")).mean())) < 1e-9 or t > 1
    for k, order in enumerate(("pre", "post")):
        for start in STARTS:
            mean = [float(r.data.alignment.sel(pipeline=f"{order} {start}").mean()) for r in results]
            np.testing.assert_allclose(drawn["axes"][k]["lines"][start][:, 1], mean)
    assert "zero 146, first 169, Kalman 115" in outcome.details
    x = np.stack([(a.sel(pipeline="pre first") - a.sel(pipeline="pre zero")).values for a in _windowless(results)], 1)
    k = x.mean(0).argmin()
    said = f"starting at the first gradient loses {-x[:, k].mean():.3f} ± {1.96 * x[:, k].std(ddof=1) / 10**0.5:.3f},"
    assert said in outcome.finding
    assert f"at t = {results[k].coordinates['run.steps']} starting" in outcome.finding
    assert len(outcome.finding.split()) <= 60


def _windowless(results):
    return [r.data.alignment.isel(window=0) for r in results]


def test_steps_to_warm_up_are_those_of_n_eff():
    # from zero: (1 - b^t)/(1 + b^t) >= 0.9 where b^t <= 1/19
    assert script("momentum_warmup")._warm("zero", 50.0) == int(np.ceil(np.log(1 / 19) / np.log(0.98)))
