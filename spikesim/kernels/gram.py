"""Gram matrices of a stack, group by group of LANES that go side by side (lanes.py).

Arrays of a group hold entry, then lane: place * lanes + lane. Products of whole matrices are left to BLAS, outside.
"""

import numpy as np
from numba import njit

from spikesim.kernels.eigen import eigenvector, largest, orthonormal
from spikesim.kernels.lanes import load, splat, store
from spikesim.kernels.root import below, bilinear, inverse_root, normalise
from spikesim.kernels.tridiagonal import place, reduce, rotate, turn


@njit(nogil=True, error_model="numpy")
def reduced(grams, a, d, e, bound, low, floor, lanes):
    """X X^T / trace = Q T Q^T of each matrix, and T over a bound of its norm.

    Args:
        grams: (N, m, m), X X^T.
        a: (G, m (m + 1) / 2 * lanes), receives the reflections (tridiagonal.py).
        d: (G, m * lanes), receives T's diagonal over the bound.
        e: The same for its subdiagonal.
        bound: (G, lanes), receives the bound.
        low: (G, lanes), receives how many eigenvalues of T over the bound lie below the floor.
        floor: In (0, 1).
        lanes: Of a pack.
    """
    m = grams.shape[1]
    work = np.empty(2 * m * lanes, grams.dtype)
    for g in range(len(a)):
        for lane in range(lanes):
            _scatter(grams, min(g * lanes + lane, len(grams) - 1), a[g], lane, m, lanes)
        reduce(a[g], d[g], e[g], work, m, lanes)
        normalise(d[g], e[g], bound[g], m, lanes)
        store(low[g], 0, below(d[g], e[g], splat(grams.dtype.type(floor), load(d[g], 0)), m, lanes))


@njit(nogil=True, error_model="numpy")
def _scatter(grams, i, a, lane, m, lanes):
    """A Gram matrix over its trace, as a lower triangle, to one lane."""
    total = grams[i, 0, 0]
    for j in range(1, m):
        total += grams[i, j, j]
    for row in range(m):
        start = place(row, lanes) + lane
        for column in range(row + 1):
            a[start + column * lanes] = grams[i, row, column] / total


@njit(nogil=True, error_model="numpy")
def framed(a, frames, y, m, lanes):
    """Q^T f_k of the columns of frames, (N, m, r) or (1, m, r) for all, to y (G, r * m * lanes)."""
    for g in range(len(a)):
        for lane in range(lanes):
            i = min(g * lanes + lane, len(frames) - 1)
            for k in range(frames.shape[2]):
                for j in range(m):
                    y[g, (k * m + j) * lanes + lane] = frames[i, j, k]
        for start in range(0, y.shape[1], m * lanes):
            turn(a[g], y[g], start, m, lanes, False)


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
def vectors(d, e, theta, out, count, m, lanes):
    """Orthonormal eigenvectors of T for its largest eigenvalues theta, to out (G, count * m * lanes)."""
    work = np.empty(2 * m * lanes, d.dtype)
    for g in range(len(d)):
        for k in range(count):
            eigenvector(d[g], e[g], load(theta[g], k * lanes), out[g], k * m * lanes, work, m, lanes)
        orthonormal(out[g], count, m, lanes)


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
def rotated(a, f, size, out, lanes):
    """Q F Q^T / size of the lower triangles in f, which are overwritten, as whole matrices (N, m, m); size: (N,)."""
    m = out.shape[1]
    work = np.empty(2 * m * lanes, f.dtype)
    for g in range(len(a)):
        rotate(a[g], f[g], work, m, lanes)
        for i in range(g * lanes, min((g + 1) * lanes, len(out))):
            factor = 1 / size[i]
            for row in range(m):
                start = place(row, lanes) + i - g * lanes
                for column in range(row + 1):
                    out[i, row, column] = out[i, column, row] = f[g, start + column * lanes] * factor
