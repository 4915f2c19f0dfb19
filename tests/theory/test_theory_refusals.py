"""Arguments outside their range are refused by every function of spikesim.theory, in one form of message."""

import math

import numpy as np
import pytest

from spikesim.theory import (
    asymptotics,
    bounds,
    choice,
    drift,
    filters,
    high_snr,
    post_polar,
    rates,
    updates,
)

NAN, INF = math.nan, math.inf
BUFFER = {"shape": (30, 40), "sigma": 1.0, "spike": 3.0, "window": 9.0, "steps": 50}
MANY = {"shape": (30, 40), "sigma": 1.0, "spikes": (4.0, 3.0), "window": 9.0, "steps": 50}
EVERY = {"eta": 1.0, "window": 9.0, "q": 0.5, "spike": 3.0, "gain": 1.0}


def only(arguments, *names, **more):
    return {**{name: arguments[name] for name in names}, **more}


CALLS = [
    (filters.from_weights, {"weights": [0.5, 0.5]}),
    (filters.ema, {"window": 5.0, "steps": 7, "start": "zero"}),
    (filters.heavy_ball, {"window": 5.0, "steps": 7}),
    (filters.nesterov, {"window": 5.0, "steps": 7}),
    (filters.moving_average, {"length": 4}),
    (filters.ar1_noise_factor, {"window": 5.0, "phi": 0.5}),
    (filters.rotation, {"window": 5.0, "omega": 0.1, "kind": "ema"}),
    (filters.covariance, {"first": 5.0, "second": 2.0, "sigma": 1.0, "steps": 3}),
    (asymptotics.critical_window, only(BUFFER, "shape", "sigma", "spike")),
    (asymptotics.bulk_edge, only(BUFFER, "shape", "sigma", "window", "steps")),
    (asymptotics.singular_value, BUFFER),
    (asymptotics.overlaps, BUFFER),
    (asymptotics.sin_theta, BUFFER),
    (asymptotics.polar_alignment, BUFFER),
    (asymptotics.alignment, MANY),
    (asymptotics.truncated_alignment, MANY),
    (asymptotics.scales, only(BUFFER, "sigma", "window", "steps")),
    (bounds.perturbation_radius, only(EVERY, "eta", "window", "q")),
    (bounds.failure_probability, only(EVERY, "window", "q")),
    (bounds.expected_tail, only(EVERY, "eta", "window")),
    (bounds.subspace_bound, only(EVERY, "eta", "window", "spike", "q", c_sig=1.0)),
    (bounds.wedin_bound, only(EVERY, "spike", "gain", noise_op=1.0)),
    (bounds.expected_subspace, only(EVERY, "eta", "window", "spike", "gain")),
    (bounds.nuclear_bound, {"noise_nuclear": 1.0, "spikes": (4.0, 3.0), "gain": 1.0}),
    (bounds.tangent_bound, {"noise_tangent": 1.0, "spikes": (4.0, 3.0), "gain": 1.0}),
    (bounds.alignment_bound, only(MANY, "shape", "spikes", "window", eta=1.0, gain=1.0)),
    (bounds.uncorrelated_alignment_bound, only(MANY, "shape", "sigma", "spikes", "window", gain=1.0)),
    (bounds.order_window, {"eta": 1.0, "spikes": (4.0, 3.0), "polar_only": 0.5}),
    (bounds.vanishing_spike, only(BUFFER, "shape", "sigma")),
    (bounds.vanishing_alignment, only(BUFFER, "shape", "sigma", "spike")),
    (high_snr.tail, only(BUFFER, "shape", "sigma", "window", "steps", rank=2)),
    (high_snr.sin_theta, MANY),
    (high_snr.misses, MANY),
    (high_snr.head_error, MANY),
    (high_snr.gap_shortfall, MANY),
    (updates.post_polar_cosine, MANY),
    (updates.pre_polar_cosine, MANY),
    (updates.bias_variance, {"shape": (30, 40), "each": (0.5, 0.2), "gain": 1.0, "noise_factor": 0.5}),
    (drift.alignment, only(MANY, "shape", "sigma", "spikes", "window", omega=0.1)),
    (drift.best_window, only(MANY, "shape", "sigma", "spikes", omega=0.1)),
    (drift.filtered_alignment, only(MANY, "shape", "sigma", "spikes", response=0.9 - 0.2j, noise_factor=0.1)),
    (drift.high_snr_window, only(BUFFER, "shape", "sigma", "spike", omega=0.1)),
    (drift.rule_window, only(BUFFER, "shape", "sigma", "spike", omega=0.1)),
    (rates.tail_exponent, {"alpha": 3.0, "q": 0.5}),
    (rates.jump_quantile, {"alpha": 3.0, "window": 5.0, "q": 0.5}),
    (choice.smallest_window, only(MANY, "shape", "sigma", "spikes", reach=0.9)),
    (post_polar.buffer, only(BUFFER, "shape", "sigma", "spike", "window")),
    (post_polar.repolarised_alignment, only(BUFFER, "shape", "sigma", "spike", "window")),
    (post_polar.critical_window, only(BUFFER, "shape", "sigma", "spike")),
]
SHARE = [0, -0.5, 1.5, NAN, INF]
AT_LEAST_ONE = [0, 0.9999999, -3, NAN, INF, -INF]
BAD = {
    "shape": [(0, 3), (2.5, 3), 3, (3,), (3, 4, 5), "ab", (NAN, 3), (INF, 3), (-1, 2), (True, 3), None, [[3, 4], [5, 6]]],
    "sigma": [0, -1, NAN, INF, [1.0]],
    "spike": [0, NAN, INF, -INF],
    "spikes": [0, NAN, INF, (1.0, 0.0), (3.0, NAN), (-INF, 1.0)],
    "window": AT_LEAST_ONE,
    "first": AT_LEAST_ONE,
    "second": AT_LEAST_ONE,
    "steps": [0, -1, 1.5, True, NAN],
    "q": [0, 1, -1, 2, NAN],
    "eta": [-1, NAN, INF],
    "gain": SHARE,
    "c_sig": SHARE,
    "noise_op": [-1, NAN, INF],
    "noise_nuclear": [-1, NAN, INF],
    "noise_tangent": [-1, NAN, INF],
    "polar_only": [1, 1.5, -2, NAN],
    "rank": [0, 31, -1],
    "each": [1.5, (0.1,) * 31, NAN, (), [[0.1, 0.2]]],
    "noise_factor": [0, -1, NAN, INF],
    "omega": [3.2, -3.2, NAN, INF],
    "response": [NAN, INF, complex(NAN, 1), "h", None, True],
    "alpha": [2, 1, NAN, -INF],
    "reach": [0, 1, -1, 2, NAN],
    "weights": [[], [1, -1], [NAN, 1], [INF, 1], [[1, 2]], 3.0],
    "length": [0, -1, 1.5, NAN],
    "phi": [1, -1, NAN, INF],
    "start": ["one", None],
    "kind": ["one", None],
}
OWN = {  # what one function refuses beyond the rest, or takes
    (updates.bias_variance, "gain"): [0, -1, NAN, INF],
    (post_polar.buffer, "window"): [1, *AT_LEAST_ONE],
    (post_polar.repolarised_alignment, "window"): [4.999, *AT_LEAST_ONE],
    (drift.high_snr_window, "omega"): [0, 3.2, -3.2, NAN, INF],
    (drift.rule_window, "omega"): [0, 3.2, -3.2, NAN, INF],
    (rates.jump_quantile, "window"): [1, *AT_LEAST_ONE],
    (rates.jump_quantile, "alpha"): [INF, 2, NAN],
}
REFUSED = [
    pytest.param(call, good, name, bad, id=f"{call.__module__.rpartition('.')[2]}.{call.__name__}-{name}={bad}")
    for call, good in CALLS
    for name in good
    for bad in OWN.get((call, name), BAD[name])
]
ROOM = [(call, name) for call, good in CALLS for name in ("spike", "spikes") if name in good and "shape" in good
        and (name == "spikes" or call.__module__ == "spikesim.theory.asymptotics")]  # fmt: skip


