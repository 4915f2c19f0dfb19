"""A store as one tidy table: a row for each point, observable, pipeline, window and index.

    identity, the points' coordinates, observable, pipeline, window, index,
    n, mean, standard_error, q05, q25, median, q75, q95       over the trials that are there and have a value
    undefined                                                 trials without one (NaN: see ss.simulate)
    missing, failed                                           trials that are not there; of them, those that failed

Bias and variance are of all trials together: no standard error, no quantiles. A coordinate that is not a number in every
point that has it, or text in every one, or that no float64 holds, stands as JSON. Trials are taken in their order, so the
table does not depend on blocks: the same trials give the same table, bit by bit. A point of which nothing is there has a row
without an observable.
"""

import itertools
import json
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any

import numpy as np

from spikesim import observables as obs
from spikesim.errors import need
from spikesim.parts import ASKED, SQUARES, TOTAL, moments_from
from spikesim.sweep.columns import SHARES, Floats, statistics
from spikesim.sweep.contents import Layout, Raw
from spikesim.sweep.index import IndexPoint
from spikesim.sweep.reading import until_enough

if TYPE_CHECKING:
    import pyarrow as pa

    from spikesim.sweep.store import Store

LABELS = ("observable", "pipeline", "window", "index")
Labels = tuple[tuple[Any, ...], ...]
"""A row each: observable, pipeline, window, index; None where an observable has no such dimension."""
NOTHING: Labels = ((None,) * len(LABELS),)
"""Of a point of which nothing is there."""


BATCH = 1 << 22
"""Numbers that are summarised at once."""


@dataclass(frozen=True)
class _Read:
    """What was read of one point.

    Args:
        labels: Of its rows.
        trials: Numbers of single trials, (row, trial): the first rows.
        moments: Statistics of the other rows, by name.
        missing: Trials that are not there.
        failed: Of them, those that failed.
    """

    labels: Labels
    trials: Floats
    moments: dict[str, Floats]
    missing: int
    failed: int


@dataclass(frozen=True)
class _Rows:
    """The rows of one point: what each is of, statistics by name, (rows,) each, trials missing, and of them those failed."""

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
        need(name in obs.KNOWN, f"observables in {obs.KNOWN}", observable=name)
    points = store.index.points
    rows = [row for batch in _batches(_read_all(store, names, points)) for row in _summarised(batch)]
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
        elif all(type(x) is int and abs(x) < 2**63 for x in there):
            columns[name] = pa.array(values, pa.int64())
        elif all(type(x) is float or (type(x) is int and abs(x) <= 2**53) for x in there):
            columns[name] = pa.array([None if x is None else float(x) for x in values], pa.float64())
        else:
            columns[name] = pa.array([None if x is None else json.dumps(x) for x in values])
    return columns


def _labels(rows: Sequence[_Rows]) -> "dict[str, pa.Array]":
    """Columns of labels; points of one layout share theirs."""
    import pyarrow as pa

    layouts = list({id(r.labels): r.labels for r in rows}.values())
    places = dict(zip(map(id, layouts), np.cumsum([0, *map(len, layouts)]), strict=False))
    take = pa.array(np.concatenate([np.arange(len(r.labels)) + places[id(r.labels)] for r in rows]))
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
        values = np.concatenate([r.values[name] for r in rows])
        kind = pa.int64() if name in ("n", "undefined") else pa.float64()
        out[name] = pa.array(values, from_pandas=True).cast(kind)
    return out


def _batches(found: Iterable[_Read]) -> Iterator[list[_Read]]:
    """Points in turn, so many that their numbers fit easily."""
    batch, held = [], 0
    for one in found:
        batch.append(one)
        held += one.trials.size
        if held > BATCH:
            yield batch
            batch, held = [], 0
    yield batch


