"""Any recursive filter of constant coefficients (theory.md F9).

Notation: y_t = sum_i b_i x_{t-i} - sum_{i>0} a_i y_{t-i}, of order n; a unit step leaves the state s in R^n of the
transposed direct form II, which moves by s <- F s once the input is zero, with y the state's first entry. So
w_0 = b_0 and w_k = (F^(k-1) s)_1.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from spikesim.arrays import Array
from spikesim.errors import need
from spikesim.filters.base import Floats, LinearFilter, ages, need_weight, taps_of

SLOWEST = 1e6
"""Largest window 1/(1 - |z|) of a pole: slower ones are no longer told from unstable ones by their coefficients."""


@dataclass(frozen=True, repr=False)
class IIR(LinearFilter):
    """y_t = sum_i b_i x_{t-i} - sum_{i>0} a_i y_{t-i}, from rest; coefficients as scipy.signal.lfilter takes them.

    Args:
        feedforward: b_0, b_1, ...
        feedback: a_0 = 1, a_1, ...; a_1 = -beta is the pole of an EMA.

    Raises:
        ValueError: If coefficients are not finite numbers, b is zero, a_0 is not 1, or a pole z (root of
            sum_i a_i z^(n-i)) is unstable: |z| above 1 - 1/SLOWEST.

    Source: theory.md F9.
    """

    feedforward: tuple[float, ...]
    feedback: tuple[float, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "feedforward", taps_of("feedforward", self.feedforward))
        object.__setattr__(self, "feedback", taps_of("feedback", self.feedback))
        need(self.feedback[0] == 1, "feedback[0] == 1", feedback=self.feedback)
        slowest = float(np.abs(np.roots(self.feedback)).max(initial=0.0))
        need(slowest <= 1 - 1 / SLOWEST, f"every pole stable, |z| <= 1 - {1 / SLOWEST:g}", modulus=slowest)

    def weights(self, steps: int, first: int = 0, after: int | None = None) -> Floats:
        """The response to a unit step's impulse, at the same ages whatever the steps."""
        k = ages(steps, first, after)
        skipped = 1 if first == 0 else 0
        state = np.linalg.matrix_power(self._motion, max(first - 1, 0)) @ self._impulse
        tail = _rows(self._motion, k.size - skipped) @ state if k.size > skipped else np.zeros(0)
        return np.concatenate([[self.feedforward[0]], tail])[: k.size] if skipped else tail

    def settling(self, weight: float = 1e-6) -> int:
        """Steps after which older steps have less than this share, in (0, 1), of all absolute weights; an upper bound.

        With ‖F^N‖ <= 1/2, the weights from age k on sum to at most 2 g ‖F^(k-1) s‖, g the norms of the first N rows.
        """
        need_weight(weight)
        power, rows = self._contraction
        bound = 2 * float(np.linalg.norm(_rows(self._motion, rows), axis=1).sum()) if rows else 0.0
        total = float(np.abs(self.weights(max(64, rows))).sum())
        if self._left(1) * bound < weight * total:
            return 1
        high = 1 + max(power, 1)
        while self._left(high) * bound >= weight * total:
            high *= 2
        low = 1
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self._left(middle) * bound < weight * total else (middle, high)
        return high

    def memory(self) -> "Transposed":
        """Transposed direct form II, from rest."""
        return Transposed(*self._padded)

    @cached_property
    def _padded(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """b and a of one length n + 1."""
        size = max(len(self.feedforward), len(self.feedback))
        b, a = (c + (0.0,) * (size - len(c)) for c in (self.feedforward, self.feedback))
        return b, a

    @cached_property
    def _motion(self) -> Floats:
        """F, (n, n)."""
        a = np.array(self._padded[1])[1:]
        motion = np.eye(a.size, k=1)
        motion[:, :1] -= a[:, None]
        return motion

    @cached_property
    def _impulse(self) -> Floats:
        """s after a unit step, (n,)."""
        b, a = (np.array(c)[1:] for c in self._padded)
        return b - a * self.feedforward[0]

    @cached_property
    def _contraction(self) -> tuple[int, int]:
        """A power of two N with ‖F^N‖_2 <= 1/2, and how many rows that makes; 1 and 0 without a state."""
        motion, power = self._motion, 1
        while motion.size and np.linalg.norm(motion, 2) > 0.5:
            motion, power = motion @ motion, 2 * power
        return power, power if motion.size else 0

    def _left(self, steps: int) -> float:
        """‖F^(k-1) s‖."""
        return float(np.linalg.norm(np.linalg.matrix_power(self._motion, steps - 1) @ self._impulse))


def _rows(motion: Floats, count: int) -> Floats:
    """The first rows of F^0, F^1, ..., (count, n), by doubling."""
    rows, power = np.eye(len(motion))[:1], motion
    if not motion.size:
        return np.zeros((count, 0))
    while len(rows) < count:
        rows, power = np.concatenate([rows, rows @ power]), power @ power
    return rows[:count]


class Transposed:
    """Memory of the transposed direct form II: y = b_0 x + s_1, then s_i = s_{i+1} + b_i x - a_i y."""

    def __init__(self, feedforward: tuple[float, ...], feedback: tuple[float, ...]) -> None:
        self._b, self._a = feedforward, feedback
        self._states: list[Any] = []
        self._output: Any = None

    def push(self, x: Array) -> None:
        """Take the next step's array."""
        old = self._states
        y = self._b[0] * x + old[0] if old else self._b[0] * x
        fresh = [b * x - a * y for b, a in zip(self._b[1:], self._a[1:], strict=True)]
        self._states = [s + after for s, after in zip(fresh, old[1:], strict=False)] + fresh[-1:] if old else fresh
        self._output = y

    def output(self) -> Array:
        """y after the newest step."""
        need(self._output is not None, "one step or more before an output", steps=0)
        return self._output
