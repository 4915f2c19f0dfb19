"""Symmetric matrices to tridiagonal form and back, LANES of them side by side (lanes.py).

Householder's reduction A = Q T Q^T, Q = H_{m-1} ... H_1, H_i = I - v_i v_i^T with v_i of length i, from the last row up: all
rows are read along their length. A symmetric matrix is its lower triangle, row after row: entry (i, j <= i) at place
i (i + 1) / 2 + j. Each sweep over the triangle does the last reflection's update and the next one's product at once.

Source: Golub and Van Loan, Matrix Computations (2013), 8.3.1.
"""

from spikesim.kernels.compiled import inner
from spikesim.kernels.lanes import choose, copysign, fma, load, splat, sqrt, store

ROWS = 4
"""Rows that `rotate` turns from the right together."""


@inner
def place(i, lanes):
    """Where row i begins."""
    return i * (i + 1) // 2 * lanes


@inner
def tiny_number(array):
    """What counts as zero beside 1, squared, in an array's type: float32 or float64."""
    return 1e-36 if array.itemsize == 4 else 1e-280


@inner
def _sweep(a, rows, pending, p, pw, old, v, new, lanes):
    """A <- A - v' w'^T - w' v'^T on the first `pending` rows, and p = A v over the first `rows`.

    v' lies at v[old:], the next v at v[new:], w' at p[pw:]; p at p[0:]. Two rows at a time, to load what they share once.
    """
    zero = splat(a.dtype.type(0), load(a, 0))
    for b in range(rows):
        store(p, b * lanes, zero)
    for r in range(0, rows - 1, 2):
        first, second = place(r, lanes), place(r + 1, lanes)
        x, y, sx, sy = load(v, new + r * lanes), load(v, new + (r + 1) * lanes), zero, zero
        if r + 1 < pending:
            vx, vy = zero - load(v, old + r * lanes), zero - load(v, old + (r + 1) * lanes)
            wx, wy = zero - load(p, pw + r * lanes), zero - load(p, pw + (r + 1) * lanes)
            c = 0
            while c < r * lanes:
                w, u = load(p, pw + c), load(v, old + c)
                s, t = fma(vx, w, fma(wx, u, load(a, first + c))), fma(vy, w, fma(wy, u, load(a, second + c)))
                store(a, first + c, s)
                store(a, second + c, t)
                z = load(v, new + c)
                sx, sy = fma(s, z, sx), fma(t, z, sy)
                store(p, c, fma(s, x, fma(t, y, load(p, c))))
                c += lanes
            c = r * lanes
            w, u, ww, uu = load(p, pw + c), load(v, old + c), load(p, pw + c + lanes), load(v, old + c + lanes)
            store(a, first + c, fma(vx, w, fma(wx, u, load(a, first + c))))
            store(a, second + c, fma(vy, w, fma(wy, u, load(a, second + c))))
            store(a, second + c + lanes, fma(vy, ww, fma(wy, uu, load(a, second + c + lanes))))
        else:
            if r < pending:
                _update(a, r, p, pw, v, old, lanes)
            c = 0
            while c < r * lanes:
                s, t, z = load(a, first + c), load(a, second + c), load(v, new + c)
                sx, sy = fma(s, z, sx), fma(t, z, sy)
                store(p, c, fma(s, x, fma(t, y, load(p, c))))
                c += lanes
        c = r * lanes
        s, corner, t = load(a, first + c), load(a, second + c), load(a, second + c + lanes)
        store(p, c, fma(s, x, fma(corner, y, sx)) + load(p, c))
        store(p, c + lanes, fma(corner, x, fma(t, y, sy)) + load(p, c + lanes))
    if rows % 2:
        if rows <= pending:
            _update(a, rows - 1, p, pw, v, old, lanes)
        _last_row(a, rows - 1, p, v, new, lanes)


@inner
def _update(a, r, p, pw, v, old, lanes):
    """A <- A - v' w'^T - w' v'^T on row r."""
    row, zero = place(r, lanes), splat(a.dtype.type(0), load(a, 0))
    x, y = zero - load(v, old + r * lanes), zero - load(p, pw + r * lanes)
    c = 0
    while c < (r + 1) * lanes:
        store(a, row + c, fma(x, load(p, pw + c), fma(y, load(v, old + c), load(a, row + c))))
        c += lanes


@inner(inline="always")
def _last_row(a, r, p, v, new, lanes):
    """Row r's share of p = A v."""
    row, end = place(r, lanes), r * lanes
    x, total = load(v, new + end), load(p, end)
    c = 0
    while c < end:
        s = load(a, row + c)
        total = fma(s, load(v, new + c), total)
        store(p, c, fma(s, x, load(p, c)))
        c += lanes
    store(p, end, fma(load(a, row + end), x, total))


@inner
def _partner(p, pw, v, new, rows, lanes):
    """w = p - (p^T v) v / 2 to p[pw:]: the two-sided reflection takes v w^T + w v^T off."""
    total = splat(p.dtype.type(0), load(p, 0))
    c = 0
    while c < rows * lanes:
        total = fma(load(p, c), load(v, new + c), total)
        c += lanes
    half = total * splat(p.dtype.type(-0.5), total)
    c = 0
    while c < rows * lanes:
        store(p, pw + c, fma(half, load(v, new + c), load(p, c)))
        c += lanes


