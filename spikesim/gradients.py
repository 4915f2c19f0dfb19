"""Gradients of a model themselves, where a simulation gives only what is measured of them."""

import numpy as np
from numpy.typing import NDArray

from spikesim.arguments import is_whole
from spikesim.errors import need
from spikesim.model import SpikedModel
from spikesim.samplers.stream import Stream, need_entries
from spikesim.signal import products, stepped


def gradients(model: SpikedModel, steps: int, seed: int = 0, trial: int = 0) -> NDArray[np.float64]:
    """G_0 .. G_{steps-1} of one trial: the stream that `simulate` with method "stream" averages, bit by bit.

    Args:
        model: Signal and noise.
        steps: How many, >= 1.
        seed: In [0, 2^64).
        trial: Global trial number, in [0, 2^32).

    Returns:
        (steps, m, n), float64, in the unit of the model.

    Raises:
        ValueError: If an argument is none of these.
    """
    need(is_whole(trial) and 0 <= trial < 2**32, "0 <= trial < 2**32", trial=trial)
    signal = signals(model, steps, seed)
    noise = Stream(model, seed, range(trial, trial + 1), np.zeros(0), np.dtype(np.float64)).advance(steps, keep=True)
    assert noise is not None
    return np.asarray(noise[0] + signal)


def signals(model: SpikedModel, steps: int, seed: int = 0) -> NDArray[np.float64]:
    """S_0 .. S_{steps-1}, (steps, m, n), float64. Arguments and what is raised: as in `gradients`."""
    need(is_whole(steps) and steps >= 1, "steps: an integer >= 1", steps=steps)
    need_entries(model.shape)
    u, v = model.frames(seed)
    parts = products(u, v, np.asarray(model.spikes), model.signal.shares(model.rank))
    return np.array(np.broadcast_to(stepped(model.signal, parts, 0, steps), (steps, *model.shape)))
