"""‖S‖_* and alignments, out of the <A, S> that were measured (P2)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from spikesim.probe.curve import Curve, fit
from spikesim.probe.jackknife import Statistics
from spikesim.probe.readings import Readings
from spikesim.probe.statistics import Mask, averaged, decrease

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Scaling:
    """What the curve is fitted with.

    Attributes:
        shape: (m, n).
        windows: (W,).
        omega: Drift, 0 for none.
        leads: Steps ahead of what updates are held against.
        phi: Autocorrelation of the noise, 0 where it is not told from 0.
        high: Nuclear norm of an average, which ‖S‖_* cannot exceed.
        bounded: Places of pipelines whose updates have spectral norm 1 at most, pre-polar first.
    """

    shape: tuple[int, int]
    windows: Floats
    omega: float
    leads: tuple[int, ...]
    phi: float
    high: float
    bounded: tuple[int, ...]

    def curve(self, fall: Floats, error: Floats) -> Curve:
        """Through pre-polar's <A, S>, of all pipelines' (P, W)."""
        within = fall[list(self.bounded)]
        place = np.unravel_index(int(within.argmax()), within.shape)
        low, noise = float(within[place]), float(error[list(self.bounded)][place])
        ends = max(low, 0.0), self.high
        found = fit(self.shape, self.windows, fall[0], error[0], self.omega, ends, self.leads, self.phi)
        return replace(found, low_error=noise)


def scaled(
    runs: Sequence[Readings], scaling: Scaling, values: Statistics, errors: Statistics
) -> tuple[Curve, Floats, Floats]:
    """The curve, alignments (P, W), and their errors, which know of the scale's; NaN where no signal is seen."""
    fall, error = values["decrease"], errors["decrease"]

    def aligned(readings: Readings, keep: Mask) -> Statistics:
        found = decrease(readings, keep)
        nuclear = scaling.curve(found, error).nuclear or math.nan
        return {"alignment": found / nuclear, "nuclear": np.asarray(nuclear)}

    curve = scaling.curve(fall, error)
    _, spread = averaged(runs, aligned)
    curve = replace(curve, error=float(spread["nuclear"]))
    if not curve.seen:
        return curve, np.full_like(fall, math.nan), np.full_like(fall, math.nan)
    return curve, fall / curve.nuclear, spread["alignment"]
