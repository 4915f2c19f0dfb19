"""Gram matrices against dense SVDs in float64: factors, directions, singular pairs, norms; and where not to be trusted."""

import numpy as np
import pytest

from spikesim.gram import PRECISION, Gram

SHAPES = [(2, 2), (2, 3), (3, 7), (5, 5), (6, 9), (9, 40), (16, 17), (33, 50), (64, 128)]
EPS = {"float32": 2.0**-23, "float64": 2.0**-52}


def with_values(values, m, n, count, seed=0):
    """Matrices of given singular values with Haar vectors, (count, m, n)."""
    rng = np.random.default_rng(seed)
    left = np.linalg.qr(rng.standard_normal((count, m, m)))[0]
    right = np.linalg.qr(rng.standard_normal((count, n, m)))[0]
    return (left * np.asarray(values)) @ right.transpose(0, 2, 1)


def frame(m, n, rank):
    rng = np.random.default_rng(5)
    return tuple(np.linalg.qr(rng.standard_normal((k, rank)))[0] for k in (m, n))


def stack(dtype, m, n, count=21, low=0.05):
    """Singular values from `low` to 1, well sure."""
    values = np.geomspace(1, low, m) if m > 1 else np.ones(1)
    return np.ascontiguousarray(with_values(values, m, n, count).astype(dtype))


def exact(x):
    return np.linalg.svd(x.astype(np.float64), full_matrices=False)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES)
def test_factors_are_polar_factors(dtype, shape):
    x = stack(dtype, *shape)
    u, _, vt = exact(x)
    gram = Gram(x)
    q, error = gram.factors()
    assert gram.good.all()
    assert error.max() < PRECISION[dtype].tolerance
    assert q.dtype == dtype
    worst = np.linalg.norm(q - u @ vt, axis=(1, 2)).max() / shape[0] ** 0.5
    assert worst < 30 * EPS[dtype] / 0.05**2 / shape[0] ** 0.5  # the Gram matrix squares the condition number


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES)
def test_directions_are_those_of_the_factor(dtype, shape):
    x, (u, v) = stack(dtype, *shape), frame(*shape, min(3, shape[0]))
    left, _, right = exact(x)
    expected = np.einsum("mr,kmn,nr->kr", u, left @ right, v)
    np.testing.assert_allclose(Gram(x).directions(u, v), expected, atol=30 * EPS[dtype] / 0.05**2)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("shape", SHAPES[3:])
def test_truncated_directions_and_top_vectors(dtype, shape, rank):
    x, (u, v) = stack(dtype, *shape), frame(*shape, 2)
    left, _, right = exact(x)
    gap = np.geomspace(1, 0.05, shape[0])[rank - 1] - np.geomspace(1, 0.05, shape[0])[rank]
    near = 50 * EPS[dtype] / gap
    expected = np.einsum("mr,kmn,nr->kr", u, left[:, :, :rank] @ right[:, :rank], v)
    found, sure = Gram(x).truncated_directions(u, v, rank)
    assert sure.all()
    np.testing.assert_allclose(found, expected, atol=near)
    top, singular, _ = Gram(x).left(rank)
    outside = np.einsum("kmp,kmr->kpr", left[:, :, rank:], top)
    assert np.linalg.norm(outside, axis=(1, 2)).max() < near
    np.testing.assert_allclose(singular, np.linalg.svd(x.astype(float), compute_uv=False)[:, :rank], rtol=40 * EPS[dtype])
    np.testing.assert_allclose(
        top.transpose(0, 2, 1) @ top, np.broadcast_to(np.eye(rank), (21, rank, rank)), atol=1e3 * EPS[dtype]
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES)
def test_values_and_nuclear_norm(dtype, shape):
    x = stack(dtype, *shape)
    d = exact(x)[1]
    near = 40 * EPS[dtype] * shape[0] ** 0.5
    np.testing.assert_allclose(Gram(x).values(shape[0]), d, atol=near / 0.05)
    np.testing.assert_allclose(Gram(x).nuclear(), d.sum(axis=1), atol=shape[0] * near / 0.05)