@pytest.mark.parametrize(("call", "good", "name", "bad"), REFUSED)
def test_outside_its_range_an_argument_is_refused(call, good, name, bad):
    call(**good)
    with pytest.raises(ValueError, match=r"^need .+, got .+"):
        call(**{**good, name: bad})


@pytest.mark.parametrize("call", [call for call, good in CALLS if {"spike", "spikes"} & set(good)
                                  and call.__module__ != "spikesim.theory.bounds"])  # fmt: skip
@pytest.mark.parametrize("bad", [(), [], "abc", [[1.0, 2.0]], [1, [2, 3]], None])
def test_what_is_no_list_of_spikes_is_refused(call, bad):
    good = dict(CALLS)[call]
    name = "spike" if "spike" in good else "spikes"
    with pytest.raises(ValueError, match=r"^need .+, got .+"):
        call(**{**good, name: bad})


@pytest.mark.parametrize(("call", "name"), ROOM)
def test_more_spikes_than_rows_or_columns_are_refused(call, name):
    for shape in ((3, 9), (9, 3)):
        with pytest.raises(ValueError, match=r"^need 1 <= rank <= min\(m, n\) = 3, got rank=4"):
            call(**{**dict(CALLS)[call], "shape": shape, name: (1.0, 2.0, 3.0, 4.0)})


