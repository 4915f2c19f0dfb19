"""Scaling by second moments, entry by entry: of what enters (SecondMoment), or of its average (Adam)."""

from dataclasses import dataclass
from typing import Any, ClassVar

from spikesim.arrays import Array, array_namespace
from spikesim.errors import need
from spikesim.filters import EMA, WIDEST, Memory
from spikesim.noise.base import is_real
from spikesim.stages.base import Filters, Running, Stage, Stepwise
from spikesim.stages.filter import running


@dataclass(frozen=True, repr=False)
class SecondMoment(Stage):
    """Each entry over the root of its average square, X_t/(sqrt(V_t) + epsilon), V_t the debiased EMA of X_t^2 by entries.

    After a filter it is not Adam's update, whose V is of the gradients: that is `Adam`.

    Args:
        memory: Window T2 = 1/(1 - beta2) of V, in steps, >= 1; 1000 is beta2 = 0.999.
        epsilon: >= 0, in the unit of the gradients.

    Raises:
        ValueError: If an argument is outside its range.

    Source: Kingma & Ba, Adam (2015).
    """

    memory: float = 1000.0
    epsilon: float = 1e-8
    timed: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _need_memory(self)

    def settling(self, _filters: Filters, weight: float, /) -> int:
        """See `Stage.settling`."""
        return EMA(self.memory).settling(weight)

    def start(self, _filters: Filters, /) -> Running:
        """From zero."""
        return _SecondMoment(self)


@dataclass(frozen=True, repr=False)
class Adam(Stage):
    """Adam's update, filter(X_t)/(sqrt(V_t) + epsilon): the filter of the window at hand, V_t as in `SecondMoment`.

    Args:
        memory: Window T2 = 1/(1 - beta2) of V, in steps, >= 1; 1000 is beta2 = 0.999.
        epsilon: >= 0, in the unit of the gradients.

    Raises:
        ValueError: If an argument is outside its range.

    Source: Kingma & Ba, Adam (2015).
    """

    memory: float = 1000.0
    epsilon: float = 1e-8
    timed: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _need_memory(self)

    def settling(self, filters: Filters, weight: float, /) -> int:
        """See `Stage.settling`."""
        return max(f.settling(weight) for f in (EMA(self.memory), *filters(None)))

    def start(self, filters: Filters, /) -> Running:
        """From zero."""
        return _SecondMoment(self, running(filters(None)))


def _need_memory(stage: Any) -> None:
    need(is_real(stage.memory) and 1 <= stage.memory <= WIDEST, f"1 <= memory <= {WIDEST:g}", memory=stage.memory)
    need(is_real(stage.epsilon) and stage.epsilon >= 0, "epsilon >= 0", epsilon=stage.epsilon)


class _SecondMoment(Stepwise):
    """The same amid a stream; an average, if given, is scaled in place of the newest step."""

    def __init__(self, stage: Any, average: Running | None = None) -> None:
        self._squares: Memory = EMA(stage.memory, "debiased").memory()
        self._epsilon, self._average = stage.epsilon, average
        self._newest: Array = None

    def push(self, x: Array) -> bool:
        """See `Stepwise.push`."""
        self._squares.push(x * x)
        self._newest = x
        if self._average is not None:
            self._average.advance(x[..., None, :, :, :], every=False)
        return True

    def last(self) -> Array:
        """See `Running.last`."""
        x = self._newest if self._average is None else self._average.last()
        xp = array_namespace(x)
        root = xp.sqrt(self._squares.output()) + self._epsilon
        return xp.where(root > 0, x / xp.where(root > 0, root, xp.ones_like(root)), xp.zeros_like(x))
