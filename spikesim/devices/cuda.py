"""Blocks of trials on a GPU: arrays are CuPy's and kernels numba's, on the same memory and on CuPy's streams.

What draws and averages noise, and what reduces Gram matrices, is made of the same functions as on a CPU.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from types import ModuleType
from typing import Any

from spikesim.arrays import Array
from spikesim.devices.cpu import CPU
from spikesim.errors import need
from spikesim.spectrum import Dispatched, Tally

SHORT_OF_MEMORY = ("OUT_OF_MEMORY", "out of memory", "MemoryAllocation", "ALLOC_FAILED")
"""What errors of CUDA's driver, runtime and libraries say of memory."""


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

        self.check()
        self._streams: SimpleQueue[Any] = SimpleQueue()
        for _ in range(self.overlap):
            self._streams.put(cupy.cuda.Stream(non_blocking=True))
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
            with on(stream):
                yield
        finally:
            self._streams.put(stream)

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
def on(stream: Any) -> Iterator[None]:
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
