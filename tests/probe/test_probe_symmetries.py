"""What a probe says when its gradients are scaled, transposed or turned."""

import numpy as np
import pytest
import recordings

import spikesim as ss

KINDS = ("stationary", "trajectory")
SCALED = ("gradient_values", "decrease")
SCALE_FREE = (
    "alignment", "alignment_in_buffer", "filtering_ratio", "suppression", "sin_theta_left", "sin_theta_right",
    "sin_theta_left_held_out", "sin_theta_right_held_out", "fitted", "predicted", "persistence",
)  # fmt: skip


def probed(gradients, kind, **options):
    return ss.probe(gradients, kind=kind, readings=20, **options)


@pytest.fixture(scope="module", params=KINDS)
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def gradients():
    return recordings.recorded((4, 7), turn=0.01)


@pytest.fixture(scope="module")
def plain(gradients, kind):
    return probed(gradients, kind)


def numbers(found):
    """All that is scale-free, of noise and advice."""
    noise, advice = found.noise, found.advice
    one = (noise.snr, noise.autocorrelation, noise.drift, advice.clip_gain, advice.order_gain)
    tails = (noise.tail_steps, noise.tail_entries)
    ranks = found.ranks
    return (
        [(e.value, e.low, e.high) for e in one],
        [(t.alpha, t.low, t.high, t.used) for t in tails],
        (ranks.bulk_edge, ranks.signed_noise, ranks.hard_threshold, ranks.anisotropy),
        (advice.window, advice.alignment, advice.clip, advice.reason, advice.clip_reason),
    )


def spectra(found):
    """Singular values of gradients and their averages."""
    return found.data.singular_values.sel(pipeline=["pre-polar", "polar-only", "clipped pre-polar"]).values


@pytest.mark.parametrize("power", [-70, 3, 40])
def test_powers_of_two_scale_and_change_no_bit_else(plain, gradients, kind, power):
    factor = 2.0**power
    other = probed(factor * gradients, kind)
    assert repr(numbers(other)) == repr(numbers(plain))  # to the last bit, and what is NaN (drift at rest) as well
    for name in SCALE_FREE:
        np.testing.assert_array_equal(other.data[name], plain.data[name], err_msg=name)
        if f"{name}_error" in plain.data:
            np.testing.assert_array_equal(other.data[f"{name}_error"], plain.data[f"{name}_error"], err_msg=name)
    for name in SCALED:
        np.testing.assert_array_equal(other.data[name], factor * plain.data[name])
    np.testing.assert_array_equal(spectra(other), factor * spectra(plain))
    assert other.noise.eta.value == factor**2 * plain.noise.eta.value
    assert other.noise.signal.value == factor**2 * plain.noise.signal.value
    assert other.advice.clip_norm == factor * plain.advice.clip_norm
    np.testing.assert_array_equal(other.spikes, factor * plain.spikes)
    assert other.curve.nuclear == factor * plain.curve.nuclear


def test_any_other_factor_does_so_to_rounding(plain, gradients, kind):
    other = probed(0.3 * gradients, kind)
    for name in (*SCALE_FREE, *SCALED):
        wanted = plain.data[name] * (0.3 if name in SCALED else 1)
        np.testing.assert_allclose(other.data[name], wanted, rtol=1e-8, atol=1e-9, err_msg=name)


def test_transposed_gradients_swap_left_and_right(plain, gradients, kind):
    other = probed(gradients.swapaxes(1, 2), kind)
    for name in SCALE_FREE + SCALED:
        twin = name.replace("left", "*").replace("right", "left").replace("*", "right")
        np.testing.assert_allclose(other.data[twin], plain.data[name], rtol=1e-8, atol=1e-9, err_msg=name)
    assert not np.allclose(plain.data.sin_theta_left_held_out, plain.data.sin_theta_right_held_out)
    assert (other.rank, other.ranks.bulk_edge, other.advice.window) == (
        plain.rank,
        plain.ranks.bulk_edge,
        plain.advice.window,
    )


def test_turned_rows_and_columns_change_nothing_but_the_tail_of_entries(plain, gradients, kind):
    generator = np.random.default_rng(5)
    left, right = (np.linalg.qr(generator.standard_normal((k, k)))[0] for k in (4, 7))
    other = probed(left @ gradients @ right, kind)
    for name in SCALE_FREE + SCALED:
        np.testing.assert_allclose(other.data[name], plain.data[name], rtol=1e-8, atol=1e-8, err_msg=name)
    np.testing.assert_allclose(other.noise.eta.value, plain.noise.eta.value)
    np.testing.assert_allclose(other.noise.tail_steps.alpha, plain.noise.tail_steps.alpha)
    np.testing.assert_allclose(other.spikes, plain.spikes)
    assert abs(other.noise.tail_entries.alpha / plain.noise.tail_entries.alpha - 1) > 1e-3
