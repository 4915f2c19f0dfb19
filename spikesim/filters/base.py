"""Linear filters over time: what weights a buffer gives to past gradients (theory.md F1).

Notation: after t steps M_t = sum_k w_k G_{t-k}, k = 0 the newest; the weights w_k of a filter may depend on t. "Steady" is
the limit of many steps, where they no longer do.
"""

import cmath
import dataclasses
import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from spikesim.arrays import Array
from spikesim.errors import need
from spikesim.filters.geometric import is_real, is_whole

Floats = NDArray[np.float64]

NEGLIGIBLE = 2.0**-100
"""Share of the weights that a sum over all of them leaves out: far below rounding."""
LARGEST = 1e150
"""Sum of a filter's coefficients: its square is a number too."""
TINY = 1e-280
"""Sum of squares below which some may have been lost."""
ROUNDING = 1e-12
"""Part of the absolute weights below which their sum is 0 but for rounding."""
PIECE = 1 << 16
"""Weights held at once."""


class Memory(Protocol):
    """A filter that runs over a stream, from nothing.

    Arrays may be of any shape and namespace. All is done entry by entry and in the order of time, so that an entry's
    output depends on its own past alone.
    """

    def push(self, x: Array, /) -> None:
        """Take the next step's array. It may be kept: what is written into it later is written into the past."""

    def output(self) -> Array:
        """What the filter gives after the newest step; needs one step."""


class LinearFilter(ABC):
    """Base of all filters: frozen dataclasses that give their weights, how long they remember, and a running form.

    A filter that is a function of a window T has it as its first field, `window`.
    """

    @abstractmethod
    def weights(self, steps: int, first: int = 0, after: int | None = None) -> Floats:
        """w_k of the output after `steps` steps for first <= k < min(after, steps), the newest first.

        Args:
            steps: How many gradients there were, >= 1.
            first: The first age k, >= 0.
            after: The age to stop before; all there are where left out.

        Raises:
            ValueError: If an argument is outside its range.
        """

    @abstractmethod
    def settling(self, weight: float = 1e-6) -> int:
        """Steps until the start-up is over, to within `weight`, in (0, 1).

        From then on less than this share of the steady filter's absolute weights would lie before the first step, and
        gradients as many steps old have less than it.

        Args:
            weight: Share of the absolute weights that counts as nothing, in (0, 1).

        Raises:
            ValueError: If an argument is outside its range.
        """

    @abstractmethod
    def memory(self) -> Memory:
        """The filter's running form, before its first step."""

    @property
    def held(self) -> int:
        """How many arrays its running form keeps, about."""
        return 2

    def __repr__(self) -> str:
        shown = []
        for field in dataclasses.fields(self):  # type: ignore[arg-type]  # every filter is a dataclass
            value = getattr(self, field.name)
            if field.default is dataclasses.MISSING:
                shown.append(repr(value))
            elif value != field.default:
                shown.append(f"{field.name}={value!r}")
        return f"{type(self).__name__}({', '.join(shown)})"

    def pieces(self, steps: int | None = None) -> Iterator[tuple[Floats, Floats]]:
        """Ages k and weights w_k after `steps` steps, or in steady state, piece by piece; negligible ones left out.

        Args:
            steps: Steps since the first gradient, >= 1; None is the steady state.

        Raises:
            ValueError: If steps is below 1.
        """
        need_steps(steps)
        settled = self.settling(NEGLIGIBLE)
        seen = settled if steps is None else steps
        for first in range(0, min(seen, settled), PIECE):
            after = min(first + PIECE, seen, settled)
            yield np.arange(first, after, dtype=np.float64), self.weights(seen, first, after)

    def gain(self, steps: int | None = None) -> float:
        """Sum of the weights: what a constant signal is multiplied by (F1).

        Args:
            steps: Steps since the first gradient, >= 1; None is the steady state.

        Raises:
            ValueError: If steps is below 1.
        """
        return math.fsum(float(w.sum()) for _, w in self.pieces(steps))

    def noise_factor(self, steps: int | None = None) -> float:
        """Sum of the squared weights: what the variance of orthogonal noise is multiplied by (F1).

        Args:
            steps: Steps since the first gradient, >= 1; None is the steady state.

        Raises:
            ValueError: If steps is below 1.
        """
        return math.fsum(float(w @ w) for _, w in self.pieces(steps))

    def n_eff(self, steps: int | None = None) -> float:
        """Effective sample size, gain^2 / noise factor (F1); 0 where the gain is 0.

        Args:
            steps: Steps since the first gradient, >= 1; None is the steady state.

        Raises:
            ValueError: If steps is below 1.
        """
        gain, factor = self.gain(steps), self.noise_factor(steps)
        if factor > TINY or not gain:
            return gain**2 / factor if gain else 0.0
        largest = max(float(np.max(np.abs(w))) for _, w in self.pieces(steps))  # squares of weights so small are 0
        sums = [(w.sum(), w @ w) for w in (w / largest for _, w in self.pieces(steps))]
        return float(math.fsum(s for s, _ in sums) ** 2 / math.fsum(q for _, q in sums))

    def lag(self, steps: int | None = None) -> float:
        """Mean age sum k w_k / sum w_k in steps: the delay of a slow drift (F1); NaN where the gain is 0.

        Args:
            steps: Steps since the first gradient, >= 1; None is the steady state.

        Raises:
            ValueError: If steps is below 1.
        """
        gain, sizes = self.gain(steps), math.fsum(float(np.abs(w).sum()) for _, w in self.pieces(steps))
        if abs(gain) <= ROUNDING * sizes:
            return math.nan
        return math.fsum(float(k @ w) for k, w in self.pieces(steps)) / gain

    def response(self, omega: float, steps: int | None = None) -> complex:
        """h = sum_k w_k e^(-i omega k): what a vector that turns by omega radians a step is multiplied by (F7).

        Args:
            omega: Radians a step, finite.
            steps: Steps since the first gradient, >= 1; None is the steady state.

        Raises:
            ValueError: If an argument is outside its range.
        """
        need_omega(omega)
        return sum((complex(w @ np.exp(-1j * omega * k)) for k, w in self.pieces(steps)), 0j)


