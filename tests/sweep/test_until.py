"""Stopping by standard error: where it stops is a matter of the trials alone."""

import numpy as np
import pytest

import spikesim as ss
from spikesim.sweep.run import run_spec
from spikesim.sweep.spec import Spec
from spikesim.sweep.status import status
from spikesim.sweep.store import Store
from spikesim.sweep.until import Until, last_look, rounds

UNTIL = {"mean": "alignment", "pipeline": "pre-polar", "window": 4, "standard_error": 0.01, "every": 10}
TABLE = {
    "model": {"shape": [5, 7], "spikes": [3.0], "noise": {"law": "Gaussian", "sigma": 0.5}},
    "grid": {"noise.sigma": [0.3, 2.0]},
    "run": {"windows": [1, 4], "trials": 3000, "steps": 12, "until": UNTIL},
}


def with_until(**changes):
    return TABLE | {"run": TABLE["run"] | {"until": {k: x for k, x in (UNTIL | changes).items() if x is not None}}}


def error(data, n):
    x = data.alignment.sel(pipeline="pre-polar", window=4).values[:n]
    return x.std(ddof=1) / np.sqrt(n)


def test_a_point_stops_at_the_first_look_that_is_enough(tmp_path):
    store = Store(tmp_path)
    ran = run_spec(Spec.from_dict(TABLE), store)
    assert (ran.computed, ran.stopped, ran.failed) == (2, False, ())
    for result in store:
        n = result.data.sizes["trial"]
        assert n % 10 == 0
        assert error(result.data, n) <= 0.01
        assert all(error(result.data, k) > 0.01 for k in range(10, n, 10))
        direct = ss.simulate(result.model, windows=[1, 4], trials=n, steps=12)
        for name in direct:
            assert result.data[name].values.tobytes() == direct[name].values.tobytes()
    counts = [r.data.sizes["trial"] for r in store]
    assert 10 <= counts[0] < counts[1] < 3000
    assert [(p.done, p.wanted, p.left_over) for p in status(store)] == [(n, n, ()) for n in counts]
    assert run_spec(Spec.from_dict(TABLE), store).kept == 2


def test_a_smaller_error_keeps_the_old_trials_and_a_larger_one_reads_fewer(tmp_path):
    store = Store(tmp_path)
    run_spec(Spec.from_dict(with_until(standard_error=0.03)), store)
    before = {p: p.read_bytes() for p in tmp_path.rglob("*.parquet")}
    few = [r.data for r in store]
    assert run_spec(Spec.from_dict(TABLE), store).computed >= 1
    assert all(p.read_bytes() == content for p, content in before.items())
    many = [r.data for r in store]
    assert run_spec(Spec.from_dict(with_until(standard_error=0.03)), store).kept == 2
    for a, b, c in zip(few, store, many, strict=True):
        assert a.sizes == b.data.sizes
        np.testing.assert_array_equal(a.alignment, b.data.alignment)
        np.testing.assert_array_equal(a.alignment, c.alignment[: a.sizes["trial"]])


def test_trials_are_the_most_whatever_the_error(tmp_path):
    store = Store(tmp_path)
    table = with_until(standard_error=1e-9)
    run_spec(Spec.from_dict(table | {"run": table["run"] | {"trials": 25}}), store)
    assert [r.data.sizes["trial"] for r in store] == [25, 25]


def test_of_several_means_the_worst_counts(tmp_path):
    one, all_ = Store(tmp_path / "one"), Store(tmp_path / "all")
    run_spec(Spec.from_dict(TABLE), one)
    run_spec(Spec.from_dict(with_until(pipeline=None, window=None)), all_)
    for a, b in zip(one, all_, strict=True):
        n = b.data.sizes["trial"]
        assert n >= a.data.sizes["trial"]
        assert float((b.data.alignment.std("trial", ddof=1) / np.sqrt(n)).max()) <= 0.01


def test_undefined_trials_do_not_count():
    until = Until(mean="gap", standard_error=0.5)
    x = np.array([[1.0, np.nan], [3.0, np.nan], [np.nan, np.nan]])
    assert not until.met(x)  # two defined: the error is 1
    assert until.met(x[:, 1:])  # never defined: nothing to wait for
    assert not until.met(x[:1])  # one trial says nothing about its spread


def test_missing_trials_end_the_reading_and_say_so():
    until = Until(mean="gap", standard_error=1e-3, every=10)
    assert last_look(until, 30, lambda look: np.arange(10.0)[:, None] if look.start == 0 else None) == (10, False)
    assert last_look(until, 30, lambda _: np.arange(10.0)[:, None]) == (30, True)
    assert last_look(until, 30, lambda _: np.ones((10, 1))) == (10, True)
    assert rounds(25, until) == [range(10), range(10, 20), range(20, 25)]
    assert rounds(25, None) == [range(25)]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mean": "alignmnt"}, r"until\.mean in \('alignment', .*got mean='alignmnt'"),
        ({"mean": "bias_squared"}, r"until\.mean in .*trial by trial, got mean='bias_squared'"),
        ({"pipeline": "post"}, r"until\.pipeline in \['pre-polar', .*got pipeline='post'"),
        ({"window": 5}, r"until\.window in \[1\.0, 4\.0\], got window=5"),
        ({"standard_error": 0}, r"run\.until\.standard_error: need greater than 0, got 0"),
        ({"standard_error": float("nan")}, r"run\.until\.standard_error: need "),
        ({"every": 5}, r"run\.until\.every: need greater than or equal to 10, got 5"),
        ({"evry": 10}, r"run\.until\.evry: need a known key, got this one"),
    ],
)
def test_bad_rules_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        Spec.from_dict(with_until(**changes))


def test_a_point_that_ends_before_its_error_is_as_wanted_says_so(tmp_path):
    table = with_until(standard_error=1e-9)
    table = table | {"run": table["run"] | {"trials": 20}}
    sweep = ss.Sweep.from_dict(table)
    for _ in range(2):  # computed, and kept
        with pytest.warns(RuntimeWarning) as warned:
            sweep.run(tmp_path)
        said = [f"all trials are done, but the standard error is not as wanted: noise.sigma={x}" for x in (0.3, 2.0)]
        assert sorted(str(w.message) for w in warned) == said
    assert run_spec(Spec.from_dict(with_until()), Store(tmp_path)).unmet == ()
