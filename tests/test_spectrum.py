"""Dispatched against dense SVDs: every question, every means; what is counted; and what must not change an answer's bits."""

import numpy as np
import pytest

from spikesim.spectrum import SVD_MEANS, Dispatched, Exact, Tally

SHAPES = [(1, 1), (1, 6), (6, 1), (2, 2), (3, 4), (4, 3), (5, 9), (9, 5), (17, 17), (20, 50), (50, 20)]
STACKS = [(5,), (2, 3), (3, 1, 2), ()]
LIMIT = {"float32": 1e-5, "float64": 1e-10}
GRAM32, GRAM64 = "float32 Gram matrix", "float64 Gram matrix"


def haar(rng, size, count):
    return np.linalg.qr(rng.standard_normal((count, size, size)))[0]


def with_values(values, m, n, count=1, seed=0):
    """Matrices (count, m, n) of given singular values, min(m, n) of them."""
    rng, p = np.random.default_rng(seed), min(m, n)
    return (haar(rng, m, count)[:, :, :p] * np.asarray(values, float)) @ haar(rng, n, count)[:, :, :p].transpose(0, 2, 1)


def frame(m, n, rank, seed=5):
    rng = np.random.default_rng(seed)
    return tuple(haar(rng, k, 1)[0][:, :rank] for k in (m, n))


def answers(d, u, v, rank):
    left, right = d.top(rank)
    return {
        "polar": d.polar(), "directions": d.directions(u, v), "truncated": d.polar(rank), "nuclear": d.nuclear(),
        "truncated directions": d.directions(u, v, rank), "values": d.values(rank), "left": left, "right": right,
    }  # fmt: skip


def expected(x, u, v, rank):
    left, d, right = np.linalg.svd(x.astype(np.float64), full_matrices=False)
    whole, truncated = left @ right, left[..., :rank] @ right[..., :rank, :]
    return {
        "polar": whole, "directions": np.einsum("mr,...mn,nr->...r", u, whole, v), "truncated": truncated,
        "truncated directions": np.einsum("mr,...mn,nr->...r", u, truncated, v), "values": d[..., :rank],
        "nuclear": d.sum(axis=-1), "left": left[..., :rank], "right": right[..., :rank, :].swapaxes(-1, -2),
    }  # fmt: skip


def assert_answers(x, rank, condition, gap):
    """Within the stated accuracy times 1 / sigma_min for whole factors, and times 1 / gap for truncated ones."""
    u, v = frame(*x.shape[-2:], min(2, *x.shape[-2:]))
    found, true = answers(Dispatched(x), u, v, rank), expected(x, u, v, rank)
    near, size = LIMIT[x.dtype.name], true["nuclear"].max()
    for name in ("polar", "directions"):
        np.testing.assert_allclose(found[name], true[name], rtol=0, atol=near * condition, err_msg=name)
    for name in ("truncated", "truncated directions"):
        np.testing.assert_allclose(found[name], true[name], rtol=0, atol=near / gap, err_msg=name)
    for name in ("values", "nuclear"):
        np.testing.assert_allclose(found[name], true[name], rtol=0, atol=near * size, err_msg=name)
    for name in ("left", "right"):
        basis = true[name]
        np.testing.assert_allclose(basis @ (basis.swapaxes(-1, -2) @ found[name]), found[name], rtol=0, atol=near / gap)
        assert np.abs(found[name].swapaxes(-1, -2) @ found[name] - np.eye(rank)).max() < near * condition


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("stack", STACKS, ids=str)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_question_is_answered_as_by_an_svd(shape, stack, dtype):
    p, count = min(shape), int(np.prod(stack, dtype=int))
    values = np.linspace(1, 0.1, p)
    x = with_values(values, *shape, count).reshape(*stack, *shape).astype(dtype)
    for rank in {1, min(2, p), p}:
        gap = values[rank - 1] - (values[rank] if rank < p else 0)
        assert_answers(x, rank, 10, gap)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(2, 5), (5, 5), (12, 7), (20, 33)], ids=str)
@pytest.mark.parametrize("low", [0.04, 0.01, 1e-3, 1e-4, 1e-6])
def test_ill_conditioned_matrices(shape, low, dtype):
    x = with_values(np.r_[1, np.geomspace(0.5, low, min(shape) - 1)], *shape, 6).astype(dtype)
    condition = 1 / low if dtype == "float64" or low > 2**-5 else 10  # else answered in double precision
    assert_answers(x, 1, condition, 0.5)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("scale", [1e-300, 1e-150, 1e-30, 1e-12, 1e12, 1e30, 1e150, 1e300])
