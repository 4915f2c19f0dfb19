"""Blocks, shares and forecasts: what is to be done, without doing it."""

from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikesim.sweep import cost
from spikesim.sweep.forecast import forecast
from spikesim.sweep.plan import WHOLE, Share, planned
from spikesim.sweep.run import run_spec
from spikesim.sweep.spec import Spec
from spikesim.sweep.store import Store

TABLE = {
    "model": {"shape": [16, 24], "spikes": [3.0], "noise": {"law": "Gaussian", "sigma": 0.5}},
    "grid": {"noise.sigma": [0.5, 1.0, 2.0]},
    "run": {"windows": [1, 4, 10], "trials": 40, "steps": 60},
}
SPEC = Spec.from_dict(TABLE)


def blocks(store, seconds, share=WHOLE):
    return [(p.number, b) for p in planned(SPEC, store, share, seconds) for b in p.survey().blocks]


@given(st.integers(1, 9), st.floats(1e-6, 1))
@settings(derandomize=True, database=None, deadline=None, max_examples=40)
def test_shares_are_all_blocks_once_and_of_nearly_equal_number(tmp_path_factory, of, seconds):
    store = Store(tmp_path_factory.getbasetemp() / "none")
    shares = [blocks(store, seconds, Share(k, of)) for k in range(1, of + 1)]
    whole = blocks(store, seconds)
    assert sorted(chain(*shares), key=str) == sorted(whole, key=str)
    assert max(map(len, shares)) - min(map(len, shares)) <= 1
    for number in range(3):
        assert list(chain(*(b for k, b in whole if k == number))) == list(range(40))


def test_shares_stay_the_same_when_some_blocks_are_done(tmp_path):
    store = Store(tmp_path)
    seconds = 7.5 * cost.seconds(SPEC.points[0].design)  # 7 trials
    before = blocks(store, seconds, Share(2, 3))
    run_spec(SPEC, store, share=Share(1, 3), block_seconds=seconds)
    assert blocks(store, seconds, Share(1, 3)) == []
    assert blocks(store, seconds, Share(2, 3)) == before


def test_points_that_stop_by_themselves_are_dealt_whole(tmp_path):
    until = {"mean": "alignment", "standard_error": 1e-9, "every": 10}
    spec = Spec.from_dict(TABLE | {"run": TABLE["run"] | {"until": until}})
    for k in (1, 2):
        plans = planned(spec, Store(tmp_path), Share(k, 2), 1e-6)
        assert [p.number for p in plans if p.survey().blocks] == ([0, 2] if k == 1 else [1])


@pytest.mark.parametrize("text", ["0/4", "5/4", "1", "1/0", "-1/4", "a/b", "1/4/2", "", "1.0/2"])
def test_bad_shares_are_refused(text):
    with pytest.raises(ValueError, match=r'need a share "i/n" with 1 <= i <= n, such as 3/16, got share='):
        Share.parsed(text)


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf")])
def test_bad_block_lengths_are_refused(tmp_path, seconds):
    with pytest.raises(ValueError, match="need 0 < block_seconds < inf, got block_seconds="):
        planned(SPEC, Store(tmp_path), block_seconds=seconds)


@pytest.mark.parametrize("until", [None, {"mean": "alignment", "standard_error": 1e-9, "every": 10}])
@pytest.mark.parametrize("use", [forecast, run_spec])
def test_more_blocks_than_a_folder_should_hold_are_refused_at_once(tmp_path, use, until):
    store = Store(tmp_path / "out")
    spec = Spec.from_dict(TABLE | {"run": TABLE["run"] | {"trials": 2**32 - 1} | ({"until": until} if until else {})})
    with pytest.raises(
        ValueError, match=r"^need at most 1,000,000 blocks in a run, got blocks=\d+; ask for fewer trials, or lon"
    ):
        use(spec, store, block_seconds=0.5)
    assert not store.folder.exists()


@pytest.mark.parametrize("every", [None, 10, 11, 14, 40, 99])
def test_there_are_no_more_blocks_than_are_counted(tmp_path, every):
    until = {"until": {"mean": "alignment", "standard_error": 1e-9, "every": every}} if every else {}
    spec = Spec.from_dict(TABLE | {"run": TABLE["run"] | until})
    for plan in planned(spec, Store(tmp_path), block_seconds=7.5 * cost.seconds(SPEC.points[0].design)):  # 7 trials
        assert len(plan.survey().blocks) <= plan.blocks <= len(plan.survey().blocks) + 3
        assert until or plan.blocks == len(plan.survey().blocks)


def test_a_forecast_says_what_a_run_does_and_writes_nothing(tmp_path):
    store = Store(tmp_path / "out")
    expected = forecast(SPEC, store, workers=3)
    assert not store.folder.exists()
    assert (expected.points, expected.points_done, expected.trials, expected.trials_to_do) == (3, 0, 120, 120)
    assert (expected.blocks, expected.workers, expected.blocks_timed) == (3, 3, 0)
    assert expected.core_seconds == pytest.approx(120 * cost.seconds(SPEC.points[0].design) + 3 * cost.BLOCK)
    run_spec(SPEC, store)
    files = list(store.folder.rglob("*.parquet"))
    assert len(files) == expected.blocks
    after = forecast(SPEC, store)
    assert (after.points_done, after.trials_to_do, after.blocks, after.seconds, after.bytes) == (3, 0, 0, 0, 0)
    fresh = forecast(SPEC, store, fresh=True)
    assert (fresh.points_done, fresh.trials_to_do, fresh.blocks_timed) == (0, 120, 3)


@pytest.mark.parametrize("trials", [10, 400])
@pytest.mark.parametrize("observables", [None, ("alignment", "gap"), ("variance",)])
def test_bytes_are_foretold_within_a_half(tmp_path, trials, observables):
    run = {"trials": trials} | ({"observables": observables} if observables else {})
    spec = Spec.from_dict(TABLE | {"run": TABLE["run"] | run})
    store = Store(tmp_path)
    expected = forecast(spec, store).bytes
    run_spec(spec, store)
    found = sum(p.stat().st_size for p in tmp_path.rglob("*.parquet"))
    assert found / 1.5 < expected < found * 1.5


def test_a_forecast_after_half_a_run_asks_for_the_other_half(tmp_path):
    store = Store(tmp_path)
    seconds = 7.5 * cost.seconds(SPEC.points[0].design)
    run_spec(SPEC, store, share=Share(1, 2), block_seconds=seconds)
    rest = forecast(SPEC, store, block_seconds=seconds)
    done = sum(len(s.trials) for p in planned(SPEC, store) for s in p.ledger.used(p.trials))
    assert rest.trials_to_do == 120 - done > 0
    assert rest.blocks == 18 - len(list(tmp_path.rglob("*.parquet")))
    assert rest.blocks_timed == 3
