"""Packs of one: what lanes.py does lane by lane, done by one thread of a GPU, which has one matrix.

The LANES threads of a warp are the lanes of a group: entry (i, j) of their matrices lies at [place * LANES + lane], so that
what a warp reads at once is contiguous. A thread's arrays begin at its lane; the functions of tridiagonal.py, root.py and
eigen.py, made of these operations instead (retarget.py), are the same but for how many matrices one of them holds.

A product that is only added to or taken from something is rounded with it once (fused), as the compiler does by itself.
"""

import math

import numpy as np

LANES = 32
"""Threads of a warp."""


def load(array, index):
    """array[index]; an unsigned index is not looked at for counting from the end."""
    return array[np.uint64(index)]


def store(array, index, number):
    """Write to array[index]."""
    array[np.uint64(index)] = number


def splat(number, like):  # noqa: ARG001 (as of packs)
    """A number is a pack of one."""
    return number


def fma(x, y, z):
    """x y + z, rounded once on a GPU."""
    return x * y + z


def fnma(x, y, z):
    """z - x y, rounded once on a GPU."""
    return z - x * y


def sqrt(x):
    """The square root."""
    return math.sqrt(x)


def copysign(x, y):
    """|x| with the sign of y."""
    return math.copysign(x, y)


def maximum(x, y):
    """The larger of x and y; y where x is NaN."""
    return x if x > y else y


def choose(x, y, yes, no):
    """`yes` where x < y, else `no`."""
    return yes if x < y else no


OPERATIONS = {f.__name__: f for f in (load, store, splat, fma, fnma, sqrt, copysign, maximum, choose)}
"""By the names that lanes.py gives them."""
