"""The mean of the last L gradients (theory.md F5)."""

import math
from dataclasses import dataclass
from functools import reduce
from itertools import accumulate
from operator import add

import numpy as np

from spikesim.arrays import Array
from spikesim.errors import need
from spikesim.filters.base import Floats, LinearFilter, ages, need_omega, need_steps, need_weight
from spikesim.filters.geometric import is_real

LONGEST = 2**32
"""Largest L."""


@dataclass(frozen=True, repr=False)
class MovingAverage(LinearFilter):
    """M_t = (G_t + ... + G_{t-L+1})/L, steps before the first counting as zero.

    Args:
        window: L in steps, a whole number in [1, LONGEST]. What runs keeps about 2 L arrays.

    Raises:
        ValueError: If the window is not such a number.

    Source: theory.md F5.
    """

    window: int

    def __post_init__(self) -> None:
        whole = is_real(self.window) and 1 <= self.window <= LONGEST and int(self.window) == self.window
        need(whole, f"window: a whole number in [1, {LONGEST}]", window=self.window)
        object.__setattr__(self, "window", int(self.window))

    def _seen(self, steps: int | None) -> int:
        need_steps(steps)
        return self.window if steps is None else min(int(steps), self.window)

    def weights(self, steps: int, first: int = 0, after: int | None = None) -> Floats:
        """1/L below age L, then 0."""
        return np.where(ages(steps, first, after) < self.window, 1 / self.window, 0.0)

    def settling(self, weight: float = 1e-6) -> int:
        """Steps until the part of L that is not yet there is below `weight`, in (0, 1); L at most."""
        need_weight(weight)
        return max(1, min(self.window, math.floor((1 - weight) * self.window) + 1))

    def memory(self) -> "Sliding":
        """Running sums that begin anew every L steps."""
        return Sliding(self.window)

    @property
    def held(self) -> int:
        """See `LinearFilter.held`."""
        return 2 * self.window

    def gain(self, steps: int | None = None) -> float:
        """min(t, L)/L."""
        return self._seen(steps) / self.window

    def noise_factor(self, steps: int | None = None) -> float:
        """min(t, L)/L^2."""
        return self._seen(steps) / self.window**2

    def lag(self, steps: int | None = None) -> float:
        """(min(t, L) - 1)/2."""
        return (self._seen(steps) - 1) / 2

    def response(self, omega: float, steps: int | None = None) -> complex:
        """sin(t omega/2)/(L sin(omega/2)) e^(-i omega (t - 1)/2), with min(t, L) for t (F7)."""
        need_omega(omega)
        seen, half = self._seen(steps), math.remainder(omega, 2 * math.pi) / 2
        size = math.sin(seen * half) / math.sin(half) if half else seen
        return size / self.window * complex(math.cos((seen - 1) * half), -math.sin((seen - 1) * half))


class Sliding:
    """Memory of the mean of the last L steps, in about two additions a step and without subtractions.

    Steps fall into blocks of L. A mean is that of the newest block's sum so far and a sum of the block before it over its
    newest steps, so that errors of rounding do not add up over a run.
    """

    def __init__(self, length: int) -> None:
        self._length = length
        self._block: list[Array] = []
        self._sum: Array = None
        self._older: list[Array] = []

    def push(self, x: Array) -> None:
        """Take the next step's array."""
        self._block.append(x)
        self._sum = x if len(self._block) == 1 else self._sum + x
        if len(self._block) == self._length:
            self._older, self._block = list(accumulate(reversed(self._block), add)), []

    def output(self) -> Array:
        """The sum over the last L steps, over L."""
        need(self._block or self._older, "one step or more before an output", steps=0)
        seen = len(self._block)
        older = self._older[self._length - seen - 1 : self._length - seen]
        return reduce(add, [*older, self._sum] if seen else older) * (1 / self._length)
