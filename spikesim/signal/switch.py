"""A signal that changes once, suddenly."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from spikesim.errors import need
from spikesim.signal.base import Doubles, Signal
from spikesim.signal.whole import whole

CHANGES = ("u", "both", "sign")


@dataclass(frozen=True)
class Switch(Signal):
    """One sudden change: S_t is another matrix before step `at`, orthogonal to the present one or its negative.

    Args:
        at: The first step of the present signal, an integer >= 1 (steps count from 0).
        change: "u": before, the left vectors are the partners u'_k; "both": so are the right ones; "sign": the signal is -S.

    A stream of so many steps after the change is told nothing of by a steady state: simulate needs steps.

    Raises:
        ValueError: If an argument breaks the conditions above.

    Source: theory.md F11.
    """

    at: int
    change: str = "both"

    steady: ClassVar[bool] = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", whole("at", self.at, 1))
        need(self.change in CHANGES, f"change in {CHANGES}", change=self.change)

    @property
    def parts(self) -> tuple[int, int]:  # type: ignore[override]
        """Frames that were there before count."""
        return 1 + (self.change != "sign"), 1 + (self.change == "both")

    def turns(self, steps: ArrayLike) -> tuple[Doubles, Doubles]:
        """The partners before the change, the present ones after."""
        now = np.asarray(steps) >= self.at
        frames = np.stack([now, ~now], axis=-1).astype(np.float64)
        ones = np.ones((*now.shape, 1))
        return frames if self.parts[0] == 2 else ones, frames if self.parts[1] == 2 else ones

    def modes(self, steps: ArrayLike) -> Doubles:
        """-1 before the change where it is one of sign."""
        before = -1.0 if self.change == "sign" else 1.0
        return np.where(np.asarray(steps) >= self.at, 1.0, before)[..., None]
