"""Shrinkage: every constant by minimising the limit of its loss, not from tables; noise levels; what enters a polar step."""

import array_api_strict as strict
import numpy as np
import pytest
from scipy import integrate, optimize
from stacks import BAD_MATRICES, random, size, spectral

from spikesim.orthogonal.marchenko_pastur import above, median
from spikesim.orthogonal.shrinkage import SHRINKERS, hard, median_threshold, noise_level, optimal, threshold
from spikesim.polar import svd
from spikesim.theory import asymptotics

BETAS = [1.0, 0.5, 0.1, 1e-3]


def observed(x, beta):
    return np.sqrt((x**2 + 1) * (x**2 + beta)) / x


def losses(x, beta, norm):
    """Loss of an estimate, in the plane of one spike's true and observed vectors, from their limiting overlaps (S3)."""
    shape = (round(1000 * beta), 1000)
    left, right = (np.sqrt(v) for v in asymptotics.overlaps(shape, 1 / np.sqrt(1000), x, 1.0))
    pair = np.outer([left, np.sqrt(1 - left**2)], [right, np.sqrt(1 - right**2)])
    return lambda v: np.linalg.norm(np.diag([x, 0.0]) - np.multiply.outer(v, pair), norm, axis=(-2, -1))


NORMS = {"frobenius": "fro", "operator": 2, "nuclear": "nuc"}


@pytest.mark.parametrize("beta", BETAS)
@pytest.mark.parametrize("loss", SHRINKERS)
@pytest.mark.parametrize("excess", [1.02, 1.2, 2.0, 6.0])
def test_shrinkers_minimise_the_limit_of_their_loss(loss, beta, excess):
    x = excess * beta**0.25
    lost = losses(x, beta, NORMS[loss])
    found = float(SHRINKERS[loss](np.array(observed(x, beta)), beta))
    assert lost(found) <= lost(np.linspace(0, 1.5 * observed(x, beta), 20001)).min() + 1e-12
    assert found == 0 or lost(found) < min(lost(found * 1.001), lost(found * 0.999))


def test_the_signals_own_size_is_best_in_operator_norm_for_squares_only():
    x, signal = 1.5, SHRINKERS["operator"](np.array(observed(1.5, 1.0)), 1.0)
    assert signal == pytest.approx(x, rel=1e-12)
    lost, best = losses(x, 0.25, 2), SHRINKERS["operator"](np.array(observed(1.5, 0.25)), 0.25)
    assert best < 0.9 * x
    assert lost(best) < 0.99 * lost(x)


@pytest.mark.parametrize("beta", BETAS)
def test_the_hard_threshold_is_where_keeping_begins_to_pay(beta):
    def gain(x):
        return x - losses(x, beta, "fro")(observed(x, beta))

    crossing = optimize.brentq(gain, 1.0001 * beta**0.25, 10)
    assert threshold(beta) == pytest.approx(observed(crossing, beta), rel=1e-9)


def test_known_constants():
    assert threshold(1.0) == pytest.approx(4 / 3**0.5, rel=1e-14)
    assert median_threshold(1.0) == pytest.approx(2.858, abs=5e-4)
    assert median(1.0) == pytest.approx(0.6528, abs=5e-5)
    assert median(1e-12) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("beta", BETAS)
def test_the_median_halves_the_density(beta):
    low, high = (1 - beta**0.5) ** 2, (1 + beta**0.5) ** 2

    def density(t):
        return np.sqrt((high - t) * (t - low)) / (2 * np.pi * beta * t)

    share, _ = integrate.quad(density, median(beta), high, epsabs=1e-12)
    assert share == pytest.approx(0.5, abs=1e-8)
    assert above(1.0, np.pi) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("shape", [(200, 200), (100, 300), (300, 100)])
def test_the_noise_level_is_found_under_a_few_spikes(shape):
    x = 0.3 * random(10, *shape)
    x[:, 0, 0] += 1000
    found = noise_level(x)
    assert found.shape == (10,)
    np.testing.assert_allclose(found, 0.3, rtol=0.03)


FUNCTIONS = {"hard": hard} | {loss: lambda x, sigma, loss=loss: optimal(x, sigma, loss) for loss in SHRINKERS}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("sigma", [1.0, None])
@pytest.mark.parametrize("shape", [(60, 60), (40, 90), (90, 40)])
def test_matrices_lose_noise_and_keep_the_signal(name, sigma, shape):
    noise, signal = random(20, *shape), np.zeros(shape)
    signal[0, 0], signal[1, 1] = 40.0, 30.0
    found = FUNCTIONS[name](noise + signal, sigma)
    kept = (found.d > 0).sum(-1)
    at_edge = name in ("frobenius", "operator")  # noise alone passes the edge of its bulk now and then
    assert np.all(kept == 2) if not at_edge else np.all(kept >= 2) and np.mean(kept == 2) > 0.6
    assert np.all(size((found.u * found.d[:, None]) @ found.vt - signal) < 0.6 * size(noise))
    expected = svd(noise + signal).polar(2)[kept == 2]
    np.testing.assert_allclose(found.polar()[kept == 2], expected, atol=1e-12)


