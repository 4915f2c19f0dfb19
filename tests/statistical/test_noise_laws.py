"""Every noise law against its textbook law: distribution, tails, moments, independence, what a recursion promises.

Family-wise error 1e-3 over N = 562 p-values (Bonferroni): seeds and sizes are fixed, nothing is drawn again. Every
statistic has a negative control that the same function must reject at the same level.

Entries are symmetric, so a law is the survival function of |x| and a fair sign that does not depend on it. U =
P(|X| > |x|) is then uniform, whatever moments exist, and serves as the bounded score of sizes. Moments E x^k are tested
in standard errors where E x^4k is finite, so that their sums are normal as far out as the level asks.
"""

from functools import cache
from zlib import crc32

import numpy as np
import pytest
from family import Family
from scipy import stats
from scipy.special import gamma

import spikesim as ss
from spikesim import rng
from spikesim.samplers.stream import Stream

FAMILY = Family(error=1e-3, size=562)
SEED = 1
TAILS = 1e-3, 1e-4, 1e-5
NONE = np.array([])


def seed(noise):
    """Every law has words of its own."""
    return crc32(repr(noise).encode())


def stream(noise, trials=4, shape=(16, 16)):
    return Stream(ss.SpikedModel(shape, 1.0, noise), seed(noise), range(trials), NONE, np.float64)


def drawn(noise, steps=1024, trials=4, shape=(16, 16)):
    """(trials, steps, entries): 2^20 numbers unless told otherwise."""
    return stream(noise, trials, shape).advance(steps, keep=True).reshape(trials, steps, -1)


# p-values


def marginal(x, survival):
    """KS of U, tail counts of U, fairness of the sign, sign against size."""
    u, positive = survival(np.abs(x)).ravel(), x.ravel() > 0
    tails = [stats.binomtest(int(np.sum(u < q)), u.size, q).pvalue for q in TAILS]
    sign = stats.binomtest(int(positive.sum()), u.size).pvalue
    return np.array([ks(u), *tails, sign, correlation(2 * positive - 1, centred(u))])


def ks(u):
    return stats.kstest(u.ravel(), "uniform", method="asymp").pvalue


def centred(u):
    """A uniform, to mean 0 and variance 1."""
    return (u - 0.5) * 12**0.5


def correlation(a, b):
    """Scores of mean 0 and variance 1 are uncorrelated."""
    return 2 * stats.norm.sf(abs(np.sum(a * b)) / np.size(a) ** 0.5)


def moment(x, power, mean, mean_of_square):
    """E x^power = mean, where E x^(2 power) is known."""
    z = (np.mean(x**power) - mean) / ((mean_of_square - mean**2) / x.size) ** 0.5
    return 2 * stats.norm.sf(abs(z))


def neighbours(s):
    """Pairs of (trials, steps, entries): within and across the 2 x 2 groups that share a counter, and across trials."""
    pairs = [
        (s[:, ::2], s[:, 1::2]),
        (s[:, 1:-1:2], s[:, 2::2]),
        (s[:, :, ::2], s[:, :, 1::2]),
        (s[:, :, 1:-1:2], s[:, :, 2::2]),
        (s[:, ::2, ::2], s[:, 1::2, 1::2]),
        (s[:, ::2, 1::2], s[:, 1::2, ::2]),
        (s[::2], s[1::2]),
    ]
    return [(a, b) for a, b in pairs if a.size and b.size]


def independence(*scores):
    """No score is correlated between neighbours."""
    return np.array([correlation(a, b) for s in scores for a, b in neighbours(s)])


def joint(u):
    """Pairs of neighbouring uniforms fill the square evenly: chi-square on 16 x 16 cells."""
    counts = [np.histogram2d(a.ravel(), b.ravel(), 16, [(0, 1), (0, 1)])[0] for a, b in neighbours(u)]
    return np.array([stats.chisquare(c.ravel()).pvalue for c in counts])


def sizes_and_signs(x, survival):
    return centred(survival(np.abs(x))), np.sign(x)


def size_ranks(x):
    """Sizes as scores where no law is at hand."""
    return centred(stats.rankdata(np.abs(x)).reshape(x.shape) / x.size)


# Laws


def two_sided(law):
    return lambda x: 2 * law.sf(x)


def t_law(df, sigma):
    return two_sided(stats.t(df, scale=sigma * ((df - 2) / df) ** 0.5 if df > 2 else sigma))


