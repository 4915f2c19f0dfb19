"""Exponents of theory.md S7."""

import math

import numpy as np
import pytest
from independent import mp

from spikesim.theory.rates import jump_quantile, tail_exponent


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


@pytest.mark.parametrize("alpha", [2.0001, 2.1, 2.5, 4.0, 50.0])
@pytest.mark.parametrize("window", [1.5, 20.0, 1e6, 1e12])
@pytest.mark.parametrize("q", [0.1, 0.5, 0.9])
def test_jump_quantile_is_the_formula(alpha, window, q):
    a, t = mp.mpf(alpha), mp.mpf(window)
    n_eff, beta = 2 * t - 1, 1 - 1 / t
    jump = mp.sqrt((a - 2) / a) * ((1 - beta) ** a * n_eff ** mp.mpf(q) / (1 - beta**a)) ** (1 / a)
    bulk = (1 - (mp.sqrt((a - 2) / a) / (t * jump)) ** (a - 2)) / n_eff
    assert jump_quantile(alpha, window, q) == pytest.approx(float(mp.sqrt(bulk + jump**2)), rel=1e-12, abs=0)


@pytest.mark.parametrize(("alpha", "slope"), [(2.1, -0.6 / 2.1), (2.5, -0.4), (3.0, -0.5), (9.0, -0.5)])
def test_jump_quantile_falls_with_the_exponent_in_the_limit(alpha, slope):
    low, high = (math.log(jump_quantile(alpha, t)) for t in (1e150, 1e154))
    assert (high - low) / math.log(1e4) == pytest.approx(slope, abs=2e-3)
    assert slope == pytest.approx(tail_exponent(alpha), rel=1e-14, abs=0)


@pytest.mark.parametrize("alpha", [2.1, 2.5])
def test_local_slopes_approach_the_limit_slowly_and_between_it_and_one_half(alpha):
    """S7: 2.1 still reads 0.30 at T = 10^6, where the limit is 0.286."""
    t = np.geomspace(1024, 1e6, 8)
    slopes = np.diff(np.log([jump_quantile(alpha, x) for x in t])) / np.diff(np.log(2 * t - 1))
    assert np.all(np.diff(slopes) > 0)
    assert -0.5 < slopes[0] < slopes[-1] < tail_exponent(alpha)
    assert slopes[-1] == pytest.approx(tail_exponent(alpha), abs=0.03)


def test_jump_quantile_meets_a_simulated_quantile():
    """20,000 norms of an EMA of radial Pareto steps, alpha = 3, T = 20, rows without fluctuation: within 4 %."""
    rng, alpha, window = np.random.default_rng(4), 3.0, 20.0
    weights = (1 - 1 / window) ** np.arange(240) / window
    squares = np.zeros(20_000)
    for w in weights:  # orthogonal steps, m n large: ‖N‖^2 = sum w^2 rho^2
        squares += w**2 * (alpha - 2) / alpha * rng.random(squares.size) ** (-2 / alpha)
    assert jump_quantile(alpha, window) == pytest.approx(np.quantile(np.sqrt(squares), 1 - 39**-0.5), rel=0.04, abs=0)
    assert jump_quantile(alpha, window, 0.9) == pytest.approx(np.quantile(np.sqrt(squares), 1 - 39**-0.9), rel=0.04, abs=0)
