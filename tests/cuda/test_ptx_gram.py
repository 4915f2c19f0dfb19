"""What a GPU's compiler made of the Gram kernels, run on the machine of ptx_machine.py, against the CPU's answers.

Tiny stacks: one more than a group of threads, and one broken matrix, which hurts no neighbour.
"""

from importlib.util import find_spec

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from ptx_launch import Interpreted

from spikesim.gram import Gram
from spikesim.kernels import gram_cuda
from spikesim.kernels.gram_cuda import Reduced

pytestmark = pytest.mark.skipif(find_spec("numba_cuda") is None, reason="numba-cuda is not installed")

ROUNDING = {"float32": 4e-6, "float64": 1e-14}
STACKS = [(2, 2, 33), (3, 5, 5), (4, 5, 5)]


def stack(m, n, count):
    """Matrices whose singular values are between 2 and 1/2, apart from one another."""
    random, values = np.random.default_rng(0), np.geomspace(2, 0.5, m)
    left, right = (np.linalg.qr(random.standard_normal((count, k, k)))[0] for k in (m, n))
    return (left * values) @ right[:, :, :m].transpose(0, 2, 1)


def answers(gram, m, n):
    u, v = (np.linalg.qr(np.random.default_rng(1).standard_normal((k, 2)))[0] for k in (m, n))
    left, singular, sure = gram.left(2)
    return {
        "good": gram.good, "sure": sure, "factors": gram.factors()[0], "nuclear": gram.nuclear(), "singular": singular,
        "directions": gram.directions(u, v), "truncated": gram.truncated_directions(u, v, 2)[0], "values": gram.values(m),
        "left": left @ left.transpose(0, 2, 1),
    }  # fmt: skip


def assert_agree(found, true, tolerance):
    for name, x in true.items():
        assert found[name].dtype == x.dtype, name
        assert_allclose(found[name], x, rtol=0, atol=tolerance, err_msg=name)


@pytest.fixture
def engine(monkeypatch):
    """gram_cuda.Reduced on the machine; its argument is what is done to kernels first."""

    def made(edit=None):
        monkeypatch.setattr(gram_cuda, "launch", Interpreted(edit).launch)
        return Reduced

    return made


@pytest.mark.parametrize("dtype", ROUNDING)
@pytest.mark.parametrize("sizes", STACKS, ids=str)
def test_every_answer_is_the_cpus_to_rounding(engine, sizes, dtype):
    x, (m, n, _) = stack(*sizes).astype(dtype), sizes
    cpu, gpu = answers(Gram(x), m, n), answers(Gram(x, engine()), m, n)
    assert_agree(gpu, cpu, ROUNDING[dtype])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_broken_matrices_hurt_no_neighbour(engine):
    x = stack(3, 5, 4)
    alone, worse = answers(Gram(x, engine()), 3, 5), np.concatenate([x, 0 * x[:1], np.nan * x[:1], 1e200 * x[:1]])
    found = Gram(worse, engine())
    assert_array_equal(found.good, Gram(worse).good)
    assert_array_equal(found.good, [True] * 4 + [False] * 3)
    for name, true in answers(found, 3, 5).items():
        assert_array_equal(true[:4], alone[name], err_msg=name)


@pytest.mark.parametrize(
    ("old", "new"),
    [("sqrt.rn.f64", "abs.f64"), ("setp.lt.f64", "setp.gt.f64"), ("copysign.f64", "max.f64")],
)
def test_a_changed_kernel_is_found(engine, old, new):
    """Negative control: one kind of instruction is another in every kernel that has it."""
    x = stack(3, 5, 2)
    cpu, gpu = answers(Gram(x), 3, 5), answers(Gram(x, engine(lambda text: text.replace(old, new))), 3, 5)
    with pytest.raises(AssertionError):
        assert_agree(gpu, cpu, ROUNDING["float64"])
