"""Roots of the covariance of several momentum buffers of one Gaussian stream: R of the QR of their weights.

W (t, L) holds the weights of L filters, newest step first, and rho the scalars of the steps; the buffers' covariance over
filters is R^T R, R that of rho W. The covariance itself is never formed, as 30 log-spaced windows from 1 to 1000 give it a
condition of 1e17. Windows are sorted and distinct, T = 1 before all others; T_i and a, b steps:

    one scalar a trial, steady:  A_ij = sqrt(2 T_j - 1)/(T_i + T_j - 1) prod_{l<j} (T_i - T_l)/(T_i + T_l - 1)
    the same, t steps from zero: R(2a) is the QR factor of [R(a); R(a) D^a], D = diag(beta): log2 t of them make R(t)
    a scalar a step:             R(a + b) is that of [rho W(b); R(a) D^b], b steps at a time

    any linear filters:          R of the rows of W, rho-scaled, some ages at a time: no recursion is made use of

In the last three nothing is subtracted, so each window's variance is exact to rounding.

Source: theory.md F8, L1.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim.filters import EMA, LinearFilter
from spikesim.stages.filter import is_plain

NEGLIGIBLE = 2.0**-53
"""Steady state: what the start takes from any covariance is below rounding."""
PIECE = 1 << 16
"""Rows that are held at once."""


class Roots(Protocol):
    """How R grows with the steps: `size` is L, `picks` (K,) says which of the L columns belongs to each filter."""

    size: int
    picks: NDArray[np.intp]

    def after(
        self, older: NDArray[np.float64], done: int, steps: int, factors: NDArray[np.float64] | None
    ) -> NDArray[np.float64]:
        """R (L, L) after `steps` steps more than the `done` of `older`, with their scalars (steps,) in order of time."""


def roots(filters: Sequence[LinearFilter], end: int) -> Roots:
    """For these filters, read after `end` steps."""
    plain = [f for f in filters if is_plain(f)]
    return EMARoots(plain) if len(plain) == len(filters) else AnyRoots(filters, end)


class EMARoots:
    """Of exponential moving averages from zero."""

    def __init__(self, filters: Sequence[EMA]) -> None:
        self.windows, picks = np.unique(np.array([1.0, *(f.window for f in filters)]), return_inverse=True)
        self.size, self.picks = self.windows.size, picks[1:]

    def after(
        self, older: NDArray[np.float64], done: int, steps: int, factors: NDArray[np.float64] | None
    ) -> NDArray[np.float64]:
        """See `Roots.after`."""
        if factors is not None:
            return joined(weights(self.windows, steps) * factors[::-1, None], older, self.windows, steps)
        newer = root(self.windows, steps)
        return joined(newer, older, self.windows, steps) if done else newer


class AnyRoots:
    """Of any linear filters, read at a known end: each step's weights are known before it comes."""

    def __init__(self, filters: Sequence[LinearFilter], end: int) -> None:
        self._filters, self._end = filters, end
        self.size, self.picks = 1 + len(filters), np.arange(1, 1 + len(filters))

    def after(
        self, older: NDArray[np.float64], done: int, steps: int, factors: NDArray[np.float64] | None
    ) -> NDArray[np.float64]:
        """See `Roots.after`."""
        for first in range(done, done + steps, PIECE):
            after = min(first + PIECE, done + steps)
            rows = self._rows(self._end - after, self._end - first)
            if factors is not None:
                rows = rows * factors[first - done : after - done][::-1, None]
            older = _triangle(np.concatenate([rows, older]))
        return older

    def _rows(self, first: int, after: int) -> NDArray[np.float64]:
        """Weights of ages first..after - 1, (ages, L)."""
        newest = (np.arange(first, after) == 0).astype(np.float64)
        return np.stack([newest, *(f.weights(self._end, first, after) for f in self._filters)], axis=1)


def decays(windows: NDArray[np.float64], steps: ArrayLike) -> NDArray[np.float64]:
    """beta^steps, broadcast; exact also where beta is nearly 1, and 0^0 = 1."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.equal(steps, 0), 1.0, np.exp(steps * np.log1p(-1 / windows)))


def weights(windows: NDArray[np.float64], steps: int) -> NDArray[np.float64]:
    """W of the newest steps, (steps, L), newest first."""
    return decays(windows, np.arange(steps)[:, None]) / windows


def steady(windows: NDArray[np.float64]) -> NDArray[np.float64]:
    """R in steady state, (L, L), in closed form (module docstring); windows distinct and rising."""
    t, other = windows[:, None], windows[None, :]
    ratios = (t - other) / (t + other - 1)
    products = np.cumprod(np.concatenate([np.ones_like(t), ratios[:, :-1]], axis=1), axis=1)
    return np.ascontiguousarray((np.sqrt(2 * other - 1) / (t + other - 1) * products).T)


def root(windows: NDArray[np.float64], steps: int) -> NDArray[np.float64]:
    """R after `steps` steps from zero without scalars, (L, L)."""
    if decays(windows[-1:], 2 * steps)[0] <= NEGLIGIBLE:
        return steady(windows)
    part, total, done = _triangle(1 / windows[None, :]), np.zeros((windows.size, windows.size)), 0
    for power in range(steps.bit_length()):
        size = 1 << power
        if steps & size:  # the newest steps are those of the larger powers: all the same, as there are no scalars
            total, done = joined(part, total, windows, size) if done else part, done + size
        if size << 1 <= steps:
            part = joined(part, part, windows, size)
    return total


def joined(
    newer: NDArray[np.float64], older: NDArray[np.float64], windows: NDArray[np.float64], steps: int
) -> NDArray[np.float64]:
    """R of rows that follow each other.

    Args:
        newer: (rows, L), the weights of the newest `steps` steps or their R.
        older: (rows, L), what came before, as it was then.
        windows: (L,).
        steps: How many steps ago that is.

    Returns:
        (L, L), diagonal >= 0.
    """
    return _triangle(np.concatenate([newer, older * decays(windows, steps)]))


def _triangle(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """R of a QR, (L, L): diagonal >= 0, rows of zeros where there are too few."""
    found = np.linalg.qr(rows, mode="r")
    signs = np.where(np.diagonal(found) < 0, -1.0, 1.0)[:, None]
    return np.concatenate([found * signs, np.zeros((rows.shape[1] - len(found), rows.shape[1]))])
