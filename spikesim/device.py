"""Where blocks of trials run: whose arrays they are, what draws their noise, what analyses their matrices, how much fits.

Everything else is written once, for arrays of any namespace. On a GPU, arrays are CuPy's and kernels numba's, on the same
memory; what draws and averages noise is made of the same scalar functions on both.
"""

import importlib
import importlib.util
import os
import platform
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from queue import SimpleQueue
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from spikesim.arrays import Array
from spikesim.errors import need
from spikesim.kernels.cpu import stream_kernel
from spikesim.kernels.fills import BLOCK
from spikesim.kernels.mix import mix
from spikesim.spectrum import Dispatched, Tally

DEVICES = ("cpu", "cuda")
SHORT_OF_MEMORY = ("OUT_OF_MEMORY", "out of memory", "MemoryAllocation", "ALLOC_FAILED")
"""What errors of CUDA's driver, runtime and libraries say of memory."""
INSTALL = "pip install 'spikesim[gpu-cu12]', or 'spikesim[gpu-cu13]' where the driver is of CUDA 13"


class CPU:
    """NumPy's arrays, kernels compiled for this processor."""

    name = "cpu"
    pad = BLOCK
    """Entries of a matrix are rounded up to a multiple of this."""
    block_bytes = 1 << 25
    """What the buffers of one block may take."""
    chunk_bytes = 1 << 22
    """What the gradients of one chunk may take, over all trials of a block."""
    chunk_work = 1 << 25
    """Entry-steps of a chunk whose gradients nothing needs: about a tenth of a second, after which a run can be stopped."""
    overlap = 0
    """Blocks that are under way at once; 0 for one a core."""

    @property
    def xp(self) -> ModuleType:
        """The namespace of its arrays."""
        return np

    def __str__(self) -> str:
        return f"cpu ({platform.machine()})"

    def array(self, x: ArrayLike, dtype: Any = None) -> Array:
        """An array of this device."""
        return self.xp.asarray(x if dtype is None else np.asarray(x, dtype))

    def check(self) -> None:
        """Refuse what the calling thread has set up otherwise."""

    def versions(self) -> dict[str, str]:
        """Of further packages that results depend on."""
        return {}

    def memory(self) -> float:
        """Bytes in all; infinite where the machine does not tell."""
        try:
            return float(os.sysconf("SC_PAGE_SIZE")) * os.sysconf("SC_PHYS_PAGES")
        except (AttributeError, OSError, ValueError):
            return float("inf")

    def room(self) -> tuple[int, int]:
        """What the buffers of one block may take, in bytes, and how many trials it may have."""
        return self.block_bytes, 64

    def at_work(self) -> Any:
        """Context in which one block runs; what it has made is there at its end, for any thread."""
        return nullcontext()

    def summing(self) -> Any:
        """The same for sums over blocks, by one thread."""
        return nullcontext()

    def draw(
        self, fill: str, sums: Array, out: Array, memory: Array, beta: Array, factor: Array, step: int, steps: int,
        trials: Sequence[int], domain: int, key: tuple[np.uint64, np.uint64], p: Array, scale: Array, shift: Array,
    ) -> None:  # fmt: skip
        """Advance unit noise and its averages, in place; see kernels/cpu.py for what the arguments hold, trial by trial.

        Args:
            fill: Name of a law's fill.
            sums: (B, K, E), contiguous, as all arrays.
            out: (B, steps * N) or (B, 0).
            memory: (B, E), float64.
            beta: (K,).
            factor: (B, steps) or (B, 0).
            step: Even.
            steps: How many.
            trials: B global numbers.
            domain: One of rng's.
            key: rng.key of the seed.
            p: The law's parameters.
            scale: (N,).
            shift: (N,).
        """
        kernel = stream_kernel(fill)
        for i, trial in enumerate(trials):
            at = np.uint64(trial), np.uint64(domain), *key, p
            kernel(sums[i].reshape(-1), out[i], memory[i], beta, factor[i], step, steps, *at, scale, shift)

    def mix(self, roots: Array, z: Array) -> Array:
        """roots z for lower-triangular roots (B, L, L) and z (B, L, N), float64."""
        out = np.empty_like(z)
        for one, root, rows in zip(out, roots, z, strict=True):
            mix(one, root, rows)
        return out

    def spectra(self, x: Array, tally: Tally) -> Any:
        """What answers for a stack of matrices (spectrum.py)."""
        return Dispatched(x, tally)