def _summarised(batch: Sequence[_Read]) -> list[_Rows]:
    """Rows of each point; those of equal trials are summarised together, row by row."""
    values: dict[int, dict[str, Floats]] = {}
    for count in {one.trials.shape[1] for one in batch}:
        places = [k for k, one in enumerate(batch) if one.trials.shape[1] == count]
        together = statistics(np.concatenate([batch[k].trials for k in places]))
        ends = np.cumsum([len(batch[k].trials) for k in places])[:-1]
        apart = {name: np.split(x, ends) for name, x in together.items()}
        values |= {k: {name: x[i] for name, x in apart.items()} for i, k in enumerate(places)}
    out = []
    for k, one in enumerate(batch):
        both = {name: np.concatenate([x, one.moments[name]]) for name, x in values[k].items()} if one.moments else values[k]
        out.append(_Rows(one.labels, both, one.missing, one.failed))
    return out


def _read_all(store: "Store", names: Sequence[str] | None, points: Sequence[IndexPoint]) -> Iterator[_Read]:
    wanted = None if names is None else {*names, *({TOTAL, SQUARES} if set(names) & set(obs.MOMENTS) else ())}
    layouts: dict[Hashable, Labels] = {}
    for point in points:
        ledger = store.ledger(point.identity)
        stop = point.trials
        if point.until is not None:
            count, enough = until_enough(ledger, point.until, point.trials)
            stop = count if enough else stop
        rounds = [range(r.start, min(r.stop, stop)) for r in point.rounds if r.start < stop]
        shards = [raw for r in rounds for raw in ledger.raw(r, wanted)]
        missing = stop - sum(len(s.trials) for s in shards)
        failed = sum(map(ledger.failed, rounds)) if missing else 0
        yield _read(shards, names, layouts, missing, failed)


def _read(shards: Sequence[Raw], names: Sequence[str] | None, layouts: dict[Hashable, Labels], *absent: int) -> _Read:
    """A point's shards put together; layouts: labels that were made before, extended."""
    if not shards:
        return _Read(NOTHING, np.empty((1, 0)), {}, *absent)
    moments, layout, count = _moments(shards, names), shards[0].layout, sum(len(s.trials) for s in shards)
    single = [name for name in shards[0].values if name not in (TOTAL, SQUARES)]
    key = (layout, *moments)
    if key not in layouts:
        labels = [row for name in single for row in _labels_of(layout, name, name)]
        layouts[key] = tuple(labels + [row for name in moments for row in _labels_of(layout, TOTAL, name)])
    columns = [np.concatenate([s.values[name] for s in shards]).reshape(count, -1).T for name in single]
    joined = {k: np.concatenate([m[k] for m in moments.values()]) for k in next(iter(moments.values()), {})}
    return _Read(layouts[key], np.concatenate([np.empty((0, count)), *columns]), joined, *absent)


def _labels_of(layout: Layout, variable: str, name: str) -> list[tuple[Any, ...]]:
    """Labels of a variable's columns, which the table calls `name`."""
    dims = [d for d in layout.dimensions[variable] if d in LABELS]
    places = itertools.product(*(layout.coordinates[d] for d in dims))
    return [(name, *(dict(zip(dims, place, strict=True)).get(d) for d in LABELS[1:])) for place in places]


def _moments(shards: Sequence[Raw], names: Sequence[str] | None) -> dict[str, dict[str, Floats]]:
    """Bias and variance, where their sums are there, as statistics with nothing but a mean."""
    if not shards or TOTAL not in shards[0].values:
        return {}
    sums = reduce(add, (moments_from(len(s.trials), s.values[TOTAL], s.values[SQUARES]) for s in shards))
    asked = set(shards[0].attributes[ASKED].split(", ")) & set(names or obs.MOMENTS)
    out = {}
    for name, values in zip(obs.MOMENTS, sums.estimates() if sums.count >= 2 else (), strict=False):
        if name in asked:
            none, flat = np.full(values.size, np.nan), values.reshape(-1)
            counts = {"n": np.full(values.size, sums.count), "undefined": np.zeros(values.size, int)}
            out[name] = {"mean": flat, "standard_error": none, **dict.fromkeys(SHARES, none), **counts}
    return out
