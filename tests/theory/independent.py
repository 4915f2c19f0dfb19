"""Evaluations of theory.md that share nothing with spikesim.theory: mpmath at 30 digits, explicit weights, brute sums."""

import math
from itertools import pairwise

import mpmath as mp
import numpy as np
from scipy.integrate import quad
from scipy.optimize import brentq

mp.mp.dps = 30


def ema_weights(window, count, nesterov=False):
    """w_0.. of the recurrence run on a unit impulse, M = beta M + (1 - beta) G, in mpmath."""
    beta = 1 - 1 / mp.mpf(window)
    buffer, out = mp.mpf(0), []
    for k in range(count):
        buffer = beta * buffer + (1 - beta) * (k == 0)
        out.append((1 - beta) * (k == 0) + beta * buffer if nesterov else buffer)
    return out


def scales(window, steps=None):
    """(gain, noise factor) of F2, by hand."""
    t = mp.mpf(window)
    left = 0 if steps is None else (1 - 1 / t) ** steps
    return 1 - left, (1 - left**2) / (2 * t - 1)


def s4(theta, m, n, s):
    """a(theta): the integral of S4."""
    theta, s = mp.mpf(theta), mp.mpf(s)

    def w(x):
        b = x * x + s * s * (m + n)
        return (b + mp.sqrt(max(b * b - 4 * s**4 * m * n, mp.mpf(0)))) / 2

    low, high = s * abs(mp.sqrt(m) - mp.sqrt(n)), s * (mp.sqrt(m) + mp.sqrt(n))
    knots = sorted({mp.mpf(0), low / 10, low, high / 10, high, theta, theta + high, 10 * (theta + high), mp.inf})
    return 2 / mp.pi * mp.quad(lambda x: theta / (w(x) + theta**2), knots)


def noise_nuclear(m, n):
    """lim E‖N‖_*, i.i.d. entries of variance 1: min(m, n) times the Marchenko-Pastur mean of a singular value."""
    m, n = sorted((m, n))
    low, high = (mp.sqrt(n) - mp.sqrt(m)) ** 2, (mp.sqrt(n) + mp.sqrt(m)) ** 2
    half = (high - low) / 2

    def density_times_root(phi):  # x an eigenvalue of N N^T, between low at phi = 0 and high at pi
        x = low + 2 * half * mp.sin(phi / 2) ** 2
        return half**2 * mp.sin(phi) ** 2 / (2 * mp.pi * mp.sqrt(x))

    return mp.quad(density_times_root, [0, mp.pi / 2, mp.pi])


def rotated(window, omega, nesterov=False):
    """h of F7 as a brute complex sum of the weights times e^(-i omega k)."""
    count = math.ceil(60 * window) + 2
    weights = ema_weights(window, count, nesterov)
    return mp.fsum(w * mp.expj(-mp.mpf(omega) * k) for k, w in enumerate(weights))


class PostPolar:
    """S9 and S10 at explicit weights, in mpmath: m <= n, one spike, sum w = 1."""

    def __init__(self, window, m, n, spike, sigma):
        self.w = ema_weights(window, math.ceil(60 * window))
        self.c = mp.mpf(m) / n
        self.a = s4(spike, m, n, sigma)
        self.kappa = (mp.mpf(sigma) ** 2 * m + mp.mpf(spike) ** 2) / (mp.mpf(sigma) ** 2 * n + mp.mpf(spike) ** 2)

    def terms(self, p):
        c, a, rest = self.c, self.a, self.kappa - self.a**2
        total = left = right = h = mp.mpf(0)
        for w in self.w:
            t = (1 - mp.sqrt(1 - 4 * c * w * w * p)) / (2 * c)  # the root of c t^2 - t + w^2 p = 0 that vanishes with p
            total += t
            left += t * (1 - a * a - t * rest) / (1 - t * rest)
            right += (1 - c * t) * t * rest / (1 - t * rest)
            h += w * a / (1 - t * rest)
        return total, left, right, h

    def x(self, p):
        total = self.terms(p)[0]
        return (1 - total) * (1 - self.c * total) / p

    def determinant(self, p):
        total, left, right, h = self.terms(p)
        return (1 - total + left) * (1 - self.c * total + right) / p + h * h

    def buffer(self):
        """(edge, value, left, right): the edge where X turns, the spike where the determinant vanishes."""
        grid = [-(mp.mpf(10) ** (k / mp.mpf(4))) for k in range(-8, 24)]
        start = max(grid, key=self.x)
        far = mp.findroot(lambda p: mp.diff(self.x, p, h=start * mp.mpf(10) ** -8), (start, start * 1.05), tol=1e-28)
        edge = mp.sqrt(-self.x(far))
        if self.determinant(far) <= 0:
            return edge, edge, mp.mpf(0), mp.mpf(0)
        p = mp.findroot(self.determinant, (far, far * mp.mpf(10) ** -6), solver="anderson", tol=1e-40)
        slope = mp.diff(self.determinant, p) / mp.diff(self.x, p)
        total, left, right, _ = self.terms(p)
        return edge, mp.sqrt(-self.x(p)), (1 + right / (1 - self.c * total)) / slope, (1 + left / (1 - total)) / slope


def repolarised(window, m, n, spike, sigma):
    """S10: (2/pi) int_0^inf h/D dx over x itself, p found from X(p) = x^2 at each x; explicit weights, in doubles."""
    c, a = m / n, float(s4(spike, m, n, sigma))
    rest = (sigma**2 * m + spike**2) / (sigma**2 * n + spike**2) - a * a
    w = (1 - 1 / window) ** np.arange(math.ceil(42 * window)) / window

    def terms(p):
        t = 2 * w**2 * p / (1 + np.sqrt(1 - 4 * c * w**2 * p))
        d = 1 - t * rest
        return t.sum(), (t * (1 - a * a - t * rest) / d).sum(), ((1 - c * t) * t * rest / d).sum(), (w * a / d).sum()

    def x_squared(p):
        total = terms(p)[0]
        return (1 - total) * (1 - c * total) / p

    last = brentq(lambda p: terms(p)[0] - 1, 0, 1 / (4 * c * w[0] ** 2), xtol=1e-300, rtol=1e-15)

    def integrand(u):  # x = e^u
        p = brentq(lambda p: p * math.exp(2 * u) - p * x_squared(p), 1e-2 / (1 + math.exp(2 * u)), last, xtol=1e-300)
        total, left, right, h = terms(p)
        return h / ((1 - total + left) * (1 - c * total + right) / p + h * h) * math.exp(u)

    knots = [-17, -9, -6, -4, -2, 0, 3, 16, 34]
    parts = [quad(integrand, *ends, epsabs=1e-14, epsrel=1e-11, limit=200)[0] for ends in pairwise(knots)]
    return 2 / math.pi * math.fsum([integrand(knots[0]), *parts])  # even in x or nearly constant below the first knot
