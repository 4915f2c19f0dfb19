"""Exponents of theory.md S7."""

import math

import pytest

from spikesim.theory.rates import tail_exponent


def test_the_papers_quarter_is_the_limit_of_the_heaviest_tail_at_its_level():
    assert tail_exponent(2 + 1e-12) == pytest.approx(-0.25)


def test_known_values():
    assert tail_exponent(2.1) == pytest.approx(-0.6 / 2.1)
    assert tail_exponent(2.5) == pytest.approx(-0.4)
    assert tail_exponent(3) == -0.5
    assert tail_exponent(math.inf) == -0.5
    assert tail_exponent(2.1, q=0.2) == pytest.approx(-0.9 / 2.1)


@pytest.mark.parametrize(
    ("alpha", "q", "got"), [(2, 0.5, "alpha=2"), (math.nan, 0.5, "alpha=nan"), (3, 0, "q=0"), (3, 1, "q=1")]
)
def test_outside_its_range_there_is_no_exponent(alpha, q, got):
    with pytest.raises(ValueError, match=f"need .*, got {got}"):
        tail_exponent(alpha, q)
