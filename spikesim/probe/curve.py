"""The curve that theory draws through <A, S> against T, fitted to what was measured: it gives the scale ‖S‖_*.

    <O(M), S> = ‖S‖_* a(|h| y sqrt(n_eff)) cos(lag),    y = lambda/(sigma sqrt max(m, n)) of one gradient

with a of S4, h and lag of F7, n_eff = 2T - 1, or for correlated noise what F6 makes of it. Two numbers are fitted, ‖S‖_* and
y, at the drift that was estimated. S4 is that of equal spikes and white noise; elsewhere a curve of the right ends, from
sqrt(n_eff) at low SNR to 1 at high, that joins the measured points. ‖S‖_* lies between the largest <A, S> of any update of
spectral norm 1 and the nuclear norm of any average of gradients: `fit` keeps it there, and the two ends say how far the scale
may be off.

Source: theory.md P2; theory.md S4, S8.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikesim.theory import asymptotics
from spikesim.theory.filters import ar1_noise_factor, rotation

Floats = NDArray[np.float64]

LOW, HIGH, KNOTS = 1e-3, 1e4, 141
"""y of one average between which a is tabulated: below it is linear, above it is 1."""
TRIED = 161
SURE = 3.0
"""Standard errors by which the largest <A, S> is above 0 where a signal is said to be seen."""


@dataclass(frozen=True)
class Curve:
    """The fitted curve.

    Attributes:
        shape: (m, n).
        nuclear: ‖S‖_*, in the unit of the gradients.
        snr: y of one gradient, dimensionless.
        omega: Radians a step.
        phi: What noise has in common with that of the step before, 0 where it is not told from 0.
        low: Largest <A, S> measured.
        high: Smallest nuclear norm of an average.
        error: Standard error of `nuclear`.
        low_error: Standard error of `low`.
    """

    shape: tuple[int, int]
    nuclear: float
    snr: float
    omega: float
    phi: float
    low: float
    high: float
    error: float = math.nan
    low_error: float = math.nan

    @property
    def seen(self) -> bool:
        """Whether a signal was seen at all: alignment has no scale without."""
        return self.nuclear > 0 and self.low > SURE * self.low_error

    def alignment(self, windows: Any) -> Floats:
        """<O(M), S>/‖S‖_* at windows (W,), S that of the step."""
        return self.ahead(windows, ())

    def ahead(self, windows: Any, leads: tuple[int, ...]) -> Floats:
        """The same with the mean of S over so many steps ahead."""
        return _shape_of(self.shape, np.asarray(windows, float), np.asarray([self.snr]), self.omega, self.phi, leads)[0]

    def best(self, reach: float, shortest: float, longest: float) -> tuple[float, float]:
        """(T, alignment) among windows: the largest alignment, or without drift the smallest that has a `reach` below 1."""
        grid = np.geomspace(shortest, longest, 400)
        values = self.alignment(grid)
        if self.omega > 0 or reach >= 1:
            i = int(values.argmax())
        else:
            i = int(np.argmax(values >= reach)) if values[-1] >= reach else grid.size - 1
        return float(grid[i]), float(values[i])


def fit(
    shape: tuple[int, int], windows: Floats, measured: Floats, errors: Floats, omega: float, ends: tuple[float, float],
    leads: tuple[int, ...] = (), phi: float = 0.0,
) -> Curve:  # fmt: skip
    """Least squares with weights 1/errors^2.

    Args:
        shape: (m, n).
        windows: (W,).
        measured: <O(M), S> at each, (W,).
        errors: Their standard errors, (W,).
        omega: Drift, 0 for none.
        ends: Between which ‖S‖_* must lie; the lower one where they have crossed.
        leads: Steps ahead of an update of what it was held against; none for its own step, or a signal at rest.
        phi: Autocorrelation of the noise.
    """
    snrs = np.geomspace(LOW, HIGH / 10, TRIED)
    table = _shape_of(shape, windows, snrs, omega, phi, leads)
    weight = 1 / np.maximum(errors, 1e-3 * np.abs(measured).max() + 1e-300) ** 2
    low, top = ends[0], max(ends)
    sizes = np.clip((table * measured * weight).sum(1) / (table**2 * weight).sum(1), low, top)
    miss = ((measured - sizes[:, None] * table) ** 2 * weight).sum(1)
    i = int(miss.argmin())
    return Curve(shape, float(sizes[i]), float(snrs[i]), omega, phi, low, top)


def _shape_of(
    shape: tuple[int, int], windows: Floats, snrs: Floats, omega: float, phi: float, leads: tuple[int, ...]
) -> Floats:
    """a(|h| y sqrt(n_eff)) cos(lag), (y, W); the mean of cos(lag + omega d) over leads d for what is held ahead."""
    gain, lag = np.array([rotation(t, omega) if omega else (1.0, 0.0) for t in windows.tolist()]).T
    x = snrs[:, None] * gain / np.sqrt(noise_factors(windows, phi))
    return _direction(shape, x) * turned(lag, omega, leads)


def noise_factors(windows: Any, phi: float) -> Floats:
    """What a filter leaves of the noise's variance: 1/(2T - 1), or F6."""
    return np.asarray([ar1_noise_factor(float(t), phi) for t in np.atleast_1d(windows)])


def turned(lag: Any, omega: float, leads: tuple[int, ...]) -> Any:
    """cos(lag), or its mean over what the signal turns in so many further steps."""
    return np.mean([np.cos(np.asarray(lag) + omega * d) for d in leads or (0,)], axis=0)


def _direction(shape: tuple[int, int], y: Floats) -> Floats:
    """a at y = theta/(s sqrt max(m, n)), from a table: linear below it, 1 above."""
    knots, values = _table(min(shape), max(shape))
    found = np.interp(np.log(np.clip(y, LOW, HIGH)), knots, values)
    return np.where(y < LOW, found * y / LOW, np.where(y > HIGH, 1.0, found))


@lru_cache(maxsize=32)
def _table(short: int, long: int) -> tuple[Floats, Floats]:
    y = np.geomspace(LOW, HIGH, KNOTS)
    scale = math.sqrt(long)
    return np.log(y), np.asarray([asymptotics.polar_alignment((short, long), 1.0, float(x) * scale, 1.0) for x in y])
