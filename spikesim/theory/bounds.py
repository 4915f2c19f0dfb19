"""Bounds that hold for every BVMZOS noise (theory.md, B).

Notation: eta bounds E‖Xi_t‖_F^2; window is T = 1/(1 - beta); q in (0, 1) sets the level; gain = c_sig is what the filter
leaves of a constant signal, lambda_bar = gain |lambda|. Numbers or arrays that broadcast; radii have the spikes' unit.
Noise outside BVMZOS has no bound: `SpikedModel.theorem_eta` refuses it.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from spikesim.errors import need
from spikesim.theory.arguments import (
    Floats,
    Shape,
    Spike,
    level_of,
    n_eff_of,
    numbers,
    one,
    positive,
    real,
    shape_of,
    share,
    sigma_of,
    spikes_in,
    spikes_of,
)


def perturbation_radius(eta: ArrayLike, window: ArrayLike, q: float = 0.5) -> Any:
    """How far noise moves a singular value: sqrt(eta) (2T - 1)^(-(1-q)/2).

    |sigma_k(M_t) - lambda_bar_k| exceeds it with probability at most `failure_probability`. At q = 1/2 it is the
    paper's eps = sqrt(eta) (2T - 1)^(-1/4).

    Args:
        eta: E‖Xi_t‖_F^2, the noise's total variance, >= 0, in the square of the gradients' unit. A number or an array.
        window: T >= 1, in steps. A number or an array.
        q: Level: the bound may fail with probability (2T - 1)^-q; 0 < q < 1, the paper's is 1/2.

    Returns:
        In the unit of the gradients; broadcast over eta and window.

    Raises:
        ValueError: Unless 0 <= eta, finite ("infinite variance: no theorem"), T >= 1, 0 < q < 1.

    Source: theory.md B1, B1q (paper, Theorem 1).
    """
    return np.sqrt(_eta(eta)) * n_eff_of(window) ** (-(1 - level_of(q)) / 2)


def failure_probability(window: ArrayLike, q: float = 0.5) -> Any:
    """(2T - 1)^-q, the probability that B1q allows to fail.

    Args:
        window: T >= 1, in steps. A number or an array.
        q: Level: the bound may fail with probability (2T - 1)^-q; 0 < q < 1, the paper's is 1/2.

    Returns:
        In (0, 1], as many as windows.

    Raises:
        ValueError: Unless T >= 1, 0 < q < 1.

    Source: theory.md B1, B1q.
    """
    return n_eff_of(window) ** -level_of(q)


def expected_tail(eta: ArrayLike, window: ArrayLike) -> Any:
    """sqrt(eta / (2T - 1)), an upper bound of E sigma_{r+1}(M_t), of E‖N‖_op and of E‖N‖_F.

    Args:
        eta: E‖Xi_t‖_F^2, the noise's total variance, >= 0, in the square of the gradients' unit. A number or an array.
        window: T >= 1, in steps. A number or an array.

    Returns:
        In the unit of the gradients; broadcast over eta and window.

    Raises:
        ValueError: If an argument is outside its range.

    Source: theory.md B1e.
    """
    return np.sqrt(_eta(eta) / n_eff_of(window))


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

    Example:
        >>> subspace_bound(eta=1.0, window=[2, 50], spike=8.0).round(3).tolist()
        [0.105, 0.041]

    Source: theory.md B2 (paper, Corollary 1).
    """
    return _wedin(perturbation_radius(eta, window, q), spike, share("c_sig", c_sig))


def wedin_bound(noise_op: ArrayLike, spike: ArrayLike, gain: ArrayLike = 1.0) -> Any:
    """‖N‖ / (gain lambda_r - ‖N‖) for the larger sine, whatever N; inf unless gain lambda_r > ‖N‖.

    Args:
        noise_op: ‖N‖_op, spectral norm of the buffer's noise, >= 0.
        spike: lambda_r, the smallest |lambda|, > 0.
        gain: What the filter leaves of the signal, in (0, 1]; 1 in steady state.

    Returns:
        The bound; inf where its hypothesis fails. It says something only below 1.

    Raises:
        ValueError: If an argument is outside its range.

    Source: theory.md B2 (Wedin's theorem, before a radius takes the place of ‖N‖_op).
    """
    return _wedin(_size("noise_op", noise_op), spike, share("gain", gain))


