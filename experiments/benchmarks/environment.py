"""Where a benchmark ran: enough to read its numbers."""

import importlib.metadata
import json
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from benchmarks.harness import TUNING_VARIABLES, environment
from spikesim.sweep.provenance import cpu

PACKAGES = ("spikesim", "numpy", "numba", "scipy", "torch", "jax", "jaxlib")


def described(cores: int, packages: Sequence[str] = PACKAGES) -> dict[str, Any]:
    """Machine, versions, BLAS kernels, and variables that change what is compiled."""
    return {
        "cpu": cpu(), "cores": cores, "platform": platform.platform(), "python": platform.python_version(),
        "versions": {name: _version(name) for name in packages},
        "blas": _blas(),
        "numba_variables": {k: v for k, v in sorted(os.environ.items()) if k.startswith("NUMBA_")},
        "unset_for_contenders": list(TUNING_VARIABLES),
    }  # fmt: skip


def _blas() -> list[dict[str, Any]]:
    """What NumPy's BLAS runs in a contender's environment, which is not always this process's."""
    code = "import json, numpy, threadpoolctl; print(json.dumps(threadpoolctl.threadpool_info()))"
    run = subprocess.run([sys.executable, "-c", code], env=environment(), check=True, capture_output=True, text=True)
    return [{k: x.get(k) for k in ("internal_api", "version", "architecture")} for x in json.loads(run.stdout)]


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
