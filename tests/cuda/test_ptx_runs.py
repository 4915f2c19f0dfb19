"""What a GPU's compiler made of the kernels, run on the machine of ptx_machine.py, against the CPU's: numba's types, what is
promoted and fused, the device library's logarithm. The simulator runs Python's code and shows none of it.

Words are equal bit by bit, single numbers to the units in the last place that docs/theory.md states, averages to rounding.
"""

from importlib.util import find_spec

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from ptx_launch import Interpreted, launched

from spikesim import rng
from spikesim.devices.cpu import CPU
from spikesim.kernels import ema, ema_cuda, stream_cuda
from spikesim.kernels.fills import FILLS, UNITS
from spikesim.kernels.philox import word_at

pytestmark = pytest.mark.skipif(find_spec("numba_cuda") is None, reason="numba-cuda is not installed")

ENTRIES, SEED, STEPS = 279, 2**64 - 5, (8, 3)
"""More entries than one block of threads has, an odd number of them, and of steps at the end."""
RECURSIVE = ("arch", "ar1")
OF_NORMALS = (*RECURSIVE, "mixture")
"""Of float32, as the normals they are made of, at a number's own size or 1 where that is more."""
CASES = [
    ("gaussian", 0.0), ("frozen", 0.0), ("rademacher", 0.0), ("laplace", 0.0), ("pareto", 0.5), ("pareto", 3.0),
    ("student_t", 0.5), ("student_t", 3.0), ("student_t", 30.0), ("stable", 0.5), ("stable", 1.0), ("stable", 1.99),
    ("arch", 0.5), ("ar1", -0.4), ("mixture", (0.3, 7.0, 0.0)), ("mixture", (0.3, 7.0, 2.0)),
]  # fmt: skip
FEW = {name: (name, p) for name, p in CASES}.values()
ROUNDING = {"float32": 1e-6, "float64": 1e-14}
EDGES = (0, 2**32 - 1)


def windows_of(name, dtype):
    """How many a law's kernel is compiled for: each number for some."""
    return (0, 1, 3)[(list(FILLS).index(name) + (dtype == "float64")) % 3]


def small_trials(count=1, draws=(0,)):
    """Trials with a word below 2^16 among those of the first 8 steps, even ones, for each of the draws."""
    steps, entries = np.arange(0, 8, 2)[:, None], np.arange(ENTRIES)
    for draw in draws:
        words = ((t, rng.words(SEED, rng.NOISE, t, steps, entries, draw)) for t in range(1, 500))
        found = [t for t, w in words if w.min() < rng.SMALL_WORD]
        assert len(found) >= count
        yield from found[:count]


