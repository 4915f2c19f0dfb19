"""Elimination of a band matrix A from its far end, at eight shifts x at once: all that method "banded" reads (L3, L4).

    K = [[x I, A], [-t A^T, x I]],   t = 1: resolvents at a node x;   t = -1: K = H + x, H = [[0, A], [A^T, 0]]

A is square here, its first (low - up)/2 columns set aside, with up diagonals above the main one and low below it. Row i and
column i go together, by a 2 x 2 pivot; what they change is a window of up rows and low columns,

    [[P, Q], [-t Q^T, W]],   P (up x up) and W (low x low) symmetric,

in which position a stands for row or column i - a. A A^T is never formed. Rows and columns enter the window when they are
first touched, at its last position, and a pivot moves it along by one. Cost: about 2 (up + low)^2 fused products a row.
"""

import numpy as np
from numba import njit

from spikesim.kernels import lanes
from spikesim.kernels.compiled import inner
from spikesim.kernels.lanes import choose, copysign, fma, fnma, load, maximum, splat, store

LANES = lanes.LANES["float64"]


# Packs of eight shifts at offsets of one buffer s


@inner
def less(s, out, x, a, b, c, d):
    """Out = x - a b - c d."""
    store(s, out, fnma(load(s, c), load(s, d), fnma(load(s, a), load(s, b), load(s, x))))


@inner
def products(s, out, a, b, c, d):
    """Out = a b + c d."""
    store(s, out, fma(load(s, a), load(s, b), load(s, c) * load(s, d)))


@inner
def times(s, out, a, b, factor):
    """Out = factor a b."""
    x = load(s, a)
    store(s, out, x * load(s, b) * splat(factor, x))


@inner
def inverse(s, out, a):
    """Out = 1 / a."""
    x = load(s, a)
    store(s, out, splat(1.0, x) / x)


@inner
def scaled(s, out, a, factor):
    """Out = factor a."""
    x = load(s, a)
    store(s, out, x * splat(factor, x))


@inner
def fill(s, out, value):
    """Every lane of out = value."""
    store(s, out, splat(value, load(s, out)))


@inner
def largest(s, out, a, b, c, d):
    """Out = max(a, |b|, |c|, |d|)."""
    x = load(s, a)
    one = splat(1.0, x)
    x = maximum(copysign(load(s, b), one), maximum(copysign(load(s, c), one), maximum(copysign(load(s, d), one), x)))
    store(s, out, x)


@inner
def tally(s, out, a, det, p):
    """Out = a + positive eigenvalues of symmetric 2 x 2 matrices of determinant det and corner p."""
    x, zero = load(s, det), splat(0.0, load(s, det))
    same = choose(zero, load(s, p), splat(2.0, x), zero)
    store(s, out, load(s, a) + choose(x, zero, splat(1.0, x), same))


# Elimination


@njit(nogil=True, error_model="numpy")
def offsets(up, low):
    """Where P (up+1, up+1), W (low+1, low+1), Q (up+1, low+1) and what a pivot needs begin, in lane vectors."""
    w = (up + 1) * (up + 1)
    q = w + (low + 1) * (low + 1)
    return w, q, q + (up + 1) * (low + 1)


