"""A shard: some trials of one point in a file that is written once, whole, and never changed.

    POINT/FIRST-AFTER-HASH.parquet      trials FIRST to AFTER - 1; HASH: 32 hexadecimal digits of the SHA-256 of the file's
                                        bytes and of "POINT/FIRST-AFTER"

A row is a trial, a column an observable: a number, or a list of fixed length over (pipeline, window) or the like, in C order.
What is of all the shard's trials together, such as sums, stands in a column of which only the first row is filled.
What the lists run over, units of work and provenance are in the schema's metadata, so that a shard can be read alone, by
anything that reads Parquet. The name says what the bytes must be: a file that was torn, cut or changed, or lies in another
point's folder or under another's trials, is told by its name, and nothing else needs to be asked.
Pages carry checksums besides, for readers that know nothing of names.

Order of writing: the bytes, fsync, rename, fsync of the folder. So a name is there only after its bytes are.
"""

import hashlib
import io
import json
import os
import re
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spikesim.errors import need, shown

if TYPE_CHECKING:
    import pyarrow as pa
    import xarray as xr

SUFFIX = ".parquet"
MAGIC = b"PAR1"
"""First and last bytes of any Parquet file."""
DIGITS = 32
LAYOUT, ATTRIBUTES = b"spikesim.layout", b"spikesim.attributes"
"""Of the schema's metadata, JSON: each variable's dimensions and shape (but for trials) and the coordinates; the rest."""
_NAME = re.compile(rf"(\d{{10}})-(\d{{10}})-([0-9a-f]{{{DIGITS}}}){re.escape(SUFFIX)}")


class DamagedError(ValueError):
    """A shard whose bytes are not those that were written."""


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
    if not (vouched and _is_shard(content)):
        raise DamagedError(f"need the bytes that were written, got others in {path}")
    return content


def _is_shard(content: bytes) -> bool:
    """Whether bytes that a name vouches for begin and end as a shard's do: nothing that befalls a file makes others."""
    footer = content[-8 - int.from_bytes(content[-8:-4], "little") :]
    return content.startswith(MAGIC) and content.endswith(MAGIC) and LAYOUT in footer


def digest_of(content: bytes, place: str = "") -> str:
    """What a file says of its bytes, and of where it belongs."""
    found = hashlib.sha256(content)
    found.update(place.encode())
    return found.hexdigest()[:DIGITS]


def commit(path: Path, content: bytes) -> None:
    """Bytes to a temporary file, fsync, rename, fsync of the folder: whole under its name or not there."""
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")  # no two processes of any two machines share it
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        error.filename = error.filename or str(path)  # that of a full disk has none
        raise
    finally:
        temporary.unlink(missing_ok=True)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    """The folder's own entries to disk, where the system lets folders be opened."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:  # Windows
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def encoded(data: "xr.Dataset") -> bytes:
    """A dataset as Parquet; equal datasets give equal bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    variables = [str(name) for name in data.data_vars]
    columns: dict[str, Any] = {"trial": pa.array(data["trial"].values)}
    for name in variables:
        values = data[name].values.astype(np.float64)
        columns[name] = _column(values) if data[name].dims[:1] == ("trial",) else _first_row(values, data.sizes["trial"])
    coordinates = {str(k): data[k].values.tolist() for k in data.coords if k != "trial"}
    shapes = {name: [data[name].dims, [k for d, k in data[name].sizes.items() if d != "trial"]] for name in variables}
    layout = {"coordinates": coordinates, "variables": shapes}
    schema = {key: json.dumps(x, sort_keys=True).encode() for key, x in ((LAYOUT, layout), (ATTRIBUTES, data.attrs))}
    target = io.BytesIO()
    table = pa.table(columns).replace_schema_metadata(schema)
    pq.write_table(table, target, compression="snappy", use_dictionary=False, write_page_checksum=True)
    return target.getvalue()


