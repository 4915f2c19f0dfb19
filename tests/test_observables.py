"""Each observable on matrices whose value is known by hand, and against the slow reference."""

import math

import numpy as np
import pytest
import reference as ref
from array_api_compat import numpy as xp

from spikesim import observables as obs
from spikesim.arrays import frobenius
from spikesim.measure import noise_norms
from spikesim.observables import Truth


def random(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def frame(m, n, rank, seed=0):
    return tuple(np.linalg.qr(random(k, rank, seed=seed + i))[0] for i, k in enumerate((m, n)))


def truth(m, n, spikes, seed=0):
    return Truth(*frame(m, n, len(spikes), seed), np.array(spikes))


def plane(angle):
    """A 4 x 2 frame at `angle` from the first two axes, in its second vector."""
    out = np.eye(4, 2)
    out[:, 1] = [0, math.cos(angle), math.sin(angle), 0]
    return out


# From the update


def test_target_carries_the_signs():
    t = truth(4, 5, (3.0, -1.0))
    np.testing.assert_allclose(t.target, ref.polar((t.u * t.spikes) @ t.v.T), atol=1e-14)


@pytest.mark.parametrize("spikes", [(3.0,), (3.0, -1.0), (-2.0, -2.0, 0.5)])
def test_the_target_itself_has_alignment_projection_and_cosine_one(spikes):
    t = truth(4, 5, spikes)
    for sign in (1, -1):
        o, norm = obs.directions(sign * t.target, t), frobenius(t.target)
        for value in (obs.alignment(o, t), obs.projection(o, t), obs.cosine(o, norm, t)):
            assert value == pytest.approx(sign, abs=1e-14)


def test_alignment_weights_directions_by_size_and_projection_does_not():
    t = Truth(np.eye(3, 2), np.eye(4, 2), np.array([3.0, -1.0]))
    a = np.diag([1.0, 0.5, 7.0]) @ np.eye(3, 4)
    assert obs.alignment(obs.directions(a, t), t) == pytest.approx((3 * 1 - 1 * 0.5) / 4)
    assert obs.projection(obs.directions(a, t), t) == pytest.approx((1 - 0.5) / 2)
    assert obs.cosine(obs.directions(a, t), frobenius(a), t) == pytest.approx((1 - 0.5) / math.sqrt(2 * (1 + 0.25 + 49)))
    np.testing.assert_allclose(obs.directions(a, t), [1, 0.5])


def test_alignment_equals_projection_where_spikes_are_equal():
    t, a = truth(4, 5, (2.0, -2.0, 2.0)), random(6, 4, 5)
    np.testing.assert_allclose(obs.alignment(obs.directions(a, t), t), obs.projection(obs.directions(a, t), t), atol=1e-14)


def test_cosine_of_a_full_polar_factor_is_projection_times_root_of_r_over_p():
    t, a = truth(4, 5, (3.0, 1.0)), ref.polar(random(4, 5))
    assert obs.cosine(obs.directions(a, t), frobenius(a), t) == pytest.approx(
        math.sqrt(2 / 4) * obs.projection(obs.directions(a, t), t), abs=1e-14
    )


@pytest.mark.parametrize("scale", [1e-300, 1e-10, 1e150, 1e300])
def test_cosine_is_free_of_scale(scale):
    t, a = truth(4, 5, (3.0, 1.0)), random(4, 5)
    assert obs.cosine(obs.directions(scale * a, t), frobenius(scale * a), t) == pytest.approx(
        obs.cosine(obs.directions(a, t), frobenius(a), t), rel=1e-13
    )


def test_cosine_of_a_zero_update_is_zero():
    assert obs.cosine(np.zeros(1), np.zeros(()), truth(4, 5, (3.0,))) == 0


# From the singular vectors


@pytest.mark.parametrize("angle", [0.0, 1e-12, 1e-9, 1e-5, 0.3, 1.5, math.pi / 2])
def test_sin_theta_is_the_largest_sine_at_every_size(angle):
    assert obs.sin_theta(plane(angle), np.eye(4, 2)) == pytest.approx(math.sin(angle), rel=1e-12, abs=1e-17)


def test_sin_theta_does_not_depend_on_the_bases():
    found, true = frame(6, 6, 3)
    turn = np.linalg.qr(random(3, 3, seed=7))[0]
    assert obs.sin_theta(found @ turn, true) == pytest.approx(obs.sin_theta(found, true @ turn), rel=1e-13)
    assert obs.sin_theta(found, true) == pytest.approx(ref.outside(true, found), rel=1e-13)


def test_sin_theta_never_exceeds_one():
    true = np.linalg.qr(random(9, 2))[0]
    orthogonal = np.linalg.qr(np.hstack([true, random(9, 4, seed=1)]))[0][:, 2:4]
    assert 1 - 1e-14 < obs.sin_theta(orthogonal, true) <= 1


@pytest.mark.parametrize(("values", "rank", "exists"), [
    ([1, 1, 1], 1, False), ([1, 1, 1], 3, True), ([1, 1 - 1e-15, 0], 1, False), ([1, 1 - 1e-12, 0], 1, True),
    ([2, 1, 1], 1, True), ([2, 1, 1], 2, False), ([0, 0, 0], 1, False),
])  # fmt: skip
def test_top_subspace_exists_where_a_gap_follows_it(values, rank, exists):
    assert obs.separated(np.array(values, float), rank, rounding=5 * 2.0**-52) == exists


# From the singular values


def test_gap_tail_and_head_error_by_hand():
    d = np.array([[5.0, 3.0, 1.0], [6.0, 2.0, 0.5]])
    np.testing.assert_array_equal(obs.gap(d, 2), [2, 1.5])
    np.testing.assert_array_equal(obs.tail(d, 2), [1, 0.5])
    np.testing.assert_array_equal(obs.head_error(d, np.array([2.5, 5.5])), [0.5, 0.5])


def test_full_rank_has_no_tail():
    d = np.array([[5.0, 3.0, 1.0]])
    np.testing.assert_array_equal(obs.tail(d, 3), [0])
    np.testing.assert_array_equal(obs.gap(d, 3), [1])


# From the noise


@pytest.mark.parametrize("scale", [1e-300, 1.0, 1e300])
def test_noise_norms_at_every_scale(scale):
    x = random(4, 5)
    t = truth(4, 5, (3.0, -1.0))
    expected = {
        "noise_fro": np.linalg.norm(x),
        "noise_op": np.linalg.norm(x, 2),
        "noise_nuclear": np.linalg.norm(x, "nuc"),
        "noise_tangent": np.linalg.norm(ref.tangent_part(x, t.u, t.v)),
    }
    found = noise_norms(scale * x, t)
    assert {name: float(value) / scale for name, value in found.items()} == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("names", [("noise_fro",), ("noise_op",), ("noise_nuclear", "noise_tangent"), obs.NOISE], ids=str)
def test_noise_norms_are_those_asked_for_from_at_most_one_svd(monkeypatch, names):
    calls = []
    monkeypatch.setattr(xp.linalg, "svdvals", lambda x, real=xp.linalg.svdvals: calls.append(x.shape) or real(x))
    assert tuple(noise_norms(random(4, 5), truth(4, 5, (3.0,)), names)) == names
    assert len(calls) == bool({"noise_op", "noise_nuclear"} & {*names})


@pytest.mark.parametrize("share", [1.0, 1e-9, 1e-200, 0.0])
def test_a_small_tangent_part_beside_a_large_rest_keeps_its_digits(share):
    t = Truth(np.eye(4, 1), np.eye(5, 1), np.array([2.0]))
    z = np.zeros((4, 5))
    z[0, 3], z[2, 0], z[3, 4] = 3 * share, -4 * share, 1e3
    assert obs.tangent_norm(z, t) == pytest.approx(5 * share, rel=1e-14, abs=0)


# Over trials


def moments_of(updates, target):
    d = updates - target
    return obs.moments(d.sum(axis=0), np.sum(d * d, axis=(0, 2, 3)), len(d))


def test_moments_equal_averages_over_pairs_of_trials():
    updates, target = random(6, 1, 3, 4), random(3, 4, seed=1)
    found = np.ravel(moments_of(updates, target))
    np.testing.assert_allclose(found, ref.bias_and_variance(updates[:, 0], target), rtol=1e-12)


def test_moments_are_unbiased_over_all_samples():
    """All 27 samples of 3 from 3 equally likely matrices: the averages are exact."""
    values, target = random(3, 2, 2), random(2, 2, seed=1)
    indices = np.stack(np.meshgrid(*[range(3)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    bias, variance = np.mean([moments_of(values[i][:, None], target) for i in indices], axis=0)[:, 0]
    assert bias == pytest.approx(np.sum((values.mean(axis=0) - target) ** 2), rel=1e-12)
    assert variance == pytest.approx(np.sum(values.var(axis=0)), rel=1e-12)


def test_equal_updates_have_no_variance():
    bias, variance = moments_of(np.ones((4, 1, 2, 3)), np.zeros((2, 3)))
    assert bias == pytest.approx(6)
    assert variance == pytest.approx(0, abs=1e-14)
