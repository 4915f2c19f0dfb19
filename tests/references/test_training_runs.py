"""Training: the same seed is the same data for every pipeline, what is hidden, what is recorded, and that losses fall."""

import itertools
import math
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: make references or make training")
pytest.importorskip("sklearn", reason="needs scikit-learn: make references or make training")
sys.path.append(str(Path(__file__).parents[2] / "experiments"))  # the training is a package of scripts beside the experiments

from training import recordings
from training.fit import Setting, fit
from training.optimizer import PIPELINES
from training.recordings import FRESH_BATCHES, Job, recorded
from training.stage import rounded
from training.tasks import FRESH, QUICK, TASKS, TRAINING_IMAGES, TWIN, loss
from training.text import CHARACTERS, VOCABULARY, text, tokens

torch.set_num_threads(1)  # matrices are small
RATE = {"gpt": 0.05, "digits": 0.1}


def test_hidden_matrices_are_those_between_embeddings_and_output():
    parts = {f"blocks.{i}.{x}.weight" for i in (0, 1) for x in ("query", "key", "value", "out", "up", "down")}
    assert set(TASKS["gpt"].hidden(TASKS["gpt"].model(0))) == parts
    assert set(TASKS["digits"].hidden(TASKS["digits"].model(0))) == {"0.weight", "2.weight"}
    for task in (*TASKS.values(), *QUICK.values()):
        assert set(task.recorded) <= set(task.hidden(task.model(0)))


@pytest.mark.parametrize("name", QUICK)
def test_a_seed_fixes_weights_batches_and_run(name):
    task = QUICK[name]
    first, again = (next(task.batches(3)) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    for other in (task.batches(4), task.batches(3, FRESH)):
        assert not torch.equal(first[0], next(other)[0])
    assert all(torch.equal(a, b) for a, b in zip(task.model(3).parameters(), task.model(3).parameters(), strict=True))
    state = torch.get_rng_state()
    runs = [fit(Setting(task, "pre-polar", RATE[name], 3)) for _ in range(2)]
    assert runs[0].curve == runs[1].curve
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize("name", QUICK)
def test_pipelines_see_the_same_first_loss_and_learn(name):
    task = QUICK[name]
    rates = dict.fromkeys(PIPELINES, RATE[name]) | {"momentum SGD": 3.0, "post-polar": 3 * RATE[name]}
    curves = {p: fit(Setting(task, p, rate, 0)).curve for p, rate in rates.items()}
    assert len({curve[0] for curve in curves.values()}) == 1  # one step a point
    assert len({curve[-1] for curve in curves.values()}) == len(curves)
    still = fit(Setting(replace(task, adam=0.0), "pre-polar", 0.0, 0))
    assert all(np.mean(curve[-8:]) < np.mean(still.curve[-8:]) - 0.5 for curve in curves.values())


def test_a_run_that_diverges_is_no_number():
    run = fit(Setting(QUICK["digits"], "momentum SGD", 1e30, 0))
    assert math.isnan(run.training)
    assert math.isnan(run.validation)
    assert rounded({"a": [run.training, 0.12345678]}) == {"a": [None, 0.123457]}


def test_validation_is_not_trained_on():
    inputs, _ = QUICK["digits"].validation()
    assert len(inputs) == 1797 - TRAINING_IMAGES
    found = text()
    assert 0.02 < len(found.validation) / len(found.training) < 0.3
    assert found.source["bytes"] == len(found.validation) + len(found.training)


def test_characters_are_tokens_in_order():
    known = CHARACTERS.encode()
    assert tokens(known).tolist() == list(range(VOCABULARY - 1))
    assert tokens("é\t".encode()).tolist() == [VOCABULARY - 1] * 3
    inputs, targets = TASKS["gpt"].validation()
    assert torch.equal(inputs[:, 1:], targets[:, :-1])


@pytest.mark.parametrize("name", QUICK)
def test_recordings_are_the_gradients(name, tmp_path):
    task = QUICK[name]
    job = Job(name, Setting(task, "pre-polar", RATE[name], 5), tmp_path)
    made = {path.name: np.load(path) for path in recorded(job)}
    layer = task.recorded[0].removesuffix(".weight")
    trajectory, stationary = (made[f"{name}-{layer}-{kind}-5.npy"] for kind in ("trajectory", "stationary"))
    assert trajectory.dtype == stationary.dtype == np.float32
    assert (len(trajectory), len(stationary)) == (task.steps, FRESH_BATCHES)
    first, middle = task.model(5), task.model(5)
    fit(job.setting, lambda step, model: middle.load_state_dict(model.state_dict()) if step == task.steps // 2 else None)
    for model, found, stream in ((first, trajectory, task.batches(5)), (middle, stationary, task.batches(5, FRESH))):
        loss(model, next(stream)).backward()
        np.testing.assert_array_equal(found[0], model.get_parameter(task.recorded[0]).grad.numpy())
        assert not np.array_equal(found[0], found[1])


@pytest.mark.parametrize("name", QUICK)
def test_a_twin_is_another_batch_at_the_same_weights_and_changes_no_training(name, tmp_path):
    task = QUICK[name]
    job = Job(name, Setting(task, "momentum SGD", RATE[name], 5), tmp_path)
    layer = task.recorded[0].removesuffix(".weight")
    made = {path.name: np.load(path) for path in recorded(job)}
    assert {name.split("-")[2] for name in made} == {"trajectory", "twin"}
    trajectory, twin = (made[f"{name}-{layer}-{kind}-5.npy"] for kind in ("trajectory", "twin"))
    plain, at = [], {}

    def watch(step, model):
        plain.append(model.get_parameter(task.recorded[0]).grad.numpy().copy())
        if step == 7:
            at.update({key: value.clone() for key, value in model.state_dict().items()})

    fit(job.setting, watch)
    np.testing.assert_array_equal(trajectory, np.stack(plain))  # bit for bit as without a twin
    assert twin.shape == trajectory.shape
    assert all(not np.array_equal(a, b) for a, b in zip(twin, trajectory, strict=True))
    model = task.model(5)
    model.load_state_dict(at)
    loss(model, next(itertools.islice(task.batches(5, TWIN), 7, None))).backward()
    np.testing.assert_array_equal(twin[7], model.get_parameter(task.recorded[0]).grad.numpy())


def test_what_is_committed_is_among_the_recordings():
    names = {
        f"{name}-{layer.removesuffix('.weight')}-{kind}-{seed}"
        for name, task in TASKS.items() for layer in task.recorded
        for kind in recordings.KINDS for seed in recordings.SEEDS
    }  # fmt: skip
    assert set(recordings.COMMITTED) <= names
