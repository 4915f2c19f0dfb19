"""A shard's contents: trials of one point as Parquet, to be read alone by anything that reads Parquet.

A row is a trial, a column an observable: a number, or a list of fixed length over (pipeline, window) or the like, in C order.
What is of all the shard's trials together, such as sums, stands in a column of which only the first row is filled.
What the lists run over, units of work and provenance are in the schema's metadata. Pages carry checksums, for readers that
know nothing of a shard's name.
"""

import io
import json
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from spikesim.errors import shown

if TYPE_CHECKING:
    import pyarrow as pa
    import xarray as xr

MAGIC = b"PAR1"
"""First and last bytes of any Parquet file."""
LAYOUT, ATTRIBUTES = b"spikesim.layout", b"spikesim.attributes"
"""Of the schema's metadata, JSON: each variable's dimensions and shape (but for trials) and the coordinates; the rest."""


class DamagedError(ValueError):
    """A shard whose bytes are not those that were written."""


def is_shard(content: bytes) -> bool:
    """Whether bytes that a name vouches for begin and end as a shard's do: nothing that befalls a file makes others."""
    footer = content[-8 - int.from_bytes(content[-8:-4], "little") :]
    return content.startswith(MAGIC) and content.endswith(MAGIC) and LAYOUT in footer


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
