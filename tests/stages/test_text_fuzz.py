"""Any text is a pipeline or a filter, or is refused with ValueError, at once and without much memory."""

import tracemalloc

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from spikesim.filters import FILTERS
from spikesim.pipelines import Pipeline
from spikesim.stages.named import STAGES
from spikesim.stages.text import family_from

FIXED = {"deadline": 2000, "derandomize": True, "database": None}
MOST_BYTES = 20_000_000

names = st.sampled_from([*STAGES, *FILTERS, "Muon", "__import__", "start", "x"])
numbers = st.one_of(
    st.integers(-(10**20), 10**20),
    st.floats(),
    st.sampled_from([0, 1, 2, 10**9, 10**12, 1e308, "1e999", "-1e999", "0x7f", "1_0"]),
)
atoms = st.one_of(
    names, numbers.map(str), st.text(max_size=6).map(repr), st.sampled_from(["None", "True", "()", "...", "1j", "b'x'", "{}"])
)


def calls(inner):
    words = st.tuples(st.sampled_from(["start", "steps", "window", "of", "taps", "rank", "x"]), inner).map("=".join)
    arguments = st.lists(inner | words, max_size=3).map(", ".join)
    return st.one_of(
        st.tuples(names, arguments).map(lambda x: f"{x[0]}({x[1]})"),
        arguments.map(lambda x: f"({x},)"),
        st.tuples(inner, st.sampled_from(["+", "*", "**", "<<", "if"]), inner).map(" ".join),
    )


parts = st.recursive(atoms, calls, max_leaves=8)
texts = st.lists(parts, min_size=1, max_size=4).map(" -> ".join) | st.text(max_size=30)


def pipeline_or_refused(text):
    try:
        made = Pipeline.from_text(text)
    except ValueError:
        return None
    assert isinstance(made, Pipeline)
    return made


def family_or_refused(text):
    try:
        made = family_from(text)
    except ValueError:
        return None
    assert callable(made)
    return made


@settings(max_examples=400, **FIXED)
@given(texts)
@example("NewtonSchulz(steps=10**9)")
@example("(" * 5000)
@example("-" * 5000 + "1")
@example("Polar()" + ".a" * 5000)
@example("\x00")
@example("Tiled((1, 1), " * 300 + "Polar()" + ")" * 300)
@example("DualNorm(" * 90 + "Polar()" + ")" * 90)
def test_a_pipeline_or_a_value_error(text):
    made = pipeline_or_refused(text)
    if made is not None:
        assert Pipeline.from_text(made.text).stages == made.stages


@settings(max_examples=400, **FIXED)
@given(parts | st.text(max_size=30))
@example("Family(EMA)")
@example("EMA(EMA)")
@example("FIR(FIR)")
@example("Schedule(betas=(EMA,))")
def test_a_family_or_a_value_error(text):
    made = family_or_refused(text)
    if made is not None:
        assert family_from(repr(made)) == made


@pytest.mark.parametrize(
    "text",
    [
        "Filter(MovingAverage(10**12))",
        "Filter(MovingAverage(1000000000000))",
        "Delay(1000000000)",
        "Workers(1000000000)",
        "Filter(FIR((1,)*10**7))",
        "Filter(FIR((1,)*10000000))",
        "Filter(Warmup(length=1000000000000))",
        "NewtonSchulz('muon', 1000000000)",
        "NewtonSchulz((1.5, -0.5), 1000000000)",
        "RandomisedPolar(1, 8, 1000000000)",
    ],
)
def test_what_would_take_forever_or_all_memory_is_refused(text):
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=r"^need "):
            Pipeline.from_text(text)
        assert tracemalloc.get_traced_memory()[1] < MOST_BYTES
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "text",
    ["RandomisedPolar(1000000000)", "Tiled((1000000000, 1))", "Filter(MovingAverage(4000000000))", "Polar(1000000000)",
     "Filter(Warmup(length=60000000))", "Filter(EMA(1e12))", "RandomisedPolar(1, 1000000000, 3)"],
)  # fmt: skip
def test_what_only_a_shape_or_a_run_can_refuse_costs_nothing_as_text(text):
    tracemalloc.start()
    try:
        assert Pipeline.from_text(text).text
        assert tracemalloc.get_traced_memory()[1] < MOST_BYTES
    finally:
        tracemalloc.stop()
