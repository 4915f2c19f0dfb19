"""The exponential moving average, by its three usual starts (theory.md F2)."""

import cmath
from dataclasses import dataclass

from spikesim.errors import need
from spikesim.filters import geometric
from spikesim.filters.averaging import Averaging
from spikesim.filters.base import Floats, ages, need_omega, need_steps

STARTS = ("zero", "first", "debiased")


@dataclass(frozen=True, repr=False)
class EMA(Averaging):
    """M_t = beta M_{t-1} + (1 - beta) G_t, with beta = 1 - 1/T.

    Args:
        window: T = 1/(1 - beta) in steps, 1 <= T <= WIDEST, may be fractional.
        start: "zero": M_0 = 0, without debiasing, as in the paper. "first": the average is the first gradient after the
            first step, and runs from there. "debiased": from zero, divided by 1 - beta^t, as Adam does. Steady, they
            are the same; before, the last differs from the first by scale only.

    Raises:
        ValueError: If an argument is none of these.

    Heavy ball, B_t = mu B_{t-1} + G_t, is the same as from zero, times T: `HeavyBall`.

    Example:
        >>> EMA(20).n_eff(), EMA(20).lag()
        (39.0, 19.0)

    Source: theory.md F2.
    """

    window: float
    start: str = "zero"

    def __post_init__(self) -> None:
        object.__setattr__(self, "window", geometric.window_of(self.window))
        need(isinstance(self.start, str) and self.start in STARTS, f"start in {STARTS}", start=self.start)

    def rate(self, step: int) -> float:
        """alpha_t: 1/T, but 1 at the first step of "first", and 1/(T (1 - beta^(t + 1))) where "debiased"."""
        if self.start == "zero" or step == 0:
            return 1 / self.window if self.start == "zero" else 1.0
        return 1 / self.window / (geometric.missing(self.window, step + 1) if self.start == "debiased" else 1)

    def weights(self, steps: int, first: int = 0, after: int | None = None) -> Floats:
        """beta^k/T; beta^(t-1) for the oldest of "first"; all over 1 - beta^t where "debiased"."""
        k = ages(steps, first, after)
        w = geometric.weights(self.window, k)
        if self.start == "first":
            w[k == steps - 1] = geometric.power(self.window, steps - 1)
        return w / geometric.missing(self.window, steps) if self.start == "debiased" else w

    def startup(self, steps: int) -> float:
        """beta^t, what is left of the steady weights for what came before the first of `steps` steps.

        Args:
            steps: How many gradients there were, >= 1.

        Raises:
            ValueError: If steps is below 1.
        """
        need_steps(steps)
        return 1 - geometric.missing(self.window, steps)

    def gain(self, steps: int | None = None) -> float:
        """Sum of the weights: 1 - beta^t from zero, otherwise 1 (F2)."""
        need_steps(steps)
        return geometric.missing(self.window, steps) if self.start == "zero" else 1.0

    def noise_factor(self, steps: int | None = None) -> float:
        """Sum of the squared weights: (1 - beta^(2t))/(2T - 1) from zero (F2)."""
        need_steps(steps)
        if self.start == "first" and steps is not None:
            return geometric.squares(self.window, steps - 1) + geometric.power(self.window, 2 * (steps - 1))
        scale = geometric.missing(self.window, steps) if self.start == "debiased" else 1.0
        return geometric.squares(self.window, steps) / scale**2

    def lag(self, steps: int | None = None) -> float:
        """Mean age in steps: T - 1 - t beta^t/(1 - beta^t), but (T - 1)(1 - beta^(t-1)) for "first" (F2)."""
        need_steps(steps)
        if self.start == "first" and steps is not None:
            return (self.window - 1) * geometric.missing(self.window, steps - 1)
        return geometric.mean_age(self.window, steps)

    def response(self, omega: float, steps: int | None = None) -> complex:
        """h = sum_k w_k e^(-i omega k): (1 - z^t)/(T (1 - z)) from zero, with z = beta e^(-i omega) (F7)."""
        need_steps(steps)
        need_omega(omega)
        if self.start == "first" and steps is not None:
            oldest = geometric.power(self.window, steps - 1) * cmath.exp(-1j * omega * (steps - 1))
            return oldest + (geometric.rotated(self.window, omega, steps - 1) if steps > 1 else 0)
        scale = geometric.missing(self.window, steps) if self.start == "debiased" else 1.0
        return geometric.rotated(self.window, omega, steps) / scale
