"""What is signal and what is noise in a recording, from inner products of its gradients alone.

Notation: C_j = mean of <G_t, G_{t+j}>. Noise that is orthogonal over steps is in C_0 alone, so that C_j for j >= 1 is the
signal's, and eta = C_0 - A with A the signal's own C_0, found

    stationary   as the mean over all pairs of different gradients (U-statistic, no bias)
    twin         as the mean of <G_t, G'_t>, and at lag 1 <G_t, G'_{t+1}>, of gradients of other batches at the same weights
    trajectory   on a parabola through C_j - eta phi^j for j = 3 .. 24, as a signal that moves leaves less in common

and phi = (C_1 - A_1)/eta, A_1 the same at lag 1, is what noise has in common with that of the step before. Of a trajectory,
correlations that die within two steps or fall as phi^j up to 0.7 are told apart from signal by this; slower ones are not, and
pass for signal, and a signal that turns by more than a tenth of a radian a step is no parabola.

Source: theory.md P3.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from spikesim.probe import turning
from spikesim.probe.jackknife import Floats, jackknife, student
from spikesim.probe.plan import BLOCKS
from spikesim.probe.sums import LAGS, Sums
from spikesim.probe.tails import TailIndex, of_sizes

SURE = 0.999
"""Of the interval that leaves out 0 where noise is said to be correlated."""
CLEAR = 3
"""Lag from which products are the signal's, but for phi^j."""
ROUNDS = 12
"""Of taking out what phi leaves there."""
STRONGEST = 0.7
"""|phi| up to which it is: what is more is no different from signal."""
UNLIKELY = 1.92
"""Half a chi-square's 95 % point: a likelihood that is smaller by its exponential is one to rule out."""


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval; ends are NaN where nothing is known of its error."""

    value: float
    low: float = float("nan")
    high: float = float("nan")

    @classmethod
    def of(cls, value: float, error: float, blocks: int = BLOCKS) -> "Estimate":
        """From a standard error by B blocks."""
        half = student(blocks) * error
        return cls(float(value), float(value - half), float(value + half))

    def clear_of(self, level: float, sure: float = 0.95, blocks: int = BLOCKS) -> bool:
        """Whether the interval, or a wider one, does not reach a level."""
        wider = student(blocks, sure) / student(blocks)
        return abs(self.value - level) > wider * (self.high - self.low) / 2


@dataclass(frozen=True)
class NoiseEstimates:
    """Of a recording.

    Attributes:
        eta: E‖Xi‖_F^2, in squared units of the gradients.
        sigma: sqrt(eta/(m n)), the standard deviation of an entry.
        signal: A = ‖S‖_F^2, of a trajectory on average.
        snr: A/eta.
        autocorrelation: phi, lag 1, of the noise; 0 without noise.
        tail_steps: Tail index of ‖Xi_t‖_F.
        tail_entries: Tail index of entries.
        drift: Radians by which left singular vectors turn a step, if that is how the signal moves; NaN of a stationary
            recording, and where no signal is seen.
    """

    eta: Estimate
    sigma: Estimate
    signal: Estimate
    snr: Estimate
    autocorrelation: Estimate
    tail_steps: TailIndex
    tail_entries: TailIndex
    drift: Estimate

    @property
    def correlation(self) -> float:
        """phi where it is told from 0, which is 0 for BVMZOS; else 0."""
        phi = self.autocorrelation
        return float(np.clip(phi.value, -0.99, 0.99)) if phi.clear_of(0.0, SURE) else 0.0

    @property
    def outside(self) -> tuple[str, ...]:
        """Reasons why this noise is not BVMZOS; none where nothing speaks against it. A bias of the noise cannot be seen."""
        reasons = []
        phi = self.autocorrelation
        if self.correlation:
            reasons.append(f"autocorrelated: {phi.value:+.3f} [{phi.low:.3f}, {phi.high:.3f}] at lag 1")
        for name, tail in (("steps' norms", self.tail_steps), ("entries", self.tail_entries)):
            if tail.high < 2:
                reasons.append(f"no finite variance: tail index of {name} {tail.alpha:.2f} [{tail.low:.2f}, {tail.high:.2f}]")
        return tuple(reasons)


def noise_estimates(sums: Sums, kind: str) -> NoiseEstimates:
    """All of them, with errors by blocks of time."""
    values, errors = jackknife(partial(_statistics, sums, kind, _grams(sums)), BLOCKS)
    alpha, half = values.pop("entries"), student(BLOCKS) * errors["entries"]
    made = {name: Estimate.of(float(values[name]), float(errors[name])) for name in values}
    tail = TailIndex(float(alpha[0]), float(np.min(alpha - half)), float(np.max(alpha + half)), sums.entries.used)
    drift = Estimate(float("nan"))
    if kind == "trajectory" and made["signal"].low > 0:
        drift = drift_of(sums, *(made[name].value for name in ("signal", "eta", "sigma", "phi")))
    return NoiseEstimates(
        made["eta"], made["sigma"], made["signal"], made["snr"], made["phi"], of_sizes(sums.sizes), tail, drift
    )


def _grams(sums: Sums) -> Floats:
    """Inner products of the blocks' sums, (B, B)."""
    flat = sums.totals.reshape(BLOCKS, -1)
    return flat @ flat.T


