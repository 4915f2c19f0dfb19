"""A run to steady state is as long as every stage needs, after those before it."""

import numpy as np
import pytest

import spikesim as ss
from spikesim.filters import EMA

MODEL = ss.SpikedModel((4, 6), (3.0, 2.0), ss.Gaussian(0.5))
N = EMA(5.0).settling(1e-6)


def steps(*pipelines):
    return int(ss.simulate(MODEL, windows=[5], trials=1, pipelines=pipelines, observables="alignment").attrs["steps"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Filter() -> Polar()", N),
        ("Polar()", N),
        ("Delay(500) -> Filter() -> Polar()", N + 500),
        ("Polar() -> Filter() -> Delay(7)", N + 7),
        ("Filter() -> Polar() -> Filter(EMA(9.0))", N + EMA(9.0).settling(1e-6)),
        ("Filter(MovingAverage(400)) -> Polar()", 400),
        ("Workers(4) -> Filter() -> Polar()", 4 * N),
        ("Polar() -> Workers(4, (0, 0, 0, 20)) -> Filter()", 4 * (N + 20)),
        ("Workers(2) -> Filter() -> Workers(3) -> Polar()", 6 * N),
        ("Shampoo(30.0)", EMA(30.0).settling(1e-6)),
        ("SecondMoment(30.0) -> Filter()", N + EMA(30.0).settling(1e-6)),
        ("Adam(30.0)", EMA(30.0).settling(1e-6)),
        ("Fisher()", N),
        ("Controller(2, 20.0, 40.0) -> Polar()", EMA(40.0).settling(1e-6)),
    ],
)
def test_every_stage_has_its_start_up_counted(text, expected):
    paces = {"Workers(2) -> Filter() -> Workers(3) -> Polar()": 6}
    assert steps(text) == max(expected, N * paces.get(text, 1))


def test_several_pipelines_take_the_longest_and_whole_steps_of_all_workers():
    found = steps("Workers(4) -> Filter() -> Polar()", "Workers(3) -> Polar()", "Delay(500) -> Filter()")
    assert found % 12 == 0
    assert found - 12 < max(4 * N, N + 500) <= found


def test_a_delay_is_over_where_a_run_is_read():
    data = ss.simulate(MODEL, windows=[5], trials=5, pipelines=["Delay(500) -> Filter() -> Polar()", "pre-polar"])
    assert float(data.alignment.min()) > 0.9


@pytest.mark.parametrize("stage", ["Shampoo(4.0)", "Shampoo()", "Fisher()", "Controller(2, 20.0, 40.0)"])
@pytest.mark.parametrize("exponent", [-520, -60, 60, 500])
def test_second_moments_lose_nothing_at_any_unit(stage, exponent):
    gradients = np.random.default_rng(3).standard_normal((40, 4, 6))
    power = 1 if stage.startswith("Controller") else 0
    one, other = (ss.last_update(stage, gradients * 2.0**e, 5.0) for e in (0, exponent))
    np.testing.assert_allclose(other / 2.0 ** (exponent * power), one, rtol=1e-12, atol=1e-13)


def test_single_precision_does_not_square_the_condition_away():
    gradients = np.random.default_rng(4).standard_normal((3, 12, 12)).astype(np.float32)
    gradients[-1, 0] = gradients[-1, 1] + 1e-4 * gradients[-1, 0]  # condition 1e5: float32 cannot hold its square
    polar = ss.last_update("polar-only", gradients.astype(np.float64), 5.0)
    found = ss.last_update("Shampoo", gradients, 5.0)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, polar, atol=2e-4)


@pytest.mark.parametrize("make", [
    lambda text: ss.simulate(MODEL, windows=[5], trials=1, pipelines=text),
    ss.Pipeline.from_text,
    lambda text: ss.Pipeline(ss.Pipeline.from_text(text.partition(" = ")[2]).stages, text.partition(" = ")[0]),
])  # fmt: skip
@pytest.mark.parametrize("text", ["pre-polar = Polar() -> Filter()", "polar-only = Sign() -> Polar()"])
def test_names_of_the_theory_are_theirs_alone(make, text):
    with pytest.raises(
        ValueError, match=r"need a name other than \('pre-polar', .*\) for other stages than theirs, got pipeline="
    ):
        make(text)
    assert ss.Pipeline.from_text("pre-polar = Filter -> Polar()") == ss.Pipeline.from_text("pre-polar")


def test_a_text_runs_on_gradients_of_ones_own():
    gradients = np.random.default_rng(5).standard_normal((8, 4, 6))
    pipeline = ss.Pipeline((ss.Filter(), ss.Polar()))
    for text in ("pre-polar", "Filter -> Polar", "mine = Filter() -> Polar()"):
        np.testing.assert_array_equal(ss.last_update(text, gradients, 3.0), ss.last_update(pipeline, gradients, 3.0))
        assert ss.Pipeline.from_text(text).stages == pipeline.stages


@pytest.mark.parametrize("taps", [[1e308, 1e308], [1e200, -1e200]])
def test_taps_whose_squares_are_no_numbers_are_refused(taps):
    with pytest.raises(ValueError, match=r"need taps: sizes that sum up to at most 1e\+150"):
        ss.FIR(taps)


def test_a_gain_of_nothing_but_rounding_has_no_lag():
    assert np.isnan(ss.IIR([1.0, -1.0], [1.0, -0.5]).lag())
