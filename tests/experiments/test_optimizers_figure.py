"""The figure of optimizers holds means of updates of spectral norm 1; its finding is of paired differences from Muon."""

import numpy as np
import pytest
from harness import script, table, tiny
from scipy import stats

import spikesim as ss

WINDOWS, TRIALS = [2, 8, 32], 6


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tiny("optimizers", tmp_path_factory.mktemp("store"), trials=TRIALS, steps=12, windows=WINDOWS)


def samples(result, name, pipeline):
    return result.data[name].sel(pipeline=pipeline).transpose("trial", "window").values


def test_every_update_has_spectral_norm_1():
    """QR and polar factors by themselves, the others by their last stage."""
    gradients = np.random.default_rng(3).standard_normal((12, 24, 24))
    for text in table("optimizers")["run"]["pipelines"]:
        a = ss.last_update(ss.Pipeline.from_text(text), gradients, 8.0)
        assert np.linalg.norm(a, 2) == pytest.approx(1, abs=1e-6), text


def test_dots_are_the_means_in_the_order_of_alignment(store, tmp_path, drawn):
    module = script("optimizers")
    module.draw(store, tmp_path / "figures")
    first = next(iter(store))
    order = module._order(first)
    last = [samples(first, "alignment", p)[:, -1].mean() for p in order]
    assert last == sorted(last)
    for row, result in zip((drawn["axes"][:3], drawn["axes"][3:]), store, strict=True):
        for axes, name in zip(row, ("alignment", "cosine"), strict=False):
            dots = np.array([samples(result, name, p).mean(0) for p in order])
            for w, t in enumerate(WINDOWS):
                np.testing.assert_allclose(axes["lines"][f"T = {t}"][:, 0], dots[:, w])


def test_the_finding_is_of_joint_paired_differences_from_muon(store, tmp_path):
    outcome = script("optimizers").draw(store, tmp_path / "figures")
    assert len(outcome.finding.split()) <= 60
    said = {}
    level = stats.t.ppf(1 - 0.05 / (2 * 48), TRIALS - 1)
    for result in store:
        for name in ("alignment", "cosine"):
            ahead, best = 0, (-np.inf, "", 0.0)
            for p in result.data.pipeline.values:
                if p in ("Muon, exact", "Shampoo, no memory"):
                    continue
                d = (samples(result, name, p) - samples(result, name, "Muon, exact"))[:, -1]
                half = level * d.std(ddof=1) / TRIALS**0.5
                ahead += d.mean() > half
                best = max(best, (d.mean(), p, half))
            top = f"(the best, {best[1]}: {best[0]:+.3f} ± {best[2]:.1g})"
            assert f"by {name} {ahead} of 12 others {top}" in outcome.details
            said.setdefault(name, []).append((ahead, top))
    (white, top), (other, _) = said["alignment"]
    assert f"alignment is passed by {white} of 12 others under white noise {top} and {other} under" in outcome.finding
    (white, top), (other, _) = said["cosine"]
    assert f"cosine with O(S) by {white} and {other} {top}." in outcome.finding


def test_a_plain_average_has_the_contrast_of_its_spikes(store):
    """SGD's o_k is in proportion to lambda_k but for noise: sum lambda^2 r / (sum lambda)^2."""
    module = script("optimizers")
    result = next(iter(store))
    assert module._plain(result) == pytest.approx(4 * (64 + 16 + 4 + 1) / 15**2)
    ratio, error = module._contrast(result, "momentum SGD")
    above, below = (samples(result, n, "momentum SGD").mean(0) for n in ("alignment", "projection"))
    np.testing.assert_allclose(ratio, above / below)
    assert np.all(error > 0)
