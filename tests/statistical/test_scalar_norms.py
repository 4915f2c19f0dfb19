"""Method "scalars" has the stream's law at every window, and its chi-squares are independent chi-squares.

Family-wise error 1e-3 over N = 15 p-values (Bonferroni); seeds and sizes are fixed. The two methods are given different
seeds, as with one seed they share their scalars. Negative controls must be rejected at the same level.
"""

import numpy as np
import pytest
from family import Family
from scipy import stats

import spikesim as ss

FAMILY = Family(error=1e-3, size=15)
WINDOWS, STEPS, TRIALS = [1, 5, 20], 12, 4000  # 12 steps: the start still shows at window 20
LAWS = [ss.Gaussian(2.0), ss.Radial(2.1, 2.0), ss.Contaminated(0.1, 20.0, 2.0), ss.ScaleMixture(0.2, 5.0, 2.0)]


def norms(noise, method, seed, shape=(3, 5), steps=STEPS):
    """(trials, windows)."""
    data = ss.simulate(
        ss.SpikedModel(shape, (3.0,), noise), windows=WINDOWS, trials=TRIALS, steps=steps, seed=seed, method=method,
        joint=False, pipelines=["pre-polar"], observables="noise_fro",
    )  # fmt: skip
    return data.noise_fro.values


def same(a, b):
    """Two-sample KS, one p-value a window."""
    return np.array([stats.ks_2samp(x, y, method="asymp").pvalue for x, y in zip(a.T, b.T, strict=True)])


@pytest.mark.parametrize("noise", LAWS, ids=repr)
def test_norms_have_the_streams_law(noise):
    stream = norms(noise, "stream", 30)
    FAMILY.hold(same=same(stream, norms(noise, "scalars", 31)))
    assert FAMILY.rejects(same(stream, 1.1 * norms(noise, "scalars", 31))[2])
    assert FAMILY.rejects(same(stream, norms(noise, "scalars", 31, steps=300))[2])  # steady state


def test_a_wrong_number_of_entries_or_scale_of_wrong_duration_is_rejected():
    gaussian, mixture = ss.Gaussian(2.0), ss.ScaleMixture(0.2, 5.0, 2.0)
    assert FAMILY.rejects(same(norms(gaussian, "stream", 30), norms(gaussian, "scalars", 31, shape=(2, 7)))[0])
    once = same(norms(mixture, "stream", 30), norms(ss.Contaminated(0.2, 5.0, 2.0), "scalars", 31))
    FAMILY.hold(first=once[0])  # one step of either is the same
    assert FAMILY.rejects(once[2])


def test_chi_squares_are_chi_square_and_independent_over_trials():
    squares = norms(ss.Gaussian(2.0), "scalars", 32)[:, 0] ** 2 / 4
    u = stats.chi2(15).cdf(squares)
    score = (u - 0.5) * 12**0.5

    def correlation(a, b):
        return 2 * stats.norm.sf(abs(np.sum(a * b)) / a.size**0.5)

    FAMILY.hold(law=stats.kstest(u, "uniform").pvalue, trials=correlation(score[::2], score[1::2]))
    assert FAMILY.rejects(stats.kstest(stats.chi2(14).cdf(squares), "uniform").pvalue)
    assert FAMILY.rejects(correlation(score[::2], 0.15 * score[::2] + score[1::2]))


def test_one_scale_a_run_reaches_the_radius_of_theorem_one_as_often_as_chebyshev_allows():
    """B1: P(‖N‖_F > eps) <= (2T - 1)^(-1/2) for every BVMZOS noise; here it is that at 0.9 eps, to binomial error."""
    window, trials, least = 13, 4000, 0.2  # (2 * 13 - 1)^(-1/2)

    def beyond(law):
        model = ss.SpikedModel((40, 40), (3.0,), law(least, 1e3))
        data = ss.simulate(model, windows=[window], trials=trials, seed=33, method="scalars", joint=False)
        return int(np.sum(data.noise_fro > 0.9 * model.eta**0.5 * (2 * window - 1) ** -0.25))

    assert stats.binom.cdf(beyond(ss.ScaleMixture), trials, least) > 1e-6
    assert stats.binom.cdf(beyond(ss.Contaminated), trials, least) < 1e-6
