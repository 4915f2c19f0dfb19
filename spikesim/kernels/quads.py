"""What one thread of a GPU draws at a time: two entries by two steps, the four words of one Philox block, for each law.

The scalar functions are those of the CPU's fills (fills.py). A draw has arguments ``(x, y, group, pair, trial, domain, k0,
k1, p)`` and gives six numbers: entries 2 group and 2 group + 1 at step 2 pair, the same at step 2 pair + 1, and what a
recursive law remembers of both entries; x and y are what it remembered, p is the law's shape parameter (SHAPES).
"""

import math

from numba import cuda, float32, float64, uint32, uint64

from spikesim.kernels import transforms as tr
from spikesim.kernels.fills import SMALL
from spikesim.kernels.philox import DRAW_SHIFT, fine_fraction, philox


@cuda.jit(device=True)
def _words(group, pair, trial, domain, draw, k0, k1):
    a, b, c, d = philox(group, pair, trial, domain | (uint64(draw) << DRAW_SHIFT), k0, k1)
    return uint32(a), uint32(b), uint32(c), uint32(d)


@cuda.jit(device=True)
def _length(word, entry, pair, trial, domain, k0, k1):
    """Of a planar normal vector."""
    if word >= SMALL:
        return tr.radius(word)
    f = fine_fraction(entry, uint64(2) * pair, trial, domain, uint64(0), k0, k1)
    return float32(math.sqrt(-2 * math.log(tr.uniform(word, f))))


@cuda.jit(device=True)
def gaussian(x, y, group, pair, trial, domain, k0, k1, p):
    """Float32 normals."""
    w0, w1, w2, w3 = _words(group, pair, trial, domain, 0, k0, k1)
    r = _length(w0, uint64(2) * group, pair, trial, domain, k0, k1)
    s = _length(w1, uint64(2) * group + uint64(1), pair, trial, domain, k0, k1)
    (a, c), (b, d) = tr.direction(w2), tr.direction(w3)
    return float32(r * a), float32(s * b), float32(r * c), float32(s * d), x, y


@cuda.jit(device=True)
def frozen(x, y, group, pair, trial, domain, k0, k1, p):
    """The normals of step 0 at every step."""
    a, b, _, _, _, _ = gaussian(x, y, group, uint64(0), trial, domain, k0, k1, p)
    return a, b, a, b, x, y


@cuda.jit(device=True)
def rademacher(x, y, group, pair, trial, domain, k0, k1, p):
    """Signs."""
    w0, w1, w2, w3 = _words(group, pair, trial, domain, 0, k0, k1)
    return tr.sign(w0), tr.sign(w1), tr.sign(w2), tr.sign(w3), x, y


@cuda.jit(device=True)
def _fraction(word, place, group, pair, trial, domain, number, k0, k1):
    """What follows a word's bits: one half, or further bits where it is small; place: of the four."""
    if word >= SMALL:
        return 0.5
    entry, step = uint64(2) * group + uint64(place & 1), uint64(2) * pair + uint64(place >> 1)
    return fine_fraction(entry, step, trial, domain, uint64(number), k0, k1)


def _signed(law):
    """The draw of a law of one word."""

    @cuda.jit(device=True)
    def one(word, place, group, pair, trial, domain, k0, k1, p):
        f = _fraction(word, place, group, pair, trial, domain, 0, k0, k1)
        return law(word, tr.uniform31(word, f), p)

    @cuda.jit(device=True)
    def draw(x, y, group, pair, trial, domain, k0, k1, p):
        w0, w1, w2, w3 = _words(group, pair, trial, domain, 0, k0, k1)
        a = one(w0, 0, group, pair, trial, domain, k0, k1, p)
        b = one(w1, 1, group, pair, trial, domain, k0, k1, p)
        c = one(w2, 2, group, pair, trial, domain, k0, k1, p)
        d = one(w3, 3, group, pair, trial, domain, k0, k1, p)
        return a, b, c, d, x, y

    return draw