def test_scale_cancels(scale, dtype):
    if dtype == "float32":
        scale = float(np.float32(scale ** (1 / 9)))
    x, (u, v) = with_values([1, 0.5, 0.2], 3, 5, 4).astype(dtype), frame(3, 5, 2)
    plain, scaled = (answers(Dispatched(np.asarray(s * x, dtype)), u, v, 2) for s in (1, scale))
    for name in plain:
        factor = scale if name in ("values", "nuclear") else 1
        near = {"rtol": 10 * LIMIT[dtype], "atol": 10 * LIMIT[dtype]}
        one, other = plain[name], scaled[name] / factor
        signs = np.sign(np.sum(one * other, axis=-2, keepdims=True)) if name in ("left", "right") else 1
        np.testing.assert_allclose(signs * other, one, **near, err_msg=name)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(3, 5), (5, 3), (4, 4), (6, 20)], ids=str)
@pytest.mark.parametrize("rank", [0, 1, 2])
def test_rank_deficient_matrices_have_partial_isometries(shape, rank, dtype):
    """U_+ V_+^T over the nonzero singular values, at any asked rank, as `Exact` says."""
    p = min(shape)
    x = with_values(np.r_[np.arange(rank, 0, -1), np.zeros(p - rank)], *shape, 5).astype(dtype)
    x[..., rank:, :] = 0  # rounding had raised the rank
    exact = x.astype(np.float64)
    u, v = frame(*shape, 2)
    for asked in (None, 1, 2, 3, 9):
        near = LIMIT[dtype]
        np.testing.assert_allclose(Dispatched(x).polar(asked), Exact(exact).polar(asked), atol=near)
        np.testing.assert_allclose(Dispatched(x).directions(u, v, asked), Exact(exact).directions(u, v, asked), atol=near)
    assert np.abs(Dispatched(x).nuclear() - np.linalg.svd(exact, compute_uv=False).sum(axis=-1)).max() < 10 * LIMIT[dtype]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(3, 5), (24, 47), (31, 59), (8, 8)], ids=str)
@pytest.mark.parametrize("offset", [0.0, 1e-16, 1e-13, 1e-9])
@pytest.mark.parametrize("equal", [2, 3])
def test_equal_top_values_give_orthonormal_vectors_of_their_space(shape, offset, equal, dtype):
    p = min(shape)
    values = np.r_[1 + offset * np.arange(equal)[::-1], np.full(p - equal, 0.5)]
    x = with_values(values, *shape, 40).astype(dtype)
    left, right = Dispatched(x).top(equal)
    true_left, _, true_right = np.linalg.svd(x.astype(np.float64), full_matrices=False)
    for found, true in ((left, true_left[..., :equal]), (right, true_right[:, :equal].swapaxes(-1, -2))):
        assert np.abs(found.swapaxes(-1, -2) @ found - np.eye(equal)).max() < LIMIT[dtype]
        assert np.abs(found - true @ (true.swapaxes(-1, -2) @ found)).max() < 2 * LIMIT[dtype]
    truncated = true_left[..., :equal] @ true_right[:, :equal]
    assert np.abs(Dispatched(x).polar(equal) - truncated).max() < 2 * LIMIT[dtype]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(2, 2), (2, 5), (4, 3), (6, 10)], ids=str)
def test_a_top_vector_of_equal_values_is_one_of_unit_length(shape, dtype):
    """Any vector will do, but not zero: T is a multiple of the identity, to rounding."""
    x = with_values(np.ones(min(shape)), *shape, 800).astype(dtype)
    for found in Dispatched(x).top(1):
        assert np.abs(np.linalg.norm(found, axis=(1, 2)) - 1).max() < LIMIT[dtype]


