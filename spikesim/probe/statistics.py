"""Readings to numbers: means over the blocks that are kept, so that leaving blocks out gives their errors."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from spikesim.probe.jackknife import Floats, Statistics, jackknife
from spikesim.probe.plan import BLOCKS
from spikesim.probe.readings import Readings

Mask = NDArray[np.bool_]

BY_READING = ("inside", "gradient", "spectrum", "left", "right", "nuclear", "energy")


def decrease(readings: Readings, keep: Mask) -> Floats:
    """<A, S>, (P, W): mean over readings and held-out gradients of the blocks that are kept."""
    rows = keep[readings.block]
    return readings.inner[rows][..., keep].sum((0, 3)) / readings.held[rows][:, keep].sum()


def means(readings: Readings, keep: Mask) -> Statistics:
    """Every mean over readings, by its name in `Readings`; and

    decrease   <A, S>, (P, W)
    behind     the same less the first pipeline's, (P, W)
    longer     the first pipeline's at one window less at another, (W, W)
    ratio      sigma_k(M)/sigma_k(G), (P, W, I)
    """
    rows = keep[readings.block]
    found = {name: getattr(readings, name)[rows].mean(0) for name in BY_READING}
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = (readings.spectrum[rows] / readings.gradient[rows][:, None, None]).mean(0)
    fall = decrease(readings, keep)
    apart = {"behind": fall - fall[:1], "longer": fall[0][:, None] - fall[0][None, :]}
    return found | apart | {"decrease": fall, "ratio": ratio}


def averaged(runs: Sequence[Readings], statistics: Callable[[Readings, Mask], Statistics]) -> tuple[Statistics, Statistics]:
    """Statistics and their errors over runs of one recording.

    Means of both: runs meet the same gradients in other orders, so that errors do not fall with their number.
    """
    each = [jackknife(partial(statistics, one), BLOCKS) for one in runs]
    values, errors = ({name: np.mean([one[i][name] for one in each], axis=0) for name in each[0][0]} for i in (0, 1))
    return values, errors