def _double(combine):
    """The draw of a law of two words: ``combine(word, second word, place, group, pair, trial, domain, k0, k1, p)``."""

    @cuda.jit(device=True)
    def draw(x, y, group, pair, trial, domain, k0, k1, p):
        w0, w1, w2, w3 = _words(group, pair, trial, domain, 0, k0, k1)
        v0, v1, v2, v3 = _words(group, pair, trial, domain, 1, k0, k1)
        a = combine(w0, v0, 0, group, pair, trial, domain, k0, k1, p)
        b = combine(w1, v1, 1, group, pair, trial, domain, k0, k1, p)
        c = combine(w2, v2, 2, group, pair, trial, domain, k0, k1, p)
        d = combine(w3, v3, 3, group, pair, trial, domain, k0, k1, p)
        return a, b, c, d, x, y

    return draw


@cuda.jit(device=True)
def _student_t(word, second, place, group, pair, trial, domain, k0, k1, p):
    f = _fraction(word, place, group, pair, trial, domain, 0, k0, k1)
    return tr.student_t(tr.uniform(word, f), tr.uniform(second, 0.5), p)


@cuda.jit(device=True)
def _stable(word, second, place, group, pair, trial, domain, k0, k1, p):
    f = _fraction(word, place, group, pair, trial, domain, 0, k0, k1)
    if second >= SMALL:
        e = tr.exponential(second)
    else:
        e = -math.log1p(-tr.uniform(second, _fraction(second, place, group, pair, trial, domain, 1, k0, k1)))
    return tr.stable(word, tr.uniform31(word, f), e, p)


@cuda.jit(device=True)
def _wide(drawn):
    a, b, c, d, _, _ = drawn
    return float64(a), float64(b), float64(c), float64(d)


@cuda.jit(device=True)
def arch(x, y, group, pair, trial, domain, k0, k1, p):
    """x_t = sqrt(1 - alpha + alpha x_{t-1}^2) z_t."""
    a, b, c, d = _wide(gaussian(x, y, group, pair, trial, domain, k0, k1, p))
    x0, y0 = math.sqrt(1 - p + p * (x * x)) * a, math.sqrt(1 - p + p * (y * y)) * b
    x1, y1 = math.sqrt(1 - p + p * (x0 * x0)) * c, math.sqrt(1 - p + p * (y0 * y0)) * d
    return x0, y0, x1, y1, x1, y1


@cuda.jit(device=True)
def ar1(x, y, group, pair, trial, domain, k0, k1, p):
    """x_t = phi x_{t-1} + sqrt(1 - phi^2) z_t."""
    a, b, c, d = _wide(gaussian(x, y, group, pair, trial, domain, k0, k1, p))
    new = math.sqrt(1 - p * p)
    x0, y0 = p * x + new * a, p * y + new * b
    x1, y1 = p * x0 + new * c, p * y0 + new * d
    return x0, y0, x1, y1, x1, y1


@cuda.jit(device=True)
def mixture(x, y, group, pair, trial, domain, k0, k1, p):
    """Normals of the first words, components of the second ones."""
    a, b, c, d = _wide(gaussian(x, y, group, pair, trial, domain, k0, k1, p))
    v0, v1, v2, v3 = _words(group, pair, trial, domain, 1, k0, k1)
    rare, factor, separation = p
    a, b = tr.mixture(a, v0, rare, factor, separation), tr.mixture(b, v1, rare, factor, separation)
    c, d = tr.mixture(c, v2, rare, factor, separation), tr.mixture(d, v3, rare, factor, separation)
    return a, b, c, d, x, y


@cuda.jit(device=True)
def _first(p):
    return p[0]


@cuda.jit(device=True)
def _first_three(p):
    return p[0], p[1], p[2]


QUADS = {
    "gaussian": gaussian,
    "frozen": frozen,
    "rademacher": rademacher,
    "laplace": _signed(tr.laplace),
    "pareto": _signed(tr.symmetric_pareto),
    "student_t": _double(_student_t),
    "stable": _double(_stable),
    "arch": arch,
    "ar1": ar1,
    "mixture": mixture,
}
"""Name -> draw, for every fill of fills.py."""

SHAPES = dict.fromkeys(QUADS, _first) | {"mixture": _first_three}
"""Name -> what reads the law's shape parameters, once a thread."""
