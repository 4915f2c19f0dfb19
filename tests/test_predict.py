"""Predictions are the formulas of the theory put together; the command takes them and refuses the rest in one line."""

import json
import math

import numpy as np
import pytest
from typer.testing import CliRunner

import spikesim as ss
from spikesim.cli import app
from spikesim.predicted import shape_from, text, window_from

PAPER = ((100, 100), (12.0, 8.0, 5.0), 1.0, 20.0)


def s4(spike, s, n=100):
    y = spike / (s * n**0.5)
    return 2 / math.pi * ((1 - y**-2) * math.atan(y) + 1 / y)


def test_the_papers_layer_by_hand():
    p = ss.predict(*PAPER, reach=0.9)
    s, spikes = 39**-0.5, np.array([12.0, 8, 5])
    assert (p.n_eff, p.momentum) == (39, 0.95)
    assert p.bulk_edge == pytest.approx(20 * s)
    assert [x.critical_window for x in p.spikes] == pytest.approx([1.0, (100 / 64 + 1) / 2, 2.5])
    assert [x.singular_value for x in p.spikes] == pytest.approx([(x * x + 100 / 39) / x for x in spikes])
    assert [x.direction for x in p.spikes] == pytest.approx([s4(x, s) for x in spikes])
    by = {u.pipeline: u for u in p.updates}
    mean = {t: sum(x * s4(x, t) for x in spikes) / 25 for t in (s, 1.0)}
    assert by["pre-polar"].alignment == pytest.approx(mean[s])
    assert by["polar-only"].alignment == by["post-polar"].alignment == pytest.approx(mean[1.0])
    square = (1 - 1e4 * (s / spikes) ** 4) / (1 + 100 * (s / spikes) ** 2)
    assert by["pre-polar"].truncated == pytest.approx(float(spikes @ square / 25))
    tail, sine, loss = p.comparisons
    assert (tail.sharp, tail.expected, tail.quantile) == pytest.approx((2 * 97**0.5 * s, 100 * s, 100 * 39**-0.25))
    assert sine.expected == pytest.approx(2 * 100 * s / 5)
    assert sine.quantile == math.inf
    assert loss.expected == pytest.approx(4 * 1e4 / (39 * 5 * 25))
    assert p.windows.theorem_2 == pytest.approx((4 * 1e4 / (5 * 25 * (1 - mean[1.0])) + 1) / 2)


def test_the_window_that_reaches_reaches():
    for reach in (0.7, 0.9, 0.99):
        t = ss.predict(*PAPER, reach=reach).windows.reaching
        assert ss.predict(*PAPER[:3], t).updates[0].alignment == pytest.approx(reach, abs=1e-9)
    assert ss.predict(*PAPER, reach=0.3).windows.reaching == 1


def test_the_best_window_under_drift_is_better_than_its_neighbours():
    w = ss.predict(*PAPER, drift=0.01).windows
    around = [ss.theory.drift.alignment((100, 100), 1.0, PAPER[1], w.best * f, 0.01) for f in (0.9, 1.0, 1.1)]
    assert w.best_alignment == pytest.approx(around[1], abs=1e-9)
    assert around[1] > max(around[0], around[2])


def test_an_unfiltered_gradient_makes_all_pipelines_one():
    p = ss.predict((30, 50), 9.0, 1.0, 1.0)
    assert len({u.alignment for u in p.updates}) == 1
    assert p.updates[3].truncated is None


def test_re_polarised_has_no_formula_at_short_windows():
    assert ss.predict((30, 50), 9.0, 1.0, 3.0).updates[3].alignment is None
    assert 0 < ss.predict((30, 50), 9.0, 1.0, 5.0).updates[3].alignment < 1


