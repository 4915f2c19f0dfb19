"""O8: the randomised top-r polar factor against the exact one: exact rank, error by gap and power iterations, the sketch."""

import array_api_strict as strict
import numpy as np
import pytest
from stacks import BAD_MATRICES, random, singular

from spikesim.orthogonal.randomised import leading_svd, randomised_polar, sketch
from spikesim.polar import svd

M, N, RANK = 48, 80, 4


def gapped(gap, count=40):
    """Matrices of RANK singular values 1 and the others 1 / gap, Haar vectors."""
    left, right = (np.linalg.qr(random(count, k, k, seed=k))[0] for k in (M, N))
    return (left * np.r_[np.ones(RANK), np.full(M - RANK, 1 / gap)]) @ right[:, :, :M].swapaxes(1, 2)


def errors(x, **arguments):
    return np.linalg.norm(randomised_polar(x, RANK, **arguments) - svd(x).polar(RANK), 2, axis=(1, 2))


@pytest.mark.parametrize("shape", [(20, 30), (30, 20)])
@pytest.mark.parametrize("scale", [1e-300, 1.0, 1e300])
def test_exact_where_the_rank_is_within_the_sketch(shape, scale):
    x = random(5, shape[0], 6) @ random(5, 6, shape[1], seed=1)
    for rank in (1, 4, 6):
        found = randomised_polar(scale * x, rank, oversampling=6 - rank, power=0)
        np.testing.assert_allclose(found, svd(x).polar(rank), atol=1e-11)


def test_a_sketch_as_wide_as_the_matrix_is_exact():
    x = random(5, 12, 20)
    np.testing.assert_allclose(randomised_polar(x, 3, oversampling=20, power=0), svd(x).polar(3), atol=1e-12)
    np.testing.assert_allclose(leading_svd(x, 3, oversampling=20).d, singular(x), atol=1e-12)


TABLE = [(1.5, 0, 0.95), (1.5, 2, 0.39), (2, 0, 0.92), (2, 1, 0.38), (2, 4, 0.0063), (4, 1, 0.050), (10, 2, 3.2e-5)]


@pytest.mark.parametrize(("gap", "power", "error"), TABLE)
def test_errors_are_those_of_the_theory_page(gap, power, error):
    assert np.median(errors(gapped(gap), power=power)) == pytest.approx(error, rel=0.1)


@pytest.mark.parametrize("gap", [4, 10])
def test_each_power_iteration_gains_the_square_of_the_gap(gap):
    found = [np.median(errors(gapped(gap), power=q)) for q in (1, 2, 3)]
    np.testing.assert_allclose(np.divide(found[:-1], found[1:]), gap**2, rtol=0.05)


def test_without_a_gap_it_is_another_matrix_of_its_rank():
    x = gapped(1.0, 5)
    assert errors(x).min() > 0.9
    values = singular(randomised_polar(x, RANK))
    np.testing.assert_allclose(values, np.r_[np.ones(RANK), np.zeros(M - RANK)] * np.ones((5, 1)), atol=1e-12)


def test_the_sketch_is_the_seeds_alone():
    np.testing.assert_array_equal(sketch(3, 10, 6)[:, :4], sketch(3, 10, 4))
    assert not np.any(sketch(3, 10, 4) == sketch(4, 10, 4))
    wide = sketch(0, 200, 200)
    assert abs(wide.mean()) < 4 / 200
    assert abs(wide.var() - 1) < 4 * 2**0.5 / 200
    x = random(4, 10, 12)
    np.testing.assert_array_equal(randomised_polar(x, 2, seed=5)[2], randomised_polar(x[2], 2, seed=5))
    assert np.abs(randomised_polar(x, 2, 2, 0, seed=5) - randomised_polar(x, 2, 2, 0, seed=6)).max() > 0.01


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_zero_gives_zero_in_its_type(dtype):
    found = randomised_polar(np.zeros((2, 5, 4), dtype), 2)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, 0)


@pytest.mark.parametrize("shape", [(5, 9), (9, 5)])
def test_array_api_strict_gives_numpys_numbers(shape):
    x = random(2, *shape)
    other = np.asarray(randomised_polar(strict.asarray(x), 2, 1))
    np.testing.assert_allclose(other, randomised_polar(x, 2, 1), atol=1e-13)


@pytest.mark.parametrize(("x", "message"), BAD_MATRICES)
def test_no_finite_real_matrix_is_refused(x, message):
    with pytest.raises(ValueError, match=message):
        randomised_polar(x, 1)


@pytest.mark.parametrize(("arguments", "message"), [
    ({"rank": 0}, "need rank: an integer >= 1, got rank=0"),
    ({"rank": 4}, r"need rank <= min\(m, n\) = 3, got rank=4"),
    ({"rank": 1.0}, "got rank=1.0"),
    ({"rank": 1, "oversampling": -1}, "need oversampling: an integer >= 0, got oversampling=-1"),
    ({"rank": 1, "power": True}, "need power: an integer >= 0, got power=True"),
    ({"rank": 1, "seed": -1}, "seed"),
])  # fmt: skip
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        randomised_polar(np.ones((3, 5)), **arguments)
