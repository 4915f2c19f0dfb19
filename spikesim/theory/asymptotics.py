"""Sharp limits for i.i.d. entries as m, n grow at fixed rank (theory.md, S1 to S4).

Notation: sigma is one entry's standard deviation, spike one lambda or a tuple, window T of an EMA; inside its buffer
theta = gain |lambda| and s = sigma sqrt(noise factor) (S1). steps = t counts the gradients since M_0 = 0 (F2); None is the
steady state, gain 1 and noise factor 1/(2T - 1). Every function takes window as a number and gives a number for one spike,
an array (r,) for a tuple; window = 1 is an unfiltered gradient. m may be less than, equal to or more than n. Spikes,
sigma and singular values have the gradient's unit, windows and steps are counts, all else is dimensionless; signs of spikes
do not matter. Source: theory.md, at the label that each docstring names.

Raises, all of them: ValueError unless m, n >= 1, 0 < sigma < inf, T >= 1, steps >= 1, and spikes are finite, not 0 and
at most min(m, n).
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikesim.errors import need
from spikesim.theory.arguments import Floats, Shape, Spike, like, shape_of, sigma_of, spikes_in, spikes_of, steps_of
from spikesim.theory.filters import ema

HUGE = 1e70
"""Ratio s / theta beyond which nothing changes and its fourth power would overflow."""


def critical_window(shape: Shape, sigma: float, spike: Spike, steps: int | None = None) -> Any:
    """Smallest T at which the spike leaves the bulk: n_eff = sigma^2 sqrt(mn) / lambda^2, at least 1.

    In steady state 2T - 1 = n_eff. After t steps n_eff < t, whatever T: inf where that is not enough.

    Args:
        shape: (m, n), each >= 1; nothing needs m >= n.
        sigma: Standard deviation (not squared) of one noise entry of one gradient, > 0, in the spikes' unit.
        spike: lambda, finite and not 0; a number, or a tuple of r <= min(m, n). Signs do not matter.
        steps: Steps since M_0 = 0, >= 1; None is the steady state.

    Returns:
        A number for one spike, an array (r,) for a tuple, in steps.

    Raises:
        ValueError: If an argument is outside its range.

    Example:
        >>> round(critical_window((4096, 16384), sigma=1.0, spike=8.0), 1)
        64.5

    Source: theory.md S2.
    """
    steps = steps_of(steps)
    with np.errstate(over="ignore"):  # beyond the largest number it is inf
        ratio = (sigma_of(sigma) / spikes_in(shape, spike)) ** 2 * math.sqrt(math.prod(shape_of(shape)))
    return like(spike, np.array([_window_of_size(x, steps) for x in ratio]))


def bulk_edge(shape: Shape, sigma: float, window: float, steps: int | None = None) -> float:
    """s (sqrt m + sqrt n): the largest singular value of the buffer's noise.

    Args:
        shape: (m, n), each >= 1; nothing needs m >= n.
        sigma: Standard deviation (not squared) of one noise entry of one gradient, > 0, in the spikes' unit.
        window: T = 1/(1 - beta) >= 1 of an EMA, in steps.
        steps: Steps since M_0 = 0, >= 1; None is the steady state.

    Returns:
        In the unit of sigma.

    Raises:
        ValueError: If an argument is outside its range.

    Source: theory.md S2.
    """
    m, n = shape_of(shape)
    return scales(sigma, window, steps)[1] * (math.sqrt(m) + math.sqrt(n))


def singular_value(shape: Shape, sigma: float, spike: Spike, window: float, steps: int | None = None) -> Any:
    """sqrt((theta^2 + m s^2)(theta^2 + n s^2)) / theta above the threshold, the bulk edge below.

    Args:
        shape: (m, n), each >= 1; nothing needs m >= n.
        sigma: Standard deviation (not squared) of one noise entry of one gradient, > 0, in the spikes' unit.
        spike: lambda, finite and not 0; a number, or a tuple of r <= min(m, n). Signs do not matter.
        window: T = 1/(1 - beta) >= 1 of an EMA, in steps.
        steps: Steps since M_0 = 0, >= 1; None is the steady state.

    Returns:
        A number for one spike, an array (r,) for a tuple, in the unit of the spikes.

    Raises:
        ValueError: If an argument is outside its range.

    Source: theory.md S3.
    """
    (m, n), theta = shape_of(shape), spikes_in(shape, spike) * scales(sigma, window, steps)[0]
    x = _ratio(sigma, spike, window, steps)
    value = theta * np.sqrt(1 + m * x**2) * np.sqrt(1 + n * x**2)
    return like(spike, np.where(_above(x, m, n), value, bulk_edge(shape, sigma, window, steps)))


def overlaps(shape: Shape, sigma: float, spike: Spike, window: float, steps: int | None = None) -> tuple[Any, Any]:
    """Squared overlaps (left, right) of the buffer's singular vectors with the spike's; 0 below the threshold.

    Args:
        shape: (m, n), each >= 1; nothing needs m >= n.
        sigma: Standard deviation (not squared) of one noise entry of one gradient, > 0, in the spikes' unit.
        spike: lambda, finite and not 0; a number, or a tuple of r <= min(m, n). Signs do not matter.
        window: T = 1/(1 - beta) >= 1 of an EMA, in steps.
        steps: Steps since M_0 = 0, >= 1; None is the steady state.

    Returns:
        (left, right), squared cosines in [0, 1]: each a number for one spike, an array (r,) for a tuple.

    Raises:
        ValueError: If an argument is outside its range.

    Source: theory.md S3.
    """
    (m, n), x = shape_of(shape), _ratio(sigma, spikes_in(shape, spike), window, steps)
    excess = np.where(_above(x, m, n), 1 - m * n * x**4, 0.0)
    left, right = (excess / (1 + size * x**2) for size in (m, n))
    return like(spike, left), like(spike, right)


def sin_theta(shape: Shape, sigma: float, spike: Spike, window: float, steps: int | None = None) -> tuple[float, float]:
    """(left, right): the largest sine, sqrt(1 - overlap^2) of the smallest spike; 1 where it does not separate.

    Args:
        shape: (m, n), each >= 1; nothing needs m >= n.
        sigma: Standard deviation (not squared) of one noise entry of one gradient, > 0, in the spikes' unit.
        spike: lambda, finite and not 0; a number, or a tuple of r <= min(m, n). Signs do not matter.
        window: T = 1/(1 - beta) >= 1 of an EMA, in steps.
        steps: Steps since M_0 = 0, >= 1; None is the steady state.

    Returns:
        (left, right), in [0, 1].

    Raises:
        ValueError: If an argument is outside its range.

    Source: theory.md S3.
    """
    smallest = float(spikes_in(shape, spike).min())
    (m, n), x = shape_of(shape), float(_ratio(sigma, smallest, window, steps)[0])
    if x * (m * n) ** 0.25 >= 1:
        return 1.0, 1.0  # 1 - overlap^2 without cancellation: (m x^2 + m n x^4)/(1 + m x^2)
    left, right = (math.sqrt((size * x**2 + m * n * x**4) / (1 + size * x**2)) for size in (m, n))
    return left, right


def polar_alignment(shape: Shape, sigma: float, spike: Spike, window: float, steps: int | None = None) -> Any:
    """a(theta), the limit of u^T O(M) v for the full polar factor, at any SNR.

    Square: (2/pi)((1 - y^-2) arctan y + 1/y), y = theta / (s sqrt n). Otherwise by quadrature, to about 1e-12.

    Args:
        shape: (m, n), each >= 1; nothing needs m >= n.
        sigma: Standard deviation (not squared) of one noise entry of one gradient, > 0, in the spikes' unit.
        spike: lambda, finite and not 0; a number, or a tuple of r <= min(m, n). Signs do not matter.
        window: T = 1/(1 - beta) >= 1 of an EMA, in steps.
        steps: Steps since M_0 = 0, >= 1; None is the steady state.

    Returns:
        A number for one spike, an array (r,) for a tuple, in [0, 1].

    Raises:
        ValueError: If an argument is outside its range.

    Source: theory.md S4.
    """
    (m, n), ratios = shape_of(shape), _ratio(sigma, spikes_in(shape, spike), window, steps, 1e300)
    values = [_square(x * math.sqrt(n)) if m == n else _quadrature(x, m, n) for x in ratios.tolist()]
    return like(spike, np.array(values))


def alignment(shape: Shape, sigma: float, spikes: Spike, window: float, steps: int | None = None) -> float:
    """sum lambda_k a(theta_k) / sum lambda_k, the limit of pre-polar's alignment; polar-only's at window = 1.

    Args:
        shape: (m, n), each >= 1; nothing needs m >= n.
        sigma: Standard deviation (not squared) of one noise entry of one gradient, > 0, in the spikes' unit.
        spikes: lambda_1..lambda_r, finite and not 0, at most min(m, n); signs do not matter.
        window: T = 1/(1 - beta) >= 1 of an EMA, in steps.
        steps: Steps since M_0 = 0, >= 1; None is the steady state.

    Returns:
        In [0, 1].

    Raises:
        ValueError: If an argument is outside its range.

    Source: theory.md S4.
    """
    return weighted(spikes, polar_alignment(shape, sigma, spikes, window, steps))


def truncated_alignment(shape: Shape, sigma: float, spikes: Spike, window: float, steps: int | None = None) -> float:
    """sum lambda_k left_k right_k / sum lambda_k, the limit where only the top-r singular pairs are kept.

    Args:
        shape: (m, n), each >= 1; nothing needs m >= n.
        sigma: Standard deviation (not squared) of one noise entry of one gradient, > 0, in the spikes' unit.
        spikes: lambda_1..lambda_r, finite and not 0, at most min(m, n); signs do not matter.
        window: T = 1/(1 - beta) >= 1 of an EMA, in steps.
        steps: Steps since M_0 = 0, >= 1; None is the steady state.

    Returns:
        In [0, 1].

    Raises:
        ValueError: If an argument is outside its range.

    Source: theory.md S3.
    """
    left, right = overlaps(shape, sigma, spikes, window, steps)
    return weighted(spikes, np.sqrt(np.multiply(left, right)))


def weighted(spikes: Spike, each: Floats) -> float:
    """sum lambda_k x_k / sum lambda_k: an alignment from what each direction has.

    Args:
        spikes: lambda_1..lambda_r, finite and not 0; signs do not matter.
        each: One number a spike, (r,), or a number for one spike.

    Returns:
        The mean of `each`, weighted by |lambda|.

    Raises:
        ValueError: If an argument is outside its range.

    Source: theory.md, Observables.
    """
    size, each = spikes_of(spikes), np.atleast_1d(each)
    need(each.shape == size.shape, "one number a spike", spikes=size.size, shape=each.shape)
    return float(np.sum(size / size.max() * each) / np.sum(size / size.max()))


def scales(sigma: float, window: float, steps: int | None = None) -> tuple[float, float]:
    """(gain, s): what the filter leaves of a spike, and the standard deviation of one noise entry in the buffer (S1).

    Args:
        sigma: Standard deviation (not squared) of one noise entry of one gradient, > 0, in the spikes' unit.
        window: T = 1/(1 - beta) >= 1 of an EMA, in steps.
        steps: Steps since M_0 = 0, >= 1; None is the steady state.

    Returns:
        (gain, s), s in the unit of sigma.

    Raises:
        ValueError: If an argument is outside its range.

    Source: theory.md S1, F2.
    """
    response = ema(window, steps)
    return response.gain, sigma_of(sigma) * math.sqrt(response.noise_factor)


def _ratio(sigma: float, spike: Spike, window: float, steps: int | None, largest: float = HUGE) -> Floats:
    """s / theta, all that directions depend on (S1)."""
    gain, s = scales(sigma, window, steps)
    with np.errstate(over="ignore"):
        return np.minimum(s / spikes_of(spike) / gain, largest)


def _square(x: float) -> float:
    """x = 1/y = s sqrt(n)/theta."""
    if x == 0:
        return 1.0
    y = 1 / x
    if y < 1e-2:  # the closed form cancels; the series of arctan does not
        return 2 / math.pi * sum((-1) ** k * y ** (2 * k + 1) * (1 / (2 * k + 1) + 1 / (2 * k + 3)) for k in range(8))
    return min(1.0, 2 / math.pi * ((1 - x**2) * math.atan(y) + x))


def _quadrature(ratio: float, m: int, n: int) -> float:
    from scipy.integrate import quad

    scale = ratio * math.sqrt(max(m, n)) + 1  # both at most 1 keep the squares in range
    theta, s = 1 / scale, ratio / scale

    def integrand(phi: float) -> float:
        x = math.tan(phi)
        b = x * x + s * s * (m + n)
        w = (b + math.sqrt(max(b * b - 4 * s**4 * m * n, 0.0))) / 2
        return theta / (w + theta**2) / math.cos(phi) ** 2

    return 2 / math.pi * quad(integrand, 0, math.pi / 2, limit=200, epsabs=0, epsrel=1e-12)[0]


def _above(x: Floats, m: int, n: int) -> NDArray[np.bool_]:
    """Whether a spike leaves the bulk, x = s / theta."""
    return x * (m * n) ** 0.25 < 1


def _window_of_size(n_eff: float, steps: int | None) -> float:
    """The window whose effective sample size is n_eff, at least 1; inf if `steps` gradients are too few."""
    if n_eff <= 1 or steps is None:
        return float(max(1.0, (n_eff + 1) / 2))
    if n_eff >= steps:
        return math.inf
    from scipy.optimize import brentq

    def excess(log_window: float) -> float:
        return ema(math.exp(log_window), steps).n_eff / n_eff - 1

    top = math.log(n_eff + 1)
    while excess(top) < 0:
        top += 1
    return math.exp(brentq(excess, 0.0, top, xtol=1e-14, rtol=1e-14))
