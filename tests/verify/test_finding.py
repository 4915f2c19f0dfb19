"""Findings: intervals and p-values against independent evaluations, and their error rates where a claim is just true."""

import math

import numpy as np
import pytest
from scipy import stats

from spikesim.verify import finding as f

SAID = "B1", "what", "where", 5.0


def binomial_tail(k, n, p):
    """P(Bin(n, p) >= k) by its sum."""
    return math.fsum(math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k, n + 1))


@pytest.mark.parametrize(("k", "n", "allowed"), [(0, 50, 0.1), (7, 50, 0.1), (50, 50, 0.9), (1, 1, 0.3)])
def test_a_frequency_has_its_exact_tail_and_interval(k, n, allowed):
    found = f.frequency(*SAID, np.arange(n) < k, allowed)
    assert found.measured == k / n
    assert found.p == pytest.approx(binomial_tail(k, n, allowed), rel=1e-9)
    assert k == 0 or binomial_tail(k, n, found.low) == pytest.approx(0.025, rel=1e-6)
    assert k == n or 1 - binomial_tail(k + 1, n, found.high) == pytest.approx(0.025, rel=1e-6)
    assert (found.low == 0) == (k == 0)
    assert (found.high == 1) == (k == n)


def test_an_allowance_of_one_is_vacuous_and_cannot_be_broken():
    found = f.frequency(*SAID, np.ones(9, bool), 1.0)
    assert found.vacuous
    assert found.p == 1


def test_a_mean_has_students_p_and_interval():
    x = np.array([1.0, 2.0, 4.0, 7.0])
    found = f.mean_at_most(*SAID, x, 2.0)
    t = (3.5 - 2) / (math.sqrt(((x - 3.5) ** 2).sum() / 3) / 2)
    assert found.p == pytest.approx(1 - stats.t.cdf(t, 3), rel=1e-9)
    low, high = stats.t.interval(0.95, 3, 3.5, 1.5 / t)
    assert (found.low, found.high) == pytest.approx((low, high))
    two = f.mean_equals(*SAID, x, 2.0)
    assert two.p == pytest.approx(2 * found.p)
    assert f.mean_equals(*SAID, x, 5.0).p == pytest.approx(two.p)


def test_trials_that_do_not_vary_are_judged_exactly():
    assert f.mean_at_most(*SAID, np.full(3, 2.0), 2.0).p == 0.5
    assert f.mean_at_most(*SAID, np.full(3, 2.1), 2.0).p == 0
    assert f.mean_equals(*SAID, np.full(3, 2.0), 2.0).p == 1
    assert f.mean_equals(*SAID, np.full(3, 1.9), 2.0).p == 0


def test_an_order_looks_at_paired_differences():
    a, b = np.array([1.0, 2.0, 3.0]), np.array([0.5, 1.6, 2.4])
    found = f.order(*SAID, a, b)
    assert found.measured == pytest.approx(-0.5)
    assert found.p == pytest.approx(f.mean_at_most(*SAID, b - a, 0.0).p)
    assert found.p > 0.9
    assert f.order(*SAID, b, a).p < 0.1


@pytest.mark.parametrize(
    ("left", "right", "p"), [([1, 2], [1, 3], 1.0), ([1, 2], [1, 1.99], 0.0), ([0, 0], [0, 1], 1.0), ([1], [0], 0.0)]
)
def test_what_holds_always_is_broken_by_one_trial(left, right, p):
    assert f.always(*SAID, np.array(left, float), np.array(right, float)).p == p


def test_rounding_does_not_break_what_holds_always():
    assert f.always(*SAID, np.array([1 + 1e-12]), np.array([1.0])).p == 1
    assert f.always(*SAID, np.array([1 + 1e-6]), np.array([1.0])).p == 0


def sized(deviations, trials=400, spread=0.02, sizes=(32, 64, 128), value=2.0):
    rng = np.random.default_rng(3)
    return [
        f.Sized(n, value * (1 + d + spread * rng.standard_normal(trials)), value)
        for n, d in zip(sizes, deviations, strict=True)
    ]


