"""The same gradients for a public implementation and for us, and what our pipelines make of them."""

import numpy as np

from spikesim.cascade import Cascade
from spikesim.filters import EMA
from spikesim.pipelines import Pipeline
from spikesim.stages.filter import Bank

WINDOW = 20.0  # momentum 0.95
SHAPES = [(8, 20), (20, 8), (16, 16), (64, 48), (1, 7)]
TINY = 1e-9  # here an epsilon in the scaling decides
CASES = [*((shape, 1.0) for shape in SHAPES), ((8, 20), TINY), ((20, 8), TINY)]
READ = [1, 2, 3, 10, 100]
"""Steps after which updates are compared."""


def gradients(shape, scale=1.0, seed=0):
    """A signal of rank 1 in Gaussian noise, (steps, m, n), float32."""
    rng = np.random.default_rng([seed, *shape])
    signal = np.outer(rng.standard_normal(shape[0]), rng.standard_normal(shape[1]))
    return (scale * (signal + rng.standard_normal((max(READ), *shape)))).astype(np.float32)


def ours(text, g, family=EMA, dtype=np.float32):
    """Updates after the steps READ, (len(READ), m, n); family: the filter where the text names none."""
    pipeline, out, done = Pipeline.from_text(text), [], 0
    cascade = Cascade([pipeline.stages], Bank.made((WINDOW,), family))
    for steps in READ:
        cascade.advance(g[done:steps].astype(dtype))
        out.append(cascade.last(pipeline.stages)[0])
        done = steps
    assert out[0].dtype == dtype
    return np.stack(out)


def worst(a, b):
    """Largest difference of entries, in units of the largest entry of the same update."""
    size = np.abs(b).max(axis=(1, 2))
    return float((np.abs(a.astype(float) - b).max(axis=(1, 2)) / np.where(size > 0, size, 1)).max())
