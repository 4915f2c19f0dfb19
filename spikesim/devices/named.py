"""The device of a name, or one clear error."""

import importlib
import importlib.util
import os
import sys

from spikesim.devices.cpu import CPU
from spikesim.devices.cuda import CUDA
from spikesim.errors import need

DEVICES = ("cpu", "cuda")
INSTALL = "pip install 'spikesim[gpu-cu12]', or 'spikesim[gpu-cu13]' where the driver is of CUDA 13"
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
        coarse = 'CUPY_TF32 unset for device "cuda": products of 10 bits are not enough'
        need(tensor in ("", "0"), coarse, CUPY_TF32=tensor)
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
