"""The tail index of noise: alpha of P(|x| > t) ~ t^-alpha, by Hill's estimator on the largest values.

    1/alpha = mean over the k largest of ln(x_i / x_(k+1))

A moment of order q exists below alpha: noise has no variance from alpha = 2 down, and is then outside every bound. Tails that
are lighter than any power give a number all the same, one that grows as k/N falls (near 10 for Gaussian entries). So do a
few steps that are many times larger than the others, whose logarithms are no power law's: alpha is taken at k, k/2 and k/4,
and its interval is that of all three together.

Source: theory.md P4; Hill, A simple general approach to inference about the tail of a distribution (Ann. Statist. 3, 1975).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LIGHT = 8.0
"""From here on a tail index says no more than that tails are light."""
DEPTHS = 3
SHARE, FEWEST, MOST = 1e-3, 60, 20_000
"""Of entries that count as large."""


@dataclass(frozen=True)
class TailIndex:
    """alpha with a 95 % interval, from `used` values; NaN where there is none."""

    alpha: float
    low: float
    high: float
    used: int


def hill(largest: Floats) -> float:
    """alpha from the k + 1 largest values, in any order; inf where the k are all as large as the next."""
    x = -np.sort(-np.asarray(largest, float))
    if x.size < 2 or x[-1] <= 0:
        return float("nan")
    mean = float(np.log(x[:-1] / x[-1]).mean())
    return 1 / mean if mean > 0 else float("inf")


def of_sizes(sizes: Floats) -> TailIndex:
    """Of independent values, the largest tenth of them: 2 k alpha_hat^-1 alpha is chi-square with 2 k degrees of freedom."""
    from scipy.stats import chi2

    used, falling = max(5, sizes.size // 10), -np.sort(-sizes)
    found = [(hill(falling[: k + 1]), k) for k in depths(used)]
    ends = [[alpha * float(chi2.ppf(p, 2 * k)) / (2 * k) for alpha, k in found] for p in (0.025, 0.975)]
    return TailIndex(found[0][0], float(np.min(ends[0])), float(np.max(ends[1])), used)


def depths(used: int) -> tuple[int, ...]:
    """k, k/2 and k/4."""
    return tuple(max(1, used >> i) for i in range(DEPTHS))


class Largest:
    """The largest of many values, each with the block of time it is from.

    Args:
        total: How many values there will be.
    """

    def __init__(self, total: int) -> None:
        self._keep = min(max(int(SHARE * total), FEWEST), MOST, max(total - 1, 1))
        self.values: Floats = np.zeros(0)
        self.blocks: NDArray[np.int64] = np.zeros(0, np.int64)

    def take(self, rows: Floats, blocks: NDArray[np.int64]) -> None:
        """Rows of values, (c, N), and the block of each row."""
        values, where = rows.ravel(), np.repeat(blocks, rows.shape[1])
        if self.values.size > self._keep:
            large = values > self.values.min()
            values, where = values[large], where[large]
        values, where = np.concatenate([self.values, values]), np.concatenate([self.blocks, where])
        if values.size > self._keep + 1:
            kept = np.argpartition(-values, self._keep)[: self._keep + 1]
            values, where = values[kept], where[kept]
        self.values, self.blocks = values, where

    def hill(self, keep: NDArray[np.bool_]) -> Floats:
        """alpha at every depth, (DEPTHS,), of the blocks that are kept, a mask."""
        falling = -np.sort(-self.values[keep[self.blocks]])
        return np.asarray([hill(falling[: k + 1]) for k in depths(max(1, falling.size - 1))])

    @property
    def used(self) -> int:
        """k."""
        return max(0, self.values.size - 1)
