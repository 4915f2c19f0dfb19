"""How fast left singular vectors turn, if that is how a signal moves: omega from inner products of gradients far apart.

Of a signal of power A whose left vectors turn by omega a step, blocks of B steps whose middles are d steps apart have means
with an inner product of mean A rho,

    rho = (sin(omega B/2)/(B sin(omega/2)))^2 cos(omega d)

and of variance sigma^2 (eta/B^2 + 2 A/B). Products that are told apart here:

    single gradients, 3 to 24 steps apart: fast drifts; noise that is correlated for a step or two is in none of them
    neighbouring blocks of 32, 64, ... steps (stages/motion.py)
    the recording's own blocks, two or more apart: slow drifts, up to nine tenths of the recording. Those that have a block in
    common share its noise, so that they are weighed by their covariance

All together say how likely each omega is, all even at first in log omega (1e-5 to pi).

Source: theory.md F12.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikesim.probe.plan import BLOCKS

Floats = NDArray[np.float64]

TURNS = np.geomspace(1e-5, np.pi, 512)
"""Angles that are told apart."""
STEP = float(np.sqrt(TURNS[1] / TURNS[0]))
"""An angle stands for all within this factor."""
SHORTEST = 32


@dataclass(frozen=True)
class Products:
    """Independent products of one kind.

    Attributes:
        means: (J,).
        apart: Steps between the middles of what is multiplied, (J,).
        lengths: Steps B in each block, (J,).
        variances: Of the means, (J,).
    """

    means: Floats
    apart: Floats
    lengths: Floats
    variances: Floats

    def over(self, unit: float) -> "Products":
        """In other units."""
        return Products(self.means / unit, self.apart, self.lengths, self.variances / unit**2)

    def likely(self) -> tuple[Floats, Floats, Floats]:
        """(along, size, miss) at every angle: sums of p rho/V, rho^2/V and 0, as nothing else depends on omega."""
        rho = persistence(self.lengths, self.apart)
        return rho @ (self.means / self.variances), rho**2 @ (1 / self.variances), np.zeros(TURNS.size)


def persistence(length: Floats, apart: Floats) -> Floats:
    """rho at every angle, (TURNS, J)."""
    omega = TURNS[:, None]
    return (np.sin(omega * length / 2) / (length * np.sin(omega / 2))) ** 2 * np.cos(omega * apart)


def chances(singles: list[Products], totals: Floats, counts: Floats, power: float, eta: float, sigma: float) -> Floats:
    """How likely every angle is; they sum to 1.

    Args:
        singles: Products whose errors are independent.
        totals: Inner products of the sums of the recording's blocks, (BLOCKS, BLOCKS).
        counts: Gradients in each of them, (BLOCKS,).
        power: A, about.
        eta: E‖Xi‖_F^2, about.
        sigma: Standard deviation of an entry, about.
    """
    parts = [x.over(eta).likely() for x in singles]  # in units of eta, so that a power of two changes no bit
    parts.append(_between(totals / eta, counts, max(power, 0.0) / eta, 1.0, sigma / math.sqrt(eta)))
    along, size, miss = (np.sum([part[i] for part in parts], axis=0) for i in range(3))
    score = np.maximum(along, 0.0) ** 2 / size / 2 - miss
    found = np.exp(score - score.max())
    return np.asarray(found / found.sum())


def _between(totals: Floats, counts: Floats, power: float, eta: float, sigma: float) -> tuple[Floats, Floats, Floats]:
    """The same of the recording's blocks: p V^-1 rho, rho V^-1 rho and (p V^-1 p + ln det V)/2, V the covariance."""
    first, second = np.triu_indices(BLOCKS, 2)
    middles = np.cumsum(counts) - (counts + 1) / 2
    length = float(counts.mean())
    rho = persistence(np.full(first.size, length), middles[second] - middles[first])
    p = totals[first, second] / (counts[first] * counts[second])
    near = persistence(np.full(BLOCKS**2, length), np.subtract.outer(middles, middles).ravel()).reshape(-1, BLOCKS, BLOCKS)
    shared = sum(
        (x[:, None] == y) * near[:, others[:, None], beside]
        for x, others in ((first, second), (second, first))
        for y, beside in ((first, second), (second, first))
    )
    covariance = sigma**2 * (np.eye(first.size) * eta / length**2 + power / length * shared)
    solved = np.linalg.solve(covariance, np.stack([rho, np.broadcast_to(p, rho.shape)], axis=-1))
    miss = (solved[..., 1] @ p + np.linalg.slogdet(covariance)[1]) / 2
    return solved[..., 0] @ p, (rho * solved[..., 0]).sum(-1), miss
