"""Amplitudes that vary in time, lambda_k(t) = lambda_k f_k(t), over vectors that stay or move by another law."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from spikesim.errors import need
from spikesim.signal.base import Constant, Doubles, Signal


@dataclass(frozen=True)
class Modulated(Signal):
    """Base: a signal whose amplitudes are multiplied by factors of the law's own.

    Args:
        motion: The signal that is modulated; its factors, if it has any, stay on.
    """

    motion: Signal = field(default=Constant(), kw_only=True)

    def __post_init__(self) -> None:
        known = isinstance(self.motion, Signal) and type(self.motion) not in (Signal, Modulated)
        need(known, "motion: a signal, such as ss.Rotating(0.01)", motion=self.motion)

    @property
    def parts(self) -> tuple[int, int]:  # type: ignore[override]
        """Those of the signal that is modulated."""
        return self.motion.parts

    @property
    def steady(self) -> bool:  # type: ignore[override]
        """Whether the signal that is modulated is."""
        return self.motion.steady

    def check(self, shape: tuple[int, int], rank: int) -> None:
        """Refuse what the signal that is modulated refuses."""
        self.motion.check(shape, rank)

    def turns(self, steps: ArrayLike) -> tuple[Doubles, Doubles]:
        """Those of the signal that is modulated."""
        return self.motion.turns(steps)

    def modes(self, steps: ArrayLike) -> Doubles:
        """Every mode of its own times every one of the signal that is modulated."""
        own, other = self.own_modes(np.asarray(steps, np.float64)), self.motion.modes(steps)
        return (own[..., :, None] * other[..., None, :]).reshape(*np.shape(steps), -1)

    def shares(self, rank: int) -> Doubles:
        """Products of both's shares, in the same order."""
        return (self.own_shares(rank)[:, None, :] * self.motion.shares(rank)).reshape(-1, rank)

    def own_modes(self, steps: Doubles) -> Doubles:
        """Modes of this law alone, (..., J)."""
        raise NotImplementedError

    def own_shares(self, rank: int) -> Doubles:
        """Shares of this law alone, (J, r); one factor for all spikes here."""
        return np.ones((1, rank))
