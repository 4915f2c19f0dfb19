"""Other steps that stand for the polar one: Newton-Schulz iterations, QR, a randomised top-r polar factor (theory.md, O)."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from spikesim.arrays import Array
from spikesim.errors import need
from spikesim.orthogonal.coefficients import ITERATIONS
from spikesim.orthogonal.newton_schulz import iterate, newton_schulz
from spikesim.orthogonal.qr import qr_factor
from spikesim.orthogonal.randomised import randomised_polar
from spikesim.stages.base import Stage

TRIED = np.array([[0.5]])
"""A matrix on which arguments are checked when a stage is made."""


@dataclass(frozen=True, repr=False)
class NewtonSchulz(Stage):
    """An odd polynomial iteration of the singular values.

    Args:
        coefficients: Published ones, scaled as published: "cubic", "muon", "dion", "polar-express", "aol"; or (a, b, c, ...)
            of a s + b s^3 + c s^5 + ..., repeated `steps` times; or one such tuple a step.
        steps: How many; None for as many as are published, or listed.
        dtype: What it runs in: "float64", "float32" or (emulated) "bfloat16"; None for that of what enters.
        scaling: Before it, for coefficients of one's own (orthogonal/scaling.py).

    Raises:
        ValueError: If an argument is none of these; where it runs, if the iteration diverges, naming the step.

    Source: theory.md O1 to O3.
    """

    coefficients: Any = "muon"
    steps: int | None = None
    dtype: str | None = None
    scaling: str | None = "frobenius"
    orthogonalises: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not isinstance(self.coefficients, str):
            try:
                rows = [tuple(map(float, row)) if np.ndim(row) else float(row) for row in self.coefficients]
            except (TypeError, ValueError):
                rows = []
            need(rows, f"coefficients in {tuple(ITERATIONS)}, or numbers", coefficients=self.coefficients)
            object.__setattr__(self, "coefficients", tuple(rows))
        own = isinstance(self.coefficients, str) and self.scaling != "frobenius"
        need(not own, "scaling left out for a published iteration, which has its own", scaling=self.scaling)
        self.apply(0 * TRIED)

    def apply(self, x: Array) -> Array:
        """See `Stage.apply`."""
        if isinstance(self.coefficients, str):
            return iterate(x, self.coefficients, self.steps, self.dtype)
        return newton_schulz(x, self.coefficients, self.steps, self.scaling, self.dtype)


@dataclass(frozen=True, repr=False)
class QR(Stage):
    """Q of the QR decomposition with a positive diagonal, of rows where there are fewer of them.

    Source: theory.md O8.
    """

    orthogonalises: ClassVar[bool] = True

    def apply(self, x: Array) -> Array:
        """See `Stage.apply`."""
        return qr_factor(x)


@dataclass(frozen=True, repr=False)
class RandomisedPolar(Stage):
    """O_r(X) out of the range of X times a Gaussian sketch, which is the same for all matrices.

    Args:
        rank: r of the top singular pairs, 1 to min(m, n).
        oversampling: Columns of the sketch beyond r, >= 0.
        power: Power iterations, >= 0.
        seed: Of the sketch, in [0, 2^64).

    Raises:
        ValueError: If an argument is outside its range; where it runs, if the rank is above min(m, n).

    Source: Halko, Martinsson & Tropp (2011); theory.md O8.
    """

    rank: int
    oversampling: int = 8
    power: int = 1
    seed: int = 0
    orthogonalises: ClassVar[bool] = True

    def __post_init__(self) -> None:
        need(isinstance(self.rank, int) and self.rank >= 1, "rank: an integer >= 1", rank=self.rank)
        randomised_polar(TRIED, 1, self.oversampling, self.power, self.seed)

    def check(self, shape: tuple[int, int]) -> None:
        """See `Stage.check`."""
        need(self.rank <= min(shape), f"rank <= min(m, n) = {min(shape)}", rank=self.rank)

    def apply(self, x: Array) -> Array:
        """See `Stage.apply`."""
        return randomised_polar(x, self.rank, self.oversampling, self.power, self.seed)