def drawn(device, name, p, dtype, *, windows=0, kept=True, factors=False, scale=None, trials=EDGES, cut=STEPS, of=rng.NOISE):
    """Numbers (B, steps, N), sums (B, K, N), and what is remembered (B, N) after the first part of the steps."""
    random, padded, count = np.random.default_rng(0), -(-ENTRIES // device.pad) * device.pad, len(trials)
    sums, memory = np.zeros((count, windows, padded), dtype), np.zeros((count, padded))
    sums[:, :, :ENTRIES] = random.standard_normal((count, windows, ENTRIES))
    memory[:, :ENTRIES] = random.standard_normal((count, ENTRIES))
    beta, factor = np.array([0, 0.5, 0.9], dtype)[:windows], random.standard_normal((count, sum(cut)))
    power = 2.0 ** random.integers(-3, 4, ENTRIES) if scale is None else scale  # exact
    finish, outs, remembered, step = (power.astype(dtype), np.full(ENTRIES, 0.0 if scale is None else 0.7, dtype)), [], [], 0
    for steps in cut:
        out = np.zeros((count, steps * ENTRIES if kept else 0), dtype)
        of_steps = np.ascontiguousarray(factor[:, step : step + steps] if factors else factor[:, :0])
        at = (trials, of, rng.key(SEED), np.atleast_1d(np.asarray(p, float)))
        device.draw(name, sums, out, memory, beta, of_steps, step, steps, *at, *finish)
        outs.append(out.reshape(count, -1, ENTRIES))
        remembered.append(memory[:, :ENTRIES].copy())
        step += steps
    return np.concatenate(outs, axis=1), sums[:, :, :ENTRIES], remembered[0]


@pytest.fixture
def gpu(monkeypatch):
    """A GPU of the machine; its argument is what is done to kernels first."""

    def made(edit=None):
        device = Interpreted(edit)
        for module in (stream_cuda, ema_cuda):
            monkeypatch.setattr(module, "launch", device.launch)
        return device

    return made


def units(found, true, name, dtype):
    """Units in the last place of what a law is made of."""
    recursive = name in OF_NORMALS
    unit = np.float32 if FILLS[name][1] or recursive else np.dtype(dtype).type
    true = true.astype(dtype).astype(np.float64)
    size = np.maximum(np.abs(true), 1.0) if recursive else np.abs(true)
    return np.abs(found - true) / np.spacing(size.astype(unit))


def assert_held(found, true, name, dtype):
    apart = units(found, true, name, dtype)
    print(name, dtype, apart.size, float(apart.max()), float(np.mean(apart > 0)))
    assert np.max(apart) <= UNITS[name]


@pytest.mark.parametrize(
    ("name", "p", "dtype"), [(*case, "float64") for case in CASES] + [(*case, "float32") for case in FEW]
)
def test_numbers_are_the_cpus_to_the_units_stated(gpu, name, p, dtype):
    trials = (*EDGES, *small_trials(draws=(0, 1) if name == "stable" else (0,)))
    options = {"windows": windows_of(name, dtype), "trials": trials}
    (a, sums, x), (b, others, y) = drawn(CPU(), name, p, "float64", **options), drawn(gpu(), name, p, dtype, **options)
    assert b.dtype == others.dtype == dtype
    assert_held(b, a, name, dtype)
    single = FILLS[name][1] or name in OF_NORMALS
    if name in RECURSIVE:
        assert_allclose(y, x, atol=ROUNDING["float32"] * np.abs(x).max())
    if sums.size:
        size = np.abs(sums).max(axis=(0, 2), keepdims=True)
        assert_allclose(others / size, sums / size, atol=ROUNDING["float32" if single else dtype])


@pytest.mark.parametrize("dtype", ROUNDING)
@pytest.mark.parametrize("name", ["gaussian", "laplace"])
def test_factors_scales_and_means_are_the_cpus(gpu, name, dtype):
    options = {
        "windows": windows_of(name, dtype),
        "factors": True,
        "scale": np.linspace(0.3, 3, ENTRIES),
        "of": rng.COLLAPSED,
    }
    (a, sums, _), (b, others, _) = (drawn(d, name, 0.0, t, **options) for d, t in ((CPU(), "float64"), (gpu(), dtype)))
    rounding = ROUNDING["float32" if name == "gaussian" else dtype]
    assert_allclose(b, a, atol=rounding * np.abs(a).max())
    assert_allclose(others, sums, atol=rounding * np.abs(sums).max(initial=1))
    assert np.abs(a - drawn(gpu(), name, 0.0, dtype, **options | {"factors": False})[0]).max() > 0.1


@pytest.mark.parametrize("name", ["gaussian", "laplace", "arch"])
def test_bits_do_not_depend_on_the_cut_of_steps_or_on_what_is_kept(gpu, name):
    options = {"windows": windows_of(name, "float64"), "trials": EDGES[1:]}
    a, sums, _ = drawn(gpu(), name, 0.5, "float64", cut=(11,), **options)
    b, cut, _ = drawn(gpu(), name, 0.5, "float64", cut=(2, 6, 3), **options)
    _, alone, _ = drawn(gpu(), name, 0.5, "float64", kept=False, **options)
    assert sums.size
    assert_array_equal(b, a)
    assert_array_equal(cut, sums)
    assert_array_equal(alone, sums)


@pytest.mark.parametrize("dtype", ROUNDING)
def test_sums_of_a_stack_are_the_cpus_to_rounding(gpu, dtype):
    gpu()
    random = np.random.default_rng(0)
    x, betas = random.standard_normal((2, 5, 1, 9, 31)).astype(dtype), np.array([0.0, 0.5, 0.9], dtype)
    sums = random.standard_normal((2, 3, 9, 31)).astype(dtype)
    expected, found = ema.portable(sums, x, betas), ema_cuda.accumulate(sums.copy(), x, betas)
    assert_allclose(found, expected, atol=ROUNDING[dtype])
    assert np.any(found != expected)  # fused


def words_kernel():
    """Writes the words of places."""
    from numba import cuda

    @cuda.jit
    def kernel(out, entry, step, trial, domain, draw, k0, k1):
        i = cuda.grid(1)
        if i < out.size:
            out[i] = word_at(entry[i], step[i], trial, domain, draw, k0, k1)

    return kernel


def test_words_are_the_cpus_bit_by_bit():
    random, kernel, count = np.random.default_rng(0), words_kernel(), 400
    entries, steps = (random.integers(0, 1 << 33, count, np.uint64) for _ in range(2))
    entries[:100], steps[:100] = np.arange(100) % 7, np.arange(100) // 7
    for trial, draw, seed in ((0, 0, SEED), (2**32 - 1, 5, SEED), (12345, 1, 7)):
        out, numbers = np.zeros(count, np.uint32), (np.uint64(trial), np.uint64(rng.NOISE), np.uint64(draw), *rng.key(seed))
        launched(kernel, 4, out, entries, steps, *numbers)
        assert_array_equal(out, rng.words(seed, rng.NOISE, trial, steps, entries, draw))


CHANGES = [
    ("rademacher", "3528531795", "3528531797"),              # a multiplier of Philox
    ("rademacher", "shl.b32", "shr.u32"),                    # the bit of a sign
    ("student_t", "cvt.rn.f64.u32", "cvt.rn.f64.s32"),       # a word taken for a signed number
    ("gaussian", "0f3F317218", "0f3F317208"),                # ln 2 by 1e-6
    ("gaussian", "shr.s32", "shr.u32"),                      # the exponent of a logarithm
]  # fmt: skip


@pytest.mark.parametrize(("name", "old", "new"), CHANGES)
def test_a_changed_kernel_is_found(gpu, name, old, new):
    """Negative control: one instruction or number of a kernel is another."""

    def edit(text):
        assert old in text
        return text.replace(old, new)

    a, b = (drawn(d, name, 3.0, "float64", windows=windows_of(name, "float64"), cut=(8,))[0] for d in (CPU(), gpu(edit)))
    with pytest.raises(AssertionError):
        assert_held(b, a, name, "float64")