def _statistics(sums: Sums, kind: str, grams: Floats, keep: NDArray[np.bool_]) -> Mapping[str, Floats]:
    count = sums.counts[keep].sum()
    power = sums.products[keep, 0].sum() / count
    means = sums.products[keep].sum(0) / sums.pairs[keep].sum(0)
    if kind == "stationary":
        whole = grams[np.ix_(keep, keep)].sum()
        now = after = (whole - power * count) / (count * (count - 1))
    elif sums.shared is not None:
        now, after = sums.shared[keep].sum(0) / (count, sums.pairs[keep, 1].sum())
    else:
        now, after = _extrapolated(means, power)
    least = 1e-12 * power  # below it there is rounding alone
    eta = max(power - now, least)
    shared = means[1] - after if eta > least else 0.0
    m, n = sums.shape[1:]
    found = {"eta": eta, "sigma": np.sqrt(eta / (m * n)), "signal": now, "snr": now / eta, "phi": shared / eta}
    return {name: np.asarray(x) for name, x in found.items()} | {"entries": sums.entries.hill(keep)}


def _extrapolated(means: Floats, power: float) -> tuple[float, float]:
    """The signal's products at lags 0 and 1, from those at larger lags less the eta phi^j of noise in them."""
    lags = np.arange(CLEAR, LAGS + 1)
    now, after, left = 0.0, 0.0, np.zeros(lags.size)
    for _ in range(ROUNDS):
        curve = np.polyfit(lags, means[CLEAR:] - left, 2)
        now, after = float(np.polyval(curve, 0)), float(np.polyval(curve, 1))
        eta = max(power - now, 1e-12 * power)
        left = eta * np.clip((means[1] - after) / eta, -STRONGEST, STRONGEST) ** lags
    return now, after


def drift_of(sums: Sums, signal: float, eta: float, sigma: float, phi: float) -> Estimate:
    """Omega by how likely each is (turning.py): the mean, and where 95 % lie, from 0 where nothing speaks against it.

    Args:
        sums: Of the recording.
        signal: A, as estimated.
        eta: E‖Xi‖_F^2.
        sigma: Standard deviation of an entry.
        phi: What noise has in common with that of the step before; taken out of products of single gradients.
    """
    count, power = sums.shape[0], max(signal, 0.0)
    lags = np.arange(CLEAR, LAGS + 1.0)
    near = sums.products[:, CLEAR:].sum(0) / sums.pairs[:, CLEAR:].sum(0)
    near = near - eta * np.clip(phi, -STRONGEST, STRONGEST) ** lags
    singles = [turning.Products(near, lags, np.ones(lags.size), sigma**2 * (eta + 4 * power * lags / count) / (count - lags))]
    levels = [i for i in range(len(sums.blocks.products)) if 2**i >= turning.SHORTEST]
    if levels:
        means = np.array([sums.blocks.products[i][0] for i in levels])
        lengths = 2.0 ** np.array(levels)
        spread = sigma**2 * (eta / lengths**2 + 2 * power / lengths) / (count // lengths - 1)
        singles.append(turning.Products(means, lengths, lengths, spread))
    chances = turning.chances(singles, _grams(sums), sums.counts, power, eta, sigma)
    below = np.cumsum(chances)
    low, high = (turning.TURNS[min(int(np.searchsorted(below, p)), below.size - 1)] for p in (0.025, 0.975))
    still = chances[0] > np.exp(-UNLIKELY) * chances.max()
    return Estimate(float(chances @ turning.TURNS), 0.0 if still else float(low / turning.STEP), float(high * turning.STEP))
