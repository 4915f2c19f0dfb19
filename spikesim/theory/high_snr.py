"""Constants at high SNR: what S3 and S4 tend to once every spike is far above the noise, at finite rank (theory.md, S6).

Arguments, units and what is raised: as in asymptotics.
"""

import math
from typing import Any

import numpy as np

from spikesim.theory.arguments import Shape, Spike, like, rank_of, shape_of, spikes_in
from spikesim.theory.asymptotics import scales, singular_value


def tail(shape: Shape, sigma: float, rank: int, window: float, steps: int | None = None) -> float:
    """s (sqrt(m - r) + sqrt(n - r)), the limit of sigma_{r+1}; finite sizes lie below it by about size^(-2/3).

    Args:
        shape: (m, n), each >= 1; nothing needs m >= n.
        sigma: Standard deviation (not squared) of one noise entry of one gradient, > 0, in the spikes' unit.
        rank: r, from 1 to min(m, n).
        window: T = 1/(1 - beta) >= 1 of an EMA, in steps.
        steps: Steps since M_0 = 0, >= 1; None is the steady state.

    Returns:
        In the unit of sigma.

    Raises:
        ValueError: If an argument is outside its range.

    Source: theory.md S6.
    """
    m, n = shape_of(shape)
    rank = rank_of(rank, (m, n))
    return scales(sigma, window, steps)[1] * (math.sqrt(m - rank) + math.sqrt(n - rank))


def sin_theta(shape: Shape, sigma: float, spikes: Spike, window: float, steps: int | None = None) -> tuple[float, float]:
    """(left, right): s sqrt(m - r)/theta_r and s sqrt(n - r)/theta_r; for r > 1 the largest sine of a subspace.

    Args:
        shape: (m, n), each >= 1; nothing needs m >= n.
        sigma: Standard deviation (not squared) of one noise entry of one gradient, > 0, in the spikes' unit.
        spikes: lambda_1..lambda_r, finite and not 0, at most min(m, n); signs do not matter.
        window: T = 1/(1 - beta) >= 1 of an EMA, in steps.
        steps: Steps since M_0 = 0, >= 1; None is the steady state.

    Returns:
        (left, right).

    Raises:
        ValueError: If an argument is outside its range.

    Source: theory.md S6.
    """
    (m, n), size = shape_of(shape), spikes_in(shape, spikes)
    gain, s = scales(sigma, window, steps)
    left, right = (s * math.sqrt(x - size.size) / (gain * float(size.min())) for x in (m, n))
    return left, right


def misses(shape: Shape, sigma: float, spikes: Spike, window: float, steps: int | None = None) -> Any:
    """1 - o_k = s^2 [(m + n - 2r)/(2 theta_k^2) + sum_{j != k} (theta_j + theta_k)^-2], one a spike.

    Args:
        shape: (m, n), each >= 1; nothing needs m >= n.
        sigma: Standard deviation (not squared) of one noise entry of one gradient, > 0, in the spikes' unit.
        spikes: lambda_1..lambda_r, finite and not 0, at most min(m, n); signs do not matter.
        window: T = 1/(1 - beta) >= 1 of an EMA, in steps.
        steps: Steps since M_0 = 0, >= 1; None is the steady state.

    Returns:
        A number for one spike, an array (r,) for a tuple.

    Raises:
        ValueError: If an argument is outside its range.

    Source: theory.md S6.
    """
    (m, n), size = shape_of(shape), spikes_in(shape, spikes)
    gain, s = scales(sigma, window, steps)
    theta = gain * size
    pairs = (theta[:, None] + theta) ** -2.0
    others = pairs.sum(1) - np.diagonal(pairs)
    return like(spikes, s**2 * ((m + n - 2 * size.size) / (2 * theta**2) + others))


def head_error(shape: Shape, sigma: float, spikes: Spike, window: float, steps: int | None = None) -> float:
    """E max_k |b_k + s z_k|, b_k = sigma_k - theta_k of S3 and z_k independent standard normals.

    The bias b_k, about s^2 (m + n)/(2 theta_k), falls with 1/(2T - 1), the fluctuation s with its square root: the rate
    turns from -1 to -1/2 where they meet. Spikes distinct and far above the threshold.

    Args:
        shape: (m, n), each >= 1; nothing needs m >= n.
        sigma: Standard deviation (not squared) of one noise entry of one gradient, > 0, in the spikes' unit.
        spikes: lambda_1..lambda_r, finite and not 0, at most min(m, n); signs do not matter.
        window: T = 1/(1 - beta) >= 1 of an EMA, in steps.
        steps: Steps since M_0 = 0, >= 1; None is the steady state.

    Returns:
        In the unit of the spikes.

    Raises:
        ValueError: If an argument is outside its range.

    Source: theory.md S6.
    """
    from scipy.integrate import quad
    from scipy.special import ndtr

    gain, s = scales(sigma, window, steps)
    size = spikes_in(shape, spikes)
    bias = (np.atleast_1d(singular_value(shape, sigma, tuple(size), window, steps)) - gain * size) / s

    def beyond(x: float) -> float:
        return 1 - float(np.prod(ndtr(x - bias) - ndtr(-x - bias)))

    top = float(bias.max())
    certain = max(top - 8, 0.0)
    return float(s * (certain + quad(beyond, certain, top + 9, limit=200, epsabs=1e-13, epsrel=1e-12)[0]))


def gap_shortfall(shape: Shape, sigma: float, spikes: Spike, window: float, steps: int | None = None) -> float:
    """theta_r - gap = tail - (sigma_r - theta_r), with sigma_r of S3 and S6's tail.

    Slower than neither: s (sqrt(m - r) + sqrt(n - r)) less a bias of order s^2.

    Args:
        shape: (m, n), each >= 1; nothing needs m >= n.
        sigma: Standard deviation (not squared) of one noise entry of one gradient, > 0, in the spikes' unit.
        spikes: lambda_1..lambda_r, finite and not 0, at most min(m, n); signs do not matter.
        window: T = 1/(1 - beta) >= 1 of an EMA, in steps.
        steps: Steps since M_0 = 0, >= 1; None is the steady state.

    Returns:
        In the unit of the spikes.

    Raises:
        ValueError: If an argument is outside its range.

    Source: theory.md S6.
    """
    size = spikes_in(shape, spikes)
    smallest = float(size.min())
    top = singular_value(shape, sigma, smallest, window, steps)
    return float(tail(shape, sigma, size.size, window, steps) - (top - scales(sigma, window, steps)[0] * smallest))
