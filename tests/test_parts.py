"""Parts of a run put together are the run, bit by bit."""

from itertools import pairwise

import numpy as np
import pytest

import spikesim as ss
from spikesim.design import design_from
from spikesim.observables import OBSERVABLES
from spikesim.parts import ASKED, TOTAL, finished, joined, means_of, means_text
from spikesim.simulate import run_part
from spikesim.sweep import shard
from spikesim.sweep.ledger import Ledger

MODEL = ss.SpikedModel((6, 9), (5.0, 3.0), ss.StudentT(3.0))
OPTIONS = {"windows": [1, 2.5, 8], "steps": 16, "seed": 3}


def part(trials, **options):
    design, numbers = design_from(MODEL, trials=trials, **(OPTIONS | options))
    return run_part(design, numbers, workers=1)


def assert_same(a, b):
    assert list(a) == list(b)
    assert a.attrs == b.attrs
    for name in [*a, *a.coords]:
        assert a[name].dims == b[name].dims
        assert a[name].values.tobytes() == b[name].values.tobytes(), name


@pytest.mark.parametrize("ends", [(1,), (10, 11), (3, 7, 12, 16), tuple(range(1, 20))], ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_any_parts_make_the_whole(ends, dtype):
    edges = (0, *ends, 20)
    parts = [part(range(a, b), dtype=dtype) for a, b in pairwise(edges)]
    assert_same(finished(joined(parts)), ss.simulate(MODEL, trials=20, dtype=dtype, **OPTIONS))


def test_through_files_and_in_any_order(tmp_path):
    ledger = Ledger(tmp_path)
    for block in list(ledger.missing(range(20), 6))[::-1]:
        shard.write(tmp_path, part(block))
    assert_same(finished(ledger.read(range(20))), ss.simulate(MODEL, trials=20, **OPTIONS))


def test_what_was_asked_for_is_there_and_nothing_else():
    one = part(range(4), observables=["gap", "variance", "alignment"])
    assert TOTAL in one
    assert list(finished(one)) == ["alignment", "variance", "gap"]
    assert ASKED not in finished(one).attrs
    without = part(range(4), observables=["gap"])
    assert finished(without) is without
    assert TOTAL not in without
    assert set(finished(part(range(1)))) == set(OBSERVABLES) - {"bias_squared", "variance"}  # of one trial


def test_matrices_are_counted_together():
    text = "12 by float32 Gram matrix; 3 by leading block of a band"
    assert means_text(means_of(text)) == text
    assert means_text(means_of("none")) == "none"
    whole, halves = part(range(6)), [part(range(3)), part(range(3, 6))]
    assert joined(halves).attrs == whole.attrs


def test_attributes_that_differ_are_all_there():
    parts = [part(range(a, a + 2)).assign_attrs(provenance=where, seconds=1.5) for a, where in ((0, "x"), (2, "y"), (4, "x"))]
    attrs = joined(parts).attrs
    assert attrs["provenance"] == "x | y"
    assert attrs["seconds"] == 4.5
    assert attrs["seed"] == "3"


def test_nothing_cannot_be_joined():
    with pytest.raises(ValueError, match="need one part or more, got parts=0"):
        joined([])


def test_another_trial_is_told_apart():
    """Negative control: the same run but for one trial."""
    other = joined([part(range(19)), part(range(20, 21))])
    with pytest.raises(AssertionError):
        assert_same(finished(other), ss.simulate(MODEL, trials=20, **OPTIONS))
    assert np.array_equal(other.alignment[:19], part(range(19)).alignment)
