"""Trials to numbers with uncertainty: power laws in 2T - 1, means with standard errors, and quantiles."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim import rng
from spikesim.errors import need

Floats = NDArray[np.float64]
Statistic = str | Callable[[Any, Any], Any]

RESAMPLES = 1999
DRIFT = 3.0
"""Bootstrap standard errors of the log-log curvature beyond which a pure power law is said not to describe the data."""


@dataclass(frozen=True)
class RateFit:
    """A power law prefactor * (2T - 1)^exponent fitted to a statistic over trials.

    Attributes:
        exponent: Least-squares slope of ln statistic against ln(2T - 1).
        low: Lower end of its 95 % interval.
        high: Upper end.
        prefactor: Value at 2T - 1 = 1, in the samples' unit.
        local_slopes: Slopes between neighbouring windows, (K - 1,).
        curvature: Second-order coefficient of the log-log curve; NaN for two windows, which cannot show any.
        curvature_error: Its bootstrap standard error.
        interval: How the interval was made.
    """

    exponent: float
    low: float
    high: float
    prefactor: float
    local_slopes: tuple[float, ...]
    curvature: float = math.nan
    curvature_error: float = math.nan
    interval: str = field(default="BCa bootstrap over trials")

    @property
    def drifts(self) -> bool:
        """Whether the local slopes drift: a pure power law does not describe the data."""
        return abs(self.curvature) > DRIFT * self.curvature_error

    def __str__(self) -> str:
        text = f"{self.exponent:.3f} [{self.low:.3f}, {self.high:.3f}]"
        if not self.drifts:
            return text
        first, last = self.local_slopes[0], self.local_slopes[-1]
        return f"{text}; no pure power law: local slopes drift from {first:.2f} to {last:.2f}"


def fit_rate(windows: ArrayLike, samples: Any, statistic: Statistic = "mean", *, seed: int = 0) -> RateFit:
    """Fit statistic ~ prefactor (2T - 1)^exponent by least squares in logarithms.

    Args:
        windows: (K,) distinct T >= 1, two or more.
        samples: (trial, K), joint over windows: whole trials are resampled. Or K arrays of independent trials.
        statistic: "mean", "median" or a callable (samples, window) -> number of one window's trials (n,).
        seed: Of the bootstrap's resampling.

    Returns:
        The fit, with a 95 % BCa interval from 1999 resamples (percentile where BCa is undefined: `interval` says so).
        Measured coverage at 100 trials of 7 windows: 94 to 95 % for bounded and for exponential trials; 92 to 93 % where
        every window of a trial also shares an exponential factor.

    Raises:
        ValueError: If a sample is zero, negative or not finite, or a statistic not positive (naming the window), or the
            windows or shapes are as above not, or a window has fewer than two trials.

    Example:
        >>> import numpy as np
        >>> halves = np.outer([0.9, 1.0, 1.1], [1.0, 3**-0.5, 5**-0.5])
        >>> round(fit_rate([1, 2, 3], halves).exponent, 3)
        -0.5
    """
    t = _windows(windows)
    columns, joint = _columns(samples, t)
    apply = _statistic(statistic)
    x = np.log(2 * t - 1)
    values = np.array([float(apply(c, w)) for c, w in zip(columns, t, strict=True)])
    for value, w in zip(values, t, strict=True):
        need(math.isfinite(value) and value > 0, f"a positive statistic at window {w:g}", statistic=float(value))
    y = np.log(values)
    exponent, intercept = _line(x) @ y
    bend = _bend(x)
    resampled = _Resampler(columns, joint, apply, t, np.stack([_line(x)[0], bend]))
    low, high, how, curvature_error = resampled.interval(seed)
    return RateFit(
        float(exponent), low, high, float(np.exp(intercept)), tuple((np.diff(y) / np.diff(x)).tolist()),
        float(bend @ y) if t.size > 2 else math.nan, curvature_error if t.size > 2 else math.nan, how,
    )  # fmt: skip


def log_slope(windows: ArrayLike, values: ArrayLike) -> float:
    """Least-squares slope of ln values against ln(2T - 1): what `fit_rate` would read off a curve without noise.

    A measured exponent is held against the slope of the sharp curve on the same windows, never against its limit.

    Raises:
        ValueError: If a value is not positive and finite, or the windows are as `fit_rate` refuses.
    """
    t = _windows(windows)
    y = np.asarray(values, float)
    need(y.shape == t.shape and np.all((y > 0) & np.isfinite(y)), "one positive value a window", values=values)
    return float(_line(np.log(2 * t - 1))[0] @ np.log(y))


def mean_error(samples: ArrayLike, axis: int = 0) -> tuple[Any, Any]:
    """Mean over trials and its standard error."""
    x = np.asarray(samples, float)
    need(x.shape[axis] >= 2, "two or more trials", trials=x.shape[axis])
    return x.mean(axis), x.std(axis, ddof=1) / math.sqrt(x.shape[axis])


def upper_quantile(samples: ArrayLike, share: float) -> tuple[float, float, float]:
    """The value that a share of all trials exceeds, with its exact 95 % interval, whatever the law.

    Args:
        samples: (n,), independent trials of a continuous law.
        share: p in (0, 1): the quantile of level 1 - p.

    Returns:
        (value, low, high): the sample that floor(p n) others exceed, and the order statistics between which the quantile
        lies in 95 % of all draws; infinite where n trials cannot say.

    Raises:
        ValueError: If an argument is none of these.

    Source: the number of trials beyond the quantile is Binomial(n, p).
    """
    from scipy.stats import binom

    x = -np.sort(-np.asarray(samples, float))
    need(x.ndim == 1 and x.size >= 1 and bool(np.all(np.isfinite(x))), "finite samples (n,)", samples=samples)
    need(0 < share < 1, "0 < share < 1", share=share)
    ends = np.concatenate([[math.inf], x, [-math.inf]])
    last = x.size + 1
    low, high = ends[min(int(binom.isf(0.025, x.size, share)) + 1, last)], ends[int(binom.ppf(0.025, x.size, share))]
    return float(x[math.floor(share * x.size)]), float(low), float(high)


class _Resampler:
    """The bootstrap distribution of the slope and the curvature."""

    def __init__(self, columns: list[Floats], joint: bool, apply: Callable[..., Any], t: Floats, linear: Floats) -> None:
        self.columns, self.joint, self.apply, self.t, self.linear = columns, joint, apply, t, linear

    def coefficients(self, *indices: NDArray[np.int64]) -> Floats:
        """(slope, curvature) of resamples whose trials are (..., n) indices: one array, or one a window."""
        each = indices if len(indices) > 1 else indices * self.t.size
        rows = [self.apply(c[i], w) for c, i, w in zip(self.columns, each, self.t, strict=True)]
        return np.tensordot(self.linear, np.log(np.stack(rows)), 1)

    def interval(self, seed: int) -> tuple[float, float, str, float]:
        """95 % interval of the slope, how it was made, and the curvature's standard error."""
        import warnings

        from scipy.stats import bootstrap

        sizes = [self.columns[0].size] if self.joint else [c.size for c in self.columns]
        data = tuple(np.arange(size) for size in sizes)
        generator = rng.generator(seed, rng.BOOTSTRAP)

        def slope(*indices: NDArray[np.int64], axis: int = -1) -> Floats:
            del axis
            return self.coefficients(*indices)[0]

        draws = tuple(generator.integers(size, size=(200, size)) for size in sizes)
        curvature_error = float(np.std(self.coefficients(*draws)[1], ddof=1))
        level = _level(min(sizes))
        options: dict[str, Any] = {
            "n_resamples": RESAMPLES,
            "confidence_level": level,
            "axis": -1,
            "vectorized": True,
            "rng": generator,
        }
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # BCa warns on degenerate data, where the percentile interval steps in
            result = bootstrap(data, slope, method="BCa", **options)
        low, high = result.confidence_interval
        if math.isfinite(low) and math.isfinite(high):
            return float(low), float(high), "BCa bootstrap over trials", curvature_error
        low, high = np.quantile(result.bootstrap_distribution, [(1 - level) / 2, (1 + level) / 2])
        return float(low), float(high), "percentile bootstrap over trials (BCa undefined)", curvature_error


