"""The table: what it says is what the trials say, whatever wrote them and whoever reads it."""

import json

import duckdb
import numpy as np
import polars
import pyarrow as pa
import pytest

import spikesim as ss
from spikesim.sweep.columns import statistics
from spikesim.sweep.run import run_spec
from spikesim.sweep.spec import Spec
from spikesim.sweep.store import Store

TABLE = {
    "model": [
        {"name": "a", "shape": [5, 7], "spikes": [3.0, 2.0], "noise": {"law": "Gaussian", "sigma": 0.5}},
        {"name": "b", "shape": [6, 4], "spikes": [3.0, 2.0], "noise": {"law": "Rademacher", "sigma": 0.5}},
    ],
    "grid": {"noise.sigma": [0.5, 1], "spikes": [[3.0, 2.0], [4.0]]},
    "run": {"windows": [1, 4], "trials": 23, "steps": 12},
}
COLUMNS = ["identity", "name", "noise.sigma", "spikes", "observable", "pipeline", "window", "index", "n", "mean",
           "standard_error", "q05", "q25", "median", "q75", "q95", "undefined", "missing", "failed"]  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    made = Store(tmp_path_factory.mktemp("store"))
    run_spec(Spec.from_dict(TABLE), made, block_seconds=1e-4)
    return made


def test_every_row_is_what_numpy_says_of_the_trials(store):
    table = store.table()
    assert table.column_names == COLUMNS
    frame = table.to_pandas()
    seen = 0
    for result in store:
        c = result.coordinates
        rows = frame[(frame["name"] == c["name"]) & (frame["noise.sigma"] == c["noise.sigma"])]
        rows = rows[rows["spikes"] == json.dumps(c["spikes"])]
        for _, row in rows.iterrows():
            at = {k: row[k] for k in ("pipeline", "window", "index") if k in result.data[row["observable"]].dims}
            x = result.data[row["observable"]].sel(at).values
            seen += 1
            if row["observable"] in ("bias_squared", "variance"):
                assert (row["mean"], row["n"]) == (x, 23)
                assert np.isnan(row[["standard_error", "q05", "median", "q95"]].astype(float)).all()
                continue
            there = x[~np.isnan(x)]
            assert (row["n"], row["undefined"]) == (there.size, x.size - there.size)
            if there.size:
                expected = [there.mean(), there.std(ddof=1) / there.size**0.5]
                expected += np.quantile(there, [0.05, 0.25, 0.5, 0.75, 0.95]).tolist()
                np.testing.assert_allclose(row[COLUMNS[9:16]].astype(float), expected, rtol=1e-12, atol=1e-15)
            else:
                assert row[COLUMNS[9:16]].isna().all()
    assert seen == len(frame)
    assert (frame["undefined"] > 0).any()
    assert not frame[["missing", "failed"]].any(axis=None)
    expected = sum(x.size // (23 if "trial" in x.dims else 1) for r in store for x in r.data.values())
    assert len(frame) == expected


def test_blocks_do_not_show(store, tmp_path):
    other = Store(tmp_path)
    run_spec(Spec.from_dict(TABLE), other, workers=1)
    assert len(list(store.folder.rglob("*.parquet"))) > len(list(other.folder.rglob("*.parquet"))) == 8
    assert other.table().equals(store.table())


def test_some_observables_alone(store):
    whole = store.table()
    names = ["alignment", "variance"]
    few = store.table(names)
    assert few.equals(whole.filter(pa.compute.is_in(whole["observable"], pa.array(names))))
    with pytest.raises(ValueError, match=r"need observables in .*, got observable='alignmnt'"):
        store.table(["alignmnt"])


def test_polars_and_duckdb_read_it(store):
    rows = store.table()
    mean = rows.to_pandas()["mean"].mean()
    assert polars.from_arrow(rows)["mean"].mean() == pytest.approx(mean)
    assert duckdb.sql("select avg(mean) from rows").fetchall()[0][0] == pytest.approx(mean)


def test_duckdb_reads_the_shards_themselves(store):
    point = store.index.points[0]
    found = duckdb.sql(f"select trial, noise_fro from '{store.folder / point.identity}/*.parquet' order by trial").fetchall()
    assert [trial for trial, _ in found] == list(range(23))
    np.testing.assert_array_equal([values for _, values in found], store[0].data.noise_fro.values)


def test_an_unfinished_store_counts_what_is_missing(store, tmp_path):
    other = Store(tmp_path)
    run_spec(Spec.from_dict(TABLE | {"run": TABLE["run"] | {"trials": 9}}), other)
    other.write_index(Spec.from_dict(TABLE), quick=False)
    table = other.table().to_pandas()
    assert set(table["missing"]) == {14}
    assert set(table["n"] + table["undefined"]) == {9}
    few = ss.simulate(store[0].model, windows=[1, 4], trials=9, steps=12)
    row = table[(table["identity"] == other.index.points[0].identity) & (table["observable"] == "gap")].iloc[0]
    assert row["mean"] == few.gap.sel(pipeline=row["pipeline"], window=row["window"]).mean()


def test_a_point_without_results_has_a_row_that_says_so(tmp_path):
    store = Store(tmp_path)
    store.write_index(Spec.from_dict(TABLE), quick=False)
    table = store.table().to_pandas()
    assert list(table.columns) == COLUMNS
    assert table["identity"].tolist() == [p.identity for p in store.index.points]
    assert set(table["missing"]) == {23}
    assert set(table["n"]) == {0}
    assert table[["observable", "pipeline", "window", "index", "mean", "median"]].isna().all(axis=None)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("rows", [0, 1, 2, 7])
def test_statistics_of_few_and_undefined_trials(rows):
    x = np.random.default_rng(rows).normal(size=(rows, 5))
    x[: rows // 2, 1] = np.nan
    x[:, 2] = np.nan
    x[:, 3] = 2.5
    found = statistics(np.ascontiguousarray(x.T))
    alone = [statistics(np.ascontiguousarray(x[:, k : k + 1].T)) for k in range(5)]
    for name, values in found.items():
        np.testing.assert_array_equal(values, [one[name][0] for one in alone])
    for k in range(5):
        there = x[~np.isnan(x[:, k]), k]
        assert (found["n"][k], found["undefined"][k]) == (there.size, rows - there.size)
        expected = np.quantile(there, 0.05) if there.size else np.nan
        np.testing.assert_allclose(found["q05"][k], expected, rtol=1e-14)
        np.testing.assert_allclose(found["mean"][k], there.mean() if there.size else np.nan, rtol=1e-14)
        error = there.std(ddof=1) / there.size**0.5 if there.size > 1 else np.nan
        np.testing.assert_allclose(found["standard_error"][k], error, rtol=1e-14)
