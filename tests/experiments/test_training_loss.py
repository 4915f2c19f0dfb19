"""The figure of training loss holds what is on record, and its finding turns round with the record."""

import copy
import json

import numpy as np
import pytest
from harness import ROOT, script
from scipy.stats import ttest_rel

from spikesim.records import Records

RECORDS = Records.from_toml(ROOT / "experiments" / "training_loss.toml")
PIPELINES = ("pre-polar", "post-polar", "polar-only", "re-polarised", "momentum SGD")


def altered(tmp_path, change):
    """The record after change(study), study by study."""
    data = copy.deepcopy(RECORDS.data)
    for study in data["studies"]:
        change(study)
    file = tmp_path / "loss.json"
    file.write_text(json.dumps(data))
    return Records(RECORDS.title, file)


def less(study, name, other="pre-polar", key="training"):
    """Mean and half of the 95 % interval of a paired difference."""
    found = ttest_rel(*(np.array(study["pipelines"][p][key]) for p in (name, other)))
    low, high = found.confidence_interval(0.95)
    return (high + low) / 2, (high - low) / 2


def signed(mean, half):
    return f"{mean:+.3f} ± {half:.3f}".replace("-", "−")


def test_the_record_is_whole_and_tuned_apart_from_what_is_reported():
    settings = RECORDS.data["settings"]
    assert not RECORDS.data["quick"]
    assert not set(settings["tuning_seeds"]) & set(settings["reported_seeds"])
    assert [(s["task"], s["beta"]) for s in RECORDS.data["studies"]][:2] == [("gpt", 0.95), ("digits", 0.95)]
    for study in RECORDS.data["studies"]:
        assert set(study["pipelines"]) == set(PIPELINES) - ({"polar-only"} if study["beta"] != 0.95 else set())
        for found in study["pipelines"].values():
            assert {len(found[key]) for key in ("training", "validation", "curve")} == {len(settings["reported_seeds"])}
            end = np.array(found["curve"])[:, -round(settings["end"] * len(found["curve"][0])) :].mean(1)
            np.testing.assert_allclose(found["training"], end, rtol=1e-5)


def test_every_best_rate_is_inside_a_grid_of_one_ratio_and_length():
    for study in RECORDS.data["studies"]:
        grids = [found["tuning"] for found in study["pipelines"].values()]
        assert len({len(grid["rates"]) for grid in grids}) == 1
        for grid, found in zip(grids, study["pipelines"].values(), strict=True):
            assert np.array(grid["training"], float).shape == (
                len(grid["rates"]),
                len(RECORDS.data["settings"]["tuning_seeds"]),
            )
            np.testing.assert_allclose(np.diff(np.log2(grid["rates"])), 1, atol=1e-4)
            at = int(np.nanargmin(np.array(grid["training"], float).mean(1)))
            assert found["rate"] == grid["rates"][at]
            assert 2 <= at < len(grid["rates"]) - 2


def test_lines_are_the_records(tmp_path, drawn):
    script("training_loss").draw(RECORDS, tmp_path)
    studies = RECORDS.data["studies"]
    for row, study in enumerate(studies[:2]):
        curves, rates, momenta = (drawn["axes"][3 * row + k]["lines"] for k in range(3))
        base = np.array(study["pipelines"]["pre-polar"]["training"])
        for name, found in study["pipelines"].items():
            curve = np.array(found["curve"]).mean(0).reshape(16, -1).mean(1)
            np.testing.assert_allclose(curves[name][:, 1], curve)
            np.testing.assert_allclose(rates[name][:, 0], found["tuning"]["rates"])
            np.testing.assert_allclose(rates[name][:, 1], np.array(found["tuning"]["training"], float).mean(1))
            same = sorted((s["beta"], s["pipelines"][name]["training"]) for s in studies
                          if s["task"] == study["task"] and name in s["pipelines"])  # fmt: skip
            np.testing.assert_allclose(momenta[name][:, 1], [(np.array(x) - base).mean() for _, x in same], atol=1e-12)
        assert curves["pre-polar"][-1, 0] == RECORDS.data["settings"]["tasks"][study["task"]]["steps"] * (1 - 1 / 32)


def test_the_finding_has_paired_differences(tmp_path):
    outcome = script("training_loss").draw(RECORDS, tmp_path)
    assert len(outcome.finding.split()) <= 45
    for study in RECORDS.data["studies"][:2]:
        for name in ("post-polar", "polar-only"):
            assert f"{name} {signed(*less(study, name))}" in outcome.finding
    for study in RECORDS.data["studies"]:
        for name in set(study["pipelines"]) - {"pre-polar"}:
            assert signed(*less(study, name)) in outcome.details
            assert signed(*less(study, name, key="validation")) in outcome.details


@pytest.mark.parametrize(
    ("tasks", "where"),
    [(("gpt", "digits"), "both"), (("digits",), "perceptron alone"), ((), "neither")],
)  # fmt: skip
def test_the_finding_turns_with_the_record(tasks, where, tmp_path):
    def ordered(study):
        sign = 1 if study["task"] in tasks else -1
        base = np.array(study["pipelines"]["pre-polar"]["training"])
        ripple = np.resize([0.01, -0.01], base.size)
        for k, name in enumerate(PIPELINES[1:3], 1):
            if name in study["pipelines"]:
                study["pipelines"][name]["training"] = (base + sign * 0.1 * k + ripple * k).tolist()

    finding = script("training_loss").draw(altered(tmp_path, ordered), tmp_path).finding
    assert f"Pre-polar leads in {where}; the paper's post-polar ahead of polar-only shows in {where}." in finding


def test_an_order_within_its_uncertainty_does_not_show(tmp_path):
    def noisy(study):
        base = np.array(study["pipelines"]["pre-polar"]["training"])
        for k, name in enumerate(PIPELINES[1:3], 1):
            if name in study["pipelines"]:
                study["pipelines"][name]["training"] = (base + 0.01 * k + 0.2 * k * np.resize([1, -1], base.size)).tolist()

    finding = script("training_loss").draw(altered(tmp_path, noisy), tmp_path).finding
    assert "leads in neither;" in finding
    assert "shows in neither." in finding


def test_who_ties_in_validation_is_said(tmp_path):
    assert "In validation GPT polar-only (" in script("training_loss").draw(RECORDS, tmp_path).finding

    def far(study):
        for name in PIPELINES[1:3]:
            if name in study["pipelines"]:
                study["pipelines"][name]["validation"] = (
                    np.array(study["pipelines"]["pre-polar"]["validation"]) + 9
                ).tolist()

    assert "In validation" not in script("training_loss").draw(altered(tmp_path, far), tmp_path).finding


def test_a_best_rate_at_the_end_of_its_grid_is_refused(tmp_path):
    def cut(study):
        for found in study["pipelines"].values():
            at = found["tuning"]["rates"].index(found["rate"])
            found["tuning"] = {key: x[at:] if isinstance(x, list) else x for key, x in found["tuning"].items()}

    with pytest.raises(ValueError, match="need a best rate inside its grid, got rate="):
        script("training_loss").draw(altered(tmp_path, cut), tmp_path)
