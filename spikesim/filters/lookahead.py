"""Averages with the newest gradient mixed in once more: Nesterov's form and the general one (theory.md F4)."""

import math
from dataclasses import dataclass
from typing import Any

from spikesim.arrays import Array
from spikesim.errors import need
from spikesim.filters import geometric
from spikesim.filters.averaging import Recursion
from spikesim.filters.base import Floats, LinearFilter, ages, need_omega, need_steps, need_weight
from spikesim.filters.geometric import is_real


class Ahead(LinearFilter):
    """Base: nu M_t + kappa G_t, M the EMA from zero, so that w_k = nu beta^k/T + kappa at k = 0."""

    window: float
    nu: float
    kappa: float

    @property
    def beta(self) -> float:
        """Momentum of M, in [0, 1)."""
        return 1 - 1 / self.window

    @property
    def newest(self) -> float:
        """The newest gradient's weight, nu/T + kappa."""
        return self.nu / self.window + self.kappa

    def weights(self, steps: int, first: int = 0, after: int | None = None) -> Floats:
        """nu beta^k/T, and kappa more at k = 0."""
        k = ages(steps, first, after)
        w = self.nu * geometric.weights(self.window, k)
        w[k == 0] = self.newest
        return w

    def settling(self, weight: float = 1e-6) -> int:
        """Steps until |nu| beta^t is below this share, in (0, 1), of all absolute weights."""
        need_weight(weight)
        total = abs(self.newest) + abs(self.nu) * self.beta
        return geometric.settled(self.window, weight * total / abs(self.nu)) if self.nu else 1

    def memory(self) -> "Mixture":
        """The recursion from M_0 = 0, and the newest gradient."""
        return Mixture(1 / self.window, self.nu, self.kappa)

    def gain(self, steps: int | None = None) -> float:
        """Nu (1 - beta^t) + kappa."""
        need_steps(steps)
        return self.nu * geometric.missing(self.window, steps) + self.kappa

    def noise_factor(self, steps: int | None = None) -> float:
        """The newest weight squared, and nu^2 beta^2 (1 - beta^(2t-2))/(2T - 1)."""
        need_steps(steps)
        older = geometric.squares(self.window, None if steps is None else steps - 1)
        return self.newest**2 + self.nu**2 * self.beta**2 * older

    def lag(self, steps: int | None = None) -> float:
        """Mean age in steps, nu times the EMA's gain and lag over the gain; NaN where that is 0."""
        gain, slow = self.gain(steps), geometric.missing(self.window, steps)
        return self.nu * slow * geometric.mean_age(self.window, steps) / gain if gain else math.nan

    def response(self, omega: float, steps: int | None = None) -> complex:
        """Nu h + kappa, h the EMA's (F7)."""
        need_steps(steps)
        need_omega(omega)
        return self.nu * geometric.rotated(self.window, omega, steps) + self.kappa


@dataclass(frozen=True, repr=False)
class Nesterov(Ahead):
    """(1 - beta) G_t + beta M_t, M the EMA from zero: the next average, were the newest gradient to come again.

    Muon's update is the same, lerp(G, M, beta). With a heavy-ball buffer B = mu B + G the look-ahead is G + mu B, which
    is T times this: same n_eff, lag and polar factor.

    Args:
        window: T = 1/(1 - beta) in steps, 1 <= T <= WIDEST, may be fractional.

    Raises:
        ValueError: If the window is not such a number.

    Source: theory.md F4.
    """

    window: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "window", geometric.window_of(self.window))

    @property
    def nu(self) -> float:  # type: ignore[override]
        """Share of the average, beta."""
        return self.beta

    @property
    def kappa(self) -> float:  # type: ignore[override]
        """Share of the newest gradient, 1 - beta."""
        return 1 / self.window


@dataclass(frozen=True, repr=False)
class Lookahead(Ahead):
    """nu M_t + kappa G_t, M the EMA from zero; quasi-hyperbolic momentum where nu + kappa = 1.

    Args:
        window: T = 1/(1 - beta) of M in steps, 1 <= T <= WIDEST, may be fractional.
        nu: Share of the average.
        kappa: Share of the newest gradient.

    Raises:
        ValueError: If the window is no such number, a share is not finite, or both are 0.

    Source: theory.md F4.
    """

    window: float
    nu: float
    kappa: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "window", geometric.window_of(self.window))
        for name in ("nu", "kappa"):
            value = getattr(self, name)
            need(is_real(value) and math.isfinite(value), f"{name}: a finite number", **{name: value})
            object.__setattr__(self, name, float(value))
        need(self.nu or self.kappa, "nu or kappa other than 0", nu=self.nu, kappa=self.kappa)


class Mixture:
    """Memory of nu M_t + kappa G_t, M_t = (1 - alpha) M_{t-1} + alpha G_t."""

    def __init__(self, alpha: float, nu: float, kappa: float) -> None:
        self._average, self._nu, self._kappa = Recursion(lambda _: alpha), nu, kappa
        self._newest: Any = None

    def push(self, x: Array) -> None:
        """Take the next step's array."""
        self._average.push(x)
        self._newest = x

    def output(self) -> Array:
        """The mixture after the newest step."""
        return self._nu * self._average.output() + self._kappa * self._newest
