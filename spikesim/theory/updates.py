"""Size, direction and error of an update in sharp form: cosine, bias and variance (theory.md, S5, S11)."""

import math

import numpy as np
from numpy.typing import ArrayLike

from spikesim.errors import need
from spikesim.theory.arguments import LARGEST, Shape, Spike, numbers, real, shape_of, spikes_in
from spikesim.theory.asymptotics import polar_alignment
from spikesim.theory.filters import ema


def post_polar_cosine(shape: Shape, sigma: float, spikes: Spike, window: float, steps: int | None = None) -> float:
    """sum a_k / sqrt(r [min(m, n)/n_eff + (1 - 1/n_eff) sum a_k^2]), a_k of one gradient (S4 at s = sigma).

    A ratio of expectations. Checked at rank 1.

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

    Source: theory.md S5.
    """
    each = polar_alignment(shape, sigma, tuple(spikes_in(shape, spikes)), 1.0)
    n_eff = ema(window, steps).n_eff
    square = min(shape) / n_eff + (1 - 1 / n_eff) * np.sum(each**2)
    return float(np.sum(each) / math.sqrt(each.size * square))


def pre_polar_cosine(shape: Shape, sigma: float, spikes: Spike, window: float, steps: int | None = None) -> float:
    """sum a_k / sqrt(r min(m, n)), a_k of the buffer (S4): a full polar factor's norm is sqrt(min(m, n)).

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

    Source: theory.md, Observables; S4.
    """
    each = polar_alignment(shape, sigma, tuple(spikes_in(shape, spikes)), window, steps)
    return float(np.sum(each) / math.sqrt(each.size * min(shape)))


def bias_variance(shape: Shape, each: ArrayLike, gain: float = 1.0, noise_factor: float = 1.0) -> tuple[float, float]:
    """‖E A - O(S)‖_F^2 = sum (1 - gain a_k)^2 and E‖A - E A‖_F^2 = noise factor (min(m, n) - sum a_k^2), Gaussian noise.

    Args:
        shape: (m, n).
        each: a_k = E u_k^T O v_k, (r,): exact at the given size, or S4's limit. Of the buffer for pre-polar, whose gain and
            noise factor here are 1 (nothing follows its polar step); of one gradient for post-polar.
        gain: Of the filter after the polar step.
        noise_factor: Of that filter.

    Returns:
        (bias squared, variance). Pre-polar's variance tends to min(m, n) - r, never to 0, where min(m, n) > r.

    Raises:
        ValueError: If an argument is outside its range.

    Source: theory.md S11.
    """
    m, n = shape_of(shape)
    a = np.atleast_1d(numbers(each))
    need(a.ndim == 1 and 1 <= a.size <= min(m, n) and np.all(np.abs(a) <= 1), "r values in [-1, 1]", each=each)
    for name, value in (("gain", gain), ("noise_factor", noise_factor)):
        need(real(value) and 0 < value <= LARGEST, f"0 < {name} <= {LARGEST:g}", **{name: value})
    return float(np.sum((1 - gain * a) ** 2)), float(noise_factor * (min(m, n) - np.sum(a**2)))
