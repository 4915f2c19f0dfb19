"""Write a page: find the runs of a folder, gather, judge, draw, and put one file in its place, whole or not at all."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spikesim.errors import need
from spikesim.page.gather import RunPage, gather
from spikesim.page.html import MARK, html
from spikesim.page.verdicts import CLAIMS
from spikesim.sweep.commit import commit
from spikesim.sweep.remedy import of_damage
from spikesim.sweep.store import INDEX, Store
from spikesim.verify.verdict import Row, judge

NAME = "report.html"
ENDINGS = (".html", ".htm")


@dataclass(frozen=True)
class Written:
    """What a page says, for programs.

    Attributes:
        path: The file.
        runs: That it shows.
        rows: A claim each, judged over all of them together.
        others: Folders that hold something else, and what.
    """

    path: Path
    runs: tuple[RunPage, ...]
    rows: tuple[Row, ...]
    others: tuple[tuple[str, str], ...]

    @property
    def broken(self) -> list[str]:
        """Labels of claims that are BROKEN."""
        return [row.label for row in self.rows if row.verdict == "BROKEN"]

    @property
    def damaged(self) -> int:
        """Stored files that are not as they were written."""
        return sum(len(run.damaged) for run in self.runs)

    @property
    def notes(self) -> list[str]:
        """What a user should know: claims that are BROKEN, damaged files and what to do."""
        broken = [f"BROKEN: {', '.join(self.broken)}"] if self.broken else []
        return broken + [of_damage(run.damaged) for run in self.runs if run.damaged]

    def as_json(self) -> dict[str, Any]:
        """Nested plain values."""
        from spikesim.verify.table import as_json

        runs = [
            {"name": r.name, "title": r.title, "points": len(r.points), "problems": r.problems, "left_out": r.left_out}
            for r in self.runs
        ]
        return {
            "to": str(self.path), "runs": runs, "other_folders": dict(self.others), "damaged": self.damaged,
            "verdicts": as_json(self.rows),
        }  # fmt: skip


def write(folder: Path, to: Path | None = None) -> Written:
    """Write the page of a folder's results.

    Args:
        folder: Of `spikesim run`, or one that holds several such.
        to: The file; report.html in the folder where left out.

    Raises:
        ValueError: If the folder holds no results, or they cannot be read, or the file does not end in .html, or is
            there and is no such page.
        OSError: If a file cannot be read or written.
    """
    need(folder.is_dir(), "a folder of results", folder=str(folder))
    path = folder / NAME if to is None else to
    _check(path)
    places, others = found(folder)
    runs = tuple(gather(Store(place)) for place in places)
    need(not runs or any(run.stored for run in runs), "stored results", "run the spec again", folder=str(folder))
    rows = tuple(judge([f for run in runs for p in run.points for f in p.tried.findings], CLAIMS))
    commit(path, html(folder.resolve().name, runs, rows, others).encode())
    return Written(path, runs, rows, others)


def found(folder: Path) -> tuple[list[Path], tuple[tuple[str, str], ...]]:
    """Folders of runs, and of others with what they hold; raises ValueError if there is no run."""
    if (folder / INDEX).is_file():
        return [folder], ()
    below = sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
    runs = [p for p in below if (p / INDEX).is_file()]
    others = tuple((p.name, _holds(p)) for p in below if p not in runs)
    need(runs or any("probe" in what for _, what in others), f"results of `spikesim run` ({INDEX})", folder=str(folder))
    return runs, others


def _holds(folder: Path) -> str:
    names = [p.name for p in folder.iterdir() if p.is_file()]
    probes = sum(name.endswith(".json") and len(name) == 21 for name in names)
    if probes:
        return f"{_counted(probes, 'file')} of a probe study; its figure says what it found"
    nested = sum((p / INDEX).is_file() for p in folder.iterdir() if p.is_dir())
    return f"{_counted(nested, 'run')}: a page of its own" if nested else f"no run; {_counted(len(names), 'file')}"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _check(path: Path) -> None:
    need(path.suffix.lower() in ENDINGS, "--to ending in .html", to=str(path))
    need(path.parent.is_dir(), "a folder that is there", to=str(path))
    need(not path.is_dir(), "a file, not a folder", to=str(path))
    if path.is_file():
        with path.open("rb") as file:
            need(MARK.encode() in file.read(2000), "a report, or no file, to replace", to=str(path))
