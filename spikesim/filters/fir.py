"""Any finite weights (theory.md F9)."""

from collections import deque
from dataclasses import dataclass
from functools import reduce
from operator import add

import numpy as np

from spikesim.arrays import Array
from spikesim.errors import need
from spikesim.filters.base import Floats, LinearFilter, ages, need_weight, settled, taps_of


@dataclass(frozen=True, repr=False)
class FIR(LinearFilter):
    """M_t = sum_k taps_k G_{t-k}, steps before the first counting as zero.

    Args:
        taps: Weights w_0, w_1, ..., the newest first.

    Raises:
        ValueError: If the taps are not finite numbers, or all are 0.

    Source: theory.md F9.
    """

    taps: tuple[float, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "taps", taps_of("taps", self.taps))

    def weights(self, steps: int, first: int = 0, after: int | None = None) -> Floats:
        """The taps, then 0."""
        k = ages(steps, first, after).astype(np.int64)
        return np.append(self.taps, 0.0)[np.minimum(k, len(self.taps))]

    def settling(self, weight: float = 1e-6) -> int:
        """Steps until the share of the absolute taps that is not yet there is below `weight`, in (0, 1)."""
        need_weight(weight)
        return settled(np.array(self.taps), weight)

    @property
    def held(self) -> int:
        """See `LinearFilter.held`."""
        return len(self.taps)

    def memory(self) -> "Line":
        """The steps that have a tap."""
        return Line(self.taps)


class Line:
    """Memory of the last steps, one a tap."""

    def __init__(self, taps: tuple[float, ...]) -> None:
        self._taps = taps
        self._steps: deque[Array] = deque(maxlen=len(taps))

    def push(self, x: Array) -> None:
        """Take the next step's array."""
        self._steps.appendleft(x)

    def output(self) -> Array:
        """The weighted sum, the newest first."""
        need(self._steps, "one step or more before an output", steps=0)
        return reduce(add, (w * x for w, x in zip(self._taps, self._steps, strict=False)))
