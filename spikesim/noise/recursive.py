"""Laws with a memory: each entry follows from its own value a step before."""

import math
from dataclasses import dataclass
from typing import ClassVar

from spikesim.errors import need
from spikesim.noise.base import Noise, is_real, need_positive


@dataclass(frozen=True)
class Arch(Noise):
    """Entrywise ARCH(1), a martingale difference: x_t = sqrt(sigma^2 (1 - alpha) + alpha x_{t-1}^2) z_t.

    Step 0 follows so many earlier steps, from x = sigma z, that alpha^steps < 1e-12: stationary to that accuracy.

    Args:
        alpha: Feedback of the last square, in [0, 0.999].
        sigma: Stationary standard deviation of one entry, > 0.

    Raises:
        ValueError: If a parameter is outside its range.

    Reach: 11.6 sigma for each z.
    """

    fill: ClassVar[str] = "arch"
    remembers: ClassVar[bool] = True
    alpha: float
    sigma: float = 1.0

    def __post_init__(self) -> None:
        need_positive(sigma=self.sigma)
        need(is_real(self.alpha) and 0 <= self.alpha < 1, "0 <= alpha < 1 (finite variance)", alpha=self.alpha)
        need(self.alpha <= 0.999, "alpha <= 0.999 (a stationary start within 30,000 steps)", alpha=self.alpha)

    @property
    def parameters(self) -> tuple[float, ...]:
        return (float(self.alpha),)

    @property
    def burn_in(self) -> int:  # type: ignore[override]
        """Steps before step 0."""
        return math.ceil(math.log(1e-12) / math.log(self.alpha)) if self.alpha > 0 else 1


@dataclass(frozen=True)
class AR1(Noise):
    """Entrywise AR(1), stationary: x_t = phi x_{t-1} + sqrt(1 - phi^2) sigma z_t. BVMZOS only at phi = 0 (F6).

    Args:
        phi: Lag-1 autocorrelation, in (-1, 1).
        sigma: Stationary standard deviation of one entry, > 0.

    Raises:
        ValueError: If a parameter is outside its range.

    Reach: 11.6 sigma for each z.
    """

    fill: ClassVar[str] = "ar1"
    remembers: ClassVar[bool] = True
    phi: float
    sigma: float = 1.0

    def __post_init__(self) -> None:
        need_positive(sigma=self.sigma)
        need(is_real(self.phi) and -1 < self.phi < 1, "-1 < phi < 1", phi=self.phi)

    @property
    def parameters(self) -> tuple[float, ...]:
        return (float(self.phi),)

    @property
    def is_bvmzos(self) -> bool:
        return self.phi == 0

    @property
    def outside(self) -> str:
        return "" if self.is_bvmzos else "autocorrelated"
