"""Upper quantiles are order statistics with an interval that holds whatever the law."""

import math

import numpy as np
import pytest
from scipy.stats import binom

from spikesim.estimate import upper_quantile


def test_the_value_is_exceeded_by_its_share_of_trials():
    x = np.random.default_rng(0).permutation(np.arange(1.0, 101.0))
    assert upper_quantile(x, 0.103)[0] == 90.0  # ten trials, 91..100, lie above it


def test_the_interval_is_that_of_a_binomial_count():
    x = np.arange(1.0, 101.0)
    _, low, high = upper_quantile(x, 0.3)

    # The k-th largest, 101 - k, lies above the quantile where k or more trials do, and below it where fewer do.
    def above(k):
        return binom.sf(k - 1, 100, 0.3)

    lowest, highest = int(101 - low), int(101 - high)
    assert above(lowest) <= 0.025 < above(lowest - 1)
    assert 1 - above(highest) <= 0.025 < 1 - above(highest + 1)


def test_the_interval_covers_the_quantile_in_95_percent_of_draws():
    x = np.random.default_rng(1).pareto(2.1, (4000, 80))
    true = 0.1 ** (-1 / 2.1) - 1
    ends = np.array([upper_quantile(row, 0.1)[1:] for row in x])
    inside = np.mean((ends[:, 0] <= true) & (true <= ends[:, 1]))
    exact = binom.cdf(14, 80, 0.1) - binom.cdf(2, 80, 0.1)  # 3 to 14 trials beyond it
    assert exact > 0.95
    assert abs(inside - exact) < 4 * math.sqrt(exact * (1 - exact) / 4000)


def test_too_few_trials_leave_an_end_open():
    value, low, high = upper_quantile([3.0, 1.0, 2.0], 0.5)
    assert (value, low, high) == (2.0, -math.inf, math.inf)


@pytest.mark.parametrize("bad", [{"share": 0.0}, {"share": 1.0}, {"samples": [1.0, math.nan]}, {"samples": [[1.0, 2.0]]}])
def test_what_has_no_quantile_is_refused(bad):
    with pytest.raises(ValueError, match="need"):
        upper_quantile(**({"samples": [1.0, 2.0], "share": 0.5} | bad))
