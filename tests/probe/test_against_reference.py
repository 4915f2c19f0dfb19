"""The probe against a slow reference that was written from the page alone (reference.py)."""

import numpy as np
import pytest
import recordings
import slow_probe as reference

import spikesim as ss
from spikesim import rng
from spikesim.probe import plan

READINGS, SEED = 20, 3
RANKS = (1, 2)

CASES = [
    ("stationary", (4, 7), "Gaussian", None, 0.0),
    ("stationary", (6, 6), "heavy", (1.5, 4), 0.0),
    ("stationary", (24, 40), "Gaussian", (1, 5), 0.0),
    ("stationary", (7, 4), "signs", (1, 2.5, 5), 0.0),
    ("trajectory", (7, 4), "Gaussian", None, 0.02),
    ("trajectory", (6, 6), "moving average", (1, 5), 0.0),
    ("trajectory", (4, 7), "heavy", (2, 3.3), 0.05),
]


def same(found, wanted, scale=0.0):
    """To 1e-9 of the larger of the numbers themselves and a scale they are differences of."""
    np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-9 * scale)


class Both:
    """A probe, and the reference's passes (one list a window)."""

    def __init__(self, kind, shape, law, windows, turn):
        self.gradients, self.kind = recordings.recorded(shape, 61, law, turn), kind
        self.probe = ss.probe(self.gradients, kind=kind, windows=windows, ranks=RANKS, readings=READINGS, seed=SEED)
        self.windows = self.probe.asked.windows
        self.phi = self.probe.noise.correlation  # 0 unless it is told from 0
        leads = plan.leads_of(kind, len(self.gradients), phi=self.phi)
        runs = plan.passes(kind, len(self.gradients), self.windows, READINGS, SEED, leads)
        self.passes = [[reference.Pass(self.gradients, run, t, self.middle(run)) for run in runs] for t in self.windows]

    def middle(self, run):
        """Stationary: the mean of all. Trajectory: of the last 4 T_max gradients."""
        if self.kind == "stationary":
            return lambda _: self.gradients.mean(0)
        length = round(4 * self.windows[-1])
        return lambda i: self.gradients[run.steps[: run.reads[i]][-length:]].mean(0)

    def mean(self, of):
        """A number of each pass, averaged over the orders, with the window first."""
        return np.array([np.mean([of(one) for one in runs], axis=0) for runs in self.passes])


@pytest.fixture(scope="module", params=CASES, ids=lambda case: f"{case[0]}-{case[2]}-{case[1][0]}x{case[1][1]}")
def both(request):
    return Both(*request.param)


def four(both, name):
    """A variable of the four pipelines, with the window first."""
    return both.probe.data[name].sel(pipeline=list(reference.PIPELINES)).transpose("window", "pipeline", ...).values


def test_what_is_held_out(both):
    same(four(both, "decrease"), both.mean(lambda one: one.decrease()), 1)
    errors = both.mean(lambda one: reference.spread([one.decrease(b) for b in range(10)]))
    same(four(both, "decrease_error"), errors, 1)
    same(four(both, "alignment"), four(both, "decrease") / both.probe.curve.nuclear, 1)


def test_what_is_in_the_buffer(both):
    same(four(both, "alignment_in_buffer"), both.mean(lambda one: one.inside().mean(0)), 1)
    same(four(both, "alignment_in_buffer_error"), both.mean(lambda one: reference.spread(one.ten(one.inside()))), 1)


def test_singular_values_and_what_filters_do_to_them(both):
    found = both.probe.data
    same(four(both, "singular_values"), both.mean(lambda one: one.spectrum().mean(0)))
    same(four(both, "singular_values_error"), both.mean(lambda one: reference.spread(one.ten(one.spectrum()))), 1)
    same(found.gradient_values, both.mean(lambda one: one.newest().mean(0))[0])
    ratios = both.mean(lambda one: one.spectrum()[:, 0].mean(0) / one.newest().mean(0))
    same(found.filtering_ratio, ratios)
    same(found.suppression, ratios[:, min(both.probe.rank, ratios.shape[1] - 1)])


@pytest.mark.parametrize("side", ["left", "right"])
def test_sines_against_the_noisy_mean_and_without_its_noise(both, side):
    exist = [t > 1 or p in ("pre-polar", "polar-only") for t in both.windows for p in reference.PIPELINES]
    exist = np.reshape(exist, (len(both.windows), -1))
    for i, rank in enumerate(RANKS):
        held = both.mean(lambda one, rank=rank: one.sines(rank, side).mean(0))
        same(four(both, f"sin_theta_{side}_held_out")[..., i], np.where(exist, held, np.nan), 1)

        def freed(one, rank=rank):
            squares, between = (one.sines(rank, side) ** 2).mean(0), one.halves(rank, side).mean()
            return reference.corrected(squares, between) * np.ones(4)

        same(four(both, f"sin_theta_{side}")[..., i], np.where(exist, both.mean(freed), np.nan), 1e2)


def test_signal_noise_and_what_they_share(both):
    signal, eta, phi = reference.moments(both.gradients, both.kind)
    noise, (m, n) = both.probe.noise, both.gradients.shape[1:]
    same([noise.signal.value, noise.eta.value], [signal, eta], eta + signal)
    same([noise.sigma.value, noise.snr.value], [np.sqrt(eta / (m * n)), signal / eta])
    same(noise.autocorrelation.value, phi, 1)
    energy = both.mean(lambda one: one.energy().mean())
    shared = both.phi if both.kind == "trajectory" else 0.0  # random orders leave none of it in a buffer
    kept = [reference.persistence(e, eta, signal, t, shared) for e, t in zip(energy, both.windows, strict=True)]
    same(both.probe.persistence, kept)


def test_tails(both):
    d = reference.differences(both.gradients)
    noise = both.probe.noise
    same(1 / noise.tail_entries.alpha, reference.inverse_hill(d, 60), 1)  # 60, the fewest; signs are all as large: inf
    same(1 / noise.tail_steps.alpha, reference.inverse_hill(np.linalg.norm(d, axis=(1, 2)), 5))


def test_ranks_and_spikes(both):
    found, gradients, shape = both.probe, both.gradients, both.gradients.shape[1:]
    _, eta, _ = reference.moments(gradients, both.kind)
    sigma = np.sqrt(eta / np.prod(shape))
    if both.kind == "stationary":
        values, n_eff, kept = np.linalg.svd(gradients.mean(0), compute_uv=False), len(gradients), 1.0
        n_eff *= (1 - both.phi) / (1 + both.phi)
    else:
        best = both.mean(lambda one: one.decrease())[:, 0].argmax()
        values, n_eff = (
            both.mean(lambda one: one.spectrum().mean(0))[best, 0],
            1 / reference.factor(both.windows[best], both.phi),
        )
        kept = reference.remaining(both.windows[best], np.nan_to_num(found.noise.drift.value))
    signs = rng.generator(SEED, rng.PROBE, 1).choice([-1.0, 1.0], (8, len(gradients) // 2))
    edges, s = reference.null_edges(gradients, signs) / np.sqrt(1 - both.phi), sigma / np.sqrt(n_eff)
    counts = reference.ranks(values, shape, s, edges.max() / np.sqrt(n_eff))
    assert counts == (found.ranks.bulk_edge, found.ranks.hard_threshold, found.ranks.signed_noise)
    same(found.ranks.anisotropy, edges.mean() / (sigma * np.sum(np.sqrt(shape))))
    kept_values = values[: min(counts[0], counts[2])]
    same(found.spikes, reference.spikes(kept_values, shape, s) / kept)
