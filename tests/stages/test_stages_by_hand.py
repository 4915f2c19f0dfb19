"""Stages in every order against loops over whole histories."""

import array_api_strict as strict
import by_hand as slow
import numpy as np
import pytest
import slow_controller
from scipy.signal import lfilter

import spikesim as ss
from spikesim.cascade import Cascade
from spikesim.pipelines import Pipeline, last_update
from spikesim.stages.filter import Bank

WINDOW, STEPS = 2.5, 12
IMPULSE = np.eye(1, 64)[0]
B, A = (0.3, 0.1), (-0.5, 0.2)
WEIGHTS = {
    "Filter()": lambda t: slow.ema_weights(WINDOW, t),
    "Filter(EMA(4.0))": lambda t: slow.ema_weights(4.0, t),
    "Filter(EMA(start='debiased'))": lambda t: slow.ema_weights(WINDOW, t, debiased=True),
    "Filter(HeavyBall)": lambda t: WINDOW * slow.ema_weights(WINDOW, t),
    "Filter(Nesterov)": lambda t: 0.6 * slow.ema_weights(WINDOW, t) + 0.4 * IMPULSE[:t],
    "Filter(FIR((0.5, 0.25)))": lambda t: np.array([0.5, 0.25, *np.zeros(64)])[:t],
    f"Filter(IIR({B}, {(1.0, *A)}))": lambda t: lfilter(B, (1.0, *A), IMPULSE)[:t],
}
ONE = {text: slow.filtered(weights) for text, weights in WEIGHTS.items()} | {
    "Polar()": lambda h: slow.polar(h[-1]),
    "Polar(1)": lambda h: slow.polar(h[-1], 1),
    "Clip(2.0)": slow.clip(2.0),
    "Normalise()": slow.normalise(),
    "Sign()": lambda h: np.sign(h[-1]),
    "SecondMoment(5.0, 0.01)": slow.second_moment(5.0, 0.01),
    "Adam(5.0, 0.01)": slow.adam(WINDOW, 5.0, 0.01),
    "Delay(2)": slow.delay(2),
    "Workers(3)": slow.workers(3),
    "Workers(2, (0, 3))": slow.workers(2, [0, 3]),
    "Shampoo()": lambda h: slow.polar(h[-1]),
    "Shampoo(3.0)": slow.shampoo(3.0),
    "Shampoo(3.0, -0.5)": slow.shampoo(3.0, -0.5),
    "Fisher()": slow.fisher(WINDOW),
    "Controller(1, 8.0, 16.0, 3)": slow_controller.controller(1, 8.0, 16.0, 3),
    "Power(0.0)": lambda h: slow.polar(h[-1]),
    "Tiled((1, 2))": lambda h: np.hstack([slow.polar(x) for x in np.hsplit(h[-1], 2)]),
    "ShapeFactor('rms-rms')": lambda h: h[-1] * (3 / 4) ** 0.5,
    "DualNorm()": lambda h: np.linalg.svd(h[-1])[1].sum() * slow.polar(h[-1]),
    "Identity()": lambda h: h[-1],
}
CHAINS = [
    "Clip(2.0) -> Filter() -> Polar()",
    "Polar() -> Workers(3) -> Filter()",
    "Workers(3) -> Filter() -> Polar()",
    "Polar() -> Workers(2, (0, 3)) -> Filter() -> Polar()",
    "Filter() -> Polar() -> Filter(Nesterov) -> Polar() -> Filter(FIR((0.5, 0.25)))",
    "SecondMoment(5.0, 0.01) -> Filter() -> Shampoo(3.0)",
    "Delay(2) -> Polar() -> Filter(HeavyBall) -> Clip(2.0) -> Filter()",
    "Workers(2, (0, 3)) -> Workers(3) -> Filter(EMA(4.0))",
    "Filter(EMA(4.0)) -> Fisher() -> Filter()",
    "Sign() -> Filter() -> Tiled((1, 2)) -> Filter(EMA(start='debiased'))",
    "Adam(5.0, 0.01) -> Normalise() -> Filter()",
    "Polar() -> Controller(1, 8.0, 16.0, 3) -> Filter() -> Polar()",
]


def gradients(*before, seed=0):
    return np.random.default_rng(seed).standard_normal((*before, STEPS, 3, 4))


def expected(text, g):
    return slow.run([ONE[part] for part in text.split(" -> ")], g)


@pytest.mark.parametrize("text", [*ONE, *CHAINS])
def test_every_stage_and_chain_equals_a_loop_over_its_history(text):
    g, pipeline = gradients(), Pipeline.from_text(text)
    np.testing.assert_allclose(last_update(pipeline, g, WINDOW), expected(text, g), atol=1e-9)


@pytest.mark.parametrize("text", [*ONE, *CHAINS])
def test_other_namespaces_give_the_same(text):
    g, pipeline = gradients(2), Pipeline.from_text(text)
    found = last_update(pipeline, strict.asarray(g), WINDOW)
    assert type(found) is type(strict.asarray(g))
    np.testing.assert_allclose(np.asarray(found), last_update(pipeline, g, WINDOW), atol=1e-9)


@pytest.mark.parametrize("text", [*ONE, *CHAINS])
def test_chunks_change_no_bit_of_any_stage(text):
    g, pipeline = gradients(2), Pipeline.from_text(text)
    whole, cut = (Cascade([pipeline.stages], Bank.made((WINDOW, 6.0))) for _ in "ab")
    whole.advance(g)
    for start in range(0, STEPS, 5):
        cut.advance(g[:, start : start + 5])
    np.testing.assert_array_equal(whole.last(pipeline.stages), cut.last(pipeline.stages))


def test_together_they_are_as_each_alone():
    g, pipelines = gradients(2), [Pipeline.from_text(t) for t in (*ONE, *CHAINS)]
    cascade = Cascade([p.stages for p in pipelines], Bank.made((WINDOW, 6.0)))
    cascade.advance(g)
    for p in pipelines:
        alone = np.stack([last_update(p, g, w) for w in (WINDOW, 6.0)], axis=1)
        np.testing.assert_allclose(np.broadcast_to(cascade.last(p.stages), alone.shape), alone, atol=1e-12)


def test_simulate_measures_the_same_updates():
    model = ss.SpikedModel((3, 4), (2.0, -1.0), ss.Gaussian(0.5))
    texts = [t for t in (*ONE, *CHAINS) if t != "Identity()"]
    asked = {"windows": (WINDOW,), "trials": 3, "steps": STEPS, "observables": ["alignment", "cosine", "head_error"]}
    data = ss.simulate(model, pipelines=[*texts, "polar-only"], workers=1, **asked)
    u, v = model.frame(0)
    signal = (u * model.spikes) @ v.T
    from spikesim.samplers.stream import Stream

    noise = Stream(model, 0, range(3), np.zeros(0), np.dtype("float64")).advance(STEPS, keep=True)
    for text in texts:
        updates = [expected(text, x + signal) for x in noise]
        alignment = [np.sum(a * signal) / 3.0 for a in updates]
        np.testing.assert_allclose(data.alignment.sel(pipeline=text).values[:, 0], alignment, atol=1e-9)
        cosine = [np.sum(a * ((u * [1, -1]) @ v.T)) / np.linalg.norm(a) / 2**0.5 for a in updates]
        np.testing.assert_allclose(data.cosine.sel(pipeline=text).values[:, 0], cosine, atol=1e-9)
