"""Figures of probed training hold what is on record, and their findings turn round with the record."""

import copy
import json
import shutil

import numpy as np
import pytest
from harness import ROOT, recorded, script
from scipy.stats import t, ttest_rel

from spikesim.records import Records
from spikesim.trained import NEXT, STATIONARY, TASKS, TWIN, Trained, interval, shown

NAMES = ("training_spectra", "training_stationary", "training_alignment", "training_trajectory", "training_angles")
RECORDS = recorded("training_alignment")
LAYERS = {"gpt": ["blocks.0.value", "blocks.1.out", "blocks.1.down"], "digits": ["0", "2"]}


def altered(tmp_path, change, *against):
    """The record after change(probe) of the main training's probes of some kinds."""
    data = copy.deepcopy(RECORDS.data)
    for probe in data["probes"]:
        if probe["trained"] == "pre-polar" and probe["against"] in against:
            change(probe)
    shutil.copyfile(RECORDS.file.with_name("loss.json"), tmp_path / "loss.json")
    file = tmp_path / "probes.json"
    file.write_text(json.dumps(data))
    return Records("altered", file)


def table(against, task, key):
    """key(probe) of the main training, (seed, ...), mean over layers; read without Trained."""
    found = {}
    for p in RECORDS.data["probes"]:
        if (p["trained"], p["task"], p["against"]) == ("pre-polar", task, against):
            found.setdefault(p["seed"], []).append(np.array(key(p), float))
    assert [len(x) for x in found.values()] == [len(LAYERS[task])] * 5
    return np.array([np.mean(found[seed], axis=0) for seed in sorted(found)])


def words(samples, digits=2):
    mean, half = np.mean(samples), t.ppf(0.975, len(samples) - 1) * np.std(samples, ddof=1) / len(samples) ** 0.5
    return f"{mean:.{digits}f} ± {half:.{digits}f}".replace("-", "−")


def test_the_record_is_whole_and_small():
    assert not RECORDS.data["quick"]
    assert RECORDS.file.stat().st_size < 500_000
    assert 0 < RECORDS.seconds < 1800
    names = {(p["trained"], p["task"], p["layer"], p["against"], p["seed"]) for p in RECORDS.data["probes"]}
    kinds = [("pre-polar", (STATIONARY, TWIN, NEXT)), ("momentum SGD", (TWIN, NEXT)), ("post-polar", (TWIN, NEXT))]
    assert names == {(p, task, layer, against, seed) for p, each in kinds for against in each
                     for task, layers in LAYERS.items() for layer in layers for seed in range(5)}  # fmt: skip
    assert len(RECORDS.data["probes"]) == len(names)


def test_a_seed_that_is_missing_is_refused(tmp_path):
    found = altered(tmp_path, lambda probe: probe.update(seed=9) if probe["seed"] == 4 else None, TWIN)
    with pytest.raises(ValueError, match=r"need probes of seeds \[0, 1, 2, 3, 4\]"):
        Trained(found).read(TWIN, "gpt", "blocks.1.out", "scale")


def test_intervals_are_students_over_seeds():
    x = np.random.default_rng(0).normal(size=(5, 3))
    mean, half = interval(x)
    low, high = ttest_rel(x, np.zeros_like(x)).confidence_interval(0.95)
    np.testing.assert_allclose([mean - half, mean + half], [low, high])
    assert shown([-1.0, -2.0, -3.0], 1) == "−2.0 ± 2.5"


@pytest.mark.parametrize("name", NAMES)
def test_findings_are_one_short_sentence_or_two(name, tmp_path):
    outcome = script(name).draw(recorded(name), tmp_path)
    assert len(outcome.finding.split()) <= 45
    assert "nan" not in outcome.finding + outcome.details


