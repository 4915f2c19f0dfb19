"""Laws of one random factor a step or a trial: Gaussian matrices times a scalar that all entries of a step share."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from spikesim import rng
from spikesim.errors import need
from spikesim.noise.base import LARGEST_FACTOR, Noise, is_real, need_positive


@dataclass(frozen=True)
class Radial(Noise):
    """One Pareto scalar a step times a Gaussian matrix: Xi_t = rho_t Z_t, P(rho > x) ~ x^-alpha, E rho^2 = 1 (S7).

    Args:
        alpha: Tail index of rho, > 2.
        sigma: Standard deviation of one entry, > 0.

    Raises:
        ValueError: If a parameter is outside its range.

    Reach: rho up to 2^(97/alpha) x_m, x_m^2 = (alpha - 2)/alpha; 11.6 sigma for Z.
    """

    scalars: ClassVar[str] = "pareto"
    alpha: float
    sigma: float = 1.0

    def __post_init__(self) -> None:
        need_positive(alpha=self.alpha, sigma=self.sigma)
        need(self.alpha > 2, "alpha > 2 (finite variance)", alpha=self.alpha)

    @property
    def scalar_parameters(self) -> tuple[float, ...]:
        return (float(self.alpha),)

    def step_factors(self, seed: int, trial: int, steps: NDArray[np.int64]) -> NDArray[np.float64]:
        u = rng.uniforms(seed, rng.SCALARS, trial, steps, 0)
        return math.sqrt((self.alpha - 2) / self.alpha) * u ** (-1 / self.alpha)


@dataclass(frozen=True)
class _TwoScales(Noise):
    """A scalar that is `factor` with probability p and otherwise 1."""

    p: float
    factor: float
    sigma: float = 1.0

    def __post_init__(self) -> None:
        need_positive(factor=self.factor, sigma=self.sigma)
        need(self.factor <= LARGEST_FACTOR, f"factor <= {LARGEST_FACTOR:g}", factor=self.factor)
        need(is_real(self.p) and 0 <= self.p <= 1, "0 <= p <= 1", p=self.p)

    @property
    def variance(self) -> float:
        return self.sigma**2 * (1 + self.p * (self.factor**2 - 1))


@dataclass(frozen=True)
class Contaminated(_TwoScales):
    """A Gaussian step, multiplied by `factor` with probability p (R1).

    Args:
        p: Probability of a contaminated step, in [0, 1], to within 2^-32.
        factor: What multiplies it, > 0.
        sigma: Standard deviation of one entry of a clean step, > 0.

    Raises:
        ValueError: If a parameter is outside its range.

    Reach: 11.6 sigma times the factor.
    """

    scalars: ClassVar[str] = "two_point"

    @property
    def scalar_parameters(self) -> tuple[float, ...]:
        return float(self.p), float(self.factor)

    def step_factors(self, seed: int, trial: int, steps: NDArray[np.int64]) -> NDArray[np.float64]:
        u = rng.uniforms(seed, rng.SCALARS, trial, steps, 0)
        return np.where(u < self.p, float(self.factor), 1.0)


@dataclass(frozen=True)
class ScaleMixture(_TwoScales):
    """Gaussian steps, all of a trial multiplied by `factor` with probability p: dependent and yet BVMZOS.

    Averaging cannot mend a bad trial. With p = (2T - 1)^(-1/2) and p factor^2 large, ‖N‖_F reaches B1's radius in a share p
    of all trials: Chebyshev's step in B1 cannot be improved.

    Args:
        p: Probability of a multiplied trial, in [0, 1], to within 2^-32.
        factor: What multiplies it, > 0.
        sigma: Standard deviation of one entry of any other trial, > 0.

    Raises:
        ValueError: If a parameter is outside its range.

    Reach: 11.6 sigma times the factor.
    """

    scalars: ClassVar[str] = "constant"

    def step_factors(self, seed: int, trial: int, steps: NDArray[np.int64]) -> NDArray[np.float64]:
        u = rng.uniforms(seed, rng.SCALARS, trial, 0, 0)
        return np.full(np.shape(steps), float(self.factor) if u < self.p else 1.0)


@dataclass(frozen=True)
class SignFlip(Noise):
    """A Gaussian matrix, drawn once a trial, times a fair random sign a step: dependent and yet BVMZOS.

    Args:
        sigma: Standard deviation of one entry, > 0.

    Raises:
        ValueError: If a parameter is outside its range.

    Reach: 11.6 sigma.
    """

    fill: ClassVar[str] = "frozen"
    sigma: float = 1.0

    def __post_init__(self) -> None:
        need_positive(sigma=self.sigma)

    def step_factors(self, seed: int, trial: int, steps: NDArray[np.int64]) -> NDArray[np.float64]:
        return 1.0 - 2.0 * (rng.words(seed, rng.SCALARS, trial, steps, 0) & np.uint32(1)).astype(np.float64)
