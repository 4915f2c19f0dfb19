"""Linear filters over time: what weights a momentum buffer gives to past gradients (theory.md F1, F2).

The buffer here is the exponential moving average M_t = beta M_{t-1} + (1 - beta) G_t from M_0 = 0, without debiasing, as in
the paper. Heavy ball, B_t = mu B_{t-1} + G_t, is the same buffer times T = 1/(1 - beta): the same polar factor.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikesim.errors import need

WIDEST = 1e12
"""Largest window: beyond it beta is no longer told from 1 to four digits."""


@dataclass(frozen=True)
class EMA:
    """M_t = beta M_{t-1} + (1 - beta) G_t from M_0 = 0, with beta = 1 - 1/T.

    Args:
        window: T = 1/(1 - beta) in steps, 1 <= T <= WIDEST, may be fractional.

    Raises:
        ValueError: If the window is not such a number.

    Source: theory.md F2.
    """

    window: float

    def __post_init__(self) -> None:
        real = isinstance(self.window, int | float | np.number) and not isinstance(self.window, bool)
        need(real and 1 <= self.window <= WIDEST, f"1 <= T <= {WIDEST:g}, where T = 1/(1 - beta)", window=self.window)
        object.__setattr__(self, "window", float(self.window))

    @property
    def beta(self) -> float:
        """Momentum, in [0, 1)."""
        return 1 - 1 / self.window

    def weights(self, steps: int, first: int = 0) -> NDArray[np.float64]:
        """w_first..w_{steps-1}, the newest first: M_t = sum_k w_k G_{t-k}."""
        return self.beta ** np.arange(first, steps, dtype=np.float64) / self.window

    def startup(self, steps: int) -> float:
        """Weight beta^t that the start still has after `steps` steps."""
        return 1 - self.gain(steps)

    def gain(self, steps: int | None = None) -> float:
        """Sum of the weights, 1 - beta^t; 1 in steady state (F2)."""
        if steps is None or self.window == 1:
            return 1.0
        need(steps >= 1, "steps >= 1", steps=steps)
        return -math.expm1(steps * math.log1p(-1 / self.window))

    def noise_factor(self, steps: int | None = None) -> float:
        """Sum of the squared weights, (1 - beta^(2t))/(2T - 1) (F2)."""
        return self.gain(None if steps is None else 2 * steps) / (2 * self.window - 1)

    def n_eff(self, steps: int | None = None) -> float:
        """Effective sample size, gain^2 / noise factor: 2T - 1 in steady state (F1, F2)."""
        return self.gain(steps) ** 2 / self.noise_factor(steps)

    def settling(self, weight: float = 1e-6) -> int:
        """Steps until the start-up weight is below `weight`, in (0, 1)."""
        need(0 < weight < 1, "0 < weight < 1", weight=weight)
        return 1 if self.window == 1 else math.floor(math.log(weight) / math.log1p(-1 / self.window)) + 1
