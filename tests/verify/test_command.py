"""The command `verify` on a few settings: what it prints, its exit codes, and that settings are fixed and sound."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from spikesim.cli import app
from spikesim.theory import bounds
from spikesim.verify import run
from spikesim.verify.settings import all_settings

SOME = tuple(s for s in all_settings() if s.family == "tiny" and s.model.shape[1] == 256)


@pytest.fixture(autouse=True)
def _some_settings(monkeypatch):
    monkeypatch.setattr(run, "all_settings", lambda: SOME)


def test_it_prints_a_row_a_claim_and_ends_well():
    told = CliRunner().invoke(app, ["verify"])
    assert told.exit_code == 0
    assert "None is BROKEN." in told.output
    assert all(f"│ {label} " in told.output for label in ("B1", "B1e", "B2e", "B3'"))
    assert "Kronecker" in CliRunner().invoke(app, ["verify", "--all"]).output


def test_it_ends_with_1_and_the_evidence_where_a_bound_is_broken(monkeypatch):
    right = bounds.expected_tail
    monkeypatch.setattr(bounds, "expected_tail", lambda *a: 0.9 * right(*a))
    told = CliRunner().invoke(app, ["verify"])
    assert told.exit_code == 1
    assert "BROKEN B1e: mean sigma_{r+1}" in told.output
    found = CliRunner().invoke(app, ["verify", "--json"])
    assert found.exit_code == 1
    assert json.loads(found.stdout)["broken"] == ["B1e"]


def test_progress_goes_through_all_settings():
    seen = []
    run.verify(lambda family, done, total: seen.append((family, done, total)))
    assert seen == [*(("tiny", i, len(SOME)) for i in range(len(SOME))), ("", len(SOME), len(SOME))]


def test_settings_are_fixed_and_distinct():
    settings = all_settings()
    keys = [(s.family, s.model, s.windows, s.trials, s.steps, repr(s.options)) for s in settings]
    assert len({repr(k) for k in keys}) == len(keys)
    assert keys == [(s.family, s.model, s.windows, s.trials, s.steps, repr(s.options)) for s in all_settings()]


def test_limits_have_three_sizes_the_last_twice_the_one_before():
    for family in ("limit", "high", "post", "drift"):
        sizes = sorted({max(s.model.shape) for s in all_settings() if s.family == family})
        for aspect in {round(s.model.shape[0] / s.model.shape[1], 3) for s in all_settings() if s.family == family}:
            mine = sorted({max(s.model.shape) for s in all_settings()
                           if s.family == family and round(s.model.shape[0] / s.model.shape[1], 3) == aspect})  # fmt: skip
            np.testing.assert_array_equal(np.array(mine) / mine[0], [1, 2, 4])
        assert len(sizes) >= 3
