"""What stands on a page of stored results: the store's numbers, whole and escaped HTML, verdicts that can be BROKEN."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from spikesim.page.write import write
from spikesim.sweep import status as states
from spikesim.sweep.run import run_spec
from spikesim.sweep.spec import Spec
from spikesim.sweep.store import Store
from spikesim.theory import bounds
from spikesim.verify.finding import Finding
from spikesim.verify.verdict import RULE, judge

VOID = {"meta", "link", "img", "br", "input"}


class Page(HTMLParser):
    """Elements with their attributes; complains of tags that do not match."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.cells, self.data = [], [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append((tag, dict(attrs)))
        if tag == "tr":
            self.cells.append([])

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        if self.open and self.open[-1][0] in ("td", "th"):
            self.cells[-1].append((self.open[-1][1].get("data-value"), data))
        if self.open and self.open[-1][1].get("type") == "application/json":
            self.data.append(data)


def text_of(folder):
    return write(folder).path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(made):
    text = text_of(made.folder)
    (made.folder / "report.html").unlink()
    return text


def strict(text):
    def refuse(name):
        raise AssertionError(name)

    return json.loads(text, parse_constant=refuse)


def test_means_are_those_of_the_store(page, made):
    rows = made.table().to_pylist()
    found = [[c[0] for c in cells if c[0] is not None] for cells in Page(page).cells]
    pairs = [tuple(map(float, x)) for x in found if len(x) == 2]
    stored = sorted((r["mean"], r["standard_error"]) for r in rows if r["mean"] is not None)
    assert sorted(p for p in pairs if p[0] == p[0]) == stored  # NaN stands for what no trial has
    assert len(rows) > 50


def test_slider_data_are_strict_json_of_stored_points(page, made):
    (data,) = map(strict, Page(page).data)
    rows = {(r["noise.sigma"], r["pipeline"], r["window"]): r for r in made.table(["alignment"]).to_pylist()}
    (axis,) = data["axes"]
    assert axis == {"name": "noise.sigma", "values": ["0.5", "1.0"]}
    seen = 0
    for point in data["points"]:
        sigma = float(axis["values"][point["at"][0]])
        for pipeline, values in point["lines"].items():
            for window, (mean, error, *_) in zip(point["windows"], values, strict=True):
                row = rows[sigma, pipeline, window]
                assert (mean, error) == pytest.approx((row["mean"], row["standard_error"]), rel=1e-7)
                seen += 1
    assert seen == len(rows)


def test_what_comes_from_files_is_escaped(page):
    assert "<script>alert" not in page
    assert "Spikes &amp; &lt;script&gt;alert(1)&lt;/script&gt; é" in page


