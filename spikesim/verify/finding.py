"""One claim held against one simulation: what was measured, what theory allows, and the chance of that if theory is right.

A finding's p is the probability, were the claim true, of evidence against it at least as strong as what was seen. Intervals
are of 95 %, two one-sided ones of 97.5 %; those of frequencies are exact (Clopper-Pearson).
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim.errors import need
from spikesim.estimate import mean_error

ROUNDING = 1e-9
"""Relative slack of inequalities that hold for every matrix."""


@dataclass(frozen=True)
class Finding:
    """What one simulation says about one claim.

    Attributes:
        label: Of the claim in docs/theory.md.
        quantity: What was measured, in words.
        setting: Size, spikes and noise.
        window: T.
        kind: "bound" (measured <= theory), "always" (in every trial), "equality" (measured = theory) or "limit" (within
            allowance of it).
        measured: Mean, frequency or largest ratio.
        low: Lower end of its interval.
        high: Upper end.
        theory: The claim's value.
        allowance: Of a bound its value; of a limit C / size^power, in the unit of measured; of an equality 0.
        p: See above.
        vacuous: Why the claim says nothing here; empty where it does.
        outside: Why the noise is none that the claim speaks of.
        note: What else was seen.
    """

    label: str
    quantity: str
    setting: str
    window: float
    kind: str
    measured: float
    low: float
    high: float
    theory: float
    allowance: float
    p: float
    vacuous: str = ""
    outside: str = ""
    note: str = ""


def frequency(label: str, quantity: str, setting: str, window: float, failures: ArrayLike, allowed: float) -> Finding:
    """P(failure) <= allowed, from independent trials (n,) of bool; exact binomial tail."""
    from scipy.stats import beta, binom

    bad = np.asarray(failures, bool)
    n, k = bad.size, int(bad.sum())
    need(n >= 1 and allowed > 0, "trials and a positive allowance", trials=n, allowed=allowed)
    low = float(beta.ppf(0.025, k, n - k + 1)) if k else 0.0
    high = float(beta.ppf(0.975, k + 1, n - k)) if k < n else 1.0
    p = float(binom.sf(k - 1, n, min(allowed, 1.0)))
    empty = "the allowed frequency is 1 or more" if allowed >= 1 else ""
    return Finding(label, quantity, setting, window, "bound", k / n, low, high, allowed, allowed, p, empty)


def mean_at_most(label: str, quantity: str, setting: str, window: float, samples: ArrayLike, bound: float) -> Finding:
    """E X <= bound, from independent trials (n,); Student's one-sided test."""
    mean, low, high, p = _against(samples, bound)
    return Finding(label, quantity, setting, window, "bound", mean, low, high, bound, bound, p)


def always(label: str, quantity: str, setting: str, window: float, left: ArrayLike, right: ArrayLike) -> Finding:
    """left <= right in every trial: the largest ratio may not pass 1. Its interval reaches from what was seen to 1."""
    a, b = np.asarray(left, float), np.asarray(right, float)
    ratio = np.divide(a, b, out=np.where(a > 0, math.inf, 0.0), where=b > 0)
    worst = float(ratio.max())
    p = 0.0 if worst > 1 + ROUNDING else 1.0
    return Finding(label, quantity, setting, window, "always", worst, worst, max(worst, 1.0), 1.0, 1.0, p)


def mean_equals(label: str, quantity: str, setting: str, window: float, samples: ArrayLike, value: float) -> Finding:
    """E X = value, from independent trials (n,); Student's two-sided test."""
    mean, low, high, p = _against(samples, value)
    return Finding(label, quantity, setting, window, "equality", mean, low, high, value, 0.0, 2 * min(p, 1 - p))


def order(label: str, quantity: str, setting: str, window: float, larger: ArrayLike, smaller: ArrayLike) -> Finding:
    """E larger >= E smaller, from paired trials (n,): the difference smaller - larger is at most 0."""
    gap = np.asarray(smaller, float) - np.asarray(larger, float)
    return mean_at_most(label, quantity, setting, window, gap, 0.0)


