"""The machine that runs PTX: arithmetic against exact fractions and NumPy's, control, memory, and what it refuses."""

import math
from fractions import Fraction

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from ptx_launch import Memory, flat
from ptx_machine import program
from ptx_numbers import bits, fma32, fma64, integer, number, reciprocal_of_halves, single, whole

HEAD = """
.visible .entry kernel( // a comment; with a semicolon
    .param .u64 to,
    .param .u64 count
)
{
    .reg .pred %p<9>;
    .reg .f32 %f<9>;
    .reg .f64 %fd<9>;
    .reg .b32 %r<9>;
    .reg .b64 %rd<9>;
"""


def ran(code, dtype=np.uint64, values=(0,), threads=1):
    """What is left of an array whose address is in %rd1 after a kernel."""
    array, memory = np.array(values, dtype), Memory()
    address = memory.place(array)
    machine = program(f"{HEAD}\nld.param.u64 %rd1, [to];\nld.param.u64 %rd2, [count];\n{code}\nret;\n}}")
    machine.run((address, array.size), memory, (1, 1), threads)
    return array


def exact(a, b, c):
    return Fraction(a) * Fraction(b) + Fraction(c)


def test_fused_is_rounded_once_in_double():
    random = np.random.default_rng(0)
    a, b = (random.standard_normal(2000) * 2.0 ** random.integers(-500, 500, 2000) for _ in range(2))
    c = -a * b * (1 + random.integers(-4, 5, 2000) * 2.0**-53)  # near cancellation
    for x, y, z in zip(a.tolist(), b.tolist(), c.tolist(), strict=True):
        assert fma64(x, y, z) == float(exact(x, y, z))
    assert sum(x * y + z != fma64(x, y, z) for x, y, z in zip(a.tolist(), b.tolist(), c.tolist(), strict=True)) > 1000


def test_fused_is_rounded_once_in_single():
    """Halfway cases of single that the last bit of double hides: 1 + 2^-24 plus and minus something below 2^-53."""
    assert fma32(1.0 + 2.0**-12, 1.0 + 2.0**-12, 2.0**-80) == 1 + 2.0**-11 + 2.0**-23
    assert fma32(1.0 + 2.0**-12, 1.0 + 2.0**-12, -(2.0**-80)) == 1 + 2.0**-11
    random = np.random.default_rng(1)
    a, b, c = (random.standard_normal(3000).astype(np.float32) for _ in range(3))
    c *= np.float32(2.0) ** random.integers(-60, 30, 3000).astype(np.float32)
    for x, y, z in zip(a.tolist(), b.tolist(), c.tolist(), strict=True):
        found, true = fma32(x, y, z), exact(x, y, z)
        assert single(found) == found
        for side in (-np.inf, np.inf):
            next_one = float(np.nextafter(np.float32(found), np.float32(side)))
            assert abs(Fraction(found) - true) <= abs(Fraction(next_one) - true)


def test_infinities_zeros_and_numbers_too_large():
    assert fma64(1e300, 1e300, 0.0) == math.inf
    assert fma64(1e300, 1e300, -math.inf) == -math.inf
    assert fma64(1e200, 1e200, -1e300) == math.inf
    assert math.isnan(fma64(math.inf, 0.0, 1.0))
    assert math.copysign(1, fma64(-1.0, 0.0, -0.0)) == -1
    assert math.copysign(1, fma64(1.0, 1.0, -1.0)) == 1
    assert fma32(3e38, 3e38, 1.0) == math.inf


