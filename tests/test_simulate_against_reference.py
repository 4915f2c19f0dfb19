"""simulate against the dense reference on the very same noise; and what must not change its numbers.

The noise comes from the stream sampler; everything after it (signal, filters, polar factors, observables) is done twice.
"""

import itertools
import math
import tracemalloc

import numpy as np
import pytest
import reference as ref
import xarray as xr

import spikesim as ss
from spikesim.devices.cpu import CPU
from spikesim.observables import NOISE, OBSERVABLES
from spikesim.samplers.stream import Stream

POOLED = ["bias_squared", "variance"]


def orthonormal(rows, columns, seed=0):
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((rows, columns)))[0]


def signal_path(model, seed, steps):
    """S_0 .. S_{steps - 1}, and the last frames, from the model's frames alone."""
    if isinstance(model.signal, ss.Rotating):
        return ref.turning(model.spikes, *model.frames(seed), model.signal.omega, model.signal.both, steps)
    left, right = model.frame(seed)
    return np.array([(left * model.spikes) @ right.T] * steps), left, right


def reference_variables(model, windows, trials, seed, steps):
    """Name -> array of simulate's shape, by the reference."""
    betas = 1 - 1 / np.asarray(windows, float)
    noise = Stream(model, seed, trials, betas, np.dtype("float64")).advance(steps, keep=True)
    signals, left, right = signal_path(model, seed, steps)
    grid = list(itertools.product(range(len(trials)), ref.PIPELINES, windows))
    rows = [
        ref.observe(signals, noise[i], model.spikes, left, right, window, pipeline, min(model.shape))
        for i, pipeline, window in grid
    ]
    shape = (len(trials), len(ref.PIPELINES), len(windows))
    found = {name: np.array([row[name] for row in rows]).reshape(*shape, -1) for name in rows[0]}
    found = {name: x if name == "singular_values" else x[..., 0] for name, x in found.items()}
    found |= {name: found[name][:, 0] for name in NOISE}
    found["suppression"] = np.array([[ref.suppression(x + signals, w, model.rank) for w in windows] for x in noise])
    target = (left * np.sign(model.spikes)) @ right.T
    a = np.array([[list(ref.updates(x + signals, w).values()) for w in windows] for x in noise])
    pooled = [[ref.bias_and_variance(a[:, j, p], target) for j in range(len(windows))] for p in range(len(ref.PIPELINES))]
    return found | dict(zip(POOLED, np.moveaxis(pooled, -1, 0), strict=True))


def assert_agrees(model, windows=(1, 1.25, 2, 7.5, 40), trials=range(2, 5), seed=11, steps=19):
    data = ss.simulate(model, windows=windows, trials=trials, seed=seed, steps=steps, spectrum=min(model.shape), workers=1)
    expected = reference_variables(model, windows, trials, seed, steps)
    assert set(data.data_vars) == set(expected) | {"residual"}
    for name, values in expected.items():
        np.testing.assert_allclose(data[name].values, values, rtol=1e-10, atol=1e-10, err_msg=name)
    assert data.residual.max() < 1e-13


SHAPES = [
    ((3, 5), (4.0,)),
    ((3, 5), (4.0, -2.0)),
    ((4, 4), (3.0, 1.5)),
    ((4, 4), (-2.5, 2.5, 0.7)),
    ((6, 3), (1.0, 5.0)),
    ((6, 3), (5.0, 3.0, -2.0)),
    ((2, 6), (3.0, 2.0)),
    ((1, 7), (2.0,)),
    ((5, 1), (-2.0,)),
    ((1, 1), (0.5,)),
]


@pytest.mark.parametrize(("shape", "spikes"), SHAPES)
def test_every_shape_and_rank_agrees(shape, spikes):
    assert_agrees(ss.SpikedModel(shape, spikes, ss.Gaussian(0.7)))


LAWS = [
    ss.Arch(0.4, 0.8),
    ss.Biased(-0.3, 0.5),
    ss.SignFlip(0.6),
    ss.Kronecker((1.0, 0.5, 2.0, 0.1), (3.0, 1.0, 0.0, 0.2, 1.0), 0.7),
    ss.Contaminated(0.3, 20.0, 0.3),
]


@pytest.mark.parametrize("noise", LAWS, ids=lambda law: type(law).__name__)
def test_every_law_agrees(noise):
    assert_agrees(ss.SpikedModel((4, 5), (3.0, -1.5), noise))


@pytest.mark.parametrize("vectors", ["axes", (orthonormal(5, 2), orthonormal(4, 2, seed=1))], ids=["axes", "given"])
def test_every_kind_of_vectors_agrees(vectors):
    assert_agrees(ss.SpikedModel((5, 4), (3.0, -1.5), ss.Gaussian(), vectors))


