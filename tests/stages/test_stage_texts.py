"""A pipeline prints as what it is, is read back from that, and hashes; what a text must not say is refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import spikesim as ss
from spikesim.filters import EMA, FIR, IIR, Family, HeavyBall, Kalman, MovingAverage, Nesterov
from spikesim.pipelines import NAMED, Pipeline, pipelines_from
from spikesim.stages.before import Clip, Normalise, Sign
from spikesim.stages.control import Controller
from spikesim.stages.filter import Filter
from spikesim.stages.named import STAGES
from spikesim.stages.orthogonal import QR, NewtonSchulz, RandomisedPolar
from spikesim.stages.polar import Polar
from spikesim.stages.precondition import Fisher, Shampoo
from spikesim.stages.second_moment import Adam, SecondMoment
from spikesim.stages.soft import HardThreshold, Power, Shrink, Soft
from spikesim.stages.structure import DualNorm, Identity, ShapeFactor, Tiled
from spikesim.stages.text import family_from
from spikesim.stages.workers import Delay, Workers

EXAMPLES = (
    Filter(), Filter(Nesterov), Filter(EMA(7.0)), Filter(Family(EMA, start="first")), Filter(FIR((0.5, 0.5))),
    Filter(IIR((1.0,), (1.0, -0.5))), Filter(Kalman), Filter(MovingAverage(4)), Polar(), Polar(3), Clip(3.0), Normalise(),
    Sign(), SecondMoment(), SecondMoment(50.0, 0.1), Adam(50.0), Delay(3), Workers(4), Workers(2, (0, 5)), QR(),
    NewtonSchulz(), NewtonSchulz("dion", dtype="bfloat16"), NewtonSchulz((1.5, -0.5), 7),
    NewtonSchulz(((1.5, -0.5), (2.0, -1.0))),
    RandomisedPolar(2), RandomisedPolar(2, seed=7), Soft(0.1), Soft(0.1, True), Power(0.5), HardThreshold(),
    HardThreshold(0.5), Shrink(), Shrink("nuclear"), Shampoo(), Shampoo(20.0, -0.5), Fisher(), Tiled((2, 1)),
    Tiled((2, 1), NewtonSchulz("cubic")), ShapeFactor("muon"), DualNorm(), Controller(1),
    Controller(2, 50.0, 400.0, period=5),
    Identity(),
)  # fmt: skip


def test_every_stage_has_an_example():
    assert {type(stage) for stage in EXAMPLES} == set(STAGES.values())


@given(st.lists(st.sampled_from(EXAMPLES), min_size=1, max_size=6))
@settings(max_examples=200, derandomize=True, deadline=None)
def test_a_pipeline_is_read_back_from_what_it_prints(stages):
    pipeline = Pipeline(tuple(stages))
    again = Pipeline.from_text(str(pipeline))
    assert again == pipeline
    assert hash(again) == hash(pipeline)


@given(st.permutations(EXAMPLES))
@settings(max_examples=20, derandomize=True, deadline=None)
def test_other_stages_are_other_pipelines(stages):
    assert len({Pipeline((stage,)) for stage in stages}) == len(EXAMPLES)


def test_a_name_may_precede_the_stages():
    pipeline = Pipeline.from_text("clipped = Clip(3.0) -> Filter -> Polar")
    assert (str(pipeline), pipeline.text) == ("clipped", "Clip(3.0) -> Filter() -> Polar()")


def test_names_of_the_theory_and_texts_go_together():
    found = pipelines_from(["pre-polar", "Fisher", "Filter(Nesterov) -> Polar()"])
    assert found[0] is NAMED["pre-polar"]
    assert found[1].stages == (Fisher(),)
    assert found[2].stages == (Filter(Nesterov), Polar())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Clp(3.0) -> Filter()", r"need names in .*, got in 'Clp\(3.0\)'='Clp'"),
        ("Clip() -> Filter()", r"need norm of Clip, got stage='Clip\(\)'"),
        ("Clip -> Filter()", r"need stages in .*, got stage='Clip'"),
        ("Clip(-1) -> Filter()", r"need norm > 0, got norm=-1"),
        ("Clip(1.0, 2.0) -> Polar()", r"need arguments of Clip out of \('norm',\), got stage="),
        ("Clip(size=1.0) -> Polar()", r"need arguments of Clip out of \('norm',\), got stage="),
        ("Polar( -> Filter()", r"need stages such as .*, got stage='Polar\('"),
        ("-> Filter()", r"need stages such as .*, got stage=''"),
        ("Filter() ->", r"need stages such as .*, got stage=''"),
        ("Clip(__import__('os').getpid()) -> Polar()", r"need a stage or filter and its arguments, got stage="),
        ("Clip(1 if True else 2) -> Polar()", r"need names, numbers, strings and tuples alone, got stage="),
        ("Clip(*[1]) -> Polar()", r"need names, numbers, strings and tuples alone, got stage="),
        ("Clip(**{}) -> Polar()", r"need a stage or filter and its arguments, got stage="),
        ("3.0 -> Polar()", r"need stages in .*, got stage='3.0'"),
        ("EMA(3.0) -> Polar()", r"need stages in .*, got stage='EMA\(3.0\)'"),
        ("Filter(Polar()) -> Polar()", r"need Filter\(\), or of a filter such as EMA\(10\), .*, got of=Polar\(\)"),
        ("Filter(3.0) -> Polar()", r"need Filter\(\), or of a filter .*, got of=3.0"),
        ("Filter(EMA(start='last')) -> Polar()", r"need start in .*, got start='last'"),
        ("Filter(FIR()) -> Polar()", r"need taps of FIR, got stage="),
        ("Filter(IIR((1.0,), (1.0, -1.0))) -> Polar()", r"need .*poles.*"),
        ("Workers(0) -> Polar()", r"need count: an integer in \[1, 10000\], got count=0"),
        ("Workers(2, (1,)) -> Polar()", r"need delays: 2 integers .*, got delays=\(1,\)"),
        ("Delay(-1) -> Polar()", r"need steps: an integer in \[0, 10000\], got steps=-1"),
        ("Filter() -> NewtonSchulz('mouon')", r"need iteration in .*, got iteration='mouon'"),
        ("Filter() -> NewtonSchulz((1.5, 'a'))", r"need coefficients in .*, got coefficients="),
        ("Filter() -> NewtonSchulz((1.5, -0.5))", r"need steps >= 1 for a repeated polynomial, got steps=None"),
        ("Filter() -> NewtonSchulz(dtype='float16')", r"need dtype in .*, got dtype='float16'"),
        ("Filter() -> NewtonSchulz(scaling='aol')", r"need scaling left out for a published iteration"),
        ("Filter() -> Soft(0.0)", r"need 0 < epsilon < inf, got epsilon=0.0"),
        ("Filter() -> Power(-1.0)", r"need 0 <= exponent < inf, got exponent=-1.0"),
        ("Filter() -> Shrink('max')", r"need loss in .*, got loss='max'"),
        ("Filter() -> HardThreshold(-1.0)", r"need .*sigma.*, got sigma=-1.0"),
        ("Shampoo(0.5)", r"need 1 <= memory <= 1e\+12, got memory=0.5"),
        ("Shampoo(5.0, 1.0)", r"need -1 <= power < 0, got power=1.0"),
        ("SecondMoment(0.0)", r"need 1 <= memory <= 1e\+12, got memory=0.0"),
        ("Adam(5.0, -1.0)", r"need epsilon >= 0, got epsilon=-1.0"),
        ("Tiled((2,))", r"need counts == \(rows, columns\), integers >= 1, got counts=\(2,\)"),
        ("Tiled((2, 2), Filter())", r"need stage: one that needs no time, .*, got stage=Filter\(\)"),
        ("DualNorm(Filter())", r"need stage: one that needs no time, .*, got stage=Filter\(\)"),
        ("Filter(Nesterov(start='first')) -> Polar()", r"need start in \('zero', 'debiased'\), got start='first'"),
        ("ShapeFactor('big')", r"need factor in .*, got factor='big'"),
        ("Controller -> Polar()", r"need stages in .*, got stage='Controller'"),
        ("Controller() -> Polar()", r"need rank of Controller, got stage='Controller\(\)'"),
        ("Controller(0) -> Polar()", r"need rank: an integer >= 1, got rank=0"),
        ("Controller(1, 1.0) -> Polar()", r"need 1 < most <= memory, got most=1.0"),
        ("Controller(1, 300.0, 200.0) -> Polar()", r"need 1 < most <= memory, got most=300.0"),
        ("Controller(1, 5.0, 15.0) -> Polar()", r"need 16 <= memory <= 1048576, got memory=15.0"),
        ("Controller(1, period=0) -> Polar()", r"need period: an integer >= 1, got period=0"),
        ("RandomisedPolar(0)", r"need rank: an integer >= 1, got rank=0"),
    ],
)
def test_what_a_text_must_not_say_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        pipelines_from([text])


@pytest.mark.parametrize(
    ("text", "filter_"),
    [("EMA", EMA(5.0)), ("Nesterov", Nesterov(5.0)), ("EMA(start='first')", EMA(5.0, "first")), ("HeavyBall", HeavyBall(5.0)),
     ("FIR((1.0, 2.0))", FIR((1.0, 2.0)))],
)  # fmt: skip
def test_a_run_takes_its_filter_as_text(text, filter_):
    assert family_from(text)(5.0) == filter_
    model = ss.SpikedModel((3, 4), (2.0,), ss.Gaussian())
    data = ss.simulate(model, windows=[5.0], trials=2, steps=8, filter=text, pipelines="pre-polar", observables="alignment")
    assert data.attrs["filter"] == ("EMA" if text == "EMA" else repr(filter_))


@pytest.mark.parametrize("text", ["", "Polar", "EMA(", "Muon", "3", "FIR"])
def test_what_is_no_filter_is_refused(text):
    with pytest.raises(ValueError, match=r"^need "):
        family_from(text)


def test_shapes_that_a_stage_is_not_for_are_refused_before_anything_is_drawn():
    model = ss.SpikedModel((3, 4), (2.0,), ss.Gaussian())
    for text, message in (
        ("Tiled((2, 2))", "counts that divide the shape"),
        ("RandomisedPolar(4)", "rank <= min"),
        ("Controller(4)", "rank <= min"),
    ):
        with pytest.raises(ValueError, match=message):
            ss.simulate(model, windows=[5.0], trials=2, steps=8, pipelines=text)


def test_steps_are_whole_steps_of_the_workers():
    model = ss.SpikedModel((3, 4), (2.0,), ss.Gaussian())
    asked = {"windows": [2.0], "trials": 2, "pipelines": ["Workers(3) -> Filter() -> Polar()", "pre-polar"]}
    with pytest.raises(ValueError, match=r"need steps: a multiple of workers \[1, 3\], got steps=8"):
        ss.simulate(model, steps=8, **asked)
    assert ss.simulate(model, **asked).attrs["steps"] % 3 == 0


def test_an_iteration_that_diverges_names_the_step():
    model = ss.SpikedModel((3, 4), (2.0,), ss.Gaussian())
    with pytest.raises(ValueError, match=r"step=\d+"):
        ss.simulate(model, windows=[2.0], trials=2, steps=8, pipelines="Filter() -> NewtonSchulz((3.0, 3.0), 40)")


@pytest.mark.parametrize("text", ["Delay(10000) -> Polar()", "Filter(MovingAverage(100000)) -> Polar() -> Filter()"])
def test_what_a_trial_must_keep_is_refused_where_it_cannot_fit(text):
    model = ss.SpikedModel((4096, 4096), (2.0,), ss.Gaussian())
    with pytest.raises(ValueError, match=r"need a trial within memory, .* got bytes="):
        ss.simulate(model, windows=[5.0], trials=1, steps=20_000, pipelines=text, observables="alignment")
