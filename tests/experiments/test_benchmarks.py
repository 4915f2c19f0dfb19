"""The benchmark's harness, its page, and its peers: each computes what spikesim computes."""

import importlib
import importlib.util
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from harness import ROOT
from peers import SMALL, TRIALS, apart, simulated

import spikesim as ss
from spikesim import benchmark

sys.path.append(str(ROOT / "experiments"))  # the benchmark is a package of scripts beside the experiments

from benchmarks import figure
from benchmarks.comparisons import COMPARISONS
from benchmarks.contenders import JAX, SPIKESIM, Contender
from benchmarks.harness import FailedError, Ratio, Runner, calibrated, environment, in_turn
from benchmarks.targets import slope, targets
from benchmarks.workloads import THREE, Problem, chunk_weights

from spikesim.minimax import schedule

PEERS = {"plain_numpy": "numpy", "torch_svd": "torch", "torch_gram": "torch", "jax_vmap": "jax"}


def peer(name):
    module = importlib.import_module(f"benchmarks.{name}")
    if name == "jax_vmap" and hasattr(os, "sched_setaffinity"):  # its threads, made here, would wait for each other
        cores = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {min(cores)})
        module.jax.devices()
        os.sched_setaffinity(0, cores)
    return module


@pytest.fixture(params=PEERS)
def module(request):
    if importlib.util.find_spec(PEERS[request.param]) is None:
        pytest.skip(f"{PEERS[request.param]} is not installed: make bench has it")
    return peer(request.param)


@pytest.fixture(scope="module")
def expected():
    return simulated()


def test_a_peer_measures_what_spikesim_measures(module, expected):
    found = module.observables(SMALL, TRIALS, seed=1, dtype="float64", truncated=True)
    assert set(found) == set(expected)
    for name in sorted(set(found) - {"bias_squared", "variance"}):
        assert found[name].shape == expected[name].shape, name
        np.testing.assert_array_equal(np.isnan(found[name]).any(0), np.isnan(expected[name]).any(0), err_msg=name)
        assert np.isnan(found[name]).all(0).tolist() == np.isnan(found[name]).any(0).tolist(), name
        if not np.isnan(found[name]).all():
            assert apart(found[name], expected[name]) < 5, name
    np.testing.assert_allclose(found["variance"], expected["variance"], rtol=0.1)
    np.testing.assert_allclose(found["bias_squared"], expected["bias_squared"], rtol=0.1, atol=0.05)


def test_a_wrong_signal_is_seen(expected):
    wrong = Problem(SMALL.shape, (6.3, 4.0), SMALL.sigma, SMALL.windows, SMALL.steps)
    found = peer("plain_numpy").observables(wrong, TRIALS, seed=1, dtype="float64", truncated=True)
    assert apart(found["singular_values"], expected["singular_values"]) > 5


@pytest.mark.parametrize("pipelines", [("pre-polar", "post-polar", "polar-only", "re-polarised"), THREE])
def test_alignment_alone_is_the_alignment_of_all(module, pipelines):
    every = module.observables(SMALL, 4, seed=3, dtype="float64", truncated=False)["alignment"]
    alone = module.alignment(SMALL, 4, seed=3, dtype="float64", pipelines=pipelines)["alignment"]
    np.testing.assert_allclose(alone, every[:, : len(pipelines)], atol=1e-10)


def test_truncation_changes_nothing_else(module):
    every = module.observables(SMALL, 4, seed=3, dtype="float64", truncated=True)
    core = module.observables(SMALL, 4, seed=3, dtype="float64", truncated=False)
    assert set(every) - set(core) == {"alignment_truncated"}
    for name in core:
        np.testing.assert_allclose(core[name], every[name], atol=1e-8, err_msg=name)


def test_trials_of_numpy_do_not_depend_on_threads_and_gram_is_svd():
    numpy_peer = peer("plain_numpy")
    one = numpy_peer.observables(SMALL, 3, seed=5, dtype="float64", truncated=True)
    two = numpy_peer.observables(SMALL, 3, seed=5, dtype="float64", truncated=True, threads=2)
    gram = numpy_peer.observables(SMALL, 3, seed=5, dtype="float64", truncated=True, factors=numpy_peer.gram_svd)
    for name in one:
        np.testing.assert_array_equal(one[name], two[name])
        np.testing.assert_allclose(one[name], gram[name], atol=1e-8, err_msg=name)


@pytest.mark.parametrize("chunk", [1, 8])
def test_noise_and_averages_have_the_law_of_filtered_noise(chunk):
    module = peer("plain_numpy")
    found = module.noise_ema(1 << 14, (1.0, 5.0), 64, seed=2, dtype="float32", chunk=chunk)
    expected = [ss.EMA(t).noise_factor(64) for t in (1.0, 5.0)]
    np.testing.assert_allclose(found.var(1) / expected, 1, atol=5 * (2 / (1 << 14)) ** 0.5)


