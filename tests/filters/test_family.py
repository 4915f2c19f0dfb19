"""Families: a window in, a filter out."""

import pickle

import pytest
from specimens import SPECIMENS

import spikesim as ss
from spikesim.filters import EMA, FILTERS, FIR, IIR, Family, Lookahead, MovingAverage, Nesterov, Schedule, Warmup


def test_a_family_maps_a_window_to_its_filter():
    assert Family(EMA, start="first")(20) == EMA(20.0, "first")
    assert Family(Nesterov)(3) == Nesterov(3)
    assert Family(Schedule, betas=[0.5, 0.25])(7) == Schedule(7, (0.5, 0.25))
    assert Family(Lookahead, kappa=1, nu=2)(7) == Lookahead(7, 2.0, 1.0)
    assert Family(MovingAverage)(19.0).n_eff() == pytest.approx(19)


def test_filters_without_a_window_are_the_same_for_each():
    one = Family(FIR, taps=[1, 2])
    assert one(3) == one(50) == FIR((1.0, 2.0))
    assert Family(IIR, feedforward=(1,), feedback=(1, -0.5))(9) == IIR((1,), (1, -0.5))
    assert not one.windowed
    assert Family(EMA).windowed


def test_families_of_the_same_filters_are_equal():
    assert Family(EMA, start="zero") == Family(EMA) != Family(EMA, start="first")
    assert Family(FIR, taps=[1, 2]) == Family(FIR, taps=(1.0, 2.0))
    assert Family(Lookahead, nu=1, kappa=2) == Family(Lookahead, kappa=2.0, nu=1.0)
    assert len({Family(EMA, start="zero"), Family(EMA), Family(Nesterov)}) == 2
    assert pickle.loads(pickle.dumps(Family(Warmup, initial=0.5))) == Family(Warmup, initial=0.5)


def test_a_family_prints_as_what_it_is():
    assert repr(Family(EMA)) == "EMA"
    assert str(Family(EMA, start="first")) == "EMA(start='first')"
    assert str(Family(Lookahead, nu=0.5, kappa=1)) == "Lookahead(kappa=1.0, nu=0.5)"
    assert str(Family(FIR, taps=[1, 2])) == "FIR(taps=(1.0, 2.0))"


@pytest.mark.parametrize(
    ("law", "parameters", "message"),
    [
        ("EMA", {}, r"law in \('EMA', .+\), got law='EMA'"),
        (float, {}, r"law in \('EMA', .+\), got law="),
        (EMA, {"begin": "zero"}, r"parameters of EMA in \('start',\), got parameter='begin'"),
        (EMA, {"window": 3}, r"parameters of EMA in \('start',\), got parameter='window'"),
        (FIR, {}, r"taps of FIR, got parameters=\(\)"),
        (Lookahead, {"nu": 1}, r"kappa of Lookahead, got parameters=\('nu',\)"),
        (EMA, {"start": "last"}, r"start in \('zero', 'first', 'debiased'\), got start='last'"),
        (Schedule, {"betas": (0.5, 1.0)}, r"0 <= beta < 1 at every step, got step=1, beta=1\.0"),
        (IIR, {"feedforward": (1,), "feedback": (1, -2)}, r"stable poles, .+, got modulus=2\.0"),
    ],
)
def test_a_family_that_gives_no_filter_is_refused_at_once(law, parameters, message):
    with pytest.raises(ValueError, match=f"^need {message}"):
        Family(law, **parameters)


def test_a_window_that_its_filter_refuses_is_refused():
    with pytest.raises(ValueError, match=r"^need window: a whole number in .+, got window=2\.5"):
        Family(MovingAverage)(2.5)


def test_every_filter_has_its_name_and_is_exported():
    assert {type(f) for f in SPECIMENS} == set(FILTERS.values())
    for name, law in FILTERS.items():
        assert getattr(ss, name) is law


@pytest.mark.parametrize("filter_", SPECIMENS, ids=repr)
def test_a_filter_prints_as_what_makes_it(filter_):
    again = eval(repr(filter_), dict(FILTERS))
    assert again == filter_
    assert hash(again) == hash(filter_)
    assert pickle.loads(pickle.dumps(filter_)) == filter_


def test_defaults_are_left_out():
    assert repr(EMA(10)) == "EMA(10.0)"
    assert repr(EMA(10, "first")) == "EMA(10.0, start='first')"
