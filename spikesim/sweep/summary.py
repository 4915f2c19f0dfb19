"""A store as one tidy table: a row for each point, observable, pipeline, window and index.

    identity, the points' coordinates, observable, pipeline, window, index,
    n, mean, standard_error, q05, q25, median, q75, q95       over the trials that are there and have a value
    undefined                                                 trials without one (NaN: see ss.simulate)
    missing, failed                                           trials that are not there; of them, those that failed

Bias and variance are of all trials together: no standard error, no quantiles. A coordinate that is not a number in every
point that has it, or text in every one, stands as JSON. Trials are taken in their order, so the table does not depend on
blocks: the same trials give the same table, bit by bit.
"""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial, reduce
from operator import add
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikesim import observables as obs
from spikesim.errors import need
from spikesim.parts import ASKED, SQUARES, TOTAL, moments_from
from spikesim.sweep.index import IndexPoint
from spikesim.sweep.reading import until_enough
from spikesim.sweep.shard import Raw

if TYPE_CHECKING:
    import pyarrow as pa

    from spikesim.sweep.store import Store

Floats = NDArray[np.float64]
SHARES = {"q05": 0.05, "q25": 0.25, "median": 0.5, "q75": 0.75, "q95": 0.95}
LABELS = ("observable", "pipeline", "window", "index")
Labels = tuple[tuple[Any, ...], ...]
"""A row each: observable, pipeline, window, index; None where an observable has no such dimension."""


@dataclass(frozen=True)
class _Rows:
    """The rows of one point: labels, statistics (13 columns less labels and coordinates), trials missing and failed."""

    labels: Labels
    values: dict[str, Floats]
    missing: int
    failed: int


def table(store: "Store", names: Sequence[str] | None = None) -> "pa.Table":
    """See the module.

    Args:
        store: With an index; points may be unfinished.
        names: Observables; all that are stored where left out.

    Raises:
        ValueError: If there is no index, or an observable is unknown.
    """
    import pyarrow as pa

    for name in names or ():
        need(name in obs.OBSERVABLES, f"observables in {obs.OBSERVABLES}", observable=name)
    points = store.index.points
    with ThreadPoolExecutor() as pool:
        rows = list(pool.map(partial(_rows, store, names), points))
    counts = [len(r.labels) for r in rows]
    columns: dict[str, Any] = {"identity": pa.array([p.identity for p in points]), **_coordinates(points)}
    columns |= {name: pa.array([getattr(r, name) for r in rows], pa.int64()) for name in ("missing", "failed")}
    owner = pa.array(np.repeat(np.arange(len(points)), counts))
    spread = {name: column.take(owner) for name, column in columns.items()}
    last = {name: spread.pop(name) for name in ("missing", "failed")}
    return pa.table(spread | _labels(rows) | _statistics(rows) | last)


def _coordinates(points: Sequence[IndexPoint]) -> "dict[str, pa.Array]":
    import pyarrow as pa

    columns = {}
    for name in dict.fromkeys(k for p in points for k in p.coordinates):
        values = [p.coordinates.get(name) for p in points]
        there = [x for x in values if x is not None]
        if all(isinstance(x, bool) for x in there) or all(isinstance(x, str) for x in there):
            columns[name] = pa.array(values)
        elif all(isinstance(x, int | float) and not isinstance(x, bool) for x in there):
            columns[name] = pa.array([None if x is None else float(x) for x in values], pa.float64())
        else:
            columns[name] = pa.array([None if x is None else json.dumps(x) for x in values])
    return columns


def _labels(rows: Sequence[_Rows]) -> "dict[str, pa.Array]":
    """Columns of labels; points of one layout share theirs."""
    import pyarrow as pa

    layouts = {r.labels: None for r in rows}
    places = dict(zip(layouts, np.cumsum([0, *map(len, layouts)]), strict=False))
    order = [np.arange(len(r.labels)) + places[r.labels] for r in rows]
    take = pa.array(np.concatenate(order) if order else np.empty(0, np.int64))
    types = (pa.string(), pa.string(), pa.float64(), pa.int64())
    flat = [row for labels in layouts for row in labels]
    return {
        name: pa.array([row[k] for row in flat], kind).take(take)
        for k, (name, kind) in enumerate(zip(LABELS, types, strict=True))
    }