def test_floats_to_integers_and_bits():
    assert integer(2.5, "rni", -(2**31), 2**31 - 1) == 2
    assert integer(-2.9, "rzi", -(2**31), 2**31 - 1) == -2
    assert integer(-1.0, "rzi", 0, 2**32 - 1) == 0
    assert integer(math.inf, "rzi", 0, 2**32 - 1) == 2**32 - 1
    assert integer(math.nan, "rzi", 0, 2**32 - 1) == 0
    assert math.copysign(1, whole(-0.3, "rni")) == -1
    assert (bits(1.0, 32), number(0x3FF0000000000000, 64)) == (0x3F800000, 1.0)
    assert abs(reciprocal_of_halves(3.0) * 3 - 1) < 2.0**-19
    assert bits(reciprocal_of_halves(3.0), 64) % 2**32 == 0


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("mov.u64 %rd3, -1;\nadd.s64 %rd3, %rd3, 3;", 2),
        ("mov.u64 %rd3, -8;\nshr.s64 %rd3, %rd3, 1;", 2**64 - 4),
        ("mov.u64 %rd3, -8;\nshr.u64 %rd3, %rd3, 1;", 2**63 - 4),
        ("mov.u32 %r1, -2;\nmul.wide.s32 %rd3, %r1, 3;", 2**64 - 6),
        ("mov.u32 %r1, -2;\nmul.wide.u32 %rd3, %r1, 3;", 3 * (2**32 - 2)),
        ("mov.u32 %r1, -2;\nmul.hi.u32 %r2, %r1, %r1;\ncvt.u64.u32 %rd3, %r2;", 2**32 - 4),
        ("mov.u32 %r1, -2;\ncvt.s64.s32 %rd3, %r1;", 2**64 - 2),
        ("mov.u32 %r1, -2;\ncvt.u64.u32 %rd3, %r1;", 2**32 - 2),
        ("mov.u64 %rd3, 4294967299;\ncvt.u32.u64 %r1, %rd3;\ncvt.u64.u32 %rd3, %r1;", 3),
        ("mov.u32 %r1, -1;\nshl.b32 %r1, %r1, 40;\ncvt.u64.u32 %rd3, %r1;", 0),
        ("mov.u32 %r1, -1;\nsetp.lt.s32 %p1, %r1, 0;\nselp.b64 %rd3, 7, 9, %p1;", 7),
        ("mov.u32 %r1, -1;\nsetp.lt.u32 %p1, %r1, 0;\nselp.b64 %rd3, 7, 9, %p1;", 9),
        ("mov.u64 %rd3, 5;\nsetp.eq.s64 %p1, %rd3, 5;\nsetp.gt.and.s64 %p2, %rd3, 6, %p1;\nselp.b64 %rd3, 7, 9, %p2;", 9),
        ("mov.f64 %fd1, 0d3FF0000000000000;\n{\n.reg .b32 %temp;\nmov.b64 {%temp, %r1}, %fd1;\n}\ncvt.u64.u32 %rd3, %r1;",
         0x3FF00000),
        ("mov.u64 %rd3, 5;\nmov.u64 %rd4, 255;\nbfi.b64 %rd3, %rd3, %rd4, 1, 2;", 0b11111011),
        ("mov.u32 %r1, 0;\nmov.u32 %r2, 1072693248;\nmov.b64 %fd1, {%r1, %r2};\ncvt.rzi.u64.f64 %rd3, %fd1;", 1),
        ("mov.f32 %f1, 0f7FC00000;\nsetp.ne.f32 %p1, %f1, %f1;\nselp.b64 %rd3, 7, 9, %p1;", 9),
        ("mov.f32 %f1, 0f7FC00000;\nsetp.neu.f32 %p1, %f1, %f1;\nselp.b64 %rd3, 7, 9, %p1;", 7),
        ("mov.b32 %f1, 1065353216;\nmov.b32 %r1, %f1;\ncvt.u64.u32 %rd3, %r1;", 0x3F800000),
        ("mov.b64 %rd3, 0d3FF0000000000000;\nadd.f64 %fd1, %rd3, %rd3;\nmov.b64 %rd3, %fd1;", 0x4000000000000000),
        ("mov.u64 %rd3, 1;\nsetp.gt.u64 %p1, %rd2, 4;\n@!%p1 bra $L;\nmov.u64 %rd3, 2;\n$L:", 1),
    ],
)  # fmt: skip
def test_instructions(code, found):
    assert ran(f"{code}\nst.global.u64 [%rd1], %rd3;").tolist() == [found]


def test_a_loop_over_memory_and_threads():
    """Thread i adds the numbers up to i to place i, float32."""
    code = """
    mov.u32 %r1, %tid.x;
    mul.wide.u32 %rd3, %r1, 4;
    add.s64 %rd3, %rd1, %rd3;
    mov.f32 %f1, 0f00000000;
    $L1:
    cvt.rn.f32.u32 %f2, %r1;
    add.f32 %f1, %f1, %f2;
    add.s32 %r1, %r1, -1;
    setp.ge.s32 %p1, %r1, 0;
    @%p1 bra $L1;
    ld.global.f32 %f3, [%rd3+0];
    add.f32 %f1, %f1, %f3;
    st.global.f32 [%rd3], %f1;
    """
    assert_array_equal(ran(code, np.float32, np.arange(5) / 2, 5), [0, 1.5, 4, 7.5, 12])


def test_arrays_are_passed_as_numba_passes_them():
    x, memory = np.zeros((2, 3), np.float32), Memory()
    first, y = flat([x], memory), np.zeros((2, 0))
    assert list(first)[2:4] + list(flat([-1, 2.5], memory)) == [6, 4, 2**64 - 1, 2.5]
    assert list(flat([y], memory))[2:4] == [0, 8]
    assert list(flat([x], memory))[5:] == [2, 3, 12, 4]


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("bar.sync 0;", NotImplementedError), ("sin.approx.f32 %f1, %f2;", NotImplementedError),
        ("setp.lt.s32 %p1|%p2, %r1, 0;", NotImplementedError), ("cvt.rn.f32.u64 %f1, %rd1;", NotImplementedError),
        (".shared .align 4 .b8 x[16];", NotImplementedError), ("add.rz.f32 %f1, %f1, %f1;", NotImplementedError),
        ("add.s64 %rd3, %rd4, 1;", KeyError),  # never set
        ("st.global.u64 [%rd1+8], %rd2;", MemoryError), ("st.global.u64 [%rd1+4], %rd2;", MemoryError),
    ],
)  # fmt: skip
def test_what_is_not_known_or_not_there_is_refused(code, error):
    with pytest.raises(error):
        ran(code)


def test_an_endless_loop_ends(monkeypatch):
    monkeypatch.setattr("ptx_machine.LIMIT", 100)
    with pytest.raises(RuntimeError):
        ran("$L1:\nbra $L1;")
