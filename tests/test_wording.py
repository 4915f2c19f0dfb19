"""Numbers in sentences keep a significant digit of their uncertainty, and maxima of two points are not said of one."""

import pytest

from spikesim.wording import largest_miss, plus_minus


@pytest.mark.parametrize(
    ("mean", "half", "text"),
    [
        (0.70312, 0.0768, "0.703 ± 0.077"),
        (12.5, 1.25, "12.500 ± 1.250"),
        (-0.00004, 0.004, "0.000 ± 0.004"),
        (0.00612, 0.00031, "0.0061 ± 0.0003"),
        (0.1234567, 0.00000424, "0.123457 ± 0.000004"),
        (-2.24e-7, 4.3e-7, "-2e-07 ± 4e-07"),
        (0.5, 4e-9, "5.00000000e-01 ± 4e-09"),
        (0.0, 3e-16, "0e+00 ± 3e-16"),
        (0.25, 0.0, "0.250 ± 0.000"),
    ],
)
def test_one_significant_digit_of_the_uncertainty_is_kept(mean, half, text):
    assert plus_minus(mean, half) == text


def test_signs_are_shown_where_asked():
    assert plus_minus(0.1, 0.01, "+") == "+0.100 ± 0.010"


@pytest.mark.parametrize("half", [-1.0, float("nan"), float("inf")])
def test_half_intervals_are_not_negative(half):
    with pytest.raises(ValueError, match="half >= 0"):
        plus_minus(0.0, half)


def test_largest_miss_says_whether_both_maxima_are_of_one_point():
    assert largest_miss([[0.01, 0.002]], [[0.01, 0.002]]) == "0.010 at most (1.0 standard errors, which is the most)"
    text = largest_miss([[0.01], [[0.002, 0.001]]], [[0.01], [[0.0002, 0.01]]])
    assert text == "0.010 at most (1.0 standard errors there; the most are 10.0, at another point, 0.002 off)"
