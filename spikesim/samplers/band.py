"""Band matrices: how they are stored, and what is left of one after its far end has been eliminated (kernels/band.py)."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from spikesim.kernels.band import LANES, eliminate, offsets

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Band:
    """A matrix A (m, columns), m <= columns <= m + r, that is 0 beyond r diagonals on either side of the main one.

    Args:
        entries: (m, 2 r + 1): entries[i, c] is A[i, i + c - r]; 0 where there is no such column.
        columns: How many columns A has.
    """

    entries: Floats
    columns: int

    @property
    def rows(self) -> int:
        """m."""
        return self.entries.shape[0]

    @property
    def rank(self) -> int:
        """r: diagonals on one side."""
        return self.entries.shape[1] // 2

    @property
    def bound(self) -> float:
        """At least ‖A‖_op: the largest entries of all diagonals, together."""
        return float(np.abs(self.entries).max(0).sum())

    def divided(self, factor: float) -> "Band":
        """A / factor."""
        return replace(self, entries=self.entries / factor)

    def dense(self, rows: int, columns: int) -> Floats:
        """The leading rows and columns, (rows, columns)."""
        out = np.zeros((rows, columns + 2 * self.rank))  # column j at place j + r, and room for what is cut off
        i = np.arange(rows)[:, None]
        places = i + np.arange(2 * self.rank + 1)
        inside = places < out.shape[1]
        out[np.broadcast_to(i, places.shape)[inside], places[inside]] = self.entries[:rows][inside]
        return out[:, self.rank : self.rank + columns]

    def leading(self, size: int) -> "Band":
        """The leading square block of that size; rows of zeros at its end where A has fewer."""
        entries = self.entries[:size]
        return Band(np.concatenate([entries, np.zeros((size - len(entries), entries.shape[1]))]), size)


@dataclass(frozen=True)
class Heads:
    """K = [[x I, A], [-t A^T, x I]] at N shifts x, all but its first rows and columns eliminated.

    Args:
        matrices: (N, 2 r + s, 2 r + s): what is left: the first r rows, then the first r + s columns, s set aside.
        steepest: (N,): the largest entry of a pivot's inverse; rounding is eps ‖A‖ times that.
        positive: (N,): how many eigenvalues of the pivots are positive.
        factors: What kernels/band.py: forward, backward need, where it was kept.
    """

    matrices: Floats
    steepest: Floats
    positive: Floats
    factors: Floats


def heads(band: Band, shifts: Floats, t: float, kept: bool = False) -> Heads:
    """Eliminate the far end of K at every shift, (N,); its column i + s goes with row i, s = columns - rows."""
    r, aside, count = band.rank, band.columns - band.rows, len(shifts)
    up, low = r - aside, r + aside
    x = np.concatenate([shifts, np.full(-count % LANES, shifts[-1])])
    windows, steepest, positive, factors = eliminate(band.entries, band.rows, r, up, low, x, t, kept)
    w, q, end = offsets(up, low)
    out = np.zeros((count, 2 * r + aside, 2 * r + aside))
    head = band.dense(r, r + aside)
    out[:, np.arange(r), np.arange(r)] = shifts[:, None]
    out[:, aside:r, aside:r] = _symmetric(windows[:count, :w].reshape(count, up + 1, up + 1)[:, :up, :up])
    out[:, r:, r:] = _symmetric(windows[:count, w:q].reshape(count, low + 1, low + 1)[:, :low, :low])
    out[:, :aside, r:] = head[:aside]
    out[:, aside:r, r:] = windows[:count, q:end].reshape(count, up + 1, low + 1)[:, up - 1 :: -1, low - 1 :: -1] if up else 0
    out[:, r:, :r] = -t * np.swapaxes(out[:, :r, r:], 1, 2)
    return Heads(out, steepest[:count], positive[:count], factors)


def _symmetric(upper: Floats) -> Floats:
    """From upper triangles (N, a, a), positions from the last row up, to whole matrices in order."""
    whole = np.triu(upper) + np.swapaxes(np.triu(upper, 1), 1, 2)
    return whole[:, ::-1, ::-1]
