"""Heavy ball: the EMA without its factor (theory.md F3)."""

from dataclasses import dataclass
from typing import Any

from spikesim.arrays import Array
from spikesim.errors import need
from spikesim.filters import geometric
from spikesim.filters.base import Floats, LinearFilter, ages, need_omega, need_steps, need_weight


@dataclass(frozen=True, repr=False)
class HeavyBall(LinearFilter):
    """B_t = mu B_{t-1} + G_t from B_0 = 0, with mu = 1 - 1/T: T times the EMA, with the same n_eff and lag.

    Args:
        window: T = 1/(1 - mu) in steps, 1 <= T <= WIDEST, may be fractional.

    Raises:
        ValueError: If the window is not such a number.

    Source: theory.md F3.
    """

    window: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "window", geometric.window_of(self.window))

    @property
    def mu(self) -> float:
        """Momentum, in [0, 1)."""
        return 1 - 1 / self.window

    def weights(self, steps: int, first: int = 0, after: int | None = None) -> Floats:
        """mu^k."""
        return self.mu ** ages(steps, first, after)

    def settling(self, weight: float = 1e-6) -> int:
        """Steps until mu^t is below `weight`, in (0, 1)."""
        need_weight(weight)
        return geometric.settled(self.window, weight)

    def memory(self) -> "Sum":
        """The recursion from B_0 = 0."""
        return Sum(self.mu)

    def gain(self, steps: int | None = None) -> float:
        """T (1 - mu^t)."""
        need_steps(steps)
        return self.window * geometric.missing(self.window, steps)

    def noise_factor(self, steps: int | None = None) -> float:
        """T^2 times the EMA's."""
        need_steps(steps)
        return self.window**2 * geometric.squares(self.window, steps)

    def lag(self, steps: int | None = None) -> float:
        """The EMA's, T - 1 in steady state."""
        need_steps(steps)
        return geometric.mean_age(self.window, steps)

    def response(self, omega: float, steps: int | None = None) -> complex:
        """T times the EMA's (F7)."""
        need_steps(steps)
        need_omega(omega)
        return self.window * geometric.rotated(self.window, omega, steps)


class Sum:
    """Memory of B_t = mu B_{t-1} + G_t."""

    def __init__(self, mu: float) -> None:
        self._mu = mu
        self._sum: Any = None

    def push(self, x: Array) -> None:
        """Take the next step's array."""
        self._sum = x if self._sum is None else self._mu * self._sum + x

    def output(self) -> Array:
        """B_t after the newest step."""
        need(self._sum is not None, "one step or more before an output", steps=0)
        return self._sum
