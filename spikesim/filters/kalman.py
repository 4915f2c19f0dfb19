"""The best linear estimate of a signal that walks at random (theory.md F10)."""

import math
from dataclasses import dataclass

from spikesim.errors import need
from spikesim.filters import geometric
from spikesim.filters.averaging import Averaging
from spikesim.filters.base import Floats, ages, need_steps
from spikesim.filters.geometric import is_real


@dataclass(frozen=True, repr=False)
class Kalman(Averaging):
    """M_t = M_{t-1} + alpha_t (G_t - M_{t-1}), alpha_t the Kalman gain of an entry that walks at random, seen in noise.

    The entry moves by steps of variance q, each gradient adds noise of variance r, and before the first step nothing is
    known. Only q/r = 1/(T (T - 1)) matters: alpha tends to 1/T, and the steady filter is the EMA of window T. Before
    that it weighs the oldest steps more than a debiased EMA does. At every step no other weights that sum to 1 have a
    smaller mean square error; it is r alpha_t.

    Args:
        window: T in steps, 1 <= T <= WIDEST, may be fractional; 1 for a signal without noise.

    Raises:
        ValueError: If the window is not such a number.

    Source: theory.md F10.
    """

    window: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "window", geometric.window_of(self.window))

    @classmethod
    def of(cls, drift: float, noise: float) -> "Kalman":
        """The filter of a signal whose entries move by steps of variance `drift`, seen in noise of variance `noise`.

        Args:
            drift: q > 0.
            noise: r >= 0, in the unit of q.

        Raises:
            ValueError: If one of them is not such a number.
        """
        need(is_real(drift) and 0 < drift < math.inf, "0 < drift < inf", drift=drift)
        need(is_real(noise) and 0 <= noise < math.inf, "0 <= noise < inf", noise=noise)
        return cls((1 + math.sqrt(1 + 4 * noise / drift)) / 2)

    def rate(self, step: int) -> float:
        """alpha_t of step t = 0, 1, ...: with s = t + 1, (1 + beta^(2s-1)) / (T (1 - beta^(2s))), from 1 to 1/T."""
        if step == 0:
            return 1.0
        seen = 2 * (step + 1)
        return (1 + geometric.power(self.window, seen - 1)) / (self.window * geometric.missing(self.window, seen))

    def weights(self, steps: int, first: int = 0, after: int | None = None) -> Floats:
        """(beta^k + beta^(2t-k-1)) / (T (1 - beta^(2t))): the EMA's, mirrored at the start."""
        k = ages(steps, first, after)
        mirrored = geometric.weights(self.window, 2 * steps - 1 - k)
        return (geometric.weights(self.window, k) + mirrored) / geometric.missing(self.window, 2 * steps)

    def gain(self, steps: int | None = None) -> float:
        """1."""
        need_steps(steps)
        return 1.0

    def noise_factor(self, steps: int | None = None) -> float:
        """[(1 + beta^(2t))/(2T - 1) + 2t beta^(2t-1)/(T^2 (1 - beta^(2t)))] / (1 - beta^(2t))."""
        need_steps(steps)
        if steps is None:
            return super().noise_factor()
        seen, w = geometric.missing(self.window, 2 * steps), self.window
        crossed = 2 * steps * geometric.power(w, 2 * steps - 1) / (w * w * seen)
        return ((1 + geometric.power(w, 2 * steps)) / (2 * w - 1) + crossed) / seen

    def lag(self, steps: int | None = None) -> float:
        """(a + beta^t (t - 1 - a))/(1 + beta^t), a the EMA's after t steps."""
        need_steps(steps)
        age = geometric.mean_age(self.window, steps)
        if steps is None:
            return age
        left = geometric.power(self.window, steps)
        return (age + left * (steps - 1 - age)) / (1 + left)
