"""Amplitudes that fade."""

from dataclasses import dataclass
from typing import ClassVar

from spikesim.errors import need
from spikesim.noise.base import is_real
from spikesim.signal.base import Doubles
from spikesim.signal.modulated import Modulated

STEEPEST = 4.0


@dataclass(frozen=True)
class Fading(Modulated):
    """lambda_k(t) = lambda_k (1 + t)^(-exponent), as of gradients near an optimum.

    It has no steady state: simulate needs steps.

    Args:
        exponent: 0 < exponent <= STEEPEST.
        motion: How the vectors move; see Modulated.

    Raises:
        ValueError: If an argument breaks the conditions above.

    Source: theory.md F11.
    """

    exponent: float

    steady: ClassVar[bool] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        good = is_real(self.exponent) and 0 < self.exponent <= STEEPEST
        need(good, f"0 < exponent <= {STEEPEST:g}", exponent=self.exponent)
        object.__setattr__(self, "exponent", float(self.exponent))

    def own_modes(self, steps: Doubles) -> Doubles:
        """The one factor."""
        return ((1 + steps) ** -self.exponent)[..., None]
