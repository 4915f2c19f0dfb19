"""Running a spec: results are whole files, kept when they are done, and read back as they were."""

import numpy as np
import pytest

import spikesim as ss
from spikesim.sweep.run import run_spec
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
    path = store.path(spec.points[0])
    path.write_bytes(path.read_bytes()[:300])
    assert run_spec(spec, store).computed == 1
    np.testing.assert_array_equal(next(iter(store)).data.alignment, whole)


def test_an_interrupted_run_keeps_finished_points_and_leaves_no_temporary_file(tmp_path):
    store, spec = Store(tmp_path), Spec.from_dict(TABLE)

    def stop(_label: str, done: int, total: int) -> None:
        if done > total / 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_spec(spec, store, progress=stop)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(["index.json", store.path(spec.points[0]).name])
    assert run_spec(spec, store).kept == 1


def test_progress_counts_trials_over_all_points(tmp_path):
    seen = []
    run_spec(Spec.from_dict(TABLE), Store(tmp_path), progress=lambda *now: seen.append(now))
    assert seen[-1] == ("noise.sigma=1.0", 6, 6)
    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)


def test_a_folder_without_results_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"need results of `spikesim run` \(index.json\), got folder="):
        list(Store(tmp_path))
    run_spec(Spec.from_dict(TABLE), Store(tmp_path))
    next(tmp_path.glob("*.nc")).unlink()
    with pytest.raises(ValueError, match="need all points of the spec, got missing="):
        list(Store(tmp_path))
    for text in ("{", "[]", "null", '{"points": 3}', '{"title": "", "quick": true, "points": [{}]}'):
        (tmp_path / "index.json").write_text(text)
        with pytest.raises(ValueError, match=r"need a readable index\.json"):
            list(Store(tmp_path))


def test_a_finished_folder_is_not_written_again(tmp_path):
    store, spec = Store(tmp_path), Spec.from_dict(TABLE)
    run_spec(spec, store)
    before = {p.name: p.stat().st_mtime_ns for p in tmp_path.iterdir()}
    run_spec(spec, store)
    assert {p.name: p.stat().st_mtime_ns for p in tmp_path.iterdir()} == before