TURNING = [
    ((2, 5), (4.0,)),
    ((4, 7), (4.0, -2.5)),
    ((4, 4), (3.0, 1.5)),
    ((5, 2), (-3.0,)),
    ((7, 4), (2.0, 3.5)),
]


@pytest.mark.parametrize("both", [False, True], ids=["u", "both"])
@pytest.mark.parametrize(("shape", "spikes"), TURNING)
def test_turning_signals_agree(shape, spikes, both):
    assert_agrees(ss.SpikedModel(shape, spikes, ss.Gaussian(0.7), signal=ss.Rotating(0.23, both)))


@pytest.mark.parametrize("omega", [-1e-3, 0.9, -2.0, math.pi], ids=str)
@pytest.mark.parametrize(
    "vectors", ["haar", "axes", (orthonormal(5, 2), orthonormal(4, 2, seed=1))], ids=["haar", "axes", "given"]
)
def test_turning_signals_agree_at_every_speed_and_with_every_kind_of_vectors(vectors, omega):
    assert_agrees(ss.SpikedModel((5, 4), (3.0, -1.5), ss.Gaussian(), vectors, ss.Rotating(omega, both=True)))


@pytest.mark.parametrize("steps", [1, 2, 33])
def test_turning_signals_agree_after_any_number_of_steps(steps):
    assert_agrees(ss.SpikedModel((3, 4), (2.0,), ss.Arch(0.3), signal=ss.Rotating(0.4)), windows=(1, 3.7), steps=steps)


@pytest.mark.parametrize("steps", [1, 2, 8, 33])
def test_any_number_of_steps_agrees(steps):
    assert_agrees(ss.SpikedModel((3, 4), (2.0,), ss.Gaussian()), windows=(1, 3.7), steps=steps)


# What must not change the numbers

CHANGES = [
    {"workers": 2},
    {"block": 1},
    {"chunk": 1},
    {"workers": 2, "block": 1, "chunk": 500},
]
VARIED = [ss.Gaussian(), ss.Arch(0.4), ss.SignFlip(), ss.Contaminated(0.3, 20.0)]
MOVED = [*((noise, ss.Constant()) for noise in VARIED), (ss.Gaussian(), ss.Rotating(0.3, both=True))]


def varied(monkeypatch, model, workers=1, block=None, chunk=None, **options):
    if block is not None:
        monkeypatch.setattr(CPU, "block_bytes", block)
    if chunk is not None:
        monkeypatch.setattr(CPU, "chunk_bytes", chunk)
    return ss.simulate(model, **({"windows": [3, 1, 9.5], "trials": 6, "steps": 37, "workers": workers} | options))


def assert_same_bits(one, other):
    assert set(one.data_vars) == set(other.data_vars)
    for name in one.data_vars:
        assert one[name].values.tobytes() == other[name].values.tobytes(), name


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("noise", "signal"), MOVED, ids=lambda part: type(part).__name__)
@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_workers_blocks_and_chunks_change_no_bit(monkeypatch, change, noise, signal, dtype):
    model = ss.SpikedModel((5, 4), (3.0, -1.5), noise, signal=signal)
    plain = varied(monkeypatch, model, dtype=dtype)
    assert_same_bits(plain, varied(monkeypatch, model, dtype=dtype, **change))


@pytest.mark.parametrize("noise", VARIED, ids=lambda law: type(law).__name__)
def test_trials_in_two_parts_are_the_same_trials(monkeypatch, noise):
    model = ss.SpikedModel((5, 4), (3.0, -1.5), noise)
    whole, first, second = (varied(monkeypatch, model, trials=t).drop_vars(POOLED) for t in (6, range(3), range(3, 6)))
    assert_same_bits(whole, xr.concat([first, second], "trial"))


def test_stepped_range_picks_trials(monkeypatch):
    model = ss.SpikedModel((5, 4), (3.0, -1.5), ss.Gaussian())
    whole, picked = (varied(monkeypatch, model, trials=t).drop_vars(POOLED) for t in (6, range(5, 0, -2)))
    assert_same_bits(picked, whole.isel(trial=[5, 3, 1]))


def test_other_windows_and_pipelines_change_no_bit(monkeypatch):
    model = ss.SpikedModel((5, 4), (3.0, -1.5), ss.Gaussian())
    whole, part = varied(monkeypatch, model), varied(monkeypatch, model, windows=[9.5], pipelines=["post-polar"])
    assert_same_bits(part, whole.sel(window=[9.5], pipeline=["post-polar"]))


@pytest.mark.parametrize("name", OBSERVABLES)
def test_one_observable_alone_is_the_same_number(monkeypatch, name):
    model = ss.SpikedModel((4, 6), (3.0, -1.5), ss.Gaussian())
    whole, alone = varied(monkeypatch, model), varied(monkeypatch, model, observables=[name])
    assert list(alone.data_vars) == [name]
    np.testing.assert_allclose(alone[name], whole[name], rtol=1e-12, atol=1e-12)