def _level(trials: int) -> float:
    """Nominal level that makes a bootstrap interval of few trials cover 95 %.

    The bootstrap's spread is too small by sqrt((n - 1)/n), and its quantiles are the normal's, not Student's.

    Source: Hesterberg, What teachers should know about the bootstrap (The American Statistician 69, 2015), sec. 3.3.
    """
    from scipy.stats import norm, t

    return float(1 - 2 * norm.cdf(-math.sqrt(trials / (trials - 1)) * t.ppf(0.975, trials - 1)))


def _line(x: Floats) -> Floats:
    """(2, K): rows that read slope and intercept off y."""
    return np.linalg.pinv(np.stack([x, np.ones_like(x)], 1))


def _bend(x: Floats) -> Floats:
    """(K,): reads the coefficient of x^2 off y; zero for two windows."""
    if x.size < 3:
        return np.zeros_like(x)
    z = x - x.mean()
    return np.linalg.pinv(np.stack([z**2, z, np.ones_like(z)], 1))[0]


def _windows(windows: ArrayLike) -> Floats:
    t = np.asarray(windows, float)
    need(t.ndim == 1 and t.size >= 2, "two or more windows", windows=windows)
    need(np.all((t >= 1) & np.isfinite(t)), "1 <= T < inf", windows=windows)
    need(np.unique(t).size == t.size, "distinct windows", windows=windows)
    return t


def _columns(samples: Any, t: Floats) -> tuple[list[Floats], bool]:
    joint = getattr(samples, "ndim", 1) == 2
    if joint:
        table = np.asarray(samples, float)
        need(table.shape[1] == t.size, f"samples of shape (trial, {t.size})", shape=table.shape)
        columns = [np.ascontiguousarray(c) for c in table.T]
    else:
        need(isinstance(samples, Sequence | np.ndarray) and len(samples) == t.size,
             f"samples (trial, {t.size}), or {t.size} arrays", samples=type(samples).__name__)  # fmt: skip
        columns = [np.asarray(c, float).ravel() for c in samples]
    for c, w in zip(columns, t, strict=True):
        need(c.size >= 2, f"two or more trials at window {w:g}", trials=c.size)
        bad = c[~(np.isfinite(c) & (c > 0))]
        need(bad.size == 0, f"positive finite samples at window {w:g}", sample=float(bad[0]) if bad.size else None)
    return columns, joint


def _statistic(statistic: Statistic) -> Callable[..., Any]:
    if callable(statistic):
        function = statistic
        return lambda x, w: np.apply_along_axis(function, -1, x, w) if np.ndim(x) > 1 else function(x, w)
    need(statistic in ("mean", "median"), 'statistic: "mean", "median" or a callable', statistic=statistic)
    reduce = np.mean if statistic == "mean" else np.median
    return lambda x, _w: reduce(x, axis=-1)
