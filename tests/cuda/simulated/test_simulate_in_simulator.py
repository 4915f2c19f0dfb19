"""Whole runs on a simulated GPU against the CPU: kernels in numba's simulator, arrays of array-api-strict, which mixes with
none of NumPy's: what reaches a device's array has been brought there."""

import array_api_strict
import numpy as np
import pytest
from devices import Simulated
from numpy.testing import assert_allclose, assert_array_equal

import spikesim as ss
from spikesim import observables
from spikesim.devices import named
from spikesim.kernels import ema, ema_cuda
from spikesim.stages.filter import Filter
from spikesim.stages.polar import Polar

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # a GPU makes NaN of 0 / 0 in silence
WINDOWS, ROUNDING = [1, 3.5, 2], {"float32": 2e-4, "float64": 1e-9}
MODELS = {
    "wide": ss.SpikedModel((3, 6), (5.0, -3.0), ss.Gaussian(0.5)),
    "tall": ss.SpikedModel((5, 3), (4.0,), ss.StudentT(3.0)),
    "turning": ss.SpikedModel((4, 6), (4.0,), ss.Arch(0.5), signal=ss.Rotating(0.1, both=True)),
    "scaled": ss.SpikedModel((3, 4), (4.0,), ss.Contaminated(0.2, 9.0)),
    "biased": ss.SpikedModel((3, 3), (4.0, 1.0, 0.5), ss.Biased(1.0)),
}
MORE = ss.Pipeline((Filter(), Polar(), Filter()), "smoothed")


def both(monkeypatch, model, gpu=None, **options):
    """The same run on the CPU and on a simulated GPU."""
    monkeypatch.setitem(named._MADE, "cuda", gpu or Simulated(array_api_strict))
    return ss.simulate(model, **options), ss.simulate(model, device="cuda", **options)


def assert_agrees(cpu, gpu, tolerance):
    assert set(cpu) == set(gpu)
    for name in cpu:
        a, b = cpu[name].values, gpu[name].values
        assert isinstance(b, np.ndarray)
        assert b.dtype == np.float64
        assert_array_equal(np.isnan(a), np.isnan(b), err_msg=name)
        assert_allclose(b, a, atol=tolerance * max(1.0, np.nanmax(np.abs(a), initial=0)), err_msg=name)


@pytest.mark.parametrize(("name", "dtype"), [*zip(MODELS, [*ROUNDING] * 3, strict=False), ("wide", "float64")])
def test_every_observable_of_every_pipeline_agrees(monkeypatch, name, dtype):
    options = {"windows": WINDOWS, "trials": range(3, 6), "seed": 5, "steps": 8, "dtype": dtype, "method": "stream"}
    cpu, gpu = both(monkeypatch, MODELS[name], pipelines=[*ss.PIPELINES, MORE], **options)
    assert set(gpu) == set(observables.OBSERVABLES)
    assert_agrees(cpu, gpu, ROUNDING[dtype])
    assert gpu.attrs["device"] == "cuda (simulator)"
    assert gpu.attrs["dtype"] == dtype
    assert gpu.attrs["method"] == "stream"


def test_alignment_alone_agrees(monkeypatch):
    """Read before the filter, with no polar factor made."""
    cpu, gpu = both(monkeypatch, MODELS["wide"], windows=WINDOWS, trials=3, steps=11, observables=["alignment"])
    assert_agrees(cpu, gpu, 1e-9)


@pytest.mark.parametrize("name", ["wide", "scaled"])
def test_collapsed_runs_there_too(monkeypatch, name):
    options = {"windows": [1, 50, 4], "trials": 4, "steps": 200, "pipelines": ["pre-polar", "polar-only"]}
    cpu, gpu = both(monkeypatch, MODELS[name], **options)
    assert gpu.attrs["method"] == cpu.attrs["method"] == "collapsed"
    assert gpu.attrs["device"] == "cuda (simulator)"
    assert_agrees(cpu, gpu, 1e-9)


def test_blocks_and_chunks_leave_the_numbers_as_they_were(monkeypatch):
    """Bits, as far as the namespace's own functions keep them: a GPU's libraries may not (docs/theory.md, GPU)."""
    options = {"windows": WINDOWS, "trials": 5, "steps": 19, "pipelines": ["pre-polar", "post-polar"]}
    _, one = both(monkeypatch, MODELS["wide"], Simulated(array_api_strict, block=5), workers=1, **options)
    _, two = both(monkeypatch, MODELS["wide"], Simulated(array_api_strict, block=2, chunk=1), workers=3, **options)
    for name in one:
        assert_array_equal(one[name].values, two[name].values, err_msg=name)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sums_of_a_stack_are_the_portable_ones(dtype):
    random = np.random.default_rng(0)
    x = random.standard_normal((2, 5, 1, 3, 4)).astype(dtype)
    sums, betas = random.standard_normal((2, 3, 3, 4)).astype(dtype), np.array([0.0, 0.5, 0.9], dtype)
    expected = ema.portable(sums, x, betas)
    assert_array_equal(ema_cuda.accumulate(sums.copy(), x, betas), expected)
    strict = (array_api_strict.asarray(a) for a in (sums.copy(), x, betas))
    assert_array_equal(np.asarray(ema_cuda.accumulate(*strict)), expected)


def test_a_wrong_device_is_found(monkeypatch):
    """Negative control: a device whose noise is a little too large."""

    class Wrong(Simulated):
        def draw(self, fill, sums, *rest):
            super().draw(fill, sums, *rest)
            sums *= 1.001

    options = {"windows": WINDOWS, "trials": 3, "steps": 8, "observables": ["alignment", "noise_fro"]}
    cpu, gpu = both(monkeypatch, MODELS["wide"], Wrong(np), **options)
    with pytest.raises(AssertionError):
        assert_agrees(cpu, gpu, ROUNDING["float32"])
