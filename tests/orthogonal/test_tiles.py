"""Tiles (O8): taken apart and joined by index, each treated on its own."""

import array_api_strict as strict
import numpy as np
import pytest
from stacks import random, singular

import spikesim as ss
from spikesim.orthogonal.tiles import joined, split, tilewise


@pytest.mark.parametrize("tile", [(2, 3), (6, 3), (2, 12), (1, 1), (6, 12)])
def test_tiles_are_slices(tile):
    x = random(5, 6, 12)
    h, w = tile
    tiles = split(x, tile)
    assert tiles.shape == (5, 6 // h, 12 // w, h, w)
    for i, j in np.ndindex(6 // h, 12 // w):
        np.testing.assert_array_equal(tiles[:, i, j], x[:, i * h : (i + 1) * h, j * w : (j + 1) * w])
    np.testing.assert_array_equal(joined(tiles), x)


@pytest.mark.parametrize("arguments", [{"tile": (2, 12)}, {"grid": (3, 1)}])
def test_heads_get_polar_factors_of_their_own(arguments):
    x = random(6, 12)
    expected = np.concatenate([ss.polar_factor(x[i : i + 2]) for i in (0, 2, 4)])
    np.testing.assert_allclose(tilewise(ss.polar_factor, x, **arguments), expected, atol=1e-14)


def test_the_spectral_norm_of_tiled_polar_factors_is_at_most_the_root_of_their_number():
    norms = singular(tilewise(ss.polar_factor, random(100, 6, 12), grid=(3, 4)))[:, 0]
    assert norms.max() <= 12**0.5
    assert singular(tilewise(ss.polar_factor, np.ones((6, 12)), grid=(3, 4)))[0] == pytest.approx(12**0.5)


def test_array_api_strict_gives_numpys_numbers():
    x = random(2, 6, 12)
    other = tilewise(ss.polar_factor, strict.asarray(x), (3, 4))
    np.testing.assert_allclose(np.asarray(other), tilewise(ss.polar_factor, x, (3, 4)), atol=1e-14)


@pytest.mark.parametrize(("arguments", "message"), [
    ({}, "need one of tile and grid, got tile=None, grid=None"),
    ({"tile": (2, 3), "grid": (2, 2)}, "need one of tile and grid"),
    ({"tile": (4, 3)}, r"need tile sides that divide \(m, n\), got tile=\(4, 3\), shape=\(6, 12\)"),
    ({"grid": (1, 5)}, r"need a grid that divides \(m, n\), got grid=\(1, 5\), shape=\(6, 12\)"),
    ({"tile": (0, 3)}, r"need tile: two integers >= 1, got tile=\(0, 3\)"),
    ({"tile": 3}, "need tile: two integers >= 1, got tile=3"),
    ({"grid": (1.0, 2)}, "need grid: two integers >= 1"),
])  # fmt: skip
def test_what_does_not_divide_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        tilewise(ss.polar_factor, np.ones((6, 12)), **arguments)


def test_bad_arrays_and_functions_are_refused():
    with pytest.raises(ValueError, match=r"need x.shape == \(..., m, n\)"):
        tilewise(ss.polar_factor, np.ones(6), (1, 1))
    with pytest.raises(ValueError, match="need a function that keeps shapes"):
        tilewise(lambda x: x[..., :1], np.ones((6, 12)), (2, 3))
