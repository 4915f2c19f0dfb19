"""The trials that answer for a point: all that were asked for, or those up to the look that was enough (until.py)."""

from typing import TYPE_CHECKING

import numpy as np

from spikesim.errors import need
from spikesim.parts import joined
from spikesim.sweep.index import IndexPoint
from spikesim.sweep.ledger import Ledger
from spikesim.sweep.until import Floats, Until, last_look

if TYPE_CHECKING:
    import xarray as xr


def read(ledger: Ledger, point: IndexPoint) -> "xr.Dataset":
    """All trials of a point, one part (parts.py).

    Raises:
        ValueError: If some are missing.
    """
    trials = range(point.trials)
    if point.until is None:
        return ledger.read(trials)
    count, enough = until_enough(ledger, point.until, point.trials)
    advice = f"{ledger.advice}{ledger.reason(trials)}"
    need(enough, "trials until the standard error is as wanted", advice, found=count, at_most=len(trials))
    return joined([ledger.read(between) for between in point.rounds if between.start < count])


def until_enough(ledger: Ledger, until: Until, trials: int) -> tuple[int, bool]:
    """Trials of a point that stops by itself, after so many at most, and whether it has come to its end."""
    return last_look(until, trials, lambda between: values_of(ledger, until, between))


def values_of(ledger: Ledger, until: Until, between: range) -> Floats | None:
    """The numbers of which a mean is wanted, (trial, means); None where trials are missing."""
    parts = list(ledger.raw(between, (until.mean,)))
    if sum(len(part.trials) for part in parts) < len(between):
        return None
    return np.concatenate([until.values(part) for part in parts])