def test_single_precision_is_near_double(monkeypatch):
    model = ss.SpikedModel((8, 6), (6.0, -4.0), ss.Gaussian(0.3))
    double, single = varied(monkeypatch, model), varied(monkeypatch, model, dtype="float32")
    for name in double.data_vars:
        assert single[name].dtype == np.float64
        np.testing.assert_allclose(single[name], double[name], rtol=0, atol=2e-5, err_msg=name)


# Steps, labels, export


def test_steady_state_ends_when_startup_weight_is_below_a_millionth():
    model, windows = ss.SpikedModel((2, 3), (2.0,), ss.Gaussian()), [2, 7.5, 3]
    steady = ss.simulate(model, windows=windows, trials=2, workers=1)
    steps, beta = int(steady.attrs["steps"]), 1 - 1 / 7.5
    assert beta**steps < 1e-6 <= beta ** (steps - 1)
    assert_same_bits(steady, ss.simulate(model, windows=windows, trials=2, steps=steps, workers=1))


def test_steady_state_refuses_long_work_and_names_it():
    model = ss.SpikedModel((64, 64), (2.0,), ss.Gaussian())
    message = rf"need work <= .+, got work=\S+; give steps=.*{ss.EMA(1e9).settling(1e-6)} steps"
    with pytest.raises(ValueError, match=message):
        ss.simulate(model, windows=[1e9], trials=10)
    ss.simulate(model, windows=[1e9], trials=1, steps=8, pipelines=["pre-polar"])


def test_labels_say_what_was_run():
    model = ss.SpikedModel((3, 4), (2.0,), ss.Gaussian())
    own = ss.Pipeline((ss.Filter(),), "average")
    data = ss.simulate(model, windows=(5, 1.5), trials=range(7, 9), steps=9, pipelines=["polar-only", own], spectrum=3)
    assert data.sizes == {"trial": 2, "pipeline": 2, "window": 2, "index": 3}
    labels = {"trial": [7, 8], "pipeline": ["polar-only", "average"], "window": [5.0, 1.5], "index": [1, 2, 3]}
    assert {name: data[name].values.tolist() for name in data.coords} == labels
    assert data.attrs["model"] == repr(model)
    assert data.attrs["method"] == "collapsed"


def test_polar_only_is_repeated_along_the_window():
    data = ss.simulate(ss.SpikedModel((3, 4), (2.0,), ss.Gaussian()), windows=(5, 1, 2), trials=3, steps=9)
    only = data.drop_dims("index")[["alignment", "gap", "head_error", "variance"]].sel(pipeline="polar-only")
    xr.testing.assert_equal(only, only.isel(window=[0, 0, 0]).assign_coords(window=only.window))


@pytest.mark.parametrize("dtype", ["float64", np.dtype("float64")], ids=["text", "numpy"])
def test_attributes_are_text_and_floats(dtype):
    data = ss.simulate(ss.SpikedModel((2, 3), (2.0,), ss.Gaussian()), windows=[2], trials=1, steps=3, dtype=dtype)
    assert {type(x) for x in data.attrs.values()} <= {str, float}


def test_netcdf_keeps_numbers_labels_and_attributes(tmp_path):
    data = ss.simulate(ss.SpikedModel((2, 3), (2.0,), ss.Gaussian()), windows=[2, 1], trials=3, steps=9, seed=2**64 - 1)
    data.to_netcdf(tmp_path / "data.nc", engine="scipy")
    back = xr.load_dataset(tmp_path / "data.nc", engine="scipy")
    xr.testing.assert_equal(back, data)
    assert back.attrs == data.attrs


def test_noise_outside_the_theorem_is_labelled():
    inside, outside = (
        ss.simulate(ss.SpikedModel((2, 3), (2.0,), law), windows=[2], trials=1, steps=3).attrs["theorem"]
        for law in (ss.Gaussian(), ss.Biased(0.1))
    )
    assert inside.startswith("inside")
    assert outside == "outside the theorem: biased"


def test_progress_counts_trials_up_to_all():
    seen = []
    model = ss.SpikedModel((2, 3), (2.0,), ss.Gaussian())
    ss.simulate(model, windows=[2], trials=5, steps=3, workers=2, progress=lambda done, total: seen.append((done, total)))
    assert seen == sorted(set(seen))
    assert seen[-1] == (5, 5)


# Bad input

