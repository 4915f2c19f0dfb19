"""Simulate every setting, find what each says about each claim, and judge."""

from collections.abc import Callable

from spikesim.verify import bounds, limits, reversals
from spikesim.verify.settings import Measured, all_settings, measure
from spikesim.verify.verdict import Row, judge

CLAIMS = bounds.CLAIMS | limits.CLAIMS | reversals.CLAIMS


def verify(progress: Callable[[str, int, int], None]) -> list[Row]:
    """Every claim against its simulations; minutes.

    Args:
        progress: Called with (family, settings done, settings).
    """
    return verdicts(measure(all_settings(), progress))


def verdicts(measured: list[Measured]) -> list[Row]:
    """The verdicts that simulations lead to, one row a label."""
    found = [*bounds.findings(measured), *limits.findings(measured), *reversals.findings(measured)]
    return judge(found, CLAIMS)