def structured(rng, m, n):
    """Matrices that make reflections vanish or the tridiagonal split."""
    cut, wide = rng.integers(1, m), rng.integers(1, n)
    blocks = np.zeros((m, n))
    blocks[:cut, :wide], blocks[cut:, wide:] = rng.standard_normal((cut, wide)), rng.standard_normal((m - cut, n - wide))
    diagonal, permuted = np.zeros((m, n)), np.zeros((m, n))
    np.fill_diagonal(diagonal, rng.permutation(np.geomspace(1, 0.05, m)))
    permuted[np.arange(m), rng.permutation(n)[:m]] = rng.choice([3.0, 2.0, 1.0, 0.5], m)
    chain = np.diag(rng.uniform(0.5, 1.5, m)) + np.diag(10.0 ** rng.uniform(-20, 0, m - 1), 1)
    lags = np.arange(m)[:, None] - np.arange(n) + n - 1
    rows = np.repeat(rng.standard_normal((1, n)), m, axis=0)
    return [
        blocks, diagonal, permuted, np.pad(chain, ((0, 0), (0, n - m))), rng.standard_normal(m + n)[lags],
        rng.integers(-3, 4, (m, n)).astype(float), rng.standard_normal((m, n)) * (rng.random((m, n)) < 0.3),
        rows + 10.0 ** rng.uniform(-3, 0) * rng.standard_normal((m, n)),
        np.geomspace(1, 1e-2, m)[rng.permutation(m), None] * rng.standard_normal((m, n)),
        *with_values(1 + 1e-9 * np.arange(m), m, n, 1, int(rng.integers(1e9))),
        *with_values(np.r_[1, np.full(m - 1, 10.0 ** rng.uniform(-3, 0))], m, n, 1, int(rng.integers(1e9))),
    ]  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(2, 2), (2, 4), (3, 3), (4, 7), (8, 8), (16, 33), (33, 64), (40, 40)], ids=str)
def test_structured_matrices_have_small_backward_errors(shape, dtype):
    """X = O H, and X V = U D of the top pairs, relative to ‖X‖_F: no condition number helps."""
    rng = np.random.default_rng(7)
    x = np.array([a for _ in range(4) for a in structured(rng, *shape)]).astype(dtype)
    d, near, rank = Dispatched(x), LIMIT[dtype], min(3, *shape)
    norm = np.linalg.norm(x.astype(float), axis=(1, 2)) + (np.abs(x).max(axis=(1, 2)) == 0)
    q, x, values = d.polar().astype(float), x.astype(float), d.values(rank)
    h = q.swapaxes(1, 2) @ x
    assert (np.linalg.norm(x - q @ (h + h.swapaxes(1, 2)) / 2, axis=(1, 2)) / norm).max() < near
    assert (np.abs(d.nuclear() - np.linalg.svd(x, compute_uv=False).sum(axis=1)) / norm).max() < near * shape[0] ** 0.5
    left, right = d.top(rank)
    assert (np.abs(x.swapaxes(1, 2) @ left - right * values[:, None]) / norm[:, None, None]).max() < 2 * near
    assert np.abs(left.swapaxes(1, 2) @ left - np.eye(rank)).max() < near


# What is refused


@pytest.mark.parametrize("shape", [(3, 3, 5), (3, 5, 3), (3, 1, 5), (3, 5, 5), (20, 4, 9)], ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [(1, 0, 0), (-1, -1, -1)], ids=str)
def test_what_is_not_finite_is_refused_by_every_question(shape, dtype, broken, place):
    x, (u, v) = np.random.default_rng(0).standard_normal(shape).astype(dtype), frame(*shape[1:], 1)
    x[place] = broken
    questions = [
        lambda d: d.polar(), lambda d: d.polar(1), lambda d: d.directions(u, v), lambda d: d.directions(u, v, 1),
        lambda d: d.values(1), lambda d: d.nuclear(), lambda d: d.top(1),
    ]  # fmt: skip
    for ask in questions:
        with pytest.raises(ValueError, match="need a finite x"):
            ask(Dispatched(x))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(0, 3, 4), (2, 0, 4, 3), (0, 1, 4), (0, 5, 9), (0, 4, 4)], ids=str)
def test_empty_stacks_have_empty_answers(shape, dtype):
    m, n = shape[-2:]
    found = answers(Dispatched(np.empty(shape, dtype)), *frame(m, n, 1), 1)
    sizes = {"polar": (m, n), "truncated": (m, n), "nuclear": (), "left": (m, 1), "right": (n, 1)}
    for name, x in found.items():
        assert x.shape == (*shape[:-2], *sizes.get(name, (1,))), name


# What is counted


