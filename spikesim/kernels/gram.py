"""Gram matrices of a stack of matrices and back, group by group of LANES that go side by side (lanes.py).

Arrays of a group hold entry, then lane: place * lanes + lane. `scale` is one number a matrix, h >= sigma_1^2: the group holds
X X^T / h = Q T Q^T. BLAS does the two large products; sums that check use no fast-math but reassociation.
"""

import math

import numpy as np
from numba import njit

from spikesim.kernels.eigen import eigenvector, largest, orthonormal
from spikesim.kernels.lanes import load, splat, store
from spikesim.kernels.root import below, bilinear, inverse_root, normalise
from spikesim.kernels.tridiagonal import place, reduce, rotate, turn

POLISHED = 0.1
"""Distance from orthonormal rows up to which one Newton-Schulz step, which squares it, is tried."""


@njit(nogil=True, error_model="numpy")
def reduced(x, a, d, e, scale, good, floor, lanes):
    """T and the reflections of each matrix, and which have all eigenvalues of T above the floor.

    Args:
        x: (N, m, n), m <= n, contiguous.
        a: (G, m (m + 1) / 2 * lanes), receives the reflections (tridiagonal.py).
        d: (G, m * lanes), receives T's diagonal, eigenvalues in [0, 1].
        e: The same for its subdiagonal.
        scale: (G * lanes,), receives h.
        good: (G * lanes,) of bool, receives whether T kept the Frobenius norm and lies above the floor.
        floor: Least eigenvalue of T.
        lanes: Of a pack.
    """
    m = x.shape[1]
    gram, work = np.empty((m, m), x.dtype), np.empty(2 * m * lanes, x.dtype)
    norm, left, bound, low = (
        np.empty(lanes, x.dtype),
        np.empty(lanes, x.dtype),
        np.empty(lanes, x.dtype),
        np.empty(lanes, x.dtype),
    )
    for g in range(len(a)):
        for lane in range(lanes):
            i = g * lanes + lane
            scale[i] = _gram(x[i], gram) if i < len(x) else _identity(gram)
            _scatter(gram, 1 / scale[i], a[g], lane, m, lanes)
        _squares(a[g], norm, m, lanes)
        reduce(a[g], d[g], e[g], work, m, lanes)
        _kept(d[g], e[g], left, m, lanes)
        normalise(d[g], e[g], bound, m, lanes)
        store(low, 0, below(d[g], e[g], splat(x.dtype.type(floor), load(d[g], 0)), m, lanes))
        for lane in range(lanes):
            same = abs(left[lane] - norm[lane]) <= floor * norm[lane]
            good[g * lanes + lane] = same and low[lane] < 0.5
            scale[g * lanes + lane] *= bound[lane]


@njit(nogil=True, error_model="numpy")
def _gram(x, gram):
    """X X^T, and its trace."""
    np.dot(x, x.T, gram)
    total = 0.0
    for i in range(len(gram)):
        total += gram[i, i]
    return total


@njit(nogil=True, error_model="numpy")
def _identity(gram):
    """The identity, where a lane has no matrix."""
    gram[:] = 0
    for i in range(len(gram)):
        gram[i, i] = 1
    return 1.0


@njit(nogil=True, error_model="numpy")
def _scatter(gram, factor, a, lane, m, lanes):
    """A lower triangle, times a factor, to one lane."""
    factor = a.dtype.type(factor)
    for i in range(m):
        at = place(i, lanes) + lane
        for j in range(i + 1):
            a[at + j * lanes] = gram[i, j] * factor


@njit(nogil=True, error_model="numpy")
def _squares(a, out, m, lanes):
    """Squared Frobenius norms of symmetric matrices, lower triangles."""
    total = splat(a.dtype.type(0), load(a, 0))
    for i in range(m):
        row = place(i, lanes)
        for c in range(row, row + i * lanes, lanes):
            total = total + load(a, c) * load(a, c)
    diagonal = splat(a.dtype.type(0), total)
    for i in range(m):
        x = load(a, place(i, lanes) + i * lanes)
        diagonal = diagonal + x * x
    store(out, 0, total + total + diagonal)


@njit(nogil=True, error_model="numpy")
def _kept(d, e, out, m, lanes):
    """The same of T."""
    total = load(d, 0) * load(d, 0)
    for c in range(lanes, m * lanes, lanes):
        off = load(e, c) * load(e, c)
        total = total + load(d, c) * load(d, c) + off + off
    store(out, 0, total)


@njit(nogil=True, error_model="numpy")
def framed(a, x, u, v, y, z, lanes):
    """Q^T u_k and Q^T X v_k for u (m, r) and v (n, r), each (G, r * m * lanes)."""
    m, r = u.shape
    for g in range(len(a)):
        for lane in range(lanes):
            i = g * lanes + lane
            image = np.dot(x[min(i, len(x) - 1)], v)
            for k in range(r):
                for j in range(m):
                    at = (k * m + j) * lanes + lane
                    y[g, at], z[g, at] = u[j, k], image[j, k]
        for k in range(r):
            turn(a[g], y[g], k * m * lanes, m, lanes, False)
            turn(a[g], z[g], k * m * lanes, m, lanes, False)


