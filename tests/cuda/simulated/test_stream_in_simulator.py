"""The stream kernel of a GPU, thread by thread in numba's simulator, against the CPU's: the same words, the same numbers.

The simulator rounds every product that a GPU fuses with a sum: averages agree to rounding, single numbers bit by bit.
"""

import array_api_strict
import numpy as np
import pytest
from devices import Simulated
from numpy.testing import assert_allclose, assert_array_equal

import spikesim as ss
from spikesim import rng
from spikesim.devices.cpu import CPU
from spikesim.kernels.fills import FILLS
from spikesim.kernels.quads import QUADS
from spikesim.samplers.collapsed import LAWS_NAMED, Collapsed
from spikesim.samplers.stream import Stream

SHAPE, BETAS = (3, 5), 1 - 1 / np.array([1.0, 2.0, 7.5])
LAWS = [
    ss.Gaussian(0.5), ss.StudentT(2.5, 2.0), ss.SymmetricPareto(1.5), ss.Laplace(0.3), ss.Rademacher(2.0),
    ss.AlphaStable(1.3), ss.Arch(0.5), ss.AR1(-0.4, 3.0), ss.SignFlip(), ss.Radial(2.1), ss.Contaminated(0.3, 30.0),
    ss.ScaleMixture(0.5, 9.0), ss.Biased(2.0), ss.Kronecker((1.0, 2.0, 0.0), (3.0, 1.0, 1.0, 0.5, 2.0)),
    ss.Mixture(0.3, 7.0, 2.0), ss.Mixture(0.3, 7.0, 2.0, 1.5),
]  # fmt: skip
ROUNDING = {"float32": 2e-6, "float64": 1e-14}


def streams(noise, dtype, trials=(4, 2**32 - 1), xp=np, signal=None):
    model = ss.SpikedModel(SHAPE, 9.0, noise)
    for device in (CPU(), Simulated(xp)):
        moved = None if signal is None else device.array(signal, dtype)
        yield Stream(model, 2**64 - 5, trials, BETAS, np.dtype(dtype), moved, device)


def test_every_fill_has_its_draw():
    assert set(QUADS) == set(FILLS)


@pytest.mark.parametrize("dtype", ROUNDING)
@pytest.mark.parametrize("noise", LAWS, ids=repr)
def test_numbers_are_the_cpus_and_averages_to_rounding(noise, dtype):
    cpu, gpu = streams(noise, dtype)
    for steps in (8, 16, 3):  # chunks, and an odd number of steps at the end
        assert_array_equal(gpu.advance(steps, keep=True), cpu.advance(steps, keep=True))
    assert_array_equal(gpu.last(), cpu.last())
    size = np.abs(cpu.buffers()).max()
    assert_allclose(gpu.buffers() / size, cpu.buffers() / size, atol=ROUNDING[dtype])


@pytest.mark.parametrize("noise", LAWS, ids=repr)
def test_numbers_do_not_depend_on_chunks_or_on_being_kept(noise):
    _, one = streams(noise, "float64")
    _, two = streams(noise, "float64")
    one.advance(24)
    for _ in range(3):
        two.advance(8, keep=True)
    assert_array_equal(one.buffers(), two.buffers())
    assert_array_equal(one.last(), two.last())


@pytest.mark.parametrize("noise", LAWS[:6], ids=repr)
def test_small_words_get_their_further_bits(noise):
    """A word below 2^16 has probability 2^-16: trials that have one among their first are looked for."""
    steps, entries = np.arange(16)[:, None], np.arange(15)
    draws = (0, 1) if isinstance(noise, ss.AlphaStable) else (0,)
    small = [t for t in range(2000) for d in draws if rng.words(7, rng.NOISE, t, steps, entries, d).min() < rng.SMALL_WORD]
    assert len(small) >= 3
    model = ss.SpikedModel(SHAPE, 9.0, noise)
    cpu, gpu = (Stream(model, 7, small, BETAS, np.dtype("float64"), None, d) for d in (CPU(), Simulated()))
    a, b = cpu.advance(16, keep=True), gpu.advance(16, keep=True)
    assert np.abs(a - b).max() <= 4 * np.spacing(np.abs(a)).max()  # the logarithm is another library's
    assert np.mean(a != b) < 0.01


def test_a_signal_is_added_to_what_is_kept_alone():
    signal = np.arange(15.0).reshape(SHAPE)
    cpu, gpu = streams(ss.Gaussian(), "float32", signal=signal)
    assert_array_equal(gpu.advance(8, keep=True), cpu.advance(8, keep=True))
    assert_allclose(gpu.buffers(), cpu.buffers(), atol=1e-6)


@pytest.mark.parametrize("noise", LAWS, ids=repr)
def test_arrays_may_be_of_any_namespace(noise):
    (_, plain), (_, strict) = streams(noise, "float32"), streams(noise, "float32", xp=array_api_strict)
    for _ in range(2):
        assert_array_equal(np.asarray(strict.advance(8, keep=True)), plain.advance(8, keep=True))
    assert isinstance(strict.buffers(), type(array_api_strict.zeros(1)))
    assert_array_equal(np.asarray(strict.buffers()), plain.buffers())
    assert_array_equal(np.asarray(strict.last()), plain.last())


@pytest.mark.parametrize("noise", [x for x in LAWS if type(x).__name__ in LAWS_NAMED], ids=repr)
def test_collapsed_buffers_are_the_cpus(noise):
    model, filters = ss.SpikedModel(SHAPE, 9.0, noise), [ss.EMA(w) for w in (7.5, 1.0, 200.0)]
    one, two = (Collapsed(model, 3, (0, 8), filters, np.dtype("float64"), d) for d in (CPU(), Simulated(array_api_strict)))
    for sampler in (one, two):
        sampler.advance(40)
    size = np.abs(one.buffers()).max()
    assert_allclose(np.asarray(two.buffers()) / size, one.buffers() / size, atol=1e-14)
    assert_allclose(np.asarray(two.last()) / size, one.last() / size, atol=1e-14)


def test_a_changed_kernel_is_found():
    """Negative control: one number of one trial, a unit in the last place off."""
    cpu, gpu = streams(ss.Gaussian(), "float32")
    a, b = cpu.advance(8, keep=True), gpu.advance(8, keep=True)
    b[1, 5, 2, 2] = np.nextafter(b[1, 5, 2, 2], np.float32(9))
    with pytest.raises(AssertionError):
        assert_array_equal(a, b)
