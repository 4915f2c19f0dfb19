"""Spikes by a power law, and the tables of a spec for them and for signals."""

import tomllib

import numpy as np
import pytest

import spikesim as ss
from spikesim.sweep import spectra
from spikesim.sweep.spec import Spec

SPEC = """
[model]
shape = [8, 12]
spikes = {law = "PowerLaw", first = 4.0, exponent = 0.5, count = 3, after = [9.0, 6]}
noise = {law = "Gaussian", sigma = 1.0}
signal = {law = "Alternating", every = 2, kept = 1}
head = 2
[run]
windows = [2]
steps = 9
trials = 2
"""
SHARE = SPEC.replace("count = 3", "share = 0.5")


def points(text):
    return Spec.from_dict(tomllib.loads(text)).points


def test_amplitudes_fall_by_the_power_of_their_number():
    np.testing.assert_allclose(ss.power_law(12, 1, 4), [12, 6, 4, 3], rtol=1e-15)
    np.testing.assert_allclose(ss.power_law(12.0, 0.5, 4), [12 / k**0.5 for k in (1, 2, 3, 4)], rtol=1e-15)
    assert ss.power_law(2.0, 0, 3) == (2.0, 2.0, 2.0)
    assert ss.SpikedModel((8, 8), (9.0, *ss.power_law(3.0, 1.0, 7)), ss.Gaussian(), head=1).rank == 8


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 1, 3), "need 0 < first < inf, got first=0"),
        (("3", 1, 3), "need 0 < first < inf, got first='3'"),
        ((3, -1, 3), "need 0 <= exponent <= 20, got exponent=-1"),
        ((3, None, 3), "need 0 <= exponent <= 20, got exponent=None"),
        ((3, 1, 0), "need count: an integer >= 1, got count=0"),
        ((3, 1, 2.5), "need count: an integer >= 1, got count=2.5"),
        ((3, 1, True), "need count: an integer >= 1, got count=True"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        ss.power_law(*arguments)


def test_a_table_of_spikes_is_the_numbers_it_stands_for():
    (point,) = points(SPEC)
    assert point.model.spikes == (9.0, 6.0, *ss.power_law(4.0, 0.5, 3))
    assert point.model.head == 2
    assert point.model.signal == ss.Alternating(2, kept=1)
    plain = SPEC.replace(SPEC.splitlines()[3], f"spikes = {list(point.model.spikes)}")
    assert points(plain)[0].identity == point.identity
    assert points(SPEC.replace("head = 2", "head = 5"))[0].identity == points(SPEC.replace("head = 2", ""))[0].identity


def test_the_form_that_the_module_shows_is_a_table():
    (line,) = [line for line in spectra.__doc__.splitlines() if line.startswith("    spikes")]
    wide = SPEC.replace(SPEC.splitlines()[3], line.strip()).replace("[8, 12]", "[64, 64]")
    assert points(wide)[0].model.spikes == (12.0, 8.0, *ss.power_law(5.0, 1.0, 62))


def test_a_share_makes_the_rank_grow_with_the_shape():
    grid = SHARE + '[grid]\nshape = [[8, 9], [20, 10], [40, 80]]\n"spikes.exponent" = [0.5, 1]\n'
    found = [(p.model.shape, p.model.rank, p.model.spikes[-1]) for p in points(grid)]
    ranks = {(8, 9): 4, (20, 10): 5, (40, 80): 20}
    assert [(shape, rank) for shape, rank, _ in found] == [x for x in ranks.items() for _ in range(2)]
    np.testing.assert_allclose([x for *_, x in found], [4 * (r - 2) ** -e for r in ranks.values() for e in (0.5, 1)])


def test_a_signal_in_a_signal_is_a_table_in_a_table():
    nested = '{law = "Oscillating", period = 7, depth = 0.5, motion = {law = "Rotating", omega = 1}}'
    text = SPEC.replace('{law = "Alternating", every = 2, kept = 1}', nested).replace("[8, 12]", "[10, 12]")
    grid = text + '[grid]\n"signal.motion.omega" = [0.1, 0.2]\n'
    assert [p.model.signal.motion for p in points(grid)] == [ss.Rotating(0.1), ss.Rotating(0.2)]
    assert points(text)[0].model.signal == ss.Oscillating(7, 0.5, motion=ss.Rotating(1))


def test_a_head_and_a_switch_can_be_varied():
    grid = SPEC.replace('{law = "Alternating", every = 2, kept = 1}', '{law = "Switch", at = 3, change = "sign"}')
    grid += '[grid]\n"signal.at" = [3, 5]\nhead = [1, 2]\n'
    assert [(p.model.signal.at, p.model.head) for p in points(grid)] == [(3, 1), (3, 2), (5, 1), (5, 2)]


FAULTS = [
    (SPEC, "PowerLaw", "Power", r"model\[0\].spikes: need law in \(.PowerLaw.,\), got law='Power'"),
    (SPEC, "count = 3", "number = 3", r"model\[0\].spikes: need keys out of \('law', .*\), got spikes="),
    (SPEC, "first = 4.0, ", "", r"model\[0\].spikes: need first and exponent for PowerLaw, got spikes="),
    (SPEC, "count = 3, ", "", r"model\[0\].spikes: need count or share for PowerLaw, and not both, got spikes="),
    (SPEC, "count = 3", "count = 3, share = 0.5", r"model\[0\].spikes: need count or share for PowerLaw, and not both"),
    (SPEC, "count = 3", "count = 0", r"model\[0\].spikes: need count: an integer >= 1, got count=0"),
    (SPEC, "count = 3", "count = 7", r"model\[0\]: need 1 <= rank <= min\(m, n\) = 8, got rank=9"),
    (SPEC, "first = 4.0", 'first = "4"', r"model\[0\].spikes: need 0 < first < inf, got first='4'"),
    (SPEC, "[9.0, 6]", "9.0", r"model\[0\].spikes: need after: a list of numbers, got after=9.0"),
    (SHARE, "share = 0.5", "share = 1.5", r"model\[0\].spikes: need 0 < share <= 1, got share=1.5"),
    (
        SHARE,
        "share = 0.5",
        "share = 0.2",
        r"model\[0\]: need a share with room for more spikes than those of after, got share=0.2",
    ),
    (SPEC, "head = 2", "head = 6", r"model\[0\]: need head: None or an integer in \[1, r = 5\], got head=6"),
    (SPEC, "head = 2", "head = 2.0", r"model\[0\].head: need a valid integer"),
    (SPEC, "every = 2", "every = 2.5", r"model\[0\].signal: need every: an integer >= 1, got every=2.5"),
    (SPEC, "every = 2", "evry = 2", r"model\[0\].signal: need parameters of Alternating out of \('motion', "),
    (SPEC, "every = 2", 'motion = {law = "Turning"}', r"model\[0\].signal: need law in .*, got law='Turning'"),
    (SPEC, "steps = 9", 'steps = 9\nmethod = "banded"\njoint = false', r"need noise|need signal Constant\(\) for method"),
]


@pytest.mark.parametrize(("text", "old", "new", "message"), FAULTS, ids=[new for _, _, new, _ in FAULTS])
def test_faults_are_told_with_their_path(text, old, new, message):
    assert old in text
    with pytest.raises(ValueError, match=message):
        points(text.replace(old, new, 1))


def test_a_switch_without_steps_is_a_fault_of_the_point():
    text = SPEC.replace('{law = "Alternating", every = 2, kept = 1}', '{law = "Switch", at = 3, change = "sign"}')
    with pytest.raises(ValueError, match="need steps=: the signal has no steady state, got steps=None"):
        points(text.replace("steps = 9", ""))
