"""Runs pipelines together over a stream that arrives in chunks, without storing it.

Pipelines that begin alike share that beginning: each distinct beginning (`head`) runs once, so one polar factor a step serves
post-polar and polar-only at every window. A head whose every output feeds a timed stage steps with the stream; any other is
made at the end, out of what entered it last.
"""

from collections.abc import Callable, Iterable
from typing import Any

from spikesim.arrays import Array
from spikesim.polar import SVD, svd
from spikesim.spectrum import Exact
from spikesim.stages.base import Filters, Running, Stage
from spikesim.stages.polar import Polar, Read
from spikesim.stages.spectral import Spectral

Stages = tuple[Stage, ...]
Frame = tuple[Array, Array]


class Cascade:
    """Stages that run together.

    Args:
        runs: Stages to run, from the gradients on.
        filters: What gives stages their filters, such as a stages.filter.Bank; each starts from zero.
        given: Stages whose last output will be handed to `supply` instead of being run here.
        frame: u (m, r) and v (n, r) for `Read`.
        spectra: What answers for a stack of matrices: spectrum.Exact, or as exact as that.
    """

    def __init__(
        self, runs: Iterable[Stages], filters: Filters, given: frozenset[Stages] = frozenset(),
        frame: Frame | None = None, spectra: Callable[[Array], Any] = Exact,
    ) -> None:  # fmt: skip
        self.runs = frozenset(runs)
        heads = {head for stages in self.runs for head in _heads(stages)}
        flowing = {h for h in {()} | heads if any(_timed_after(h, longer) for longer in heads)}
        stepping = {h for h in heads if h in flowing or h[-1].timed} - (given - flowing)
        self.stepping = sorted(stepping, key=len)
        self._flowing, self._filters, self._frame, self._spectra = flowing, filters, frame, spectra
        self._running: dict[Stages, Running] = {}
        self._now = _Moment({}, frame, spectra)

    def advance(self, gradients: Array) -> None:
        """Take the next gradients, shape (..., steps, m, n)."""
        moment = _Moment({(): gradients[..., None, :, :]}, self._frame, self._spectra)
        for head in self.stepping:
            if not head[-1].timed:
                moment.output(head)
                continue
            if head not in self._running:
                self._running[head] = head[-1].start(self._filters)
            moment.outputs[head] = self._running[head].advance(moment.outputs[head[:-1]], head in self._flowing)
        self._now = _Moment({(): gradients[..., -1:, :, :]}, self._frame, self._spectra)

    def window(self, stages: Stages) -> Array | None:
        """T of the newest step, (..., W), of the last among some stages that sets its own; None if there is none."""
        for i in range(len(stages), 0, -1):
            running = self._running.get(stages[:i])
            if running is not None and running.window is not None:
                return running.window
        return None

    def supply(self, stages: Stages, last: Array) -> None:
        """Hand over the last output (..., W, m, n) of some stages."""
        self._now.outputs[stages] = last

    def last(self, stages: Stages) -> Array:
        """The last output of some stages, (..., W, m, n), W = 1 before the first filter."""
        for i in range(len(stages), 0, -1):
            head = stages[:i]
            if head in self._running and head not in self._now.outputs:
                self._now.outputs[head] = self._running[head].last()
        return self._now.output(stages)


class _Moment:
    """Outputs of stages on one stack of matrices; what is found of a stack is found once."""

    def __init__(self, outputs: dict[Stages, Array], frame: Frame | None, spectra: Callable[[Array], Any]) -> None:
        self.outputs, self._frame, self._make = outputs, frame, spectra
        self._spectra: dict[Stages, Any] = {}
        self._svds: dict[Stages, SVD] = {}

    def output(self, head: Stages) -> Array:
        """Of a head, made of the outputs before it where it is not there."""
        if head not in self.outputs:
            self.outputs[head] = self._made(head)
        return self.outputs[head]

    def _made(self, head: Stages) -> Array:
        final, before = head[-1], head[:-1]
        if isinstance(final, Polar):
            return self._spectrum(before).polar(final.rank)
        if isinstance(final, Read):
            assert self._frame is not None
            assert isinstance(before[-1], Polar)
            return self._spectrum(before[:-1]).directions(*self._frame, before[-1].rank)[..., None]
        if isinstance(final, Spectral):
            if before not in self._svds:
                self._svds[before] = svd(self.output(before))
            return final.of(self._svds[before])
        return final.apply(self.output(before))

    def _spectrum(self, head: Stages) -> Any:
        if head not in self._spectra:
            self._spectra[head] = self._make(self.output(head))
        return self._spectra[head]


def _heads(stages: Stages) -> list[Stages]:
    """What stages begin with, themselves included; a polar step that is read at once is no head of its own."""
    following = (*stages[1:], None)
    return [stages[:i] for i, after in enumerate(following, 1) if not isinstance(after, Read)]


def _timed_after(head: Stages, longer: Stages) -> bool:
    """Whether every output of a head is needed: a timed stage comes later, not fed by a mere read-out of the head."""
    after = longer[len(head) :]
    return longer[: len(head)] == head and any(s.timed for s in after) and not isinstance(after[0], Read)
