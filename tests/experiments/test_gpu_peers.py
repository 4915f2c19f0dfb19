"""What runs beside spikesim on a GPU, tried without one: NumPy in CuPy's place, PyTorch on the CPU in batches."""

import importlib
import sys

import numpy as np
import pytest
from harness import ROOT
from peers import SMALL, TRIALS, apart, simulated

import spikesim as ss

sys.path.append(str(ROOT / "experiments"))

from benchmarks import cupy_gram, cupy_noise
from benchmarks.workloads import MODEL_SEED, THREE, Problem


@pytest.fixture(scope="module")
def expected():
    return simulated()


def test_cupy_s_script_measures_what_spikesim_measures(expected):
    found = cupy_gram.observables(SMALL, TRIALS, seed=1, dtype="float64", truncated=True, xp=np)
    assert set(found) == set(expected)
    for name in sorted(set(found) - {"bias_squared", "variance"}):
        np.testing.assert_array_equal(np.isnan(found[name]), np.isnan(expected[name]), err_msg=name)
        if not np.isnan(found[name]).all():
            assert apart(found[name], expected[name]) < 5, name
    np.testing.assert_allclose(found["variance"], expected["variance"], rtol=0.1)
    np.testing.assert_allclose(found["bias_squared"], expected["bias_squared"], rtol=0.1, atol=0.05)


def test_a_wrong_signal_is_seen(expected):
    wrong = Problem(SMALL.shape, (6.3, 4.0), SMALL.sigma, SMALL.windows, SMALL.steps)
    found = cupy_gram.observables(wrong, TRIALS, seed=1, dtype="float64", truncated=True, xp=np)
    assert apart(found["singular_values"], expected["singular_values"]) > 5


@pytest.mark.parametrize("pipelines", [("pre-polar", "post-polar", "polar-only", "re-polarised"), THREE])
def test_alignment_alone_is_the_alignment_of_all_and_the_iteration_is_the_decomposition(pipelines):
    options = {"seed": 3, "dtype": "float64", "xp": np}
    every = cupy_gram.observables(SMALL, 4, truncated=True, **options)
    core = cupy_gram.observables(SMALL, 4, truncated=False, **options)
    alone = cupy_gram.alignment(SMALL, 4, pipelines=pipelines, **options)["alignment"]
    np.testing.assert_allclose(alone, every["alignment"][:, : len(pipelines)], atol=1e-8)
    assert set(every) - set(core) == {"alignment_truncated"}
    for name in core:
        np.testing.assert_allclose(core[name], every[name], atol=1e-7, err_msg=name)


def test_noise_and_averages_by_a_product_have_the_law_of_filtered_noise():
    found = cupy_noise.noise_ema(1 << 14, (1.0, 5.0), 64, seed=2, dtype="float32", chunk=8, fused=False, xp=np)
    expected = [ss.EMA(t).noise_factor(64) for t in (1.0, 5.0)]
    np.testing.assert_allclose(found.var(1) / expected, 1, atol=5 * (2 / (1 << 14)) ** 0.5)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_fused_kernel_is_cuda_that_compiles(dtype):
    nvrtc = pytest.importorskip("cuda.bindings.nvrtc", reason="comes with the extras for GPUs")
    _, program = nvrtc.nvrtcCreateProgram(cupy_noise.source(dtype, 6).encode(), b"noise.cu", 0, [], [])
    (status,) = nvrtc.nvrtcCompileProgram(program, 1, [b"--gpu-architecture=compute_80"])
    assert status == nvrtc.nvrtcResult.NVRTC_SUCCESS


@pytest.mark.parametrize("name", ["torch_gram", "torch_svd"])
def test_torch_in_batches_measures_what_it_does_one_by_one(name):
    torch = pytest.importorskip("torch", reason="make bench has it")
    module = importlib.import_module(f"benchmarks.{name}")
    common = importlib.import_module("benchmarks.torch_common")
    trial = common.Trials(SMALL, 3, 5, "float64")
    g = trial.gradients()
    sums = trial.zeros(*SMALL.shape)
    trial.average(sums, g)
    one = common.Trials(SMALL, 1, 5, "float64")
    for i in range(3):
        alone = one.zeros(*SMALL.shape)
        one.average(alone, g[i : i + 1])
        torch.testing.assert_close(sums[i : i + 1], alone)
    found = module._observables(common.Trials(SMALL, TRIALS, 1, "float64"), True, *([module.svd] if "svd" in name else []))
    data = ss.simulate(SMALL.model, windows=SMALL.windows, trials=TRIALS, seed=MODEL_SEED, steps=SMALL.steps)
    for key in ("alignment", "alignment_truncated", "singular_values", "noise_op"):
        assert apart(found[key].numpy(), data[key].values) < 5, key
    values = common.gram_values(g)
    torch.testing.assert_close(values, torch.linalg.svdvals(g))
    torch.testing.assert_close(common.gram_values(g.mT), values)
