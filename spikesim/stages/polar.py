"""The polar step, as a stage, and what reads of its output at once."""

from dataclasses import dataclass
from typing import ClassVar

from spikesim.arrays import Array
from spikesim.errors import need
from spikesim.polar import svd
from spikesim.stages.base import Stage


@dataclass(frozen=True, repr=False)
class Polar(Stage):
    """The polar factor O(X); with a rank, O_r(X) = U_r V_r^T of the top singular pairs only.

    Args:
        rank: r >= 1 of O_r; None keeps all pairs. A rank above min(m, n) keeps all, too.

    Raises:
        ValueError: If the rank is not such a number.

    Source: theory.md, Notation.
    """

    rank: int | None = None
    orthogonalises: ClassVar[bool] = True

    def __post_init__(self) -> None:
        whole = isinstance(self.rank, int) and not isinstance(self.rank, bool)
        need(self.rank is None or (whole and self.rank >= 1), "rank: None or an integer >= 1", rank=self.rank)

    def apply(self, x: Array) -> Array:
        """See `Stage.apply`; a Cascade answers by faster means."""
        return svd(x).polar(self.rank)


@dataclass(frozen=True, repr=False)
class Read(Stage):
    """o_k = u_k^T X v_k, an (r, 1) matrix in X's place. Linear: linear stages after a polar step may as well follow this."""
