"""Noise laws: what Xi_t is made of, its eta, and whether it is BVMZOS.

Every law is a frozen dataclass: unit noise of a named compiled fill (kernels/cpu.py), times a scale for each entry, times
a factor for each step, plus a mean. ``sigma`` is the standard deviation of one entry where it is finite, otherwise the
scale. The reach of a law is the largest size it can draw: tails end near probability 2^-97 (rng.py).

BVMZOS (theory.md, Notation): E Xi_t = 0, E‖Xi_t‖_F^2 <= eta < inf, E<Xi_s, Xi_t> = 0 for s != t.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from spikesim import rng
from spikesim.errors import need

Shape = tuple[int, int]

LARGEST = 1e100
"""Largest scale: squares and sums of squares stay finite."""
LARGEST_FACTOR = 1e30
"""Largest factor of a step: its float32 normals stay finite."""


def _real(value: object) -> bool:
    return isinstance(value, int | float | np.floating | np.integer) and not isinstance(value, bool)


def _positive(**values: float) -> None:
    for name, value in values.items():
        need(_real(value) and 0 < value < math.inf, f"0 < {name} < inf", **{name: value})
        need(value <= LARGEST, f"{name} <= {LARGEST:g}", **{name: value})


@dataclass(frozen=True)
class Noise:
    """Base of all laws: sigma times the unit noise of `fill`, independent over steps, mean zero."""

    fill: ClassVar[str] = "gaussian"
    burn_in: ClassVar[int] = 0

    @property
    def parameters(self) -> tuple[float, ...]:
        """Shape parameters that the fill reads."""
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
        """E‖Xi_t‖_F^2 for a matrix of this shape (theory.md, Notation); inf where the variance is."""
        return self.variance * shape[0] * shape[1]

    def entry_scale(self, shape: Shape) -> float | NDArray[np.float64]:
        """What multiplies the unit noise: a number, or one for each entry (m, n)."""
        del shape
        return float(self.sigma)  # type: ignore[attr-defined]

    def step_factors(self, seed: int, trial: int, steps: NDArray[np.int64]) -> NDArray[np.float64] | None:
        """What multiplies each step's unit noise, or None for 1."""
        del seed, trial, steps
        return None


@dataclass(frozen=True)
class Gaussian(Noise):
    """Independent N(0, sigma^2) entries.

    Args:
        sigma: Standard deviation of one entry, > 0.

    Reach: 11.6 sigma.
    """

    sigma: float = 1.0

    def __post_init__(self) -> None:
        _positive(sigma=self.sigma)


@dataclass(frozen=True)
class StudentT(Noise):
    """Independent Student-t entries with df degrees of freedom.

    Args:
        df: Degrees of freedom, >= 0.5; the variance is finite, and the law BVMZOS, for df > 2.
        sigma: Standard deviation of one entry for df > 2, otherwise the scale of t itself.

    Reach: sqrt(df) 2^(97/df) scales; what is beyond holds 2^(-97 (1 - 2/df)) of the variance (4 % at df = 2.1).
    """

    fill: ClassVar[str] = "student_t"
    df: float
    sigma: float = 1.0

    def __post_init__(self) -> None:
        _positive(df=self.df, sigma=self.sigma)
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

    Reach: 2^(96/alpha) x_m; what is beyond holds 2^(-96 (1 - 2/alpha)) of the variance (4 % at alpha = 2.1).
    """

    fill: ClassVar[str] = "pareto"
    alpha: float
    sigma: float = 1.0

    def __post_init__(self) -> None:
        _positive(alpha=self.alpha, sigma=self.sigma)
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

    Reach: 66.5 b = 47 sigma.
    """

    fill: ClassVar[str] = "laplace"
    sigma: float = 1.0

    def __post_init__(self) -> None:
        _positive(sigma=self.sigma)

    def entry_scale(self, shape: Shape) -> float:
        del shape
        return self.sigma / math.sqrt(2)


@dataclass(frozen=True)
class Rademacher(Noise):
    """Independent entries of -sigma or sigma, each with probability 1/2.

    Args:
        sigma: Size, and standard deviation, of one entry, > 0.

    Reach: exact, one bit an entry.
    """

    fill: ClassVar[str] = "rademacher"
    sigma: float = 1.0

    def __post_init__(self) -> None:
        _positive(sigma=self.sigma)


