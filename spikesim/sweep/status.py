"""What a store holds: trials done of each point, files that are damaged or left over."""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spikesim.sweep.index import IndexPoint
from spikesim.sweep.ledger import Ledger
from spikesim.sweep.reading import until_enough
from spikesim.sweep.shard import ShardName
from spikesim.sweep.store import Store


@dataclass(frozen=True)
class PointStatus:
    """One point.

    Attributes:
        label: Its coordinates as text.
        identity: Its folder.
        done: Trials that are there and sound.
        wanted: Trials that the spec asks for; those done, where it stopped by itself.
        failed: Trials that are missing because computing them failed.
        errors: Why, a line for each block.
        damaged: Shards whose bytes are not those that were written, or no shard's.
        left_over: Temporary and superseded files, and what was set aside.
    """

    label: str
    identity: str
    done: int
    wanted: int
    failed: int
    errors: tuple[str, ...]
    damaged: tuple[Path, ...]
    left_over: tuple[Path, ...]


def status(store: Store) -> list[PointStatus]:
    """Every point of a store's index; every byte of its shards is read.

    Raises:
        ValueError: If there is no readable index.
    """
    return [_of(store.ledger(point.identity), point) for point in store.index.points]


def _of(ledger: Ledger, point: IndexPoint) -> PointStatus:
    damaged = set(ledger.damaged())
    wanted = _wanted(ledger, point, damaged)
    asked = [between for between in point.rounds if between.start < wanted]
    failures = ledger.failures(range(wanted))
    done = sum(len(s.trials) for between in asked for s in ledger.used(between, damaged))
    return PointStatus(
        point.label, point.identity, done, wanted, sum(map(ledger.failed, asked)),
        tuple(f"trials {f.first} to {f.after - 1} failed: {f.error}" for f in failures),
        tuple(ledger.folder / str(s) for s in sorted(damaged)), tuple(ledger.left_over(*point.rounds)),
    )  # fmt: skip


def _wanted(ledger: Ledger, point: IndexPoint, damaged: set[ShardName]) -> int:
    if point.until is None or damaged:
        return point.trials
    count, enough = until_enough(ledger, point.until, point.trials)
    return count if enough else point.trials


def others(store: Store) -> list[Path]:
    """Folders of points that the index does not have: of specs that were run into the same folder before."""
    known = {point.identity for point in store.index.points}
    folders = (path for path in store.folder.iterdir() if path.is_dir() and not path.is_symlink())
    return sorted(path for path in folders if re.fullmatch(r"[0-9a-f]{16}", path.name) and path.name not in known)


def temporary(store: Store) -> list[Path]:
    """Files that a run left when it wrote the index, beside those of the points."""
    return sorted(store.folder.glob(".*.tmp"))


def clean(store: Store, forget: bool = False) -> int:
    """Remove what is damaged or left over; returns how many files and folders that were.

    Not while a run is at work: its temporary files would be gone, and it with an error; what is done is kept.

    Args:
        store: To clean.
        forget: Remove points that the index does not have, too.
    """
    unwanted = {path for point in status(store) for path in (*point.damaged, *point.left_over)}
    unwanted |= set(temporary(store))
    for path in unwanted:
        if path.is_dir() and not path.is_symlink():  # by a shard's name
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    folders = others(store) if forget else []
    for path in folders:
        shutil.rmtree(path)
    return len(unwanted) + len(folders)


def as_json(points: list[PointStatus]) -> list[dict[str, Any]]:
    """For programs."""
    return [
        {**p.__dict__, "damaged": [x.name for x in p.damaged], "left_over": [x.name for x in p.left_over]} for p in points
    ]


def text(points: list[PointStatus], foreign: int = 0, stray: int = 0) -> str:
    """For people: one line a point that is not all done or not all sound, and one for all.

    Args:
        points: Of `status`.
        foreign: How many points there are besides.
        stray: How many files are left over that are no point's.
    """
    lines = []
    for p in points:
        notes = [f"{p.done} of {p.wanted} trials"] if p.done < p.wanted else []
        notes += [*p.errors, *(f"damaged: {x}" for x in p.damaged), *(f"left over: {x.name}" for x in p.left_over)]
        lines += [f"{p.label} ({p.identity}): {'; '.join(notes)}"] if notes else []
    done, wanted, failed = (sum(getattr(p, name) for p in points) for name in ("done", "wanted", "failed"))
    damaged, left = (sum(len(getattr(p, name)) for p in points) for name in ("damaged", "left_over"))
    total = (
        f"{len(points)} points, {done} of {wanted} trials, {failed} failed, {damaged} damaged files, {left + stray} left over"
    )
    lines.append(total + (f", {foreign} points of other specs" if foreign else ""))
    return "\n".join(lines)