def test_a_layer_without_noise_to_speak_of_has_no_window_to_prove():
    p = ss.predict((100, 100), 1e12, 1.0, 5.0)
    assert p.windows.theorem_2 is None
    assert "Theorem 2" not in text(p)


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (4096, 16384), (16384, 4096)])
@pytest.mark.parametrize("spike", [1e-3, 8.0, 1e5])
@pytest.mark.parametrize("window", [1, 7.5, 1e6])
def test_every_number_is_finite_and_in_its_range(shape, spike, window):
    p = ss.predict(shape, spike, 1.0, window, 0.9, 0.001)
    told = json.loads(json.dumps(p.as_json(), allow_nan=False))
    for u in told["updates"]:
        assert all(v is None or 0 <= v <= 1 + 1e-12 for v in (u["alignment"], u["truncated"]))
    assert all(s["singular_value"] > 0 and 0 <= s["left_overlap"] <= 1 for s in told["spikes"])
    assert "nan" not in text(p)


def test_text_marks_what_is_vacuous_and_what_is_out_of_reach():
    told = text(ss.predict((4096, 16384), 8.0, 1.0, 20.0, 0.9, 0.001))
    assert "327.9 (vacuous)" in told
    assert "inf (vacuous)" in told
    assert "alignment 0.9 is out of reach at this noise and drift" in told
    assert "out of reach" not in text(ss.predict((4096, 16384), 80.0, 1.0, 20.0, 0.9, 0.001))


def test_momentum_stands_for_a_window():
    assert window_from(None, 0.9) == 10
    assert window_from(7.5, None) == 7.5
    assert shape_from("4096x16384") == shape_from("4096X16384") == (4096, 16384)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"shape": (0, 3)}, r"need shape == \(m, n\), both >= 1, got shape=\(0, 3\)"),
        ({"spikes": (1.0, 0.0)}, "need spikes finite, not 0"),
        ({"shape": (1, 9)}, r"need 1 <= rank <= min\(m, n\) = 1, got rank=3"),
        ({"sigma": 0.0}, "need 0 < sigma < inf, got sigma=0.0"),
        ({"window": 0.5}, "need 1 <= T < inf, got window=0.5"),
        ({"reach": 1.0}, "need 0 < reach < 1, got reach=1.0"),
        ({"drift": 0.0}, "need 0 < drift <= pi, got drift=0.0"),
        ({"drift": 4.0}, "need 0 < drift <= pi, got drift=4.0"),
    ],
)
def test_bad_arguments_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        ss.predict(**({"shape": (100, 100), "spikes": (12.0, 8.0, 5.0), "sigma": 1.0, "window": 20.0} | change))


GOOD = ["predict", "--shape", "100x100", "--spike", "12", "--spike", "8", "--sigma", "1"]


def test_the_command_prints_tables_or_json():
    told = CliRunner().invoke(app, [*GOOD, "--momentum", "0.95", "--reach", "0.9", "--drift", "0.001"])
    assert told.exit_code == 0
    assert "smallest T with pre-polar alignment 0.9" in told.output
    assert "best T when u turns by 0.001 a step" in told.output
    found = CliRunner().invoke(app, [*GOOD, "--window", "20", "--json"])
    assert json.loads(found.output)["n_eff"] == 39


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--window", "20", "--momentum", "0.95"], "need window or momentum, and not both"),
        ([], "need window or momentum, and not both"),
        (["--momentum", "1"], "need 0 <= momentum < 1, got momentum=1.0"),
        (["--window", "nan"], "need 1 <= T < inf, got window=nan"),
        (["--window", "5", "--shape", "100"], "need shape as in 4096x16384, got shape='100'"),
        (["--window", "5", "--spike", "inf"], "need spikes finite, not 0"),
    ],
)
def test_bad_options_are_refused(options, message):
    refused = CliRunner().invoke(app, [*GOOD, *options])
    assert refused.exit_code == 1  # an exception here; the entry point makes it one line and exit code 2
    assert isinstance(refused.exception, ValueError)
    assert message in str(refused.exception)