@dataclass(frozen=True)
class Radial(Noise):
    """One Pareto scalar a step times a Gaussian matrix: Xi_t = rho_t Z_t, P(rho > x) ~ x^-alpha, E rho^2 = 1 (S7).

    Args:
        alpha: Tail index of rho, > 2.
        sigma: Standard deviation of one entry, > 0.

    Reach: rho up to 2^(97/alpha) x_m, x_m^2 = (alpha - 2)/alpha; 11.6 sigma for Z.
    """

    alpha: float
    sigma: float = 1.0

    def __post_init__(self) -> None:
        _positive(alpha=self.alpha, sigma=self.sigma)
        need(self.alpha > 2, "alpha > 2 (finite variance)", alpha=self.alpha)

    def step_factors(self, seed: int, trial: int, steps: NDArray[np.int64]) -> NDArray[np.float64]:
        u = rng.uniforms(seed, rng.SCALARS, trial, steps, 0)
        return math.sqrt((self.alpha - 2) / self.alpha) * u ** (-1 / self.alpha)


@dataclass(frozen=True)
class Contaminated(Noise):
    """A Gaussian step, multiplied by `factor` with probability p (R1).

    Args:
        p: Probability of a contaminated step, in [0, 1], to within 2^-32.
        factor: What multiplies it, > 0.
        sigma: Standard deviation of one entry of a clean step, > 0.

    Reach: 11.6 sigma times the factor.
    """

    p: float
    factor: float
    sigma: float = 1.0

    def __post_init__(self) -> None:
        _positive(factor=self.factor, sigma=self.sigma)
        need(self.factor <= LARGEST_FACTOR, f"factor <= {LARGEST_FACTOR:g}", factor=self.factor)
        need(_real(self.p) and 0 <= self.p <= 1, "0 <= p <= 1", p=self.p)

    @property
    def variance(self) -> float:
        return self.sigma**2 * (1 + self.p * (self.factor**2 - 1))

    def step_factors(self, seed: int, trial: int, steps: NDArray[np.int64]) -> NDArray[np.float64]:
        u = rng.uniforms(seed, rng.SCALARS, trial, steps, 0)
        return np.where(u < self.p, float(self.factor), 1.0)


@dataclass(frozen=True)
class Arch(Noise):
    """Entrywise ARCH(1), a martingale difference: x_t = sqrt(sigma^2 (1 - alpha) + alpha x_{t-1}^2) z_t.

    Args:
        alpha: Feedback of the last square, in [0, 1).
        sigma: Stationary standard deviation of one entry, > 0.

    Step 0 follows so many earlier steps, from x = sigma z, that alpha^steps < 1e-12: stationary to that accuracy.
    Reach: 11.6 sigma for each z.
    """

    fill: ClassVar[str] = "arch"
    alpha: float
    sigma: float = 1.0

    def __post_init__(self) -> None:
        _positive(sigma=self.sigma)
        need(_real(self.alpha) and 0 <= self.alpha < 1, "0 <= alpha < 1 (finite variance)", alpha=self.alpha)
        need(self.alpha <= 0.999, "alpha <= 0.999 (a stationary start within 30,000 steps)", alpha=self.alpha)

    @property
    def parameters(self) -> tuple[float, ...]:
        return (float(self.alpha),)

    @property
    def burn_in(self) -> int:  # type: ignore[override]
        """Steps before step 0."""
        return math.ceil(math.log(1e-12) / math.log(self.alpha)) if self.alpha > 0 else 1


@dataclass(frozen=True)
class SignFlip(Noise):
    """A Gaussian matrix, drawn once a trial, times a fair random sign a step: dependent and yet BVMZOS.

    Args:
        sigma: Standard deviation of one entry, > 0.

    Reach: 11.6 sigma.
    """

    fill: ClassVar[str] = "frozen"
    sigma: float = 1.0

    def __post_init__(self) -> None:
        _positive(sigma=self.sigma)

    def step_factors(self, seed: int, trial: int, steps: NDArray[np.int64]) -> NDArray[np.float64]:
        return 1.0 - 2.0 * (rng.words(seed, rng.SCALARS, trial, steps, 0) & np.uint32(1)).astype(np.float64)


