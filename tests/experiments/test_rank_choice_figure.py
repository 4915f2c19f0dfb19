"""The figure of ranks holds means over T and the best k with its interval; spikes past their threshold are S2's."""

import numpy as np
import pytest
from harness import script, tiny

WINDOWS, TRIALS = [1, 8, 64], 20


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tiny("rank_choice", tmp_path_factory.mktemp("store"), trials=TRIALS, windows=WINDOWS)


def samples(result, name, pipeline):
    return result.data[name].sel(pipeline=pipeline).transpose("trial", "window").values


def test_spikes_leave_the_bulk_where_their_square_passes_the_noise(store):
    """lambda^2 > sigma^2 sqrt(m n) / (2T - 1)."""
    module = script("rank_choice")
    for result in store:
        x, spikes = 2 * np.array(WINDOWS) - 1.0, np.array(result.model.spikes)
        past = (spikes**2 * 1.0001 > result.model.shape[0] / x[:, None]).sum(1)
        np.testing.assert_array_equal(module._past(result, x), np.clip(past, 1, 8))
    assert [tuple(module._past(r, 2 * np.array(WINDOWS) - 1.0)) for r in store] == [(1, 2, 3), (1, 3, 8), (1, 3, 8)]


def test_cosine_with_the_signal_is_that_of_a_partial_isometry(store):
    module = script("rank_choice")
    for result in store:
        spikes = np.array(result.model.spikes)
        ranks = np.arange(1, 9)[:, None, None]
        dots = np.stack([samples(result, "alignment", f"rank {k}") for k in range(1, 9)]) * spikes.sum()
        np.testing.assert_allclose(module._to_signal(result), dots / (np.sqrt(ranks) * np.sqrt(np.sum(spikes**2))))


def test_panels_hold_the_means_and_the_best_k(store, tmp_path, drawn):
    script("rank_choice").draw(store, tmp_path / "figures")
    first = next(iter(store))
    for axes, name in zip(drawn["axes"], ("cosine", "alignment"), strict=False):
        for pipeline, label in (("rank 1", "k = 1"), ("full", "full"), ("hard threshold", "hard threshold")):
            np.testing.assert_allclose(axes["lines"][label][:, 1], samples(first, name, pipeline).mean(0))
    for result in store:
        means = [samples(result, "cosine", f"rank {k}").mean(0) for k in range(1, 9)]
        best = drawn["axes"][2]["lines"][result.coordinates["name"]]
        np.testing.assert_array_equal(best[:, 1], 1 + np.argmax(means, axis=0))


def test_the_finding_has_the_best_k_and_what_others_cost(store, tmp_path):
    module = script("rank_choice")
    outcome = module.draw(store, tmp_path / "figures")
    finding, details = outcome.finding, outcome.details
    assert len(finding.split()) <= 60
    first, *laws = store
    means = [samples(first, "cosine", f"rank {k}").mean(0) for k in range(1, 9)]
    said = ", ".join(f"{1 + np.argmax(m)} at T = {t}" for m, t in zip(np.transpose(means), WINDOWS, strict=True))
    assert f"is {said}, the number" in details
    d = (samples(first, "cosine", "rank 8") - samples(first, "cosine", "rank 3"))[:, -1]
    assert f"{d.mean():+.3f} ± {1.96 * d.std(ddof=1) / TRIALS**0.5:.1g}" in details
    behind = np.max(means, axis=0) - samples(first, "cosine", "hard threshold").mean(0)
    assert f"behind the best k by {behind.max():.3f} at T = {WINDOWS[behind.argmax()]}" in details
    x = 2 * np.array(WINDOWS) - 1.0
    equal = (1 + np.argmax(means, axis=0) == module._past(first, x))[1:].sum()
    assert f"past threshold (S2) at {equal} of {len(WINDOWS) - 1} windows for three spikes" in finding
    full = (samples(first, "cosine", "full") - samples(first, "cosine", "rank 3"))[:, -1]
    assert f"(the full factor {full.mean():+.3f} ± {1.96 * full.std(ddof=1) / TRIALS**0.5:.1g} against it" in finding
    best = 1 + np.argmax([samples(laws[-1], "cosine", f"rank {k}").mean(0)[1] for k in range(1, 9)])
    assert f"but {best} [" in finding
    assert f"where {module._past(laws[-1], x)[1]} of a power law are past" in finding