@inner
def _aligned(size):
    """Work space whose lane vectors do not lie across cache lines."""
    room = np.empty(size + LANES)
    first = -(room.ctypes.data // 8) % LANES
    return room[first : first + size]


@inner
def _start(s, band, rows, up, low, x):
    """The window at the far end, where nothing has been eliminated; the others of P and W are 0."""
    w, q, _ = offsets(up, low)
    for a in range(up + 1):
        scaled(s, LANES * (a * (up + 2)), x, 1.0)
    for a in range(low + 1):
        scaled(s, LANES * (w + a * (low + 2)), x, 1.0)
    for a in range(up):
        for b in range(low):
            fill(s, LANES * (q + a * (low + 1) + b), band[rows - 1 - a, a - b + low])


@inner
def _enter(s, band, i, up, low):
    """Row i - up and column i - low enter the window: their part of Q; that of P and W never changes."""
    _, q, _ = offsets(up, low)
    for a in range(up + 1):
        fill(s, LANES * (q + a * (low + 1) + low), band[i - a, a])
    for b in range(low):
        fill(s, LANES * (q + up * (low + 1) + b), band[i - up, up - b + low])


@inner
def _pivot(s, up, low, t, free):
    """Determinant D = p w + t q^2, and the pivot's inverse times its row and column: four vectors of factors.

    With rows of P and W, row r and column c of Q at the pivot: alpha = (w P + t q c)/D, beta = t (q P - p c)/D,
    gamma = (w r - q W)/D, delta = (t q r + p W)/D. The lines themselves are kept too, as the window moves over them.
    """
    w, q, _ = offsets(up, low)
    det, wi, pi, qi, qn, pn, tq = free, free + 8, free + 16, free + 24, free + 32, free + 40, free + 48
    scaled(s, tq, LANES * q, t)
    products(s, det, 0, LANES * w, tq, LANES * q)
    inverse(s, tq, det)  # the one division
    times(s, wi, LANES * w, tq, 1.0)
    times(s, pi, 0, tq, 1.0)
    times(s, qi, LANES * q, tq, t)
    times(s, qn, LANES * q, tq, -1.0)
    times(s, pn, 0, tq, -t)
    at = free + 56
    for a in range(1, up + 1):
        line, column, out = LANES * a, LANES * (q + a * (low + 1)), at + 4 * LANES * a
        products(s, out, wi, line, qi, column)
        products(s, out + LANES, qi, line, pn, column)
        scaled(s, out + 2 * LANES, line, 1.0)
        scaled(s, out + 3 * LANES, column, 1.0)
    at += 4 * LANES * (up + 1)
    for b in range(1, low + 1):
        line, row, out = LANES * (w + b), LANES * (q + b), at + 4 * LANES * b
        products(s, out, wi, row, qn, line)
        products(s, out + LANES, qi, row, pi, line)
        scaled(s, out + 2 * LANES, row, -t)
        scaled(s, out + 3 * LANES, line, 1.0)


@inner
def _move(s, up, low, free):
    """The window after the pivot, moved on by one: P - P alpha - c beta, Q - P gamma - c delta, W + t r gamma - W delta."""
    w, q, _ = offsets(up, low)
    rows, columns = free + 56, free + 56 + 4 * LANES * (up + 1)
    for a in range(1, up + 1):
        line, column = rows + 4 * LANES * a + 2 * LANES, rows + 4 * LANES * a + 3 * LANES
        for b in range(a, up + 1):
            x, f = LANES * (a * (up + 1) + b), rows + 4 * LANES * b
            less(s, x - LANES * (up + 2), x, line, f, column, f + LANES)
        for b in range(1, low + 1):
            x, f = LANES * (q + a * (low + 1) + b), columns + 4 * LANES * b
            less(s, x - LANES * (low + 2), x, line, f, column, f + LANES)
    for a in range(1, low + 1):
        row, line = columns + 4 * LANES * a + 2 * LANES, columns + 4 * LANES * a + 3 * LANES
        for b in range(a, low + 1):
            x, f = LANES * (w + a * (low + 1) + b), columns + 4 * LANES * b
            less(s, x - LANES * (low + 2), x, row, f, line, f + LANES)


@inner
def _keep(s, factors, up, low, free):
    """What `solve` needs of one pivot, (2, up + low + 2, LANES): alpha, gamma; beta, delta; and its inverse."""
    for a in range(up + low):
        at = free + 56 + 4 * LANES * (a + 1 if a < up else a + 2)
        for k in range(LANES):
            factors[0, a, k], factors[1, a, k] = s[at + k], s[at + LANES + k]
    for k in range(LANES):
        factors[0, up + low, k], factors[0, up + low + 1, k] = s[free + 8 + k], s[free + 32 + k]
        factors[1, up + low, k], factors[1, up + low + 1, k] = s[free + 24 + k], s[free + 16 + k]


@njit(nogil=True, error_model="numpy")
def eliminate(band, rows, stop, up, low, shifts, t, kept):
    """Eliminate rows and columns rows - 1, ..., stop of K at every shift.

    Args:
        band: (>= rows, up + low + 1): band[i, c] is the entry of row i on diagonal c - low.
        rows: How many rows and columns there are.
        stop: Where to stop; rows stop - up and columns stop - low exist (columns set aside count as negative).
        up: Diagonals above the main one, >= 0.
        low: Diagonals below it, >= 1.
        shifts: (N,), x; N a multiple of LANES.
        t: 1.0 or -1.0.
        kept: Whether to keep what `forward` and `backward` need.

    Returns:
        windows: (N, vectors): P and W (upper triangles) and Q at `offsets`, after the last pivot.
        steepest: (N,): the largest entry of a pivot's inverse, over all pivots. Rounding is eps ‖A‖ times that.
        positive: (N,): how many eigenvalues of all pivots are positive; of use for t = -1.
        factors: (N / LANES, rows, 2, up + low + 2, LANES), or of no size.
    """
    vectors = offsets(up, low)[2]
    free = LANES * vectors
    x = free + 56 + 4 * LANES * (up + low + 2)
    steep, count = x + LANES, x + 2 * LANES
    s = _aligned(x + 3 * LANES)
    windows, steepest, positive = np.empty((shifts.size, vectors)), np.empty(shifts.size), np.empty(shifts.size)
    factors = np.empty((shifts.size // LANES, rows if kept else 0, 2, up + low + 2, LANES))
    for g in range(shifts.size // LANES):
        each = slice(LANES * g, LANES * (g + 1))
        s[:] = 0.0
        s[x : x + LANES] = shifts[each]
        _start(s, band, rows, up, low, x)
        for i in range(rows - 1, stop - 1, -1):
            _enter(s, band, i, up, low)
            _pivot(s, up, low, t, free)
            largest(s, steep, steep, free + 8, free + 16, free + 24)
            if t < 0:
                tally(s, count, count, free, 0)
            if kept:
                _keep(s, factors[g, i], up, low, free)
            _move(s, up, low, free)
        for k in range(LANES):
            for j in range(vectors):
                windows[LANES * g + k, j] = s[LANES * j + k]
        steepest[each], positive[each] = s[steep : steep + LANES], s[count : count + LANES]
    return windows, steepest, positive, factors


@njit(nogil=True, error_model="numpy")
def forward(factors, vectors, rows, stop, up, low):
    """Right sides of K z = b once the far end is eliminated; t = -1, no columns set aside.

    Args:
        factors: (N / LANES, rows, 2, up + low + 2, LANES) of `eliminate`.
        vectors: (M, 2, rows), M <= N: b of the first M shifts, left and right parts; updated.
        rows: As there.
        stop: As there.
        up: As there.
        low: As there.
    """
    for j in range(vectors.shape[0]):
        f, k = factors[j // LANES], j % LANES
        for i in range(rows - 1, stop - 1, -1):
            left, right = vectors[j, 0, i], vectors[j, 1, i]
            for a in range(up):
                vectors[j, 0, i - 1 - a] -= f[i, 0, a, k] * left + f[i, 1, a, k] * right
            for b in range(low):
                vectors[j, 1, i - 1 - b] -= f[i, 0, up + b, k] * left + f[i, 1, up + b, k] * right


@njit(nogil=True, error_model="numpy")
def backward(factors, vectors, rows, stop, up, low):
    """Solutions z from what `forward` leaves, entries before stop solved; the same arguments."""
    for j in range(vectors.shape[0]):
        f, k = factors[j // LANES], j % LANES
        for i in range(stop, rows):
            left, right = vectors[j, 0, i], vectors[j, 1, i]
            for side in range(2):
                total = f[i, side, up + low, k] * left + f[i, side, up + low + 1, k] * right
                for a in range(up):
                    total -= f[i, side, a, k] * vectors[j, 0, i - 1 - a]
                for b in range(low):
                    total -= f[i, side, up + b, k] * vectors[j, 1, i - 1 - b]
                vectors[j, side, i] = total
