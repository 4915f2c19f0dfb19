"""Preconditioners made of second moments of matrices: Shampoo's, and the Fisher form (theory.md O7)."""

from dataclasses import dataclass
from typing import ClassVar

from spikesim.arrays import Array, array_namespace, transpose
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
        power: Of L and of R, < 0.

    Source: Gupta, Koren & Singer (2018); theory.md O7.
    """

    memory: float = 1.0
    power: float = -0.25
    timed: ClassVar[bool] = True
    orthogonalises: ClassVar[bool] = True

    def __post_init__(self) -> None:
        need(is_real(self.memory) and 1 <= self.memory <= WIDEST, f"1 <= memory <= {WIDEST:g}", memory=self.memory)
        need(is_real(self.power) and -1 <= self.power < 0, "-1 <= power < 0", power=self.power)

    def start(self, _filters: Filters, /) -> Running:
        """From zero."""
        return _Shampoo(self)


class _Shampoo(Stepwise):
    """The same amid a stream."""

    def __init__(self, stage: Shampoo) -> None:
        self._power = stage.power
        self._left, self._right = (EMA(stage.memory, "debiased").memory() for _ in "LR")
        self._newest: Array = None

    def push(self, x: Array) -> bool:
        """See `Stepwise.push`."""
        self._left.push(x @ transpose(x))
        self._right.push(transpose(x) @ x)
        self._newest = x
        return True

    def last(self) -> Array:
        """See `Running.last`."""
        x, powers = self._newest, (self._power, self._power)
        floor = max(x.shape[-2:]) * float(array_namespace(x).finfo(x.dtype).eps)
        return preconditioned(x, self._left.output(), self._right.output(), powers, floor)


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

    def start(self, filters: Filters, /) -> Running:
        """From zero."""
        return _Fisher(running(filters(None)), running(filters(None)))


class _Fisher(Stepwise):
    """The same amid a stream."""

    def __init__(self, first: Running, second: Running) -> None:
        self._first, self._second = first, second

    def push(self, x: Array) -> bool:
        """See `Stepwise.push`."""
        self._first.advance(x[..., None, :, :, :], every=False)
        self._second.advance((x @ transpose(x))[..., None, :, :, :], every=False)
        return True

    def last(self) -> Array:
        """See `Running.last`."""
        return fisher(self._first.last(), self._second.last())