@dataclass(frozen=True)
class Kronecker(Noise):
    """Independent Gaussian entries of variance sigma^2 rows_i columns_j: separable covariance in its eigenbasis.

    Args:
        rows: Spectrum of the row covariance, m numbers >= 0, not all 0.
        columns: Spectrum of the column covariance, n numbers >= 0, not all 0.
        sigma: Scale; one entry's standard deviation where both spectra are 1.

    Reach: 11.6 standard deviations.
    """

    rows: tuple[float, ...]
    columns: tuple[float, ...]
    sigma: float = 1.0

    def __post_init__(self) -> None:
        _positive(sigma=self.sigma)
        for name in ("rows", "columns"):
            object.__setattr__(self, name, _spectrum(name, getattr(self, name)))

    @property
    def variance(self) -> float:
        return float(self.sigma**2 * np.mean(self.rows) * np.mean(self.columns))

    def entry_scale(self, shape: Shape) -> NDArray[np.float64]:
        need((len(self.rows), len(self.columns)) == tuple(shape), f"spectra of lengths {tuple(shape)}",
             rows=len(self.rows), columns=len(self.columns))  # fmt: skip
        return self.sigma * np.sqrt(np.outer(self.rows, self.columns))

    def eta(self, shape: Shape) -> float:
        return float(np.sum(np.square(self.entry_scale(shape))))


def _spectrum(name: str, values: Sequence[float]) -> tuple[float, ...]:
    try:
        spectrum = np.asarray(values, float)
    except (TypeError, ValueError):
        spectrum = np.empty(0)
    good = spectrum.ndim == 1 and spectrum.size > 0 and np.all(np.isfinite(spectrum)) and np.all(spectrum >= 0)
    need(good and spectrum.sum() > 0, f"{name}: numbers >= 0, not all 0", **{name: values})
    return tuple(spectrum.tolist())


@dataclass(frozen=True)
class AlphaStable(Noise):
    """Independent symmetric alpha-stable entries, E exp(i t X) = exp(-|scale t|^alpha). Outside BVMZOS: no variance.

    Args:
        alpha: Stability index, in [0.5, 2). At 2 the law is Gaussian(scale * sqrt 2).
        scale: Scale of one entry, > 0.

    Reach: about 2^(96/alpha) scales.
    """

    fill: ClassVar[str] = "stable"
    alpha: float
    scale: float = 1.0

    def __post_init__(self) -> None:
        _positive(scale=self.scale)
        need(
            _real(self.alpha) and 0.5 <= self.alpha < 2,
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
class AR1(Noise):
    """Entrywise AR(1), stationary: x_t = phi x_{t-1} + sqrt(1 - phi^2) sigma z_t. BVMZOS only at phi = 0 (F6).

    Args:
        phi: Lag-1 autocorrelation, in (-1, 1).
        sigma: Stationary standard deviation of one entry, > 0.

    Reach: 11.6 sigma for each z.
    """

    fill: ClassVar[str] = "ar1"
    phi: float
    sigma: float = 1.0

    def __post_init__(self) -> None:
        _positive(sigma=self.sigma)
        need(_real(self.phi) and -1 < self.phi < 1, "-1 < phi < 1", phi=self.phi)

    @property
    def parameters(self) -> tuple[float, ...]:
        return (float(self.phi),)

    @property
    def is_bvmzos(self) -> bool:
        return self.phi == 0

    @property
    def outside(self) -> str:
        return "" if self.is_bvmzos else "autocorrelated"


@dataclass(frozen=True)
class Biased(Noise):
    """Independent N(bias, sigma^2) entries. BVMZOS only at bias = 0; eta counts the bias.

    Args:
        bias: Mean of one entry.
        sigma: Standard deviation of one entry, > 0.

    Reach: 11.6 sigma.
    """

    bias: float
    sigma: float = 1.0

    def __post_init__(self) -> None:
        _positive(sigma=self.sigma)
        need(_real(self.bias) and math.isfinite(self.bias), "a finite bias", bias=self.bias)

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


_ALL: tuple[type[Noise], ...] = (
    Gaussian,
    StudentT,
    SymmetricPareto,
    Laplace,
    Rademacher,
    Radial,
    Contaminated,
    Arch,
    SignFlip,
)
_ALL += (Kronecker, AlphaStable, AR1, Biased)
LAWS: dict[str, type[Noise]] = {law.__name__: law for law in _ALL}
"""Every law by its name: what a spec file may ask for."""
