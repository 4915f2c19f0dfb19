"""What a filter gives while it runs is the sum of its weights times its inputs (F1), in every namespace and number type."""

import array_api_strict
import numpy as np
import pytest
from specimens import SPECIMENS, STEPS

from spikesim.filters import EMA, FIR, Kalman, MovingAverage

STREAM = np.random.default_rng(0).standard_normal((max(STEPS), 2, 3, 4))  # (steps, trials, m, n)


def outputs(filter_, stream):
    memory, out = filter_.memory(), []
    for x in stream:
        memory.push(x)
        out.append(memory.output())
    return out


def assert_is_sum_of_weights(filter_, found, stream, tolerance):
    for steps in STEPS:
        weights = filter_.weights(steps)
        assert weights.shape == (steps,)
        expected = np.tensordot(weights, stream[:steps][::-1].astype(np.float64), 1)
        np.testing.assert_allclose(found[steps - 1], expected, rtol=0, atol=tolerance * np.abs(weights).sum())


@pytest.mark.parametrize("filter_", SPECIMENS, ids=repr)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-14), ("float32", 5e-6)])
def test_output_is_the_sum_of_weights_times_inputs(filter_, dtype, tolerance):
    stream = STREAM.astype(dtype)
    found = outputs(filter_, stream)
    assert {x.dtype.name for x in found} == {dtype}
    assert_is_sum_of_weights(filter_, found, stream, tolerance)


@pytest.mark.parametrize("filter_", SPECIMENS, ids=repr)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_output_needs_nothing_but_the_array_standard_and_is_the_same_there(filter_, dtype):
    stream = STREAM.astype(dtype)
    found = outputs(filter_, [array_api_strict.asarray(x) for x in stream])
    assert {str(x.dtype) for x in found} == {f"array_api_strict.{dtype}"}
    np.testing.assert_array_equal([np.asarray(x) for x in found], outputs(filter_, stream))


@pytest.mark.parametrize("filter_", SPECIMENS, ids=repr)
def test_an_entrys_output_does_not_depend_on_the_other_entries(filter_):
    np.testing.assert_array_equal(np.array(outputs(filter_, STREAM))[:, 1, 2, :2], outputs(filter_, STREAM[:, 1, 2, :2]))


@pytest.mark.parametrize("filter_", SPECIMENS, ids=repr)
def test_what_is_read_on_the_way_changes_nothing(filter_):
    memory = filter_.memory()
    for x in STREAM:
        memory.push(x)
    np.testing.assert_array_equal(memory.output(), outputs(filter_, STREAM)[-1])


@pytest.mark.parametrize("filter_", SPECIMENS, ids=repr)
def test_two_memories_of_one_filter_are_apart(filter_):
    first, second = filter_.memory(), filter_.memory()
    for x in STREAM[:5]:
        first.push(x)
        second.push(2 * x)
    np.testing.assert_array_equal(2 * first.output(), second.output())


@pytest.mark.parametrize("filter_", SPECIMENS, ids=repr)
def test_nothing_comes_out_before_a_step(filter_):
    with pytest.raises(ValueError, match=r"^need one step or more before an output, got steps=0$"):
        filter_.memory().output()


def test_an_output_is_not_written_into_later():
    for filter_ in SPECIMENS:
        memory = filter_.memory()
        memory.push(STREAM[0])
        first, kept = memory.output(), np.copy(memory.output())
        memory.push(STREAM[1])
        np.testing.assert_array_equal(first, kept, err_msg=repr(filter_))


def test_a_moving_average_forgets_a_huge_step_to_the_last_digit():
    stream = [np.full((1, 1), x) for x in (1e300, 1.0, 2.0, 3.0, 4.0, 5.0)]
    assert [float(x[0, 0]) for x in outputs(MovingAverage(3), stream)[3:]] == pytest.approx([2, 3, 4], rel=1e-15, abs=0)


def test_a_hundred_thousand_steps_keep_their_digits():
    """The recursion's rounding does not add up: a constant input comes out as its gain."""
    for filter_, gain in [(EMA(1000), 1.0), (Kalman(1000), 1.0), (MovingAverage(1000), 1.0), (FIR((0.5, 0.25)), 0.75)]:
        memory, x = filter_.memory(), np.ones((1, 1))
        for _ in range(10**5):
            memory.push(x)
        assert float(memory.output()[0, 0]) == pytest.approx(gain, rel=1e-11, abs=0)
