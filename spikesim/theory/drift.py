"""A signal that turns while the filter looks back: alignment with where it is now, and the best window (theory.md, S8)."""

import cmath
import math

import numpy as np

from spikesim.errors import need
from spikesim.theory.arguments import LARGEST, LOG_WIDEST, SMALLEST, Shape, Spike, omega_of, one, real, sigma_of, spikes_in
from spikesim.theory.asymptotics import polar_alignment, weighted
from spikesim.theory.filters import rotation


def alignment(shape: Shape, sigma: float, spikes: Spike, window: float, omega: float, both: bool = False) -> float:
    """Limit of pre-polar's alignment with the current signal when its left vectors turn by omega a step.

    u turns: a(|h| lambda) cos(lag), h and lag of F7: what is left of the spike, and how far it stays behind. u and v turn
    together (both): S_bar has rank 2, and with h2 and lag2 of F7 at 2 omega the alignment is
    a(lambda (1 + |h2|)/2) cos^2(lag2/2) + a(lambda (1 - |h2|)/2) sin^2(lag2/2), which rises to 1 with T.

    Args:
        shape: (m, n).
        sigma: Standard deviation of one noise entry.
        spikes: lambda_1..lambda_r; each by itself, in turning planes orthogonal to each other.
        window: T of a steady EMA.
        omega: Radians a step, in [-pi, pi]; with both in [-pi/2, pi/2].
        both: Whether v turns as well.

    Returns:
        In [-1, 1].

    Raises:
        ValueError: If an argument is outside its range.

    Source: theory.md S8.
    """
    size = spikes_in(shape, spikes)
    need(isinstance(both, bool), "both: True or False", both=both)
    omega = omega_of(omega, math.pi / 2 if both else math.pi)
    if both:
        gain, lag = rotation(window, 2 * omega)
        parts = [(size * (1 + gain) / 2, math.cos(lag / 2) ** 2), (size * (1 - gain) / 2, math.sin(lag / 2) ** 2)]
    else:
        gain, lag = rotation(window, omega)
        parts = [(size * gain, math.cos(lag))]
    each = sum(weight * _directions(shape, sigma, theta, window) for theta, weight in parts)
    return weighted(spikes, np.asarray(each))


def best_window(shape: Shape, sigma: float, spikes: Spike, omega: float) -> tuple[float, float]:
    """(T, alignment) where the alignment with a turning u is largest; T = inf and its limit 1 for omega = 0.

    Noise falls with 1/(2T - 1) while the lag grows as omega (T - 1). Searched on a logarithmic grid of windows up to
    pi/|omega| + 1, where the lag is beyond 60 degrees, then refined between its neighbours.

    Arguments and what is raised: as in `alignment`; both vectors turning have no best window.

    Returns:
        (T, alignment), T in steps.

    Source: theory.md S8.
    """
    from scipy.optimize import minimize_scalar

    if omega_of(omega) == 0:
        alignment(shape, sigma, spikes, 1.0, omega)
        return math.inf, 1.0

    def miss(log_window: float) -> float:
        return -alignment(shape, sigma, spikes, math.exp(log_window), omega)

    grid = np.linspace(0.0, min(math.log(math.pi / abs(omega) + 1), LOG_WIDEST), 33)
    best = int(np.argmin([miss(x) for x in grid]))
    low, high = grid[max(best - 1, 0)], grid[min(best + 1, grid.size - 1)]
    found = minimize_scalar(miss, bounds=(low, high), method="bounded", options={"xatol": 1e-8})
    at, value = min((found.x, found.fun), (grid[best], miss(grid[best])), key=lambda pair: pair[1])
    return math.exp(at), float(-value)


def filtered_alignment(shape: Shape, sigma: float, spikes: Spike, response: complex, noise_factor: float) -> float:
    """Limit of pre-polar's alignment with the current signal behind any filter: a(|h| lambda) Re h / |h|, at s of its own.

    Whatever the signal does, as long as S_bar has rank one for each spike: turning u (h of F7), varying amplitudes (h = C_k
    of F11, over their last value), or another u until n steps ago (h = C + i C', with C' the weight on the old one).

    Args:
        shape: (m, n).
        sigma: Standard deviation of one noise entry.
        spikes: lambda_1..lambda_r of the current signal; each by itself.
        response: h, what is left of the spike; its angle is the lag.
        noise_factor: Sum of the squared weights.

    Returns:
        In [-1, 1].

    Raises:
        ValueError: If an argument is outside its range.

    Source: theory.md S8.
    """
    size = spikes_in(shape, spikes)
    number = isinstance(response, complex) or real(response)
    need(number and cmath.isfinite(response), "response: a finite number", response=response)
    need(real(noise_factor) and 0 < noise_factor < math.inf, "0 < noise_factor < inf", noise_factor=noise_factor)
    kept = abs(response)
    if kept == 0:
        return 0.0
    each = _directions(shape, sigma_of(sigma) * math.sqrt(noise_factor), size * kept, 1.0)
    return weighted(spikes, each * complex(response).real / kept)


def high_snr_window(shape: Shape, sigma: float, spike: float, omega: float) -> float:
    """L = (sigma^2 (m + n) / (4 lambda^2 omega^2))^(1/3), to which the best window tends where noise and drift lose little.

    Noise then loses 2 omega^2 L^3 / (2T - 1) of the alignment (S6), the lag (omega (T - 1))^2 / 2: together least where
    (T - 1/2)^2 (T - 1) = L^3, at T = L + 2/3 + O(1/L). Noise loses twice what the lag does.

    Args:
        shape: (m, n).
        sigma: Standard deviation of one noise entry.
        spike: lambda, one.
        omega: Radians a step, in [-pi, pi], not 0.

    Returns:
        L, in steps.

    Raises:
        ValueError: If an argument is outside its range.

    Source: theory.md S8.
    """
    size = float(spikes_in(shape, one(spike))[0])
    turn = abs(omega_of(omega))
    need(turn > 0, "omega other than 0", omega=omega)
    ratio = sigma_of(sigma) / size / turn
    return float((ratio * ratio * (shape[0] + shape[1]) / 4) ** (1 / 3))


def rule_window(shape: Shape, sigma: float, spike: float, omega: float) -> float:
    """A window without a search, T = 2/3 + (L^-2 + 3 omega^2)^(-1/2), at least 1, L of `high_snr_window`.

    It has both limits: L + 2/3 where little is lost, and 1/(sqrt 3 omega) at low SNR, where the alignment goes as
    Re(h) sqrt(2T - 1).

    Arguments and what is raised: as in `high_snr_window`.

    Returns:
        T >= 1, in steps.

    Source: theory.md S8.
    """
    length = high_snr_window(shape, sigma, spike, omega)
    return max(1.0, 2 / 3 + 1 / math.hypot(1 / length, math.sqrt(3) * omega))


def _directions(shape: Shape, sigma: float, theta: np.ndarray, window: float) -> np.ndarray:
    """a(theta_k) in the buffer; 0 for a direction that vanished."""
    out = np.zeros(theta.size)
    there = theta >= SMALLEST
    if there.any():
        out[there] = polar_alignment(shape, sigma, np.minimum(theta[there], LARGEST), window)
    return out