@dataclass(frozen=True)
class Sized:
    """Trials of one size, and the formula's value at it."""

    size: float
    samples: NDArray[np.float64]
    value: float

    @property
    def scaled(self) -> tuple[float, float]:
        """Relative deviation from the formula, and its standard error."""
        mean, error = mean_error(self.samples)
        return float(mean / self.value - 1), float(error / abs(self.value))


def limit(label: str, quantity: str, setting: str, window: float, sized: Sequence[Sized], power: float = 1.0) -> Finding:
    """E X -> value with a relative deviation of at most C / size^power, C from the smaller sizes, tested at the largest.

    C is the largest scaled deviation of the smaller sizes, and its standard error counts in the test. A formula that is
    off by a constant share keeps its deviation as sizes grow, and so leaves the allowance.
    """
    from scipy.stats import t as student

    *smaller, largest = sorted(sized, key=lambda x: x.size)
    need(len(smaller) >= 2, "three or more sizes", sizes=len(sized))
    scaled = [(abs(d) * x.size**power, e * x.size**power) for x in smaller for d, e in (x.scaled,)]
    constant, constant_error = max(scaled)
    off, error = largest.scaled
    allowed, spread = constant / largest.size**power, math.hypot(error, constant_error / largest.size**power)
    freedom = min(x.samples.size for x in sized) - 1
    p = 2 * float(student.sf((abs(off) - allowed) / spread, freedom)) if spread else float(abs(off) <= allowed + ROUNDING)
    half = float(student.ppf(0.975, largest.samples.size - 1)) * error * abs(largest.value)
    mean = largest.value * (1 + off)
    return Finding(
        label, quantity, setting, window, "limit", mean, mean - half, mean + half, largest.value,
        allowed * abs(largest.value), min(p, 1.0), note=f"C = {constant:.2g} at sizes {[x.size for x in smaller]}",
    )  # fmt: skip


def no_claim(finding: Finding, why: str) -> Finding:
    """Call it vacuous because a hypothesis fails: nothing is claimed, so nothing can speak against it."""
    return replace(finding, p=1.0, vacuous=why)


def unless_unfiltered(finding: Finding, unfiltered: Finding) -> Finding:
    """Call a bound vacuous where an unfiltered gradient meets it already: as measured, the filter is not needed for it."""
    if finding.vacuous or unfiltered.measured > unfiltered.theory:
        return finding
    return replace(finding, vacuous="an unfiltered gradient already meets it")


def vacuous_above_one(finding: Finding, bound: float, what: str) -> Finding:
    """Call it vacuous where the bound is 1 or more of a quantity that is at most 1 (or whose trivial value is 1)."""
    return finding if finding.vacuous or bound < 1 else replace(finding, vacuous=f"{what} is {bound:.3g}, 1 or more")


def _against(samples: ArrayLike, value: float) -> tuple[float, float, float, float]:
    """Mean, its interval, and P(T >= t) of Student's t for E X = value; 1/2 within rounding, exact if trials do not vary."""
    from scipy.stats import t as student

    x = np.asarray(samples, float)
    mean, error = (float(y) for y in mean_error(x))
    need(math.isfinite(mean), "defined samples", mean=mean)
    close = abs(mean - value) <= ROUNDING * max(abs(value), abs(mean))
    if error == 0:
        return mean, mean, mean, 0.5 if close else float(mean < value)
    half = float(student.ppf(0.975, x.size - 1)) * error
    p = 0.5 if close else float(student.sf((mean - value) / error, x.size - 1))
    return mean, mean - half, mean + half, p


def text_of(model: Any) -> str:
    """A model's size, spikes and noise in one line."""
    (m, n), noise = model.shape, re.sub(r"\d+\.\d{6,}", lambda x: f"{float(x[0]):.6g}", repr(model.noise))
    short = noise if len(noise) <= 70 else f"{noise[:40]}...)"
    return f"{m} x {n}, spikes {', '.join(f'{x:.4g}' for x in model.spikes)}, {short}"