@pytest.mark.parametrize("name", ["torch_common", "jax_vmap"])
def test_noise_and_averages_of_the_others(name):
    if importlib.util.find_spec(name.split("_")[0]) is None:
        pytest.skip(f"{name.split('_')[0]} is not installed: make bench has it")
    for chunk in (1, 8):
        found = peer(name).noise_ema(1 << 14, (1.0, 5.0), 64, seed=2, dtype="float32", chunk=chunk)
        expected = [ss.EMA(t).noise_factor(64) for t in (1.0, 5.0)]
        np.testing.assert_allclose(found.var(1) / expected, 1, atol=5 * (2 / (1 << 14)) ** 0.5)


def test_noise_of_spikesim_is_the_same_work():
    found = peer("spikesim_run").noise_ema(64 * 128, (1.0, 5.0), 64, seed=2, dtype="float64", trials=2)
    expected = [ss.EMA(t).noise_factor(64) for t in (1.0, 5.0)]
    assert found.shape == (2, 2, 64 * 64)
    np.testing.assert_allclose(found.var((0, 2)) / expected, 1, atol=5 * (2 / (64 * 128)) ** 0.5)


def test_a_chunk_advances_averages_as_single_steps_do():
    betas, g = np.array([0.0, 0.5, 0.9]), np.arange(1.0, 5.0)
    sums = np.array([3.0, 2.0, 1.0])
    decay, weights = chunk_weights(betas, 4)
    chunked = decay[:, 0] * sums + weights @ g
    for x in g:
        sums = betas * sums + (1 - betas) * x
    np.testing.assert_allclose(chunked, sums)


@pytest.mark.parametrize(("low", "tolerance"), [(0.1, 1e-6), (0.3, 1e-13)])
def test_the_quintics_take_a_spectrum_to_one(low, tolerance):
    x = np.linspace(low, 1, 1001)
    for a, b, c in schedule(low, tolerance):
        x = a * x + b * x**3 + c * x**5
    assert np.abs(x - 1).max() < 2 * tolerance


def test_ratios_are_taken_within_a_repeat():
    assert Ratio.paired([2.0, 40.0, 9.0], [1.0, 10.0, 3.0]) == Ratio(2.0, 3.0, 4.0)


def test_contenders_take_turns_with_jobs_of_equal_length():
    calls = []

    def taking(name, each):
        def measure(size):
            calls.append((name, size))
            return size * each

        return measure

    rates = in_turn({"a": taking("a", 0.5), "b": taking("b", 0.01)}, {"a": 1, "b": 2}, repeats=2, budget=0.1)
    assert rates == {"a": [2.0, 2.0], "b": pytest.approx([100.0, 100.0])}
    assert calls == [("a", 1), ("b", 2), ("a", 1), ("b", 10), ("a", 1), ("b", 10)]
    assert calibrated(lambda size: 0.03 * size, unit=1, budget=0.1) == 3


def test_contenders_do_not_see_a_kernel_chosen_for_one_of_them(monkeypatch):
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    assert "OPENBLAS_CORETYPE" not in environment()
    assert environment()["OMP_NUM_THREADS"] == "1"
    assert "OMP_NUM_THREADS" not in environment(None)


def job(**changed):
    return {"work": "alignment", "dtype": "float64", "steps": 20, "seed": 1} | changed


def test_a_process_does_a_job_and_tells_what_goes_wrong():
    numpy_peer = Contender("numpy", "", "plain_numpy", "")
    with Runner(numpy_peer, [0]) as runner:
        assert runner.seconds(job(), 1) > 0
        with pytest.raises(FailedError, match="AttributeError"):
            runner.seconds(job(options={"factors": "absent"}), 1)
        assert runner.seconds(job(), 1) > 0


def test_arguments_share_out_cores():
    assert SPIKESIM.arguments(2) == {"threads": 2}
    assert JAX.arguments(2) == {}


def test_the_slope_of_a_power_is_its_exponent():
    series = {"x": [1, 10, 100, 1000], "seconds": [[5.0, 5.0], [1.0, 2.0], [100.0, 200.0], [1e4, 2e4]]}
    assert slope(series).median == pytest.approx(2.0)


