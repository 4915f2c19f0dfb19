"""Rare large gradients: pre- and post-polar where a share p of steps has `factor` times the noise (theory.md, R1).

Notation: sigma is the standard deviation of one noise entry of a clean step; y = lambda / (sigma sqrt max(m, n)) of one.
"""

import math

import numpy as np

from spikesim.errors import need
from spikesim.theory.arguments import (
    Shape,
    Spike,
    positive,
    real,
    shape_of,
    sigma_of,
    spikes_in,
    spikes_of,
    steps_of,
    window_of,
)
from spikesim.theory.asymptotics import alignment
from spikesim.theory.filters import ema

MANY = 30
"""A large step is followed back so many windows; what is older weighs nothing."""
NODES = 64


def post_polar(
    shape: Shape, sigma: float, spikes: Spike, window: float, p: float, factor: float, steps: int | None = None
) -> float:
    """Gain times the mean alignment of one gradient, (1 - p) a(lambda/sigma) + p a(lambda/(factor sigma)): exact but for S4.

    Args:
        shape: (m, n).
        sigma: Of a clean step.
        spikes: lambda_1..lambda_r.
        window: T of an EMA.
        p: Probability of a large step, 0 < p < 1.
        factor: What multiplies its noise, > 0.
        steps: Since M_0 = 0; None is the steady state.

    Returns:
        In [0, 1].

    Raises:
        ValueError: If an argument is outside its range.

    Source: theory.md R1, B4.
    """
    p, factor = _rare(p, factor)
    each = [alignment(shape, sigma * scale, spikes, 1.0) for scale in (1.0, factor)]
    return float(ema(window, steps).gain * ((1 - p) * each[0] + p * each[1]))


def pre_polar(
    shape: Shape, sigma: float, spikes: Spike, window: float, p: float, factor: float, steps: int | None = None
) -> float:
    """Mean of S4 over the age k of the newest large step, whose share is whole; older ones count with their mean square.

    s_k^2 = sigma^2 [(1 - beta^(2k) + (beta^(2k+2) - beta^(2t)) (1 + p (factor^2 - 1)))/(2T - 1) + factor^2 beta^(2k)/T^2].
    Given the scalars the buffer's noise is Gaussian, so nothing but S4 and the older ones' mean is approximate.

    Arguments and what is raised: as in `post_polar`.

    Returns:
        In [0, 1].

    Source: theory.md R1.
    """
    p, factor = _rare(p, factor)
    t, steps = window_of(window), steps_of(steps)
    beta, gain = 1 - 1 / t, ema(window, steps).gain
    seen = math.ceil(min(steps or math.inf, MANY * t))
    k = np.arange(seen)
    chance = p * (1 - p) ** k
    left = 0.0 if steps is None else beta ** (2 * steps)
    older = np.maximum(beta ** (2 * k + 2.0) - left, 0.0) * (1 + p * (factor**2 - 1))
    square = (1 - beta ** (2.0 * k) + older) / (2 * t - 1) + factor**2 * beta ** (2.0 * k) / t**2
    chance, square = np.append(chance, (1 - p) ** seen), np.append(square, ema(window, steps).noise_factor)
    return float(chance @ _averaged(shape, sigma, spikes, np.sqrt(square) / gain))


def border(shape: Shape, sigma: float, spike: float, window: float, p: float) -> float:
    """Factor at which both lose alike by the mean squares: sqrt((2T - 2)/p + (2T - 1) y^2).

    By 1 - a = y^-2 at high SNR pre-polar loses (1 + p factor^2)/((2T - 1) y^2), post-polar 1/y^2 and the share p. A guide
    for y > 1 and where the border lies below T y; beyond that one large step is all there is of the buffer.

    Args:
        shape: (m, n).
        sigma: Of a clean step, > 0.
        spike: lambda, one number.
        window: T of a steady EMA, >= 1.
        p: Probability of a large step, 0 < p < 1.

    Returns:
        The factor, > 0.

    Raises:
        ValueError: If an argument is outside its range.

    Source: theory.md R1.
    """
    p, _ = _rare(p, 1.0)
    y = float(spikes_of(spike)[0]) / (sigma_of(sigma) * math.sqrt(max(shape_of(shape))))
    t = window_of(window)
    return math.sqrt((2 * t - 2) / p + (2 * t - 1) * y**2)


def _rare(p: float, factor: float) -> tuple[float, float]:
    need(real(p) and 0 < p < 1, "0 < p < 1", p=p)
    return float(p), float(positive("factor", factor))


def _averaged(shape: Shape, sigma: float, spikes: Spike, scales: np.ndarray) -> np.ndarray:
    """Alignment at noise scales[i] sigma, by a cubic spline through a grid of them."""
    from scipy.interpolate import CubicSpline

    spikes_in(shape, spikes)
    low, high = scales.min(), scales.max()
    if low == high:
        return np.full(scales.size, alignment(shape, sigma * float(low), spikes, 1.0))
    grid = np.geomspace(low, high, NODES)
    values = [alignment(shape, sigma * float(s), spikes, 1.0) for s in grid]
    return np.asarray(CubicSpline(np.log(grid), values)(np.log(scales)))
