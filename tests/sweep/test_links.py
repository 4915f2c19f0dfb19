"""Folders that are links: the store itself may be one; what is inside must be its own, or commands would write elsewhere."""

import pytest

from spikesim.sweep import status as states
from spikesim.sweep.export import export
from spikesim.sweep.forecast import forecast
from spikesim.sweep.run import run_spec
from spikesim.sweep.spec import Spec
from spikesim.sweep.store import Store

SPEC = Spec.from_dict({
    "model": {"shape": [4, 5], "spikes": [3.0], "noise": {"law": "Gaussian", "sigma": 0.5}},
    "run": {"windows": [1, 4], "trials": 3, "steps": 12, "observables": ["alignment"]},
})  # fmt: skip


@pytest.fixture
def store(tmp_path):
    made = Store(tmp_path / "results")
    run_spec(SPEC, made)
    return made


def everything(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*"))


@pytest.mark.parametrize(
    "use",
    [
        lambda store, _: run_spec(SPEC, store), lambda store, _: forecast(SPEC, store), lambda store, _: states.clean(store),
        lambda store, to: export(store, to / "t.csv"), lambda store, to: export(store, to / "t.nc"),
    ],
    ids=["run", "dry run", "clean", "csv", "nc"],
)  # fmt: skip
def test_a_point_that_is_a_link_is_refused_and_nothing_changes(store, tmp_path, use):
    point = store.folder / SPEC.points[0].identity
    point.rename(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / ".x.tmp").write_text("of others")
    point.symlink_to("../elsewhere")
    before = everything(tmp_path)
    with pytest.raises(ValueError, match="need a point's folder in the store itself, got link="):
        use(store, tmp_path)
    assert everything(tmp_path) == before


@pytest.mark.usefixtures("store")
def test_the_store_itself_may_be_a_link(tmp_path):
    (tmp_path / "link").symlink_to("results")
    linked = Store(tmp_path / "link")
    assert run_spec(SPEC, linked).kept == 1
    assert states.clean(linked) == 0
    assert export(linked, tmp_path / "t.csv") == 0


def test_what_is_set_aside_stays_in_the_store_and_links_are_removed_not_followed(store, tmp_path):
    point = store.folder / SPEC.points[0].identity
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "letter.txt").write_text("dear")
    (point / "quarantine").symlink_to("../../elsewhere")
    with pytest.raises(ValueError, match="need a folder of its own for what is set aside, got link="):
        run_spec(SPEC, store, fresh=True)
    assert everything(tmp_path / "elsewhere") == ["letter.txt"]
    assert states.clean(store) == 1
    assert not (point / "quarantine").is_symlink()
    assert everything(tmp_path / "elsewhere") == ["letter.txt"]


def test_a_link_by_the_name_of_a_point_of_another_spec_is_nobodys(store, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (store.folder / ("0" * 16)).symlink_to("../elsewhere")
    assert states.clean(store, forget=True) == 0
    assert (tmp_path / "elsewhere").is_dir()
