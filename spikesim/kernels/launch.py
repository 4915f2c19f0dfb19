"""How compiled CUDA kernels meet arrays: nothing is copied, and work goes to the stream that CuPy is using.

Arrays of other namespaces are NumPy's memory, which kernels reach in numba's simulator alone (NUMBA_ENABLE_CUDASIM=1).
"""

import warnings
from typing import Any

import numpy as np
from array_api_compat import is_cupy_array
from numba import cuda
from numba.core.errors import NumbaPerformanceWarning

from spikesim.arrays import Array

THREADS = 128
"""Threads of a block."""

warnings.filterwarnings("ignore", "Grid size", NumbaPerformanceWarning)  # small models are no mistake


def launch(kernel: Any, grid: int | tuple[int, int], *arguments: Any) -> None:
    """Queue a kernel, THREADS threads a block, on the current stream.

    Args:
        kernel: Made by numba's cuda.jit.
        grid: Blocks, or (blocks, rows of blocks); none of it may be 0.
        arguments: Arrays, contiguous, and numbers.
    """
    arrays = [x for x in arguments if hasattr(x, "shape") and hasattr(x, "dtype") and not isinstance(x, np.generic)]
    bare = {id(x): _bare(x) for x in arrays}
    kernel[grid, THREADS, _stream(arrays)](*(bare.get(id(x), x) for x in arguments))


def _bare(x: Array) -> Any:
    """What numba takes of an array, over the same memory."""
    return cuda.as_cuda_array(x, sync=False) if is_cupy_array(x) else np.asarray(x)


def _stream(arrays: list[Array]) -> Any:
    """CuPy's current stream, as numba has it."""
    if not any(map(is_cupy_array, arrays)):
        return 0
    import cupy

    return cuda.external_stream(cupy.cuda.get_current_stream().ptr)
