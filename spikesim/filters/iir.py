"""Any recursive filter of constant coefficients (theory.md F9)."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from spikesim.arrays import Array
from spikesim.errors import need
from spikesim.filters.base import NEGLIGIBLE, Floats, LinearFilter, ages, need_weight, settled, taps_of

SLOWEST = 1e5
"""Largest window 1/(1 - |z|) of a pole: its weights are kept, about 80 windows of them."""

Taps = tuple[float, ...]


@dataclass(frozen=True, repr=False)
class IIR(LinearFilter):
    """y_t = sum_i b_i x_{t-i} - sum_{i>0} a_i y_{t-i}, from rest; coefficients as scipy.signal.lfilter takes them.

    Args:
        feedforward: b_0, b_1, ...
        feedback: a_0 = 1, a_1, ...; b = (1/T,), a = (1, -beta) is an EMA.

    Raises:
        ValueError: If coefficients are not finite numbers, b is zero, a_0 is not 1, or a pole z, a root of
            sum_i a_i z^(n-i), is unstable: |z| > 1 - 1/SLOWEST.

    Source: theory.md F9.
    """

    feedforward: Taps
    feedback: Taps

    def __post_init__(self) -> None:
        object.__setattr__(self, "feedforward", taps_of("feedforward", self.feedforward))
        object.__setattr__(self, "feedback", taps_of("feedback", self.feedback))
        need(self.feedback[0] == 1, "feedback[0] == 1", feedback=self.feedback)
        modulus = float(np.abs(np.roots(self.feedback)).max(initial=0.0))
        need(modulus <= 1 - 1 / SLOWEST, f"stable poles, |z| <= 1 - {1 / SLOWEST:g}", modulus=modulus)

    def weights(self, steps: int, first: int = 0, after: int | None = None) -> Floats:
        """The response to an impulse, the same at every step."""
        response = _response(*self._padded)
        return response[np.minimum(ages(steps, first, after).astype(np.int64), response.size - 1)]

    def settling(self, weight: float = 1e-6) -> int:
        """Steps after which older steps have less than this share, in (0, 1), of all absolute weights."""
        need_weight(weight)
        return settled(_response(*self._padded), weight)

    def memory(self) -> "Transposed":
        """Transposed direct form II, from rest."""
        return Transposed(*self._padded)

    @property
    def _padded(self) -> tuple[Taps, Taps]:
        """b and a of one length n + 1."""
        size = max(len(self.feedforward), len(self.feedback))
        b, a = (c + (0.0,) * (size - len(c)) for c in (self.feedforward, self.feedback))
        return b, a


@lru_cache(maxsize=16)
def _response(b: Taps, a: Taps) -> Floats:
    """The response to an impulse until all that comes after is negligible, and one 0.

    b and a have one length.
    """
    from scipy.signal import lfilter  # a second to import

    reach = _reach(a)
    state, response = np.zeros(len(a) - 1), np.zeros(0)
    while True:
        pulse = np.zeros(max(64, response.size))
        pulse[0] = response.size == 0
        fresh, state = lfilter(b, a, pulse, zi=state)
        response = np.concatenate([response, fresh])
        if reach * float(np.linalg.norm(state)) <= NEGLIGIBLE**1.1 * float(np.abs(response).sum()):
            response = np.append(response, 0.0)
            response.setflags(write=False)
            return response


def _reach(a: Taps) -> float:
    """A bound g: left to itself in the state s, the filter's absolute outputs sum to at most g ‖s‖.

    With F the motion of the state and ‖F^N‖ <= 1/2, g = 2 sum_{i<N} ‖row 1 of F^i‖.
    """
    from scipy.signal import lfilter

    states, rows, size = np.eye(len(a) - 1), 0.0, 64
    while states.size and np.linalg.norm(states, 2) > 0.5:
        outputs, states = lfilter(np.eye(1, len(a))[0], a, np.zeros((size, len(a) - 1)), axis=0, zi=states)
        rows += float(np.linalg.norm(outputs, axis=1).sum())
        size *= 2
    return 2 * rows


class Transposed:
    """Memory of the transposed direct form II: y = b_0 x + s_1, then s_i = s_{i+1} + b_i x - a_i y."""

    def __init__(self, feedforward: Taps, feedback: Taps) -> None:
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
