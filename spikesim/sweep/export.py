"""A store as one file for other programs: the table of summary.py, or every trial."""

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spikesim.errors import need
from spikesim.sweep.commit import commit
from spikesim.sweep.store import Store

if TYPE_CHECKING:
    import pyarrow as pa
    import xarray as xr

SUFFIXES = (".csv", ".parquet", ".nc")


def export(store: Store, to: Path) -> int:
    """Write FILE.csv or FILE.parquet, the table, or FILE.nc, every trial of every point (netCDF 3).

    Returns:
        How many trials of the spec are missing from it.

    Args:
        store: What to export; for .nc, finished.
        to: The file; replaced if it is there.

    Raises:
        ValueError: If its name ends otherwise, or the store has no index; for .nc, if trials are missing.
        OSError: If it cannot be written.
    """
    need(to.suffix in SUFFIXES, f"a file that ends in {', '.join(SUFFIXES)}", to=str(to))
    need(to.parent.is_dir(), "a folder that is there", to=str(to))
    if to.suffix == ".nc":
        commit(to, _netcdf(store))
        return 0
    table = store.table()
    commit(to, (_csv if to.suffix == ".csv" else _parquet)(table))
    missing = dict(zip(table["identity"].to_pylist(), table["missing"].to_pylist(), strict=True))
    return sum(missing.values())


def _csv(table: "pa.Table") -> bytes:
    from pyarrow import csv

    target = io.BytesIO()
    csv.write_csv(table, target)
    return target.getvalue()


def _parquet(table: "pa.Table") -> bytes:
    import pyarrow.parquet as pq

    target = io.BytesIO()
    pq.write_table(table, target, compression="zstd", write_page_checksum=True)
    return target.getvalue()


def _netcdf(store: Store) -> bytes:
    return bytes(trials(store).to_netcdf(format="NETCDF3_64BIT", engine="scipy"))


def trials(store: Store) -> "xr.Dataset":
    """All points of a store as one dataset along "point", whose coordinates are the points'.

    Where points differ in trials, pipelines or windows, it has those of all, and NaN where a point has none. An attribute
    stands if all points agree on it.
    """
    import xarray as xr

    results = list(store)
    need(results, "one point or more", points=0)
    names = list(dict.fromkeys(k for r in results for k in r.coordinates))
    data = xr.concat([r.data for r in results], "point", join="outer", combine_attrs="drop_conflicts", data_vars="all")
    labels = {name: ("point", _values([r.coordinates.get(name) for r in results])) for name in names}
    models = ("point", np.array([repr(r.model) for r in results]))
    return data.assign_coords(labels | {"model": models})


def _values(found: list[Any]) -> np.ndarray:
    if all(isinstance(x, int | float) and not isinstance(x, bool) for x in found):
        return np.array(found, float)
    return np.array([x if isinstance(x, str) else json.dumps(x) for x in found])
