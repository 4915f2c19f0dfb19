"""Tile by tile: parameters that hold several matrices, such as the heads of an attention layer, taken apart and joined."""

from collections.abc import Callable

import numpy as np

from spikesim.arrays import Array, array_namespace
from spikesim.errors import need


def split(x: Array, tile: tuple[int, int]) -> Array:
    """Matrices (..., a h, b w) as grids of tiles (..., a, b, h, w).

    Args:
        x: Shape (..., m, n), any number type.
        tile: (h, w), which divide m and n.

    Raises:
        ValueError: If x has fewer than two axes, or h and w are not whole numbers that divide m and n.
    """
    need(x.ndim >= 2, "x.shape == (..., m, n)", **{"x.shape": tuple(x.shape)})
    (m, n), (h, w) = x.shape[-2:], _pair(tile, "tile")
    need(m % h == 0 and n % w == 0, "tile sides that divide (m, n)", tile=(h, w), shape=(m, n))
    xp, before = array_namespace(x), tuple(x.shape[:-2])
    grid = xp.reshape(x, (*before, m // h, h, n // w, w))
    return _inner_swapped(grid)


def joined(tiles: Array) -> Array:
    """Tiles (..., a, b, h, w) put together to (..., a h, b w)."""
    xp = array_namespace(tiles)
    a, b, h, w = tiles.shape[-4:]
    return xp.reshape(_inner_swapped(tiles), (*tiles.shape[:-4], a * h, b * w))


def tilewise(
    function: Callable[[Array], Array], x: Array, tile: tuple[int, int] | None = None, grid: tuple[int, int] | None = None
) -> Array:
    """A function of stacked matrices, applied to every tile of a matrix on its own.

    Args:
        function: (..., h, w) -> (..., h, w), such as `polar_factor`.
        x: Shape (..., m, n).
        tile: (h, w) of a tile; or
        grid: (a, b), how many tiles there are along rows and columns: (3, 1) takes queries, keys and values stacked by rows
            apart. One of the two is given, and divides (m, n).

    Returns:
        Shape (..., m, n): each tile of polar factors has singular values 1, the whole one up to sqrt(a b).

    Raises:
        ValueError: If both or none of tile and grid are given, they do not divide (m, n), or function changes the shape.

    Source: theory.md O8.
    """
    need((tile is None) != (grid is None), "one of tile and grid", tile=tile, grid=grid)
    if grid is not None:
        (m, n), (a, b) = x.shape[-2:], _pair(grid, "grid")
        need(m % a == 0 and n % b == 0, "a grid that divides (m, n)", grid=(a, b), shape=(m, n))
        tile = (m // a, n // b)
    assert tile is not None
    tiles = split(x, tile)
    done = function(tiles)
    need(done.shape == tiles.shape, "a function that keeps shapes", given=tuple(tiles.shape), returned=tuple(done.shape))
    return joined(done)


def _inner_swapped(x: Array) -> Array:
    """The third and second axes from the end swapped."""
    axes = list(range(x.ndim))
    axes[-3], axes[-2] = axes[-2], axes[-3]
    return array_namespace(x).permute_dims(x, tuple(axes))


def _pair(value: tuple[int, int], name: str) -> tuple[int, int]:
    try:
        first, second = value
    except (TypeError, ValueError):
        first = second = 0
    whole = all(isinstance(v, int | np.integer) and not isinstance(v, bool) and v >= 1 for v in (first, second))
    need(whole, f"{name}: two integers >= 1", **{name: value})
    return int(first), int(second)
