"""Verdicts of findings and of labels, Holm's procedure, and the table they are told in."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from spikesim.verify import table
from spikesim.verify.finding import Finding
from spikesim.verify.verdict import FAMILY, holm, judge

BOUND = Finding("B1", "what", "where", 8.0, "bound", 0.5, 0.45, 0.55, 1.0, 1.0, 0.9)
EQUAL = replace(BOUND, kind="equality", theory=0.5, allowance=0.0)
LIMIT = replace(BOUND, kind="limit", measured=0.51, low=0.505, high=0.515, theory=0.5, allowance=0.02)
ALWAYS = replace(BOUND, kind="always", measured=0.99, low=0.99, high=1.0)


@pytest.mark.parametrize(
    ("finding", "verdict"),
    [
        (BOUND, "held"),
        (replace(BOUND, p=1e-9), "BROKEN"),
        (replace(BOUND, p=1e-9, vacuous="empty"), "BROKEN"),
        (replace(BOUND, p=1e-9, outside="biased"), "outside"),
        (replace(BOUND, vacuous="empty"), "vacuous"),
        (replace(BOUND, low=0.97, high=1.01), "attained"),
        (replace(BOUND, low=0.9, high=1.01), "inconclusive"),
        (replace(BOUND, low=0.97, high=0.99), "held"),
        (replace(EQUAL, low=0.49, high=0.51), "attained"),
        (EQUAL, "inconclusive"),
        (LIMIT, "held"),
        (replace(LIMIT, low=0.4, high=0.6), "inconclusive"),
        (replace(LIMIT, allowance=0.006), "held"),
        (replace(LIMIT, allowance=0.004), "inconclusive"),
        (replace(BOUND, measured=-0.2, low=-0.3, high=-0.1, theory=0.0, allowance=0.0), "held"),
        (replace(BOUND, measured=-0.2, low=-0.5, high=0.1, theory=0.0, allowance=0.0), "inconclusive"),
    ],
)
def test_a_finding_gets_its_verdict(finding, verdict):
    (row,) = judge([finding], {"B1": "claim"})
    assert row.verdict == verdict
    assert row.count(verdict) == 1


def test_findings_outside_the_theorem_are_never_counted():
    many = [replace(BOUND, p=1e-30, outside="biased")] * 50
    rows = judge([*many, replace(BOUND, p=0.9 * FAMILY)], {"B1": "claim"})
    assert rows[0].verdict == "BROKEN"  # alone in its family: 50 more would have left it room
    assert rows[0].vacuous_share == 0
    inside = judge([replace(BOUND, p=0.5)] * 50 + [replace(BOUND, p=0.9 * FAMILY)], {"B1": "claim"})
    assert inside[0].verdict == "held"


def test_holm_is_its_definition():
    rng = np.random.default_rng(2)
    for _ in range(200):
        p = rng.random(7) ** 4
        order = np.sort(p)
        cut = next((i for i in range(7) if order[i] > 0.05 / (7 - i)), 7)
        assert holm(p, 0.05) == [bool(x in order[:cut]) for x in p]
    assert holm([], 0.05) == []


def test_holm_keeps_the_family_wise_error():
    """4000 families of 20 true hypotheses at 5 %: rejected in at most 5 %, to 3.3 standard errors; 10 % would be seen."""
    rng = np.random.default_rng(4)
    p = rng.random((4000, 20))
    any_rejected = np.mean([any(holm(x, 0.05)) for x in p])
    most = 0.05 + 3.3 * math.sqrt(0.05 * 0.95 / 4000)
    assert any_rejected < most
    assert np.mean([any(holm(x, 0.1)) for x in p]) > most


def test_a_row_tells_the_share_that_is_vacuous_and_the_smallest_window_that_is_not():
    findings = [replace(BOUND, window=2.0, vacuous="empty"), replace(BOUND, window=32.0), replace(BOUND, window=8.0),
                replace(BOUND, window=1.5, outside="biased")]  # fmt: skip
    (row,) = judge(findings, {"B1": "claim"})
    assert row.vacuous_share == pytest.approx(1 / 3)
    assert row.smallest_window == 8
    empty = judge(findings[:1], {"B1": "claim"})[0]
    assert (empty.verdict, empty.smallest_window, empty.vacuous_share) == ("vacuous", None, 1.0)


def test_a_row_shows_what_is_nearest_to_its_theory():
    near, far = replace(BOUND, measured=0.98, low=0.97, high=1.01), replace(BOUND, measured=0.97, low=0.965, high=1.005)
    assert judge([far, near], {"B1": "claim"})[0].telling.finding is near
    sure, less = replace(BOUND, p=1e-20), replace(BOUND, p=1e-9, measured=5.0)
    assert judge([less, sure], {"B1": "claim"})[0].telling.finding is sure


def test_what_holds_for_every_matrix_speaks_for_a_label_only_where_it_is_all_there_is():
    (row,) = judge([ALWAYS, BOUND, replace(BOUND, vacuous="empty", window=2.0)], {"B1": "claim"})
    assert (row.verdict, row.vacuous_share, row.smallest_window) == ("held", 0.5, 8.0)
    assert row.count("attained") == 1
    assert judge([ALWAYS], {"B1": "claim"})[0].verdict == "attained"
    broken = judge([replace(ALWAYS, p=0.0), BOUND], {"B1": "claim"})[0]
    assert (broken.verdict, broken.telling.finding.kind) == ("BROKEN", "always")


def rows():
    findings = [BOUND, replace(BOUND, label="S4", kind="limit", p=1e-12, low=0.54, measured=0.55, high=0.56),
                replace(BOUND, label="B2", theory=math.inf, allowance=math.inf, vacuous="its hypothesis fails")]  # fmt: skip
    return judge(findings, {"B1": "first", "B2": "second", "S4": "third", "R1": "no finding, no row"})


def test_the_table_tells_verdicts_and_the_evidence_of_what_is_broken():
    told = table.text(rows(), 200)
    assert "BROKEN: S4." in told
    assert "BROKEN S4: what; where, T = 8: 0.55 [0.54, 0.56] against 1 ± 1, p = 1e-12" in told
    assert [r.label for r in rows()] == ["B1", "B2", "S4"]
    assert "its hypothesis fails" in table.text(rows(), 200, every=True)
    assert "None is BROKEN." in table.text(rows()[:1], 100)
    assert max(map(len, table.text(rows()[:2], 100).splitlines())) <= 100


def test_json_is_strict_and_whole():
    told = json.loads(json.dumps(table.as_json(rows()), allow_nan=False))
    assert told["broken"] == ["S4"]
    assert told["rows"][1]["findings"][0]["theory"] is None
    assert told["rows"][0]["counts"]["held"] == 1
    assert told["rows"][2]["findings"][0]["verdict"] == "BROKEN"
