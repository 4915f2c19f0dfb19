"""Batched products and eigenvectors against SVDs over conditions, scales and ranks; what they refuse; by two namespaces."""

import array_api_strict as strict
import numpy as np
import pytest

from spikesim.gram import PRECISION
from spikesim.means import PRODUCTS, ByProducts, Tally
from spikesim.polar import polar_factor
from spikesim.products import LEADING, Leading, factors
from spikesim.spectrum import Dispatched, Exact

SHAPES = [(1, 3), (2, 2), (3, 7), (8, 8), (20, 33), (64, 64)]
TOLERANCE = PRECISION["float64"].tolerance
EPS = 2.0**-52


def with_values(values, n, count=6, seed=0):
    """Matrices (count, m, n) of given singular values with Haar vectors."""
    rng, m = np.random.default_rng(seed), len(values)
    left, right = (np.linalg.qr(rng.standard_normal((count, k, k)))[0] for k in (m, n))
    return (left * np.asarray(values)) @ right[:, :, :m].transpose(0, 2, 1)


def conditioned(m, n, condition):
    return with_values(np.geomspace(1, 1 / condition, m) if m > 1 else [1.0], n)


def frame(m, n, rank):
    rng = np.random.default_rng(5)
    return tuple(np.linalg.qr(rng.standard_normal((k, rank)))[0] for k in (m, n))


def size(x):
    return np.linalg.norm(x, axis=(1, 2))


