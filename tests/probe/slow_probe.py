"""Slow reference of the probe: theory.md P1 to P9, a dense matrix and a step at a time, written without reading the probe.

Of spikesim it uses what is read in which order (probe/plan.py), how often P3 goes round, and the closed form of F7.
Gradients have shape (K, m, n).
"""

import numpy as np

from spikesim.probe import noise
from spikesim.theory.filters import rotation

PIPELINES = ("pre-polar", "post-polar", "polar-only", "re-polarised")
BLOCKS = 10


def polar(x):
    """O(X) = U V^T over the singular values above max(m, n) eps sigma_1."""
    left, values, right = np.linalg.svd(x, full_matrices=False)
    kept = values > max(x.shape) * np.finfo(np.float64).eps * values[0]
    return left[:, kept] @ right[kept]


def nuclear(x):
    return np.linalg.svd(x, compute_uv=False).sum()


def buffers_and_updates(gradients, steps, reads, window):
    """At each reading the four pairs (what enters the last polar step, A), from EMAs that start at zero."""
    beta = 1 - 1 / window
    momentum, polars = np.zeros_like(gradients[0]), np.zeros_like(gradients[0])
    found = {}
    for t, k in enumerate(steps, 1):
        g = gradients[k]
        momentum = beta * momentum + (1 - beta) * g
        polars = beta * polars + (1 - beta) * polar(g)
        if t in reads:
            found[t] = ((momentum, polar(momentum)), (polars, polars), (g, polar(g)), (polars, polar(polars)))
    return [found[t] for t in reads]


def sine(reference, other, rank, side):
    """‖(I - P) F‖_op: F the top singular vectors of `other`, P the projector on those of `reference`."""
    frames = []
    for x in (reference, other):
        left, _, right = np.linalg.svd(x, full_matrices=False)
        frames.append((left if side == "left" else right.T)[:, :rank])
    of, f = frames
    return np.linalg.svd(f - of @ (of.T @ f), compute_uv=False)[0]


def corrected(squares, between):
    """P6: the sine against S out of mean squares of those against the mean, and of mean cosines between two halves of it."""
    error = (1 - between) / 2
    return np.sqrt(np.clip(1 - (1 - squares) / (1 - error), 0, 1)) if between > 0.5 else np.nan


def spread(left_out):
    """Jackknife error from the ten estimates with a block left out."""
    left_out = np.array(left_out)
    return np.sqrt((BLOCKS - 1) / BLOCKS * np.sum((left_out - left_out.mean(0)) ** 2, axis=0))


class Pass:
    """What one run of the filters reads of one window; `middle` is the mean inside the buffer, at each reading."""

    def __init__(self, gradients, run, window, middle):
        self.gradients, self.run, self.middle = gradients, run, middle
        self.pairs = buffers_and_updates(gradients, run.steps, run.reads.tolist(), window)
        self.block = run.block[run.newest]
        self.held = np.zeros((len(self.pairs), BLOCKS))
        self.inner = np.zeros((len(PIPELINES), *self.held.shape))
        for i, indices in enumerate(run.held):
            for k in indices:
                self.held[i, run.block[k]] += 1
                for p, (_, update) in enumerate(self.pairs[i]):
                    self.inner[p, i, run.block[k]] += np.sum(update * gradients[k])

    def decrease(self, without=None):
        """<A, S> of each pipeline (P1): over every reading and every gradient held out of it, a block left out of both."""
        rows, columns = self.block != without, np.arange(BLOCKS) != without
        return self.inner[:, rows][..., columns].sum((1, 2)) / self.held[rows][:, columns].sum()

    def ten(self, each):
        """Means of what is read each time, with a block left out."""
        return [each[self.block != b].mean(0) for b in range(BLOCKS)]

    def inside(self):
        """(reading, pipeline): <A, mean inside the buffer> / ‖mean‖_*."""
        means = [self.middle(i) for i in range(len(self.pairs))]
        return np.array([[np.sum(a * x) / nuclear(x) for _, a in pairs] for x, pairs in zip(means, self.pairs, strict=True)])

    def spectrum(self):
        """(reading, pipeline, index)."""
        return np.array([[np.linalg.svd(x, compute_uv=False) for x, _ in pairs] for pairs in self.pairs])

    def newest(self):
        return np.array([np.linalg.svd(self.gradients[k], compute_uv=False) for k in self.run.newest])

    def energy(self):
        return np.array([np.sum(pairs[0][0] ** 2) for pairs in self.pairs])

    def sines(self, rank, side):
        """(reading, pipeline): against the mean of what is held out."""
        means = [self.gradients[wide].mean(0) for wide in self.run.wide]
        return np.array([[sine(m, x, rank, side) for x, _ in pairs] for m, pairs in zip(means, self.pairs, strict=True)])

    def halves(self, rank, side):
        """(reading,): cosines between the means of every other gradient that is held out."""
        g = self.gradients
        each = [sine(g[wide[0::2]].mean(0), g[wide[1::2]].mean(0), rank, side) for wide in self.run.wide]
        return np.sqrt(1 - np.array(each) ** 2)


