"""One command runs every experiment of a folder and tells what was found, in text, JSON and a gallery."""

from pathlib import Path

import pytest

from spikesim import report
from spikesim.estimate import RateFit
from spikesim.progress import Bar
from spikesim.report import Outcome, Reproduced, Row
from spikesim.reproduce import reproduce

SPEC = """
title = "A test"
[model]
shape = [5, 7]
spikes = [3.0]
noise = {law = "Gaussian", sigma = 0.5}
[run]
windows = [1, 4]
trials = 3
steps = 12
[quick.run]
trials = 2
"""
SCRIPT = """
from spikesim import plots
from spikesim.report import Outcome
GROUP = "What is open"
def draw(store, figures, published=None):
    (result,) = store
    with plots.panels(1, 1, (4, 3)) as (figure, axes):
        axes[0, 0].set(xlabel="T (steps)", ylabel="alignment")
        plots.save(figure, figures, "probe", plots.setting(result, store.quick), "found")
    return Outcome(f"{result.data.trial.size} trials, quick {store.quick}", details="And more.")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "probe.toml").write_text(SPEC)
    (tmp_path / "probe.py").write_text(SCRIPT)
    (tmp_path / "alone.toml").write_text(SPEC)  # no script of its name: not an experiment
    return tmp_path


def run(folder: Path, quick: bool, fresh: bool = False) -> list[Reproduced]:
    return reproduce(
        folder, folder / "results", folder / "figures", quick=quick, fresh=fresh, published=None, bar=Bar(quiet=True)
    )


def test_a_quick_run_draws_and_leaves_no_gallery(folder):
    (done,) = run(folder, quick=True)
    assert done.outcome.finding == "2 trials, quick True"
    assert (done.name, done.title, done.computed, done.kept) == ("probe", "A test", 1, 0)
    assert sorted(p.name for p in (folder / "figures").iterdir()) == ["probe.pdf", "probe.png"]


def test_a_full_run_writes_the_gallery_with_findings_and_time(folder):
    run(folder, quick=False)
    page = (folder / "figures" / "README.md").read_text()
    assert "3 trials, quick False" in page
    assert "![3 trials, quick False](probe.png)" in page
    assert "core-minutes of simulation (" in page
    assert "- **What is open**: [A test](#probe)" in page
    assert "\n\nDetails: And more.\n\n" in page
    assert page.index("## What is open") < page.index('<a id="probe"></a>') < page.index("### A test")
    assert "What is sharper" not in page


def test_a_second_run_keeps_results_unless_fresh(folder):
    first = run(folder, quick=True)[0]
    again = run(folder, quick=True)[0]
    assert (again.computed, again.kept, again.seconds) == (0, 1, first.seconds)
    assert run(folder, quick=True, fresh=True)[0].computed == 1


def test_a_folder_without_experiments_or_an_absent_file_is_refused(tmp_path, folder):
    with pytest.raises(ValueError, match=r"need a folder of experiments \(NAME.toml with NAME.py\), got experiments="):
        run(tmp_path / "absent", quick=True)
    with pytest.raises(ValueError, match="need published: a file, got published="):
        reproduce(folder, folder, folder, quick=True, fresh=False, published=folder / "no.json", bar=Bar(quiet=True))


def test_a_script_without_draw_is_refused_before_anything_runs(folder):
    (folder / "probe.py").write_text("")
    with pytest.raises(ValueError, match="need a script that defines draw"):
        run(folder, quick=True)
    assert not (folder / "results").exists()


@pytest.mark.parametrize("group", ["", 'GROUP = "Elsewhere"'])
def test_a_script_of_no_group_is_refused_before_anything_runs(folder, group):
    (folder / "probe.py").write_text(SCRIPT.replace('GROUP = "What is open"', group))
    with pytest.raises(ValueError, match=r"need a script whose GROUP is in \('What the paper proves', .*, got .*GROUP="):
        run(folder, quick=True)
    assert not (folder / "results").exists()


FITS = (
    Row("error", RateFit(-0.5, -0.52, -0.48, 1.0, (-0.5,)), -0.49, "S3"),
    Row("miss", RateFit(-0.9, -0.92, -0.88, 1.0, (-0.8, -1.0), 0.1, 0.01), -0.7, "S4"),
)
DONE = [Reproduced("one", "What is open", "One", Outcome("It was found.", FITS), 1.0, 1, 0)]


def test_the_table_has_fits_intervals_theory_and_finding():
    lines = report.text(DONE, width=200).splitlines()
    cells = [[cell.strip() for cell in line.strip("│").split("│")] for line in lines if "│" in line]
    assert cells == [
        ["one", "error", "-0.500 [-0.520, -0.480]", "-0.490 (S3)"],
        [
            "",
            "miss",
            "-0.900 [-0.920, -0.880]; no pure power law: local slopes drift from -0.80 to -1.00",
            "-0.700 (S4, -0.200 off)",
        ],
    ]
    assert lines[-1] == "finding: It was found."


def test_a_narrow_table_wraps_and_loses_nothing():
    text = report.text(DONE, width=80)
    assert max(map(len, text.splitlines())) <= 80
    assert "-0.490" in text
    assert "It was found." in text


def test_an_experiment_without_fits_has_a_finding_and_no_table():
    other = Reproduced("two", "What is open", "Two", Outcome("Nothing was fitted."), 1.0, 1, 0)
    assert report.text([other], width=200) == "two: Nothing was fitted."
    assert report.text([other], width=12).split() == ["two:", "Nothing", "was", "fitted."]
    assert report.text([*DONE, other], width=200) == report.text(DONE, width=200) + "\ntwo: Nothing was fitted."


def test_json_holds_the_same_numbers():
    (row,) = report.as_json(DONE)
    assert row["fits"][1]["drifts"] is True
    assert row["fits"][0]["low"] == -0.52
