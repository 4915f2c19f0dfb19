"""The figure of the quadratic holds what is on record, and its finding follows the record."""

import copy
import itertools
import json
import re
import sys

import numpy as np
import pytest
from harness import ROOT, recorded, script
from scipy import stats

from spikesim.records import Records

sys.path.append(str(ROOT / "experiments"))  # what trains is a package of scripts beside the experiments

from training.quadratic_loop import PIPELINES, Quadratic, descend, unit_noise

POLAR = ("pre-polar", "post-polar", "re-polarised", "polar-only")
NUMBER = r"([+-]\d\.\d\d) ± (\d\.\d\d)"


@pytest.fixture(scope="module")
def records():
    return recorded("quadratic")


@pytest.fixture(scope="module")
def noisy(records):
    return [cell for cell in records.data["cells"] if cell["noise"] > 0]


def altered(records, path, change):
    """The record with every method changed."""
    data = copy.deepcopy(records.data)
    for cell in data["cells"]:
        for method in cell["methods"]:
            change(method)
    path.write_text(json.dumps(data))
    return Records(records.title, path)


def reading(cell, key, pipeline, window):
    if pipeline == "polar-only" or (pipeline in POLAR and window == 1):
        pipeline, window = "polar-only", 1
    (found,) = [m[key] for m in cell["methods"] if (m["pipeline"], m["window"]) == (pipeline, window)]
    return np.array(found)


def ranks(x):
    return np.array([np.sum(x < y) + (np.sum(x == y) - 1) / 2 for y in x])


def correlation(cells, x, y, sign):
    """Mean over cells of the correlation of ranks, mean and half-width over seeds."""
    by_seed = []
    for seed in range(len(cells[0]["methods"][0][x])):
        found = []
        for cell in cells:
            own = [m for m in cell["methods"] if m["pipeline"] in POLAR]
            a, b = (ranks(np.array([m[key][seed] for m in own])) for key in (x, y))
            found.append(sign * np.corrcoef(a, b)[0, 1])
        by_seed.append(np.mean(found))
    half = stats.t.ppf(0.975, len(by_seed) - 1) * np.std(by_seed, ddof=1) / len(by_seed) ** 0.5
    return np.mean(by_seed), half