@pytest.mark.parametrize("namespace", [np, strict], ids=["numpy", "strict"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("condition", [1, 1e2, 1e4, 1e6, 1e7])
def test_factors_are_polar_factors(shape, condition, namespace):
    x = conditioned(*shape, condition)
    q, error = map(np.asarray, factors(namespace.asarray(x)))
    assert error.max() < TOLERANCE
    assert (size(q - polar_factor(x)) < 30 * EPS * condition * shape[0] ** 0.5).all()
    h = q.transpose(0, 2, 1) @ x
    assert (size(x - q @ (h + h.transpose(0, 2, 1)) / 2) < 60 * EPS * size(x)).all()


@pytest.mark.parametrize("shape", SHAPES[1:], ids=str)
@pytest.mark.parametrize("condition", [1e9, 1e10, 1e12, 1e14, 1e15, 1e17])
def test_what_is_too_close_to_singular_is_not_orthonormal(shape, condition):
    """Among it whatever is rank-deficient to rounding, whose polar factor has fewer singular values."""
    assert factors(conditioned(*shape, condition))[1].min() > 100 * TOLERANCE


@pytest.mark.parametrize("shape", SHAPES[1:], ids=str)
@pytest.mark.parametrize("rank", [0, 1])
def test_rank_deficient_matrices_are_not_orthonormal(shape, rank):
    x = with_values(np.r_[np.ones(rank), np.zeros(shape[0] - rank)], shape[1])
    assert factors(x)[1].min() > 0.1
    assert factors(np.zeros((2, *shape)))[1].min() == 1


@pytest.mark.parametrize("exponent", [-1000, -400, 300, 1020])
def test_a_power_of_two_changes_no_bit(exponent):
    x = conditioned(5, 8, 100)
    scaled = np.ldexp(x, exponent)
    np.testing.assert_array_equal(factors(scaled)[0], factors(x)[0])
    np.testing.assert_array_equal(np.ldexp(Leading(scaled).values, -exponent), Leading(x).values)


@pytest.mark.parametrize("namespace", [np, strict], ids=["numpy", "strict"])
@pytest.mark.parametrize("shape", SHAPES[1:], ids=str)
def test_leading_values_and_vectors(shape, namespace):
    m, rank = shape[0], min(2, shape[0] - 1)
    x = with_values(np.r_[np.arange(rank, 0, -1) + 1.0, np.geomspace(1, 1e-6, m - rank)], shape[1])
    found, (u, d, _) = Leading(namespace.asarray(x)), np.linalg.svd(x)
    assert np.asarray(found.sure(rank)).all()
    np.testing.assert_allclose(np.asarray(found.values)[:, :rank], d[:, :rank], rtol=30 * EPS)
    left = np.asarray(found.left(rank))
    assert size(left - u[:, :, :rank] @ (u[:, :, :rank].transpose(0, 2, 1) @ left)).max() < 200 * EPS


@pytest.mark.parametrize("shape", SHAPES[1:], ids=str)
def test_leading_is_sure_of_what_is_far_above_rounding_alone(shape):
    m = shape[0]
    for low in (3 * LEADING, LEADING / 3, 1e-12, 0):
        x = with_values(np.r_[np.ones(m - 1), low], shape[1])
        assert Leading(x).sure(m - 1).all()
        assert (Leading(x).sure(m) == (low > LEADING)).all()
    assert not Leading(np.zeros((2, *shape))).sure(1).any()


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_what_is_not_finite_is_refused(broken):
    x = conditioned(3, 5, 10)
    x[1, 2, 3] = broken
    for ask in (factors, Leading):
        with pytest.raises(ValueError, match="need a finite x"):
            ask(x)


# As means


def answers(means, u, v, rank):
    left, right = means.top(rank)
    projection, pairs = left @ np.matrix_transpose(left), left @ np.matrix_transpose(right)
    return {
        "factors": means.factors(None), "truncated": means.factors(rank), "directions": means.directions(u, v, None),
        "truncated directions": means.directions(u, v, rank), "values": means.values(rank), "all": means.values(u.shape[0]),
        "nuclear": means.nuclear(), "projections": np.concatenate([projection, pairs], -1),
    }  # fmt: skip


def test_every_question_is_answered_as_by_an_svd_and_counted():
    rows = [np.r_[3.0, 2.0, np.geomspace(1, low, 4)] for low in (0.5, 1e-3, 1e-6, 1e-12, 1e-18)]
    x = np.concatenate([with_values(row, 9, 2, i) for i, row in enumerate(rows)] + [np.zeros((1, 6, 9))])
    tally, (u, v) = Tally(), frame(6, 9, 3)
    means = ByProducts(x, tally, Exact2)
    assert tally == {PRODUCTS: 11}
    found, true = answers(means, u, v, 2), answers(Exact2(x), u, v, 2)
    for name in true:
        near = 1e-9 if name in ("factors", "directions") else 1e-12
        np.testing.assert_allclose(found[name][:-1], true[name][:-1], atol=near, err_msg=name)
        if name != "projections":  # of zero: any vectors will do
            np.testing.assert_array_equal(found[name][-1], true[name][-1], err_msg=name)
    assert tally == {PRODUCTS: 4}  # all its singular values were asked for
    tally = Tally()
    ByProducts(x, tally, Exact2).nuclear()
    assert tally == {PRODUCTS: 6}
    tally = Tally()
    ByProducts(x, tally, Exact2).top(2)
    assert tally == {PRODUCTS: 10}


def test_an_answer_is_not_changed_by_a_later_question():
    x = np.concatenate([conditioned(4, 6, 1e3), conditioned(4, 6, 1e12)])
    means, (u, v) = ByProducts(x, Tally(), Exact2), frame(4, 6, 2)
    first = answers(means, u, v, 2)
    kept = {name: found.copy() for name, found in first.items()}
    for found in first.values():
        found *= np.nan
    for name, found in answers(means, u, v, 2).items():
        np.testing.assert_allclose(found, kept[name], rtol=1e-12, err_msg=name)


class Exact2(Exact):
    """With the means' names."""

    factors = Exact.polar


def test_a_gpus_engine_is_spared_matrices_too_large_for_a_thread():
    x = np.random.default_rng(8).standard_normal((2, 130, 135)).astype(np.float32)

    def thread(*_):
        raise AssertionError

    tally = Tally()
    large = Dispatched(x, tally, thread)
    np.testing.assert_allclose(large.polar(), Exact(x.astype(float)).polar(), atol=1e-6)
    np.testing.assert_allclose(large.values(3), Exact(x.astype(float)).values(3), rtol=1e-12)
    assert tally == {"float64 products": 2}
    assert Dispatched(x.swapaxes(1, 2), None, thread).polar().shape == (2, 135, 130)
    with pytest.raises(AssertionError):
        Dispatched(x[:, :128], None, thread)
