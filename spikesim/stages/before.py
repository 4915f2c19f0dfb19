"""What practice does to single gradients before they are averaged: norm clipping, and signs; they may stand anywhere."""

from dataclasses import dataclass

from spikesim.arrays import Array, array_namespace, frobenius
from spikesim.errors import need
from spikesim.noise.base import is_real
from spikesim.stages.base import Stage


@dataclass(frozen=True, repr=False)
class Clip(Stage):
    """Norm clipping: X min(1, norm/‖X‖_F).

    Args:
        norm: Largest Frobenius norm, > 0, in the unit of the gradients.

    Raises:
        ValueError: If the norm is not such a number.
    """

    norm: float

    def __post_init__(self) -> None:
        need(is_real(self.norm) and self.norm > 0, "norm > 0", norm=self.norm)
        object.__setattr__(self, "norm", float(self.norm))

    def apply(self, x: Array) -> Array:
        """See `Stage.apply`."""
        xp = array_namespace(x)
        size = frobenius(x)[..., None, None]
        return xp.where(size > self.norm, x * (self.norm / xp.where(size > 0, size, xp.ones_like(size))), x)


@dataclass(frozen=True, repr=False)
class Normalise(Stage):
    """X/‖X‖_F: every gradient weighs the same; zero stays zero."""

    def apply(self, x: Array) -> Array:
        """See `Stage.apply`."""
        xp = array_namespace(x)
        size = frobenius(x)[..., None, None]
        return x / xp.where(size > 0, size, xp.ones_like(size))


@dataclass(frozen=True, repr=False)
class Sign(Stage):
    """The sign of each entry, as in Lion and signSGD.

    Source: Chen et al., Symbolic discovery of optimization algorithms (2023).
    """

    def apply(self, x: Array) -> Array:
        """See `Stage.apply`."""
        return array_namespace(x).sign(x)