def results():
    """What a run would have written: spikesim at 44 and 22 trials a second, every peer at 2 and 1."""
    rows = []
    for c in COMPARISONS:
        labels = {x.name: x.label for x in (SPIKESIM, *c.peers)}
        rates = {d: {n: [44.0 * f, 22.0 * f] if n == "spikesim" else [2.0, 1.0] for n in labels}
                 for d, f in (("float32", 1.0), ("float64", 0.5))}  # fmt: skip
        rows.append({"work": c.work, "title": c.title, "unit": c.unit, "cores": 2, "labels": labels, "rates": rates,
                     "threading": dict.fromkeys(labels, "threads"), "notes": ["Somebody is not installed"]})  # fmt: skip
    names = ("T, stream", "T, collapsed, Gaussian", "T, collapsed, Radial", "min(m, n), stream", "trials, stream",
             "cores, stream")  # fmt: skip
    growth = [{"name": n, "x": [10, 100], "trials": [1, 1], "notes": [], "seconds": [[1.0, 1.0], [1.2, 2.0]]} for n in names]
    growth += [{"name": n, "x": [], "trials": [], "notes": ["not there"], "seconds": []}
               for n in ("rows, banded", "banded, 16384 x 65536, rank 4")]  # fmt: skip
    out = {
        "quick": True, "seconds": 12.3, "comparisons": rows, "growth": growth,
        "problem": {"shape": [64, 128], "spikes": [6.0, 4.0], "sigma": 0.5, "windows": [1.0, 2.0], "steps": 500},
        "threads": {"cores": 2, "rates": {"all, float32, 1": [10.0, 10.0], "all, float32, 2": [18.0, 20.0]}},
        "startup": {"import": [0.5, 0.7, 0.6], "first call": [11.0, 12.0, 9.0]},
        "environment": {"cpu": "A CPU", "cores": 2, "versions": {"numpy": "2.0", "jax": None}, "numba_variables": {},
                        "blas": [{"internal_api": "openblas", "version": "0.3", "architecture": "X"}],
                        "unset_for_contenders": ["OPENBLAS_CORETYPE"]},
    }  # fmt: skip
    return out | {"targets": [t.as_json() for t in targets(out)]}


def test_targets_are_reached_by_the_median_alone():
    found = [(t["needed"], t["measured"], t["reached"]) for t in results()["targets"]]
    assert found == [
        (22.0, [22.0, 22.0, 22.0], True),
        (5.5, [22.0, 22.0, 22.0], True),
        (0.85, [0.5, 0.5, 0.5], False),
        (35.0, [22.0, 22.0, 22.0], False),
        (2.3, [22.0, 22.0, 22.0], True),
        (80.0, [22.0, 22.0, 22.0], False),
        (1.85, [1.8, pytest.approx(1.9), 2.0], True),
        (1.5, [1.2, 1.6, 2.0], False),
        (0.05, None, None),
        (1.1, None, None),
        (1.0, [0.5, 0.6, 0.7], True),
        (10.0, [9.0, 11.0, 12.0], False),
    ]


def test_the_page_shows_ratios_with_rates_in_small_print():
    text = benchmark.section(results())
    assert "| | torch, Gram iteration | threads | **22×** (22 to 22) <sub>1.5 trials/s</sub> | **11×** (11 to 11)" in text
    assert "| end to end, all observables | NumPy script | ≥ 35× | **22×** (22 to 22) | not reached |" in text
    assert "| method banded, rank 4 | exponent in rows up to 0 | ≤ 1.1 | - | not measured |" in text
    assert "Left out: Somebody is not installed; rows, banded: not there" in text
    assert "a quick run" in text


def test_the_section_is_the_page_s_last_and_is_replaced(tmp_path: Path):
    page = "# Figures\n\n## One\n"
    assert benchmark.with_section(page, tmp_path) == page
    (tmp_path / "benchmark.json").write_text(json.dumps(results()))
    once = benchmark.with_section(page, tmp_path)
    assert once.startswith("# Figures\n\n## One\n\n## Speed, side by side\n")
    assert benchmark.with_section(once, tmp_path) == once
    benchmark.update_page(tmp_path)
    assert benchmark.HEADING in (tmp_path / "README.md").read_text()


@pytest.mark.usefixtures("written")
def test_the_figure_holds_every_peer_and_series(drawn, tmp_path):
    figure.draw(results(), tmp_path)
    assert [axis["x"][:5] for axis in drawn["axes"]] == ["speed"] * 3 + ["windo", "min(m", "trial"]
    lines = drawn["axes"][3]["lines"]
    assert list(lines) == [
        "T, stream, slope 0.19", "T, collapsed, Gaussian, slope 0.19", "T, collapsed, Radial, slope 0.19"
    ]  # fmt: skip
    np.testing.assert_allclose(lines["T, stream, slope 0.19"], [[10, 1.0], [100, 1.6]])
    assert drawn["finding"].startswith("5 of 12 targets reached; not reached: noise + EMA")
    assert (tmp_path / "benchmark.png").is_file()
