"""Rows of normals into correlated rows: a lower-triangular matrix times them, tile by tile.

Sums run over rows in order, entry by entry, with no fast-math: an entry's bits do not depend on how many there are.
"""

import numpy as np
from numba import njit

from spikesim.kernels.width import full_width

TILE = 256


@njit(nogil=True, error_model="numpy")
def mix(out, root, z):
    """out_i = sum_{j <= i} root_ij z_j. out, z: (L, E); root: (L, L), nothing above its diagonal is read."""
    full_width()
    rows, entries = z.shape
    row = np.empty(TILE)
    for start in range(0, entries, TILE):
        count = min(TILE, entries - start)
        for i in range(rows):
            for e in range(count):
                row[e] = root[i, 0] * z[0, start + e]
            for j in range(1, i + 1):
                factor = root[i, j]
                for e in range(count):
                    row[e] += factor * z[j, start + e]
            for e in range(count):
                out[i, start + e] = row[e]
