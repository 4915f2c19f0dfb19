"""The largest eigenvalues of tridiagonal matrices and their eigenvectors, LANES of them side by side (lanes.py).

Values by bisection on Sturm's count. Vectors from a twisted factorisation of T - theta: elimination from both ends meets in
the row where the least remains, and both halves follow from there by products alone. T is scaled to eigenvalues in [0, 1].

Source: Golub and Van Loan, Matrix Computations (2013), 8.4; Parlett and Dhillon, Linear Algebra Appl. 267 (1997).
"""

from spikesim.kernels.compiled import inner
from spikesim.kernels.lanes import choose, copysign, fma, load, splat, sqrt, store
from spikesim.kernels.tridiagonal import tiny_number

HALVINGS = {"float32": 26, "float64": 55}
"""Of the interval [0, 1], down to rounding."""


@inner(inline="always")
def largest(d, e, count, out, work, halvings, m, lanes):
    """The largest eigenvalues of T, falling, to out (count * lanes,), by bisection; work: (3 * count * lanes,)."""
    number = d.dtype.type
    zero = splat(number(0), load(d, 0))
    half, tiny, top = splat(number(0.5), zero), splat(number(tiny_number(d)), zero), count * lanes
    c = 0
    while c < top:
        store(work, c, zero)
        store(work, top + c, half + half)
        c += lanes
    for _ in range(halvings):
        c = 0
        while c < top:
            store(work, 2 * top + c, half + half)
            store(out, c, zero)
            c += lanes
        for i in range(0, m * lanes, lanes):
            x, off = load(d, i), load(e, i)
            square = off * off + tiny
            c = 0
            while c < top:
                middle = (load(work, c) + load(work, top + c)) * half
                pivot = x - middle - square / load(work, 2 * top + c)
                store(work, 2 * top + c, pivot)
                store(out, c, load(out, c) + half - copysign(half, pivot))
                c += lanes
        for k in range(count):
            c = k * lanes
            middle, limit = (load(work, c) + load(work, top + c)) * half, splat(number(m - k - 0.5), zero)
            store(work, c, choose(load(out, c), limit, middle, load(work, c)))
            store(work, top + c, choose(load(out, c), limit, load(work, top + c), middle))
    c = 0
    while c < top:
        store(out, c, (load(work, c) + load(work, top + c)) * half)
        c += lanes


@inner(inline="always")
def eigenvector(d, e, theta, out, start, work, m, lanes):
    """A unit eigenvector for the eigenvalue theta (a pack) to out[start:]; work: (2 * m * lanes,). NaN where it overflows."""
    zero, end = theta - theta, m * lanes
    one, tiny = splat(d.dtype.type(1), zero), splat(d.dtype.type(tiny_number(d)), zero)
    pivot, off = one, zero
    for c in range(end - lanes, -1, -lanes):  # from below: ratios of neighbours z_{i+1} / z_i
        pivot = load(d, c) - theta - off * off / pivot
        pivot = choose(copysign(pivot, one), tiny, tiny, pivot)
        store(work, c, pivot)
        off = load(e, c)
    pivot, least, twist, index = one, one / tiny, zero, zero
    c = 0
    while c < end:  # from above: z_{i-1} / z_i, and what both leave of row i
        off = load(e, c)
        taken = off * off / pivot
        left = copysign(load(work, c) - taken, one)
        twist = choose(left, least, index, twist)
        least = choose(left, least, left, least)
        pivot = load(d, c) - theta - taken
        pivot = choose(copysign(pivot, one), tiny, tiny, pivot)
        store(work, end + c, pivot)
        index = index + one
        c += lanes
    half = splat(d.dtype.type(0.5), zero)
    x, norm, index = zero, zero, zero
    c = 0
    while c < end:  # downwards from the twist
        far = index - twist
        x = choose(far, half, one, (zero - load(e, c)) * x / load(work, c))
        x = choose(far, zero - half, zero, x)
        store(out, start + c, x)
        norm = fma(x, x, norm)
        index = index + one
        c += lanes
    x, off = zero, zero
    for c in range(end - lanes, -1, -lanes):  # upwards
        index = index - one
        far = twist - index
        x = choose(far, half, one, (zero - off) * x / load(work, end + c))
        x = choose(far, half, zero, x)
        norm = fma(x, x, norm)
        store(out, start + c, load(out, start + c) + x)
        x = choose(far, half, one, x)
        off = load(e, c)
    scale = choose(norm, one / tiny, one / sqrt(norm), zero / zero)
    c = start
    while c < start + end:
        store(out, c, load(out, c) * scale)
        c += lanes


@inner(inline="always")
def orthonormal(out, count, m, lanes):
    """Make the vectors of m packs in out orthonormal, each to those before, by two passes of Gram-Schmidt.

    Infinity or NaN where a vector hardly differs from those before: rounding is what remains, and is no direction.
    """
    zero, end = load(out, 0) - load(out, 0), m * lanes
    half = splat(out.dtype.type(0.5), zero)
    for k in range(1, count):
        for again in range(2):
            for j in range(k):
                total = zero
                c = 0
                while c < end:
                    total = fma(load(out, j * end + c), load(out, k * end + c), total)
                    c += lanes
                total = zero - total
                c = 0
                while c < end:
                    store(out, k * end + c, fma(total, load(out, j * end + c), load(out, k * end + c)))
                    c += lanes
            norm = zero
            c = 0
            while c < end:
                norm = fma(load(out, k * end + c), load(out, k * end + c), norm)
                c += lanes
            norm = choose(norm, half if again else zero, zero, sqrt(norm))
            c = k * end
            while c < (k + 1) * end:
                store(out, c, load(out, c) / norm)
                c += lanes
