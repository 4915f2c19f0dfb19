"""Pipelines: a filter over time and a polar step, composed in either order (theory.md, Notation).

    pre-polar   = Filter -> Polar        post-polar   = Polar -> Filter
    polar-only  = Polar                  re-polarised = Polar -> Filter -> Polar

Stages are listed in the order in which they are applied. Pipelines that begin alike share that beginning: a `Cascade`
runs each distinct beginning once, so one polar factor a step serves post-polar and polar-only at every window.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from spikesim.arrays import Array, array_namespace
from spikesim.errors import need
from spikesim.filters import EMA
from spikesim.kernels.ema import accumulate
from spikesim.spectrum import Exact


@dataclass(frozen=True)
class Filter:
    """The filter of the window at hand, over time."""


@dataclass(frozen=True)
class Polar:
    """The polar factor O(X); with a rank, O_r(X) = U_r V_r^T of the top singular pairs only."""

    rank: int | None = None

    def __post_init__(self) -> None:
        whole = isinstance(self.rank, int) and not isinstance(self.rank, bool)
        need(self.rank is None or (whole and self.rank >= 1), "rank: None or an integer >= 1", rank=self.rank)


@dataclass(frozen=True)
class Read:
    """o_k = u_k^T X v_k, an (r, 1) matrix in X's place. Linear: filters after a polar step may as well follow this."""


Stage = Filter | Polar | Read
Stages = tuple[Stage, ...]


@dataclass(frozen=True)
class Pipeline:
    """Stages in order of application, and the text that results carry.

    Args:
        stages: Filter() and Polar() stages, at least one.
        name: Text of the `pipeline` coordinate; the stages themselves where left out.
    """

    stages: Stages
    name: str = field(default="")

    def __post_init__(self) -> None:
        stages = tuple(self.stages) if isinstance(self.stages, Iterable) else (self.stages,)
        need(stages and all(isinstance(s, Filter | Polar) for s in stages), "Filter() and Polar() stages", stages=stages)
        object.__setattr__(self, "stages", stages)
        object.__setattr__(self, "name", self.name or " -> ".join(map(repr, stages)))

    def __str__(self) -> str:
        return self.name

    @property
    def entering(self) -> Stages:
        """The stages up to the matrix that is measured: the one that enters a final polar step, or else the last."""
        return self.stages[:-1] if isinstance(self.stages[-1], Polar) else self.stages

    @property
    def read(self) -> Stages | None:
        """Stages whose last output is o_k of this one's: its last polar step is read at once. None if no filter follows."""
        last = max((i for i, stage in enumerate(self.stages) if isinstance(stage, Polar)), default=None)
        if last is None or last == len(self.stages) - 1:
            return None
        return (*self.stages[: last + 1], Read(), *self.stages[last + 1 :])

    def truncated(self, rank: int) -> "Pipeline | None":
        """The same with O_r in place of its last polar step (theory.md, alignment_truncated); None without one."""
        for i in reversed(range(len(self.stages))):
            if isinstance(self.stages[i], Polar):
                stages = (*self.stages[:i], Polar(rank), *self.stages[i + 1 :])
                return replace(self, stages=stages, name=f"{self.name}, rank {rank}")
        return None


PRE_POLAR = Pipeline((Filter(), Polar()), "pre-polar")
POST_POLAR = Pipeline((Polar(), Filter()), "post-polar")
POLAR_ONLY = Pipeline((Polar(),), "polar-only")
RE_POLARISED = Pipeline((Polar(), Filter(), Polar()), "re-polarised")

NAMED = {str(p): p for p in (PRE_POLAR, POST_POLAR, POLAR_ONLY, RE_POLARISED)}
PIPELINES = tuple(NAMED)
"""Names of the four pipelines of the theory."""


def pipelines_from(items: Iterable[str | Pipeline]) -> tuple[Pipeline, ...]:
    """Pipelines from names or themselves.

    Raises:
        ValueError: If there is none, a name is unknown, or two have the same text.
    """
    items = (items,) if isinstance(items, str | Pipeline) or not isinstance(items, Iterable) else tuple(items)
    for item in items:
        known = isinstance(item, Pipeline) or (isinstance(item, str) and item in NAMED)
        need(known, f"pipelines in {PIPELINES} or Pipeline objects", pipeline=item)
    out = tuple(item if isinstance(item, Pipeline) else NAMED[item] for item in items)
    names = [str(p) for p in out]
    need(len(names) > 0 and len(set(names)) == len(names), "one or more distinct pipelines", pipelines=names)
    return out