def pareto_law(alpha, sigma):
    return stats.pareto(alpha, scale=sigma * ((alpha - 2) / alpha) ** 0.5 if alpha > 2 else sigma).sf


def mixture_law(p, factor, sigma, separation=0.0):
    """|x| of (1 - p) N(+-separation, 1) + p N(+-separation, factor^2), scaled to sigma."""
    unit = sigma / ((1 - p) + p * factor**2 + separation**2) ** 0.5

    def survival(x):
        parts = [(1 - p, stats.norm(separation)), (p, stats.norm(separation, factor))]
        return sum(weight * (law.sf(x / unit) + law.cdf(-x / unit)) for weight, law in parts)

    return survival


@cache
def stable_table(alpha):
    x = np.geomspace(0.01, 100, 1000)  # where scipy's quadrature holds 12 digits
    return np.append(0, x), np.append(1, 2 * stats.levy_stable.sf(x, alpha, 0))


def stable_law(alpha, scale):
    """scipy's table up to 100, Bergstrom's series of the tail beyond."""

    def survival(x):
        x = x / scale
        k = np.arange(1, 5)
        c = 2 / np.pi * np.cumprod(-1 / k) * -gamma(k * alpha) * np.sin(k * np.pi * alpha / 2)
        far = np.polynomial.Polynomial([0, *c])(np.maximum(x, 100) ** -alpha)
        return np.where(x > 100, far, np.interp(x, *stable_table(alpha)))

    return survival


LAWS = [
    (ss.Gaussian(2.0), two_sided(stats.norm(scale=2))),
    (ss.StudentT(2.1, 2.0), t_law(2.1, 2)),
    (ss.StudentT(3.0, 2.0), t_law(3, 2)),
    (ss.StudentT(10.0, 2.0), t_law(10, 2)),
    (ss.StudentT(1.0, 2.0), two_sided(stats.cauchy(scale=2))),
    (ss.SymmetricPareto(2.1, 2.0), pareto_law(2.1, 2)),
    (ss.SymmetricPareto(3.0, 2.0), pareto_law(3, 2)),
    (ss.SymmetricPareto(1.0, 2.0), pareto_law(1, 2)),
    (ss.Laplace(2.0), two_sided(stats.laplace(scale=2**0.5))),
    (ss.Mixture(0.1, 10.0, 2.0), mixture_law(0.1, 10, 2)),
    (ss.Mixture(0.02, 0.01, 2.0), mixture_law(0.02, 0.01, 2)),
    (ss.Mixture(0.3, 3.0, 2.0, 2.5), mixture_law(0.3, 3, 2, 2.5)),
    (ss.AlphaStable(0.7, 2.0), stable_law(0.7, 2)),
    (ss.AlphaStable(1.0, 2.0), two_sided(stats.cauchy(scale=2))),
    (ss.AlphaStable(1.5, 2.0), stable_law(1.5, 2)),
]


def name(x):
    return repr(x) if isinstance(x, ss.noise.Noise) else ""


@pytest.mark.parametrize(("noise", "survival"), LAWS, ids=name)
def test_entries_follow_their_law_independently(noise, survival):
    x = drawn(noise)
    FAMILY.hold(marginal=marginal(x, survival), independence=independence(*sizes_and_signs(x, survival)))


WRONG = [
    (ss.Gaussian(1.0), two_sided(stats.norm(scale=1.01))),
    (ss.StudentT(3.0), t_law(3.2, 1)),
    (ss.StudentT(1.0), two_sided(stats.cauchy(scale=1.01))),
    (ss.SymmetricPareto(2.1), pareto_law(2.11, 1)),
    (ss.SymmetricPareto(3.0), pareto_law(3.05, 1)),
    (ss.Laplace(1.0), two_sided(stats.laplace(scale=1.01 * 0.5**0.5))),
    (ss.Mixture(0.1, 10.0), mixture_law(0.1, 10.2, 1)),
    (ss.Mixture(0.1, 10.0), mixture_law(0.102, 10, 1)),
    (ss.Mixture(0.3, 3.0, 1.0, 2.5), mixture_law(0.3, 3, 1, 2.52)),
    (ss.Mixture(0.3, 3.0, 1.0, 2.5), mixture_law(0.3, 3, 1)),
    (ss.AlphaStable(0.7), stable_law(0.71, 1)),
    (ss.AlphaStable(1.5), stable_law(1.53, 1)),
]


