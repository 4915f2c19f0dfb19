"""Descent on the noisy quadratic: against a plain loop, the exact second-order identity, and how rates are found."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from harness import ROOT

sys.path.append(str(ROOT / "experiments"))  # what trains is a package of scripts beside the experiments

from training import quadratic
from training.quadratic_loop import PIPELINES, Quadratic, descend, unit_noise

SHAPE, STEPS, SEEDS = (5, 7), 30, range(3, 6)
NOISY = Quadratic(SHAPE, 100.0, 2.0)
RATES = np.array([0.0, 0.01, 0.04])


def polar(x):
    u, _, vt = np.linalg.svd(x, full_matrices=False)
    return u @ vt


def by_hand(name, beta, rate, error, noise, a, b):
    """Losses, alignments and updates of one run with dense A and B, by SVD; noise (steps, m, n) has its size."""
    buffer, losses, alignments, updates = np.zeros_like(error), [], [], []
    for xi in noise:
        signal = a @ error @ b
        losses.append(np.trace(error.T @ a @ error @ b) / 2)
        gradient = signal + xi
        entering = polar(gradient) if name in ("post-polar", "re-polarised") else gradient
        buffer = beta * buffer + (1 - beta) * entering
        update = {
            "pre-polar": lambda x: polar(x),
            "post-polar": lambda x: x,
            "re-polarised": lambda x: polar(x),
            "momentum SGD": lambda x: x,
        }.get(name, lambda _, g=gradient: polar(g))(buffer)
        inner = np.trace(update.T @ signal)
        alignments.append(inner / np.linalg.norm(signal, "nuc"))
        updates.append(update)
        error = error - rate * update
    losses.append(np.trace(error.T @ a @ error @ b) / 2)
    return np.array(losses), np.array(alignments), updates


def diagonals(problem):
    return [np.diag(np.geomspace(1, problem.condition**-0.5, size)) for size in problem.shape]


@pytest.mark.parametrize("name", PIPELINES)
def test_the_loop_is_the_plain_loop(name):
    noise = unit_noise(SHAPE, STEPS, SEEDS)
    run = descend(NOISY, PIPELINES[name], 5.0, RATES, SEEDS, noise)
    start = NOISY.start(SEEDS)
    for i, rate in enumerate(RATES):
        for j in range(len(SEEDS)):
            losses, alignments, _ = by_hand(name, 0.8, rate, start[j], NOISY.sigma * noise[:, j], *diagonals(NOISY))
            np.testing.assert_allclose(run.loss[:, i, j], losses, rtol=1e-9)
            assert run.alignment[i, j] == pytest.approx(alignments.mean(), abs=1e-9)
            assert run.late_alignment[i, j] == pytest.approx(alignments[STEPS // 2 :].mean(), abs=1e-9)
            assert run.log_loss[i, j] == pytest.approx(np.log(losses[-3:].mean() / losses[0]), abs=1e-9)
    others = {n: descend(NOISY, PIPELINES[n], 5.0, RATES, SEEDS, noise).loss for n in PIPELINES if n != name}
    for other, loss in others.items():  # the comparison can tell pipelines apart
        assert np.abs(loss[:, 2] / run.loss[:, 2] - 1).max() > 1e-3, other


@pytest.mark.parametrize("name", PIPELINES)
def test_a_step_and_a_run_change_the_loss_by_first_and_second_order_and_nothing_else(name):
    noise = unit_noise(SHAPE, STEPS, SEEDS)
    run = descend(NOISY, PIPELINES[name], 5.0, RATES, SEEDS, noise)
    np.testing.assert_allclose(run.loss[-1] - run.loss[0], run.second_order - run.first_order, atol=1e-12)
    assert np.all(run.second_order[1:] > 1e-6)
    start = NOISY.start(SEEDS)[0]
    losses, _, updates = by_hand(name, 0.8, 0.04, start, NOISY.sigma * noise[:, 0], *diagonals(NOISY))
    error = start
    for t, update in enumerate(updates):  # each step alone, with q as a trace of dense matrices
        a, b = diagonals(NOISY)
        first, q = np.trace(update.T @ a @ error @ b), np.trace(update.T @ a @ update @ b)
        assert losses[t + 1] - losses[t] == pytest.approx(-0.04 * first + 0.04**2 / 2 * q, abs=1e-12)
        error = error - 0.04 * update


def test_the_gain_of_a_still_point_is_that_of_the_best_rate_for_each_step():
    noise = unit_noise(SHAPE, STEPS, SEEDS)
    run = descend(NOISY, PIPELINES["pre-polar"], 5.0, RATES[:1], SEEDS, noise)
    start, (a, b) = NOISY.start(SEEDS)[1], diagonals(NOISY)
    losses, _, updates = by_hand("pre-polar", 0.8, 0.0, start, NOISY.sigma * noise[:, 1], a, b)
    rates = np.linspace(0, 3, 3001)

    def best(update):
        moved = start - rates[:, None, None] * update
        return 1 - (np.einsum("rij,ik,rkl,lj->r", moved, a, moved, b) / 2).min() / losses[0]

    assert run.late_gain[0, 1] == pytest.approx(np.mean([best(u) for u in updates[STEPS // 2 :]]), rel=1e-4)


@pytest.mark.parametrize("condition", [1.0, 100.0])
def test_polar_only_without_noise_falls_at_every_step_until_a_step_is_too_long(condition):
    problem = Quadratic(SHAPE, condition, 0.0)
    noise = unit_noise(SHAPE, 40, SEEDS)
    rate = 0.2 * problem.start_scale / 40
    loss = descend(problem, PIPELINES["polar-only"], 1.0, np.array([rate, 200 * rate]), SEEDS, noise).loss
    assert np.all(np.diff(loss[:, 0], axis=0) < 0)
    assert np.any(np.diff(loss[:, 1], axis=0) > 0)


def test_at_window_one_every_polar_pipeline_is_polar_only():
    noise = unit_noise(SHAPE, STEPS, SEEDS)
    runs = [descend(NOISY, PIPELINES[p], 1.0, RATES, SEEDS, noise).loss for p in PIPELINES if p != "momentum SGD"]
    for loss in runs[1:]:
        np.testing.assert_allclose(loss, runs[0], rtol=1e-9)


def test_a_seed_and_a_rate_are_the_same_in_any_company():
    many = descend(NOISY, PIPELINES["re-polarised"], 5.0, RATES, SEEDS, unit_noise(SHAPE, STEPS, SEEDS))
    for j, seed in enumerate(SEEDS):
        alone = range(seed, seed + 1)
        one = descend(NOISY, PIPELINES["re-polarised"], 5.0, RATES[2:], alone, unit_noise(SHAPE, STEPS, alone))
        np.testing.assert_array_equal(one.loss[:, 0, 0], many.loss[:, 2, j])
        np.testing.assert_array_equal(one.alignment[0, 0], many.alignment[2, j])


def test_loss_at_the_start_and_noise_are_of_the_stated_size():
    problem, seeds = Quadratic((12, 18), 50.0, 3.0), range(400)
    start = problem.start(seeds)
    loss = descend(problem, PIPELINES["momentum SGD"], 1.0, np.zeros(1), seeds, np.zeros((1, 400, 12, 18)), False).loss[0, 0]
    assert abs(loss.mean() - 1) < 4.4 * loss.std() / 20  # 4.4 standard errors: 1e-5
    squares = np.sum((start * problem.curvature) ** 2, axis=(1, 2))
    ratio = problem.sigma**2 * 12 * 18 / 9
    assert abs(squares.mean() - ratio) < 4.4 * squares.std() / 20
    assert problem.curvature.max() / problem.curvature.min() == pytest.approx(50)
    assert abs(loss.mean() - 1.2) > 4.4 * loss.std() / 20  # what is a fifth off would be seen


def test_the_best_rate_is_inside_the_rates_tried_wherever_it_lies():
    for target in (1e-3, 0.9, 3e4):
        rate, tried = quadratic.tuned(lambda r, t=target: np.log(r / t) ** 2, 1.0)
        assert rate == pytest.approx(target)
        assert tried[0] < rate < tried[-1]
    rate, _ = quadratic.tuned(lambda r: np.where(r > 5, np.inf, -r), 1.0)  # nothing to interpolate beside a cliff
    assert rate == 4.0
    with pytest.raises(RuntimeError, match="no best learning rate"):
        quadratic.tuned(lambda r: -r, 1.0)


def test_divergence_is_a_loss_that_is_never_chosen():
    problem, noise = Quadratic(SHAPE, 1.0, 0.0), unit_noise(SHAPE, 400, SEEDS)
    run = descend(problem, PIPELINES["momentum SGD"], 1.0, np.array([1e3, 0.01]), SEEDS, noise, watch=False)
    assert np.all(np.isinf(run.log_loss[0]))
    assert np.all(run.log_loss[1] < 0)


@pytest.mark.parametrize("bad", [{"condition": 0.5, "noise": 1.0}, {"condition": 2.0, "noise": -1.0}])
def test_impossible_problems_are_refused(bad):
    with pytest.raises(ValueError, match=r"need (condition >= 1|noise >= 0), got"):
        Quadratic(SHAPE, **bad)


def test_the_record_does_not_depend_on_cores_and_tunes_on_other_seeds(tmp_path, monkeypatch):
    plan = quadratic.Plan((4, 6), 20, (1, 10), (1,), (1, 5), 2, 3)
    one, two = (quadratic.measured(plan, cores, lambda _: None) for cores in (1, 2))
    assert one == two
    assert (one["reported"], one["tuned_on"]) == ([0, 3], [3, 5])
    methods = one["cells"][0]["methods"]
    assert [(m["pipeline"], m["window"]) for m in methods] == plan.methods
    assert all(m["tried"][0] < m["rate"] < m["tried"][1] and len(m["log_loss"]) == 3 for m in methods)
    assert all(m["identity"] < 1e-12 for m in methods)
    monkeypatch.setattr(quadratic, "QUICK", plan)
    monkeypatch.setattr(sys, "argv", ["quadratic", "--quick", "--out", str(tmp_path / "deep" / "record.json")])
    quadratic.main()
    written = json.loads(Path(tmp_path / "deep" / "record.json").read_text())
    assert written["quick"] is True
    assert written["cells"] == json.loads(json.dumps(one["cells"]))
