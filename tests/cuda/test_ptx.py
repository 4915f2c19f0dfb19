"""Every kernel compiles for GPUs without one, calls nothing, and keeps to registers and to fused arithmetic."""

import json
import os
import subprocess
import sys
from functools import cache
from importlib.util import find_spec
from itertools import product
from pathlib import Path

import pytest
from ptx import facts

HERE = Path(__file__).parent
CAPABILITIES = [(8, 0), (9, 0)]

compiles = pytest.mark.skipif(find_spec("numba_cuda") is None, reason="numba-cuda is not installed")


@cache
def made(capability):
    environment = {k: v for k, v in os.environ.items() if k != "NUMBA_ENABLE_CUDASIM"}
    environment["PYTHONPATH"] = os.pathsep.join([str(HERE.parents[1]), environment.get("PYTHONPATH", "")])
    command = [sys.executable, HERE / "ptx.py", *map(str, capability)]
    result = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


@compiles
@pytest.mark.parametrize("capability", CAPABILITIES, ids=str)
def test_kernels_call_nothing_and_need_no_local_memory(capability):
    found = made(capability)
    assert found
    for name, kernel in found.items():
        assert kernel["calls"] == kernel["local"] == 0, name
        assert kernel.get("stack", 0) == kernel.get("spilled", 0) == 0, name
        most = 255 if name.startswith("stable") else 168  # three blocks of 128 threads a processor at least
        assert kernel.get("registers", 0) <= most, name


@compiles
@pytest.mark.parametrize("capability", CAPABILITIES, ids=str)
def test_matrices_are_multiplied_and_added_at_once_and_no_index_is_looked_at(capability):
    found = made(capability)
    for name, number in product(("reduced", "framed", "turned", "directions", "rotated", "ema"), ("float32", "float64")):
        kernel = found[f"{name} {number}"]
        assert kernel["fused"] > 0, name
        assert kernel["split"] == kernel["selects"] == 0, name


def test_what_is_found_in_ptx():
    text = """
    .local .align 8 .b8 __local_depot0[48];
    selp.b64 %rd9, %rd8, %rd7, %p1;
    mul.f32 %f3, %f1, %f2;
    add.rn.f32 %f4, %f3, %f1;
    call.uni (retval0), thing, (param0);
$L__BB0_1:
    selp.b64 %rd6, %rd4, %rd2, %p1;
$L__BB0_2:
    selp.b64 %rd4, %rd4, %rd2, %p1;
    fma.rn.f32 %f5, %f1, %f2, %f4;
    @%p2 bra $L__BB0_2;
    @%p3 bra $L__BB0_1;
    """
    assert facts(text) == {"calls": 1, "local": 48, "fused": 1, "split": 1, "selects": 1}
