"""Gram matrices of a stack, group by group of LANES that go side by side (lanes.py).

Arrays of a group hold entry, then lane: place * lanes + lane. Products of whole matrices are BLAS's. Sums that only check may
be reordered; there is no other fast-math.
"""

import numpy as np
from numba import njit

from spikesim.kernels.blas import gemm
from spikesim.kernels.compiled import inner
from spikesim.kernels.eigen import eigenvector, largest, orthonormal
from spikesim.kernels.lanes import load, splat, store
from spikesim.kernels.root import below, bilinear, inverse_root, normalise
from spikesim.kernels.tridiagonal import place, reduce, rotate, turn


@njit(nogil=True, error_model="numpy")
def reduced(x, a, d, e, trace, bound, low, work, grams, floor, sizes, letters, ones, lanes):
    """X X^T / trace = Q T Q^T of each matrix, and T over a bound of its norm.

    Args:
        x: (N * m * n,), the matrices one after the other.
        a: (G, m (m + 1) / 2 * lanes), receives the reflections (tridiagonal.py).
        d: (G, m * lanes), receives T's diagonal over the bound.
        e: The same for its subdiagonal.
        trace: (G, lanes), receives the traces; a lane without a matrix has the last one's.
        bound: (G, lanes), receives the bounds.
        low: (G, lanes), receives how many eigenvalues of T over the bound lie below the floor.
        work: (2 * m * lanes,).
        grams: (lanes * m * m,), work too.
        floor: In (0, 1).
        sizes: blas.shape's of X X^T, as are letters; ones: [1, 0].
        letters: See sizes.
        ones: See sizes.
        lanes: Of a pack.
    """
    m, n = sizes[1], sizes[2]
    start, square = x.ctypes.data, grams.ctypes.data
    count = x.size // (m * n)
    for g in range(len(a)):
        for lane in range(lanes):
            at = start + min(g * lanes + lane, count - 1) * m * n * x.itemsize
            gemm(at, at, square + lane * m * m * x.itemsize, sizes, letters, ones)
            total = grams[lane * m * m]
            for i in range(1, m):
                total += grams[lane * m * m + i * (m + 1)]
            trace[g, lane] = total
        _scatter(grams, trace[g], a[g], m, lanes)
        reduce(a[g], d[g], e[g], work, m, lanes)
        normalise(d[g], e[g], bound[g], m, lanes)
        store(low[g], 0, below(d[g], e[g], splat(x.dtype.type(floor), load(d[g], 0)), m, lanes))


@inner(inline="always")
def _scatter(grams, trace, a, m, lanes):
    """Gram matrices over their traces, as lower triangles, one a lane; row by row, so that what is written stays at hand."""
    for row in range(m):
        for lane in range(lanes):
            to, at, factor = place(row, lanes) + lane, (lane * m + row) * m, 1 / trace[lane]
            for column in range(row + 1):
                a[to + column * lanes] = grams[at + column] * factor


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
def pairs(d, e, theta, vectors, halvings, m, lanes):
    """T's largest eigenvalues, falling, to theta (G, c * lanes), and orthonormal eigenvectors of the first, as many as fit.

    vectors: (G, k * m * lanes), k <= c; k = 0 for none.
    """
    work = np.empty(max(3 * theta.shape[1], 2 * m * lanes), d.dtype)
    count = vectors.shape[1] // (m * lanes)
    for g in range(len(d)):
        largest(d[g], e[g], theta.shape[1] // lanes, theta[g], work, halvings, m, lanes)
        for k in range(count):
            eigenvector(d[g], e[g], load(theta[g], k * lanes), vectors[g], k * m * lanes, work, m, lanes)
        if count > 0:
            orthonormal(vectors[g], count, m, lanes)


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
def factors(a, f, x, size, out, error, work, roots, product, check, ones, lanes):
    """O(X) = Q F Q^T X / size, F = T^{-1/2} in f (overwritten), and ‖O O^T - I‖_F / sqrt m to error, (N,).

    x and out: (N * m * n,); work and roots: as work and grams of `reduced`; product and check: blas.shape's sizes and letters
    of F X and of O O^T.
    """
    m, n = product[0][1], product[0][0]
    source, target, root = x.ctypes.data, out.ctypes.data, roots.ctypes.data
    for g in range(len(a)):
        rotate(a[g], f[g], work, m, lanes)
        _gather(f[g], roots, m, lanes)
        for i in range(g * lanes, min((g + 1) * lanes, error.size)):
            lane = i - g * lanes
            square, at = root + lane * m * m * x.itemsize, i * m * n * x.itemsize
            _mirror(roots, lane * m * m, 1 / size[i], m)
            gemm(square, source + at, target + at, *product, ones)
            gemm(target + at, target + at, square, *check, ones)
            error[i] = _distance(roots, lane * m * m, m)


@inner(fastmath={"reassoc", "contract"})
def _distance(x, start, m):
    """‖X - I‖_F / sqrt m of the matrix at x[start:]."""
    for i in range(m):
        x[start + i * (m + 1)] -= 1
    total = x[start] * x[start]
    for i in range(start + 1, start + m * m):
        total += x[i] * x[i]
    return np.sqrt(total / m)


@inner(inline="always")
def _gather(f, out, m, lanes):
    """Lower triangles to one matrix a lane, row by row."""
    for row in range(m):
        for lane in range(lanes):
            at, to = place(row, lanes) + lane, (lane * m + row) * m
            for column in range(row + 1):
                out[to + column] = f[at + column * lanes]


@inner(inline="always")
def _mirror(x, start, factor, m):
    """The lower triangle at x[start:], times a factor, to the symmetric matrix."""
    factor = x.dtype.type(factor)
    for row in range(m):
        for column in range(row + 1):
            value = x[start + row * m + column] * factor
            x[start + row * m + column] = value
            x[start + column * m + row] = value