def product(gradients, lag):
    """C_j, the mean of <G_t, G_{t+j}>."""
    return np.mean([np.sum(gradients[t] * gradients[t + lag]) for t in range(len(gradients) - lag)])


def extrapolated(raw, next_one, later):
    """The signal's C_0 and C_1 on a parabola through C_3 .. C_24 less eta phi^j, phi and eta found by going round."""
    lags, phi, eta = np.arange(3, 25), 0.0, 0.0
    for _ in range(noise.ROUNDS):
        parabola = np.polynomial.Polynomial.fit(lags, later - eta * phi**lags, 2)
        eta = max(raw - parabola(0), 1e-12 * raw)
        phi = np.clip((next_one - parabola(1)) / eta, -noise.STRONGEST, noise.STRONGEST)
    return parabola(0), parabola(1)


def moments(gradients, kind):
    """‖S‖_F^2, eta and phi (P3)."""
    count = len(gradients)
    raw = product(gradients, 0)
    if kind == "stationary":
        pairs = [np.sum(gradients[i] * gradients[j]) for i in range(count) for j in range(i)]
        signal = ahead = np.mean(pairs)
    else:
        signal, ahead = extrapolated(raw, product(gradients, 1), [product(gradients, j) for j in range(3, 25)])
    eta = raw - signal
    return signal, eta, (product(gradients, 1) - ahead) / eta


def differences(gradients):
    """D_j (P4)."""
    return np.array([(gradients[2 * j + 1] - gradients[2 * j]) / np.sqrt(2) for j in range(len(gradients) // 2)])


def inverse_hill(values, top):
    """1/alpha, mean log(x_i / x_{k+1}) over the k largest."""
    ordered = np.sort(np.abs(values), axis=None)[::-1]
    return np.mean(np.log(ordered[:top] / ordered[top]))


def hard_threshold(shape, s):
    """O6, of white noise of standard deviation s an entry."""
    ratio = min(shape) / max(shape)
    return s * np.sqrt(max(shape)) * np.sqrt(2 * (ratio + 1) + 8 * ratio / (ratio + 1 + np.sqrt(ratio**2 + 14 * ratio + 1)))


def ranks(values, shape, s, null_edge):
    """P5: singular values above the white edge, the hard threshold, and the edge of sums of noise."""
    edges = (s * (np.sqrt(shape[0]) + np.sqrt(shape[1])), hard_threshold(shape, s), null_edge)
    return tuple(int(np.sum(values > edge)) for edge in edges)


def null_edges(gradients, signs):
    """Spectral norms of sums of +-D_j, scaled to the noise of one gradient. signs has shape (8, K // 2)."""
    d = differences(gradients)
    return np.array([np.linalg.svd(np.tensordot(row, d, 1), compute_uv=False)[0] for row in signs]) / np.sqrt(len(d))


def spikes(values, shape, s):
    """theta of S3's d, at values above the edge."""
    m, n = shape
    b = values**2 - (m + n) * s**2
    return np.sqrt((b + np.sqrt(b**2 - 4 * m * n * s**4)) / 2)


def remaining(window, omega):
    """|h| of F7."""
    return rotation(window, omega)[0] if omega else 1.0


def persistence(energy, eta, signal, window, phi):
    """c_sig (P7), 0 where there is less than the noise has."""
    return np.sqrt(max(energy - eta * factor(window, phi), 0) / signal) if signal > 0 else np.nan


def factor(window, phi):
    """F6: the noise factor of an EMA of AR(1) noise."""
    beta = 1 - 1 / window
    return (1 - beta) * (1 + beta * phi) / ((1 + beta) * (1 - beta * phi))
