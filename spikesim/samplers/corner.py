"""The corner u_i^T O(A) v_j of a band matrix's polar factor, u_k = v_k = e_k, in time linear in its rows.

    O(A) = (2/pi) sum_q w_q (A A^T + x_q^2)^{-1} A   with Zolotarev's nodes (spikesim/zolotarev.py),

each term from the far end by 2 x 2 pivots (kernels/band.py), A A^T never formed. Nodes span [low, ‖A‖]; low is the largest
of CANDIDATES below which A has no singular value, by inertia: the better conditioned A is, the fewer nodes it takes.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from spikesim.samplers.band import Band, Floats, heads
from spikesim.zolotarev import zolotarev

ERROR = 1e-12
"""Of the quadrature."""
LOWEST = 1e-12
"""Smallest singular value, over a bound of the largest, that the nodes reach where A is not known to have none so small."""
CANDIDATES = np.array([1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.05, 0.15, 0.4])
"""Over a bound of the bulk, rounded to a power of two."""
CERTAIN = 0.9
"""What rounding leaves of a candidate."""
COARSE, SMALL = 1e-10, 512
"""A band of at most SMALL rows is decomposed whole where the residual is above COARSE, as in nearly square ones of rank 2 or
more when a pivot happens to be nearly singular."""
EPS = float(np.finfo(float).eps)


@dataclass(frozen=True)
class Corner:
    """The corner (r, r), and how exact it is: error of the quadrature, plus rounding as pivots let it grow, over the bulk."""

    values: Floats
    residual: float
    means: str = "resolvents of a band"


def corner(band: Band) -> Corner:
    """[O(A)]_ij for i, j = 1..r.

    Args:
        band: A, m >= r.

    Source: theory.md L3.
    """
    r, unit = band.rank, band.divided(band.bound)
    x, w = nodes(lowest(unit))
    found = heads(unit, x, 1.0)
    right = np.eye(found.matrices.shape[-1])[:, r : 2 * r]
    solved = np.linalg.solve(found.matrices, np.broadcast_to(right, (len(x), *right.shape)))
    residual = ERROR + EPS * bulk(unit) * float(found.steepest.max())
    if residual > COARSE and unit.rows <= SMALL:
        return _dense(unit)
    return Corner(-2 / np.pi * np.tensordot(w, solved[:, :r], 1), residual)


def _dense(unit: Band) -> Corner:
    """The same by an SVD of the whole band."""
    u, d, vt = np.linalg.svd(unit.dense(unit.rows, unit.columns), full_matrices=False)
    size, r = unit.columns * EPS, unit.rank
    keep = d > size * d[0]
    return Corner(u[:r, keep] @ vt[keep, :r], size, "float64 SVD of a band")


@cache
def nodes(low: float) -> tuple[Floats, Floats]:
    """Zolotarev's for [low, 1]; low is one of few."""
    return zolotarev(low, 1.0, ERROR)


def lowest(unit: Band) -> float:
    """A lower bound on the singular values of A, ‖A‖ <= 1; LOWEST where none is certain."""
    shifts = CANDIDATES * 2.0 ** np.floor(np.log2(bulk(unit)))
    found = heads(unit, -shifts, -1.0)
    above = found.positive + (np.linalg.eigvalsh(found.matrices) > 0).sum(-1)
    certain = (above == unit.rows) & (EPS * bulk(unit) ** 2 * found.steepest < (1 - CERTAIN) * shifts)
    return max(LOWEST, CERTAIN * float(shifts[certain].max(initial=0)))


def bulk(unit: Band) -> float:
    """A bound of what pivots are made of, all rows but the first r; at least 1e-6."""
    rest = unit.entries[unit.rank :]
    return max(1e-6, float(np.abs(rest).max(0).sum())) if len(rest) else 1.0
