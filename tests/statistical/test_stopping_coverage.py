"""Intervals mean +- 1.96 standard errors of points that stop by themselves cover the true mean nearly as often as they say.

4,000 repeats a case, seeds fixed; a coverage's own standard error is below 0.45 %. A case must lie above its floor less four
of them: it fails by chance with probability 3e-5 at most if the true coverage is the floor, 4e-4 over all twelve cases.
Floors are the documented ones (docs/sweeps.md). Negative control: looking after every trial must fall below the lowest floor.
"""

import numpy as np
import pytest

from spikesim.sweep.until import Until, last_look, rounds

REPEATS, MOST = 4000, 3000
LAWS = {  # draw, mean, standard deviation
    "normal": (lambda g, n: g.standard_normal(n), 0.0, 1.0),
    "bounded, skewed": (lambda g, n: g.beta(0.5, 5, n), 0.5 / 5.5, np.sqrt(2.5 / (5.5**2 * 6.5))),
    "exponential": (lambda g, n: g.exponential(size=n), 1.0, 1.0),
}
FLOORS = {"normal": 0.945, "bounded, skewed": 0.925, "exponential": 0.925}


def coverage(law, every, needed, seed):
    """Share of repeats that cover, where a fixed number of trials would need `needed`."""
    draw, mean, deviation = LAWS[law]
    until = Until(mean="alignment", standard_error=deviation / np.sqrt(needed), every=max(every, 10))
    random, hits = np.random.default_rng([seed, every, needed]), 0
    for _ in range(REPEATS):
        x = draw(random, MOST)
        # met() itself at looks where running sums say it could be so: the rule, without 3,000 calls
        n = np.arange(max(every, 2), MOST + 1, every)
        sums, squares = np.cumsum(x)[n - 1], np.cumsum(x * x)[n - 1]
        close = (squares - sums**2 / n) / (n - 1) / n <= until.standard_error**2 * (1 + 1e-9)
        count = next((k for k in n[close] if until.met(x[:k, None])), MOST)
        seen = x[:count]
        hits += abs(seen.mean() - mean) <= 1.959964 * seen.std(ddof=1) / np.sqrt(count)
    return hits / REPEATS


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("needed", [20, 150, 400, 1000])
def test_intervals_after_stopping_cover(law, needed):
    floor = FLOORS[law]
    assert coverage(law, 100, needed, seed=1) >= floor - 4 * np.sqrt(floor * (1 - floor) / REPEATS)


def test_looking_after_every_trial_does_not():
    assert coverage("exponential", 1, 20, seed=2) < 0.85


def test_the_rule_that_runs_stops_at_the_look_that_was_simulated():
    x = np.random.default_rng(3).exponential(size=1000)
    until = Until(mean="gap", standard_error=0.06)
    first = next(r.stop for r in rounds(1000, until) if x[: r.stop].std(ddof=1) / np.sqrt(r.stop) <= 0.06)
    assert last_look(until, 1000, lambda r: x[r.start : r.stop, None]) == (first, True)
    assert 100 < first < 1000
