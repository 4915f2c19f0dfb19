"""What a store holds: trials done of each point, files that are damaged, files that answer for nothing."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spikesim.sweep.store import Store


@dataclass(frozen=True)
class PointStatus:
    """One point.

    Args:
        label: Its coordinates as text.
        identity: Its folder.
        done: Trials that are there and sound.
        wanted: Trials that the spec asks for.
        damaged: Shards whose bytes are not those that were written.
        left_over: Temporary and superseded files, and what was set aside.
    """

    label: str
    identity: str
    done: int
    wanted: int
    damaged: tuple[Path, ...]
    left_over: tuple[Path, ...]


def status(store: Store) -> list[PointStatus]:
    """Every point of a store's index; every byte of its shards is read.

    Raises:
        ValueError: If there is no readable index.
    """
    return [_of(store, point) for point in store.index["points"]]


def _of(store: Store, point: dict[str, Any]) -> PointStatus:
    ledger, trials = store.ledger(point["identity"]), range(point["trials"])
    damaged = set(ledger.damaged())
    done = sum(len(s.trials) for s in ledger.used(trials) if s not in damaged)
    label = ", ".join(f"{k}={v}" for k, v in point["coordinates"].items() if v != "") or "point"
    files = tuple(ledger.folder / str(s) for s in sorted(damaged))
    return PointStatus(label, point["identity"], done, len(trials), files, tuple(ledger.left_over(trials)))


def clean(store: Store) -> int:
    """Remove what is damaged and what answers for nothing; returns how many files that were."""
    count = 0
    for point in status(store):
        for path in {*point.damaged, *point.left_over}:
            path.unlink(missing_ok=True)
            count += 1
    return count


def as_json(points: list[PointStatus]) -> list[dict[str, Any]]:
    """For programs."""
    return [
        {**p.__dict__, "damaged": [x.name for x in p.damaged], "left_over": [x.name for x in p.left_over]} for p in points
    ]


def text(points: list[PointStatus]) -> str:
    """For people: one line a point that is not all done or not all sound, and one for all."""
    lines = []
    for p in points:
        notes = [f"{p.done} of {p.wanted} trials"] if p.done < p.wanted else []
        notes += [f"damaged: {x.name}" for x in p.damaged] + [f"left over: {x.name}" for x in p.left_over]
        lines += [f"{p.label} ({p.identity}): {'; '.join(notes)}"] if notes else []
    done, wanted = sum(p.done for p in points), sum(p.wanted for p in points)
    damaged, left = (sum(len(getattr(p, name)) for p in points) for name in ("damaged", "left_over"))
    lines.append(f"{len(points)} points, {done} of {wanted} trials, {damaged} damaged files, {left} left over")
    return "\n".join(lines)
