"""Inverse square roots of tridiagonal matrices, LANES of them side by side (lanes.py).

    T^{-1/2} = (2/pi) sum_q w_q (T + x_q^2)^{-1}      nodes and weights of zolotarev.py, within their error on its interval

A tridiagonal matrix has an inverse of rank one on and below its diagonal, so a node costs a few operations an entry. T comes
scaled to eigenvalues in [0, 1]; diagonal d, subdiagonal e (e_0 = 0), as in tridiagonal.py.

Source: theory.md L3; Meurant, SIAM J. Matrix Anal. Appl. 13 (1992).
"""

import math

from spikesim.kernels.compiled import inner
from spikesim.kernels.lanes import copysign, fma, load, maximum, splat, store
from spikesim.kernels.tridiagonal import place, tiny_number


@inner(inline="always")
def normalise(d, e, size, m, lanes):
    """Divide T by an upper bound of its norm (Gershgorin), which `size` (lanes,) receives."""
    zero = splat(d.dtype.type(0), load(d, 0))
    store(e, 0, zero)
    one, bound, before = splat(d.dtype.type(1), zero), splat(d.dtype.type(tiny_number(d)), zero), zero
    c = 0
    while c < m * lanes:
        x = load(d, c)
        after = load(e, c + lanes) if c + lanes < m * lanes else zero
        bound = maximum(copysign(x, one) + copysign(before, one) + copysign(after, one), bound)
        before = after
        c += lanes
    store(size, 0, bound)
    c = 0
    while c < m * lanes:
        store(d, c, load(d, c) / bound)
        store(e, c, load(e, c) / bound)
        c += lanes


@inner(inline="always")
def below(d, e, x, m, lanes):
    """How many eigenvalues of T lie below x (a pack), by Sturm's sequence."""
    tiny = splat(d.dtype.type(tiny_number(d)), x)
    half = splat(d.dtype.type(0.5), x)
    count = x - x
    pivot = half + half
    c = 0
    while c < m * lanes:
        off = load(e, c)
        pivot = load(d, c) - x - (off * off + tiny) / pivot
        count = count + half - copysign(half, pivot)
        c += lanes
    return count


@inner(inline="always")
def bilinear(d, e, y, z, count, nodes, weights, out, work, m, lanes):
    """out_k = y_k^T T^{-1/2} z_k.

    Args:
        d: T's diagonal.
        e: T's subdiagonal.
        y: (count * m * lanes,) vectors one after the other.
        z: The same.
        count: How many.
        nodes: (N,) x_q.
        weights: (N,) w_q.
        out: (count * lanes,).
        work: (2 * m * lanes,).
        m: Size.
        lanes: Of a pack.
    """
    number = d.dtype.type
    zero, end = splat(number(0), load(d, 0)), m * lanes
    one = splat(number(1), zero)
    for k in range(count):
        store(out, k * lanes, zero)
    for q in range(nodes.size):
        square, weight = splat(number(nodes[q] ** 2), zero), splat(number(2 / math.pi * weights[q]), zero)
        inverse = zero
        c = 0
        while c < end:  # T + x^2 = L D L^T
            off = load(e, c)
            factor = off * inverse
            inverse = one / (load(d, c) + square - off * factor)
            store(work, c, factor)
            store(work, end + c, inverse)
            c += lanes
        for k in range(count):
            left, right, total = zero, zero, zero
            c = 0
            while c < end:
                factor = zero - load(work, c)
                left = fma(factor, left, load(y, k * end + c))
                right = fma(factor, right, load(z, k * end + c))
                total = fma(left * right, load(work, end + c), total)
                c += lanes
            store(out, k * lanes, fma(weight, total, load(out, k * lanes)))


@inner(inline="always")
def inverse_root(d, e, f, nodes, weights, work, m, lanes):
    """T^{-1/2} as lower triangles, to f; arguments as in `bilinear`, work: (N * (2 m + 1) * lanes,)."""
    number, count = d.dtype.type, nodes.size
    row = count * lanes
    ratios, now = m * row, 2 * m * row
    zero = splat(number(0), load(d, 0))
    for q in range(count):
        square, weight = splat(number(nodes[q] ** 2), zero), splat(number(2 / math.pi * weights[q]), zero)
        _inverse(d, e, square, weight, work, q * lanes, ratios, row, m, lanes)
    for j in range(m):
        c = 0
        while c < row:
            store(work, now + c, load(work, j * row + c))
            c += lanes
        for i in range(j, m):
            total, step = zero, ratios + i * row
            c = 0
            while c < row:
                x = load(work, now + c)
                total = total + x
                store(work, now + c, x * load(work, step + c))
                c += lanes
            store(f, place(i, lanes) + j * lanes, total)


@inner(inline="always")
def _inverse(d, e, square, weight, work, at, ratios, row, m, lanes):
    """G = weight (T + square)^{-1}: G_jj to work[at + j row], and G_{i+1,j} / G_ij, whatever j <= i, to [ratios + ...].

    All from one factorisation, T + square = U D U^T, and with no difference but in its pivots: G is the inverse of a matrix
    near T, whose root keeps T's eigenvectors to rounding however small its eigenvalues.
    """
    zero = weight - weight
    pivot, off = weight / weight, zero
    for i in range(m - 1, -1, -1):
        ratio = zero - off / pivot
        store(work, ratios + i * row + at, ratio)
        pivot = load(d, i * lanes) + square + off * ratio
        store(work, i * row + at, weight / pivot)
        off = load(e, i * lanes)
    diagonal = load(work, at)
    for i in range(1, m):
        ratio = load(work, ratios + (i - 1) * row + at)
        diagonal = fma(ratio * ratio, diagonal, load(work, i * row + at))
        store(work, i * row + at, diagonal)
