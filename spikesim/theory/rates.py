"""Exponents: which power of 2T - 1 a quantity follows. Negative, like every exponent here: -1/2 is decay."""

from spikesim.errors import need


def tail_exponent(alpha: float, q: float = 0.5) -> float:
    """Exponent of the (1 - (2T-1)^-q)-quantile of ‖N_t‖ for radial noise of tail index alpha.

    -min(1/2, (alpha - 1 - q)/alpha): at the paper's level q = 1/2 it tends to -1/4 as alpha falls to 2.

    Args:
        alpha: P(rho > x) ~ x^-alpha, > 2; inf for light tails.
        q: Level, in (0, 1).

    Raises:
        ValueError: If an argument is outside its range.

    Source: theory.md S7 (single big jump).
    """
    need(alpha > 2, "alpha > 2", alpha=alpha)
    need(0 < q < 1, "0 < q < 1", q=q)
    return -min(0.5, 1 - (1 + q) / alpha)