def expected_subspace(eta: ArrayLike, window: ArrayLike, spike: ArrayLike, gain: ArrayLike = 1.0) -> Any:
    """2 sqrt(eta / (2T - 1)) / lambda_bar_r, an upper bound of the expected larger sine; it says something below 1.

    Args:
        eta: E‖Xi_t‖_F^2, the noise's total variance, >= 0, in the square of the gradients' unit. A number or an array.
        window: T >= 1, in steps. A number or an array.
        spike: lambda_r, the smallest |lambda|, > 0.
        gain: What the filter leaves of the signal, lambda_bar = gain lambda, in (0, 1]; 1 in steady state.

    Returns:
        The bound; it says something only below 1.

    Raises:
        ValueError: If an argument is outside its range.

    Source: theory.md B2e.
    """
    noise, signal = expected_tail(eta, window), share("gain", gain) * positive("spike", spike)
    with np.errstate(over="ignore"):  # beyond the largest number it is inf: vacuous
        return 2 * noise / signal


def nuclear_bound(noise_nuclear: ArrayLike, spikes: Spike, gain: ArrayLike = 1.0) -> Any:
    """2‖N‖_* / ‖S_bar‖_*, an upper bound of 1 - alignment of pre-polar, whatever N.

    Args:
        noise_nuclear: Nuclear norm of the buffer's noise, >= 0.
        spikes: lambda_1..lambda_r, none 0.
        gain: Gain of the filter, in (0, 1].

    Returns:
        The bound; it says something only below 1.

    Raises:
        ValueError: If an argument is outside its range.

    Source: theory.md B3.
    """
    size = spikes_of(spikes)
    noise, signal = _size("noise_nuclear", noise_nuclear), share("gain", gain) * size.sum()
    with np.errstate(over="ignore"):
        return 2 * noise / signal


def tangent_bound(noise_tangent: ArrayLike, spikes: Spike, gain: ArrayLike = 1.0) -> Any:
    """4‖P_T N‖_F^2 / (lambda_bar_r ‖S_bar‖_*), an upper bound of 1 - alignment of pre-polar, whatever N.

    Args:
        noise_tangent: ‖P_T N‖_F, P_T the tangent projection at the signal, >= 0.
        spikes: lambda_1..lambda_r, none 0.
        gain: Gain of the filter, in (0, 1].

    Returns:
        The bound; it says something only below 1.

    Raises:
        ValueError: If an argument is outside its range.

    Source: theory.md B3'.
    """
    size = spikes_of(spikes)
    noise, left = _size("noise_tangent", noise_tangent), share("gain", gain)
    with np.errstate(over="ignore"):
        return 4 * (noise / (left * size.min())) * (noise / (left * size.sum()))


def alignment_bound(shape: Shape, eta: ArrayLike, window: ArrayLike, spikes: Spike, gain: ArrayLike = 1.0) -> Any:
    """4 eta / ((2T - 1) lambda_bar_r ‖S_bar‖_*), an upper bound of E(1 - alignment) of pre-polar.

    Args:
        shape: (m, n).
        eta: E‖Xi_t‖_F^2.
        window: T.
        spikes: lambda_1..lambda_r, at most min(m, n), none 0.
        gain: Gain of the filter: lambda_bar = gain |lambda|, in (0, 1].

    Returns:
        The bound; it says something only below 1.

    Raises:
        ValueError: If an argument is outside its range.

    Source: theory.md B3'.
    """
    return tangent_bound(expected_tail(eta, window), spikes_in(shape, spikes), gain)


