"""One file for other programs: the table, or every trial."""

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import xarray as xr
from pyarrow import csv

from spikesim.sweep.export import export
from spikesim.sweep.run import run_spec
from spikesim.sweep.spec import Spec
from spikesim.sweep.store import Store

TABLE = {
    "model": {"name": "é", "shape": [5, 7], "spikes": [3.0], "noise": {"law": "Gaussian", "sigma": 0.5}},
    "grid": {"noise.sigma": [0.5, 1.0], "spikes": [[3.0], [4.0]]},
    "run": {"windows": [1, 4], "trials": 6, "steps": 12},
}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    made = Store(tmp_path_factory.mktemp("store"))
    run_spec(Spec.from_dict(TABLE), made)
    return made


def test_csv_and_parquet_are_the_table(store, tmp_path):
    for name in ("a b é.csv", "x.parquet"):
        export(store, tmp_path / name)
    assert pq.read_table(tmp_path / "x.parquet").equals(store.table())
    empty = csv.ConvertOptions(strings_can_be_null=True)
    read = csv.read_csv(tmp_path / "a b é.csv", convert_options=empty)  # pandas' own, before 3.1, is off by last bits
    pd.testing.assert_frame_equal(read.to_pandas(), store.table().to_pandas(), check_dtype=False, check_exact=True)


def test_netcdf_is_every_trial_of_every_point(store, tmp_path):
    export(store, tmp_path / "x.nc")
    with xr.open_dataset(tmp_path / "x.nc", engine="scipy") as data:
        assert dict(data.sizes) == {"point": 4, "trial": 6, "pipeline": 4, "window": 2, "index": 2}
        np.testing.assert_array_equal(data["noise.sigma"], [0.5, 0.5, 1.0, 1.0])
        assert data["spikes"].values.tolist() == ["[3.0]", "[4.0]"] * 2
        assert data["name"].values.tolist() == ["é"] * 4
        for k, result in enumerate(store):
            assert data["model"].values[k] == repr(result.model)
            for name, values in result.data.items():
                np.testing.assert_array_equal(data[name].isel(point=k), values)


def test_points_that_differ_in_windows_have_nan_where_they_have_none(tmp_path):
    table = TABLE | {"grid": {"run.windows": [[1, 4], [4, 9]]}}
    store = Store(tmp_path / "store")
    run_spec(Spec.from_dict(table), store)
    export(store, tmp_path / "x.nc")
    with xr.open_dataset(tmp_path / "x.nc", engine="scipy") as data:
        assert data["window"].values.tolist() == [1, 4, 9]
        there = data.alignment.notnull().all(["trial", "pipeline"])
        assert there.values.tolist() == [[True, True, False], [False, True, True]]


def test_a_file_is_replaced_whole_and_nothing_else_is_left(store, tmp_path):
    (tmp_path / "x.csv").write_text("old")
    export(store, tmp_path / "x.csv")
    assert [p.name for p in tmp_path.iterdir()] == ["x.csv"]
    assert (tmp_path / "x.csv").read_text().startswith('"identity"')


@pytest.mark.parametrize(("name", "message"), [("x.xlsx", "a file that ends in"), ("x", "ends in"), ("no/x.csv", "a folder")])
def test_other_files_are_refused(store, tmp_path, name, message):
    with pytest.raises(ValueError, match=f"need .*{message}.*, got to="):
        export(store, tmp_path / name)


def test_missing_trials_are_counted_and_no_netcdf(tmp_path):
    store = Store(tmp_path)
    store.write_index(Spec.from_dict(TABLE), quick=False)
    assert export(store, tmp_path / "x.csv") == 24
    run_spec(Spec.from_dict(TABLE | {"run": TABLE["run"] | {"trials": 2}}), store)
    store.write_index(Spec.from_dict(TABLE), quick=False)
    assert export(store, tmp_path / "x.parquet") == 16
    assert pq.read_table(tmp_path / "x.parquet")["missing"].to_pylist()[0] == 4
    run_spec(Spec.from_dict(TABLE), store, block_seconds=1e-9)
    assert export(store, tmp_path / "x.csv") == 0
    for path in store.folder.rglob("*.parquet"):
        if path.parent != tmp_path:
            path.unlink()
    with pytest.raises(ValueError, match="need all trials, got found=0, wanted=6"):
        export(store, tmp_path / "x.nc")
    assert not (tmp_path / "x.nc").exists()