def test_each_matrix_is_counted_once_by_the_means_that_answered_it():
    near, twice = 2.0**-16, np.array([1, 1, 0.5, 0.4])
    good, bad = with_values([1, 0.8, 0.6, 0.4], 4, 6, 3), with_values([1, 0.8, 0.6, near], 4, 6, 2)
    diagonal = np.zeros((2, 4, 6))
    diagonal[:, range(4), range(4)] = twice
    x = np.concatenate([good, bad, diagonal])
    tally = Tally()
    d = Dispatched(x, tally)
    assert tally == {GRAM64: 5, SVD_MEANS: 2}
    d.values(2)
    d.nuclear()
    assert tally == {GRAM64: 5, SVD_MEANS: 2}
    d.top(2)  # one eigenvector twice: an SVD for the equal values
    assert tally == {GRAM64: 3, SVD_MEANS: 4}
    answers(d, *frame(4, 6, 2), 2)
    assert tally == {GRAM64: 3, SVD_MEANS: 4}


def test_single_precision_goes_by_way_of_double():
    rows = [[1, 0.8, 0.6, 0.4], [1, 0.8, 0.6, 2.0**-8], [1, 0.8, 0.6, 2.0**-16]]
    x = np.concatenate([with_values(row, 4, 7, 2) for row in rows]).astype(np.float32)
    tally = Tally()
    Dispatched(x, tally)
    assert tally == {GRAM32: 2, GRAM64: 2, SVD_MEANS: 2}
    near_square = Tally()
    Dispatched(x[:, :, :5], near_square)
    assert near_square[GRAM32] == 0
    assert near_square.total() == 6


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_counts_add_up_over_stacks_however_they_are_cut(dtype):
    rng = np.random.default_rng(3)
    x = np.array([a for _ in range(10) for a in structured(rng, 6, 9)]).astype(dtype)
    whole, parts = Tally(), Tally()
    answers(Dispatched(x, whole), *frame(6, 9, 2), 2)
    for first in range(0, len(x), 7):
        answers(Dispatched(x[first : first + 7], parts), *frame(6, 9, 2), 2)
    assert whole == parts
    assert whole.total() == len(x)
    assert set(whole) >= {GRAM64, SVD_MEANS}


# What must not change a bit


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(2, 3), (9, 5), (16, 33), (33, 64), (40, 40)], ids=str)
def test_neighbours_stacks_and_strides_change_no_bit(shape, dtype):
    rng, (m, n) = np.random.default_rng(1), shape
    wide = [a if m <= n else a.T for _ in range(2) for a in structured(rng, min(m, n), max(m, n))]
    x = np.concatenate([rng.standard_normal((10, m, n)), wide, np.zeros((1, m, n))]).astype(dtype)
    u, v = frame(m, n, 2)
    whole = answers(Dispatched(x), u, v, 2)
    order = rng.permutation(len(x))
    views = {
        "alone": (x[:1], [0]), "one pack": (x[3:10], range(3, 10)), "another": (x[15:24], range(15, 24)),
        "shuffled": (x[order], order), "Fortran": (np.asfortranarray(x), range(len(x))),
        "strided": (np.repeat(x, 2, axis=0)[::2], range(len(x))), "reversed": (x[::-1], range(len(x))[::-1]),
        "inner strides": (np.repeat(np.repeat(x, 2, axis=1), 3, axis=2)[:, ::2, ::3], range(len(x))),
        "transposed": (np.ascontiguousarray(x.swapaxes(1, 2)).swapaxes(1, 2), range(len(x))),
        "axes": (x[:12].reshape(3, 2, 2, m, n), range(12)),
    }  # fmt: skip
    for view, (stack, where) in views.items():
        for name, found in answers(Dispatched(stack), u, v, 2).items():
            true = whole[name][list(where)]
            assert np.ascontiguousarray(found).tobytes() == np.ascontiguousarray(true).tobytes(), (view, name)


def test_another_matrix_is_told_apart_by_every_question():
    """The negative control of this file."""
    x, (u, v) = with_values([3, 2, 1], 3, 5, 2), frame(3, 5, 2)
    one, other = (answers(Exact(a), u, v, 2) for a in (x, x + 1e-4))
    for name, found in answers(Dispatched(x), u, v, 2).items():
        sign = np.sign(np.sum(found * one[name], axis=-2, keepdims=True)) if name in ("left", "right") else 1
        np.testing.assert_allclose(sign * found, one[name], atol=1e-10, err_msg=name)
        assert np.abs(sign * found - other[name]).max() > 1e-7, name