def test_spectra_have_the_slopes_of_the_record(tmp_path, drawn):
    finding = script("training_spectra").draw(RECORDS, tmp_path).finding
    x = np.log(2 * np.array(RECORDS.data["settings"]["windows"][STATIONARY]) - 1)

    def slope(probe, k):
        y = np.log(np.array(probe["spectrum"])[:, k])
        return np.polyfit(x, y, 1)[0]

    for task in LAYERS:
        head = table(STATIONARY, task, lambda p: slope(p, 0))
        tail = table(STATIONARY, task, lambda p: slope(p, p["ranks"]["signed_noise"]))
        assert f"{words(head)}, {words(tail)}" in finding
    white = drawn["axes"][2]["lines"]["white noise, −1/2"]
    np.testing.assert_allclose(np.diff(np.log(white[:, 1])) / np.diff(np.log(white[:, 0])), -0.5)


@pytest.mark.parametrize(("tail", "where"), [(-0.5, "in both"), (0.0, "in neither")])
def test_the_spectra_finding_turns_with_the_record(tail, where, tmp_path):
    def bent(probe):
        windows = np.array(RECORDS.data["settings"]["windows"][probe["against"]])
        ratio = np.tile((2 * windows[:, None] - 1) ** tail, (1, len(probe["spectrum"][0])))
        ratio[:, 0] = (2 * windows - 1) ** (-0.2 - 0.01 * probe["seed"])
        probe["spectrum"] = (ratio * np.array(probe["spectrum"][0])).tolist()

    finding = script("training_spectra").draw(altered(tmp_path, bent, STATIONARY, TWIN), tmp_path).finding
    assert f"head falls slower than tail {where}, in training {where}" in finding


def test_the_stationary_finding_holds_the_record(tmp_path, drawn):
    finding = script("training_stationary").draw(RECORDS, tmp_path).finding
    at = RECORDS.data["settings"]["windows"][STATIONARY].index(20)
    for row, task in enumerate(LAYERS):
        curves = {p: table(STATIONARY, task, lambda x, p=p: np.array(x["decrease"][p]) / x["scale"][0])
                  for p in ("pre-polar", "post-polar", "polar-only")}  # fmt: skip
        assert ", ".join(words(x[:, at]) for x in curves.values()) in finding
        for p, x in curves.items():
            np.testing.assert_allclose(drawn["axes"][3 * row]["lines"][p][:, 1], x.mean(0))


def test_the_stationary_order_turns_with_the_record(tmp_path):
    def ordered(probe):
        for k, name in enumerate(("polar-only", "post-polar", "pre-polar")):
            level = [(0.2 + 0.2 * k + 0.001 * probe["seed"] * k) * probe["scale"][0]] * len(probe["predicted"])
            probe["decrease"][name] = level if probe["task"] == "digits" else level[::-1]
        if probe["task"] == "gpt":
            probe["decrease"]["pre-polar"] = probe["decrease"]["polar-only"]

    finding = script("training_stationary").draw(altered(tmp_path, ordered, STATIONARY), tmp_path).finding
    assert finding.endswith("Pre-polar leads in the perceptron alone, post-polar leads polar-only in both.")


def test_windows_of_the_most_alignment_and_of_the_least_loss(tmp_path, drawn):
    script("training_alignment").draw(RECORDS, tmp_path)
    losses = json.loads(RECORDS.file.with_name("loss.json").read_text())["studies"]
    for row, task in enumerate(LAYERS):
        mean = {1 / (1 - s["beta"]): np.mean(s["pipelines"]["pre-polar"]["training"]) for s in losses if s["task"] == task}
        mean[1.0] = np.mean(next(s for s in losses if s["task"] == task)["pipelines"]["polar-only"]["training"])
        line = drawn["axes"][3 * row + 2]["lines"]["final loss, best rate"]
        expected = [[window, mean[window] - mean[min(mean, key=lambda w: abs(w - 20))]] for window in sorted(mean)]
        np.testing.assert_allclose(line, expected, atol=1e-9)
        found = table(TWIN, task, lambda p: np.array(p["decrease"]["pre-polar"]) / p["scale"][0])
        np.testing.assert_allclose(drawn["axes"][3 * row]["lines"]["pre-polar"][:, 1], found.mean(0))


