"""Where a benchmark ran: enough to read its numbers."""

import importlib.metadata
import os
import platform
from pathlib import Path
from typing import Any

from benchmarks.harness import TUNING_VARIABLES

PACKAGES = ("spikesim", "numpy", "numba", "scipy", "torch", "jax", "jaxlib")


def described(cores: int) -> dict[str, Any]:
    """Machine, versions, BLAS kernels, and variables that change what is compiled."""
    import numpy  # noqa: F401  (threadpoolctl reports what is loaded)
    from threadpoolctl import threadpool_info

    return {
        "cpu": _cpu(), "cores": cores, "platform": platform.platform(), "python": platform.python_version(),
        "versions": {name: _version(name) for name in PACKAGES},
        "blas": [{k: x.get(k) for k in ("internal_api", "version", "architecture")} for x in threadpool_info()],
        "numba_variables": {k: v for k, v in sorted(os.environ.items()) if k.startswith("NUMBA_")},
        "unset_for_contenders": list(TUNING_VARIABLES),
    }  # fmt: skip


def _cpu() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.is_file() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