def test_the_page_is_whole_and_names_everything_once(page):
    found = Page(page)
    ids = [a["id"] for _, a in found.elements if "id" in a]
    assert len(ids) == len(set(ids))
    named = {a[k] for _, a in found.elements for k in ("aria-labelledby", "data-from") if k in a}
    assert named <= set(ids)
    assert all("at T = " in a["alt"] for tag, a in found.elements if tag == "img")
    assert sum(tag == "img" for tag, _ in found.elements) == 3 * 2  # of two points each
    levels = [int(tag[1]) for tag, _ in found.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert all(b <= a + 1 for a, b in pairwise(levels))
    assert page.count("é</h") == 1  # one run: its title is the page's


def test_the_page_asks_nothing_of_the_network(page):
    addresses = [a.get(k, "") for _, a in Page(page).elements for k in ("src", "href")]
    assert [x for x in addresses if x and not x.startswith(("data:", "#"))] == []
    assert set(re.findall(r"https?://[^\"' ]+", page)) == {"http://www.w3.org/2000/svg"}
    assert "@import" not in page


def test_the_spec_written_gives_the_stored_points(page, made):
    import html
    import tomllib

    text = html.unescape(re.search(r"<pre [^>]*>(.*?)</pre>", page, re.DOTALL)[1])
    assert {p.identity for p in Spec.from_dict(tomllib.loads(text)).points} == {p.identity for p in made.index.points}
    assert "it gives the identities of all stored points" in page


def test_claims_are_judged_and_the_rest_say_why(made, tmp_path):
    done = write(made.folder, tmp_path / "x.html")
    assert {row.label for row in done.rows} >= {"B1", "B1e", "B2", "B2e", "B3'", "B4", "B5"}
    assert done.broken == []
    text = (tmp_path / "x.html").read_text()
    assert "noise_nuclear is not stored" in text
    assert not (made.folder / "report.html").exists()


def test_a_false_claim_is_broken(store, monkeypatch):
    right = bounds.expected_tail
    monkeypatch.setattr(bounds, "expected_tail", lambda *a: 0.05 * right(*a))
    done = write(store.folder)
    assert "B1e" in done.broken
    assert "BROKEN: B1e" in done.path.read_text()


def test_several_runs_have_an_index_and_others_are_named(several):
    text = text_of(several)
    assert 'href="#run0"' in text
    assert 'href="#run1"' in text
    assert "1 file of a probe study" in text
    one = strict(Page(text).data[1])
    assert one["axes"] == []
    assert [p["windows"] for p in one["points"]] == [[2.0]]


def test_a_page_is_no_stray_file_and_is_replaced_by_pages_alone(store):
    first = text_of(store.folder)
    assert text_of(store.folder) == first
    assert "0 left over" in states.text(states.status(store), len(states.others(store)), len(states.temporary(store)))
    (store.folder / "report.html").write_text("mine")
    with pytest.raises(ValueError, match="need a report, or no file, to replace"):
        write(store.folder)
    assert (store.folder / "report.html").read_text() == "mine"


def test_texts_along_a_slider_keep_the_order_of_the_store_and_numbers_rise(tmp_path):
    shapes = {"16x16": [16, 16], "128x16": [128, 16], "24x8": [24, 8]}
    noise = {"law": "Gaussian", "sigma": 1.0}
    models = [{"name": name, "shape": shape, "spikes": [5.0], "noise": noise} for name, shape in shapes.items()]
    run = {"windows": [1, 2], "trials": 2, "steps": 3, "observables": ["alignment"]}
    store = Store(tmp_path / "store")
    run_spec(Spec.from_dict({"model": models, "grid": {"noise.sigma": [2.0, 0.5, 10.0]}, "run": run}), store)
    axes = {axis["name"]: axis["values"] for axis in strict(Page(text_of(store.folder)).data[0])["axes"]}
    assert axes == {"name": list(shapes), "noise.sigma": ["0.5", "2.0", "10.0"]}


def test_observables_are_named_in_words(tmp_path):
    run = {"windows": [1, 2], "trials": 3, "steps": 3, "observables": ["alignment_truncated", "sin_theta_left"]}
    model = {"shape": [4, 6], "spikes": [5.0], "noise": {"law": "Gaussian"}}
    store = Store(tmp_path / "store")
    run_spec(Spec.from_dict({"model": model, "run": run}), store)
    text = text_of(store.folder)
    drawn = " ".join(a["alt"] for tag, a in Page(text).elements if tag == "img")
    assert "truncated alignment 0." in drawn
    assert "sin θ, left 0." in drawn
    assert "_" not in drawn
    assert "Mean truncated alignment ± standard error" in text


def test_the_rule_of_verdicts_stands_where_they_are_explained(page):
    import html

    assert RULE in html.unescape(page)
    theory = Path(__file__).parents[2] / "docs" / "theory.md"
    assert RULE in " ".join(theory.read_text(encoding="utf-8").split())


def test_the_rule_of_verdicts_is_what_is_done():
    def found(kind, **more):
        return Finding("B2", "", "", 2.0, kind, 0.5, 0.4, 0.6, 1.0, 1.0, 1.0, **more)

    def verdict(*findings):
        return judge(findings, {"B2": ""})[0].verdict

    always, vacuous = found("always"), found("bound", vacuous="says nothing")
    assert verdict(always) == "held"
    assert verdict(always, vacuous) == "vacuous"
    assert verdict(always, vacuous, found("bound")) == "held"
    assert verdict(replace(always, p=0.0), vacuous) == "BROKEN"


def test_missing_and_damaged_trials_are_said(store):
    shards = sorted(store.folder.rglob("*.parquet"))
    shards[0].write_bytes(b"torn")
    done = write(store.folder)
    text = done.path.read_text()
    assert done.damaged == 1
    assert "240 of 480 trials are missing" in text
    assert f"Damaged files, never read: 1 ({shards[0].parent.name}/{shards[0].name})" in text
    assert "`spikesim run SPEC --out DIR` sets them aside and simulates their trials again" in text


def test_a_store_whose_shards_are_gone_is_refused_and_one_of_damage_is_not(several):
    first, second = ([*(several / name).rglob("*.parquet")] for name in ("first", "second"))
    for shard in first:
        shard.unlink()
    with pytest.raises(ValueError, match=r"need stored results, got folder=.*; run the spec again"):
        write(several / "first")
    assert not (several / "first" / "report.html").exists()
    assert write(several).path.is_file()
    for shard in second:
        shard.write_bytes(b"torn")
    assert write(several / "second").damaged == len(second)


@pytest.mark.parametrize("name", ["x.pdf", "x", "x.html.gz"])
def test_a_file_of_another_kind_is_refused(store, tmp_path, name):
    with pytest.raises(ValueError, match=r"need --to ending in \.html, got to="):
        write(store.folder, tmp_path / name)
    assert not (tmp_path / name).exists()
    assert write(store.folder, tmp_path / "x.HTM").path.is_file()


def test_folders_without_results_are_refused(tmp_path, store):
    with pytest.raises(ValueError, match="need a folder of results, got folder="):
        write(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=r"need results of `spikesim run`"):
        write(tmp_path / "empty")
    with pytest.raises(ValueError, match="need a folder that is there, got to="):
        write(store.folder, tmp_path / "nowhere" / "x.html")
    (store.folder / "index.json").write_text("{}")
    with pytest.raises(ValueError, match=r"need a readable index\.json"):
        write(store.folder)
    assert list((tmp_path / "empty").iterdir()) == []
