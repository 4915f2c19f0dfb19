"""A block that keeps failing, on record beside the shards: FIRST-AFTER.failed.json, trials FIRST to AFTER - 1.

A record says what was tried, no more: trials that are there count as done whatever it says, and a run tries again what is
missing. A mean without the trials that failed is a mean of those that did not: tables count both.
"""

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from spikesim.sweep.commit import commit

SUFFIX = ".failed.json"
_NAME = re.compile(rf"(\d{{10}})-(\d{{10}}){re.escape(SUFFIX)}")


@dataclass(frozen=True)
class Failure:
    """Trials [first, after), why they failed last, all of what is known about it, and how often they were tried."""

    first: int
    after: int
    error: str
    details: str = ""
    attempts: int = 1

    @property
    def trials(self) -> range:
        """Global trial numbers."""
        return range(self.first, self.after)

    def path(self, folder: Path) -> Path:
        """Its file in the point's folder."""
        return folder / f"{self.first:010d}-{self.after:010d}{SUFFIX}"

    def write(self, folder: Path) -> None:
        """Put it on record, in place of an older one of the same trials."""
        folder.mkdir(parents=True, exist_ok=True)
        commit(self.path(folder), json.dumps(asdict(self), indent=1).encode())


def failures(folder: Path) -> list[Failure]:
    """Every failure on record in a folder, in the order of their trials."""
    names = sorted(folder.glob(f"*{SUFFIX}")) if folder.is_dir() else []
    return [_read(path, found) for path in names if (found := _NAME.fullmatch(path.name))]


def _read(path: Path, name: re.Match[str]) -> Failure:
    first, after = int(name[1]), int(name[2])
    try:
        table = json.loads(path.read_bytes())
        return Failure(first, after, str(table["error"]), str(table["details"]), int(table["attempts"]))
    except (OSError, ValueError, TypeError, KeyError):
        return Failure(first, after, "unreadable record")
