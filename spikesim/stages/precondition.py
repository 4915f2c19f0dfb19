"""Preconditioners made of second moments of matrices: Shampoo's, and the Fisher form (theory.md O7)."""

from dataclasses import dataclass
from typing import Any, ClassVar

from spikesim.arrays import Array, array_namespace, binary_scale, transpose
from spikesim.errors import need
from spikesim.filters import EMA, WIDEST
from spikesim.noise.base import is_real
from spikesim.orthogonal.shampoo import fisher, preconditioned
from spikesim.stages.base import Filters, Running, Stage, Stepwise
from spikesim.stages.filter import Filter, running


@dataclass(frozen=True, repr=False)
class Shampoo(Stage):
    """L_t^power X_t R_t^power, L_t and R_t the debiased EMAs of X_t X_t^T and X_t^T X_t.

    With memory 1, nothing accumulates: L = X X^T, R = X^T X, and powers of -1/4 make it the polar factor.

    Args:
        memory: Window of L and R in steps, >= 1.
        power: Exponent of L and of R, -1 <= power < 0.

    Raises:
        ValueError: If an argument is outside its range.

    Source: Gupta, Koren & Singer (2018); theory.md O7.
    """

    memory: float = 1.0
    power: float = -0.25
    timed: ClassVar[bool] = True
    orthogonalises: ClassVar[bool] = True

    def __post_init__(self) -> None:
        need(is_real(self.memory) and 1 <= self.memory <= WIDEST, f"1 <= memory <= {WIDEST:g}", memory=self.memory)
        need(is_real(self.power) and -1 <= self.power < 0, "-1 <= power < 0", power=self.power)

    def settling(self, _filters: Filters, weight: float, /) -> int:
        """See `Stage.settling`."""
        return EMA(self.memory).settling(weight)

    def start(self, _filters: Filters, /) -> Running:
        """From zero."""
        return _Shampoo(self)


class _Unit:
    """Matrices over the size of the first of them, in float64: their squares lose nothing, whatever the unit."""

    def __init__(self) -> None:
        self.scale: Array = None

    def of(self, x: Array) -> Array:
        """x over the size of the first, (..., m, n)."""
        wide = array_namespace(x).astype(x, array_namespace(x).float64)
        if self.scale is None:
            self.scale = binary_scale(wide)
        return wide / self.scale


class _Shampoo(Stepwise):
    """The same amid a stream."""

    def __init__(self, stage: Shampoo) -> None:
        self._power, self._unit = stage.power, _Unit()
        self._left, self._right = (EMA(stage.memory, "debiased").memory() for _ in "LR")
        self._newest: Array = None
        self._dtype: Any = None

    def push(self, x: Array) -> bool:
        """See `Stepwise.push`."""
        self._newest, self._dtype = self._unit.of(x), x.dtype
        self._left.push(self._newest @ transpose(self._newest))
        self._right.push(transpose(self._newest) @ self._newest)
        return True

    def last(self) -> Array:
        """See `Running.last`."""
        x, powers = self._newest, (self._power, self._power)
        floor = max(x.shape[-2:]) * float(array_namespace(x).finfo(x.dtype).eps)
        out = preconditioned(x, self._left.output(), self._right.output(), powers, floor)
        return array_namespace(x).astype(out * self._unit.scale ** (1 + 4 * self._power), self._dtype)


@dataclass(frozen=True, repr=False)
class Fisher(Stage):
    """filter(X X^T)^(-1/2) filter(X), both by the filter of the window at hand.

    Source: theory.md O7.
    """

    timed: ClassVar[bool] = True
    orthogonalises: ClassVar[bool] = True

    def entering(self, before: tuple[Stage, ...]) -> tuple[Stage, ...]:
        """What is orthogonalised is the average."""
        return (*before, Filter())

    def settling(self, filters: Filters, weight: float, /) -> int:
        """See `Stage.settling`."""
        return max(f.settling(weight) for f in filters(None))

    def start(self, filters: Filters, /) -> Running:
        """From zero."""
        return _Fisher(running(filters(None)), running(filters(None)))


class _Fisher(Stepwise):
    """The same amid a stream."""

    def __init__(self, first: Running, second: Running) -> None:
        self._first, self._second, self._unit = first, second, _Unit()
        self._dtype: Any = None

    def push(self, x: Array) -> bool:
        """See `Stepwise.push`."""
        wide, self._dtype = self._unit.of(x), x.dtype
        self._first.advance(wide[..., None, :, :, :], every=False)
        self._second.advance((wide @ transpose(wide))[..., None, :, :, :], every=False)
        return True

    def last(self) -> Array:
        """See `Running.last`."""
        out = fisher(self._first.last(), self._second.last())
        return array_namespace(out).astype(out, self._dtype)
