"""Exponents in 2T - 1 of what a longer window does to a recording's noise."""

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from spikesim.estimate import log_slope
from spikesim.probe.noise import Estimate
from spikesim.probe.statistics import Mask, Statistics, averaged, means

if TYPE_CHECKING:
    from spikesim.probe.probe import Probe
    from spikesim.probe.readings import Readings


def exponents(probe: "Probe") -> dict[str, Estimate]:
    """Least-squares slopes against ln(2T - 1) over all windows, NaN where a value is not positive.

    "suppression" R(T) and "tail" sigma_{r+1}(M), r the directions that stand out; "loss" 1 - alignment of pre-polar;
    "sin_theta_left" and "sin_theta_right" at the first rank. White noise: tail -1/2; the others by S3 and S4 (theory.md S6).
    """
    values, errors = averaged(probe.readings, partial(_slopes, probe))
    return {name: Estimate.of(float(x), float(errors[name])) for name, x in values.items()}


def _slopes(probe: "Probe", readings: "Readings", keep: Mask) -> Statistics:
    found = means(readings, keep)
    lost = 1 - found["decrease"][0] / probe.curve.nuclear if probe.curve.seen else np.zeros(0)
    columns = {
        "suppression": found["ratio"][0][:, probe.tail],
        "tail": found["spectrum"][0][:, probe.tail],
        "loss": lost,
        "sin_theta_left": found["left_sine"][0][:, 0],
        "sin_theta_right": found["right_sine"][0][:, 0],
    }
    windows = np.asarray(probe.asked.windows)
    return {name: np.asarray(_slope(windows, x)) for name, x in columns.items()}


def _slope(windows: np.ndarray, values: np.ndarray) -> float:
    good = values.size == windows.size and bool(np.all(np.isfinite(values) & (values > 0)))
    return log_slope(windows, values) if good else float("nan")
