"""Exponents and quantiles: which power of 2T - 1 a quantity follows. Negative, like every exponent here: -1/2 is decay."""

import math

from spikesim.errors import need
from spikesim.theory.arguments import level_of, real, window_of
from spikesim.theory.filters import ema


def tail_exponent(alpha: float, q: float = 0.5) -> float:
    """Exponent of the (1 - (2T-1)^-q)-quantile of ‖N_t‖ for radial noise of tail index alpha.

    -min(1/2, (alpha - 1 - q)/alpha): at the paper's level q = 1/2 it tends to -1/4 as alpha falls to 2.

    Args:
        alpha: P(rho > x) ~ x^-alpha, > 2; inf for light tails.
        q: Level, in (0, 1).

    Returns:
        Negative: -1/2 is decay.

    Raises:
        ValueError: If an argument is outside its range.

    Source: theory.md S7 (single big jump).
    """
    need(real(alpha) and alpha > 2, "alpha > 2", alpha=alpha)
    return -min(0.5, 1 - (1 + level_of(q)) / alpha)


def jump_quantile(alpha: float, window: float, q: float = 0.5) -> float:
    """The (1 - (2T-1)^-q)-quantile of ‖N_t‖_F / sqrt(eta) at finite T, for m n large.

    sqrt([1 - (x_m/y)^(alpha - 2)]/(2T - 1) + x_J^2), y = T x_J, where x_m^2 = (alpha - 2)/alpha and
    x_J = x_m [(1 - beta)^alpha (2T - 1)^q / (1 - beta^alpha)]^(1/alpha). The largest jump gives x_J, rho = y if it is the
    newest; the bulk of the steps the first part, whose variance is that of rho below y: larger ones have not happened.
    Within 3 % of simulation for alpha from 2.05 to 5 and T from 16 to 16384.

    Args:
        alpha: Tail index of rho, > 2, finite.
        window: T of a steady EMA, > 1.
        q: Level, in (0, 1).

    Returns:
        Dimensionless.

    Raises:
        ValueError: If an argument is outside its range.

    Source: theory.md S7.
    """
    need(real(alpha) and 2 < alpha < math.inf, "2 < alpha < inf", alpha=alpha)
    t = window_of(window)
    need(t > 1, "T > 1", window=window)
    n_eff = ema(t).n_eff
    jump = (level_of(q) * math.log(n_eff) - math.log(-math.expm1(alpha * math.log1p(-1 / t)))) / alpha  # ln(y / x_m)
    bulk = -math.expm1(-(alpha - 2) * jump) / n_eff
    return math.sqrt(bulk + (alpha - 2) / alpha * math.exp(2 * (jump - math.log(t))))
