"""The work that every contender does: one setting for all, stated once."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

PIPELINES = ("pre-polar", "post-polar", "polar-only", "re-polarised")
THREE = PIPELINES[:3]
"""Without re-polarised, alignment needs no buffer of polar factors: <EMA(O(G)), S> = EMA(<O(G), S>)."""
NOISE_WINDOWS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
NOISE_SHAPE = (64, 128)
MODEL_SEED = 0
"""Of the singular vectors, which all contenders share."""


@dataclass(frozen=True)
class Problem:
    """A constant signal in Gaussian noise and the filters that run over it.

    Args:
        shape: (m, n), m <= n.
        spikes: lambda_1 >= ... >= lambda_r > 0.
        sigma: Standard deviation of an entry.
        windows: T of each exponential moving average from zero, (K,).
        steps: Steps from M_0 = 0; everything is read at the last one.
    """

    shape: tuple[int, int] = (64, 128)
    spikes: tuple[float, ...] = (6.0, 4.0)
    sigma: float = 0.5
    windows: tuple[float, ...] = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
    steps: int = 500

    @cached_property
    def model(self) -> Any:
        """The same as a model of spikesim."""
        import spikesim as ss

        return ss.SpikedModel(self.shape, self.spikes, ss.Gaussian(self.sigma))

    @cached_property
    def frame(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """u (m, r) and v (n, r)."""
        u, v = self.model.frame(MODEL_SEED)
        return u, v

    @property
    def signal(self) -> NDArray[np.float64]:
        """S, (m, n)."""
        u, v = self.frame
        return (u * self.spikes) @ v.T

    @property
    def betas(self) -> NDArray[np.float64]:
        """Momenta, (K,)."""
        return 1 - 1 / np.array(self.windows)

    @property
    def gains(self) -> NDArray[np.float64]:
        """Sum of each filter's weights after all steps, (K,)."""
        return 1 - self.betas**self.steps

    @property
    def chunk(self) -> int:
        """Steps that peers draw at once: a divisor of all steps, small enough for the cache."""
        return math.gcd(self.steps, 20)


def chunk_weights(betas: NDArray[np.float64], steps: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Decay (K, 1) and weights W (K, steps) that advance averages by a chunk: M <- decay M + W G, G (steps, entries)."""
    powers = betas[:, None] ** np.arange(steps - 1, -1, -1)
    return betas[:, None] ** steps, (1 - betas)[:, None] * powers
