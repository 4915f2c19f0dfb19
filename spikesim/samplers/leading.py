"""The largest singular values and vectors of a band matrix, from a leading block of it.

The local edge s (sqrt(n - i) + sqrt(m - i)) of the bulk falls along the band, so the vectors of the top singular values decay
like Airy functions beyond the first size^(2/3) rows, and those of spikes faster. The block grows until they end in it.

Values: counts of singular values above a shift (inertia of H - x, eight shifts at once, kernels/band.py) cut intervals; then
inverse iteration on H - x, and Rayleigh-Ritz on A itself, so that nothing is squared. A last count tells whether one was
missed; then, and for small blocks, a dense SVD takes its place.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikesim.kernels.band import LANES, backward, forward
from spikesim.samplers.band import Band, Floats, heads

DENSE = 64
"""Blocks of so many rows or fewer are decomposed whole."""
NEAR = (0.03, 1e-5, 1e-9)
"""Relative width of the intervals where counting ends, times the rows: below most spacings; narrower ones if need be."""
EXACT, FAINT = 1e-13, 1e-8
"""What the residual of a singular pair may be, over a bound of ‖A‖; and that of one of which only the value is read, whose
error is of the residual's square."""
ROUNDING, EPS = 1e-13, float(np.finfo(float).eps)
"""Below the first, over a bound of ‖A‖, singular values are not told from each other or from zero."""
ROUNDS = 8
BESIDE = 1e-7
"""Relative distance of a shift from the value it is to find: on it, rounding grows; tripled each round."""
TINY = 1e-20
"""What an eigenvalue of a head counts as at least, in inverse iteration."""


@dataclass(frozen=True)
class Leading:
    """Singular values d (k,), falling, and vectors u (p, k), v (p, k): the others' first p entries, and 0 beyond."""

    d: Floats
    u: Floats
    v: Floats


def rows_needed(shape: tuple[int, int], rank: int, count: int) -> int:
    """How many rows `count` singular values take, before any check: 12 (r 2 sqrt(m n)/(sqrt m + sqrt n))^(2/3) + 2 r.

    That is for r + 1 of them; each further one reaches on like its number to the power 2/3.
    """
    m, n = shape
    width = 2 * np.sqrt(m) * np.sqrt(n) / (np.sqrt(m) + np.sqrt(n))
    further = max(1.0, count / (rank + 1)) ** (2 / 3)
    return int(np.ceil(12 * further * (rank * width) ** (2 / 3))) + 2 * rank


def leading(band: Band, shape: tuple[int, int], count: int) -> Leading:
    """The `count` largest singular values of A, and their vectors.

    Args:
        band: A.
        shape: (m, n) of the matrix that A stands for.
        count: 1 to m.

    Source: theory.md L4.
    """
    size = min(max(rows_needed(shape, band.rank, count), count), band.columns)
    bound = band.bound
    while True:
        size = band.columns if size > 0.7 * band.rows else size
        block = band.leading(size)
        found = _dense(block, count) if size <= DENSE or 2 * count > size else _banded(block, count)
        if size == band.columns:
            return found
        beyond = _beyond(band, found) / bound
        if beyond.max() <= FAINT and beyond[: band.rank].max() <= 10 * EXACT:
            return found
        size *= 2


def _beyond(band: Band, found: Leading) -> Floats:
    """How far the block's singular pairs are from being the whole matrix's, (k,): A v - d u and A^T u - d v beyond it."""
    p, r = len(found.u), band.rank
    edge = Band(band.entries[: p + r], band.columns).dense(min(p + r, band.rows), min(p + r, band.columns))
    below, right = edge[p:, p - r : p] @ found.v[p - r :], edge[p - r : p, p:].T @ found.u[p - r :]
    return np.hypot(np.linalg.norm(below, axis=0), np.linalg.norm(right, axis=0))


def _dense(block: Band, count: int) -> Leading:
    u, d, vt = np.linalg.svd(block.dense(block.rows, block.rows))
    return Leading(d[:count], u[:, :count], vt[:count].T)


def _banded(block: Band, count: int) -> Leading:
    """The same of a large block, in time linear in its rows."""
    bound = block.bound
    for near in NEAR:
        found = _iterated(block.divided(bound), count, near / block.rows)
        if found is not None:
            return Leading(bound * found.d[:count], found.u[:, :count], found.v[:, :count])
    return _dense(block, count)


