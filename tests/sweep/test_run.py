"""Running a spec: results are whole files, kept when they are done, and read back as they were."""

import numpy as np
import pytest

import spikesim as ss
from spikesim.sweep.run import Ran, run_spec
from spikesim.sweep.spec import Spec
from spikesim.sweep.store import Store

TABLE = {
    "model": {"shape": [5, 7], "spikes": [3.0], "noise": {"law": "Gaussian", "sigma": 0.5}},
    "grid": {"noise.sigma": [0.5, 1.0]},
    "run": {"windows": [1, 4], "trials": 3, "steps": 12},
}


def test_results_are_what_simulate_gives(tmp_path):
    store = Store(tmp_path / "a b é")
    run_spec(Spec.from_dict(TABLE), store)
    results = list(store)
    assert [r.coordinates["noise.sigma"] for r in results] == [0.5, 1.0]
    direct = ss.simulate(results[1].model, windows=[1, 4], trials=3, steps=12)
    for name in direct:
        np.testing.assert_array_equal(results[1].data[name], direct[name])
    assert results[1].data.attrs["theorem"] == direct.attrs["theorem"]
    assert results[1].model.noise == ss.Gaussian(1.0)


def test_what_is_done_is_kept_and_a_grown_grid_computes_only_what_is_new(tmp_path):
    store = Store(tmp_path)
    assert run_spec(Spec.from_dict(TABLE), store).computed == 2
    grown = TABLE | {"grid": {"noise.sigma": [2.0, 1.0, 0.5]}}
    ran = run_spec(Spec.from_dict(grown), store)
    assert (ran.computed, ran.kept) == (1, 2)
    assert [r.coordinates["noise.sigma"] for r in store] == [2.0, 1.0, 0.5]
    assert run_spec(Spec.from_dict(grown), store, fresh=True).computed == 3


def test_a_torn_file_is_computed_again(tmp_path):
    store, spec = Store(tmp_path), Spec.from_dict(TABLE)
    run_spec(spec, store)
    whole = next(iter(store)).data.alignment.values
    (path,) = store.ledger(spec.points[0].identity).folder.glob("*.parquet")
    path.write_bytes(path.read_bytes()[:300])
    assert run_spec(spec, store).computed == 1
    assert [p.name[:21] for p in path.parent.iterdir() if p.is_file()] == [path.name[:21]]
    np.testing.assert_array_equal(next(iter(store)).data.alignment, whole)


def test_an_interrupted_run_keeps_finished_points_and_leaves_no_temporary_file(tmp_path):
    store, spec = Store(tmp_path), Spec.from_dict(TABLE)

    def stop(state):
        if state.trials_done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_spec(spec, store, progress=stop, workers=1)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(["index.json", spec.points[0].identity])
    assert len(list(tmp_path.rglob("*.parquet"))) == 1
    assert not list(tmp_path.rglob("*.tmp"))
    assert run_spec(spec, store).kept == 1


def test_progress_counts_trials_over_all_points(tmp_path):
    seen = []
    run_spec(Spec.from_dict(TABLE), Store(tmp_path), progress=seen.append)
    last = seen[-1]
    assert (last.trials_done, last.trials, last.points_done, last.points, last.failed) == (6, 6, 2, 2, 0)
    assert last.rate == pytest.approx(6 / last.seconds)
    assert last.left == 0
    for name in ("trials_done", "points_done", "seconds"):
        assert [getattr(s, name) for s in seen] == sorted(getattr(s, name) for s in seen)


def test_a_folder_without_results_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"need results of `spikesim run` \(index.json\), got folder="):
        list(Store(tmp_path))
    run_spec(Spec.from_dict(TABLE), Store(tmp_path))
    next(tmp_path.glob("*/*.parquet")).unlink()
    with pytest.raises(ValueError, match="need all trials, got found=0, wanted=3; `spikesim run SPEC --out "):
        list(Store(tmp_path))
    changed = (tmp_path / "index.json").read_text().replace("0.5", "0.6", 1)
    for text in (changed, "{", "[]", "null", '{"points": 3}', '{"title": "", "quick": true, "points": [{}]}'):
        (tmp_path / "index.json").write_text(text)
        with pytest.raises(ValueError, match=r"need a readable index\.json"):
            list(Store(tmp_path))


