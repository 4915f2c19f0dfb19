"""The Kalman filter's error on a signal that walks at random: what theory.md F10 says, and below other averages'.

Fixed seed and sizes. The family: 6 measured mean square errors against r alpha_t, and 8 paired comparisons with averages
of other windows and starts, of which each must not be better. Family-wise error 1e-3.
"""

import numpy as np
import pytest
from family import Family
from scipy import stats

from spikesim.filters import EMA, Kalman

WINDOW, DRIFT, TRIALS, STEPS = 8.0, 0.5, 40_000, 60
NOISE = DRIFT * WINDOW * (WINDOW - 1)
READ = (1, 2, 4, 9, 20, 60)
FAMILY = Family(1e-3, 6 + 8)
OTHERS = [
    EMA(2 * WINDOW),
    EMA(WINDOW / 2),
    EMA(WINDOW),
    EMA(2 * WINDOW, "debiased"),
    EMA(WINDOW / 2, "debiased"),
    Kalman(3),
    Kalman(20),
]


@pytest.fixture(scope="module")
def streams():
    """Gradients (steps, trials) of a random walk from 100, and the walk itself."""
    rng = np.random.default_rng(20)
    walk = 100 + np.cumsum(rng.normal(0, DRIFT**0.5, (STEPS, TRIALS)), axis=0)
    return walk + rng.normal(0, NOISE**0.5, walk.shape), walk


def squared_errors(filter_, streams, steps):
    gradients, walk = streams
    memory = filter_.memory()
    for x in gradients[:steps]:
        memory.push(x)
    return (memory.output() - walk[steps - 1]) ** 2


def p_of_error(errors, expected):
    """Two-sided: the errors are Gaussian of one variance, so their sum is a chi square."""
    return 2 * min(stats.chi2(TRIALS).cdf(errors.sum() / expected), stats.chi2(TRIALS).sf(errors.sum() / expected))


def p_not_worse(first, second):
    """One-sided, paired: small where the first is worse than the second."""
    return float(stats.ttest_1samp(first - second, 0, alternative="greater").pvalue)


def test_the_error_is_the_gain_times_the_noise(streams):
    kalman = Kalman.of(DRIFT, NOISE)
    FAMILY.hold(p=[p_of_error(squared_errors(kalman, streams, t), NOISE * kalman.rate(t - 1)) for t in READ])


def test_no_other_average_is_better(streams):
    own = squared_errors(Kalman(WINDOW), streams, 20)
    FAMILY.hold(p=[p_not_worse(own, squared_errors(f, streams, 20)) for f in OTHERS])
    early = squared_errors(Kalman(WINDOW), streams, 4)
    FAMILY.hold(first=p_not_worse(early, squared_errors(EMA(WINDOW, "first"), streams, 4)))


@pytest.mark.parametrize("other", OTHERS, ids=repr)
def test_another_average_in_its_place_is_seen(streams, other):
    assert FAMILY.rejects([p_not_worse(squared_errors(other, streams, 20), squared_errors(Kalman(WINDOW), streams, 20))])


def test_a_gain_three_percent_off_is_seen(streams):
    kalman = Kalman(WINDOW)
    assert FAMILY.rejects([p_of_error(squared_errors(kalman, streams, t), 1.03 * NOISE * kalman.rate(t - 1)) for t in READ])