def test_hard_thresholding_is_its_formula():
    x = random(4, 30, 50)
    for sigma in (0.2, 0.8):
        found = hard(x, sigma)
        cut = threshold(0.6) * 50**0.5 * sigma
        expected = spectral(x, lambda s, cut=cut: np.where(s > cut, s, 0))
        np.testing.assert_allclose((found.u * found.d[:, None]) @ found.vt, expected, atol=1e-12)


def test_of_the_frobenius_and_operator_shrinkers_a_polar_step_sees_the_same():
    x = random(20, 30, 50)
    x[:, 0, 0] += np.linspace(0, 20, 20)
    kept = {loss: (optimal(x, 1.0, loss).d > 0).sum(-1) for loss in SHRINKERS}
    np.testing.assert_array_equal(optimal(x, 1.0).polar(), optimal(x, 1.0, "operator").polar())
    assert 0 <= kept["frobenius"].min() < kept["frobenius"].max()
    assert np.all(kept["nuclear"] <= kept["frobenius"])
    assert np.all((hard(x, 1.0).d > 0).sum(-1) <= kept["frobenius"])


@pytest.mark.parametrize("loss", SHRINKERS)
@pytest.mark.parametrize("beta", BETAS)
def test_shrinkers_keep_order_and_never_add(loss, beta):
    y = np.linspace(0, 10, 5001)
    found = SHRINKERS[loss](y, beta)
    assert np.all(np.diff(found) >= 0)
    assert np.all(found <= y)
    assert np.all(found[y <= 1 + beta**0.5] == 0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("loss", SHRINKERS)
def test_large_singular_values_stay_as_they_are(loss, dtype):
    y = np.array([1e12, 1e30], dtype)
    np.testing.assert_allclose(SHRINKERS[loss](y, 0.5), y, rtol=1e-6)


@pytest.mark.parametrize("exponent", [-1000, 900])
@pytest.mark.parametrize("function", [hard, optimal])
def test_scale_goes_with_sigma(function, exponent):
    x, scale = random(12, 20) + 8 * np.eye(12, 20), 2.0**exponent
    np.testing.assert_array_equal(function(x * scale, scale).d, function(x, 1.0).d * scale)
    np.testing.assert_array_equal(function(x * scale).d, function(x).d * scale)


@pytest.mark.parametrize("function", [hard, optimal])
def test_zero_noise_and_overwhelming_noise(function):
    np.testing.assert_array_equal(function(np.zeros((3, 4))).d, 0)
    one = np.zeros((5, 6))
    one[0, 0] = 2.0
    np.testing.assert_array_equal(function(one).d, [2, 0, 0, 0, 0])  # the median is 0: nothing is taken for noise
    np.testing.assert_array_equal(function(1e-300 * random(3, 4), 1e100).polar(), 0)


@pytest.mark.parametrize("function", [lambda x: hard(x).d, lambda x: optimal(x, 0.5, "nuclear").d, noise_level])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_array_api_strict_gives_numpys_numbers_and_an_svd_serves_as_well(function, dtype):
    x = random(2, 5, 8).astype(dtype)
    x[:, 0, 0] += 20
    found = function(x)
    assert found.dtype == dtype
    np.testing.assert_array_equal(function(svd(x)), found)
    np.testing.assert_allclose(np.asarray(function(strict.asarray(x))), found, rtol=1e-5 if dtype == np.float32 else 1e-12)


@pytest.mark.parametrize(("x", "message"), BAD_MATRICES)
@pytest.mark.parametrize("function", [hard, optimal, noise_level])
def test_no_finite_real_matrix_is_refused(function, x, message):
    with pytest.raises(ValueError, match=message):
        function(x)


@pytest.mark.parametrize(("call", "message"), [
    (lambda x: hard(x, 0), "need 0 < sigma < inf, or None, got sigma=0"),
    (lambda x: optimal(x, -1.0), "got sigma=-1.0"),
    (lambda x: optimal(x, 1.0, "spectral"), "need loss in .+ got loss='spectral'"),
    (lambda _: threshold(1.5), "need 0 < beta <= 1, got beta=1.5"),
    (lambda _: median(0), "need 0 < beta <= 1, got beta=0"),
])  # fmt: skip
def test_bad_parameters_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(np.eye(2))
