"""The map of rare gradients holds paired differences, and its finding counts those that are sure."""

import numpy as np
import pytest
from harness import script, tiny
from scipy import stats

TRIALS, WINDOWS = 30, [2, 20]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tiny("rare_gradients", tmp_path_factory.mktemp("store"), trials=TRIALS, steps=60, windows=WINDOWS)


def test_images_are_paired_differences_and_the_finding_counts_sure_ones(store, tmp_path, drawn):
    outcome = script("rare_gradients").draw(store, tmp_path / "figures")
    p, factor = [0.02, 0.06, 0.2], [3.0, 30.0, 300.0]
    at = {(r.coordinates["noise.p"], r.coordinates["noise.factor"]): r.data.alignment for r in store}
    samples = np.array(
        [[(at[a, b].sel(pipeline="pre-polar") - at[a, b].sel(pipeline="post-polar")).values for b in factor] for a in p]
    )
    mean, error = samples.mean(2), samples.std(2, ddof=1) / TRIALS**0.5
    for k in range(2):
        np.testing.assert_allclose(drawn["axes"][k]["images"][0], mean[..., k])
    judged = np.array([[TRIALS * (1 - (1 - a) ** t) >= 10 for t in WINDOWS] for a in p])
    assert 0 < judged.sum() < judged.size
    total = judged.sum() * 3
    limit = stats.t.ppf(1 - 0.05 / 2 / (2 * 5 * total), TRIALS - 1)
    below = ((mean < -limit * error) & judged[:, None]).sum()
    assert below > 0
    assert f"of {total} judged cells, ahead of pre-polar are post-polar in {below} (" in outcome.details
    sure = np.broadcast_to(judged[:, None], mean.shape)
    i = np.where(sure, mean, np.inf).argmin()
    assert "is not the better order" in outcome.finding
    assert f"in {below} of {total} judged cells" in outcome.finding
    assert f"by up to {-mean.flat[i]:.3f} ± {(limit * error).flat[i]:.3f}, and in " in outcome.finding
    assert len(outcome.finding.split()) <= 60


def test_crossing_is_log_linear_and_the_last_one():
    factor = np.array([1.0, 10, 100, 1000])
    rows = np.array([[0.3, 0.1, -0.1, -0.2], [0.1, 0.2, 0.3, 0.4], [0.1, -0.1, 0.3, -0.1]])
    found = script("rare_gradients")._crossing(factor, rows)
    np.testing.assert_allclose(found[[0, 2]], [10**1.5, 100 * 10**0.75])
    assert np.isnan(found[1])


def test_clipping_is_at_multiples_of_the_clean_norm():
    from spikesim.sweep.spec import Spec

    for quick in (False, True):
        point = Spec.from_toml("experiments/rare_gradients.toml", quick).points[0]
        (m, n), (spike,) = point.model.shape, point.model.spikes
        clean = (spike**2 + point.model.noise.sigma**2 * m * n) ** 0.5
        norms = [p.stages[0].norm for p in point.design.pipelines if str(p).startswith("clipped")]
        np.testing.assert_allclose(norms, [2 * clean, 5 * clean], rtol=1e-3)
