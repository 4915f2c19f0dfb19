"""The filter over time, as a stage: that of the windows at hand, or one of its own."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, TypeGuard

from spikesim.arrays import Array, array_namespace
from spikesim.errors import need
from spikesim.filters import EMA, LinearFilter
from spikesim.kernels.ema import accumulate
from spikesim.stages.base import Filters, Running, Stage


@dataclass(frozen=True, repr=False)
class Filter(Stage):
    """A linear filter over time.

    Args:
        of: None for the filter of the window at hand (simulate's `filter`); a filter, such as EMA(10), for the same at every
            window; or what maps the window at hand to a filter: a class such as Nesterov, or a Family.

    Raises:
        ValueError: If `of` is none of these.

    Source: theory.md F1 to F10.
    """

    of: Any = None
    timed: ClassVar[bool] = True
    linear: ClassVar[bool] = True

    def __post_init__(self) -> None:
        known = self.of is None or isinstance(self.of, LinearFilter) or callable(self.of)
        need(known, "Filter(), or of a filter such as EMA(10), or of a family such as Nesterov", of=self.of)

    def settling(self, filters: Filters, weight: float, /) -> int:
        """See `Stage.settling`."""
        return max(f.settling(weight) for f in filters(self.of))

    def held(self, filters: Filters, /) -> int:
        """See `Stage.held`."""
        return max(f.held for f in filters(self.of))

    def start(self, filters: Filters, /) -> Running:
        """From zero."""
        return running(filters(self.of))


@dataclass(frozen=True)
class Bank:
    """The filters of a run.

    Args:
        windows: K of them.
        filters: The run's own, one a window.
    """

    windows: tuple[float, ...]
    filters: tuple[LinearFilter, ...]

    @classmethod
    def made(cls, windows: tuple[float, ...], family: Callable[[float], LinearFilter] = EMA) -> "Bank":
        """From a family."""
        return cls(windows, tuple(family(w) for w in windows))

    def __call__(self, of: Any = None) -> tuple[LinearFilter, ...]:
        """Those of a Filter stage: K, one a window, or one for all windows."""
        if of is None:
            return self.filters
        if isinstance(of, LinearFilter):
            return (of,)
        made = tuple(of(w) for w in self.windows)
        for f in made:
            need(isinstance(f, LinearFilter), "a family that maps a window to a filter", filter=f)
        return made


def running(filters: tuple[LinearFilter, ...]) -> Running:
    """Filters at the start of a stream."""
    plain = tuple(f for f in filters if is_plain(f))
    return _EMAs(plain) if len(plain) == len(filters) else _Memories(filters)


def is_plain(filter_: LinearFilter) -> TypeGuard[EMA]:
    """Whether it is the EMA from zero, which compiled kernels know."""
    return isinstance(filter_, EMA) and filter_.start == "zero"


class _EMAs(Running):
    """Exponential moving averages from zero, by the compiled kernel where the arrays are for it."""

    def __init__(self, filters: tuple[EMA, ...]) -> None:
        self._momenta = [f.beta for f in filters]
        self._sums: Array = None

    def advance(self, x: Array, every: bool) -> Array | None:
        """See `Running.advance`."""
        xp = array_namespace(x)
        if self._sums is None:
            momenta = self._momenta * x.shape[-3] if len(self._momenta) == 1 else self._momenta
            self._betas = xp.asarray(momenta, dtype=x.dtype)
            self._sums = xp.zeros((*x.shape[:-4], len(momenta), *x.shape[-2:]), dtype=x.dtype)
        if not every:
            self._sums = accumulate(self._sums, x, self._betas)
            return None
        buffers = []
        for s in range(x.shape[-4]):
            self._sums = accumulate(self._sums, x[..., s : s + 1, :, :, :], self._betas)
            buffers.append(self.last())
        return xp.stack(buffers, axis=-4)

    def last(self) -> Array:
        """See `Running.last`."""
        return self._sums * (1 - self._betas)[:, None, None]


class _Memories(Running):
    """Any linear filters, step by step: one for all windows, or one a window."""

    def __init__(self, filters: tuple[LinearFilter, ...]) -> None:
        self._memories = [f.memory() for f in filters]

    def advance(self, x: Array, every: bool) -> Array | None:
        """See `Running.advance`."""
        buffers = []
        for s in range(x.shape[-4]):
            self._push(x[..., s, :, :, :])
            if every:
                buffers.append(self.last())
        return array_namespace(x).stack(buffers, axis=-4) if every else None

    def _push(self, x: Array) -> None:
        if len(self._memories) == 1:
            self._memories[0].push(x)
            return
        for k, memory in enumerate(self._memories):
            memory.push(x[..., k if x.shape[-3] > 1 else 0, :, :])

    def last(self) -> Array:
        """See `Running.last`."""
        if len(self._memories) == 1:
            return self._memories[0].output()
        outputs = [memory.output() for memory in self._memories]
        return array_namespace(outputs[0]).stack(outputs, axis=-3)
