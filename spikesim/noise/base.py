"""Noise laws: what Xi_t is made of, its eta, and whether it is BVMZOS.

Every law is a frozen dataclass: unit noise of a named compiled fill (kernels/fills.py), times a scale for each entry, times
a factor for each step, plus a mean. ``sigma`` is the standard deviation of one entry where it is finite, otherwise the
scale. The reach of a law is the largest size it can draw: tails end near probability 2^-97 (rng.py).

BVMZOS (theory.md, Notation): E Xi_t = 0, E‖Xi_t‖_F^2 <= eta < inf, E<Xi_s, Xi_t> = 0 for s != t.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from spikesim.errors import need

Shape = tuple[int, int]

SMALLEST, LARGEST = 1e-100, 1e100
"""Range of scales: squares and sums of squares neither overflow nor vanish."""
LARGEST_FACTOR = 1e30
"""Largest factor of a step: its float32 normals stay finite."""


def is_real(value: object) -> bool:
    """Whether a value is a real number, and no bool."""
    return isinstance(value, int | float | np.floating | np.integer) and not isinstance(value, bool)


def need_positive(**values: float) -> None:
    """Refuse what is no number in [SMALLEST, LARGEST]."""
    for name, value in values.items():
        need(is_real(value) and 0 < value < math.inf, f"0 < {name} < inf", **{name: value})
        need(SMALLEST <= value <= LARGEST, f"{SMALLEST:g} <= {name} <= {LARGEST:g}", **{name: value})


@dataclass(frozen=True)
class Noise:
    """Base of all laws: sigma times the unit noise of `fill`, independent over steps, mean zero."""

    fill: ClassVar[str] = "gaussian"
    scalars: ClassVar[str] = ""
    """Where N(0, sigma^2) entries share one scalar a step and are otherwise independent: how the squares of the scalars are
    drawn, a name of kernels/scalars.py, or "constant" for one scalar a trial. Empty for every other law."""
    remembers: ClassVar[bool] = False
    burn_in: ClassVar[int] = 0

    @property
    def parameters(self) -> tuple[float, ...]:
        """Shape parameters that the fill reads."""
        return ()

    @property
    def scalar_parameters(self) -> tuple[float, ...]:
        """Parameters by which the squares of the scalars are drawn."""
        return ()

    @property
    def variance(self) -> float:
        """Variance of one entry (its mean over entries and steps); inf where it is."""
        return float(self.sigma**2)  # type: ignore[attr-defined]

    @property
    def mean(self) -> float:
        """Mean of one entry."""
        return 0.0

    @property
    def is_bvmzos(self) -> bool:
        """Whether the law is mean-zero, orthogonal over steps and of finite variance."""
        return math.isfinite(self.variance)

    @property
    def outside(self) -> str:
        """Why the law is not BVMZOS; empty where it is."""
        return "" if self.is_bvmzos else "infinite variance"

    def eta(self, shape: Shape) -> float:
        """E‖Xi_t‖_F^2 for a matrix of this shape (theory.md, Notation); inf where the variance is.

        Args:
            shape: (m, n).
        """
        return self.variance * shape[0] * shape[1]

    def entry_scale(self, shape: Shape) -> float | NDArray[np.float64]:
        """What multiplies the unit noise: a number, or one for each entry (m, n).

        Args:
            shape: (m, n).

        Raises:
            ValueError: If the law is not one of this shape (Kronecker's spectra).
        """
        del shape
        return float(self.sigma)  # type: ignore[attr-defined]

    def step_factors(self, seed: int, trial: int, steps: NDArray[np.int64]) -> NDArray[np.float64] | None:
        """What multiplies each step's unit noise, or None for 1.

        Args:
            seed: In [0, 2^64).
            trial: Global trial number.
            steps: Numbers of steps, one axis.
        """
        del seed, trial, steps
        return None
