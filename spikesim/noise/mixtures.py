"""Gaussian mixtures: each entry and step picks its component on its own."""

import math
from dataclasses import dataclass
from typing import ClassVar

from spikesim.errors import need
from spikesim.noise.base import LARGEST_FACTOR, Noise, Shape, is_real, need_positive


@dataclass(frozen=True)
class Mixture(Noise):
    """Independent entries of a symmetric Gaussian mixture: c (f z + s separation), z a standard normal.

    f is `factor` with probability p and otherwise 1, s a fair sign, and c makes sigma the standard deviation. With
    separation 0 it is a mixture of scales: Tukey's contaminated normal, heavy-tailed for a large factor and a small p. With
    factor 1 it is a mixture of means: modes at c separation and -c separation, two humps where separation > 1.

    `Contaminated` multiplies whole steps and has sigma for the clean ones; here entries are independent, and sigma is that
    of the mixture.

    Args:
        p: Probability that an entry is multiplied, in [0, 1], to within 2^-32.
        factor: What multiplies its normal part, > 0.
        sigma: Standard deviation of one entry, > 0.
        separation: Half the distance of the modes, in standard deviations of a component of f = 1; >= 0.

    Raises:
        ValueError: If a parameter is outside its range.

    Reach: 11.6 standard deviations of the widest component beyond its mode.
    """

    fill: ClassVar[str] = "mixture"
    p: float
    factor: float
    sigma: float = 1.0
    separation: float = 0.0

    def __post_init__(self) -> None:
        need_positive(factor=self.factor, sigma=self.sigma)
        need(self.factor <= LARGEST_FACTOR, f"factor <= {LARGEST_FACTOR:g}", factor=self.factor)
        need(is_real(self.p) and 0 <= self.p <= 1, "0 <= p <= 1", p=self.p)
        apart = is_real(self.separation) and 0 <= self.separation <= LARGEST_FACTOR
        need(apart, f"0 <= separation <= {LARGEST_FACTOR:g}", separation=self.separation)

    @property
    def parameters(self) -> tuple[float, ...]:
        return float(self.p), float(self.factor), float(self.separation)

    def entry_scale(self, shape: Shape) -> float:
        del shape
        return self.sigma / math.sqrt(self.separation**2 + (1 - self.p) + self.p * self.factor**2)
