"""What a new process pays: the import, and the first call of `simulate` with nothing compiled before."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence

from benchmarks.harness import environment

IMPORT = "import spikesim"
FIRST = (
    "import time, spikesim as ss; start = time.perf_counter(); "
    "ss.simulate(ss.SpikedModel((32, 64), (6.0, 4.0), ss.Gaussian(0.5)), windows=[1, 10], trials=2); "
    "print(time.perf_counter() - start)"
)


def measured(repeats: int) -> dict[str, list[float]]:
    """Seconds: of a Python that imports spikesim less one that imports nothing, and of the first call.

    The compiler's cache starts empty, in a folder of its own.
    """
    out: dict[str, list[float]] = {"import": [], "first call": []}
    _wall([sys.executable, "-c", IMPORT])
    for _ in range(repeats):
        bare = _wall([sys.executable, "-c", "pass"])
        out["import"].append(_wall([sys.executable, "-c", IMPORT]) - bare)
        with tempfile.TemporaryDirectory() as cache:
            text = subprocess.run(
                [sys.executable, "-c", FIRST], env=environment(None) | {"NUMBA_CACHE_DIR": cache}, check=True,
                capture_output=True, text=True,
            ).stdout  # fmt: skip
        out["first call"].append(float(text))
    return out


def _wall(command: Sequence[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, env=environment(None))
    return time.perf_counter() - start
