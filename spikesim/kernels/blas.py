"""Products of matrices inside compiled code: SciPy's BLAS, called by address.

numba's own np.dot calls the same functions, but takes seconds to compile.
"""

import ctypes

import numpy as np
from numba.extending import get_cython_function_address

from spikesim.kernels.compiled import inner

_SIGNATURE = ctypes.CFUNCTYPE(None, *[ctypes.c_size_t] * 13)  # every argument is an address
_single = _SIGNATURE(get_cython_function_address("scipy.linalg.cython_blas", "sgemm"))
_double = _SIGNATURE(get_cython_function_address("scipy.linalg.cython_blas", "dgemm"))


@inner
def gemm(left, right, out, sizes, letters, ones):
    """out <- left right or left right^T, of contiguous matrices that begin at the arrays' addresses.

    Args:
        left: Address of (m, k).
        right: Address of (k, n), or (n, k) where transposed.
        out: Address of (m, n).
        sizes: (4,) int32: n, m, k and what a row of `right` holds.
        letters: (2,) uint8: ord("T") or ord("N") for `right`, ord("N").
        ones: [1, 0], of the matrices' type.
    """
    at, letter, number = sizes.ctypes.data, letters.ctypes.data, ones.ctypes.data
    beta = number + ones.itemsize
    if ones.itemsize == 4:
        _single(letter, letter + 1, at, at + 4, at + 8, number, right, at + 12, left, at + 8, beta, out, at)
    else:
        _double(letter, letter + 1, at, at + 4, at + 8, number, right, at + 12, left, at + 8, beta, out, at)


def shape(m, n, k, transposed):
    """`sizes` and `letters` of gemm."""
    letters = np.array([ord("T" if transposed else "N"), ord("N")], np.uint8)
    return np.array([n, m, k, k if transposed else n], np.int32), letters
