"""Amplitudes that swing."""

import math
from dataclasses import dataclass

import numpy as np

from spikesim.errors import need
from spikesim.noise.base import is_real
from spikesim.signal.base import Doubles
from spikesim.signal.modulated import Modulated

LONGEST, DEEPEST = 1e12, 1e3


@dataclass(frozen=True)
class Oscillating(Modulated):
    """lambda_k(t) = lambda_k (1 + depth cos(2 pi (t / period + k phase))), k = 0 the first spike.

    Args:
        period: In steps, 2 <= period <= LONGEST; may be fractional.
        depth: 0 < depth <= DEEPEST; above 1 signs change.
        phase: Part of a period by which each spike is ahead of the one before, |phase| <= 1.
        motion: How the vectors move; see Modulated.

    Raises:
        ValueError: If an argument breaks the conditions above.

    Source: theory.md F11.
    """

    period: float
    depth: float
    phase: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        need(is_real(self.period) and 2 <= self.period <= LONGEST, f"2 <= period <= {LONGEST:g}", period=self.period)
        need(is_real(self.depth) and 0 < self.depth <= DEEPEST, f"0 < depth <= {DEEPEST:g}", depth=self.depth)
        need(is_real(self.phase) and abs(self.phase) <= 1, "|phase| <= 1", phase=self.phase)
        for name in ("period", "depth", "phase"):
            object.__setattr__(self, name, float(getattr(self, name)))

    def own_modes(self, steps: Doubles) -> Doubles:
        """1, depth cos, -depth sin of the first spike's angle."""
        angle = 2 * math.pi * (np.fmod(steps, self.period) / self.period)
        return np.stack([np.ones_like(angle), self.depth * np.cos(angle), -self.depth * np.sin(angle)], axis=-1)

    def own_shares(self, rank: int) -> Doubles:
        """1, and cos and sin of 2 pi k phase."""
        ahead = 2 * math.pi * self.phase * np.arange(rank)
        return np.stack([np.ones(rank), np.cos(ahead), np.sin(ahead)])
