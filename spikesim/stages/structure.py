"""What the size of a parameter does to its update: factors of its shape or dual norm, and blocks that are updated apart."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from spikesim.arrays import Array, array_namespace
from spikesim.errors import need
from spikesim.orthogonal.factors import FACTORS, shape_factor
from spikesim.orthogonal.tiles import tilewise
from spikesim.stages.base import Stage
from spikesim.stages.polar import Polar


@dataclass(frozen=True, repr=False)
class ShapeFactor(Stage):
    """Times a number of the shape (m, n): "rms-rms" sqrt(m/n), "muon" sqrt(max(1, m/n)), "adam-rms" 0.2 sqrt(max(m, n)).

    Args:
        factor: "rms-rms", "muon" or "adam-rms".

    Raises:
        ValueError: If the factor is none of these.

    Source: theory.md O9.
    """

    factor: str

    def __post_init__(self) -> None:
        need(isinstance(self.factor, str) and self.factor in FACTORS, f"factor in {tuple(FACTORS)}", factor=self.factor)

    def apply(self, x: Array) -> Array:
        """See `Stage.apply`."""
        return x * shape_factor(tuple(x.shape[-2:]), self.factor)


@dataclass(frozen=True, repr=False)
class DualNorm(Stage):
    """<X, Y> Y, Y what a stage makes of X: with Polar() the nuclear norm times O(X), steepest descent by spectral norm.

    Args:
        stage: What is applied, not timed; Polar() where left out.

    Raises:
        ValueError: If the stage is one of time, or none.

    Source: Bernstein & Newhouse, arXiv 2409.20325; theory.md O9.
    """

    stage: Any = field(default_factory=Polar)
    orthogonalises: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _need_untimed(self.stage)

    def check(self, shape: tuple[int, int]) -> None:
        """See `Stage.check`."""
        self.stage.check(shape)

    def apply(self, x: Array) -> Array:
        """See `Stage.apply`."""
        y = self.stage.apply(x)
        return array_namespace(x).sum(x * y, axis=(-2, -1), keepdims=True) * y


@dataclass(frozen=True, repr=False)
class Identity(Stage):
    """X itself: in place of a polar step it makes momentum SGD."""

    def apply(self, x: Array) -> Array:
        """See `Stage.apply`."""
        return x


@dataclass(frozen=True, repr=False)
class Tiled(Stage):
    """A stage applied to each block of a grid of blocks: parameters that are several matrices stored as one.

    Args:
        counts: (rows, columns) of the grid; they divide m and n.
        stage: What is applied, not timed; Polar() where left out.

    Raises:
        ValueError: If the counts are not two integers >= 1, or the stage is one of time; where it runs, if the counts
            do not divide the shape.

    Source: theory.md O8.
    """

    counts: tuple[int, int]
    stage: Any = field(default_factory=Polar)
    orthogonalises: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _need_untimed(self.stage)
        good = (
            isinstance(self.counts, tuple)
            and len(self.counts) == 2
            and all(isinstance(c, int) and c >= 1 for c in self.counts)
        )
        need(good, "counts == (rows, columns), integers >= 1", counts=self.counts)

    def check(self, shape: tuple[int, int]) -> None:
        """See `Stage.check`."""
        whole = all(size % count == 0 for size, count in zip(shape, self.counts, strict=True))
        need(whole, f"counts that divide the shape {shape}", counts=self.counts)

    def apply(self, x: Array) -> Array:
        """See `Stage.apply`."""
        return tilewise(self.stage.apply, x, grid=self.counts)


def _need_untimed(stage: Any) -> None:
    plain = isinstance(stage, Stage) and not stage.timed
    need(plain, "stage: one that needs no time, such as Polar()", stage=stage)
