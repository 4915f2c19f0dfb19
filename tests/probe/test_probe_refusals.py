"""What a probe refuses, and what it says then."""

import numpy as np
import pytest
import recordings

import spikesim as ss

GOOD = recordings.recorded((3, 4), 60)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "moving"}, r"need kind in \('stationary', 'trajectory'\), got kind='moving'"),
        ({"kind": None}, "got kind=None"),
        ({"kind": ["stationary"]}, "need kind in"),
        ({"windows": (3,)}, "need two or more distinct windows T >= 1, got windows"),
        ({"windows": ()}, "two or more distinct windows"),
        ({"windows": 3}, "two or more distinct windows"),
        ({"windows": (2, 2)}, "two or more distinct windows"),
        ({"windows": (0.5, 2)}, "two or more distinct windows"),
        ({"windows": (1, float("nan"))}, "two or more distinct windows"),
        ({"windows": ("a", 2)}, "two or more distinct windows"),
        ({"windows": (1, 5.1)}, r"need T <= 5 = 60 gradients / 12, got window=5.1; record 62 gradients"),
        ({"windows": (1, float("inf"))}, "two or more distinct windows"),
        ({"ranks": (0,)}, r"need distinct ranks from 1 to min\(m, n\) = 3, got ranks=\(0,\)"),
        ({"ranks": (4,)}, "distinct ranks from 1"),
        ({"ranks": ()}, "distinct ranks from 1"),
        ({"ranks": (1, 1)}, "distinct ranks from 1"),
        ({"ranks": (1.0,)}, "distinct ranks from 1"),
        ({"ranks": (True,)}, "distinct ranks from 1"),
        ({"ranks": 2}, None),
        ({"ranks": ("a", 1)}, "distinct ranks from 1"),
        ({"ranks": 2.5}, "distinct ranks from 1"),
        ({"pipelines": ["no-such"]}, "got pipeline='no-such'"),
        ({"pipelines": ["pre-polar", "pre-polar"]}, "distinct pipelines"),
        ({"pipelines": []}, "one or more distinct pipelines"),
        ({"pipelines": 5}, "got pipeline=5"),
        ({"pipelines": ["clipped pre-polar = Filter() -> Polar()"]}, "distinct pipelines"),
        ({"pipelines": ["Workers(2) -> Filter() -> Polar()"]}, "pipelines without workers: a recording is one stream"),
        ({"reach": 0}, "need 0 < reach < 1, got reach=0"),
        ({"reach": 1}, "need 0 < reach < 1"),
        ({"reach": float("nan")}, "need 0 < reach < 1"),
        ({"reach": "0.9"}, "need 0 < reach < 1"),
        ({"readings": 19}, "need readings: an integer >= 20, got readings=19"),
        ({"readings": 20.0}, "readings: an integer"),
        ({"readings": True}, "readings: an integer"),
        ({"seed": -1}, "seed"),
        ({"seed": 1.5}, "seed"),
        ({"seed": "a"}, "seed"),
        ({"seed": 2**64}, "seed"),
    ],
    ids=lambda x: str(x)[:40],
)
@pytest.mark.parametrize("kind", ["stationary", "trajectory"])
def test_arguments(options, message, kind):
    if message is None:
        assert ss.probe(GOOD, **{"kind": kind, "readings": 20} | options).asked.ranks == (2,)
        return
    with pytest.raises(ValueError, match=message):
        ss.probe(GOOD, **{"kind": kind} | options)


def changed(place, value):
    gradients = GOOD.copy()
    gradients[place] = value
    return gradients


@pytest.mark.parametrize(
    ("gradients", "message"),
    [
        (GOOD[:47], "need 48 gradients or more, got gradients=47"),
        (GOOD[0], r"\(K, m, n\)"),
        (GOOD[None], r"\(K, m, n\)"),
        (changed((7, 1, 2), np.nan), r"step=7.*entry=\(1, 2\)"),
        (changed((59, 0, 0), np.inf), r"step=59.*entry=\(0, 0\)"),
        (0 * GOOD, "need gradients that are not mostly zero, got median_norm=0"),
        (changed(slice(0, 40), 0), "gradients that are not mostly zero"),
        (1e-43 * GOOD.astype(np.float32), "need gradients of float32 with norms of 1e-30 and more, got median_norm="),
        (1e-130 * GOOD, "need gradients of float64 with norms of 1e-100 and more, got median_norm="),
        (GOOD.astype(object), "object"),
        (GOOD.astype(complex), "complex"),
        (np.zeros((60, 0, 4)), "0"),
        ([*GOOD[:50], GOOD[0].T], r"\(4, 3\)"),
        (5, "need a file, an array or an iterable of arrays, got type='int'"),
    ],
    ids=lambda x: x[:30] if isinstance(x, str) else "",
)
@pytest.mark.parametrize("kind", ["stationary", "trajectory"])
def test_gradients(gradients, message, kind):
    with pytest.raises(ValueError, match=message):
        ss.probe(gradients, kind=kind)


def test_absent_files_and_folders(tmp_path):
    with pytest.raises(OSError, match="absent"):
        ss.probe(tmp_path / "absent.npy")
    with pytest.raises((OSError, ValueError)):
        ss.probe(tmp_path)


def test_twins():
    with pytest.raises(ValueError, match="need a twin of a \"trajectory\" only, got kind='stationary'"):
        ss.probe(GOOD, twin=GOOD)
    for other in (GOOD[1:], GOOD.swapaxes(1, 2)):
        with pytest.raises(ValueError, match=r"need a twin of shape \(60, 3, 4\), got shape="):
            ss.probe(GOOD, kind="trajectory", twin=other)
    with pytest.raises(ValueError, match=r"step=9.*entry=\(0, 1\)"):
        ss.probe(GOOD, kind="trajectory", twin=changed((9, 0, 1), np.nan))
