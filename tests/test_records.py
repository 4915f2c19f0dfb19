"""Experiments that draw what is on record: found, drawn, named as such in the gallery, and refused in words."""

import json
from pathlib import Path

import pytest

from spikesim.kinds import RECORDS, SIMULATION, kind_of
from spikesim.progress import Bar
from spikesim.records import Records
from spikesim.reproduce import reproduce

TOML = 'title = "Kept"\n[records]\nfile = "data/kept.json"\n'
SCRIPT = """
from spikesim import plots
from spikesim.report import Outcome
GROUP = "Real gradients"
def draw(records, figures, published=None):
    with plots.panels(1, 1, (4, 3)) as (figure, axes):
        axes[0, 0].set(xlabel="T (steps)", ylabel="alignment")
        plots.save(figure, figures, "kept", "", "found")
    return Outcome(f"{records.data['value']} of {records.title}")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "kept.toml").write_text(TOML)
    (tmp_path / "kept.py").write_text(SCRIPT)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "kept.json").write_text(json.dumps({"value": 3, "seconds": 90}))
    return tmp_path


@pytest.mark.parametrize("quick", [True, False])
def test_records_are_drawn_whatever_the_size_of_a_run(folder, quick):
    (done,) = reproduce(folder, folder / "r", folder / "f", quick=quick, fresh=False, published=None, bar=Bar(quiet=True))
    assert done.outcome.finding == "3 of Kept"
    assert (done.computed, done.kept, done.seconds, done.kind) == (0, 1, 90.0, RECORDS)
    assert not (folder / "r").exists()


def test_the_gallery_says_what_makes_records_and_does_not_count_them_as_simulation(folder):
    reproduce(folder, folder / "r", folder / "f", quick=False, fresh=False, published=None, bar=Bar(quiet=True))
    page = (folder / "f" / "README.md").read_text()
    assert "`make training`, `python experiments/kept.py` (90 core-seconds of measurement)" in page
    assert ": 0 core-minutes of simulation" in page
    assert "## Real gradients" in page


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ('title = "x"\n[records]\n', r'need \[records\] file = "a path beside this file", got path='),
        ('[records]\nfile = "data/kept.json"\n', "need a title, got path="),
        ('title = "x"\nrecords = 3\n', r"need \[records\] file"),
        ('title = "x"\n[records]\nfile = "absent.json"\n', "need records: a file, got file=.*absent.json'; `make training`"),
    ],
)
def test_a_file_that_names_no_records_is_refused(folder, toml, said):
    (folder / "kept.toml").write_text(toml)
    with pytest.raises(ValueError, match=said):
        Records.from_toml(folder / "kept.toml")


@pytest.mark.parametrize(
    ("text", "said"), [("{", "need records in JSON, got file="), ("[]", "need records: one JSON object")]
)
def test_records_that_are_no_json_object_are_refused(folder, text, said):
    (folder / "data" / "kept.json").write_text(text)
    with pytest.raises(ValueError, match=said):
        _ = Records.from_toml(folder / "kept.toml").data


def test_a_spec_or_rubbish_holds_no_records(tmp_path):
    (tmp_path / "spec.toml").write_text('title = "a"\n[model]\nshape = [2, 2]\n')
    (tmp_path / "bad.toml").write_bytes(b"\xff[[")
    assert kind_of(tmp_path / "spec.toml") == SIMULATION
    assert kind_of(tmp_path / "bad.toml") == SIMULATION
