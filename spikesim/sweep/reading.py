"""The trials that answer for a point: all that were asked for, or those up to the look that was enough (until.py)."""

from typing import TYPE_CHECKING

from spikesim.errors import need
from spikesim.parts import joined
from spikesim.sweep.index import IndexPoint
from spikesim.sweep.ledger import Ledger
from spikesim.sweep.until import Until, last_look

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
    parts, enough = until_enough(ledger, point.until, point.trials)
    found = sum(len(part.trial) for part in parts)
    advice = f"run it again: what is done is kept{ledger.reason(trials)}"
    need(enough, "trials until the standard error is as wanted", advice, found=found, at_most=len(trials))
    return joined(parts)


def until_enough(ledger: Ledger, until: Until, trials: int) -> "tuple[list[xr.Dataset], bool]":
    """Parts of a point that stops by itself, after so many trials at most, and whether it has come to its end."""

    def between(look: range) -> "xr.Dataset | None":
        parts = ledger.found(look)
        return joined(parts) if sum(len(part.trial) for part in parts) == len(look) else None

    return last_look(until, trials, between)
