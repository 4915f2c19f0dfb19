"""Shards whose names vouch for bytes that are no shard's: nothing that befalls a file makes such ones, but people may."""

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from spikesim.sweep import status as states
from spikesim.sweep.contents import LAYOUT
from spikesim.sweep.export import export
from spikesim.sweep.run import run_spec
from spikesim.sweep.shard import ShardName
from spikesim.sweep.spec import Spec
from spikesim.sweep.store import Store

SPEC = Spec.from_dict({
    "model": {"shape": [4, 5], "spikes": [3.0], "noise": {"law": "Gaussian", "sigma": 0.5}},
    "run": {"windows": [1, 4], "trials": 3, "steps": 12, "observables": ["alignment"]},
})  # fmt: skip


def sealed(store, content):
    """Bytes in place of the one shard's, under a name that vouches for them."""
    (path,) = store.folder.glob("*/*.parquet")
    path.unlink()
    name = ShardName.parsed(path.name)
    made = path.with_name(str(ShardName.of(path.parent, name.first, name.after, content)))
    made.write_bytes(content)
    return made


@pytest.fixture
def store(tmp_path):
    made = Store(tmp_path / "results")
    run_spec(SPEC, made)
    return made


def foreign(metadata=None):
    """Parquet with a column of trials; metadata: of its schema."""
    target = io.BytesIO()
    pq.write_table(pa.table({"trial": [0, 1, 2]}).replace_schema_metadata(metadata), target)
    return target.getvalue()


NONE = [
    b"",
    b"{}",
    b"PAR1"[:3],
    b"x" * 1000,
    b"PAR1",
    b"PAR1PAR1",
    b"PAR1" + b"x" * 40 + b"PAR1",
    foreign(),
    foreign({"a": "b"}),
]


@pytest.mark.parametrize("content", NONE)
def test_what_is_no_shard_is_damaged_as_any_other_file(store, content, tmp_path):
    made = sealed(store, content)
    (point,) = states.status(store)
    assert (point.done, point.damaged) == (0, (made,))
    assert export(store, tmp_path / "t.csv") == 3
    with pytest.raises(ValueError, match="need all trials, got found=0, wanted=3; `spikesim run SPEC --out "):
        store[0]
    assert run_spec(SPEC, store).computed == 1
    assert store[0].data.sizes["trial"] == 3


@pytest.mark.parametrize("layout", ["", "{}", "[1]"])
def test_what_has_the_mark_of_a_shard_and_is_none_is_named(store, layout, tmp_path):
    made = sealed(store, foreign({LAYOUT: layout}))
    said = (
        rf"^need the bytes of a shard, got reason=.*, file='{made}'; remove it: `spikesim run SPEC --out {store.folder}` sim"
    )
    for use in (lambda: store[0], lambda: export(store, tmp_path / "t.csv")):
        with pytest.raises(ValueError, match=said):
            use()
    made.unlink()
    assert run_spec(SPEC, store).computed == 1
