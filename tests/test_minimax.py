"""Minimax quintics: what a schedule does on a grid far finer than its own, near zero too, and that it is stable."""

import numpy as np
import pytest

from spikesim.minimax import points, quintic, schedule, value

WIDE = [(0.5, 1e-6), (0.1, 1e-6), (0.1, 1e-13), (1e-2, 1e-13), (1e-4, 1e-15), (2.0**-26, 1e-15)]


@pytest.mark.parametrize(("low", "tolerance"), WIDE)
def test_a_schedule_takes_its_interval_to_one(low, tolerance):
    x = points(low, 1, 100_000)
    for coefficients in schedule(low, tolerance):
        x = value(coefficients, x)
    assert np.abs(x - 1).max() < tolerance + 4 * 2.0**-52


def test_what_lies_far_below_the_interval_does_not_get_there():
    """The negative control: a thousandth of the interval's end is not taken to one."""
    x = np.array([2.0**-36])
    for coefficients in schedule(2.0**-26, 1e-15):
        x = value(coefficients, x)
    assert 0 < x[0] < 0.5


def test_no_step_takes_much_of_the_digits_of_any_value():
    """p(x) / max p against x / max x bounds how much a step magnifies rounding."""
    x = points(2.0**-26, 1, 100_000)
    for coefficients in schedule(2.0**-26, 1e-15):
        y = value(coefficients, x)
        assert y.min() > 0
        assert np.max((x / x.max()) / (y / y.max())) < 10
        x = y


@pytest.mark.parametrize(("low", "high"), [(0.05, 1), (0.3, 1.7), (0.9, 1.1)])
def test_a_quintic_alternates_and_no_other_is_closer(low, high):
    """De la Vallee Poussin: an error that alternates four times is the least, up to how unequal its peaks are."""
    x = np.linspace(low, high, 200_001)
    error = value(quintic(low, high), x) - 1
    ends = np.flatnonzero(np.diff(np.sign(error))) + 1
    peaks = [part[np.argmax(np.abs(part))] for part in np.split(error, ends)]
    assert len(peaks) == 4
    np.testing.assert_allclose(np.abs(peaks), np.abs(error).max(), rtol=1e-3, atol=1e-9)


@pytest.mark.parametrize("tolerance", [1e-6, 1e-13])
def test_a_wider_interval_never_takes_fewer_steps(tolerance):
    counts = [len(schedule(low, tolerance)) for low in np.geomspace(0.5, 1e-3, 12)]
    assert counts == sorted(counts)
    assert counts[0] < counts[-1]
