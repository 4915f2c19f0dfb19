"""Readings to numbers: means over the blocks that are kept, so that leaving blocks out gives their errors."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from spikesim.probe.jackknife import Floats, Statistics, jackknife
from spikesim.probe.plan import BLOCKS
from spikesim.probe.readings import Readings

Mask = NDArray[np.bool_]

RESOLVED = 0.5
TINY = 1e-100
"""Of the largest singular value: smaller ones are none, wherever gradients differ so much in size."""
BY_READING = ("inside", "gradient", "spectrum", "left", "right", "nuclear", "energy")


def decrease(readings: Readings, keep: Mask) -> Floats:
    """<A, S>, (P, W): mean over readings and held-out gradients of the blocks that are kept."""
    rows = keep[readings.block]
    return readings.inner[rows][..., keep].sum((0, 3)) / readings.held[rows][:, keep].sum()


def means(readings: Readings, keep: Mask) -> Statistics:
    """Every mean over readings, by its name in `Readings`, and more.

    decrease   <A, S>, (P, W)
    behind     the same less the first pipeline's, (P, W)
    beyond     mean of `behind` at this and all longer windows, (P, W)
    longer     the first pipeline's at one window less at another, (W, W)
    ratio      sigma_k(M)/sigma_k(G), each a mean, (P, W, I); NaN where gradients have rank below k
    left_sine  that of `left` with the error of what it is held against taken out (`corrected`), (P, W, ranks); right_sine
    """
    rows = keep[readings.block]
    found = {name: getattr(readings, name)[rows].mean(0, np.float64) for name in BY_READING}
    there = found["gradient"] > TINY * found["gradient"].max(initial=0.0)
    ratio = found["spectrum"] / np.where(there, found["gradient"], np.nan)
    fall = decrease(readings, keep)
    behind = fall - fall[:1]
    beyond = np.cumsum(behind[:, ::-1], axis=1)[:, ::-1] / np.arange(behind.shape[1], 0, -1)
    apart = {"behind": behind, "beyond": beyond, "longer": fall[0][:, None] - fall[0][None, :]}
    for side in ("left", "right"):
        against = getattr(readings, f"{side}_halves")[rows]
        found[f"{side}_sine"] = corrected((getattr(readings, side)[rows] ** 2).mean(0), np.sqrt(1 - against**2).mean(0))
    return found | apart | {"decrease": fall, "ratio": ratio}


def corrected(squares: Floats, between: Floats) -> Floats:
    """Sines from the true subspaces, out of those from the subspaces of a noisy mean.

    Directions that are perturbed independently have overlaps that multiply (S3), so that cos^2 from the mean is cos^2 from
    the truth times the mean's own, 1 - e^2; two halves of the mean have (1 - 2 e^2) in common, as errors fall as 1/n.

    Args:
        squares: Squared sines from the mean, (..., ranks).
        between: Cosines between the halves, (ranks,).

    Returns:
        (..., ranks); NaN where the halves have less than RESOLVED in common: the mean does not show such a subspace.

    Source: theory.md P6.
    """
    own = 1 - (1 - between) / 2
    found = np.sqrt(np.clip(1 - (1 - squares) / own, 0.0, 1.0))
    return np.where(between > RESOLVED, found, np.nan)


def averaged(runs: Sequence[Readings], statistics: Callable[[Readings, Mask], Statistics]) -> tuple[Statistics, Statistics]:
    """Statistics and their errors over runs of one recording.

    Means of both: runs meet the same gradients in other orders, so that errors do not fall with their number.
    """
    each = [jackknife(partial(statistics, one), BLOCKS) for one in runs]
    values, errors = ({name: np.mean([one[i][name] for one in each], axis=0) for name in each[0][0]} for i in (0, 1))
    return values, errors
