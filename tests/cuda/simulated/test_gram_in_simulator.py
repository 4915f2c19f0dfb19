"""Gram matrices by a GPU's kernels, simulated, against the CPU's: the same numbers to rounding, the same trust."""

from collections import Counter

import array_api_strict as strict
import numpy as np
import pytest

from spikesim.gram import Gram
from spikesim.kernels import gram_cuda
from spikesim.kernels.gram_cuda import Reduced
from spikesim.means import PRODUCTS
from spikesim.spectrum import SVD_MEANS, Dispatched, Tally

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # simulated threads know nothing of np.errstate

STACKS = [(2, 2, 33), (2, 5, 5), (3, 7, 32), (5, 5, 3), (6, 9, 4), (12, 20, 2)]
EPS = {"float32": 2.0**-23, "float64": 2.0**-52}


def with_values(values, n, count, seed=0):
    """Matrices (count, m, n) of given singular values with Haar vectors."""
    rng, m = np.random.default_rng(seed), len(values)
    left, right = (np.linalg.qr(rng.standard_normal((count, k, k)))[0] for k in (m, n))
    return (left * np.asarray(values)) @ right[:, :, :m].transpose(0, 2, 1)


def frame(m, n, rank):
    rng = np.random.default_rng(5)
    return tuple(np.linalg.qr(rng.standard_normal((k, rank)))[0] for k in (m, n))


def answers(gram, u, v, rank):
    """Of NumPy's or another namespace's arrays, as NumPy's."""
    (left, singular, sure), (truncated, relied) = gram.left(rank), gram.truncated_directions(u, v, rank)
    found = {
        "good": gram.good, "sure": sure, "relied": relied, "factors": gram.factors()[0], "nuclear": gram.nuclear(),
        "directions": gram.directions(u, v), "truncated": truncated, "values": gram.values(gram.x.shape[1]),
        "singular": singular, "left": left,
    }  # fmt: skip
    found = {name: np.asarray(x) for name, x in found.items()}
    found["left"] = found["left"] @ found["left"].transpose(0, 2, 1)  # signs are free
    return found


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("namespace", [np, strict], ids=["numpy", "strict"])
@pytest.mark.parametrize("stack", STACKS, ids=str)
def test_every_answer_is_the_cpus_to_rounding(stack, namespace, dtype):
    (m, n, count), rank = stack, min(2, stack[0])
    values = np.geomspace(1, 0.05, m)
    gap = values[rank - 1] - (values[rank] if rank < m else 0)
    x, (u, v) = with_values(values, n, count).astype(dtype), frame(m, n, rank)
    cpu = answers(Gram(x), u, v, rank)
    gpu = answers(Gram(namespace.asarray(x), Reduced), namespace.asarray(u), namespace.asarray(v), rank)
    for name, true in cpu.items():
        near = {"factors": 0.05**-2, "directions": 0.05**-2, "left": 1 / gap, "truncated": 1 / gap}.get(name, 20.0)
        assert gpu[name].dtype == true.dtype, name
        np.testing.assert_allclose(gpu[name], true, rtol=0, atol=30 * EPS[dtype] * near, err_msg=name)


def test_another_matrix_is_told_apart():
    """The negative control of the test above."""
    x, (u, v) = with_values([1, 0.7, 0.3], 7, 2), frame(3, 7, 2)
    cpu, other = answers(Gram(x), u, v, 2), answers(Gram(x + 1e-6, Reduced), u, v, 2)
    for name in set(cpu) - {"good", "sure", "relied"}:
        assert np.abs(cpu[name] - other[name]).max() > 1e-8, name


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_same_matrices_are_trusted_and_broken_ones_hurt_no_neighbour(dtype):
    low = {"float32": 2.0**-5, "float64": 2.0**-13}[dtype]
    rows = [(1, 0.5, 0.3), (1, 0.5, 0.9 * low), (1, 0.5, 2.1 * low), (1, 0, 0), (1, 0.5, 0.3)]
    x = np.concatenate([with_values(row, 5, 2) for row in rows]).astype(dtype)
    alone = answers(Gram(x, Reduced), *frame(3, 5, 2), 2)
    large = 1e200 if dtype == "float64" else 1e30
    worse = np.concatenate([x, *(factor * x[:1] for factor in (0, np.nan, np.inf, large))])
    cpu, gpu = (Gram(worse.astype(dtype), *engine) for engine in ((), (Reduced,)))
    np.testing.assert_array_equal(gpu.good, cpu.good)
    assert gpu.good.tolist() == [True] * 2 + [False] * 2 + [True] * 2 + [False] * 2 + [True] * 2 + [False] * 4
    for name, found in answers(gpu, *frame(3, 5, 2), 2).items():
        assert found[: len(x)].tobytes() == alone[name].tobytes(), name


