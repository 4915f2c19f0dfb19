"""What a linear filter over time does to signal and noise (theory.md, F).

Notation: M_t = sum_k w_k G_{t-k}; beta = 1 - 1/T is the momentum of window T, in steps; steps = t counts the gradients seen
since M_0 = 0, None is the steady state.
"""

import cmath
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from spikesim.errors import need
from spikesim.theory.arguments import numbers, omega_of, real, sigma_of, steps_of, window_of


class Response(NamedTuple):
    """What a filter's weights amount to.

    Attributes:
        gain: sum w_k, what a constant signal is multiplied by.
        noise_factor: sum w_k^2, what the variance of orthogonal noise is multiplied by.
        lag: sum k w_k / sum w_k, mean age of the gradients in steps: the delay of a slow drift.

    Source: theory.md F1.
    """

    gain: float
    noise_factor: float
    lag: float

    @property
    def n_eff(self) -> float:
        """Effective sample size, gain^2 / noise factor (F1)."""
        return self.gain**2 / self.noise_factor

    @property
    def window(self) -> float:
        """The steady EMA's window of the same effective sample size, (n_eff + 1)/2 (F2)."""
        return (self.n_eff + 1) / 2


def from_weights(weights: Sequence[float]) -> Response:
    """Of any weights w_0, w_1, ..., the newest first, finite and with a sum other than 0.

    Args:
        weights: w_0, w_1, ..., the newest first: finite, with a sum other than 0.

    Returns:
        What they amount to.

    Raises:
        ValueError: If an argument is outside its range.

    Source: theory.md F1.
    """
    w = numbers(weights)
    need(
        w.ndim == 1 and w.size and np.all(np.isfinite(w)) and w.sum() != 0, "weights (K,), finite, sum not 0", weights=weights
    )
    return Response(float(w.sum()), float(w @ w), float(np.arange(w.size) @ w / w.sum()))


def ema(window: float, steps: int | None = None, start: str = "zero") -> Response:
    """M_t = beta M_{t-1} + (1 - beta) G_t.

    From M_0 = 0: gain 1 - beta^t, noise factor (1 - beta^(2t))/(2T - 1), n_eff = (2T - 1)(1 - beta^t)/(1 + beta^t); steady
    1, 1/(2T - 1), 2T - 1, and lag T - 1.

    Args:
        window: T >= 1.
        steps: t >= 1, or None.
        start: "zero", or "first": M_0 is a first gradient, t more follow; gain 1 and noise factor (1 - beta^(2t))/(2T - 1) +
            beta^(2t).

    Returns:
        What its weights amount to.

    Raises:
        ValueError: If an argument is none of these.

    Source: theory.md F2.
    """
    t, steps = window_of(window), steps_of(steps)
    need(isinstance(start, str) and start in ("zero", "first"), 'start in ("zero", "first")', start=start)
    left_twice = 1 + _less_one(t, steps, 2)
    steady = -_less_one(t, steps, 2) / (2 * t - 1)
    if start == "first":
        return Response(1.0, steady + left_twice, -_less_one(t, steps) * (t - 1))
    gain = -_less_one(t, steps)
    return Response(gain, steady, _mean_age(t, steps))


def heavy_ball(window: float, steps: int | None = None) -> Response:
    """B_t = mu B_{t-1} + G_t with mu = beta: T times the EMA, with the same n_eff and lag.

    Args:
        window: T = 1/(1 - beta) >= 1 of the average, in steps.
        steps: Steps since M_0 = 0, >= 1; None is the steady state.

    Returns:
        What its weights amount to.

    Raises:
        ValueError: If an argument is outside its range.

    Source: theory.md F3.
    """
    t, (gain, noise_factor, lag) = window_of(window), ema(window, steps)
    return Response(t * gain, t**2 * noise_factor, lag)


def nesterov(window: float, steps: int | None = None) -> Response:
    """(1 - beta) G_t + beta M_t: noise factor (1 - beta)^2 [(1 + beta)^2 + beta^4/(1 - beta^2)] in steady state.

    After t steps from zero beta^4 is multiplied by 1 - beta^(2t - 2), and the gain is 1 - beta^(t+1).

    Args:
        window: T = 1/(1 - beta) >= 1 of the average, in steps.
        steps: Steps since M_0 = 0, >= 1; None is the steady state.

    Returns:
        What its weights amount to.

    Raises:
        ValueError: If an argument is outside its range.

    Source: theory.md F4.
    """
    t = window_of(window)
    beta, slow = 1 - 1 / t, ema(t, steps)
    gain = 1 / t + beta * slow.gain
    noise_factor = (1 / t + beta / t) ** 2 + beta**2 * (slow.noise_factor - t**-2)
    return Response(gain, noise_factor, beta * slow.gain * slow.lag / gain)