def test_the_alignment_finding_turns_with_the_record(tmp_path):
    def rising(probe):
        probe["decrease"]["pre-polar"] = [k + 1.0 for k in range(len(probe["decrease"]["pre-polar"]))]

    finding = script("training_alignment").draw(altered(tmp_path, rising, TWIN), tmp_path).finding
    assert "most at T = 20 to 20 (GPT), 20 to 20 (perceptron); T = 20 keeps 1.00 ± 0.00, 1.00 ± 0.00 of it" in finding


def test_the_trajectory_finding_holds_all_three(tmp_path):
    outcome = script("training_trajectory").draw(RECORDS, tmp_path)
    for against, key in ((TWIN, "decrease"), (NEXT, "decrease"), (TWIN, "inside")):
        each = []
        for task in LAYERS:
            scales = {(p["layer"], p["seed"]): p["scale"][0] for p in RECORDS.data["probes"]
                      if (p["trained"], p["task"], p["against"]) == ("pre-polar", task, TWIN)}  # fmt: skip
            found = table(against, task, lambda p, s=scales, k=key: np.mean(p["paths"][k]["pre-polar"])
                          / (s[p["layer"], p["seed"]] if k == "decrease" else 1))  # fmt: skip
            each.append(words(found))
        assert ", ".join(each) in outcome.finding
    assert "surely below 0 in: GPT, perceptron:" in outcome.details


def test_white_noise_alone_aligns_with_the_mean_of_its_buffer():
    said = script("training_trajectory").noise_alone(Trained(RECORDS))
    rng, found = np.random.default_rng(0), []
    for _ in range(40):
        noise = rng.standard_normal((200, 32, 32))
        u, _, vt = np.linalg.svd(np.tensordot(0.95 ** np.arange(199, -1, -1), noise, axes=1))
        mean = noise[-80:].mean(0)
        found.append(np.sum(u @ vt * mean) / np.linalg.svd(mean, compute_uv=False).sum())
    error = np.std(found) / len(found) ** 0.5
    assert abs(np.mean(found) - said) < 4 * error < 0.02


def test_next_steps_within_their_uncertainty_are_not_below_zero(tmp_path):
    def noisy(probe):
        size = len(probe["paths"]["step"])
        probe["paths"]["decrease"]["pre-polar"] = [(-0.01 + 0.02 * (probe["seed"] - 2)) * probe["scale"][0]] * size

    details = script("training_trajectory").draw(altered(tmp_path, noisy, NEXT), tmp_path).details
    assert "surely below 0 in: neither:" in details


def test_the_angles_finding_holds_the_record_and_turns(tmp_path):
    module = script("training_angles")
    finding = module.draw(RECORDS, tmp_path).finding
    for task, word in TASKS.items():
        each = [words(table(TWIN, task, lambda p, s=s: np.mean(p["paths"][s]["20"][0]))) for s in ("left", "right")]
        assert f"{', '.join(each)} ({word})" in finding
    assert "the right is nearer in both" in finding

    def swapped(probe):
        probe["paths"]["left"], probe["paths"]["right"] = probe["paths"]["right"], probe["paths"]["left"]

    assert "the left is nearer in both" in module.draw(altered(tmp_path, swapped, TWIN), tmp_path).finding


def test_what_is_committed_is_what_was_probed():
    gradients = ROOT / "experiments" / "data" / "gradients"
    shapes = {p.name: np.load(p, mmap_mode="r").shape for p in gradients.glob("*.npy")}
    assert shapes["gpt-blocks.1.out-twin-0.npy"] == shapes["gpt-blocks.1.out-trajectory-0.npy"]
    assert sum(p.stat().st_size for p in gradients.glob("*.npy")) <= 7_500_000
    assert all(name in (gradients / "README.md").read_text() for name in shapes)