def _iterated(unit: Band, count: int, near: float) -> Leading | None:
    """The same of a block of ‖A‖ <= 1 from intervals as wide as `near`; None where a value is missed or not exact."""
    guarded = min(count + 2, unit.rows)
    shifts, (u, v) = _middles(unit, guarded, near), np.random.default_rng(0).standard_normal((2, unit.rows, guarded))
    for k in range(ROUNDS):
        found, residual = _refined(unit, *_solved(unit, shifts, u, v))
        if residual[: unit.rank].max() <= EXACT and residual[:count].max() <= FAINT / 10:
            return found if _complete(unit, found.d[:count]) else None
        shifts, u, v = (1 + BESIDE * 3**k) * found.d, found.u, found.v
    return None


def _counts(unit: Band, shifts: Floats) -> NDArray[np.float64]:
    """How many singular values are above each shift, (N,)."""
    found = heads(unit, -shifts, -1.0)
    return found.positive + (np.linalg.eigvalsh(found.matrices) > 0).sum(-1)


def _middles(unit: Band, count: int, near: float) -> Floats:
    """The middles of intervals that hold the largest singular values, ‖A‖ <= 1, narrow relative to their ends; (count,)."""
    low, high = np.zeros(count), np.ones(count)
    while True:
        wide = high - low > np.maximum(near * high, 1e-15)
        if not wide.any():
            return (low + high) / 2
        ends = np.unique(np.stack([low[wide], high[wide]], axis=1), axis=0)
        points = max(1, LANES // len(ends))
        parts = np.arange(1, points + 1) / (points + 1)
        shifts = np.ravel(ends[:, :1] + (ends[:, 1:] - ends[:, :1]) * parts)
        for x, above in zip(shifts, _counts(unit, shifts), strict=True):
            places = np.arange(count) < above
            low, high = np.where(places, np.maximum(low, x), low), np.where(places, high, np.minimum(high, x))


def _solved(unit: Band, shifts: Floats, u: Floats, v: Floats) -> tuple[Floats, Floats]:
    """Two steps of inverse iteration, a shift for each pair of columns of u and v, (p, K) each.

    Two, as a start can happen to be nearly orthogonal to what it is to find.
    """
    r, p = unit.rank, unit.rows
    found = heads(unit, -np.maximum(shifts, EPS), -1.0, kept=True)
    d, turn = np.linalg.eigh(found.matrices)
    inverse = (turn / np.where(np.abs(d) > TINY, d, TINY)[:, None, :]) @ np.swapaxes(turn, 1, 2)
    vectors = np.ascontiguousarray(np.stack([u.T, v.T], axis=1))
    for _ in range(2):
        forward(found.factors, vectors, p, r, r, r)
        right = vectors[:, :, :r].reshape(len(shifts), 2 * r, 1)
        vectors[:, :, :r] = (inverse @ right).reshape(len(shifts), 2, r)
        backward(found.factors, vectors, p, r, r, r)
        vectors /= np.abs(vectors).max((1, 2), keepdims=True)
    return vectors[:, 0].T, vectors[:, 1].T


def _refined(unit: Band, u: Floats, v: Floats) -> tuple[Leading, Floats]:
    """Rayleigh-Ritz: the best singular pairs in the spans of u and v, and each one's residual."""
    u, v = np.linalg.qr(u)[0], np.linalg.qr(v)[0]
    left, d, right = np.linalg.svd(u.T @ _times(unit, v))
    u, v = u @ left, v @ right.T
    turned = Band(_transposed(unit.entries), unit.columns)
    off = np.hypot(np.linalg.norm(_times(unit, v) - d * u, axis=0), np.linalg.norm(_times(turned, u) - d * v, axis=0))
    return Leading(d, u, v), off


def _times(band: Band, x: Floats) -> Floats:
    """A x for a square block, x (p, k)."""
    r, p = band.rank, band.rows
    padded = np.zeros((p + 2 * r, x.shape[1]))
    padded[r : p + r] = x
    return sum(band.entries[:, c, None] * padded[c : c + p] for c in range(2 * r + 1))  # type: ignore[return-value]


def _transposed(entries: Floats) -> Floats:
    """Entries of A^T for a square block."""
    p, width = entries.shape
    r = width // 2
    padded = np.zeros((p + 2 * r, width))
    padded[r : p + r] = entries
    return np.stack([padded[2 * r - c : 2 * r - c + p, c] for c in range(width)][::-1], axis=1)


def _complete(unit: Band, d: Floats) -> bool:
    """Whether exactly as many singular values are above and below each of d as its place says."""
    step, places = np.maximum(1e-9 * d, ROUNDING), np.arange(len(d))
    above, below = np.split(_counts(unit, np.concatenate([np.maximum(d - step, ROUNDING), d + step])), 2)
    return bool(np.all((above > places) | (d < 2 * ROUNDING)) and np.all(below <= places))
