"""A GPU of numba's simulator: the kernels that a real one runs, on the memory of NumPy or array-api-strict."""

from threading import Lock

import numpy as np

from spikesim.devices.cuda import CUDA

ONE = Lock()
"""The simulator runs one kernel at a time."""


class Simulated(CUDA):
    def __init__(self, xp=np, block=64, chunk=1 << 20):
        self._xp, self._block, self._chunk = xp, block, chunk

    xp = property(lambda self: self._xp)
    chunk_bytes = property(lambda self: self._chunk)

    def __str__(self):
        return "cuda (simulator)"

    def check(self):
        pass

    def versions(self):
        return {}

    def memory(self):
        return 1e9

    def room(self):
        return 1 << 25, self._block

    def at_work(self):
        return ONE
