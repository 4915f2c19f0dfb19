"""Whole simulations against dense float64 SVDs of the same stream, each observable within its condition number.

Accuracy is 1e-10 in float64 and 1e-5 in float32 (where the reference takes the float32 noise), relative to the largest
singular value of what enters a polar step, times: sigma_1 / sigma_min (the least nonzero one) for what is read of an update,
sigma_1 / (sigma_r - sigma_{r+1}) for singular vectors, 1 for values and norms. Where factors are averaged or factored again
the worst factor of all steps comes first.
"""

import numpy as np
import pytest
import reference as ref

import spikesim as ss
from spikesim.devices.cpu import CPU
from spikesim.samplers.collapsed import Collapsed
from spikesim.samplers.stream import Stream
from spikesim.spectrum import Dispatched

LIMIT = {"float32": 1e-5, "float64": 1e-10}
WINDOWS, STEPS, TRIALS, SEED = (1.0, 8.0), 20, 2, 5


def spread(x, rank):
    """sigma_1, sigma_1 / the least nonzero singular value, and sigma_1 / (sigma_rank - sigma_{rank+1})."""
    d = np.append(np.linalg.svd(x, compute_uv=False), 0)
    kept = d[:-1][d[:-1] > max(x.shape) * 2.0**-52 * d[0]]
    return d[0], d[0] / kept[-1], d[0] / max(d[rank - 1] - d[rank], 1e-100)


def conditions(gradients, noise, window, pipeline, rank):
    """Name -> what multiplies the accuracy."""
    entering = ref.entering_matrices(gradients, window)[pipeline]
    size, whole, apart = spread(entering, rank)
    each = np.array([spread(g, rank) for g in gradients])
    first = each[:, 1].max() if pipeline in ("post-polar", "re-polarised") else 1.0
    updates = first * (1 if pipeline == "post-polar" else whole)
    truncated = each[:, 2].max() if pipeline == "post-polar" else first * apart
    last = max(np.linalg.norm(ref.ema(noise, window), 2), 1e-100)
    return dict.fromkeys(("alignment", "projection", "cosine"), updates) | {
        "alignment_truncated": truncated,
        **dict.fromkeys(("sin_theta_left", "sin_theta_right"), first * apart),
        **dict.fromkeys(("gap", "tail", "head_error", "singular_values"), first * size),
        **dict.fromkeys(("noise_fro", "noise_op", "noise_nuclear", "noise_tangent"), last * noise.shape[-1] ** 0.5),
    }


def drawn(model, dtype):
    """Noise (B, steps, m, n) of the stream, in float64, and the signal."""
    betas = 1 - 1 / np.asarray(WINDOWS)
    noise = Stream(model, SEED, range(TRIALS), betas, np.dtype(dtype)).advance(STEPS, keep=True).astype(float)
    left, right = model.frame(SEED)
    return noise, np.array([(left * model.spikes) @ right.T] * STEPS), left, right


def worst_ratios(model, dtype):
    """Name -> the largest error over what is allowed; 1 and less is good."""
    data = ss.simulate(model, windows=WINDOWS, trials=TRIALS, seed=SEED, steps=STEPS, dtype=dtype, workers=1)
    noise, signals, left, right = drawn(model, dtype)
    worst = {"residual": float(data.residual.max()) / LIMIT[dtype]}
    for trial, xi in enumerate(noise):
        for k, window in enumerate(WINDOWS):
            for pipeline in ref.PIPELINES:
                count = min(model.rank + 1, *model.shape)
                true = ref.observe(signals, xi, model.spikes, left, right, window, pipeline, count)
                allowed = conditions(signals + xi, xi, window, pipeline, model.rank)
                for name, factor in allowed.items():
                    found = data[name].isel(trial=trial, window=k)
                    found = found.sel(pipeline=pipeline) if "pipeline" in found.dims else found
                    error = np.nanmax(np.append(np.abs(found.values - true[name]), 0))
                    worst[name] = max(worst.get(name, 0), error / factor / LIMIT[dtype])
                    near = factor > 1e-3 / LIMIT[dtype] and name in (
                        "alignment_truncated",
                        "sin_theta_left",
                        "sin_theta_right",
                    )
                    assert near or np.array_equal(np.isnan(found), np.isnan(true[name])), (name, pipeline, window)
    return worst


