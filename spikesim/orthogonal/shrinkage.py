"""Shrinkage of singular values under white noise: hard threshold and optimal shrinkers (Gavish and Donoho).

Notation: X = S + sigma Z of shape (m, n), Z with independent entries of variance 1; beta = min(m, n) / max(m, n);
y = σ_k(X) / (sigma sqrt(max(m, n))), x the same of S, which gives y = sqrt((x^2 + 1)(x^2 + beta)) / x for x > beta^(1/4).

All return an SVD with other singular values, some of them 0, so that a polar step can follow without another SVD; O of it
runs over those that are left, so that of shrinkage before a polar step only the choice of what is left matters.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from spikesim.arrays import Array, array_namespace
from spikesim.errors import need
from spikesim.orthogonal.marchenko_pastur import median
from spikesim.orthogonal.soft import parts_of, quotient, real
from spikesim.polar import SVD


def threshold(beta: float) -> float:
    """lambda(beta), the y below which keeping a singular value costs more than dropping it: 4/sqrt 3 for beta = 1.

    Source: Gavish and Donoho, IEEE Trans. Inf. Theory 60 (2014), (11); theory.md O6.
    """
    need(0 < beta <= 1, "0 < beta <= 1", beta=beta)
    return math.sqrt(2 * (beta + 1) + 8 * beta / (beta + 1 + math.sqrt(beta**2 + 14 * beta + 1)))


def median_threshold(beta: float) -> float:
    """omega(beta), the same as a multiple of the median singular value, for unknown noise: 2.858 for beta = 1."""
    return threshold(beta) / math.sqrt(median(beta))


def noise_level(x: Array | SVD) -> Array:
    """sigma from the median singular value: median / sqrt(max(m, n) mu_beta), mu_beta the Marchenko-Pastur median; (...).

    Consistent where few of the min(m, n) singular values are signal; r of them move the median by r/2 places up, and from
    rank min(m, n) / 2 on it says nothing. For min(m, n) = 1 it is the only singular value, signal and all.

    Args:
        x: Shape (..., m, n), float32 or float64, finite; or its SVD.

    Raises:
        ValueError: If x is as `polar_factor` refuses.

    Source: Gavish and Donoho (2014), III.E; theory.md O6.
    """
    parts = parts_of(x)
    return _level(parts)[..., 0] * parts.scale[..., 0]


def hard(x: Array | SVD, sigma: float | None = None) -> SVD:
    """Singular values below lambda(beta) sqrt(max(m, n)) sigma set to 0, the others as they are.

    Args:
        x: Shape (..., m, n), float32 or float64, finite; or its SVD.
        sigma: Standard deviation of one entry's noise in x, above 0, in units of x; None for `noise_level`.

    Returns:
        SVD of what is left.

    Raises:
        ValueError: If x is as `polar_factor` refuses, or sigma is not a positive number or None.

    Source: Gavish and Donoho (2014); theory.md O6.
    """

    def kept(y: Array, beta: float) -> Array:
        return array_namespace(y).where(y > threshold(beta), y, 0 * y)

    return _shrunk(x, sigma, kept)


def frobenius_shrinker(y: Array, beta: float) -> Array:
    """sqrt((y^2 - beta - 1)^2 - 4 beta) / y above the edge 1 + sqrt beta, else 0: least Frobenius loss."""
    xp, inside, z = _above(y, beta)
    return xp.where(inside, z * _root(z, beta), 0 * y)


def operator_shrinker(y: Array, beta: float) -> Array:
    """x sqrt((x^2 + beta) / (x^2 + 1)) above the edge 1 + sqrt beta, else 0: least operator-norm loss.

    x(y) itself for squares. Gavish and Donoho's x(y) is not the best elsewhere (theory.md O6).
    """
    xp, inside, z = _above(y, beta)
    x = _signal(z, beta)
    return xp.where(inside, x * xp.sqrt((1 + beta / x / x) / (1 + 1 / x / x)), 0 * y)


def nuclear_shrinker(y: Array, beta: float) -> Array:
    """(x^4 - beta - sqrt(beta) x y) / (x^2 y) where that is positive and y above the edge, else 0: least nuclear loss."""
    xp, inside, z = _above(y, beta)
    x = _signal(z, beta)
    value = x * (x / z) - beta / x / x / z - math.sqrt(beta) / x
    return xp.where(inside & (value > 0), value, 0 * y)


SHRINKERS: dict[str, Callable[[Array, float], Array]] = {
    "frobenius": frobenius_shrinker,
    "operator": operator_shrinker,
    "nuclear": nuclear_shrinker,
}
"""Optimal shrinkers by the loss that they are optimal for."""


def optimal(x: Array | SVD, sigma: float | None = None, loss: str = "frobenius") -> SVD:
    """Singular values shrunk to least asymptotic loss: "frobenius", "operator" or "nuclear".

    Args:
        x: Shape (..., m, n), float32 or float64, finite; or its SVD.
        sigma: Standard deviation of one entry's noise in x, above 0, in units of x; None for `noise_level`.
        loss: Of which norm of the error.

    Returns:
        SVD of what is left. "frobenius" and "operator" leave the same singular values, "nuclear" fewer.

    Raises:
        ValueError: If x is as `polar_factor` refuses, sigma is not a positive number or None, or the loss is unknown.

    Source: Gavish and Donoho, IEEE Trans. Inf. Theory 63 (2017); Leeb, Stat. Probab. Lett. 186 (2022), for "operator" of
        rectangles; theory.md O6.
    """
    need(isinstance(loss, str) and loss in SHRINKERS, f"loss in {tuple(SHRINKERS)}", loss=loss)
    return _shrunk(x, sigma, SHRINKERS[loss])


def _signal(y: Array, beta: float) -> Array:
    """x(y), for y > 1 + sqrt beta."""
    return y * array_namespace(y).sqrt((1 - (1 + beta) / y / y + _root(y, beta)) / 2)


def _root(y: Array, beta: float) -> Array:
    """sqrt((y^2 - beta - 1)^2 - 4 beta) / y^2, by its factors at the two edges of the bulk; nothing overflows."""
    low, high = 1 - math.sqrt(beta), 1 + math.sqrt(beta)
    return array_namespace(y).sqrt((1 - high / y) * (1 + high / y) * (1 - low / y) * (1 + low / y))


def _above(y: Array, beta: float) -> tuple[Any, Array, Array]:
    """The namespace, where y is above the edge, and y there (a harmless number elsewhere)."""
    xp, edge = array_namespace(y), 1 + math.sqrt(beta)
    inside = y > edge
    return xp, inside, xp.where(inside, y, xp.full_like(y, edge + 1))


def _sizes(parts: SVD) -> tuple[int, float]:
    """max(m, n) and beta."""
    m, n = parts.u.shape[-2], parts.vt.shape[-1]
    return max(m, n), min(m, n) / max(m, n)


def _level(parts: SVD) -> Array:
    """Noise level over parts.scale, (..., 1)."""
    d, (size, beta) = parts.relative, _sizes(parts)
    high = d.shape[-1] // 2
    low = (d.shape[-1] - 1) // 2
    middle = (d[..., low : low + 1] + d[..., high : high + 1]) / 2
    return middle / math.sqrt(size * median(beta))


def _shrunk(x: Array | SVD, sigma: float | None, shrinker: Callable[[Array, float], Array]) -> SVD:
    """An SVD whose y are shrunk; as it is where the noise level is estimated to be 0."""
    need(sigma is None or (real(sigma) and 0 < sigma < math.inf), "0 < sigma < inf, or None", sigma=sigma)
    parts = parts_of(x)
    xp, d, (size, beta) = array_namespace(parts.relative), parts.relative, _sizes(parts)
    unit = _level(parts) * math.sqrt(size) if sigma is None else quotient(sigma * math.sqrt(size), parts.scale)
    safe = xp.where(unit > 0, unit, xp.ones_like(unit))
    return replace(parts, relative=xp.where(unit > 0, shrinker(d / safe, beta) * safe, d))