def test_a_limit_allows_what_shrinks_with_the_size_and_nothing_else():
    shrinking = f.limit(*SAID, sized([0.2, 0.1, 0.05]))
    assert shrinking.p > 0.01
    assert shrinking.allowance == pytest.approx(0.1, rel=0.1)
    assert f.limit(*SAID, sized([0.03, 0.03, 0.03])).p < 1e-6
    assert f.limit(*SAID, sized([-0.03, -0.03, -0.03])).p < 1e-6
    assert f.limit(*SAID, sized([0.2, 0.1, 0.08])).p < 1e-6
    assert f.limit(*SAID, sized([0.2, 0.2 / 2**0.5, 0.1]), 0.5).p > 0.01
    assert f.limit(*SAID, sized([0.2, 0.2 / 2**0.5, 0.1])).p < 1e-6


def test_a_limit_counts_the_error_of_its_constant():
    few = [f.Sized(s.size, s.samples[:5], s.value) for s in sized([0.03, 0.03, 0.03], spread=0.1)]
    assert f.limit(*SAID, few).p > 1e-3


def test_a_limit_needs_three_sizes():
    with pytest.raises(ValueError, match="need three or more sizes, got sizes=2"):
        f.limit(*SAID, sized([0, 0, 0])[:2])


def test_p_values_of_claims_that_are_just_true_are_not_too_small():
    """4000 claims at their edge, fixed seed: p below 0.05 no more often than 0.05, to 3.3 standard errors."""
    rng = np.random.default_rng(11)
    means = np.array([f.mean_at_most(*SAID, rng.standard_normal(20), 0.0).p for _ in range(4000)])
    exact = np.array([f.frequency(*SAID, rng.random(60) < 0.3, 0.3).p for _ in range(4000)])
    wrong = np.array([f.mean_at_most(*SAID, rng.standard_normal(20), -0.3).p for _ in range(4000)])
    most = 0.05 + 3.3 * math.sqrt(0.05 * 0.95 / 4000)
    assert np.mean(means < 0.05) < most
    assert np.mean(exact < 0.05) < most
    assert np.mean(wrong < 0.05) > most


def test_limits_that_are_just_true_are_not_rejected_too_often():
    """1000 limits whose deviation is exactly C / size: p below 0.05 no more often than 0.05, to 3.3 standard errors."""
    rng = np.random.default_rng(5)

    def p(last):
        trials = [f.Sized(n, 1 + d + 0.05 * rng.standard_normal(50), 1.0) for n, d in ((32, 0.04), (64, 0.02), (128, last))]
        return f.limit(*SAID, trials).p

    most = 0.05 + 3.3 * math.sqrt(0.05 * 0.95 / 1000)
    assert np.mean([p(0.01) < 0.05 for _ in range(1000)]) < most
    assert np.mean([p(0.05) < 0.05 for _ in range(1000)]) > most


def test_vacuous_findings_say_why():
    found, met = f.frequency(*SAID, [False, True], 0.4), f.frequency(*SAID, [False] * 9, 0.4)
    assert f.unless_unfiltered(found, found).vacuous == ""
    assert f.unless_unfiltered(found, met).vacuous == "an unfiltered gradient already meets it"
    assert f.vacuous_above_one(found, 1.5, "the bound").vacuous == "the bound is 1.5, 1 or more"
    assert f.vacuous_above_one(found, 0.5, "the bound").vacuous == ""
    nothing = f.no_claim(f.mean_at_most(*SAID, [5.0, 5.1], 1.0), "T is below T_0")
    assert (nothing.p, nothing.vacuous) == (1.0, "T is below T_0")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: f.frequency(*SAID, [], 0.1), "need trials and a positive allowance, got trials=0"),
        (lambda: f.mean_at_most(*SAID, [1.0], 0.1), "need two or more trials, got trials=1"),
        (lambda: f.mean_at_most(*SAID, [1.0, math.nan], 0.1), "need defined samples, got mean=nan"),
    ],
)
def test_what_cannot_be_judged_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
