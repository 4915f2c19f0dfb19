"""A slow reference for the controller: whole histories, one matrix at a time, written from theory.md F12."""

from itertools import pairwise

import numpy as np

ANGLES = np.exp(np.linspace(np.log(1e-5), np.log(np.pi), 192))


def recent_mean(values, window):
    """Of the mean with weights that fade over `window` values, all alike until there are so many."""
    mean = 0.0
    for count, value in enumerate(values, 1):
        mean += max(1 / count, 1 / window) * (value - mean)
    return mean


def rho(block, omega):
    """<S_b, S_{b+1}> of unit vectors that turn, by a sum over all pairs of steps."""
    first, second = np.arange(block)[:, None], np.arange(block, 2 * block)
    return np.mean(np.cos(omega * (second - first)))


def products(history, memory):
    """{B: (mean inner product of neighbouring blocks, effective number)}, B = 1, 2, 4, ... <= memory/8."""
    out, block = {}, 1
    while block <= memory / 8:
        means = [sum(history[i : i + block]) / block for i in range(0, len(history) - block + 1, block)]
        found = [float((a * b).sum()) for a, b in pairwise(means)]
        if found:
            out[block] = recent_mean(found, memory / block), min(len(found), 2 * memory / block - 1)
        block *= 2
    return out


def motion(history, memory):
    """A, eta, and the chance of each angle."""
    entries = history[0].size
    power = recent_mean([float((x**2).sum()) for x in history], memory)
    found = products(history, memory)
    signal, noise = 0.0, power
    for _ in "12":
        signals, likelihoods = [], []
        for omega in ANGLES:
            rows = [
                (c, rho(b, omega), n / (noise / entries * (noise / b**2 + 2 * signal / b))) for b, (c, n) in found.items()
            ]
            size = sum(w * r * r for _, r, w in rows)
            best = max(0.0, sum(w * c * r for c, r, w in rows) / size)
            signals.append(best)
            likelihoods.append(-0.5 * sum(w * (c - best * r) ** 2 for c, r, w in rows))
        chances = np.exp(np.array(likelihoods) - max(likelihoods))
        chances /= chances.sum()
        signal = min(float(chances @ np.array(signals)), power)
        noise = max(power - signal, 1e-6 * power)
    return signal, noise, chances


def windows(history, rank, most, memory, period):
    """T_t of every step."""
    (m, n), out, chosen = history[0].shape, [], most
    choices = np.exp(np.linspace(0, np.log(most), 48))
    for t in range(len(history)):
        out.append(1.0 if t == 0 else min(out[-1] + 1, chosen))
        if (t + 1) % period == 0 and t > 0:
            signal, noise, chances = motion(history[: t + 1], memory)
            values = []
            for window in choices:
                h = 1 / (1 + (window - 1) * (1 - np.exp(-1j * ANGLES)))
                spread = rank * (m + n) * noise / (m * n) / (2 * window - 1)
                values.append(np.sum(chances * h.real / np.sqrt(abs(h) ** 2 * signal + spread)))
            chosen = choices[int(np.argmax(values))]
    return out


def controller(rank, most, memory, period):
    """What the stage gives of a history."""

    def of(history):
        mean = 0.0
        for x, window in zip(history, windows(history, rank, most, memory, period), strict=True):
            mean = mean + (x - mean) / window
        return mean

    return of
