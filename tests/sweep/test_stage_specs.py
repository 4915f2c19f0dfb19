"""Specs of stages and filters: they run, go on, are told apart, and a bad one ends in one message and exit code 2."""

import json
import subprocess
import sys
import tomllib

import pytest

from spikesim.sweep.spec import Spec

OLD = """
[[model]]
name = "still"
shape = [6, 8]
spikes = [3.0, 2.0]
noise = {law = "StudentT", df = 3.0, sigma = 0.5}
[[model]]
name = "turning"
shape = [6, 8]
spikes = [3.0]
noise = {law = "Gaussian", sigma = 1.0}
signal = {law = "Rotating", omega = 0.1}
[run]
windows = [1, 2.5, 10]
pipelines = ["pre-polar", "post-polar"]
observables = ["alignment", "gap"]
steps = 40
trials = 4
seed = 7
"""
BEFORE_STAGES = ["e0d714a855963310", "5e0ab05629b62fbd"]
"""Identities of these points when a run had one filter and four pipelines: results from then are still theirs."""
STAGES = OLD.replace(
    'pipelines = ["pre-polar", "post-polar"]',
    'filter = "Nesterov"\npipelines = ["pre-polar", "clipped = Clip(3.0) -> Filter(Kalman) -> NewtonSchulz()", "Fisher"]',
)


def identities(text):
    return [p.identity for p in Spec.from_dict(tomllib.loads(text)).points]


def spikesim(folder, text, *options):
    (folder / "spec.toml").write_text(text, encoding="utf-8")
    command = [sys.executable, "-c", "from spikesim.cli import main; main()", "run", "spec.toml", "--out", "out", *options]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)


def test_identities_of_specs_without_stages_are_what_they_were():
    assert identities(OLD) == BEFORE_STAGES
    assert identities(OLD.replace("seed = 7", 'seed = 7\nfilter = "EMA"')) == BEFORE_STAGES


def test_other_filters_and_stages_are_other_points():
    filters = ["Nesterov", "EMA(start='first')", "HeavyBall", "Nesterov(start='debiased')", "FIR((1.0, 0.5))"]
    texts = ["Clip(3.0) -> Filter() -> Polar()", "Clip(2.0) -> Filter() -> Polar()", "Filter(Nesterov) -> Polar()"]
    specs = [OLD.replace("seed = 7", f'seed = 7\nfilter = "{f}"') for f in filters]
    specs += [OLD.replace('"post-polar"', f'"{text}"') for text in texts]
    found = [i for text in [OLD, *specs] for i in identities(text)]
    assert len(set(found)) == len(found)


def test_a_grid_may_vary_the_filter():
    text = OLD + '[grid]\n"run.filter" = ["EMA", "Nesterov", "MovingAverage"]\n'
    text = text.replace("[1, 2.5, 10]", "[1, 2, 10]")
    assert len(set(identities(text))) == 6
    assert identities(text)[0] == identities(OLD.replace("[1, 2.5, 10]", "[1, 2, 10]"))[0]


def test_stages_run_and_go_on_where_they_were(tmp_path):
    first = spikesim(tmp_path, STAGES.replace("trials = 4", "trials = 2"), "--json")
    assert first.returncode == 0, first.stderr
    more = spikesim(tmp_path, STAGES, "--json")
    last = [json.loads(line) for line in more.stdout.splitlines()][-1]
    assert (last["trials_computed"], last["failed"]) == (4, [])  # two more of each of two points
    again = [json.loads(line) for line in spikesim(tmp_path, STAGES, "--json").stdout.splitlines()][-1]
    assert (again["trials_computed"], again["points_kept"]) == (0, 2)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"Fisher"', '"Fishr() -> Polar()"', "need names in"),
        ('"Fisher"', '"Polar( ->"', "need stages such as"),
        ('"Fisher"', '"Clip(-1.0) -> Polar()"', "need norm > 0, got norm=-1.0"),
        ('"Fisher"', '"Filter() -> NewtonSchulz((1.5, nan), 3)"', "need "),
        ('"Fisher"', '"Filter(IIR((1.0,), (1.0, -1.0))) -> Polar()"', "need stable poles"),
        (
            '"Fisher"',
            '"Filter(Schedule(betas=(0.5, 1.0))) -> Polar()"',
            "need 0 <= beta < 1 at every step, got step=1, beta=1.0",
        ),
        ('"Fisher"', '"Tiled((5, 1))"', "need counts that divide the shape"),
        ('"Fisher"', '"RandomisedPolar(1000000000)"', "need rank <= min(m, n) = 6"),
        ('"Nesterov"', '"Nestrov"', "need names in"),
        ('"Nesterov"', '"IIR((1.0,), (1.0, -2.0))"', "need stable poles"),
        ('"Nesterov"', '"Schedule(betas=(0.5, -0.1))"', "need 0 <= beta < 1 at every step, got step=1, beta=-0.1"),
        ('"Nesterov"', '"Warmup(initial=1.0)"', "need 0 <= initial < 1, got initial=1.0"),
        ('"Nesterov"', '"MovingAverage"', "need window: a whole number"),
    ],
)
def test_a_bad_stage_or_filter_is_one_fault_each(old, new, message):
    with pytest.raises(ValueError, match=r"got \d fault") as caught:
        Spec.from_dict(tomllib.loads(STAGES.replace(old, new, 1)))
    assert message in str(caught.value)


def test_a_good_stage_for_the_models_shape_is_no_fault():
    for stage in ("Tiled((2, 4))", "RandomisedPolar(3)", "Filter() -> Polar(3)", "Tiled((2, 1), NewtonSchulz())"):
        assert len(identities(STAGES.replace('"Fisher"', f'"{stage}"'))) == 2


def test_a_bad_stage_ends_in_exit_code_2_without_a_traceback(tmp_path):
    ran = spikesim(tmp_path, STAGES.replace('"Fisher"', '"Clip(-1.0) -> Polar()"'))
    assert ran.returncode == 2
    assert "need norm > 0" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert not (tmp_path / "out").exists()


def test_coefficients_that_diverge_fail_with_their_step_and_leave_no_traceback(tmp_path):
    ran = spikesim(tmp_path, STAGES.replace('"Fisher"', '"Filter() -> NewtonSchulz((3.0, 3.0), 40)"'), "--json")
    assert ran.returncode == 1
    assert "Traceback" not in ran.stderr
    assert "step=" in ran.stdout + ran.stderr
