"""Launches on the machine of ptx_machine.py: a kernel is compiled for its arguments as numba compiles it, its PTX is run.

`Interpreted` is a GPU whose kernels run so, on NumPy's memory. Nothing is compiled twice for the same types.
"""

import struct
from bisect import bisect_right
from functools import cache
from unittest.mock import patch

import numpy as np
import ptx
from ptx_machine import program
from ptx_numbers import FORMATS

from spikesim.devices.cuda import CUDA
from spikesim.kernels.launch import THREADS

CAPABILITY = (9, 0)
FIRST, GAP = 0x7F2B_4000_0000, 1 << 20
"""Addresses need more than 32 bits, and what reaches past an array meets no other."""

made = cache(program)


class Memory:
    """Arrays at addresses."""

    def __init__(self):
        self._bases, self._views, self._next = [], [], FIRST

    def place(self, array):
        """The address of an array's memory, contiguous."""
        assert array.flags.c_contiguous
        self._bases.append(self._next)
        self._views.append(memoryview(array.reshape(-1).view(np.uint8)))
        self._next += -(-array.nbytes // GAP) * GAP + GAP
        return self._bases[-1]

    def load(self, address, kind):
        return struct.unpack_from(FORMATS[kind], *self._find(address, kind))[0]

    def store(self, address, kind, value):
        view, offset = self._find(address, kind)
        struct.pack_into(FORMATS[kind], view, offset, value)

    def _find(self, address, kind):
        i, size = bisect_right(self._bases, address) - 1, int(kind[1:]) // 8
        if i < 0 or address % size or address + size > self._bases[i] + len(self._views[i]):
            raise MemoryError(f"no {kind} at {address:#x}")
        return self._views[i], address - self._bases[i]


def flat(arguments, memory):
    """What a kernel's parameters are, as numba passes them: of an array, who owns it (nobody), its sizes, where it is."""
    for x in arguments:
        if isinstance(x, np.ndarray):
            yield from (0, 0, x.size, x.itemsize, memory.place(x), *x.shape, *x.strides)
        else:
            yield float(x) if isinstance(x, float | np.floating) else int(x) & (1 << 64) - 1


@cache
def text(kernel, types):
    """PTX of a kernel."""
    from numba.cuda import dispatcher

    with patch.object(dispatcher, "get_current_device"):  # put back afterwards
        return ptx.compiled(kernel, types, CAPABILITY)


def launched(kernel, grid, *arguments, edit=None):
    """Run a kernel on NumPy's arrays; edit: what is done to its PTX first."""
    from numba import typeof

    source = text(kernel, tuple(map(typeof, arguments)))
    source = edit(source) if edit else source
    memory = Memory()
    blocks = grid if isinstance(grid, tuple) else (grid, 1)
    made(source).run(tuple(flat(arguments, memory)), memory, blocks, THREADS)


class Interpreted(CUDA):
    """A GPU on NumPy's memory; `launch` stands in for kernels.launch.launch in modules with kernels."""

    def __init__(self, edit=None):
        self._edit = edit

    @property
    def xp(self):
        return np

    def launch(self, kernel, grid, *arguments):
        launched(kernel, grid, *arguments, edit=self._edit)
