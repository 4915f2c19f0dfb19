"""What a GPU could do at most: instructions of a loop, counted in made-up and real assembly, and limits by hand."""

import re
import sys

import pytest
from harness import ROOT, run_python

sys.path.append(str(ROOT / "experiments"))

from benchmarks import gpu_limits
from benchmarks.assembly import Loop, innermost
from benchmarks.workloads import Problem

H100 = {"name": "A GPU", "clock": 2e9, "multiprocessors": 100, "capability": [9, 0], "driver": 12090, "runtime": 12090}

FACTORS = ("-766435501", "-845247145")
MIX = ["xor.b32 %r3, %r1, %r2;", "xor.b32 %r4, %r1, %r2;"]
DRAW = [line for i in range(10) for line in (*(f"mul.wide.u32 %rd{i}, %r1, {k};" for k in FACTORS), *MIX)]
"""Ten rounds of Philox in PTX: two products each, and two sums by exclusive or."""
PTX = "\n".join([
    ".visible .entry kernel()", "{", "mov.u32 %r1, 0;", *DRAW[:4],
    "$L__BB0_1:",
    *DRAW[4:],                                            # 9 rounds of the first draw: the first one stands before the loop
    "$L__OUTER_NO_LOOP:",
    "mov.u32 %r9, %r8;", "cvt.u32.u64 %r9, %rd9;", "and.b64 %rd1, %rd2, 4294967295;", "shr.u64 %rd1, %rd2, 32;",
    "setp.lt.u32 %p1, %r3, 65536;",
    "@%p1 bra $L__COLD;",
    "bra.uni $L__WARM;",
    "$L__COLD:", *DRAW, "add.f64 %fd1, %fd2, %fd3;", "$L__WARM:",
    "@%p2 bra $L__KEPT_NOT;",
    "st.global.f32 [%rd7], %f1;", "add.s64 %rd7, %rd7, 4;",
    "$L__KEPT_NOT:",
    "@%p3 bra $L__LAST;",
    "fma.rn.f32 %f1, %f2, %f1, %f3;", "fma.rn.f32 %f1, %f2, %f1, %f3;",
    "$L__LAST:",
    "cvt.rn.f32.u32 %f4, %r3;", "fma.rn.f32 %f1, %f2, %f1, %f4;",
    "mul.lo.s32 %r5, %r5, 3;",
    "@%p4 bra $L__BB0_1;",
    "ret;", "}",
])  # fmt: skip
SASS = "\n".join([
    "        /*0000*/                   MOV R1, c[0x0][0x28] ;",
    ".L_x_0:",
    *[f"        /*{16 * (i + 1):04x}*/                   IMAD.WIDE.U32 R2, R{i}, {k}, RZ ;"
      for i, k in enumerate(["-0x2daee0ad", "0xcd9e8d57"] * 10)],
    "        /*0200*/                   LOP3.LUT R4, R2, R3, R5, 0x96, !PT ;",
    "        /*0210*/                   MUFU.SQRT R4, R4 ;",
    "        /*0220*/                   FFMA R4, R4, R5, R6 ;",
    "        /*0230*/              @!P0 BRA `(.L_x_0) ;",
    "        /*0240*/                   EXIT ;",
])  # fmt: skip


def test_a_trip_is_what_most_trips_take():
    loop = innermost(PTX)
    assert loop.products == 18  # not those before the loop, nor of the cold block
    assert loop.entry_steps == 4
    assert loop.counts == {"multiply": 19, "integer": 19, "branch": 4 + 1, "float": 3, "special": 1}


def test_a_loop_of_sass_is_read_with_labels_or_addresses():
    expected = Loop({"multiply": 20, "integer": 1, "special": 1, "float": 1, "branch": 1}, 20)
    assert innermost(SASS) == expected
    by_address = SASS.replace("`(.L_x_0)", "0x10").replace(".L_x_0:\n", "")
    assert innermost(by_address) == expected
    held = re.sub("-0x2daee0ad|0xcd9e8d57", "R7", SASS)  # the factors may wait in registers
    assert innermost(held) == expected


def test_rounds_that_are_a_loop_of_their_own_are_refused():
    with pytest.raises(ValueError, match="need a loop with 12 products of Philox"):
        innermost("\n".join(["$L__BB0_1:", *DRAW[:4], "@%p1 bra $L__BB0_1;"]))


def test_a_real_kernel_is_read():
    """Philox, compiled by numba-cuda for a device that is not there."""
    pytest.importorskip("numba_cuda", reason="comes with the extras for GPUs")
    code = """
from types import SimpleNamespace
from numba import cuda, float32, int64, types, uint32, uint64
from numba.cuda import dispatcher
dispatcher.get_current_device = lambda: SimpleNamespace(compute_capability=(9, 0))
from spikesim.kernels.philox import unmasked
from spikesim.kernels.retarget import retargeted
draw = retargeted(unmasked, {}, cuda.jit(device=True), {})
def kernel(out, steps, trial, k0, k1):
    a = float32(0)
    for s in range(steps):
        a = float32(0.5) * a + float32(uint32(draw(uint64(cuda.grid(1)), uint64(s), trial, uint64(0), k0, k1)[0]))
    out[cuda.grid(1)] = a
print(cuda.compile_ptx(kernel, (float32[::1], int64, uint64, uint64, uint64), cc=(9, 0))[0])
"""
    loop = innermost(run_python(code))
    assert 12 <= loop.products <= 20
    assert loop.entry_steps == 4
    assert loop.counts["float"] == 1


def test_limits_of_noise_by_hand():
    loop = Loop({"multiply": 40, "integer": 60, "float": 60}, 40)  # two draws: 8 entry-steps
    assert gpu_limits.noise_limits(loop, H100) == {
        "issue": 100 * 2e9 * 128 * 8 / 160, "multiply": 100 * 2e9 * 64 * 8 / 40, "integer": 100 * 2e9 * 64 * 8 / 60,
    }  # fmt: skip
    assert gpu_limits.lanes((8, 0))["double"] == 32
    assert gpu_limits.lanes((8, 6))["double"] == 2


def test_work_of_a_trial_by_hand():
    problem = Problem(shape=(3, 6), spikes=(1.0,), windows=(1.0, 2.0), steps=10)
    takes = gpu_limits.work(problem, "float32")
    each = 4 * 9 * 6 + (4 / 3 + 2) * 27 + 2 * 2 * 18
    assert takes == {"entry_steps": 180, "operations": 10 * each, "bytes": 10 * (5 * 18 + 4 * 9) * 4}
    assert gpu_limits.work(Problem(shape=(6, 3), spikes=(1.0,), windows=(1.0, 2.0), steps=10), "float32") == takes
    rates = {"copy": 1e3, "product float32": 1e2}
    assert gpu_limits.end_to_end(problem, "float32", None, rates)["limit"] == pytest.approx(1e2 / (10 * each))
    assert gpu_limits.end_to_end(problem, "float32", 2.0, rates)["limit"] == pytest.approx(1 / (90 + each / 10))
    assert gpu_limits.end_to_end(problem, "float32", None, {**rates, "copy": 1.0})["limit"] == pytest.approx(1 / 5040)
