"""Soft forms of the polar step, and shrinkage before it: functions of singular values (theory.md O4 to O6)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from spikesim.arrays import Array
from spikesim.orthogonal import shrinkage, soft
from spikesim.polar import SVD, svd
from spikesim.stages.spectral import Spectral

TRIED = np.array([[0.5]])
"""A matrix on which arguments are checked when a stage is made."""


class _Tried(Spectral):
    """Checks its arguments when it is made."""

    def __post_init__(self) -> None:
        self.of(svd(TRIED))


@dataclass(frozen=True, repr=False)
class Soft(_Tried):
    """U diag(d/sqrt(d^2 + epsilon^2)) V^T.

    Args:
        epsilon: > 0, in the unit of what enters; a share of its largest singular value if relative.
        relative: Whether epsilon is such a share.

    Raises:
        ValueError: If an argument is outside its range.

    Source: theory.md O4.
    """

    epsilon: float
    relative: bool = False
    orthogonalises: ClassVar[bool] = True

    def of(self, found: SVD) -> Array:
        """See `Spectral.of`."""
        return soft.soft(found, self.epsilon, self.relative)


@dataclass(frozen=True, repr=False)
class Power(_Tried):
    """U diag((d/d_1)^exponent) V^T: the polar factor for 0, the matrix over its norm for 1.

    Args:
        exponent: >= 0, dimensionless.
        normalised: Whether d is over d_1; False for d^exponent, whose unit it is.

    Raises:
        ValueError: If an argument is outside its range.

    Source: theory.md O5.
    """

    exponent: float
    normalised: bool = True
    orthogonalises: ClassVar[bool] = True

    def of(self, found: SVD) -> Array:
        """See `Spectral.of`."""
        return soft.power(found, self.exponent, self.normalised)


@dataclass(frozen=True, repr=False)
class HardThreshold(_Tried):
    """Singular values below the optimal threshold set to 0; what a polar step then leaves out.

    Args:
        sigma: Standard deviation of the noise of an entry of what enters; None to estimate it from the median singular value.

    Raises:
        ValueError: If an argument is outside its range.

    Source: Gavish & Donoho (2014); theory.md O6.
    """

    sigma: float | None = None

    def of(self, found: SVD) -> Array:
        """See `Spectral.of`."""
        left = shrinkage.hard(found, self.sigma)
        return soft.rebuilt(left, left.d)


@dataclass(frozen=True, repr=False)
class Shrink(_Tried):
    """Singular values shrunk to the least asymptotic loss.

    Args:
        loss: "frobenius", "operator" or "nuclear".
        sigma: As for `HardThreshold`.

    Raises:
        ValueError: If the loss is none of these, or sigma not positive and finite.

    Source: Gavish & Donoho (2017); theory.md O6.
    """

    loss: str = "frobenius"
    sigma: float | None = None

    def of(self, found: SVD) -> Array:
        """See `Spectral.of`."""
        left = shrinkage.optimal(found, self.sigma, self.loss)
        return soft.rebuilt(left, left.d)
