"""Amplitudes whose signs change."""

from dataclasses import dataclass

import numpy as np

from spikesim.errors import need
from spikesim.noise.base import is_real
from spikesim.signal.base import Doubles
from spikesim.signal.modulated import Modulated
from spikesim.signal.whole import whole


@dataclass(frozen=True)
class Alternating(Modulated):
    """lambda_k(t) = +-lambda_k, in a fixed pattern of signs that is + first and has a given mean.

    Sign j = 0, 1, ... holds for `every` steps and is ceil((j + 1) p) - ceil(j p) in place of 1 and 0, p = (1 + mean) / 2: the
    most even pattern of that mean, + - + - ... for mean = 0. c_sig falls to |mean| as T grows, and at mean = 0 to 0.

    Args:
        every: Steps that a sign holds, an integer >= 1.
        mean: Of the signs, -1 < mean < 1.
        kept: How many of the first spikes keep theirs, an integer from 0 to r - 1.
        motion: How the vectors move; see Modulated.

    Raises:
        ValueError: If an argument breaks the conditions above.

    Source: theory.md F11.
    """

    every: int = 1
    mean: float = 0.0
    kept: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "every", whole("every", self.every, 1))
        object.__setattr__(self, "kept", whole("kept", self.kept, 0))
        need(is_real(self.mean) and -1 < self.mean < 1, "-1 < mean < 1", mean=self.mean)
        object.__setattr__(self, "mean", float(self.mean))

    def check(self, shape: tuple[int, int], rank: int) -> None:
        """Refuse fewer spikes than keep their sign, and one more."""
        super().check(shape, rank)
        need(self.kept < rank, "kept < r, or nothing alternates", kept=self.kept, r=rank)

    def own_modes(self, steps: Doubles) -> Doubles:
        """The signs; 1 for those that are kept, if any."""
        number, share = np.floor(steps / self.every), (1 + self.mean) / 2
        signs = 2 * (np.ceil((number + 1) * share) - np.ceil(number * share)) - 1
        return np.stack([signs, np.ones_like(signs)], axis=-1) if self.kept else signs[..., None]

    def own_shares(self, rank: int) -> Doubles:
        """Which spikes alternate, and which not."""
        alternates = (np.arange(rank) >= self.kept).astype(np.float64)
        return np.stack([alternates, 1 - alternates]) if self.kept else alternates[None]