LOW = ss.Kronecker((1.0, 0.5, 2.0, 0.0, 0.0), (3.0, 1.0, 0.2, 1.0, 0.5, 1.0, 2.0), 0.7)
LOW_COLUMNS = ss.Kronecker((1.0, 0.5, 2.0, 1.0), (3.0, 0.0, 1.0, 0.0), 0.7)
CASES = {
    "square": ss.SpikedModel((10, 10), (4.0, 2.0), ss.Gaussian()),
    "larger square": ss.SpikedModel((24, 24), (9.0, 8.0), ss.Gaussian()),
    "wide": ss.SpikedModel((6, 20), (6.0, -4.0), ss.Gaussian()),
    "tall": ss.SpikedModel((20, 6), (6.0, -4.0), ss.Gaussian()),
    "one row": ss.SpikedModel((1, 8), (3.0,), ss.Gaussian()),
    "full rank": ss.SpikedModel((3, 6), (5.0, 3.0, 2.0), ss.Gaussian()),
    "noise of lower rank": ss.SpikedModel((5, 7), (4.0, 2.0), LOW, "axes"),
    "noise of few columns": ss.SpikedModel((4, 4), (4.0,), LOW_COLUMNS, "axes"),
    "near-equal spikes": ss.SpikedModel((8, 16), (5.0, 5.0 * (1 + 1e-9), -5.0), ss.Gaussian(0.1)),
    "equal but for nothing": ss.SpikedModel((8, 16), (5.0, 5.0), ss.Gaussian(1e-8)),
    "spikes below the noise": ss.SpikedModel((8, 12), (0.1, 0.05), ss.Gaussian()),
    "Student's t": ss.SpikedModel((8, 12), (5.0, 3.0), ss.StudentT(2.1)),
    "Pareto": ss.SpikedModel((8, 8), (5.0, 3.0), ss.SymmetricPareto(2.1)),
    "contaminated": ss.SpikedModel((8, 12), (5.0, 3.0), ss.Contaminated(0.2, 1e6)),
    "high signal": ss.SpikedModel((8, 12), (1e6, 5e5), ss.Gaussian()),
    "graded signal": ss.SpikedModel((8, 12), (1e6, 1e3, 3.0), ss.Gaussian()),
    "integers": ss.SpikedModel((4, 4), (2.0, 1.0), ss.Rademacher(), "axes"),
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("case", CASES)
def test_every_observable_is_within_its_condition_number(case, dtype):
    worst = worst_ratios(CASES[case], dtype)
    assert max(worst.values()) < 1, worst


def test_another_stream_is_told_apart():
    """The negative control: the same comparison, with noise larger by a millionth."""
    changed = ss.SpikedModel((6, 20), (6.0, -4.0), ss.Gaussian(1 + 1e-6))
    found, true = (
        ss.simulate(m, windows=WINDOWS, trials=1, seed=SEED, steps=STEPS, workers=1) for m in (changed, CASES["wide"])
    )
    noise, signals, *_ = drawn(CASES["wide"], "float64")
    for i, pipeline in enumerate(ref.PIPELINES):
        allowed = conditions(signals + noise[0], noise[0], 8.0, pipeline, 2)
        for name in ("alignment", "sin_theta_left", "gap", "alignment_truncated"):
            error = abs(float((found[name] - true[name])[0, i, 1]))
            assert error > LIMIT["float64"] * allowed[name], (name, pipeline)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("case", CASES)
def test_factors_of_the_stream_have_small_backward_errors(case, dtype):
    """G = O H relative to ‖G‖, and sigma of O in {0, 1}: whatever the condition."""
    noise, signals, *_ = drawn(CASES[case], "float64")
    g = (noise + signals).astype(dtype)
    q = Dispatched(g).polar().astype(float)
    h = q.swapaxes(-1, -2) @ g
    error = np.linalg.norm(g - q @ (h + h.swapaxes(-1, -2)) / 2, axis=(-2, -1)) / np.linalg.norm(g, axis=(-2, -1))
    assert error.max() < LIMIT[dtype]
    assert np.linalg.norm(q @ (q.swapaxes(-1, -2) @ q) - q, axis=(-2, -1)).max() < LIMIT[dtype] * min(g.shape[-2:]) ** 0.5


@pytest.mark.parametrize("shape", [(8, 8), (6, 15)], ids=str)
def test_windows_of_a_hundred_thousand_steps(shape):
    model, window, steps = ss.SpikedModel(shape, (0.03, 0.02), ss.Gaussian()), 1e5, 300_000
    options = {"windows": [window], "trials": 2, "seed": SEED, "steps": steps, "workers": 1, "method": "collapsed"}
    data = ss.simulate(model, pipelines=["pre-polar"], **options)
    sampler = Collapsed(model, SEED, range(2), (ss.EMA(window),), np.dtype(float))
    sampler.advance(steps, keep=False)
    left, right = model.frame(SEED)
    gain = -np.expm1(steps * np.log1p(-1 / window))
    for trial, noise in enumerate(sampler.buffers()[:, 0]):
        buffer, found = noise + gain * (left * model.spikes) @ right.T, data.isel(trial=trial, window=0)
        size, whole, apart = spread(buffer, 2)
        u, d, vt = np.linalg.svd(buffer)
        alignment = np.sum((left.T @ ref.polar(buffer) @ right).diagonal() * model.spikes) / 0.05
        near = LIMIT["float64"]
        np.testing.assert_allclose(found.alignment[0], alignment, atol=near * whole)
        np.testing.assert_allclose(found.singular_values[0], d[:3], atol=near * size)
        np.testing.assert_allclose(found.sin_theta_left[0], ref.outside(left, u[:, :2]), atol=near * apart)
        np.testing.assert_allclose(found.sin_theta_right[0], ref.outside(right, vt[:2].T), atol=near * apart)
        np.testing.assert_allclose(found.noise_nuclear, np.linalg.svd(noise, compute_uv=False).sum(), rtol=near)


# What was used

MANY = [ss.SpikedModel((2, 2), (1.0,), ss.Rademacher(), "axes"), ss.SpikedModel((9, 9), (3.0, 2.0), ss.Gaussian())]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("model", [*MANY, ss.SpikedModel((6, 12), (4000.0, 2.0), ss.Gaussian())], ids=lambda m: str(m.shape))
def test_neither_workers_nor_blocks_change_what_was_used_nor_a_bit(monkeypatch, model, dtype):
    options = {"windows": [1, 4, 9], "trials": 24, "steps": 12, "seed": SEED, "dtype": dtype}
    whole = ss.simulate(model, workers=1, **options)
    used = whole.attrs["matrices"]
    assert used.count("SVD") == 1
    assert used.count("Gram") >= 1
    for workers, block in ((2, None), (1, 1), (2, 20_000)):
        with monkeypatch.context() as patch:
            if block:
                patch.setattr(CPU, "block_bytes", block)
            other = ss.simulate(model, workers=workers, **options)
        assert other.attrs["matrices"] == used
        for name in whole.data_vars:
            assert other[name].values.tobytes() == whole[name].values.tobytes(), name


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("model", MANY, ids=lambda m: str(m.shape))
def test_what_was_used_adds_up(model, dtype):
    options = {"windows": [2, 5, 9], "trials": 4, "steps": 12, "observables": ["alignment", "alignment_truncated"]}
    counted = {("pre-polar",): 4 * 3, ("polar-only",): 4, ("post-polar",): 4 * 12, ("pre-polar", "polar-only"): 4 * 3 + 4}
    for pipelines, count in counted.items():
        used = ss.simulate(model, pipelines=pipelines, dtype=dtype, **options).attrs["matrices"]
        assert sum(int(part.split(" by ")[0]) for part in used.split("; ")) == count, (pipelines, used)


# Read out of each polar step

F, P = ss.Filter(), ss.Polar()
OWN = [
    (P, F, P, F),
    (F, P, F),
    (ss.Polar(1), F, P),
    (P, F, ss.Polar(1)),
    (ss.Polar(1), F),
    (F,),
    (F, F),
    (P, F, F),
    (P, P, F),
]
RUN = [*ss.PIPELINES, *(ss.Pipeline(stages) for stages in OWN), ss.Pipeline((ss.Polar(99), F), "every pair")]
MOVING = {
    "still": ss.SpikedModel((6, 9), (4.0, -2.0), ss.Gaussian(0.4)),
    "turning": ss.SpikedModel((6, 9), (4.0, -2.0), ss.Gaussian(0.4), signal=ss.Rotating(0.2, both=True)),
    "turning, tall": ss.SpikedModel((9, 5), (4.0, -2.0), ss.Gaussian(0.4), signal=ss.Rotating(-0.1)),
}
ASKED = [("alignment",), ("alignment", "projection"), ("alignment_truncated",), ("projection", "alignment_truncated")]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("case", MOVING)
def test_what_is_read_of_each_step_is_what_the_whole_updates_give(case, dtype):
    options = {"windows": [1, 2.5, 8], "trials": 3, "steps": 18, "pipelines": RUN, "seed": SEED, "dtype": dtype, "workers": 1}
    whole = ss.simulate(MOVING[case], **options)
    for asked in ASKED:
        read = ss.simulate(MOVING[case], observables=asked, **options)
        for name in asked:
            np.testing.assert_allclose(read[name], whole[name], rtol=0, atol=100 * LIMIT[dtype], err_msg=f"{asked} {name}")


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("asked", ASKED[1:3], ids=str)
@pytest.mark.parametrize("case", MOVING)
def test_read_outs_do_not_depend_on_blocks_chunks_workers_or_trials(monkeypatch, case, asked, dtype):
    options = {"windows": [1, 2.5], "steps": 18, "pipelines": RUN, "seed": SEED, "dtype": dtype, "observables": asked}
    whole = ss.simulate(MOVING[case], trials=7, workers=1, **options)
    part = ss.simulate(MOVING[case], trials=range(6, 1, -2), workers=1, **options)
    monkeypatch.setattr(CPU, "block_bytes", 1)
    monkeypatch.setattr(CPU, "chunk_bytes", 1)
    split = ss.simulate(MOVING[case], trials=7, workers=2, **options)
    for name in asked:
        assert split[name].values.tobytes() == whole[name].values.tobytes()
        assert part[name].values.tobytes() == whole[name].isel(trial=[6, 4, 2]).values.tobytes()
    assert split.attrs["matrices"] == whole.attrs["matrices"]