BAD = [
    ("windows", "window", [[0.99], [0], [-3], [math.nan], [math.inf], [2, math.nan], ["5"], [None], [True]]),
    ("windows", "windows", [[], [2, 2], [2, 5, 2.0]]),
    ("windows", "window", [[1e17]]),  # 1 - 1/T rounds to 1
    ("trials", "trials", [0, -1, 2.0, True, None, "3", range(0), range(-1, 3), range(2**32 - 1, 2**32 + 1), 2**64]),
    ("seed", "seed", [-1, 2**64, 1.5, True, None, "0"]),
    ("steps", "steps", [0, -1, 2.0, True, 2**33]),
    ("pipelines", "pipeline", [["pre"], [3], "post"]),
    ("pipelines", "pipelines", [[], ["pre-polar", "pre-polar"]]),
    ("observables", "observable", [["alignement"], [3], "all"]),
    ("observables", "observables", [[]]),
    ("spectrum", "spectrum", [0, -1, 4, 2.0, True]),
    ("method", "method", ["Stream", "fast", None]),
    ("device", "device", ["gpu", "cpu0", None]),
    ("dtype", "dtype", ["float16", "f8", int, None]),
    ("joint", "joint", [1, "yes", None]),
    ("workers", "workers", [0, -1, 1.5]),
    ("model", "model", [None, "SpikedModel", 3]),
]
EACH_BAD = [(argument, name, value) for argument, name, values in BAD for value in values]


@pytest.mark.parametrize(("argument", "name", "value"), EACH_BAD)
def test_bad_argument_is_refused_with_its_value(argument, name, value):
    arguments = {"model": ss.SpikedModel((3, 4), (2.0,), ss.Gaussian()), "windows": [2], "trials": 2, "steps": 4}
    arguments[argument] = value
    with pytest.raises(ValueError, match=rf"^need .+, got .*\b{name}="):
        ss.simulate(arguments.pop("model"), **arguments)


def test_moments_of_one_trial_are_refused_where_asked_for():
    model = ss.SpikedModel((3, 4), (2.0,), ss.Gaussian())
    with pytest.raises(ValueError, match=r"need trials >= 2 .+, got trials=1"):
        ss.simulate(model, windows=[2], trials=1, steps=4, observables=["variance"])
    assert not {*POOLED} & {*ss.simulate(model, windows=[2], trials=1, steps=4).data_vars}


# Memory


def peak(model, steps, pipelines, trials=2):
    """Bytes at most held at once by one call, after what is compiled and cached is there."""
    options = {"windows": [2, 50], "trials": trials, "pipelines": pipelines, "workers": 1}
    ss.simulate(model, steps=8, **options)
    tracemalloc.start()
    ss.simulate(model, steps=steps, **options)
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return held


@pytest.mark.parametrize("noise", [ss.Gaussian(), ss.Contaminated(0.1, 5.0)], ids=lambda law: type(law).__name__)
@pytest.mark.parametrize("pipelines", [["pre-polar"], ["pre-polar", "post-polar"]], ids=["filter first", "polar first"])
def test_memory_does_not_grow_with_steps(monkeypatch, pipelines, noise):
    monkeypatch.setattr(CPU, "chunk_bytes", 1 << 17)  # 64 steps of 16 x 16
    model = ss.SpikedModel((16, 16), (2.0,), noise)
    few, many = (peak(model, steps, pipelines) for steps in (200, 4000))
    assert many < 1.1 * few + 20_000  # 5 bytes a step; the stream would take 2000 a step and trial


@pytest.mark.parametrize("pipelines", [["pre-polar"], ["post-polar"]], ids=["filter first", "polar first"])
def test_memory_of_a_turning_signal_does_not_grow_with_steps(monkeypatch, pipelines):
    monkeypatch.setattr(CPU, "chunk_bytes", 1 << 17)
    model = ss.SpikedModel((16, 16), (2.0,), ss.Gaussian(), signal=ss.Rotating(0.1, both=True))
    few, many = (peak(model, steps, pipelines) for steps in (200, 4000))
    assert many < 1.1 * few + 100_000  # weights and coefficients of a window: 100 bytes a step, the signals 2000


@pytest.mark.parametrize("noise", [ss.Gaussian(), ss.Contaminated(0.1, 5.0)], ids=lambda law: type(law).__name__)
def test_memory_does_not_grow_with_very_many_steps(noise):
    model = ss.SpikedModel((2, 2), (2.0,), noise)
    few, many = (peak(model, steps, ["pre-polar"]) for steps in (200, 200_000))
    assert many < 1.1 * few + 200_000  # 1 byte a step


def test_chunks_of_small_matrices_are_small():
    one = peak(ss.SpikedModel((1, 1), (2.0,), ss.Gaussian()), 40_000, ["post-polar"], trials=1)
    assert one < 16 * CPU.chunk_bytes  # a chunk is one CHUNK_BYTES, and its polar factors a few more