def test_a_place_in_the_stack_changes_no_bit():
    x, (u, v) = with_values(np.geomspace(1, 0.1, 4), 6, 37), frame(4, 6, 2)
    order = np.random.default_rng(1).permutation(37)[:5]
    whole, part = (answers(Gram(np.ascontiguousarray(stack), Reduced), u, v, 2) for stack in (x, x[order]))
    for name, found in part.items():
        assert found.tobytes() == whole[name][order].tobytes(), name


def test_work_in_slices_changes_no_bit(monkeypatch):
    x = with_values(np.geomspace(1, 0.1, 3), 4, 70)
    whole = [Gram(x, Reduced).factors()[0], Gram(x, Reduced).nuclear()]
    runs, launch = [], gram_cuda.launch
    monkeypatch.setattr(gram_cuda, "launch", lambda kernel, *rest: runs.append(kernel) or launch(kernel, *rest))
    monkeypatch.setattr(gram_cuda, "WORK_BYTES", 1)
    slices = [Gram(x, Reduced).factors()[0], Gram(x, Reduced).nuclear()]
    assert Counter(runs)[gram_cuda.compiled(gram_cuda.roots)] == 2 * 3  # groups
    for a, b in zip(whole, slices, strict=True):
        assert a.tobytes() == b.tobytes()


# The chain of means


def asked(d, u, v):
    left, right = d.top(2)
    found = {
        "polar": d.polar(), "directions": d.directions(u, v), "truncated": d.polar(2), "values": d.values(2),
        "truncated directions": d.directions(u, v, 2), "nuclear": d.nuclear(), "pairs": left @ right.mT,
    }  # fmt: skip
    return {name: np.asarray(x) for name, x in found.items()}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("turned", [False, True], ids=["wide", "tall"])
def test_dispatched_answers_as_on_the_cpu_and_counts(turned, dtype):
    rows = [(3, 2, 0.5), (3, 2, 2.0**-8), (3, 2, 2.0**-16), (3, 2, 2.0**-40)]
    x = np.concatenate([*(with_values(row, 6, 2) for row in rows), np.zeros((1, 3, 6))]).astype(dtype)
    if dtype == "float32":
        x[6:8, 2] = 0  # rounding had raised the rank
    x, (u, v) = (x.transpose(0, 2, 1), frame(6, 3, 2)) if turned else (x, frame(3, 6, 2))
    cpu, gpu = Tally(), Tally()
    true = asked(Dispatched(x, cpu), u, v)
    found = asked(Dispatched(strict.asarray(x), gpu, engine=Reduced), strict.asarray(u), strict.asarray(v))
    near = {"float32": 1e-4, "float64": 1e-9}[dtype]
    for name, answer in true.items():
        assert found[name].dtype == answer.dtype
        np.testing.assert_allclose(found[name][:6], answer[:6], rtol=0, atol=near, err_msg=name)
        np.testing.assert_allclose(found[name][:-1], answer[:-1], rtol=0, atol=1e-3, err_msg=name)
    assert cpu.pop(SVD_MEANS) == gpu.pop(SVD_MEANS) + gpu.pop(PRODUCTS)
    assert gpu == cpu


def test_products_take_what_gram_matrices_refuse_and_the_svd_the_rest():
    x = np.concatenate([with_values((3, 2, low), 6, 2) for low in (0.5, 2.0**-16, 2.0**-40)])
    tally = Tally()
    d = Dispatched(x, tally, engine=Reduced)
    assert tally == {"float64 Gram matrix": 2, PRODUCTS: 4}
    d.values(2)
    assert tally == {"float64 Gram matrix": 2, PRODUCTS: 4}
    d.nuclear()
    assert tally == {"float64 Gram matrix": 2, PRODUCTS: 2, SVD_MEANS: 2}


@pytest.mark.parametrize("shape", [(0, 3, 4), (2, 1, 4), (2, 4, 1)], ids=str)
def test_what_no_kernel_is_for_goes_to_the_svd(shape):
    x = np.ones(shape)
    tally = Tally()
    assert Dispatched(strict.asarray(x), tally, engine=Reduced).polar().shape == shape
    assert tally == {SVD_MEANS: shape[0]}


def test_what_is_not_finite_is_refused():
    x = np.ones((2, 3, 4))
    x[1, 0, 0] = np.nan
    for ask in (lambda d: d.polar(), lambda d: d.values(1), lambda d: d.top(1), lambda d: d.nuclear()):
        with pytest.raises(ValueError, match="need a finite x"):
            ask(Dispatched(strict.asarray(x), engine=Reduced))
