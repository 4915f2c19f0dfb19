"""A shard: some trials of one point in a file that is written once, whole, and never changed.

    POINT/FIRST-AFTER-HASH.parquet      trials FIRST to AFTER - 1; HASH: 32 hexadecimal digits of the SHA-256 of the file's
                                        bytes and of "POINT/FIRST-AFTER"

The name says what the bytes must be: a file that was torn, cut or changed, or lies in another point's folder or under
another's trials, is told by its name, and nothing else needs to be asked. A name is there only after its bytes are.
"""

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from spikesim.errors import need
from spikesim.sweep.commit import commit
from spikesim.sweep.contents import DamagedError, decoded, encoded, is_shard

if TYPE_CHECKING:
    import xarray as xr

SUFFIX = ".parquet"
DIGITS = 32
_NAME = re.compile(rf"(\d{{10}})-(\d{{10}})-([0-9a-f]{{{DIGITS}}}){re.escape(SUFFIX)}")


@dataclass(frozen=True, order=True)
class ShardName:
    """What a shard's name says: trials [first, after), and the hash of its bytes, of them and of the point."""

    first: int
    after: int
    digest: str

    def __str__(self) -> str:
        return f"{self.first:010d}-{self.after:010d}-{self.digest}{SUFFIX}"

    @classmethod
    def of(cls, folder: Path, first: int, after: int, content: bytes) -> "ShardName":
        """Of a shard's bytes, trials and point: the name of the folder."""
        return cls(first, after, digest_of(content, f"{folder.name}/{first:010d}-{after:010d}"))

    @classmethod
    def parsed(cls, name: str) -> "ShardName | None":
        """From a file's name; None for other files."""
        found = _NAME.fullmatch(name)
        if not found or int(found[1]) >= int(found[2]):
            return None
        return cls(int(found[1]), int(found[2]), found[3])

    @property
    def trials(self) -> range:
        """Global trial numbers."""
        return range(self.first, self.after)


def shards(folder: Path, trials: range | None = None) -> list[ShardName]:
    """Shards of a folder, in the order of their trials; none where there is no such folder.

    Args:
        folder: Of one point.
        trials: Those of no other trials than these; every shard where left out.
    """
    try:
        names = os.listdir(folder)  # noqa: PTH208 (a third of the time, where there are many)
    except FileNotFoundError:
        return []
    if trials is not None:  # as text first: most of many are others'
        first, after = f"{trials.start:010d}", f"{trials.stop:010d}"
        names = [name for name in names if name[:10] >= first and name[11:21] <= after]
    return sorted(found for found in map(ShardName.parsed, names) if found is not None)


def write(folder: Path, data: "xr.Dataset") -> ShardName:
    """Write a dataset of consecutive trials; see the module.

    Raises:
        ValueError: If its trials do not follow each other.
        OSError: If the folder cannot be written to or is full; nothing of the shard is left then.
    """
    trials = data["trial"].values
    in_order = trials.size > 0 and bool(np.all(np.diff(trials) == 1))
    need(in_order, "consecutive trials, one or more", trials=trials.tolist()[:8])
    content = encoded(data)
    name = ShardName.of(folder, int(trials[0]), int(trials[-1]) + 1, content)
    folder.mkdir(parents=True, exist_ok=True)
    commit(folder / str(name), content)
    return name


def read(folder: Path, name: ShardName) -> "xr.Dataset":
    """The dataset of a shard; raises as `content_of`."""
    return decoded(content_of(folder, name))


def content_of(folder: Path, name: ShardName) -> bytes:
    """The bytes of a shard.

    Raises:
        DamagedError: If they are not those that were written there.
        OSError: If they cannot be read.
    """
    path = folder / str(name)
    try:
        content = path.read_bytes()
    except (IsADirectoryError, FileNotFoundError):  # something else by its name, or a link to nothing
        if not (path.is_dir() or path.is_symlink()):
            raise
        content = b""
    vouched = ShardName.of(folder, name.first, name.after, content) == name
    if not (vouched and is_shard(content)):
        raise DamagedError(f"need the bytes that were written, got others in {path}")
    return content


def digest_of(content: bytes, place: str = "") -> str:
    """What a file says of its bytes, and of where it belongs."""
    found = hashlib.sha256(content)
    found.update(place.encode())
    return found.hexdigest()[:DIGITS]
