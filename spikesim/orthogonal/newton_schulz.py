"""Newton-Schulz iterations: odd polynomials of the singular values by products alone, in float64, float32 or bfloat16.

Notation: x has shape (..., m, n); a polynomial is (c_0, c_1, c_2, ...) of c_0 s + c_1 s^3 + c_2 s^5 + ...
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from spikesim.arrays import Array, array_namespace, binary_scale, frobenius, transpose, type_name
from spikesim.errors import need
from spikesim.orthogonal.bfloat16 import round_to_bfloat16
from spikesim.orthogonal.coefficients import ITERATIONS, MOST_STEPS, Iteration
from spikesim.orthogonal.scaling import Rounding, Scaling, scaling_from, unrounded
from spikesim.polar import checked

LIMIT = 1e3
"""An iteration has diverged where ‖x‖_F is above LIMIT sqrt(min(m, n)), and above that of its start."""

DTYPES = ("float64", "float32", "bfloat16")
"""Number types that iterations run in."""


def newton_schulz(
    x: Array, coefficients: Sequence[Any], steps: int | None = None, scaling: str | Scaling | None = "frobenius",
    dtype: str | None = None,
) -> Array:  # fmt: skip
    """Newton-Schulz iteration: odd polynomials of the singular values, x <- (c_0 + c_1 (x x^T) + c_2 (x x^T)^2 + ...) x.

    Args:
        x: Shape (..., m, n), float32 or float64, finite.
        coefficients: (c_0, c_1, c_2, ...) of c_0 s + c_1 s^3 + ..., repeated `steps` times; or one such tuple a step.
        steps: Number of steps; may be left out where `coefficients` holds one polynomial a step, and is 1 or more.
        scaling: What is done first (scaling.py): "frobenius" divides by ‖x‖_F, exactly at any scale (zero stays zero);
            another name or a Scaling; None does nothing.
        dtype: "float64", "float32", or "bfloat16", emulated as libraries run it: x is rounded to it, products of rounded
            numbers are summed up in float32, and the result of every operation is rounded, p a + q b c being one. None is
            that of x.

    Returns:
        Shape (..., m, n), of x's number type whatever `dtype` is. How near to the polar factor depends on the polynomials
        (theory.md O1): Muon's five steps take singular values in [0.01, 1] to [0.68, 1.14].

    Raises:
        ValueError: If x is as `polar_factor` refuses, or infinite in `dtype`; the coefficients, steps, scaling or dtype are
            as above not; or the iteration diverges, naming the step: ‖x‖_F above LIMIT sqrt(min(m, n)), and the start's.

    Source: Higham, Functions of Matrices (2008), ch. 8; theory.md O1 to O3.
    """
    xp = checked(x)
    before, own = scaling_from(scaling), x.dtype
    need(dtype in (*DTYPES, None), f"dtype in {(*DTYPES, None)}", dtype=dtype)
    schedule = _polynomials(coefficients, steps)
    rounded: Rounding = round_to_bfloat16 if dtype == "bfloat16" else unrounded
    with np.errstate(over="ignore", invalid="ignore"):
        y = rounded(_in_type(x, dtype, before))
        need(bool(xp.all(xp.isfinite(y))), f"an x that is finite in {dtype}", x="infinity", dtype=dtype)
        y = y if before is None else before(y, rounded)
        most = _bound(y)
        for step, polynomial in enumerate(schedule, 1):
            y = _odd(y, polynomial, rounded)
            _need_bounded(y, most, step)
    return xp.astype(y, own, copy=False)


def iterate(x: Array, iteration: Iteration | str, steps: int | None = None, dtype: str | None = None) -> Array:
    """A published iteration as published: its scaling, then its polynomials.

    Args:
        x: Shape (..., m, n), float32 or float64, finite.
        iteration: One of coefficients.py, or its name: "cubic", "muon", "dion", "polar-express", "aol".
        steps: 1 or more; None for as many as its users take.
        dtype: As for `newton_schulz`.

    Returns:
        Shape (..., m, n), of x's number type.

    Raises:
        ValueError: As `newton_schulz` does, or if there is no iteration of that name.

    Source: `iteration.source`; theory.md O1.
    """
    known = isinstance(iteration, Iteration) or (isinstance(iteration, str) and iteration in ITERATIONS)
    need(known, f"iteration in {tuple(ITERATIONS)} or an Iteration", iteration=iteration)
    named = ITERATIONS[iteration] if isinstance(iteration, str) else iteration
    return newton_schulz(x, named.schedule(steps), scaling=named.scaling, dtype=dtype)


def _in_type(x: Array, dtype: str | None, before: Scaling | None) -> Array:
    """x in the number type of the iteration; a scale that cancels is taken out before, so that none is out of range."""
    xp = array_namespace(x)
    target = xp.float64 if dtype == "float64" else xp.float32
    if dtype is None or type_name(x) == dtype:
        return x
    if before is not None and before.invariant and target == xp.float32:
        x = x / binary_scale(x)
    return xp.astype(x, target)


def _bound(x: Array) -> Array:
    """The largest ‖x‖_F of an iteration that has not diverged, (...)."""
    xp = array_namespace(x)
    start, usual = frobenius(x), LIMIT * math.sqrt(min(x.shape[-2:]))
    return xp.where(start > usual, start, xp.full_like(start, usual))


def _need_bounded(x: Array, most: Array, step: int) -> None:
    xp = array_namespace(x)
    norm = xp.sqrt(xp.sum(x * x, axis=(-2, -1)))
    if not bool(xp.all(norm <= most)):
        largest = float(xp.max(xp.where(xp.isfinite(norm), norm, xp.full_like(norm, math.inf))))
        need(False, f"coefficients that keep ‖x‖_F <= {LIMIT:g} sqrt(min(m, n))",
             "they diverge on these singular values: scale x first", step=step, norm=largest)  # fmt: skip


def _odd(x: Array, polynomial: tuple[float, ...], rounded: Rounding) -> Array:
    """sum_k c_k (x x^T)^k x on the smaller Gram matrix: Horner's rule for all but c_0, which multiplies x itself."""
    if x.shape[-2] > x.shape[-1]:
        return transpose(_odd(transpose(x), polynomial, rounded))
    if len(polynomial) == 1:
        return rounded(polynomial[0] * x)
    gram = rounded(x @ transpose(x))
    total, factor = gram, polynomial[-1]
    for c in polynomial[-2:0:-1]:
        total, factor = rounded(factor * (total @ gram) + c * gram), 1.0
    return rounded(factor * (total @ x) + polynomial[0] * x)


def _polynomials(coefficients: Sequence[Any], steps: int | None) -> list[tuple[float, ...]]:
    try:
        rows = np.atleast_2d(np.asarray(coefficients, float))
    except (TypeError, ValueError):
        rows = np.empty((0, 0))
    need(rows.ndim == 2 and rows.size > 0 and np.all(np.isfinite(rows)),
         "coefficients: one polynomial (a, b, c, ...), or one of equal length a step", coefficients=coefficients)  # fmt: skip
    if len(rows) == 1:
        steps = 1 if steps is None and np.ndim(coefficients) == 2 else steps
        need(isinstance(steps, int | np.integer) and steps >= 1, "steps >= 1 for a repeated polynomial", steps=steps)
        need(steps is None or steps <= MOST_STEPS, f"steps <= {MOST_STEPS}", steps=steps)
        return [tuple(rows[0].tolist())] * int(steps or 1)
    need(steps in (None, len(rows)), f"steps == {len(rows)}, the number of polynomials, or None", steps=steps)
    return [tuple(row.tolist()) for row in rows]
