"""Array helpers, by NumPy and by the strict namespace."""

import array_api_strict as strict
import numpy as np
import pytest

from spikesim.arrays import contiguous, type_name

VIEWS = {
    "as it is": lambda x: x, "transposed": lambda x: x.transpose(2, 0, 1), "reversed": lambda x: x[::-1, ::-1, ::-1],
    "strided": lambda x: x[:, ::2, 1:], "a column": lambda x: x[:, :, :1], "empty": lambda x: x[:0],
}  # fmt: skip


@pytest.mark.parametrize("namespace", [np, strict], ids=["numpy", "strict"])
@pytest.mark.parametrize("view", VIEWS)
def test_contiguous_numbers_are_the_same_one_after_the_other(view, namespace):
    x = VIEWS[view](np.arange(60.0).reshape(3, 4, 5))
    found = np.asarray(contiguous(namespace.asarray(x)))
    assert found.flags.c_contiguous
    np.testing.assert_array_equal(found, x)


def test_contiguous_does_not_copy_what_is_so():
    x = np.arange(6.0).reshape(2, 3)
    assert contiguous(x) is x


@pytest.mark.parametrize("namespace", [np, strict], ids=["numpy", "strict"])
@pytest.mark.parametrize("name", ["float32", "float64", "bool"])
def test_a_type_has_its_name(name, namespace):
    assert type_name(namespace.zeros(2, dtype=getattr(namespace, name))) == name
