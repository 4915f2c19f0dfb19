"""Uncertainty of anything that is computed from blocks of gradients: leave out a block at a time.

The error of a statistic x is sqrt((B - 1)/B sum_b (x_(-b) - mean)^2), for Student's t on B - 1 degrees of freedom. It is
right where blocks are about independent: buffers that reach over a block's end, and blocks shorter than the memory of
a trajectory, make it too small.

Source: theory.md P9; Quenouille (1956); Kunsch, The jackknife and the bootstrap for general stationary observations (1989).
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Statistics = dict[str, Floats]


def jackknife(statistics: Callable[[NDArray[np.bool_]], Mapping[str, Floats]], blocks: int) -> tuple[Statistics, Statistics]:
    """Statistics of all blocks and their standard errors; NaN where fewer than half of the blocks say anything.

    Args:
        statistics: Of the blocks that are kept, a mask (blocks,).
        blocks: How many there are, 3 or more.
    """
    whole = {name: np.asarray(x, float) for name, x in statistics(np.ones(blocks, bool)).items()}
    without = [statistics(np.arange(blocks) != b) for b in range(blocks)]
    return whole, {name: _spread(np.stack([np.asarray(one[name], float) for one in without])) for name in whole}


def _spread(values: Floats) -> Floats:
    """Standard errors from (blocks, ...)."""
    there = np.isfinite(values)
    count = there.sum(0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(there, values, 0.0).sum(0) / count
        squares = np.where(there, (values - mean) ** 2, 0.0).sum(0)
        return np.where(count > values.shape[0] / 2, np.sqrt((count - 1) / count * squares), np.nan)


def student(blocks: int) -> float:
    """How many errors make half a 95 % interval."""
    from scipy.stats import t

    return float(t.ppf(0.975, blocks - 1))
