"""Vectorised float64 functions against NumPy's in extended precision: relative errors in units of 2^-53."""

import numpy as np
import pytest
from numba import njit

from spikesim.kernels import elementary as el

LONG = np.longdouble
PRECISE = pytest.mark.skipif(np.finfo(LONG).nmant < 60, reason="longdouble is no better than float64 here")
COUNT = 100_000
RNG = np.random.default_rng(1)

NEAR_ONE = 1 - 2.0 ** -RNG.uniform(1, 50, COUNT)
TINY = 2.0 ** -RNG.uniform(0, 97, COUNT)
UNIFORM = RNG.random(COUNT)
POSITIVE = np.concatenate([UNIFORM, NEAR_ONE, TINY, RNG.uniform(0.7, 1.42, COUNT), 1 / TINY, [1.0, 0.5, 2.0**-97, 0.5**0.5]])
HALVES = np.concatenate([UNIFORM - 0.5, TINY / 2, -TINY / 2, [-0.5, 0.0, 0.5]])
UNITS = np.concatenate([UNIFORM, -NEAR_ONE, TINY, -TINY, [-1.0, 0.0, 1.0]])


def each(function):
    @njit
    def loop(x):
        out = np.empty_like(x)
        for i in range(x.size):
            out[i] = function(x[i])
        return out

    return loop


@njit
def log2(x):
    e, r = el.log2_parts(x)
    return e + r


@njit
def power_of_two(t):
    n, power = el.rounded(t)
    return power * (1 + el.exp2m1(t - n))


def quarter_turns(h):
    return np.sin(h * (LONG(np.pi) + LONG(1.2246467991473532e-16)) / 2)


def units(function, exact, x):
    y = exact(x.astype(LONG))
    error = np.abs(each(function)(x) - y)
    assert np.all(error[y == 0] == 0)
    return float(np.max(error[y != 0] / np.abs(y[y != 0]))) * 2**53


@PRECISE
@pytest.mark.parametrize(
    ("function", "exact", "x", "most"),
    [
        (log2, np.log2, POSITIVE, 6),
        (el.log, np.log, POSITIVE, 7),
        (el.exp2m1, lambda r: np.expm1(r * np.log(LONG(2))), HALVES, 4),
        (power_of_two, lambda t: np.exp2(t), np.concatenate([2000 * HALVES, HALVES]), 4),
        (el.sine, quarter_turns, UNITS, 4),
    ],
    ids=["log2", "log", "exp2m1", "exp2", "sine"],
)
def test_relative_errors_are_a_few_units(function, exact, x, most):
    assert units(function, exact, x) < most


@PRECISE
def test_a_lost_term_is_seen():
    """Negative control: a sine one degree short breaks the bound."""
    series = [el._QUARTER_TURN * (-(el._QUARTER_TURN**2)) ** i / el.factorial(2 * i + 1) for i in range(15)]
    short = el.polynomial(el.economised(series, 0, 1, 6))
    assert units(njit(lambda h: h * short(h * h)), quarter_turns, UNITS) > 8


def test_exponents_are_whole_and_near_one_there_is_none():
    parts = njit(lambda x: el.log2_parts(x)[0])
    exponents = each(parts)(POSITIVE)
    assert np.all(exponents == np.round(exponents))
    assert np.all(each(parts)(NEAR_ONE[NEAR_ONE > 0.8]) == 0)


def test_the_last_bit_of_a_word_is_the_sign():
    signed = njit(lambda w: el.signed(2.5, np.uint32(w)))
    assert [signed(w) for w in (0, 1, 2**32 - 2, 2**32 - 1)] == [2.5, -2.5, 2.5, -2.5]
