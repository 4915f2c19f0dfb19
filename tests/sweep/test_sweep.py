"""A sweep from Python, as a user writes it."""

import subprocess
import sys

import numpy as np
import pytest

import spikesim as ss
from spikesim.sweep.state import State, clock

SPEC = """
title = "two noises"
[model]
shape = [5, 7]
spikes = [3.0]
noise = {law = "Gaussian", sigma = 0.5}
[grid]
"noise.sigma" = [0.5, 1.0]
[run]
windows = [1, 4]
trials = 6
steps = 12
[quick.run]
trials = 3
"""


@pytest.fixture
def spec(tmp_path):
    path = tmp_path / "spec.toml"
    path.write_text(SPEC)
    return path


def test_from_a_file_to_a_table(spec, tmp_path):
    sweep = ss.Sweep.from_toml(spec)
    assert (sweep.title, len(sweep)) == ("two noises", 2)
    assert sweep.forecast(tmp_path / "out").trials_to_do == 12
    states = []
    store = sweep.run(tmp_path / "out", workers=2, progress=states.append)
    assert states[-1].trials_done == 12
    assert sweep.forecast(tmp_path / "out").trials_to_do == 0
    assert len(store) == 2
    direct = ss.simulate(ss.SpikedModel((5, 7), (3.0,), ss.Gaussian(1.0)), windows=[1, 4], trials=6, steps=12)
    for result in (store[1], store.at(**{"noise.sigma": 1.0}), list(store)[1], list(ss.Store(tmp_path / "out"))[1]):
        np.testing.assert_array_equal(result.data.alignment, direct.alignment)
    table = store.table(["alignment"]).to_pandas()
    row = table[(table["noise.sigma"] == 1.0) & (table["pipeline"] == "post-polar") & (table["window"] == 4)]
    assert row["mean"].item() == direct.alignment.sel(pipeline="post-polar", window=4).values.mean()


def test_shares_make_the_whole(spec, tmp_path):
    sweep = ss.Sweep.from_toml(spec)
    for k in (3, 1, 2):
        store = sweep.run(tmp_path / "shares", share=f"{k}/3", block_seconds=1e-9)
    whole = sweep.run(tmp_path / "whole")
    assert store.table().equals(whole.table())
    assert len(list(store.folder.rglob("*.parquet"))) == 12


def test_quick_tables_and_dicts(spec, tmp_path):
    quick = ss.Sweep.from_toml(spec, quick=True)
    assert quick.forecast(tmp_path / "out").trials == 6
    assert quick.run(tmp_path / "out").quick
    import tomllib

    assert ss.Sweep.from_dict(tomllib.loads(SPEC), quick=True) == quick


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"workers": 0}, "need workers >= 1, got workers=0"),
        ({"workers": 1.5}, "need workers >= 1, got workers=1.5"),
        ({"share": "4/3"}, 'need a share "i/n"'),
        ({"share": "1/2", "fresh": True}, "need share 1/1 for a fresh run, got share="),
        ({"executor": 3}, "need executor: a concurrent.futures.Executor or a Dask Client, got executor='int'"),
        ({"block_seconds": 0}, "need 0 < block_seconds < inf"),
    ],
)
def test_bad_arguments_are_refused(spec, tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message):
        ss.Sweep.from_toml(spec).run(tmp_path / "out", **arguments)
    assert not list(tmp_path.rglob("*.parquet"))


def test_points_that_are_not_there_are_refused(spec, tmp_path):
    store = ss.Sweep.from_toml(spec).run(tmp_path / "out")
    with pytest.raises(
        ValueError, match=r"need coordinates of one point, out of \['noise.sigma'\], got points=0, noise.sigma=3"
    ):
        store.at(**{"noise.sigma": 3})
    with pytest.raises(ValueError, match="got points=2"):
        store.at()
    with pytest.raises(IndexError):
        store[2]


def test_importing_sweep_and_store_stays_light():
    code = "import sys, spikesim as ss; ss.Sweep, ss.Store('x'); heavy = {'pydantic', 'pyarrow', 'xarray', 'distributed'}"
    code += "; print(heavy & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"


def test_states_and_clocks_are_said_in_fitting_units():
    state = State("a", 1, 4, 200, 800, 2, 50.0, 4.0, 150.0)
    assert state.text == "1/4 points, 2 blocks failed, 50 s, 4 trials/s, 2 min left"
    assert State("a", 4, 4, 8, 8, 0, 5000, 0.0, None).text == "4/4 points, 83 min"
    assert [clock(s) for s in (0.4, 119, 120, 7199, 7200, 172800)] == ["0 s", "119 s", "2 min", "120 min", "2.0 h", "2.0 d"]