def _column(values: np.ndarray) -> "pa.Array":
    """Numbers (trial, ...) as a column."""
    import pyarrow as pa

    flat = pa.array(np.ascontiguousarray(values).reshape(-1))
    return flat if values.ndim == 1 else pa.FixedSizeListArray.from_arrays(flat, int(np.prod(values.shape[1:])))


def _first_row(values: np.ndarray, rows: int) -> "pa.Array":
    """Numbers of all trials as a column."""
    import pyarrow as pa

    flat = np.ascontiguousarray(values).reshape(-1)
    ends = np.full(rows + 1, flat.size, np.int32)
    ends[0] = 0
    return pa.ListArray.from_arrays(pa.array(ends), pa.array(flat))


def decoded(content: bytes) -> "xr.Dataset":
    """What `encoded` was given."""
    return Raw.of(content).dataset


@dataclass(frozen=True, eq=False)
class Layout:
    """What the columns of a shard are: many shards have one and the same.

    Attributes:
        dimensions: Of each variable.
        shapes: Of each variable, but for trials.
        coordinates: Of all dimensions but trials.
    """

    dimensions: dict[str, tuple[str, ...]]
    shapes: dict[str, tuple[int, ...]]
    coordinates: dict[str, list[Any]]

    @staticmethod
    @lru_cache(maxsize=64)
    def parsed(text: bytes) -> "Layout":
        """From a shard's metadata; of equal texts, one and the same."""
        table = json.loads(text)
        variables = table["variables"].items()
        dimensions = {name: tuple(dims) for name, (dims, _) in variables}
        return Layout(dimensions, {name: tuple(shape) for name, (_, shape) in variables}, table["coordinates"])


@dataclass(frozen=True)
class Raw:
    """A shard's contents without xarray, which takes most of the time of reading a small one.

    Attributes:
        trials: Global trial numbers, (rows,).
        values: Of each variable.
        layout: Their dimensions and coordinates.
        text: JSON of the attributes.
    """

    trials: np.ndarray
    values: dict[str, np.ndarray]
    layout: Layout
    text: bytes

    @classmethod
    def of(cls, content: bytes, names: Collection[str] | None = None) -> "Raw":
        """From a shard's bytes; names: variables to read, all where left out.

        Raises:
            DamagedError: If they are no shard's.
        """
        try:
            return cls._of(content, names)
        except Exception as error:  # whatever a reader trips over
            said = " ".join(f"{type(error).__name__}: {error}".split())
            raise DamagedError(f"need the bytes of a shard, got reason={shown(said)}") from error

    @classmethod
    def _of(cls, content: bytes, names: Collection[str] | None) -> "Raw":
        import pyarrow as pa
        import pyarrow.parquet as pq

        file = pq.ParquetFile(pa.BufferReader(content))
        metadata = file.metadata.metadata
        layout = Layout.parsed(metadata[LAYOUT])
        asked = [name for name in layout.shapes if names is None or name in names]
        table = file.read(None if names is None else ["trial", *asked], use_threads=False)
        trials = table["trial"].to_numpy()
        values = {}
        for name in asked:
            column, dims, shape = table[name].chunk(0), layout.dimensions[name], layout.shapes[name]  # one row group
            flat = (column if dims == ("trial",) else column.values).to_numpy(zero_copy_only=False)
            values[name] = flat.reshape((len(trials), *shape) if "trial" in dims else shape)
        return cls(trials, values, layout, metadata[ATTRIBUTES])

    @cached_property
    def attributes(self) -> dict[str, Any]:
        """Of the dataset."""
        found: dict[str, Any] = json.loads(self.text)
        return found

    @property
    def dataset(self) -> "xr.Dataset":
        """The same as the dataset that was written."""
        import xarray as xr

        variables = {name: (self.layout.dimensions[name], values) for name, values in self.values.items()}
        return xr.Dataset(variables, {"trial": self.trials, **self.layout.coordinates}, self.attributes)