class CUDA(CPU):
    """CuPy's arrays on the first GPU that the process sees; a few blocks at once, each on a stream of its own."""

    name = "cuda"
    pad = 2
    SHARE = 16
    """Parts of the free memory, of which one is for the buffers of a block: what is made of them takes several times that."""
    MOST = 1 << 12
    chunk_work = 1 << 34
    overlap = 2

    def __init__(self) -> None:
        import cupy

        self._streams: SimpleQueue[Any] = SimpleQueue()
        for _ in range(self.overlap):
            self._streams.put(cupy.cuda.Stream(non_blocking=True))
        self._sums = cupy.cuda.Stream(non_blocking=True)
        self._chunk = min(cupy.cuda.runtime.memGetInfo()[1] // 64, 1 << 30)

    @property
    def xp(self) -> ModuleType:
        """CuPy, as the array API standard has it."""
        import array_api_compat.cupy as xp

        return xp

    @property
    def chunk_bytes(self) -> int:  # type: ignore[override]
        """A share of all its memory, 1 GB at most: every matrix of a chunk is one thread's."""
        return self._chunk

    def __str__(self) -> str:
        import cupy

        now = cupy.cuda.Device()
        found = cupy.cuda.runtime.getDeviceProperties(now.id)
        return f"cuda ({found['name'].decode()}, compute capability {found['major']}.{found['minor']})"

    def check(self) -> None:
        """Blocks run on threads, whose current GPU is the first that the process sees; so must the caller's be."""
        import cupy

        now = cupy.cuda.runtime.getDevice()
        need(now == 0, "the first GPU that the process sees", "one process a GPU, with CUDA_VISIBLE_DEVICES", gpu=now)

    def versions(self) -> dict[str, str]:
        """Of CuPy, whatever its wheel is called, and what compiles kernels."""
        import cupy
        import numba_cuda

        return {"cupy": cupy.__version__, "numba-cuda": numba_cuda.__version__}

    def memory(self) -> float:
        """Bytes of the GPU."""
        import cupy

        return float(cupy.cuda.runtime.memGetInfo()[1])

    def room(self) -> tuple[int, int]:
        """A share of what is free now, blocks of CuPy's pool included."""
        import cupy

        pool = cupy.get_default_memory_pool()
        free = cupy.cuda.runtime.memGetInfo()[0] + pool.free_bytes()
        limit = pool.get_limit()  # 0 for none
        return (min(free, limit - pool.used_bytes()) if limit else free) // self.SHARE, self.MOST

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """One of the streams; at the end all that was queued on it is done."""
        stream = self._streams.get()
        try:
            with _on(stream):
                yield
        finally:
            self._streams.put(stream)

    def summing(self) -> Any:
        """See CPU.summing."""
        return _on(self._sums)

    def draw(self, fill: str, *arguments: Any) -> None:
        """See CPU.draw."""
        from spikesim.kernels.stream_cuda import advance

        advance(fill, *arguments)

    def mix(self, roots: Array, z: Array) -> Array:
        """See CPU.mix."""
        return self.xp.matmul(roots, z)

    def spectra(self, x: Array, tally: Tally) -> Any:
        """See CPU.spectra."""
        from spikesim.kernels.gram_cuda import Reduced

        return Dispatched(x, tally, Reduced)


@contextmanager
def _on(stream: Any) -> Iterator[None]:
    """Work on a stream, done at the end; every way that a GPU has of saying that memory is short is a MemoryError.

    A decomposition that does not converge is an error, as NumPy's is.
    """
    import cupyx

    try:
        with stream, cupyx.errstate(linalg="raise"):
            yield
            stream.synchronize()
    except MemoryError:
        raise
    except Exception as error:
        if any(sign in str(error) for sign in SHORT_OF_MEMORY):
            raise MemoryError(str(error)) from None
        raise


_MADE: dict[str, CPU] = {"cpu": CPU()}


def device(name: str) -> CPU:
    """The device of a name.

    Args:
        name: "cpu" or "cuda", the first GPU that the process sees (CUDA_VISIBLE_DEVICES).

    Raises:
        ValueError: If the name is another, there is no GPU or nothing to run on it with, or CuPy is set to another one.
    """
    need(isinstance(name, str) and name in DEVICES, f"device in {DEVICES}", device=name)
    if name not in _MADE:
        for module, package in (("cupy", "CuPy"), ("numba_cuda", "numba-cuda")):
            need(_installed(module), f'{package} for device "cuda"', INSTALL, device=name)
        tensor = os.environ.get("CUPY_TF32", "")
        need(
            tensor in ("", "0"),
            'CUPY_TF32 unset for device "cuda": products of 10 bits are not enough',
            CUPY_TF32=tensor,
        )
        why = _no_gpu()
        need(not why, 'a CUDA GPU for device "cuda"', f"none was found: {why}", device=name)
        _MADE[name] = CUDA()
    _MADE[name].check()
    return _MADE[name]


def _installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ValueError:  # something of that name was put in its place
        return module in sys.modules


def _no_gpu() -> str:
    """Why there is no GPU that can be used; empty where there is one."""
    try:
        import cupy

        importlib.import_module("numba_cuda")

        return "" if cupy.cuda.is_available() else f"CuPy {cupy.__version__} sees no device; is the driver loaded?"
    except Exception as error:  # a CuPy that is broken, or meets a driver it cannot use, fails in many ways
        return f"{type(error).__name__}: {error}"
