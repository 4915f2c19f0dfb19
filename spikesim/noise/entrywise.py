"""Laws of independent entries: each step and entry drawn on its own."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from spikesim.errors import need
from spikesim.noise.base import LARGEST, Noise, Shape, is_real, need_positive


@dataclass(frozen=True)
class Gaussian(Noise):
    """Independent N(0, sigma^2) entries.

    Args:
        sigma: Standard deviation of one entry, > 0.

    Raises:
        ValueError: If a parameter is outside its range.

    Reach: 11.6 sigma.
    """

    scalars: ClassVar[str] = "constant"
    sigma: float = 1.0

    def __post_init__(self) -> None:
        need_positive(sigma=self.sigma)


@dataclass(frozen=True)
class StudentT(Noise):
    """Independent Student-t entries with df degrees of freedom.

    Args:
        df: Degrees of freedom, >= 0.5; the variance is finite, and the law BVMZOS, for df > 2.
        sigma: Standard deviation of one entry for df > 2, otherwise the scale of t itself.

    Raises:
        ValueError: If a parameter is outside its range.

    Reach: sqrt(df) 2^(97/df) scales; what is beyond holds 2^(-97 (1 - 2/df)) of the variance (4 % at df = 2.1).
    """

    fill: ClassVar[str] = "student_t"
    df: float
    sigma: float = 1.0

    def __post_init__(self) -> None:
        need_positive(df=self.df, sigma=self.sigma)
        need(self.df >= 0.5, "df >= 0.5", df=self.df)

    @property
    def parameters(self) -> tuple[float, ...]:
        return (float(self.df),)

    @property
    def variance(self) -> float:
        return self.sigma**2 if self.df > 2 else math.inf

    def entry_scale(self, shape: Shape) -> float:
        del shape
        return self.sigma * (math.sqrt((self.df - 2) / self.df) if self.df > 2 else 1.0)


@dataclass(frozen=True)
class SymmetricPareto(Noise):
    """Independent entries with P(|X| > x) = (x / x_m)^-alpha beyond x_m, and a fair sign.

    Args:
        alpha: Tail index, >= 0.5; the variance is finite, and the law BVMZOS, for alpha > 2.
        sigma: Standard deviation of one entry for alpha > 2, otherwise x_m.

    Raises:
        ValueError: If a parameter is outside its range.

    Reach: 2^(96/alpha) x_m; what is beyond holds 2^(-96 (1 - 2/alpha)) of the variance (4 % at alpha = 2.1).
    """

    fill: ClassVar[str] = "pareto"
    alpha: float
    sigma: float = 1.0

    def __post_init__(self) -> None:
        need_positive(alpha=self.alpha, sigma=self.sigma)
        need(self.alpha >= 0.5, "alpha >= 0.5", alpha=self.alpha)

    @property
    def parameters(self) -> tuple[float, ...]:
        return (float(self.alpha),)

    @property
    def variance(self) -> float:
        return self.sigma**2 if self.alpha > 2 else math.inf

    def entry_scale(self, shape: Shape) -> float:
        del shape
        return self.sigma * (math.sqrt((self.alpha - 2) / self.alpha) if self.alpha > 2 else 1.0)


@dataclass(frozen=True)
class Laplace(Noise):
    """Independent entries of density exp(-|x|/b) / (2b), b = sigma / sqrt 2.

    Args:
        sigma: Standard deviation of one entry, > 0.

    Raises:
        ValueError: If a parameter is outside its range.

    Reach: 66.5 b = 47 sigma.
    """

    fill: ClassVar[str] = "laplace"
    sigma: float = 1.0

    def __post_init__(self) -> None:
        need_positive(sigma=self.sigma)

    def entry_scale(self, shape: Shape) -> float:
        del shape
        return self.sigma / math.sqrt(2)


@dataclass(frozen=True)
class Rademacher(Noise):
    """Independent entries of -sigma or sigma, each with probability 1/2.

    Args:
        sigma: Size, and standard deviation, of one entry, > 0.

    Raises:
        ValueError: If a parameter is outside its range.

    Reach: exact, one bit an entry.
    """

    fill: ClassVar[str] = "rademacher"
    sigma: float = 1.0

    def __post_init__(self) -> None:
        need_positive(sigma=self.sigma)


@dataclass(frozen=True)
class Kronecker(Noise):
    """Independent Gaussian entries of variance sigma^2 rows_i columns_j: separable covariance in its eigenbasis.

    Args:
        rows: Spectrum of the row covariance, m numbers >= 0, not all 0.
        columns: Spectrum of the column covariance, n numbers >= 0, not all 0.
        sigma: Scale; one entry's standard deviation where both spectra are 1.

    Raises:
        ValueError: If a parameter is outside its range.

    Reach: 11.6 standard deviations.
    """

    rows: tuple[float, ...]
    columns: tuple[float, ...]
    sigma: float = 1.0

    def __post_init__(self) -> None:
        need_positive(sigma=self.sigma)
        for name in ("rows", "columns"):
            object.__setattr__(self, name, _spectrum(name, getattr(self, name)))

    @property
    def variance(self) -> float:
        return float(self.sigma**2 * np.mean(self.rows) * np.mean(self.columns))

    def entry_scale(self, shape: Shape) -> NDArray[np.float64]:
        need((len(self.rows), len(self.columns)) == tuple(shape), f"spectra of lengths {tuple(shape)}",
             rows=len(self.rows), columns=len(self.columns))  # fmt: skip
        top = self.sigma * (max(self.rows) * max(self.columns)) ** 0.5
        need(top < np.inf, "a finite largest sigma^2 rows_i columns_j", rows=max(self.rows), columns=max(self.columns))
        return self.sigma * np.sqrt(np.outer(self.rows, self.columns))

    def eta(self, shape: Shape) -> float:
        return float(np.sum(np.square(self.entry_scale(shape))))


@dataclass(frozen=True)
class AlphaStable(Noise):
    """Independent symmetric alpha-stable entries, E exp(i t X) = exp(-|scale t|^alpha). Outside BVMZOS: no variance.

    Args:
        alpha: Stability index, in [0.5, 2). At 2 the law is Gaussian(scale * sqrt 2).
        scale: Scale of one entry, > 0.

    Raises:
        ValueError: If a parameter is outside its range.

    Reach: about 2^(96/alpha) scales.
    """

    fill: ClassVar[str] = "stable"
    alpha: float
    scale: float = 1.0

    def __post_init__(self) -> None:
        need_positive(scale=self.scale)
        need(
            is_real(self.alpha) and 0.5 <= self.alpha < 2,
            "0.5 <= alpha < 2",
            "alpha = 2 is Gaussian(scale * sqrt(2))",
            alpha=self.alpha,
        )

    @property
    def parameters(self) -> tuple[float, ...]:
        return (float(self.alpha),)

    @property
    def variance(self) -> float:
        return math.inf

    def entry_scale(self, shape: Shape) -> float:
        del shape
        return float(self.scale)


@dataclass(frozen=True)
class Biased(Noise):
    """Independent N(bias, sigma^2) entries. BVMZOS only at bias = 0; eta counts the bias.

    Args:
        bias: Mean of one entry.
        sigma: Standard deviation of one entry, > 0.

    Raises:
        ValueError: If a parameter is outside its range.

    Reach: 11.6 sigma.
    """

    bias: float
    sigma: float = 1.0

    def __post_init__(self) -> None:
        need_positive(sigma=self.sigma)
        need(is_real(self.bias) and math.isfinite(self.bias), "a finite bias", bias=self.bias)
        need(abs(self.bias) <= LARGEST, f"|bias| <= {LARGEST:g}", bias=self.bias)

    @property
    def mean(self) -> float:
        return float(self.bias)

    @property
    def is_bvmzos(self) -> bool:
        return self.bias == 0

    @property
    def outside(self) -> str:
        return "" if self.is_bvmzos else "biased"

    def eta(self, shape: Shape) -> float:
        return (self.sigma**2 + self.bias**2) * shape[0] * shape[1]


def _spectrum(name: str, values: Sequence[float]) -> tuple[float, ...]:
    try:
        spectrum = np.asarray(values, float)
    except (TypeError, ValueError):
        spectrum = np.empty(0)
    good = spectrum.ndim == 1 and spectrum.size > 0 and np.all(np.isfinite(spectrum)) and np.all(spectrum >= 0)
    need(good and spectrum.sum() > 0, f"{name}: numbers >= 0, not all 0", **{name: values})
    return tuple(spectrum.tolist())