def decided(cells, windows):
    """How many pairs of pipelines keep their order, and how many reverse it, by Holm's procedure step by step."""
    tests = []
    for cell, window, (one, other) in itertools.product(cells, windows[1:], itertools.combinations(POLAR, 2)):
        for key in ("still_alignment", "log_loss"):
            difference = reading(cell, key, one, window) - reading(cell, key, other, window)
            t = difference.mean() / (difference.std(ddof=1) / difference.size**0.5)
            tests.append([2 * stats.t.sf(abs(t), difference.size - 1), len(tests) // 2, key, np.sign(t)])
    tests.sort(key=lambda x: x[0])
    signs = {}
    for i, (p, pair, key, sign) in enumerate(tests):
        if p > 0.05 / (len(tests) - i):
            break
        signs.setdefault(pair, {})[key] = sign
    both = [s["still_alignment"] * s["log_loss"] for s in signs.values() if len(s) == 2]
    return sum(b < 0 for b in both), sum(b > 0 for b in both)


def test_the_record_is_whole(records):
    data = records.data
    plan = data["plan"]
    assert records.file.stat().st_size < 300_000
    assert not data["quick"]
    assert data["reported"][1] - data["reported"][0] == plan["seeds"] >= 8
    assert data["tuned_on"][0] >= data["reported"][1]  # tuned on other seeds
    cells = [(c["condition"], c["noise"]) for c in data["cells"]]
    assert cells == list(itertools.product(plan["conditions"], plan["noises"]))
    for cell in data["cells"]:
        polar = [(p, w) for p in POLAR[:3] for w in plan["windows"][1:]]
        expected = {*polar, ("polar-only", 1), *(("momentum SGD", w) for w in plan["windows"])}
        assert {(m["pipeline"], m["window"]) for m in cell["methods"]} == expected
        for method in cell["methods"]:
            assert method["tried"][0] < method["rate"] < method["tried"][1]
            assert method["identity"] < 1e-12  # first and second order are all there is
            readings = [v for k, v in method.items() if isinstance(v, list) and k != "tried"]
            assert len(readings) == 7
            assert all(len(v) == plan["seeds"] and np.all(np.isfinite(v)) for v in readings)


def test_the_record_is_what_the_loop_gives(records):
    data, seeds = records.data, range(2)
    plan = data["plan"]
    noise = unit_noise(tuple(plan["shape"]), plan["steps"], seeds)
    (cell,) = [c for c in data["cells"] if (c["condition"], c["noise"]) == (100, 2)]
    problem = Quadratic(tuple(plan["shape"]), cell["condition"], cell["noise"])
    assert problem.sigma == pytest.approx(cell["sigma"], rel=1e-3)
    for pipeline in ("post-polar", "momentum SGD"):
        (method,) = [m for m in cell["methods"] if (m["pipeline"], m["window"]) == (pipeline, 10)]
        run = descend(problem, PIPELINES[pipeline], 10, np.array([0, method["rate"]]), seeds, noise)
        np.testing.assert_allclose(run.log_loss[1], method["log_loss"][:2], atol=3e-3)
        np.testing.assert_allclose(run.late_alignment[0], method["still_alignment"][:2], rtol=1e-3)
        np.testing.assert_allclose(run.alignment[1], method["alignment"][:2], rtol=1e-2)


def test_panels_hold_alignment_loss_and_harm(records, tmp_path, drawn):
    script("quadratic").draw(records, tmp_path)
    windows, cells = records.data["plan"]["windows"], records.data["cells"]
    (shown,) = [c for c in cells if (c["condition"], c["noise"]) == (100, 2)]
    for axes, key in zip(drawn["axes"][:2], ("small_decrease", "log_loss"), strict=True):
        for pipeline in POLAR[:3]:
            x = [reading(shown, "still_alignment", pipeline, w).mean() for w in windows]
            y = [reading(shown, key, pipeline, w) for w in windows]
            y = [np.exp(v).mean() if key == "log_loss" else v.mean() for v in y]
            np.testing.assert_allclose(axes["lines"][pipeline], np.array([x, y]).T)
    for axes, name in zip(drawn["axes"][2:], ("noise", "condition"), strict=True):
        own = [c for c in cells if c[name] == shown[name]]
        lines = {label: line for label, line in axes["lines"].items() if "best T" in label}
        assert len(lines) == len(own) == len(axes["spans"]) == 4
        for cell, (label, line) in zip(own, lines.items(), strict=True):
            ln = np.array([reading(cell, "log_loss", "pre-polar", w) for w in windows])
            np.testing.assert_allclose(line[:, 0], windows)
            np.testing.assert_allclose(line[:, 1], np.exp(ln.mean(1) - ln.mean(1).min()))
            assert label.endswith(f"best T = {windows[int(ln.mean(1).argmin())]}")


def test_the_finding_is_the_records(records, noisy, tmp_path):
    outcome = script("quadratic").draw(records, tmp_path)
    said = re.findall(NUMBER, outcome.finding)
    small, tuned = (
        correlation(noisy, "still_alignment", "small_decrease", 1),
        correlation(noisy, "still_alignment", "log_loss", -1),
    )
    assert said == [(f"{m:+.2f}", f"{h:.2f}") for m, h in (small, tuned)]
    same, against = decided(noisy, records.data["plan"]["windows"])
    assert f"of {same + against} decided pairs of pipelines {against} reverse" in outcome.finding
    harms = []
    for cell in noisy:
        ln = [reading(cell, "log_loss", "pre-polar", w).mean() for w in records.data["plan"]["windows"]]
        harms.append(np.exp(ln[-1] - min(ln)))
    assert f"costs pre-polar {min(harms):.2f} to {max(harms):.2f} times" in outcome.finding
    assert len(outcome.finding.split()) <= 45


def test_another_record_has_another_finding(records, tmp_path):
    """Losses that follow alignment exactly, and no harm of a long memory: the finding must turn round."""

    def follows(method):
        method["log_loss"] = [-x for x in method["still_alignment"]]

    module = script("quadratic")
    finding = module.draw(altered(records, tmp_path / "a.json", follows), tmp_path).finding
    assert re.findall(NUMBER, finding)[1] == ("+1.00", "0.00")
    assert " 0 reverse" in finding

    def against(method):
        method["log_loss"] = method["still_alignment"]

    finding = module.draw(altered(records, tmp_path / "b.json", against), tmp_path).finding
    assert re.findall(NUMBER, finding)[1] == ("-1.00", "0.00")
    same_or_against, reverse = re.search(r"of (\d+) decided pairs of pipelines (\d+) reverse", finding).groups()
    assert same_or_against == reverse != "0"


def test_seeds_that_differ_only_by_chance_decide_nothing(records, tmp_path):
    rng = np.random.default_rng(5)

    def chance(method):
        method["log_loss"] = list(rng.normal(size=len(method["log_loss"])))

    finding = script("quadratic").draw(altered(records, tmp_path / "c.json", chance), tmp_path).finding
    assert "of 0 decided pairs" in finding


def test_details_name_every_best_window_and_how_long_a_window_is_borne(records, tmp_path):
    outcome = script("quadratic").draw(records, tmp_path)
    plan = records.data["plan"]
    for pipeline in (*POLAR[:3], "momentum SGD"):
        rows = []
        for noise in plan["noises"]:
            parts = []
            for cell in (c for c in records.data["cells"] if c["noise"] == noise):
                ln = np.array([reading(cell, "log_loss", pipeline, w).mean() for w in plan["windows"]])
                borne = [w for w, x in zip(plan["windows"], ln, strict=True) if np.exp(x - ln.min()) <= 1.1]
                parts.append(f"{plan['windows'][int(ln.argmin())]} ({borne[-1]})")
            rows.append(f"{noise}: {', '.join(parts)}")
        assert f" {pipeline} {'; '.join(rows)}" in outcome.details
