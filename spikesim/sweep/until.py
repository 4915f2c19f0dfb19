"""Trials until a mean is known well enough: a rule that looks at fixed counts of trials.

    until = {mean = "alignment", pipeline = "pre-polar", window = 50, standard_error = 0.002, every = 100}

Looks are after `every`, 2 `every`, ... trials, at most the run's `trials`: the first at which the standard error is at most
the wanted one is the last. So where it stops depends on the trials alone, not on blocks, workers or their order. Stopping by
the data costs coverage: how much was measured (docs/sweeps.md).
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, Strict

from spikesim import observables as obs
from spikesim.errors import need
from spikesim.sweep.contents import Raw

if TYPE_CHECKING:
    from spikesim.design import Design

Floats = NDArray[np.float64]


class Until(BaseModel):
    """When to stop.

    Attributes:
        mean: An observable of single trials, whose mean is wanted.
        pipeline: Of which pipeline; left out: of every one.
        window: Of which window; left out: of every one.
        standard_error: Wanted, > 0; of several means, the worst must have it.
        every: Trials between looks, >= 10.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    mean: str
    pipeline: str | None = None
    window: Annotated[float, Strict()] | None = None
    standard_error: Annotated[float, Strict(), Field(gt=0, allow_inf_nan=False)]
    every: Annotated[int, Strict(), Field(ge=10)] = 100

    def check(self, design: "Design") -> None:
        """Refuse what the design does not measure; raises ValueError."""
        known = tuple(name for name in design.observables if name not in obs.MOMENTS)
        need(self.mean in known, f"until.mean in {known}, which the run measures trial by trial", mean=self.mean)
        pipelines, windows = [str(p) for p in design.pipelines], list(design.bank.windows)
        need(self.pipeline is None or self.pipeline in pipelines, f"until.pipeline in {pipelines}", pipeline=self.pipeline)
        need(self.window is None or self.window in windows, f"until.window in {windows}", window=self.window)

    def values(self, part: Raw) -> Floats:
        """The trials whose means are wanted, (trial, means)."""
        dims, asked = part.layout.dimensions.get(self.mean, ()), {"pipeline": self.pipeline, "window": self.window}
        need(dims[:1] == ("trial",), "until.mean that the results have trial by trial", mean=self.mean)
        values = part.values[self.mean]
        for axis, name in enumerate(dims):
            if asked.get(name) is not None:
                known = part.layout.coordinates[name]
                need(asked[name] in known, f"until.{name} in {known}, which the results have", **{name: asked[name]})
                values = values.take([known.index(asked[name])], axis)
        return values.reshape(len(part.trials), -1)

    def met(self, values: Floats) -> bool:
        """Whether trials so far are enough. Undefined ones do not count; a mean that is never defined is not waited for."""
        return bool(np.all(_errors(values) <= self.standard_error))


def rounds(trials: int, until: Until | None) -> list[range]:
    """Trials that are asked for together: all, or those from one look to the next."""
    every = trials if until is None else until.every
    return [range(first, min(first + every, trials)) for first in range(0, trials, every)]


def _errors(values: Floats) -> Floats:
    """Standard errors of the means of (trial, means), over defined trials; infinite for one trial, 0 for none."""
    defined = np.isfinite(values)
    counts = defined.sum(0)
    kept = np.where(defined, values, 0.0)
    means = kept.sum(0) / np.maximum(counts, 1)
    squares = (np.where(defined, kept - means, 0.0) ** 2).sum(0)
    errors = np.sqrt(squares / np.maximum(counts - 1, 1) / np.maximum(counts, 1))
    return np.where(counts == 1, np.inf, errors)


def last_look(until: Until, trials: int, read: Callable[[range], Floats | None]) -> tuple[int, bool]:
    """Trials up to the look that is enough, and whether one was, or all trials are there.

    Args:
        until: The rule.
        trials: At most so many.
        read: What `Until.values` makes of the trials between two looks; None where some are missing.
    """
    values: list[Floats] = []
    for between in rounds(trials, until):
        found = read(between)
        if found is None:
            return between.start, False
        values.append(found)
        if until.met(np.concatenate(values)):
            return between.stop, True
    return trials, True
