"""What was aimed at on a GPU, against what was measured there (targets.py)."""

from collections.abc import Mapping
from statistics import median
from typing import Any

from benchmarks.harness import Ratio
from benchmarks.targets import Target

OF_LIMIT, OF_CORE, OF_CPU, OF_TORCH = 0.6, 100.0, 20.0, 2.0
DTYPE = "float32"


def targets(results: Mapping[str, Any]) -> list[Target]:
    """Every target, from a file of results; all for float32."""
    rows = {row["work"]: row for row in results["comparisons"]}
    noise, whole = rows["noise"], rows["all"]
    limit = results["limits"]["noise"][DTYPE]
    of_limit = share(noise, limit["limit"])
    bound = f"its limit ({limit['binding']}, from {limit['source']})" if limit["limit"] else "its limit"
    best = best_torch(whole)
    label = f"the best torch script ({whole['labels'][best]})" if best else "the best torch script"
    return [
        Target(noise["title"], bound, OF_LIMIT, True, "x", of_limit),
        Target(noise["title"], "one core of the CPU", OF_CORE, True, "x", ratio(noise, "cpu")),
        Target(whole["title"], f"{whole['cores']} cores of the CPU", OF_CPU, True, "x", ratio(whole, "cpu")),
        Target(whole["title"], label, OF_TORCH, True, "x", ratio(whole, best) if best else None),
    ]


def ratio(row: Mapping[str, Any], peer: str, dtype: str = DTYPE) -> Ratio | None:
    """spikesim on the GPU against a peer; None where one of them was not measured."""
    rates = row["rates"][dtype]
    return Ratio.paired(rates["spikesim"], rates[peer]) if {"spikesim", peer} <= set(rates) else None


def share(row: Mapping[str, Any], limit: float | None, dtype: str = DTYPE) -> Ratio | None:
    """spikesim on the GPU against a limit in the row's unit a second."""
    rates = row["rates"][dtype].get("spikesim")
    return Ratio.paired(rates, [limit] * len(rates)) if rates and limit else None


def best_torch(row: Mapping[str, Any], dtype: str = DTYPE) -> str | None:
    """The fastest of the torch scripts, by its median."""
    found = {name: median(x) for name, x in row["rates"][dtype].items() if name.startswith("torch")}
    return max(found, key=lambda name: found[name]) if found else None
