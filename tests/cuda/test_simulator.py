"""Kernels in numba's simulator of a GPU, which has to be chosen before numba is imported: a process for each file."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
FILES = sorted((HERE / "simulated").glob("test_*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_in_the_simulator(path):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(path)]
    own = {name: x for name, x in os.environ.items() if not name.startswith("PYTEST_")}
    environment = {**own, "NUMBA_ENABLE_CUDASIM": "1"}
    result = subprocess.run(command, capture_output=True, text=True, cwd=HERE.parents[1], env=environment, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert " passed" in result.stdout


def test_there_are_files_to_run():
    assert FILES
