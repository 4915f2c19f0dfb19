"""Running averages M_t = M_{t-1} + alpha_t (G_t - M_{t-1}) from M_0 = 0 (theory.md F2, F10).

One recursion; what tells them apart is the rate alpha_t of each step. All of them end as the EMA of a window T, with
alpha = 1/T.
"""

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

from spikesim.arrays import Array
from spikesim.errors import need
from spikesim.filters import geometric
from spikesim.filters.base import LinearFilter, need_omega, need_weight


class Averaging(LinearFilter):
    """Base of the averages whose rate is, or tends to, 1/T."""

    window: float

    @abstractmethod
    def rate(self, step: int) -> float:
        """alpha_t in (0, 1] of step t = 0, 1, ..."""

    @property
    def beta(self) -> float:
        """Steady momentum 1 - 1/T, in [0, 1)."""
        return 1 - 1 / self.window

    def memory(self) -> "Recursion":
        """The recursion from M_0 = 0."""
        return Recursion(self.rate)

    def settling(self, weight: float = 1e-6) -> int:
        """Steps until beta^t is below `weight`, in (0, 1)."""
        need_weight(weight)
        return geometric.settled(self.window, weight)

    def gain(self, steps: int | None = None) -> float:
        """Sum of the weights; 1 in steady state (F2)."""
        return 1.0 if steps is None else super().gain(steps)

    def noise_factor(self, steps: int | None = None) -> float:
        """Sum of the squared weights; 1/(2T - 1) in steady state (F2)."""
        return geometric.squares(self.window, None) if steps is None else super().noise_factor(steps)

    def lag(self, steps: int | None = None) -> float:
        """Mean age in steps; T - 1 in steady state (F2)."""
        return self.window - 1 if steps is None else super().lag(steps)

    def response(self, omega: float, steps: int | None = None) -> complex:
        """h = sum_k w_k e^(-i omega k); 1/(1 + (T - 1)(1 - e^(-i omega))) in steady state (F7)."""
        need_omega(omega)
        return geometric.rotated(self.window, omega, None) if steps is None else super().response(omega, steps)


class Recursion:
    """Memory of M_t = (1 - alpha_t) M_{t-1} + alpha_t G_t.

    Args:
        rate: alpha_t of step t = 0, 1, ...
    """

    def __init__(self, rate: Callable[[int], float]) -> None:
        self._rate, self._step = rate, 0
        self._average: Any = None

    def push(self, x: Array) -> None:
        """Take the next step's array."""
        alpha = self._rate(self._step)
        self._average = alpha * x if self._average is None else (1 - alpha) * self._average + alpha * x
        self._step += 1

    def output(self) -> Array:
        """M_t after the newest step."""
        need(self._step > 0, "one step or more before an output", steps=self._step)
        return self._average