@pytest.mark.parametrize(("noise", "survival"), WRONG, ids=name)
def test_slightly_wrong_laws_are_rejected(noise, survival):
    assert FAMILY.rejects(marginal(drawn(noise, steps=2048), survival))


def test_cut_tails_and_unfair_signs_are_rejected():
    survival = t_law(2.1, 1)
    x = drawn(ss.StudentT(2.1))
    cut = x[survival(np.abs(x)) > 1e-4]
    body, *tails = marginal(cut, survival)[:4]
    assert FAMILY.rejects(tails)
    assert not FAMILY.rejects(body)  # KS is blind to tails
    unfair = np.where(np.arange(x.size).reshape(x.shape) % 100, x, np.abs(x))
    assert FAMILY.rejects(marginal(unfair, survival)[4])
    odd = np.where(survival(np.abs(x)) < 0.01, np.abs(x), x)  # large ones all positive
    assert FAMILY.rejects(marginal(odd, survival)[5])


COPIES = {  # to, from
    "steps of a group": (np.s_[:, 1:64:2], np.s_[:, :64:2]),
    "steps across groups": (np.s_[:, 2:64:2], np.s_[:, 1:63:2]),
    "entries of a group": (np.s_[:, :64, 1::2], np.s_[:, :64, ::2]),
    "entries across groups": (np.s_[:, :64, 2::2], np.s_[:, :64, 1:-1:2]),
    "the diagonal of a group": (np.s_[:, 1:64:2, 1::2], np.s_[:, :64:2, ::2]),
    "the other diagonal of a group": (np.s_[:, 1:64:2, ::2], np.s_[:, :64:2, 1::2]),
    "trials": (np.s_[1::2, :64], np.s_[::2, :64]),
}


@pytest.mark.parametrize("pair", range(len(COPIES)), ids=list(COPIES))
def test_copies_among_neighbours_are_rejected(pair):
    x, survival = drawn(ss.SymmetricPareto(3.0)), pareto_law(3, 1)
    to, origin = list(COPIES.values())[pair]
    x[to] = x[origin]
    for score in sizes_and_signs(x, survival):
        assert FAMILY.rejects(independence(score)[pair])


# Moments and the laws that are not a plain table row

MOMENTS = [  # noise, power k, E x^k, E x^2k
    (ss.Gaussian(2.0), 1, 0, 4),
    (ss.Gaussian(2.0), 2, 4, 3 * 16),
    (ss.Gaussian(2.0), 4, 3 * 16, 105 * 256),
    (ss.StudentT(10.0, 2.0), 1, 0, 4),
    (ss.StudentT(10.0, 2.0), 2, 4, 16 * 3 * 8 / 6),
    (ss.Laplace(2.0), 1, 0, 4),
    (ss.Laplace(2.0), 2, 4, 16 * 6),
    (ss.Rademacher(2.0), 1, 0, 4),
    (ss.Mixture(0.1, 5.0, 3.4**0.5), 2, 3.4, 3 * (0.9 + 0.1 * 625)),
    (ss.Biased(0.5, 2.0), 1, 0.5, 4.25),
    (ss.Biased(0.5, 2.0), 2, 4.25, 3 * 16 + 6 * 4 * 0.25 + 0.5**4),
]


@pytest.mark.parametrize(("noise", "power", "mean", "square"), MOMENTS, ids=name)
def test_moments_are_those_of_the_law(noise, power, mean, square):
    FAMILY.hold(moment=moment(drawn(noise), power, mean, square))


def test_wrong_moments_are_rejected():
    assert FAMILY.rejects(moment(drawn(ss.Gaussian(2.02)), 2, 4, 48))
    assert FAMILY.rejects(moment(drawn(ss.Biased(0.52, 2.0)), 1, 0.5, 4.25))


def test_neighbouring_gaussians_are_jointly_gaussian():
    x = drawn(ss.Gaussian())
    FAMILY.hold(products=independence(x), joint=joint(stats.norm.cdf(x)))
    turned = x.copy()  # uncorrelated signs and sizes need not be independence: x > 1 makes its partner keep its sign
    turned[:, 1::2] = np.where(x[:, ::2] > 1, np.abs(x[:, 1::2]) * np.sign(np.abs(x[:, 1::2]) - 0.6745), x[:, 1::2])
    assert FAMILY.rejects(joint(stats.norm.cdf(turned))[0])


def test_rademacher_is_two_points_and_independent():
    x = drawn(ss.Rademacher(2.0))
    assert np.all(np.abs(x) == 2)
    FAMILY.hold(independence=independence(x / 2))