def need_steps(steps: int | None) -> None:
    """Refuse a number of steps that is none."""
    need(steps is None or (is_whole(steps) and steps >= 1), "steps >= 1", steps=steps)


def need_omega(omega: float) -> None:
    """Refuse an angle that is no number."""
    need(is_real(omega) and cmath.isfinite(omega), "omega: a finite angle in radians", omega=omega)


def need_weight(weight: float) -> None:
    """Refuse a share of the weights that is none."""
    need(is_real(weight) and 0 < weight < 1, "0 < weight < 1", weight=weight)


def ages(steps: int, first: int, after: int | None) -> Floats:
    """The ages k that `weights` is asked for, first <= k < min(after, steps)."""
    need_steps(steps)
    need(first >= 0, "first >= 0", first=first)
    return np.arange(first, steps if after is None else min(after, steps), dtype=np.float64)


def settled(taps: NDArray[np.float64], weight: float) -> int:
    """The smallest t >= 1 so that taps t, t + 1, ... have less than this share of all absolute taps."""
    older = np.cumsum(np.abs(taps[::-1]))[::-1]
    return max(1, int(np.sum(older >= weight * older[0])))


def taps_of(name: str, values: object) -> tuple[float, ...]:
    """A filter's coefficients as a tuple of finite numbers, not all zero."""
    taps = tuple(values) if isinstance(values, Iterable) else ()
    good = len(taps) > 0 and all(is_real(c) and math.isfinite(c) for c in taps) and any(c != 0 for c in taps)
    need(good, f"{name}: one or more finite numbers, not all zero", **{name: values})
    need(sum(abs(c) for c in taps) <= LARGEST, f"{name}: sizes that sum up to at most {LARGEST:g}", **{name: values})
    return tuple(float(c) for c in taps)