@njit(nogil=True, error_model="numpy")
def directions(d, e, y, z, nodes, weights, out, m, lanes):
    """y_k^T T^{-1/2} z_k, (G, r * lanes)."""
    work = np.empty(2 * m * lanes, d.dtype)
    for g in range(len(d)):
        bilinear(d[g], e[g], y[g], z[g], out.shape[1] // lanes, nodes, weights, out[g], work, m, lanes)


@njit(nogil=True, error_model="numpy")
def values(d, e, out, halvings, m, lanes):
    """T's largest eigenvalues, falling, (G, c * lanes)."""
    work = np.empty(3 * out.shape[1], d.dtype)
    for g in range(len(d)):
        largest(d[g], e[g], out.shape[1] // lanes, out[g], work, halvings, m, lanes)


@njit(nogil=True, error_model="numpy")
def vectors(d, e, theta, out, left, count, m, lanes):
    """Orthonormal eigenvectors of T for its largest eigenvalues theta, (G, count * m * lanes); left: `orthonormal`'s."""
    work = np.empty(2 * m * lanes, d.dtype)
    for g in range(len(d)):
        for k in range(count):
            eigenvector(d[g], e[g], load(theta[g], k * lanes), out[g], k * m * lanes, work, m, lanes)
        store(left[g], 0, orthonormal(out[g], count, m, lanes))


@njit(nogil=True, error_model="numpy")
def products(y, z, out, m, lanes):
    """y_k . z_j of vectors of m packs, (G, r * s * lanes)."""
    r, s = y.shape[1] // (m * lanes), z.shape[1] // (m * lanes)
    for g in range(len(y)):
        for k in range(r):
            for j in range(s):
                total = splat(y.dtype.type(0), load(y[g], 0))
                for c in range(0, m * lanes, lanes):
                    total = total + load(y[g], k * m * lanes + c) * load(z[g], j * m * lanes + c)
                store(out[g], (k * s + j) * lanes, total)


@njit(nogil=True, error_model="numpy")
def turned(a, y, m, lanes):
    """y <- Q y of all vectors of m packs, in place."""
    for g in range(len(a)):
        for start in range(0, y.shape[1], m * lanes):
            turn(a[g], y[g], start, m, lanes, True)


@njit(nogil=True, error_model="numpy")
def roots(d, e, f, nodes, weights, m, lanes):
    """T^{-1/2} as lower triangles, (G, m (m + 1) / 2 * lanes)."""
    work = np.empty(nodes.size * (2 * m + 1) * lanes, d.dtype)
    for g in range(len(d)):
        inverse_root(d[g], e[g], f[g], nodes, weights, work, m, lanes)


@njit(nogil=True, error_model="numpy")
def traces(d, e, f, out, m, lanes):
    """tr T^{1/2} = tr T T^{-1/2}, (G, lanes)."""
    for g in range(len(d)):
        total = load(d[g], 0) * load(f[g], 0)
        for i in range(1, m):
            c, at = i * lanes, place(i, lanes) + i * lanes
            off = load(e[g], c) * load(f[g], at - lanes)
            total = total + load(d[g], c) * load(f[g], at) + off + off
        store(out[g], 0, total)


@njit(nogil=True, error_model="numpy")
def factors(a, f, x, scale, out, error, tolerance, lanes):
    """O(X) = Q F Q^T X / sqrt h, F = T^{-1/2} in f (overwritten), and ‖O O^T - I‖_F / sqrt m of each, (N,)."""
    m = x.shape[1]
    root, gram, work = np.empty((m, m), x.dtype), np.empty((m, m), x.dtype), np.empty(2 * m * lanes, x.dtype)
    for g in range(len(a)):
        rotate(a[g], f[g], work, m, lanes)
        for i in range(g * lanes, min((g + 1) * lanes, len(x))):
            _gather(f[g], 1 / math.sqrt(scale[i]), root, i - g * lanes, m, lanes)
            np.dot(root, x[i], out[i])
            error[i] = _distance(out[i], gram)
            if tolerance < error[i] < POLISHED:
                _newton_schulz(out[i], gram, root)
                error[i] = _distance(out[i], gram)


@njit(nogil=True, error_model="numpy")
def _gather(f, factor, out, lane, m, lanes):
    """A symmetric matrix, times a factor, from one lane."""
    factor = out.dtype.type(factor)
    for i in range(m):
        at = place(i, lanes) + lane
        for j in range(i + 1):
            out[i, j] = f[at + j * lanes] * factor
    for i in range(m):
        for j in range(i):
            out[j, i] = out[i, j]


@njit(nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
def _distance(q, gram):
    """‖Q Q^T - I‖_F / sqrt m; Q Q^T is left in gram."""
    np.dot(q, q.T, gram)
    m = len(gram)
    total = gram[0, 0] - gram[0, 0]
    for i in range(m):
        gram[i, i] -= 1
        for j in range(m):
            total += gram[i, j] * gram[i, j]
        gram[i, i] += 1
    return math.sqrt(total / m)


@njit(nogil=True, error_model="numpy")
def _newton_schulz(q, gram, work):
    """Q <- (3 I - Q Q^T) Q / 2."""
    for i in range(len(gram)):
        for j in range(len(gram)):
            work[i, j] = (1.5 if i == j else 0.0) - 0.5 * gram[i, j]
    np.dot(work, q.copy(), q)