def test_biased_is_gaussian_about_its_bias():
    x, survival = drawn(ss.Biased(0.5, 2.0)), two_sided(stats.norm(scale=2))
    FAMILY.hold(marginal=marginal(x - 0.5, survival))
    assert FAMILY.rejects(marginal(x - 0.53, survival))


def test_kronecker_entries_have_their_own_variances():
    rows, columns = np.array([0, 0.5, 1, 4]), np.array([1.0, 0, 3])
    x = drawn(ss.Kronecker(tuple(rows), tuple(columns), 2.0), steps=2048, shape=(4, 3))
    variance = 4 * np.outer(rows, columns).ravel()
    assert np.all(x[..., variance == 0] == 0)
    z = x[..., variance > 0] / variance[variance > 0] ** 0.5

    def chi_square(z):
        return 2 * np.minimum(*(f(np.sum(z**2, (0, 1)), z.shape[0] * z.shape[1]) for f in (stats.chi2.sf, stats.chi2.cdf)))

    FAMILY.hold(entries=chi_square(z), marginal=marginal(z, two_sided(stats.norm())))
    assert FAMILY.rejects(chi_square(1.05 * z))


def test_averages_of_stable_entries_are_stable_with_the_scale_of_theory():
    """S4's last bullet: (sum w^alpha)^(1/alpha), not the root of the sum of squares."""
    weights = (1 / 4) * 0.75 ** np.arange(48)
    for alpha in (0.7, 1.5):
        noise = ss.AlphaStable(alpha)
        s = Stream(ss.SpikedModel((256, 256), 1.0, noise), seed(noise), range(4), np.array([0.75]), np.float64)
        s.advance(48)
        x, law = np.abs(s.buffers()), stable_law(alpha, 1)
        FAMILY.hold(buffer=ks(law(x / np.sum(weights**alpha) ** (1 / alpha))))
        assert FAMILY.rejects(ks(law(x / np.sum(weights**2) ** 0.5)))


# One scalar a step


def step_factors(noise, steps=1 << 18, trials=4):
    return np.array([noise.step_factors(seed(noise), trial, np.arange(steps)) for trial in range(trials)])


@pytest.mark.parametrize("alpha", [2.1, 3.0, 10.0])
def test_radial_scalars_are_pareto_with_second_moment_one(alpha):
    rho, law = step_factors(ss.Radial(alpha)), stats.pareto(alpha, scale=((alpha - 2) / alpha) ** 0.5)
    assert law.moment(2) == pytest.approx(1)
    u = law.sf(rho)
    tails = [stats.binomtest(int(np.sum(u < q)), u.size, q).pvalue for q in TAILS]
    FAMILY.hold(law=ks(u), tails=tails, independence=independence(centred(u)[..., None]))
    assert FAMILY.rejects(ks(stats.pareto(alpha + 0.05, scale=((alpha - 1.95) / (alpha + 0.05)) ** 0.5).sf(rho)))
    if alpha == 10:
        FAMILY.hold(second_moment=moment(rho, 2, 1, law.moment(4)))


def test_radial_matrix_is_gaussian_and_independent_of_its_scalar():
    x, rho = drawn(ss.Radial(2.5, 2.0)), step_factors(ss.Radial(2.5, 2.0), 1024)
    z, survival = x / rho[..., None], two_sided(stats.norm(scale=2))
    sizes, signs = sizes_and_signs(z, survival)
    scalar = centred(stats.pareto(2.5, scale=0.2**0.5).sf(rho))[..., None]
    FAMILY.hold(marginal=marginal(z, survival), independence=independence(sizes, signs), scalar=correlation(sizes, scalar))
    assert FAMILY.rejects(independence(size_ranks(x)))  # entries share a scalar


def mixture(p, factor):
    return lambda x: (1 - p) * 2 * stats.norm.sf(x) + p * 2 * stats.norm.sf(x / factor)


def test_contaminated_steps_have_their_fraction():
    p, factor = 0.1, 5.0
    factors = step_factors(ss.Contaminated(p, factor))
    assert set(np.unique(factors)) == {1, factor}

    def fraction(p):
        return stats.binomtest(int(np.sum(factors == factor)), factors.size, p).pvalue

    score = ((factors == factor) - p) / (p * (1 - p)) ** 0.5
    FAMILY.hold(fraction=fraction(p), independence=independence(score[..., None]))
    assert FAMILY.rejects(fraction(0.102))