def _statistics(rows: Sequence[_Rows]) -> "dict[str, pa.Array]":
    import pyarrow as pa

    out = {}
    for name in ("n", "mean", "standard_error", *SHARES, "undefined"):
        values = np.concatenate([r.values[name] for r in rows]) if rows else np.empty(0)
        kind = pa.int64() if name in ("n", "undefined") else pa.float64()
        out[name] = pa.array(values, from_pandas=True).cast(kind)
    return out


def _rows(store: "Store", names: Sequence[str] | None, point: IndexPoint) -> _Rows:
    ledger = store.ledger(point.identity)
    stop = point.trials
    if point.until is not None:
        parts, enough = until_enough(ledger, point.until, point.trials)
        stop = sum(len(part.trial) for part in parts) if enough else stop
    wanted = None if names is None else {*names, *({TOTAL, SQUARES} if set(names) & set(obs.MOMENTS) else ())}
    rounds = [range(r.start, min(r.stop, stop)) for r in point.rounds if r.start < stop]
    shards = [Raw.of(content, wanted) for r in rounds for content in ledger.contents(r)]
    failed = sum(map(ledger.failed, rounds))
    missing = stop - sum(len(s.trials) for s in shards)
    labels: list[tuple[Any, ...]] = []
    found: list[dict[str, Floats]] = []
    for name in shards[0].variables if shards else ():
        if name not in (TOTAL, SQUARES):
            labels += _labels_of(shards[0], name)
            found.append(statistics(np.concatenate([s.variables[name][1].reshape(len(s.trials), -1) for s in shards])))
    for name, values in _moments(shards):
        if names is None or name in names:
            labels += _labels_of(shards[0], TOTAL, name)
            found.append(values)
    empty = statistics(np.empty((0, 0)))
    return _Rows(tuple(labels), {k: np.concatenate([f[k] for f in found] or [empty[k]]) for k in empty}, missing, failed)


def _labels_of(part: Raw, variable: str, name: str = "") -> list[tuple[Any, ...]]:
    dims = [d for d in part.variables[variable][0] if d in LABELS]
    axes = [np.arange(len(part.coordinates[d])) for d in dims]
    places = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, len(dims)) if dims else np.empty((1, 0), int)
    at = {d: [part.coordinates[d][k] for k in places[:, i]] for i, d in enumerate(dims)}
    return [(name or variable, *(at[d][k] if d in at else None for d in LABELS[1:])) for k in range(len(places))]


def _moments(shards: Sequence[Raw]) -> list[tuple[str, dict[str, Floats]]]:
    """Bias and variance, where their sums are there, as statistics with nothing but a mean."""
    if not shards or TOTAL not in shards[0].variables:
        return []
    sums = reduce(add, (moments_from(len(s.trials), s.variables[TOTAL][1], s.variables[SQUARES][1]) for s in shards))
    asked = shards[0].attributes[ASKED].split(", ")
    out = []
    for name, values in zip(obs.MOMENTS, sums.estimates() if sums.count >= 2 else (), strict=False):
        if name in asked:
            none, flat = np.full(values.size, np.nan), values.reshape(-1)
            counts = {"n": np.full(values.size, float(sums.count)), "undefined": np.zeros(values.size)}
            out.append((name, {"mean": flat, "standard_error": none, **dict.fromkeys(SHARES, none), **counts}))
    return out


def statistics(x: Floats) -> dict[str, Floats]:
    """n, mean, standard error, quantiles and undefined of columns x (trial, column), NaN set aside; NaN where there is none.

    Quantiles are linear between trials, as NumPy's.
    """
    ordered = np.sort(x, axis=0)  # NaN comes last
    n = x.shape[0] - np.isnan(x).sum(0)
    whole = bool(np.all(n == x.shape[0]))
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = (x if whole else np.nan_to_num(x, nan=0.0)).sum(0) / n
        apart = (x - mean) ** 2
        squares = (apart if whole else np.nan_to_num(apart, nan=0.0)).sum(0)
        error = np.sqrt(squares / (n - 1) / n)
    quantiles = {name: _quantile(ordered, n, share) for name, share in SHARES.items()}
    return {"n": n, "mean": mean, "standard_error": error, **quantiles, "undefined": x.shape[0] - n}


def _quantile(ordered: Floats, n: Any, share: float) -> Floats:
    if ordered.shape[0] == 0:
        return np.full(ordered.shape[1:], np.nan)
    place = share * np.maximum(n - 1, 0)
    low = place.astype(int)
    columns = np.arange(ordered.shape[1])
    below, above = ordered[low, columns], ordered[np.minimum(low + 1, np.maximum(n - 1, 0)), columns]
    return below + (place - low) * (above - below)