def test_a_finished_folder_is_not_written_again(tmp_path):
    store, spec = Store(tmp_path), Spec.from_dict(TABLE)
    run_spec(spec, store)
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*")}
    run_spec(spec, store)
    assert {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*")} == before


def test_more_trials_keep_the_old_ones_and_any_blocks_give_the_same(tmp_path):
    more = TABLE | {"run": TABLE["run"] | {"trials": 11}}
    for folder, seconds in (("one", 1e-9), ("two", 5.0)):
        store = Store(tmp_path / folder)
        run_spec(Spec.from_dict(TABLE), store, block_seconds=seconds)
        old = {p: p.read_bytes() for p in store.folder.rglob("*.parquet")}
        assert run_spec(Spec.from_dict(more), store, block_seconds=seconds).computed == 2
        assert all(p.read_bytes() == content for p, content in old.items())
    one, two = (list(Store(tmp_path / folder)) for folder in ("one", "two"))
    assert len(list((tmp_path / "one").rglob("*.parquet"))) > len(list((tmp_path / "two").rglob("*.parquet"))) == 4
    for a, b in zip(one, two, strict=True):
        direct = ss.simulate(a.model, windows=[1, 4], trials=11, steps=12)
        for name in direct:
            assert a.data[name].values.tobytes() == b.data[name].values.tobytes() == direct[name].values.tobytes()
        assert a.data.attrs["seconds"] > 0


def test_fresh_results_take_the_old_ones_place(tmp_path):
    store, spec = Store(tmp_path), Spec.from_dict(TABLE)
    run_spec(spec, store)
    old = {r.coordinates["noise.sigma"]: r.data.alignment.values for r in store}
    assert run_spec(spec, store, fresh=True) == Ran(2, 0, trials=6)
    for result in store:
        np.testing.assert_array_equal(result.data.alignment, old[result.coordinates["noise.sigma"]])


def test_a_law_that_costs_nothing_a_step_is_cut_into_blocks_too(tmp_path):
    run = {"windows": [4], "trials": 3, "method": "scalars", "joint": False, "observables": ["noise_fro"]}
    spec = Spec.from_dict(TABLE | {"run": run | {"pipelines": ["pre-polar"]}})
    assert run_spec(spec, Store(tmp_path), block_seconds=1e-9).computed == 2
    assert len(list(tmp_path.rglob("*.parquet"))) == 6


def test_files_that_vanish_during_a_run_are_noticed(tmp_path):
    store, spec = Store(tmp_path / "out"), Spec.from_dict(TABLE)

    def vanish(state):
        if state.trials_done == 3:
            for path in store.folder.rglob("*.parquet"):
                path.unlink()

    with pytest.raises(
        ValueError, match="need files that were written to stay, got points_that_lost_some=1; `spikesim run SPEC --out "
    ):
        run_spec(spec, store, progress=vanish, workers=1)
    assert run_spec(spec, store).computed == 1
    assert len(list(store)) == 2


def test_a_sweeps_store_stays_its_own_when_another_uses_the_folder(tmp_path):
    other = TABLE | {"model": TABLE["model"] | {"spikes": [5.0]}}
    mine, theirs = (ss.Sweep.from_dict(table).run(tmp_path) for table in (TABLE, other))
    assert (mine[0].model.spikes, theirs[0].model.spikes) == ((3.0,), (5.0,))
    assert Store(tmp_path)[0].model.spikes == (5.0,)


def test_faults_of_the_grid_are_reported_with_those_of_the_rest():
    bad = {"model": TABLE["model"] | {"noise": {"law": "Gaussian", "sigma": float("nan")}}, "grid": {"foo": [1]},
           "run": TABLE["run"] | {"trials": -5}}  # fmt: skip
    with pytest.raises(ValueError, match=r"got 3 faults(.|\n)*model.*noise(.|\n)*run.trials(.|\n)*grid.foo"):
        Spec.from_dict(bad)


def test_points_alike_and_models_without_names_are_named():
    with pytest.raises(ValueError, match=r"noise.sigma=1.0 and noise.sigma=1.0: need distinct points"):
        Spec.from_dict(TABLE | {"grid": {"noise.sigma": [1.0, 2.0, 1.0]}})
    with pytest.raises(ValueError, match=r"need a name for each of several models, got names=\['', ''\]"):
        Spec.from_dict(TABLE | {"model": [TABLE["model"], TABLE["model"]]})
    with pytest.raises(ValueError, match="need at most 1,000,000 points, got points=4000000"):
        Spec.from_dict(TABLE | {"grid": {"noise.sigma": [1.0] * 2000, "run.seed": [1] * 2000}})