def test_contaminated_entries_follow_the_mixture():
    x = drawn(ss.Contaminated(0.1, 5.0, 2.0), steps=1 << 15, trials=4, shape=(1, 1))  # one entry a step: independent
    FAMILY.hold(
        marginal=marginal(x / 2, mixture(0.1, 5)),
        independence=independence(*sizes_and_signs(x / 2, mixture(0.1, 5))),
        variance=moment(x, 2, 4 * (0.9 + 0.1 * 25), 48 * (0.9 + 0.1 * 625)),
    )
    assert FAMILY.rejects(marginal(x / 2, mixture(0.12, 5)))


def test_scale_mixture_multiplies_whole_trials():
    p, factor, trials = 0.1, 5.0, 1 << 14
    noise = ss.ScaleMixture(p, factor)
    factors = np.array([noise.step_factors(seed(noise), trial, np.arange(2)) for trial in range(trials)])
    assert np.all(factors[:, 0] == factors[:, 1])
    assert set(np.unique(factors)) == {1, factor}
    multiplied = factors[:, 0] == factor

    def fraction(p):
        return stats.binomtest(int(multiplied.sum()), trials, p).pvalue

    score = (multiplied - p) / (p * (1 - p)) ** 0.5
    FAMILY.hold(fraction=fraction(p), independence=independence(score[:, None, None]))
    assert FAMILY.rejects(fraction(0.12))


def test_scale_mixture_is_gaussian_given_its_scale_and_orthogonal_over_steps():
    p, factor = 0.3, 5.0
    noise = ss.ScaleMixture(p, factor, 2.0)
    x = drawn(noise, steps=64, trials=64) / 2
    z, survival = x / step_factors(noise, 64, 64)[..., None], two_sided(stats.norm())
    products = correlation(x[:, ::2] * x[:, 1::2], (1 - p + p * factor**4) ** -0.5)
    FAMILY.hold(marginal=marginal(z, survival), independence=independence(*sizes_and_signs(z, survival)), products=products)
    assert FAMILY.rejects(independence(size_ranks(x)))  # steps share a scale
    assert FAMILY.rejects(correlation(np.abs(x[:, ::2] * x[:, 1::2]), (1 - p + p * factor**4) ** -0.5))


def test_sign_flip_is_one_gaussian_matrix_up_to_fair_independent_signs():
    x = drawn(ss.SignFlip(2.0), steps=4096, trials=16, shape=(4, 4))
    flips = np.sign(x * x[:, :1])
    assert np.all(np.abs(x) == np.abs(x[:, :1]))
    assert np.all(flips == flips[..., :1])
    FAMILY.hold(independence=independence(flips[..., :1]), fair=correlation(flips[:, 1:, 0], 1))
    matrix, survival = drawn(ss.SignFlip(2.0), steps=2, shape=(512, 512))[:, 1:], two_sided(stats.norm(scale=2))
    FAMILY.hold(marginal=marginal(matrix, survival), entries=independence(*sizes_and_signs(matrix, survival)))
    assert FAMILY.rejects(independence(np.repeat(flips[:, ::2, :1], 2, axis=1)))


# Recursive laws


def early_and_late(noise):
    """Steps 0 to 7 and 64 to 71 of the same 2^18 entries."""
    s = stream(noise, shape=(256, 256))
    early = s.advance(8, keep=True)
    s.advance(56)
    return [x.reshape(4, 8, -1) for x in (early, s.advance(8, keep=True))]


def normal_scores(z):
    survival = two_sided(stats.norm())
    return marginal(z, survival), independence(*sizes_and_signs(z, survival))


def test_arch_is_gaussian_given_its_past_and_uncorrelated():
    a, x = 0.3, drawn(ss.Arch(0.3, 2.0), steps=1025) / 2
    fourth = 3 * (1 - a * a) / (1 - 3 * a * a)
    past, now = x[:, :-1], x[:, 1:]

    def residual(a):
        return now / np.sqrt(1 - a + a * past**2)

    marginals, pairs = normal_scores(residual(a))
    products = correlation(past * now, (1 - a + a * fourth) ** -0.5)  # E (x y)^2 = 1 - a + a E x^4
    FAMILY.hold(marginal=marginals, independence=pairs, products=products)
    FAMILY.hold(past=correlation(size_ranks(residual(a)), size_ranks(past)))
    assert FAMILY.rejects(normal_scores(residual(0.33))[0])
    assert FAMILY.rejects(correlation(size_ranks(now), size_ranks(past)))


