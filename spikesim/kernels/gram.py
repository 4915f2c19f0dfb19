"""Gram matrices of a stack, group by group of LANES that go side by side (lanes.py).

Arrays of a group hold entry, then lane: place * lanes + lane. Products of whole matrices are BLAS's. Sums that only check may
be reordered; there is no other fast-math.
"""

import numpy as np
from numba import njit

from spikesim.kernels.blas import gemm
from spikesim.kernels.eigen import eigenvector, largest, orthonormal
from spikesim.kernels.lanes import load, splat, store
from spikesim.kernels.root import below, bilinear, inverse_root, normalise
from spikesim.kernels.tridiagonal import place, reduce, rotate, turn


@njit(nogil=True, error_model="numpy")
def reduced(x, a, d, e, size, kept, low, floor, sizes, letters, ones, lanes):
    """X X^T / h = Q T Q^T of each matrix, h >= sigma_1^2.

    Args:
        x: (N, m, n), contiguous.
        a: (G, m (m + 1) / 2 * lanes), receives the reflections (tridiagonal.py).
        d: (G, m * lanes), receives T's diagonal, eigenvalues in [0, 1].
        e: The same for its subdiagonal.
        size: (G * lanes,), receives sqrt h.
        kept: (G * lanes,), receives the relative error of T's squared Frobenius norm.
        low: (G, lanes), receives how many eigenvalues of T lie below the floor.
        floor: In (0, 1).
        sizes: blas.shape's of X X^T, as are letters; ones: [1, 0].
        letters: See sizes.
        ones: See sizes.
        lanes: Of a pack.
    """
    m = x.shape[1]
    grams, work, bound = np.empty((lanes, m, m), x.dtype), np.empty(2 * m * lanes, x.dtype), np.empty(lanes, x.dtype)
    trace, norm = np.empty(lanes, x.dtype), np.empty(lanes, x.dtype)
    for g in range(len(a)):
        for lane in range(lanes):
            at = x[min(g * lanes + lane, len(x) - 1)].ctypes.data
            gemm(at, at, grams[lane].ctypes.data, sizes, letters, ones)
            trace[lane], norm[lane] = _trace(grams[lane]), _square(grams[lane])
        _scatter(grams, trace, a[g], m, lanes)
        reduce(a[g], d[g], e[g], work, m, lanes)
        normalise(d[g], e[g], bound, m, lanes)
        store(low[g], 0, below(d[g], e[g], splat(x.dtype.type(floor), load(d[g], 0)), m, lanes))
        for lane in range(lanes):
            h = np.float64(bound[lane]) * trace[lane]
            size[g * lanes + lane] = np.sqrt(h)
            kept[g * lanes + lane] = _tridiagonal_square(d[g], e[g], lane, m, lanes) * h * h / norm[lane] - 1


@njit(nogil=True, error_model="numpy")
def _trace(gram):
    total = gram[0, 0]
    for i in range(1, len(gram)):
        total += gram[i, i]
    return total


@njit(nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
def _square(x):
    """Squared Frobenius norm."""
    total = x[0, 0] - x[0, 0]
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            total += x[i, j] * x[i, j]
    return total


@njit(nogil=True, error_model="numpy")
def _tridiagonal_square(d, e, lane, m, lanes):
    """The same of one lane's T."""
    total = np.float64(d[lane]) * d[lane]
    for c in range(lanes + lane, m * lanes, lanes):
        total += d[c] * d[c] + 2 * e[c] * e[c]
    return total


@njit(nogil=True, error_model="numpy")
def _scatter(grams, trace, a, m, lanes):
    """Gram matrices over their traces, as lower triangles, one a lane; row by row, so that what is written stays at hand."""
    for row in range(m):
        for lane in range(lanes):
            start, factor = place(row, lanes) + lane, 1 / trace[lane]
            for column in range(row + 1):
                a[start + column * lanes] = grams[lane, row, column] * factor


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
def factors(a, f, x, size, out, error, products, checks, ones, lanes):
    """O(X) = Q F Q^T X / size to out, F = T^{-1/2} in f (overwritten), and ‖O O^T - I‖_F / sqrt m to error, (N,).

    products and checks: blas.shape's sizes and letters of F X and of O O^T.
    """
    m = x.shape[1]
    roots, work = np.empty((lanes, m, m), x.dtype), np.empty(2 * m * lanes, x.dtype)
    for g in range(len(a)):
        rotate(a[g], f[g], work, m, lanes)
        _gather(f[g], roots, m, lanes)
        for i in range(g * lanes, min((g + 1) * lanes, len(x))):
            root, at = roots[i - g * lanes], out[i].ctypes.data
            _mirror(root, 1 / size[i])
            gemm(root.ctypes.data, x[i].ctypes.data, at, *products, ones)
            gemm(at, at, root.ctypes.data, *checks, ones)
            for row in range(m):
                root[row, row] -= 1
            error[i] = np.sqrt(_square(root) / m)


@njit(nogil=True, error_model="numpy")
def _gather(f, out, m, lanes):
    """Lower triangles to one matrix a lane, row by row."""
    for row in range(m):
        for lane in range(lanes):
            start = place(row, lanes) + lane
            for column in range(row + 1):
                out[lane, row, column] = f[start + column * lanes]


@njit(nogil=True, error_model="numpy")
def _mirror(x, factor):
    """A lower triangle, times a factor, to the symmetric matrix."""
    factor = x.dtype.type(factor)
    for row in range(len(x)):
        for column in range(row + 1):
            x[row, column] = x[column, row] = x[row, column] * factor
