"""Whether a contender computes what it should, before its speed counts: by the law of what it draws, in standard errors."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

import spikesim as ss
from benchmarks.workloads import NOISE_WINDOWS, Problem
from spikesim.arrays import host
from spikesim.errors import need

FEW = Problem(steps=100)
TRIALS, STEPS = 32, 64
MOST = 6.0
"""Standard errors: of the some hundred means that are compared, one is further off by chance once in a million runs."""
ROUNDING = 1e-4
"""Of a mean: less than this is no difference, for float32."""
READ = ("alignment", "alignment_truncated", "projection", "singular_values", "noise_op", "noise_fro", "sin_theta_left")


def need_noise(found: Any) -> None:
    """Refuse averages (..., K, entries) of standard normal steps whose variance after STEPS steps is not the filter's.

    Raises:
        ValueError: If it is not, within MOST standard errors.
    """
    own = found.cpu().numpy() if hasattr(found, "cpu") else host(found)
    factors = np.array([ss.EMA(t).noise_factor(STEPS) for t in NOISE_WINDOWS])
    entries = own.size / len(factors)
    squares = np.mean(np.moveaxis(own, -2, 0).reshape(len(factors), -1) ** 2.0, axis=1, dtype=np.float64)
    off = np.abs(squares / factors - 1) / ((2 / entries) ** 0.5 + ROUNDING)
    need(off.max() <= MOST, f"averages within {MOST:g} standard errors of the filter's variance", errors=float(off.max()))


def need_observables(found: Mapping[str, NDArray[Any]], true: Mapping[str, NDArray[Any]]) -> None:
    """Refuse observables (trial, ...) whose means are not those of others, or that are undefined elsewhere.

    Raises:
        ValueError: If one is further than MOST standard errors away, naming it.
    """
    for name in READ:
        if name in found:
            off = apart(found[name], true[name])
            need(off <= MOST, f"{name} within {MOST:g} standard errors of spikesim's", errors=off)


def apart(found: NDArray[Any], true: NDArray[Any]) -> float:
    """The largest distance of two means over trials, in standard errors and ROUNDING; inf where one alone is undefined."""
    a, b = np.asarray(found, float), np.asarray(true, float)
    if np.any(np.isnan(a).any(0) != np.isnan(b).any(0)):
        return float("inf")
    errors = np.sqrt(a.var(0, ddof=1) / len(a) + b.var(0, ddof=1) / len(b)) + ROUNDING * np.abs(b.mean(0))
    off = np.abs(a.mean(0) - b.mean(0)) / np.where(errors > 0, errors, 1.0)
    return float(np.max(off, initial=0.0, where=~np.isnan(off)))


def checked(perform: Callable[..., Any], contender: Any, spikesim: Any, work: str, dtype: str) -> None:
    """Refuse a contender of gpu_run.py that does other work than spikesim's.

    Raises:
        ValueError: If it does.
    """
    if work == "noise":
        need_noise(perform(contender, work, dtype, STEPS, 1, FEW))
    elif contender is not spikesim:
        need_observables(*(perform(who, work, dtype, TRIALS, 1, FEW) for who in (contender, spikesim)))
