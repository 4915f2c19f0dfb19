"""The GPU that everything here runs on: whether there is one, what it is, and how work on it is timed."""

import importlib
import importlib.util
import os
import subprocess
import time
from collections.abc import Callable
from typing import Any

from benchmarks.cupy_gram import namespace
from spikesim.devices.named import device as device_of

CLOCK, MULTIPROCESSORS, MAJOR, MINOR = 13, 16, 75, 76
"""Numbers of device attributes in CUDA's interface: clock in kHz, multiprocessors, compute capability."""
PACKAGES = ("numba-cuda", "cupy-cuda12x", "cupy-cuda13x")


def device() -> Any:
    """spikesim's device "cuda".

    Raises:
        ValueError: If there is no GPU, or what it needs is not installed.
    """
    return device_of("cuda")


def described() -> dict[str, Any]:
    """Name, memory, clock (Hz, the highest), multiprocessors, compute capability, driver and runtime."""
    cp = namespace()
    now = cp.cuda.Device()
    ask = cp.cuda.runtime.deviceGetAttribute
    clock, count, major, minor = (ask(number, now.id) for number in (CLOCK, MULTIPROCESSORS, MAJOR, MINOR))
    return {
        "name": cp.cuda.runtime.getDeviceProperties(now.id)["name"].decode(),
        "bytes": int(cp.cuda.runtime.memGetInfo()[1]), "clock": 1e3 * clock, "multiprocessors": int(count),
        "capability": [int(major), int(minor)], "driver": int(cp.cuda.runtime.driverGetVersion()),
        "runtime": int(cp.cuda.runtime.runtimeGetVersion()), "tf32_variable": os.environ.get("CUPY_TF32"),
    }  # fmt: skip


def synchronise() -> None:
    """Wait for all work of the device, whoever queued it."""
    namespace().cuda.runtime.deviceSynchronize()


def relieve() -> None:
    """Give the memory that libraries keep back, if more than half is taken."""
    cp = namespace()
    free, total = cp.cuda.runtime.memGetInfo()
    if 2 * free < total:
        cp.get_default_memory_pool().free_all_blocks()
        if importlib.util.find_spec("torch") is not None:
            importlib.import_module("torch").cuda.empty_cache()


def timed(work: Callable[[int], Any]) -> Callable[[int], float]:
    """Seconds that work of a size takes, from an idle device to an idle device."""

    def measure(size: int) -> float:
        relieve()
        synchronise()
        start = time.perf_counter()
        work(size)
        synchronise()
        return time.perf_counter() - start

    return measure


def assembly_of(windows: int, dtype: str) -> tuple[str, str]:
    """What the Gaussian stream kernel that has run for so many windows was compiled to: "SASS", or "PTX", and its text."""
    from spikesim.kernels.stream_cuda import kernel_of  # imports numba's cuda

    kernel = kernel_of("gaussian", windows, dtype)
    try:
        return "SASS", _longest(kernel.inspect_sass())
    except (RuntimeError, OSError, subprocess.CalledProcessError):  # nvdisasm is not there
        return "PTX", _longest(kernel.inspect_asm())


def _longest(texts: dict[Any, str]) -> str:
    return max(texts.values(), key=len)
