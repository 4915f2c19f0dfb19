"""Results of any pipeline depend on model, seed and trial alone: not on threads, parts or chunks, to the last bit."""

import importlib
from itertools import pairwise

import pytest

import spikesim as ss
from spikesim.design import design_from
from spikesim.parts import finished, joined
from spikesim.simulate import run_part

module = importlib.import_module("spikesim.simulate")
MODEL = ss.SpikedModel((4, 6), (3.0, 2.0), ss.StudentT(3.0), signal=ss.Rotating(0.05))
PIPELINES = [
    "pre-polar", "post-polar", "re-polarised", "Clip(3.0) -> Filter(Nesterov) -> Polar()",
    "Filter(Nesterov(start='debiased')) -> NewtonSchulz('muon', dtype='bfloat16') -> ShapeFactor('muon')",
    "Filter(MovingAverage(5)) -> DualNorm(NewtonSchulz('cubic'))", "Filter(IIR((1.0,), (1.0, -0.5))) -> QR()",
    "Sign() -> Filter(Kalman) -> Soft(0.1)", "SecondMoment(5.0) -> Filter(FIR((0.5, 0.25))) -> Power(0.5)",
    "Adam(5.0)", "Delay(3) -> Filter(Warmup(initial=0.2, length=6)) -> Shrink()", "Workers(2, (0, 3)) -> Filter() -> Polar()",
    "Polar() -> Workers(3) -> Filter(HeavyBall)", "Shampoo(4.0)", "Fisher()", "Filter() -> RandomisedPolar(2)",
    "Filter() -> Tiled((2, 3)) -> Filter(Lookahead(nu=0.5, kappa=1.0))",
    "Normalise() -> Filter() -> HardThreshold() -> Polar(1)",
]  # fmt: skip
OPTIONS = {"windows": [1, 2.5, 8], "steps": 24, "seed": 3, "pipelines": PIPELINES}


def assert_same(a, b):
    assert list(a) == list(b)
    assert a.attrs == b.attrs
    for name in a:
        assert a[name].values.tobytes() == b[name].values.tobytes(), name


@pytest.fixture(scope="module", params=["float64", "float32"])
def whole(request):
    return request.param, ss.simulate(MODEL, trials=12, dtype=request.param, workers=1, **OPTIONS)


@pytest.mark.parametrize("workers", [2, 3])
def test_threads_change_no_bit(whole, workers):
    dtype, data = whole
    assert_same(ss.simulate(MODEL, trials=12, dtype=dtype, workers=workers, **OPTIONS), data)


@pytest.mark.parametrize("ends", [(5,), (1, 11)], ids=str)
def test_parts_change_no_bit(whole, ends):
    dtype, data = whole
    parts = []
    for a, b in pairwise((0, *ends, 12)):
        design, numbers = design_from(MODEL, trials=range(a, b), dtype=dtype, **OPTIONS)
        parts.append(run_part(design, numbers, workers=1))
    assert_same(finished(joined(parts)), data)


@pytest.mark.parametrize("steps", [8, 16])
def test_chunks_change_no_bit(whole, steps, monkeypatch):  # of multiples of 8 steps; groups of 3 workers are cut
    dtype, data = whole
    seen = []
    monkeypatch.setattr(module, "chunk_steps", lambda *_: seen.append(steps) or steps)
    assert_same(ss.simulate(MODEL, trials=12, dtype=dtype, workers=1, **OPTIONS), data)
    assert seen


def test_another_seed_is_another_result(whole):
    dtype, data = whole
    other = ss.simulate(MODEL, trials=12, dtype=dtype, **(OPTIONS | {"seed": 4}))
    assert (other.alignment.values != data.alignment.values).mean() > 0.9  # a threshold may leave nothing of either
