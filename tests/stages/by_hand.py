"""A slow reference for every stage: one matrix at a time, whole histories kept, written from what each stage says it does."""

import numpy as np


def polar(x, rank=None):
    u, d, vt = np.linalg.svd(x, full_matrices=False)
    keep = d > max(x.shape) * np.finfo(float).eps * max(d[0], 1e-300)
    keep &= np.arange(len(d)) < (len(d) if rank is None else rank)
    return (u * keep) @ vt


def average(history, weights):
    """sum_k w_k x_{t-k}; weights newest first."""
    return sum(w * x for w, x in zip(weights, history[::-1], strict=True))


def ema_weights(window, steps, debiased=False):
    beta = 1 - 1 / window
    w = (1 - beta) * beta ** np.arange(steps)
    return w / w.sum() if debiased else w


def inverse_root(a, power):
    d, v = np.linalg.eigh(a)
    keep = d > 1e-12 * d[-1]
    return (v[:, keep] * d[keep] ** power) @ v[:, keep].T


def clip(norm):
    return lambda h: h[-1] * min(1, norm / max(np.sqrt((h[-1] ** 2).sum()), norm * 1e-9))


def normalise():
    return lambda h: h[-1] / np.sqrt((h[-1] ** 2).sum())


def filtered(weights):
    """weights(steps) newest first."""
    return lambda h: average(h, weights(len(h)))


def second_moment(memory, epsilon):
    return lambda h: h[-1] / (np.sqrt(average([x * x for x in h], ema_weights(memory, len(h), debiased=True))) + epsilon)


def adam(window, memory, epsilon):
    def of(h):
        v = average([x * x for x in h], ema_weights(memory, len(h), debiased=True))
        return average(h, ema_weights(window, len(h))) / (np.sqrt(v) + epsilon)

    return of


def delay(steps):
    return lambda h: h[-1 - steps] if len(h) > steps else np.zeros_like(h[-1])


def shampoo(memory, power=-0.25):
    def of(h):
        w = ema_weights(memory, len(h), debiased=True)
        left, right = average([x @ x.T for x in h], w), average([x.T @ x for x in h], w)
        return inverse_root(left, power) @ h[-1] @ inverse_root(right, power)

    return of


def fisher(window):
    def of(h):
        w = ema_weights(window, len(h))
        return inverse_root(average([x @ x.T for x in h], w), -0.5) @ average(h, w)

    return of


def workers(count, delays=None):
    """Decimates: takes a history of whole groups, gives one matrix a group."""
    delays = delays or [0] * count

    def of(h):
        groups = len(h) // count
        share = [h[(groups - 1 - d) * count + w] if groups > d else 0 * h[-1] for w, d in enumerate(delays)]
        return sum(share) / count

    of.pace = count
    return of


def run(stages, gradients):
    """The last output of stages, each a function of the history of what enters it."""
    history = list(gradients)
    for stage in stages:
        pace = getattr(stage, "pace", 1)
        history = [stage(history[: t + 1]) for t in range(pace - 1, len(history), pace)]
    return history[-1]