def uncorrelated_alignment_bound(shape: Shape, sigma: float, window: ArrayLike, spikes: Spike, gain: ArrayLike = 1.0) -> Any:
    """The same for uncorrelated entries of variance sigma^2: 4 r (m + n - r) s^2 / (lambda_bar_r ‖S_bar‖_*).

    s^2 = sigma^2 / (2T - 1); r (m + n - r) is the dimension of the tangent space. Arguments as in `alignment_bound`.

    Args:
        shape: (m, n), each >= 1; nothing needs m >= n.
        sigma: Standard deviation (not squared) of one noise entry of one gradient, > 0, in the spikes' unit.
        window: T >= 1, in steps. A number or an array.
        spikes: lambda_1..lambda_r, at most min(m, n), none 0.
        gain: What the filter leaves of the signal, in (0, 1]; 1 in steady state.

    Returns:
        The bound; it says something only below 1.

    Raises:
        ValueError: If an argument is outside its range.

    Source: theory.md B3'.
    """
    (m, n), size = shape_of(shape), spikes_in(shape, spikes)
    tangent = size.size * (m + n - size.size) * sigma_of(sigma) ** 2
    return alignment_bound(shape, tangent, window, size, gain)


def order_window(eta: float, spikes: Spike, polar_only: float) -> float:
    """T_0 from which E pre-polar >= E polar-only: 2 T_0 - 1 = 4 eta / (lambda_r ‖S‖_* (1 - E polar-only)), at least 1.

    Args:
        eta: E‖Xi_t‖_F^2.
        spikes: lambda_1..lambda_r of a constant signal, none 0.
        polar_only: Mean alignment of polar-only, in [-1, 1).

    Returns:
        T_0 >= 1, in steps.

    Raises:
        ValueError: If an argument is outside its range; at polar_only = 1 there is nothing left to gain.

    Source: theory.md B5 (paper, Theorem 2, made explicit by B3').
    """
    need(real(polar_only) and -1 <= polar_only < 1, "-1 <= polar_only < 1", polar_only=polar_only)
    need(real(eta), "one eta", eta=eta)
    return float(max(1.0, (tangent_bound(np.sqrt(_eta(eta)), spikes) / (1 - polar_only) + 1) / 2))


def vanishing_spike(shape: Shape, sigma: float) -> float:
    """sigma |sqrt m - sqrt n| / 4: Theorem 3 speaks of smaller single spikes in Gaussian noise; 0 for squares.

    Below it the alignment of polar-only and post-polar tends to 0 as the matrix grows (stated for m > n; transposed else).

    Args:
        shape: (m, n), each >= 1; nothing needs m >= n.
        sigma: Standard deviation (not squared) of one noise entry of one gradient, > 0, in the spikes' unit.

    Returns:
        In the unit of sigma.

    Raises:
        ValueError: If an argument is outside its range.

    Source: theory.md B6 (paper, Theorem 3).
    """
    m, n = shape_of(shape)
    return 0.25 * sigma_of(sigma) * abs(math.sqrt(m) - math.sqrt(n))


def vanishing_alignment(shape: Shape, sigma: float, spike: float) -> float:
    """lambda / (sigma sqrt(max(m, n))), which S4's polar-only alignment never exceeds: W(x) + theta^2 >= W(x).

    Args:
        shape: (m, n), each >= 1; nothing needs m >= n.
        sigma: Standard deviation (not squared) of one noise entry of one gradient, > 0, in the spikes' unit.
        spike: lambda, one number, finite and not 0; its sign does not matter.

    Returns:
        Dimensionless.

    Raises:
        ValueError: If an argument is outside its range.

    Source: theory.md B6.
    """
    return float(spikes_of(one(spike))[0] / (sigma_of(sigma) * math.sqrt(max(shape_of(shape)))))


def _wedin(noise: Floats, spike: ArrayLike, kept: Floats) -> Any:
    room = np.asarray(kept * positive("spike", spike) - noise)
    return np.where(room > 0, noise / np.where(room > 0, room, 1.0), math.inf)[()]


def _eta(eta: ArrayLike) -> Floats:
    x = numbers(eta)
    need(x.size and np.all((x >= 0) & np.isfinite(x)), "0 <= eta < inf (the theorems need finite variance)", eta=eta)
    return x


def _size(name: str, value: ArrayLike) -> Floats:
    x = numbers(value)
    need(x.size and np.all((x >= 0) & np.isfinite(x)), f"0 <= {name} < inf", **{name: value})
    return x
