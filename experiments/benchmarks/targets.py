"""What was aimed at, against what was measured: reached or not, by the median."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.harness import Ratio


@dataclass(frozen=True)
class Target:
    """One target and its measure.

    Args:
        work: What is measured.
        against: Whom or what it is a ratio to.
        needed: The bound.
        at_least: Whether it is a lower bound.
        unit: Of both.
        measured: Minimum, median, maximum over repeats; None where it was not measured.
    """

    work: str
    against: str
    needed: float
    at_least: bool
    unit: str
    measured: Ratio | None

    @property
    def reached(self) -> bool | None:
        """Whether the median meets the bound."""
        if self.measured is None:
            return None
        return self.measured.median >= self.needed if self.at_least else self.measured.median <= self.needed

    def as_json(self) -> dict[str, Any]:
        """For the results' file."""
        m = self.measured
        return {
            "work": self.work, "against": self.against, "needed": self.needed, "at_least": self.at_least, "unit": self.unit,
            "measured": None if m is None else [m.low, m.median, m.high], "reached": self.reached,
        }  # fmt: skip


PEERS = (
    ("noise", "numpy", 22.0), ("noise", "torch", 5.5), ("all", "numpy", 35.0), ("all", "torch-gram", 2.3),
    ("alignment", "numpy", 80.0),
)  # fmt: skip


def targets(results: Mapping[str, Any]) -> list[Target]:
    """Every target, from a file of results; ratios to peers for float32."""
    comparisons = {row["work"]: row for row in results["comparisons"]}
    out = [_against(comparisons[work], peer, needed) for work, peer, needed in PEERS]
    out.insert(2, _accumulators(comparisons["noise"]))
    return [*out, _threads(results["threads"]), _collapsed(results), *_banded(results), *_startup(results["startup"])]


def _against(row: Mapping[str, Any], peer: str, needed: float) -> Target:
    rates = row["rates"]["float32"]
    measured = Ratio.paired(rates["spikesim"], rates[peer]) if peer in rates else None
    return Target(row["title"], row["labels"][peer], needed, True, "x", measured)


def _accumulators(row: Mapping[str, Any]) -> Target:
    rates = {dtype: row["rates"][dtype]["spikesim"] for dtype in ("float32", "float64")}
    measured = Ratio.paired(rates["float64"], rates["float32"])
    return Target(row["title"], "float64 accumulators against float32", 0.85, True, "x", measured)


def _threads(found: Mapping[str, Any]) -> Target:
    rates, most = found["rates"], found["cores"]
    measured = None if most < 2 else Ratio.paired(rates[f"all, float32, {most}"], rates["all, float32, 1"])
    return Target("end to end, all observables", f"{most} threads against 1", 1.85 * most / 2, True, "x", measured)


def _series(results: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return next(s for s in results["growth"] if s["name"] == name)


def _collapsed(results: Mapping[str, Any]) -> Target:
    series = _series(results, "T, collapsed, Gaussian")
    measured = Ratio.paired(series["seconds"][-1], series["seconds"][0])
    return Target("method collapsed, Gaussian", f"T = {series['x'][-1]:.0e} against T = 10", 1.5, False, "x", measured)


def _banded(results: Mapping[str, Any]) -> list[Target]:
    one, grown = _series(results, "banded, 16384 x 65536, rank 4"), _series(results, "rows, banded")
    seconds = np.array(one["seconds"][0]) / one["trials"][0] if one["x"] else None
    sample = None if seconds is None else Ratio(float(seconds.min()), float(np.median(seconds)), float(seconds.max()))
    slopes = None if len(grown["x"]) < 2 else slope(grown)
    return [
        Target("method banded, 16384 x 65536, rank 4, one core", "seconds a sample", 0.05, False, "s", sample),
        Target("method banded, rank 4", f"exponent in rows up to {max(grown['x'], default=0):.0f}", 1.1, False, "", slopes),
    ]


def _startup(found: Mapping[str, Any]) -> list[Target]:
    spread = {name: Ratio(min(x), float(np.median(x)), max(x)) for name, x in found.items()}
    return [
        Target("start-up", "import spikesim", 1.0, False, "s", spread["import"]),
        Target("start-up", "first call of simulate, compilation included", 10.0, False, "s", spread["first call"]),
    ]


def slope(series: Mapping[str, Any], last: int = 3) -> Ratio:
    """Log-log slope of seconds against x over the last points, one a repeat: minimum, median, maximum."""
    x, y = np.log(series["x"][-last:]), np.log(np.array(series["seconds"])[-last:])
    slopes = np.polyfit(x, y, 1)[0]
    return Ratio(float(slopes.min()), float(np.median(slopes)), float(slopes.max()))
