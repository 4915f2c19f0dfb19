"""Measurements that are kept with the project because making them takes more than spikesim: training runs, above all.

An experiment of this kind simulates nothing. Its TOML file says where its numbers lie, as JSON, in a path relative to it:

    title = "Loss of each pipeline"
    [records]
    file = "data/training/loss.json"
"""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from spikesim.errors import need
from spikesim.sweep.faults import read_toml


@dataclass(frozen=True)
class Records:
    """Numbers read, never made, by the experiment that draws them.

    Attributes:
        title: Of the experiment.
        file: JSON of one object; its "seconds" are the core-seconds that it took to make.
        quick: Always false: there is one size, that which was recorded.
    """

    title: str
    file: Path
    quick: bool = False

    @classmethod
    def from_toml(cls, path: Path) -> "Records":
        """Of an experiment's file.

        Raises:
            ValueError: If it has no title and [records] file, or that is no file.
        """
        table = read_toml(path)[0]
        inside = table.get("records")
        name = inside.get("file") if isinstance(inside, dict) else None
        need(isinstance(name, str), '[records] file = "a path beside this file"', path=str(path))
        need(isinstance(table.get("title"), str), "a title", path=str(path))
        file = path.parent / str(name)
        need(file.is_file(), "records: a file", "`make training` makes it", file=str(file))
        return cls(table["title"], file)

    @cached_property
    def data(self) -> dict[str, Any]:
        """What was recorded."""
        try:
            found = json.loads(self.file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ValueError(f"need records in JSON, got file={str(self.file)!r}: {error}") from None
        need(isinstance(found, dict), "records: one JSON object", file=str(self.file))
        return found

    @property
    def seconds(self) -> float:
        """Core-seconds that it took to make them."""
        return float(self.data.get("seconds", 0.0))