@pytest.mark.parametrize("a", [0.3, 0.9])
def test_arch_is_stationary_from_step_0(a):
    early, late = early_and_late(ss.Arch(a))

    def same(x, y):
        return stats.ks_2samp(x.ravel(), y.ravel(), method="asymp").pvalue

    FAMILY.hold(same=[same(early[:, i], late[:, 0]) for i in (0, 1)], signs=independence(np.sign(early)))
    z = drawn(ss.Gaussian(), 2, shape=(256, 256)).swapaxes(0, 1)
    assert FAMILY.rejects(same(z[0], late[:, 0]))  # a cold start, x = z
    if a == 0.9:
        assert FAMILY.rejects(same(np.sqrt(1 - a + a * z[0] ** 2) * z[1], late[:, 0]))  # and one step later
    else:
        fourth = 3 * (1 - a * a) / (1 - 3 * a * a)
        FAMILY.hold(variance=[moment(x[:, 0], 2, 1, fourth) for x in (early, late)])


def test_ar1_is_normal_and_correlated_from_step_0():
    phi = 0.6
    early, late = early_and_late(ss.AR1(phi))
    survival = two_sided(stats.norm())

    def lag_1(x, phi):
        return moment(x[:, 0] * x[:, 1], 1, phi, 1 + 2 * phi**2)

    FAMILY.hold(
        marginal=[marginal(x[:, 0], survival) for x in (early, late)],
        correlation=[lag_1(x, phi) for x in (early, late)],
        variance=[moment(x[:, 0], 2, 1, 3) for x in (early, late)],
    )
    assert FAMILY.rejects(lag_1(early, 0.62))
    assert FAMILY.rejects(independence(early))


def test_ar1_innovations_are_independent_normals():
    x = drawn(ss.AR1(-0.6, 2.0), steps=1025) / 2

    def innovation(phi):
        return (x[:, 1:] - phi * x[:, :-1]) / (1 - phi**2) ** 0.5

    marginals, pairs = normal_scores(innovation(-0.6))
    past = correlation(innovation(-0.6), x[:, :-1])
    FAMILY.hold(marginal=marginals, independence=pairs, products=independence(innovation(-0.6)), past=past)
    assert FAMILY.rejects(normal_scores(innovation(-0.62))[1])


# Words


def test_domains_draws_trials_and_seeds_are_independent():
    places = np.arange(1024)[:, None], np.arange(256)

    def score(seed=SEED, domain=rng.NOISE, trial=0, draw=0):
        return centred((rng.words(seed, domain, trial, *places, draw) + 0.5) / 2**32)

    others = [score(domain=d) for d in range(1, 7)] + [score(draw=d) for d in range(1, 6)]
    others += [score(trial=t) for t in (1, 2**31)] + [score(seed=s) for s in (0, SEED + 2**32, 2**64 - 1)]
    FAMILY.hold(others=[correlation(score(), other) for other in others])


def test_setup_normals_are_normal():
    z = rng.normals(SEED, rng.VECTORS, 0, (1, 1024, 256))
    FAMILY.hold(marginal=marginal(z, two_sided(stats.norm())))


def small_uniforms():
    """U below 2^-16 among 5 10^7 Pareto entries of tail index 1: x = 1 / U."""
    s, found = stream(ss.SymmetricPareto(1.0), trials=1, shape=(64, 64)), []
    for _ in range(12):
        x = np.abs(s.advance(1024, keep=True))
        found.append(1 / x[x > 2**16])
    return np.concatenate(found)


def test_small_uniforms_are_uniform_beyond_their_word():
    u = small_uniforms()
    expected = 12 * 2**22 * 2**-16

    def beyond(u):
        return ks(u * 2**31 % 1)  # what the 31 bits of the word leave

    count = 2 * min(stats.poisson.cdf(u.size, expected), stats.poisson.sf(u.size - 1, expected))
    FAMILY.hold(count=count, size=ks(u * 2**16), beyond=beyond(u))
    coarse = (np.floor(u * 2**31) + 0.5) * 2**-31  # the further bits left out
    assert FAMILY.rejects(beyond(coarse))
    assert not FAMILY.rejects(ks(coarse * 2**16))  # the size alone would not show it
    assert FAMILY.rejects(ks((u * 2**16) ** 1.5))