@pytest.mark.parametrize("scale", [1e-30, 1e-12, 1e12, 1e30])
def test_scale_cancels(scale):
    x = stack("float64", 6, 9)
    u, v = frame(6, 9, 2)
    np.testing.assert_allclose(Gram(scale * x).factors()[0], Gram(x).factors()[0], atol=1e-13)
    np.testing.assert_allclose(Gram(scale * x).directions(u, v), Gram(x).directions(u, v), atol=1e-13)
    np.testing.assert_allclose(Gram(scale * x).values(3) / scale, Gram(x).values(3), rtol=1e-13)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_neighbours_and_places_change_no_bit(dtype):
    x, (u, v) = stack(dtype, 9, 16, count=37), frame(9, 16, 2)
    gram = Gram(x)
    whole = [gram.factors()[0], gram.directions(u, v), gram.truncated_directions(u, v, 2)[0], gram.values(4), gram.left(2)[0]]
    order = np.random.default_rng(1).permutation(37)[:11]
    part = Gram(np.ascontiguousarray(x[order]))
    parts = [part.factors()[0], part.directions(u, v), part.truncated_directions(u, v, 2)[0], part.values(4), part.left(2)[0]]
    for a, b in zip(whole, parts, strict=True):
        assert a[order].tobytes() == b.tobytes()


# What must not be trusted


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("low", [0.0, 1e-12, 0.5])
def test_good_where_the_condition_is(dtype, low):
    limit = PRECISION[dtype].condition
    x = np.concatenate(
        [stack(dtype, 5, 8, 3), stack(dtype, 5, 8, 3, low=low * limit if low else 1e-300), stack(dtype, 5, 8, 3)]
    )
    assert Gram(x).good.tolist() == [True] * 3 + [False] * 3 + [True] * 3


@pytest.mark.parametrize("broken", ["zero", "infinite", "not a number", "too large", "too small"])
def test_degenerate_matrices_are_not_good_and_hurt_no_neighbour(broken):
    x = stack("float64", 5, 8, 4)
    alone = Gram(x).factors()[0]
    factor = {"zero": 0, "infinite": np.inf, "not a number": np.nan, "too large": 1e200, "too small": 1e-200}[broken]
    x[1] *= factor
    gram = Gram(x)
    q, _ = gram.factors()
    assert gram.good.tolist() == [True, False, True, True]
    np.testing.assert_array_equal(q[[0, 2, 3]], alone[[0, 2, 3]])


@pytest.mark.parametrize("gap", [0, 1e-15, 1e-14, 1e-12, 1e-9, 1e-6, 1e-3])
@pytest.mark.parametrize("seed", range(4))
def test_a_close_pair_spans_the_space_it_should_or_is_not_relied_upon(gap, seed):
    x = with_values([2, 2 - gap, 1, 0.5, 0.3], 5, 8, 160, seed)
    left, _, sure = Gram(x).left(2)
    true = exact(x)[0][:, :, :2]
    error = np.linalg.norm(left - true @ (true.transpose(0, 2, 1) @ left), axis=(1, 2))
    assert sure.mean() > 0.9
    assert error[sure].max() < 1e-13
    assert sure.all() or gap < 1e-13


@pytest.mark.parametrize(("dtype", "backward_error"), [("float32", 1e-5), ("float64", 1e-10)])
@pytest.mark.parametrize("shape", [(8, 8), (8, 20), (40, 40), (100, 101)])
def test_backward_error_at_the_worst_allowed_condition(dtype, backward_error, shape):
    """X = O H to this, relative to ‖X‖, and O orthonormal: after one Newton-Schulz step where that is needed."""
    x = stack(dtype, *shape, 16, low=1.8 * PRECISION[dtype].condition)  # of a bound of the norm
    gram = Gram(x)
    q, error = gram.factors()
    assert gram.good.all()
    assert error.max() < PRECISION[dtype].tolerance
    for a, b in zip(q.astype(float), x.astype(float), strict=True):
        h = a.T @ b
        assert np.linalg.norm(b - a @ (h + h.T) / 2) < backward_error * np.linalg.norm(b)