class Cascade:
    """Runs stages together over a stream that arrives in chunks, without storing it.

    Args:
        runs: Stages to run, from the gradients on.
        betas: (K,) momenta, one a window; filters run from zero.
        given: Stages whose last output will be handed to `supply` instead of being run here.
        frame: u (m, r) and v (n, r) for `Read`.
        spectra: What answers for a stack of matrices: spectrum.Exact, or as exact as that.
    """

    def __init__(
        self, runs: Iterable[Stages], betas: Array, given: frozenset[Stages] = frozenset(),
        frame: tuple[Array, Array] | None = None, spectra: Callable[[Array], Any] = Exact,
    ) -> None:  # fmt: skip
        self.betas, self.frame, self._spectra = betas, frame, spectra
        self.runs = frozenset(runs)
        heads = {head for stages in self.runs for head in _heads(stages)}
        self._flowing = {h for h in {()} | heads if any(_filters_after(h, longer) for longer in heads)}
        idle = given - self._flowing
        stepping = {h for h in heads if h in self._flowing or isinstance(h[-1], Filter)}
        self.stepping = sorted(stepping - idle, key=len)
        self._sums: dict[Stages, Array] = {}
        self._last: dict[Stages, Array] = {}

    def advance(self, gradients: Array) -> None:
        """Take the next gradients, shape (..., steps, m, n)."""
        outputs: dict[Stages, Array] = {(): gradients[..., None, :, :]}
        spectra: dict[Stages, Any] = {}
        for head in self.stepping:
            final, before = head[-1], head[:-1]
            if isinstance(final, Filter):
                outputs[head] = self._filter(head, outputs[before])
                continue
            before = before[:-1] if isinstance(final, Read) else before
            if before not in spectra:
                spectra[before] = self._spectra(outputs[before])
            outputs[head] = self._step(head, spectra[before])
        self._last = {(): gradients[..., -1:, :, :]}

    def _step(self, head: Stages, spectrum: Any) -> Array:
        """The polar step at the end of a head, or what is read of it."""
        if isinstance(head[-1], Polar):
            return spectrum.polar(head[-1].rank)
        assert self.frame is not None
        assert isinstance(head[-2], Polar)
        return spectrum.directions(*self.frame, head[-2].rank)[..., None]

    def _filter(self, head: Stages, x: Array) -> Array:
        """Advance one filter's sums over x (..., steps, W, m, n); every step's buffer where something needs it."""
        xp = array_namespace(x)
        if head not in self._sums:
            shape = (*x.shape[:-4], self.betas.shape[0], *x.shape[-2:])
            self._sums[head] = xp.zeros(shape, dtype=x.dtype)
        if head not in self._flowing:
            self._sums[head] = accumulate(self._sums[head], x, self.betas)
            return None
        buffers = []
        for s in range(x.shape[-4]):
            self._sums[head] = accumulate(self._sums[head], x[..., s : s + 1, :, :, :], self.betas)
            buffers.append(self._normalised(head))
        return xp.stack(buffers, axis=-4)

    def _normalised(self, head: Stages) -> Array:
        return self._sums[head] * (1 - self.betas)[:, None, None]

    def supply(self, stages: Stages, last: Array) -> None:
        """Hand over the last output (..., W, m, n) of some stages."""
        self._last[stages] = last

    def last(self, stages: Stages) -> Array:
        """The last output of some stages, (..., W, m, n), W = 1 before the first filter."""
        if stages not in self._last:
            final = stages[-1]
            if isinstance(final, Polar):
                self._last[stages] = self._spectra(self.last(stages[:-1])).polar(final.rank)
            else:
                self._last[stages] = self._normalised(stages)
        return self._last[stages]


def _heads(stages: Stages) -> list[Stages]:
    """What stages begin with, themselves included; a polar step that is read at once is no head of its own."""
    following = (*stages[1:], None)
    return [stages[:i] for i, after in enumerate(following, 1) if not isinstance(after, Read)]


def _filters_after(head: Stages, longer: Stages) -> bool:
    """Whether every output of a head is needed: a filter comes later, and what feeds it is not a read-out of the head."""
    after = longer[len(head) :]
    return longer[: len(head)] == head and any(isinstance(s, Filter) for s in after) and not isinstance(after[0], Read)


def last_update(pipeline: Pipeline, gradients: Array, window: float) -> Array:
    """The last update A_t of one pipeline on a given stream.

    Args:
        pipeline: What to run.
        gradients: Shape (..., steps, m, n), in order of time.
        window: T = 1/(1 - beta) >= 1 of its filter, from zero.

    Returns:
        Shape (..., m, n).
    """
    need(isinstance(pipeline, Pipeline), "a Pipeline, such as spikesim.pipelines.PRE_POLAR", pipeline=pipeline)
    need(hasattr(gradients, "dtype"), "an array of gradients", gradients=type(gradients).__name__)
    xp = array_namespace(gradients)
    good = gradients.ndim >= 3 and min(gradients.shape[-3:]) >= 1
    need(good, "gradients.shape == (..., steps, m, n), steps >= 1", shape=tuple(gradients.shape))
    need(gradients.dtype in (xp.float32, xp.float64), "gradients of float32 or float64", dtype=str(gradients.dtype))
    cascade = Cascade([pipeline.stages], xp.asarray([EMA(window).beta], dtype=gradients.dtype))
    cascade.advance(gradients)
    return cascade.last(pipeline.stages)[..., 0, :, :]