def moving_average(length: int) -> Response:
    """The mean of the last L gradients: n_eff = L.

    Args:
        length: L, a whole number >= 1.

    Returns:
        What its weights amount to, in steady state.

    Raises:
        ValueError: If an argument is outside its range.

    Source: theory.md F5.
    """
    need(real(length) and 1 <= length < math.inf and int(length) == length, "length: an integer >= 1", length=length)
    return Response(1.0, 1 / length, (length - 1) / 2)


def ar1_noise_factor(window: float, phi: float) -> float:
    """Noise factor of the steady EMA for stationary AR(1) noise of coefficient phi in (-1, 1); not BVMZOS.

    (1 - beta)(1 + beta phi) / ((1 + beta)(1 - beta phi)), times the variance of one entry.

    Args:
        window: T = 1/(1 - beta) >= 1 of an EMA, in steps.
        phi: Lag-1 autocorrelation of an entry, in (-1, 1).

    Returns:
        Dimensionless.

    Raises:
        ValueError: If an argument is outside its range.

    Source: theory.md F6.
    """
    t = window_of(window)
    need(real(phi) and -1 < phi < 1, "-1 < phi < 1", phi=phi)
    beta = 1 - 1 / t
    return (1 + beta * phi) / (1 - beta * phi) / (2 * t - 1)


def rotation(window: float, omega: float, kind: str = "ema") -> tuple[float, float]:
    """What a steady filter does to a vector that turns by omega a step.

    h = (1 - beta)/(1 - beta e^(-i omega)) = 1/(1 + (T - 1)(1 - e^(-i omega))); Nesterov's is (1 - beta) + beta h.

    Args:
        window: T >= 1.
        omega: Radians a step, in [-pi, pi].
        kind: "ema" or "nesterov".

    Returns:
        (|h|, lag): how much is left, and by what angle in radians it stays behind: atan2(beta sin omega,
        1 - beta cos omega) for the EMA.

    Raises:
        ValueError: If an argument is none of these.

    Source: theory.md F7.
    """
    t, omega = window_of(window), omega_of(omega)
    need(isinstance(kind, str) and kind in ("ema", "nesterov"), 'kind in ("ema", "nesterov")', kind=kind)
    h = 1 / (1 + (t - 1) * complex(2 * math.sin(omega / 2) ** 2, math.sin(omega)))
    h = h if kind == "ema" else (1 + (t - 1) * h) / t
    return abs(h), -cmath.phase(h)


def covariance(first: float, second: float, sigma: float = 1.0, steps: int | None = None) -> float:
    """Covariance, in one entry, of the noise that two EMAs of one stream of i.i.d. steps hold.

    sigma^2 (1 - b1)(1 - b2)/(1 - b1 b2), times 1 - (b1 b2)^t after t steps from zero; the windows' own variance where they
    are equal.

    Args:
        first: T of the one, >= 1.
        second: T of the other, >= 1.
        sigma: Standard deviation of one entry.
        steps: t >= 1, or None.

    Returns:
        In the square of the unit of sigma.

    Raises:
        ValueError: If an argument is outside its range.

    Source: theory.md F8.
    """
    a, b, steps = window_of(first), window_of(second), steps_of(steps)
    factor = sigma_of(sigma) ** 2 / (a + b - 1)
    if steps is None or min(a, b) == 1:
        return factor
    return -factor * math.expm1(steps * (math.log1p(-1 / a) + math.log1p(-1 / b)))


def _less_one(window: float, steps: int | None, times: int = 1) -> float:
    """beta^(times t) - 1, exact also where beta is nearly 1."""
    if steps is None or window == 1:
        return -1.0
    return math.expm1(times * steps * math.log1p(-1 / window))


def _mean_age(window: float, steps: int | None) -> float:
    """sum k beta^k / sum beta^k over k < t: T - 1 - t beta^t/(1 - beta^t), without its cancellation where T >> t."""
    if steps is None or window == 1:
        return window - 1
    rate = -math.log1p(-1 / window)  # beta = e^-rate
    return (steps - 1) / 2 + _bose(rate) - steps * _bose(steps * rate)


def _bose(z: float) -> float:
    """1/(e^z - 1) - 1/z + 1/2, z > 0; its series where that cancels."""
    if z > 0.3:
        return (1 / math.expm1(z) if z < 700 else 0.0) - 1 / z + 0.5
    return z / 12 - z**3 / 720 + z**5 / 30240 - z**7 / 1209600 + z**9 / 47900160
