"""A store as plain data for a page: what it asks for, what is there of it, and what that says."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spikesim.page.formulas import Formula, formula
from spikesim.page.spec_text import SpecText, spec_text
from spikesim.page.verdicts import Tried, tried
from spikesim.parts import finished, joined
from spikesim.sweep import status as states
from spikesim.sweep.index import IndexPoint
from spikesim.sweep.reading import until_enough
from spikesim.sweep.store import Store

if TYPE_CHECKING:
    import xarray as xr

    from spikesim.model import SpikedModel

SHOWN_POINTS = 300
"""Points of a run that a page holds."""
SHOWN_CELLS = 3000
"""Means of a run that a page holds."""
FIRST = ("alignment", "alignment_truncated", "sin_theta_left", "sin_theta_right", "singular_values", "gap", "tail")
"""Observables that come first where not all fit."""


@dataclass(frozen=True)
class Cell:
    """A mean over trials, as the store's table has it, and what theory says of it."""

    observable: str
    pipeline: str
    window: float | None
    index: int | None
    n: int
    mean: float
    error: float
    undefined: int
    theory: Formula


@dataclass(frozen=True)
class PointPage:
    """One point.

    Attributes:
        label: Coordinates as text.
        identity: Its folder's name.
        coordinates: Where it lies in the grid.
        model: As text.
        attributes: Of its results: method, seed, versions, ...; empty where nothing is there.
        done: Trials that are there.
        wanted: Trials that were asked for.
        cells: Its means.
        tried: What its trials say about each claim.
        at: The model.
    """

    label: str
    identity: str
    coordinates: dict[str, Any]
    model: str
    attributes: dict[str, Any]
    done: int
    wanted: int
    cells: tuple[Cell, ...]
    tried: Tried
    at: "SpikedModel"


@dataclass(frozen=True)
class RunPage:
    """One run.

    Attributes:
        name: Of its folder.
        title: Of its spec.
        quick: Whether it is a quick run.
        spec: What was asked for.
        points: Those that are shown.
        problems: What failed, is missing or damaged, a sentence each.
        damaged: Files that are not as they were written.
        stored: Whether any trial is there, or what became of it: failures, damaged files.
        left_out: What the page does not hold, a sentence each.
    """

    name: str
    title: str
    quick: bool
    spec: SpecText
    points: tuple[PointPage, ...]
    problems: tuple[str, ...]
    damaged: tuple[Path, ...]
    stored: bool
    left_out: tuple[str, ...] = field(default=())


def gather(store: Store) -> RunPage:
    """Read a run, one point at a time.

    Raises:
        ValueError: If it has no readable index, or a shard is none of this version's.
        OSError: If a file cannot be read.
    """
    index = store.index
    found = states.status(store)
    asked = index.points[:SHOWN_POINTS]
    rows = _rows(Store(store.folder, index.model_copy(update={"points": asked})))
    room = max(1, SHOWN_CELLS // max(1, len(asked)))
    each, points = [rows.get(p.identity, []) for p in asked], []
    first: xr.Dataset | None = None
    for point, state, mine in zip(asked, found, each, strict=False):
        data = stored(store, point)
        first = data if first is None else first
        points.append(_point(store, point, state, mine[:room], data))
    left = [f"{len(index.points) - len(asked)} of {len(index.points)} points"] if len(asked) < len(index.points) else []
    cut = sum(max(0, len(x) - room) for x in each)
    left += [f"{cut} of {sum(map(len, each))} means"] if cut else []
    return RunPage(
        store.folder.resolve().name, index.title or store.folder.resolve().name, index.quick,
        spec_text(index, first, store.spec_text),
        tuple(points), tuple(_problems(found, states.others(store))), tuple(x for p in found for x in p.damaged),
        any(p.done or p.failed or p.damaged for p in found), tuple(left),
    )  # fmt: skip


def stored(store: Store, point: IndexPoint) -> "xr.Dataset | None":
    """The trials of a point that are there; None where none is."""
    ledger, stop = store.ledger(point.identity), point.trials
    if point.until is not None:
        count, enough = until_enough(ledger, point.until, point.trials)
        stop = count if enough else stop
    rounds = [range(r.start, min(r.stop, stop)) for r in point.rounds if r.start < stop]
    parts = [part for r in rounds for part in ledger.found(r)]
    return finished(joined(parts)) if parts else None


def _rows(store: Store) -> dict[str, list[dict[str, Any]]]:
    """Rows of the store's table by identity, those of FIRST before others."""
    names = ("identity", "observable", "pipeline", "window", "index", "n", "mean", "standard_error", "undefined")
    rows = store.table().select(names).to_pylist() if len(store) else []
    rank = {name: k for k, name in enumerate(FIRST)}
    found: dict[str, list[dict[str, Any]]] = {}
    for row in sorted(rows, key=lambda r: rank.get(r["observable"], len(rank))):
        if row["observable"] is not None:
            found.setdefault(row["identity"], []).append(row)
    return found


def _point(
    store: Store, point: IndexPoint, state: states.PointStatus, rows: list[dict[str, Any]], data: "xr.Dataset | None"
) -> PointPage:
    model, attributes = store.model(point), {} if data is None else dict(data.attrs)
    cells = tuple(
        Cell(
            r["observable"], r["pipeline"] or "", r["window"], r["index"], r["n"], _number(r["mean"]),
            _number(r["standard_error"]), r["undefined"],
            formula(model, attributes, r["observable"], r["pipeline"] or "", r["window"], r["index"]),
        )
        for r in rows
    )  # fmt: skip
    return PointPage(
        point.label if point.coordinates else "the one point", point.identity, point.coordinates, repr(model), attributes,
        state.done, state.wanted, cells, tried(model, data), model,
    )  # fmt: skip


def _number(x: float | None) -> float:
    return float("nan") if x is None else float(x)


def _problems(found: list[states.PointStatus], others: list[Path]) -> list[str]:
    done, wanted, failed = (sum(getattr(p, name) for p in found) for name in ("done", "wanted", "failed"))
    damaged = [f"{p.identity}/{x.name}" for p in found for x in p.damaged]
    out = []
    if done < wanted:
        out.append(f"{wanted - done} of {wanted} trials are missing, {failed} of them because their blocks failed; "
                   "means and verdicts are of those that are there.")  # fmt: skip
    out += [f"{p.label}: {error}" for p in found for error in p.errors][:20]
    if damaged:
        out.append(f"Damaged files, never read: {len(damaged)} ({', '.join(damaged[:20])}{', ...' * (len(damaged) > 20)}). "
                   "`spikesim run SPEC --out DIR` sets them aside and simulates their trials again.")  # fmt: skip
    if others:
        out.append(f"Points of other specs in the same folder, not shown: {len(others)}.")
    return out


def provenance(point: PointPage) -> dict[str, str]:
    """What a point's files say of where its numbers come from, in words."""
    attributes = {k: v for k, v in point.attributes.items() if k not in ("model", "provenance")}
    try:
        machine = json.loads(str(point.attributes.get("provenance", "{}")).split(" | ")[0])
    except ValueError:
        machine = {}
    both = {**attributes, **{k: ", ".join(v) if isinstance(v, list) else v for k, v in machine.items()}}
    return {k: f"{v:g}" if isinstance(v, float) else str(v) for k, v in both.items() if v not in ("", None)}