@inner(inline="always")
def _reflector(a, row, i, e, lanes):
    """Turn row i into v_i, in place; e_i is what remains next to the diagonal."""
    zero = splat(a.dtype.type(0), load(a, 0))
    square = zero
    c = row
    while c < row + i * lanes:
        square = fma(load(a, c), load(a, c), square)
        c += lanes
    last = row + (i - 1) * lanes
    x = load(a, last)
    left = zero - copysign(sqrt(square), x)
    store(e, i * lanes, left)
    store(a, last, x - left)
    one, half_square = splat(a.dtype.type(1), zero), square - left * x
    scale = choose(half_square, splat(a.dtype.type(tiny_number(a)), zero), zero, sqrt(one / half_square))
    c = row
    while c < row + i * lanes:
        store(a, c, load(a, c) * scale)
        c += lanes


@inner(inline="always")
def reduce(a, d, e, work, m, lanes):
    """A = Q T Q^T.

    Args:
        a: Lower triangles; afterwards row i holds v_i, i >= 1.
        d: (m * lanes,), receives T's diagonal.
        e: (m * lanes,), receives at place i >= 1 T's entry (i, i - 1).
        work: (2 * m * lanes,).
        m: Size.
        lanes: Of a pack.
    """
    pw = m * lanes
    for i in range(m - 1, 0, -1):
        row = place(i, lanes)
        if i < m - 1:
            _update(a, i, work, pw, a, place(i + 1, lanes), lanes)
        store(d, i * lanes, load(a, row + i * lanes))
        _reflector(a, row, i, e, lanes)
        _sweep(a, i, i if i < m - 1 else 0, work, pw, place(i + 1, lanes), a, row, lanes)
        _partner(work, pw, a, row, i, lanes)
    if m > 1:
        _update(a, 0, work, pw, a, place(1, lanes), lanes)
    store(d, 0, load(a, 0))


@inner(inline="always")
def rotate(a, f, work, m, lanes):
    """F <- Q F Q^T for symmetric F (lower triangles) and the v_i in a; work as in `reduce`.

    H_i turns rows and columns before i; rows from i on are turned from the right alone, each before it joins the former.
    """
    pw = m * lanes
    for i in range(1, m):
        row, first = place(i, lanes), i - (i - 1) % ROWS
        together = first + ROWS <= m
        if together and i == first:
            _columns(f, i, a, i, lanes)
        _sweep(f, i, i - 1, work, pw, place(i - 1, lanes), a, row, lanes)
        _partner(work, pw, a, row, i, lanes)
        for k in range(first + 1 if together else 1, i + 1):
            _reflect(f, row, a, place(k, lanes), k, lanes)
    for r in range(m - 1):
        _update(f, r, work, pw, a, place(m - 1, lanes), lanes)


@inner(inline="always")
def _columns(f, r, a, last, lanes):
    """Rows r to r + 3 of F times H_1 ... H_last: each pass takes v_k off and multiplies by v_{k+1}."""
    zero = splat(f.dtype.type(0), load(f, 0))
    one, two, three, four = place(r, lanes), place(r + 1, lanes), place(r + 2, lanes), place(r + 3, lanes)
    v = load(a, place(1, lanes))
    p, q, s, t = load(f, one) * v, load(f, two) * v, load(f, three) * v, load(f, four) * v
    for k in range(1, last + 1):
        now, after, end = place(k, lanes), place(k + 1, lanes), k * lanes
        p, q, s, t = zero - p, zero - q, zero - s, zero - t
        pp, qq, ss, tt = zero, zero, zero, zero
        c = 0
        while c < end:
            v, u = load(a, now + c), load(a, after + c)
            x, y = fma(p, v, load(f, one + c)), fma(q, v, load(f, two + c))
            z, w = fma(s, v, load(f, three + c)), fma(t, v, load(f, four + c))
            store(f, one + c, x)
            store(f, two + c, y)
            store(f, three + c, z)
            store(f, four + c, w)
            pp, qq, ss, tt = fma(x, u, pp), fma(y, u, qq), fma(z, u, ss), fma(w, u, tt)
            c += lanes
        u = load(a, after + end)
        p, q = fma(load(f, one + end), u, pp), fma(load(f, two + end), u, qq)
        s, t = fma(load(f, three + end), u, ss), fma(load(f, four + end), u, tt)


@inner
def _reflect(y, start, a, row, k, lanes):
    """y <- H_k y of the vector at y[start:]."""
    total = splat(y.dtype.type(0), load(y, start))
    c = 0
    while c < k * lanes:
        total = fma(load(y, start + c), load(a, row + c), total)
        c += lanes
    total = splat(y.dtype.type(0), total) - total
    c = 0
    while c < k * lanes:
        store(y, start + c, fma(total, load(a, row + c), load(y, start + c)))
        c += lanes


@inner
def turn(a, y, start, m, lanes, back):
    """y <- Q^T y of the vector of m packs at y[start:]; Q y where `back`."""
    for i in range(1, m):
        k = i if back else m - i
        _reflect(y, start, a, place(k, lanes), k, lanes)