@pytest.mark.parametrize("each", [[0.5], 0.5, [0.1, 0.2, 0.3], [[0.1], [0.2]], []])
def test_a_weighted_mean_takes_one_number_a_spike(each):
    with pytest.raises(ValueError, match=r"^need one number a spike, got spikes=2, shape="):
        asymptotics.weighted((4.0, 3.0), np.array(each))
    assert asymptotics.weighted((4.0, 1.0), np.array([0.5, 1.0])) == 0.6
    assert asymptotics.weighted(4.0, 0.5) == 0.5


@pytest.mark.parametrize("bad", [0.01 + math.pi / 2, -1.6])
def test_both_vectors_turn_by_at_most_a_quarter(bad):
    with pytest.raises(ValueError, match=r"^need .+, got omega="):
        drift.alignment((30, 40), 1.0, 3.0, 9.0, bad, both=True)


def test_a_spike_too_small_for_any_window_is_refused():
    with pytest.raises(ValueError, match=r"^need .+, got .+; spikes are too small beside sigma$"):
        choice.smallest_window((30, 40), 1e100, 1e-100, 0.5)


@pytest.mark.parametrize("call", [bounds.perturbation_radius, bounds.expected_tail])
def test_one_bad_value_among_many_is_refused(call):
    for eta, window in (([1.0, NAN], 5.0), (1.0, np.array([5.0, 0.5]))):
        with pytest.raises(ValueError, match=r"^need .+, got .+"):
            call(eta, window)


HUGE_INT = 10**400


@pytest.mark.parametrize(
    "call",
    [
        lambda: asymptotics.alignment((4, 5), 1.0, 1.0, HUGE_INT),
        lambda: asymptotics.alignment((4, 5), HUGE_INT, 1.0, 2.0),
        lambda: asymptotics.alignment((4, 5), 1.0, 1.0, 2.0, HUGE_INT),
        lambda: asymptotics.alignment((HUGE_INT, 5), 1.0, 1.0, 2.0),
        lambda: post_polar.buffer((4, 5), 1.0, 1e308, 5.0),
        lambda: post_polar.repolarised_alignment((4, 5), 1.0, 1.0, 1e308),
        lambda: filters.from_weights((1, "a")),
        lambda: filters.ema(5.0, start=np.array([1.0, 2.0])),
        lambda: filters.rotation(5.0, 0.1, kind=None),
        lambda: drift.alignment((4, 8), 1.0, 1.0, 5.0, 0.1, both="yes"),
        lambda: high_snr.tail((4, 5), 1.0, "3", 5.0),
        lambda: high_snr.tail((4, 5), 1.0, 0.5, 5.0),
        lambda: bounds.order_window(np.array([1.0, 2.0]), 1.0, 0.5),
        lambda: updates.bias_variance((4, 5), "x"),
        lambda: updates.bias_variance((4, 5), 0.5, noise_factor=[1.0, 2.0]),
    ],
)
def test_what_no_number_of_its_kind_can_be_is_refused_in_our_words(call):
    with pytest.raises(ValueError, match=r"^need .+, got .+"):
        call()


def test_a_bound_beyond_the_largest_number_is_infinite():
    assert bounds.nuclear_bound(1e308, 1e-100) == INF
    assert bounds.tangent_bound(1e300, 1e-100) == INF
    assert bounds.expected_subspace(1e300, 5.0, 1e-300) == INF
