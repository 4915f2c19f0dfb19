"""Averages with the newest gradient mixed in once more: Nesterov's form and the general one (theory.md F4)."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from spikesim.arrays import Array
from spikesim.errors import need
from spikesim.filters import geometric
from spikesim.filters.averaging import Recursion
from spikesim.filters.base import Floats, LinearFilter, ages, need_omega, need_steps, need_weight
from spikesim.filters.geometric import is_real

STARTS = ("zero", "debiased")


class Ahead(LinearFilter):
    """Base: nu_t M_t + kappa_t G_t, M the EMA from zero, so that w_k = nu_t beta^k/T, and kappa_t more at k = 0."""

    window: float
    nu: float
    kappa: float

    @property
    def beta(self) -> float:
        """Momentum of M, in [0, 1)."""
        return 1 - 1 / self.window

    def shares(self, _steps: int | None) -> tuple[float, float]:
        """nu_t and kappa_t after `steps` steps, or in steady state, as which they stay unless a filter says otherwise."""
        return self.nu, self.kappa

    def weights(self, steps: int, first: int = 0, after: int | None = None) -> Floats:
        """nu_t beta^k/T, and kappa_t more at k = 0."""
        k, (nu, kappa) = ages(steps, first, after), self.shares(steps)
        w = nu * geometric.weights(self.window, k)
        w[k == 0] = nu / self.window + kappa
        return w

    def settling(self, weight: float = 1e-6) -> int:
        """Steps until |nu| beta^t is below this share, in (0, 1), of all absolute weights."""
        need_weight(weight)
        total = abs(self.nu / self.window + self.kappa) + abs(self.nu) * self.beta
        return geometric.settled(self.window, weight * total / abs(self.nu)) if self.nu else 1

    def memory(self) -> "Mixture":
        """The recursion from M_0 = 0, and the newest gradient."""
        return Mixture(1 / self.window, self.shares)

    def gain(self, steps: int | None = None) -> float:
        """nu_t (1 - beta^t) + kappa_t."""
        need_steps(steps)
        nu, kappa = self.shares(steps)
        return nu * geometric.missing(self.window, steps) + kappa

    def noise_factor(self, steps: int | None = None) -> float:
        """The newest weight squared, and nu_t^2 beta^2 (1 - beta^(2t-2))/(2T - 1)."""
        need_steps(steps)
        nu, kappa = self.shares(steps)
        older = geometric.squares(self.window, None if steps is None else steps - 1)
        return (nu / self.window + kappa) ** 2 + nu**2 * self.beta**2 * older

    def lag(self, steps: int | None = None) -> float:
        """Mean age in steps, nu_t times the EMA's gain and lag over the gain; NaN where that is 0."""
        gain, slow = self.gain(steps), geometric.missing(self.window, steps)
        return self.shares(steps)[0] * slow * geometric.mean_age(self.window, steps) / gain if gain else math.nan

    def response(self, omega: float, steps: int | None = None) -> complex:
        """nu_t h + kappa_t, h the EMA's (F7)."""
        need_steps(steps)
        need_omega(omega)
        nu, kappa = self.shares(steps)
        return nu * geometric.rotated(self.window, omega, steps) + kappa


@dataclass(frozen=True, repr=False)
class Nesterov(Ahead):
    """(1 - beta) G_t + beta M_t, M the EMA from zero: the next average, were the newest gradient to come again.

    Muon's update is the same, lerp(G, M, beta). With a heavy-ball buffer B = mu B + G the look-ahead is G + mu B, which
    is T times this: same n_eff, lag and polar factor.

    Args:
        window: T = 1/(1 - beta) in steps, 1 <= T <= WIDEST, may be fractional.
        start: "zero", or "debiased": beta M_t/(1 - beta^(t+1)) + (1 - beta) G_t/(1 - beta^t), as NAdam and optax's Muon
            have it; steady, the same. Before, it weighs the newest gradient more, by more than a scale.

    Raises:
        ValueError: If an argument is none of these.

    Source: theory.md F4; Dozat, Incorporating Nesterov momentum into Adam (2016).
    """

    window: float
    start: str = "zero"

    def __post_init__(self) -> None:
        object.__setattr__(self, "window", geometric.window_of(self.window))
        need(isinstance(self.start, str) and self.start in STARTS, f"start in {STARTS}", start=self.start)

    def shares(self, steps: int | None) -> tuple[float, float]:
        """Of the average and the newest gradient: beta and 1 - beta, over 1 - beta^(t+1) and 1 - beta^t where debiased."""
        if steps is None or self.start == "zero":
            return self.nu, self.kappa
        seen = geometric.missing
        return self.nu / seen(self.window, steps + 1), self.kappa / seen(self.window, steps)

    def settling(self, weight: float = 1e-6) -> int:
        """Steps until beta^(t+1) is below `weight`, in (0, 1); beta^t where debiased, for the newest weight."""
        need_weight(weight)
        return super().settling(weight) if self.start == "zero" else geometric.settled(self.window, weight)

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
    """Memory of nu_t M_t + kappa_t G_t, M_t = (1 - alpha) M_{t-1} + alpha G_t; shares(t) gives nu_t and kappa_t."""

    def __init__(self, alpha: float, shares: Callable[[int], tuple[float, float]]) -> None:
        self._average, self._shares = Recursion(lambda _: alpha), shares
        self._step = 0
        self._newest: Any = None

    def push(self, x: Array) -> None:
        """Take the next step's array."""
        self._average.push(x)
        self._newest = x
        self._step += 1

    def output(self) -> Array:
        """The mixture after the newest step."""
        average, (nu, kappa) = self._average.output(), self._shares(self._step)
        return nu * average + kappa * self._newest
