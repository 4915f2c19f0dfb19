"""The width of compiled loops: asked for on this package's functions alone, and never against what a user has set."""

import json
import os
import platform
import subprocess
import sys

import pytest

import spikesim as ss
from spikesim.kernels import width

X86 = pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="looks at x86 assembly")
NARROW_BY_DEFAULT = {  # a processor whose LLVM default is 256 bits; code for it is compiled here and not run
    "NUMBA_CPU_NAME": "icelake-server",
    "NUMBA_CPU_FEATURES": "+avx,+avx2,+fma,+avx512f,+avx512bw,+avx512dq,+avx512vl",
}
HOST_WITH = dict.fromkeys(width.WIDE, True)

LOOPS = """
import json, numba
from spikesim.kernels.width import full_width, vector_bits
def ours(x, y):
    full_width()
    for i in range(x.size):
        y[i] = 3 * x[i] + y[i]
def theirs(x, y):
    for i in range(x.size):
        y[i] = 3 * x[i] + y[i]
def through(x, y):
    inner(x, y)
wide = []
inner = numba.njit(ours)
for f in (inner, numba.njit(theirs), numba.njit(through)):
    f.compile("(float64[::1], float64[::1])")
    wide.append("zmm" in "".join(f.inspect_asm().values()))
print(json.dumps([vector_bits(), *wide]))
"""

DRAWS = """
import hashlib, numpy as np, spikesim as ss
from spikesim.samplers.stream import Stream
found = hashlib.sha256()
for noise in (ss.Gaussian(), ss.StudentT(2.5)):
    s = Stream(ss.SpikedModel((20, 20), 1.0, noise), 5, (0, 3), np.array([0.5, 0.9, 0.99]), np.float64)
    found.update(s.advance(403, keep=True).tobytes() + s.buffers().tobytes())
print(found.hexdigest(), numba.config.CPU_NAME, numba.config.CPU_FEATURES)
"""


def run(code, **environment):
    clean = {k: v for k, v in os.environ.items() if not k.startswith("NUMBA_CPU") and k != width.VARIABLE}
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=clean | environment)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


@pytest.fixture
def fresh():
    width.vector_bits.cache_clear()
    yield
    width.vector_bits.cache_clear()


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize(
    ("features", "bits"), [(HOST_WITH, 512), (HOST_WITH | {"avx512dq": False}, None), ({"avx2": True}, None), ({}, None)]
)
def test_by_default_processors_with_512_bits_use_them(monkeypatch, features, bits):
    monkeypatch.delenv(width.VARIABLE, raising=False)
    monkeypatch.setattr(width.config, "CPU_NAME", None)
    monkeypatch.setattr(width.config, "CPU_FEATURES", None)
    monkeypatch.setattr(width.llvm, "get_host_cpu_features", lambda: features)
    assert width.vector_bits() == bits


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize("name", ["CPU_NAME", "CPU_FEATURES"])
def test_nothing_is_asked_for_where_the_user_has_chosen_a_processor(monkeypatch, name):
    monkeypatch.delenv(width.VARIABLE, raising=False)
    monkeypatch.setattr(width.llvm, "get_host_cpu_features", lambda: HOST_WITH)
    monkeypatch.setattr(width.config, name, "generic" if name == "CPU_NAME" else "")
    assert width.vector_bits() is None
    monkeypatch.setenv(width.VARIABLE, "256")
    width.vector_bits.cache_clear()
    assert width.vector_bits() == 256


@pytest.mark.usefixtures("fresh")
def test_a_bad_width_is_refused_before_anything_is_compiled(monkeypatch):
    monkeypatch.setenv(width.VARIABLE, "1024")
    with pytest.raises(ValueError, match=r"^need SPIKESIM_VECTOR_BITS in .*, got SPIKESIM_VECTOR_BITS='1024'$"):
        ss.simulate(ss.SpikedModel((3, 4), 1.0, ss.Laplace()), windows=[2], trials=1, steps=8)


@X86
@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, [None, False, False, False]),  # NUMBA_CPU_NAME is set: left as it is
        ({"SPIKESIM_VECTOR_BITS": "512"}, [512, True, False, False]),
        ({"SPIKESIM_VECTOR_BITS": "256"}, [256, False, False, False]),
    ],
)
def test_only_marked_functions_are_widened(asked, found):
    bits, ours, theirs, through = json.loads(run(LOOPS, **NARROW_BY_DEFAULT, **asked))
    assert [bits, ours, theirs] == found[:3]
    assert through == ours  # what is marked stays wide inside a caller that is not


def test_bits_depend_neither_on_the_width_nor_on_what_numba_compiled_before():
    user = "import numba\nf = numba.njit(lambda x: x + 1)\nassert f(1) == 2\n"
    usual = run("import numba\n" + DRAWS)
    assert usual.endswith(" None None")  # numba's own settings are not touched
    assert run(user + DRAWS + "assert f(1.5) == 2.5") == usual
    assert run("import numba\n" + DRAWS, SPIKESIM_VECTOR_BITS="128") == usual


def test_results_say_how_wide_the_loops_were():
    data = ss.simulate(ss.SpikedModel((3, 4), 1.0, ss.Gaussian()), windows=[2], trials=1, steps=8)
    assert data.attrs["vector_bits"] == str(width.vector_bits() or "as LLVM chooses")
