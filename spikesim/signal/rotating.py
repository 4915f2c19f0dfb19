"""Singular vectors that turn steadily."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from spikesim.errors import need
from spikesim.noise.base import is_real
from spikesim.signal.base import Doubles, Signal


@dataclass(frozen=True)
class Rotating(Signal):
    """Singular vectors that turn steadily: u_k(t) = cos(omega t) u_k + sin(omega t) u'_k.

    Args:
        omega: Angle of a step in radians, 0 < |omega| <= pi.
        both: Whether v_k turns towards its partner v'_k by the same angle; otherwise it stays.

    Raises:
        ValueError: If an argument breaks the conditions above.

    Source: theory.md F7, S8.
    """

    omega: float
    both: bool = False

    def __post_init__(self) -> None:
        need(is_real(self.omega) and 0 < abs(self.omega) <= math.pi, "0 < |omega| <= pi", omega=self.omega)
        need(isinstance(self.both, bool), "both: True or False", both=self.both)
        object.__setattr__(self, "omega", float(self.omega))

    @property
    def parts(self) -> tuple[int, int]:  # type: ignore[override]
        """u has a partner; v has one where both turn."""
        return 2, 1 + self.both

    def turns(self, steps: ArrayLike) -> tuple[Doubles, Doubles]:
        """Cosine and sine of omega t."""
        angle = self.omega * np.asarray(steps, np.float64)
        p = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
        return p, p if self.both else np.ones((*angle.shape, 1))
