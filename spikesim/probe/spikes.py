"""How many directions stand out of the noise, and how large they are.

Three rules, on the singular values y_k of an average of n_eff gradients, whose noise has s = sigma/sqrt(n_eff) an entry:

    bulk edge        y_k > s (sqrt m + sqrt n), where white noise ends (S2)
    signed noise     y_k > the largest singular value of every signed sum of the recording's own noise over sqrt(n_eff): the
                     same edge for noise that is not white; each draw is passed by chance as often as any other of them
    hard threshold   y_k > lambda(beta) sqrt max(m, n) s, below which dropping it costs less than keeping it (O6)

Sizes come from y_k by S3 turned round.

Source: theory.md P5; theory.md S2, S3, O6; signs for permutations in parallel analysis: Horn (Psychometrika 30, 1965).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikesim.orthogonal.shrinkage import threshold
from spikesim.polar import singular_values

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Ranks:
    """How many directions stand out, by each rule.

    Attributes:
        bulk_edge: Above the white-noise edge.
        signed_noise: Above the recording's own noise.
        hard_threshold: Worth keeping.
        anisotropy: The recording's noise edge over that of white noise of the same power; 1 for white noise.
        n_eff: Gradients in the average that they were counted in.
        noise_edge: The recording's own noise edge for a single gradient; that of an average is noise_edge/sqrt(n_eff).
    """

    bulk_edge: int
    signed_noise: int
    hard_threshold: int
    anisotropy: float
    n_eff: float
    noise_edge: float


def ranks(values: Floats, shape: tuple[int, int], sigma: float, n_eff: float, null: Floats) -> Ranks:
    """Counts among singular values (k,) of an average; null (draws, m, n) is noise like that of one gradient."""
    s, edges = sigma / math.sqrt(n_eff), singular_values(null)[:, 0]
    white = math.sqrt(shape[0]) + math.sqrt(shape[1])
    beta = min(shape) / max(shape)
    rounding = max(shape) * np.finfo(np.float64).eps * values[0]

    def over(edge: float) -> int:
        return int(np.sum(values > max(edge, rounding)))

    return Ranks(
        over(s * white),
        over(edges.max() / math.sqrt(n_eff)),
        over(threshold(beta) * math.sqrt(max(shape)) * s),
        float(edges.mean() / (sigma * white)),
        n_eff,
        float(edges.max()),
    )


def sizes(values: Floats, shape: tuple[int, int], sigma: float, n_eff: float) -> Floats:
    """lambda_k of singular values above the white-noise edge, by S3; 0 below it.

    y^2 = (theta^2 + m s^2)(theta^2 + n s^2)/theta^2 gives theta^2 = (w + sqrt(w^2 - 4 m n s^4))/2, w = y^2 - (m + n) s^2.
    """
    m, n = shape
    s2 = sigma**2 / n_eff
    w = values**2 - (m + n) * s2
    inside = w**2 - 4 * m * n * s2**2
    above = (w > 0) & (inside > 0)
    return np.sqrt(np.where(above, w + np.sqrt(np.maximum(inside, 0.0)), 0.0) / 2)
