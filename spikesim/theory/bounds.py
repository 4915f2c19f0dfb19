"""Bounds that hold for every BVMZOS noise (theory.md, B).

Notation: eta bounds E‖Xi_t‖_F^2; window is T = 1/(1 - beta); q in (0, 1) sets the level; c_sig the signal's persistence.
Numbers or arrays that broadcast; radii have the spikes' unit.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim.errors import need

Floats = NDArray[np.float64]


def perturbation_radius(eta: ArrayLike, window: ArrayLike, q: float = 0.5) -> Any:
    """How far noise moves a singular value: sqrt(eta) (2T - 1)^(-(1-q)/2).

    |sigma_k(M_t) - lambda_bar_k| exceeds it with probability at most `failure_probability`. At q = 1/2 it is the
    paper's eps = sqrt(eta) (2T - 1)^(-1/4).

    Raises:
        ValueError: Unless 0 <= eta, finite ("infinite variance: no theorem"), T >= 1, 0 < q < 1.

    Source: theory.md B1, B1q (paper, Theorem 1).
    """
    return np.sqrt(_eta(eta)) * _n_eff(window) ** (-(1 - _level(q)) / 2)


def failure_probability(window: ArrayLike, q: float = 0.5) -> Any:
    """(2T - 1)^-q, the probability that B1q allows to fail.

    Raises:
        ValueError: Unless T >= 1, 0 < q < 1.

    Source: theory.md B1, B1q.
    """
    return _n_eff(window) ** -_level(q)


def subspace_bound(eta: ArrayLike, window: ArrayLike, spike: ArrayLike, c_sig: ArrayLike = 1.0, q: float = 0.5) -> Any:
    """eps / (c_sig lambda_r - eps) for max(sin_theta_left, sin_theta_right), on the event of B1q.

    Args:
        eta: E‖Xi_t‖_F^2.
        window: T.
        spike: lambda_r, the smallest |lambda|, > 0.
        c_sig: Persistence, in (0, 1].
        q: Level.

    Returns:
        The bound; inf where its hypothesis c_sig lambda_r > eps fails. It says something only below 1.

    Raises:
        ValueError: If an argument is outside its range.

    Source: theory.md B2 (paper, Corollary 1).
    """
    radius = perturbation_radius(eta, window, q)
    signal = np.asarray(c_sig) * _positive("spike", spike)
    need(np.all((np.asarray(c_sig) > 0) & (np.asarray(c_sig) <= 1)), "0 < c_sig <= 1", c_sig=c_sig)
    room = np.asarray(signal - radius)
    return np.where(room > 0, radius / np.where(room > 0, room, 1.0), math.inf)[()]


def alignment_bound(
    shape: tuple[int, int], eta: ArrayLike, window: ArrayLike, spikes: Sequence[float] | float, gain: ArrayLike = 1.0
) -> Any:
    """4 eta / ((2T - 1) lambda_bar_r ‖S_bar‖_*), an upper bound of E(1 - alignment) of pre-polar.

    Args:
        shape: (m, n).
        eta: E‖Xi_t‖_F^2.
        window: T.
        spikes: lambda_1..lambda_r, at most min(m, n), none 0.
        gain: Gain of the filter: lambda_bar = gain |lambda|, in (0, 1].

    Raises:
        ValueError: If an argument is outside its range.

    Source: theory.md B3'.
    """
    size = np.abs(np.atleast_1d(np.asarray(spikes, float)))
    need(1 <= size.size <= min(shape), f"1 <= rank <= min(m, n) = {min(shape)}", rank=size.size)
    _positive("spikes", size)
    need(np.all((np.asarray(gain) > 0) & (np.asarray(gain) <= 1)), "0 < gain <= 1", gain=gain)
    return 4 * _eta(eta) / (_n_eff(window) * np.asarray(gain) ** 2 * size.min() * size.sum())


def _n_eff(window: ArrayLike) -> Floats:
    t = np.asarray(window, float)
    need(np.all((t >= 1) & np.isfinite(t)), "1 <= T < inf", window=window)
    return 2 * t - 1


def _eta(eta: ArrayLike) -> Floats:
    x = np.asarray(eta, float)
    need(np.all((x >= 0) & np.isfinite(x)), "0 <= eta < inf (the theorems need finite variance)", eta=eta)
    return x


def _level(q: float) -> float:
    need(0 < q < 1, "0 < q < 1", q=q)
    return q


def _positive(name: str, value: ArrayLike) -> Floats:
    x = np.asarray(value, float)
    need(np.all((x > 0) & np.isfinite(x)), f"0 < {name} < inf", **{name: value})
    return x
