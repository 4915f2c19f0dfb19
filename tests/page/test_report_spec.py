"""The spec on a page: the file as it was written where it is that of the stored points, else one made of them."""

import html
import re

import pytest

from spikesim.page.write import write
from spikesim.sweep.run import run_spec
from spikesim.sweep.spec import Spec
from spikesim.sweep.store import SPEC, Store

FILE = """# a comment with <b>marks</b> & é
title = "kept"
model = {shape = [2, 3], spikes = [4.0], noise = {law = "Gaussian", sigma = 1.0}}
grid = {"noise.sigma" = [0.5, 1.0]}
run = {windows = [2], trials = 3, steps = 4, observables = ["alignment"]}
quick = {run = {trials = 2}}
"""


def shown(store):
    text = write(store.folder).path.read_text(encoding="utf-8")
    return html.unescape(re.search(r"<pre [^>]*>(.*?)</pre>", text, re.DOTALL)[1]), text


def ran(tmp_path, text, name="spec.toml", quick=False):
    (tmp_path / name).write_text(text, encoding="utf-8")
    store = Store(tmp_path / "store")
    run_spec(Spec.from_toml(tmp_path / name, quick), store, quick)
    return store


@pytest.mark.parametrize("quick", [False, True])
def test_the_file_stands_as_it_was_written_and_escaped(tmp_path, quick):
    spec, page = shown(ran(tmp_path, FILE, quick=quick))
    assert spec == FILE
    assert "<b>marks" not in page
    assert f"The file that was run{' with --quick' if quick else ''}, as it was written." in page


def test_a_grown_run_shows_the_last_file_and_resuming_changes_nothing(tmp_path):
    store = ran(tmp_path, FILE)
    before = (store.folder / SPEC).stat().st_mtime_ns
    ran(tmp_path, FILE)
    assert (store.folder / SPEC).stat().st_mtime_ns == before
    grown = FILE.replace("[0.5, 1.0]", "[0.5, 1.0, 2.0]") + "# one more\n"
    assert shown(ran(tmp_path, grown))[0] == grown


@pytest.mark.parametrize(
    "text", [None, "", "x = [", "title = 'other'", FILE.replace("trials = 3", "trials = 4"), FILE.replace("kept", "x")]
)
def test_without_the_file_of_these_points_a_spec_is_made_of_them(tmp_path, text):
    store = ran(tmp_path, FILE)
    (store.folder / SPEC).unlink() if text is None else (store.folder / SPEC).write_text(text)
    spec, page = shown(store)
    assert "# a comment" not in spec
    assert "it gives the identities of all stored points" in page


def test_bytes_that_are_no_text_are_no_spec(tmp_path):
    store = ran(tmp_path, FILE)
    (store.folder / SPEC).write_bytes(b"\xff\xfe")
    assert store.spec_text == ""


def test_a_run_from_python_after_one_from_a_file_shows_its_own(tmp_path):
    store = ran(tmp_path, FILE)
    other = {"model": {"shape": [2, 3], "spikes": [7.0], "noise": {"law": "Gaussian"}}, "run": {"windows": [2], "trials": 2}}
    run_spec(Spec.from_dict(other), store)
    assert "7.0" in shown(store)[0]
