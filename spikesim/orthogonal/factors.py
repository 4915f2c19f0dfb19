"""Shape factors: what optimizers multiply an orthogonalised update of shape (m, n) with, m = d_out rows, n = d_in columns.

They change no direction: alignment is read without them (theory.md O9).
"""

import math

import numpy as np

from spikesim.errors import need

FACTORS = {
    "rms-rms": lambda m, n: math.sqrt(m / n),
    "muon": lambda m, n: math.sqrt(max(1, m / n)),
    "adam-rms": lambda m, n: 0.2 * math.sqrt(max(m, n)),
}
"""Factors by name, as functions of (m, n)."""


def shape_factor(shape: tuple[int, int], name: str | None) -> float:
    """The factor of an update of shape (m, n).

    Args:
        shape: (m, n), m = d_out rows and n = d_in columns; of a stack (..., m, n), the last two are taken.
        name: "rms-rms", sqrt(m / n), with which a polar factor's RMS-to-RMS operator norm is 1; "muon", sqrt(max(1, m / n));
            "adam-rms", 0.2 sqrt(max(m, n)), with which a full-rank polar factor's entries have root mean square 0.2; None: 1.

    Returns:
        A number, 1 for None.

    Raises:
        ValueError: If shape has fewer than two whole sides of 1 or more, or the name is unknown.

    Source: Bernstein and Newhouse, arXiv 2409.20325 (rms-rms); Jordan et al. (2024) (muon); Liu et al., arXiv 2502.16982
        (adam-rms); theory.md O9.
    """
    sides = tuple(shape)[-2:]
    whole = len(sides) == 2 and all(isinstance(s, int | np.integer) and s >= 1 for s in sides)
    need(whole, "shape == (..., m, n), m and n integers >= 1", shape=shape)
    need(name is None or name in FACTORS, f"name in {(*FACTORS, None)}", name=name)
    return 1.0 if name is None else FACTORS[name](*sides)
