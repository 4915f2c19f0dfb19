"""What every law of a signal does, written out step by step: the slow way, for tests to hold the fast one against."""

import itertools
import math

import numpy as np
import reference as ref

import spikesim as ss
from spikesim.observables import NOISE
from spikesim.samplers.stream import Stream


def signs(every, mean, steps):
    """+1 and -1 whose running sum after any whole number of blocks is the least that is not below its mean."""
    out, plus = [], 0
    for block in range(-(-steps // every)):
        more = plus < (block + 1) * (1 + mean) / 2
        plus += more
        out += [1 if more else -1] * every
    return out[:steps]


def factor(signal, steps):
    """(k, t) -> f_k(t), from a law's parameters alone."""
    if isinstance(signal, ss.Oscillating):
        return lambda k, t: 1 + signal.depth * math.cos(2 * math.pi * (t / signal.period + k * signal.phase))
    if isinstance(signal, ss.Alternating):
        pattern = signs(signal.every, signal.mean, steps)
        return lambda k, t: 1 if k < signal.kept else pattern[t]
    if isinstance(signal, ss.Fading):
        return lambda _, t: 1 / (1 + t) ** signal.exponent
    if isinstance(signal, ss.Switch) and signal.change == "sign":
        return lambda _, t: -1 if t < signal.at else 1
    return lambda *_: 1


def side(signal, frames, right):
    """T -> u_k(t), or v_k(t) for the right side, from its frames (A, size, r)."""
    if isinstance(signal, ss.Rotating) and (signal.both or not right):
        return lambda t: math.cos(signal.omega * t) * frames[0] + math.sin(signal.omega * t) * frames[1]
    if isinstance(signal, ss.Switch) and (signal.change == "both" or (signal.change == "u" and not right)):
        return lambda t: frames[1] if t < signal.at else frames[0]
    return lambda _: frames[0]


def path(model, seed, steps):
    """S_0 .. S_{steps - 1}, (steps, m, n), and of the last: amplitudes (r,), u (m, r), v (n, r)."""
    chain, last = [model.signal], steps - 1
    while hasattr(chain[-1], "motion"):
        chain.append(chain[-1].motion)
    factors = [factor(signal, steps) for signal in chain]
    left, right = (side(chain[-1], x, bool(i)) for i, x in enumerate(model.frames(seed)))

    def together(k, t):
        return math.prod(f(k, t) for f in factors)

    found = ref.moving(model.spikes, together, left, right, steps)
    return found, [x * together(k, last) for k, x in enumerate(model.spikes)], left(last), right(last)


def expected(model, windows, trials, seed, steps):
    """Name -> array of simulate's shape: dense SVDs of the path above plus the noise of the stream sampler."""
    betas = 1 - 1 / np.asarray(windows, float)
    noise = Stream(model, seed, trials, betas, np.dtype("float64")).advance(steps, keep=True)
    signals, spikes, left, right = path(model, seed, steps)
    grid = itertools.product(range(len(trials)), ref.PIPELINES, windows)
    rows = [
        ref.observe(signals, noise[i], spikes, left, right, w, pipeline, min(model.shape), model.head)
        for i, pipeline, w in grid
    ]
    shape = (len(trials), len(ref.PIPELINES), len(windows))
    out = {name: np.array([row[name] for row in rows]).reshape(*shape, -1) for name in rows[0]}
    out = {name: x if name == "singular_values" else x[..., 0] for name, x in out.items()}
    out |= {name: out[name][:, 0] for name in NOISE}
    head = model.head or model.rank
    out["suppression"] = np.array([[ref.suppression(x + signals, w, head) for w in windows] for x in noise])
    return out
