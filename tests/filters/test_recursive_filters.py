"""FIR and IIR filters against scipy.signal.lfilter (F9)."""

import mpmath as mp
import numpy as np
import pytest
from scipy.signal import lfilter

from spikesim.filters import EMA, FIR, IIR, MovingAverage, Nesterov

POLES = {
    "one real": [0.9],
    "a slow pair": [0.99 + 0.05j, 0.99 - 0.05j],
    "alternating": [-0.95],
    "repeated": [0.9, 0.9, 0.9],
    "five": [0.5, -0.5, 0.97, 0.3 + 0.6j, 0.3 - 0.6j],
}
FORWARD = [(1.0,), (0.0, 0.0, 2.0), (0.3, -0.2, 0.1, 0.0, 0.7, 1.1, -0.4)]
STREAM = np.random.default_rng(3).standard_normal((200, 3, 2))


def run(filter_, stream):
    memory, out = filter_.memory(), []
    for x in stream:
        memory.push(x)
        out.append(memory.output())
    return np.array(out)


@pytest.mark.parametrize("forward", FORWARD, ids=str)
@pytest.mark.parametrize("poles", POLES.values(), ids=POLES)
def test_an_iir_filter_is_scipys(forward, poles):
    back = np.poly(poles)
    filter_ = IIR(forward, tuple(back))
    expected = lfilter(forward, back, STREAM, axis=0)
    np.testing.assert_allclose(run(filter_, STREAM), expected, rtol=0, atol=1e-13 * np.abs(expected).max())


@pytest.mark.parametrize("forward", FORWARD, ids=str)
@pytest.mark.parametrize("poles", POLES.values(), ids=POLES)
def test_its_weights_are_the_recurrence_in_exact_numbers(forward, poles):
    back = np.poly(poles)
    exact = []
    with mp.workdps(50):
        for k in range(4000):
            y = mp.mpf(forward[k]) if k < len(forward) else mp.mpf(0)
            exact.append(y - mp.fsum(mp.mpf(a) * exact[k - i] for i, a in enumerate(back) if 0 < i <= k))
    expected = np.array([float(y) for y in exact])
    filter_, scale = IIR(forward, tuple(back)), np.abs(expected).max()
    np.testing.assert_allclose(filter_.weights(4000), expected, rtol=0, atol=1e-12 * scale)
    np.testing.assert_allclose(filter_.weights(9000, 1234, 4000), expected[1234:], rtol=0, atol=1e-12 * scale)
    older = np.cumsum(np.abs(expected)[::-1])[::-1]
    for weight in (0.5, 1e-3, 1e-6):
        steps = filter_.settling(weight)
        assert older[steps] < weight * older[0] * (1 + 1e-9)
        assert steps == 1 or older[steps - 1] >= weight * older[0] * (1 - 1e-9)


@pytest.mark.parametrize("forward", FORWARD, ids=str)
@pytest.mark.parametrize("poles", POLES.values(), ids=POLES)
def test_its_response_is_the_ratio_of_its_polynomials(forward, poles):
    filter_, back = IIR(forward, tuple(np.poly(poles))), np.poly(poles)
    for omega in (0.0, 0.05, -1.0, np.pi):
        z = np.exp(-1j * omega)
        expected = np.polyval(forward[::-1], z) / np.polyval(back[::-1], z)
        assert filter_.response(omega) == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert filter_.gain() == pytest.approx(sum(forward) / sum(back), rel=1e-9, abs=0)


@pytest.mark.parametrize("taps", [(2.0,), (0.1, 0.0, -3.0, 4.0)], ids=str)
def test_a_fir_filter_is_scipys_and_an_iir_filter_without_feedback(taps):
    np.testing.assert_allclose(run(FIR(taps), STREAM), lfilter(taps, [1], STREAM, axis=0), rtol=0, atol=1e-13)
    np.testing.assert_allclose(run(IIR(taps, (1.0,)), STREAM), run(FIR(taps), STREAM), rtol=0, atol=1e-13)
    assert IIR(taps, (1,)).settling(1e-9) == FIR(taps).settling(1e-9) == len(taps)


def test_named_filters_have_recursive_and_finite_forms():
    for one, other in [
        (EMA(10), IIR((0.1,), (1, -0.9))),
        (Nesterov(10), IIR((0.19, -0.09), (1, -0.9))),
        (MovingAverage(4), FIR((0.25,) * 4)),
    ]:
        np.testing.assert_allclose(run(one, STREAM), run(other, STREAM), rtol=0, atol=1e-14)
        found, expected = ((f.gain(), f.noise_factor(), f.n_eff(), f.lag()) for f in (other, one))
        assert found == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("window", [2.0, 50.0, 1e4])
def test_one_pole_settles_as_the_average_does(window):
    one = IIR((1 / window,), (1, -(1 - 1 / window)))
    assert one.settling(1.01e-6) == EMA(window).settling(1.01e-6)
    assert one.settling(2.0**-100) == pytest.approx(EMA(window).settling(2.0**-100), rel=1e-3, abs=2)


def test_the_slowest_pole_has_its_weights():
    one, other = IIR((1e-5,), (1, -(1 - 1e-5))), EMA(1e5)
    found, expected = ((f.gain(), f.n_eff(), f.lag(), f.settling()) for f in (one, other))
    assert found == pytest.approx(expected, rel=1e-9)


def test_poles_that_grow_before_they_decay_are_followed_to_the_end():
    """Weights of three equal poles rise to thousands of times the first before they fall."""
    one = IIR((1.0,), tuple(np.poly([0.99] * 3)))
    w = one.weights(20_000)
    assert w.max() > 1000
    assert np.abs(w[one.settling(2.0**-100) :]).sum() < 2.0**-99 * w.sum()
    assert one.gain() == pytest.approx(1 / sum(one.feedback), rel=1e-8)


@pytest.mark.parametrize(
    ("feedback", "modulus"),
    [
        ((1, -1), "1.0"),
        ((1, -1.5), "1.5"),
        ((1, 1.25), "1.25"),
        ((1, 0, 1.44), "1.2"),
        ((1, -2, 1), "1.0"),
        ((1, -0.9999999), "0.99"),
    ],
)
def test_an_unstable_filter_is_refused_and_its_pole_named(feedback, modulus):
    with pytest.raises(ValueError, match=rf"^need stable poles, \|z\| <= 1 - 1e-05, got modulus={modulus}"):
        IIR((1,), feedback)


@pytest.mark.parametrize("taps", [(1e-288, 1.0), (3e-200, -1e-200), (5e-324,)])
def test_taps_whose_squares_vanish_have_an_effective_sample_size(taps):
    seen = np.array(taps[:1]) / abs(taps[0])
    assert FIR(taps).n_eff(1) == 1.0 == seen.sum() ** 2 / (seen @ seen)
    whole = np.array(taps) / max(map(abs, taps))
    assert FIR(taps).n_eff() == pytest.approx(whole.sum() ** 2 / (whole @ whole))


@pytest.mark.parametrize("taps", [(), 3.0, "12", (1.0, "2"), (np.nan,), (np.inf, 1), (0, 0.0), (True,), None])
def test_taps_that_are_no_numbers_are_refused(taps):
    for make, name in [(FIR, "taps"), (lambda b: IIR(b, (1,)), "feedforward"), (lambda a: IIR((1,), a), "feedback")]:
        with pytest.raises(ValueError, match=rf"^need {name}: one or more finite numbers, not all zero, got {name}="):
            make(taps)


def test_feedback_that_does_not_begin_with_one_is_refused():
    with pytest.raises(ValueError, match=r"^need feedback\[0\] == 1, got feedback=\(2\.0, -1\.0\)"):
        IIR((1,), (2, -1))


def test_equal_coefficients_are_equal_filters():
    assert IIR([1], np.array([1, -0.5])) == IIR((1.0,), (1.0, -0.5))
    assert len({FIR([1, 2]), FIR((1.0, 2.0)), FIR((2.0, 1.0))}) == 2
    assert repr(IIR([1], (1, -0.5))) == "IIR((1.0,), (1.0, -0.5))"
    assert repr(FIR([1, 2])) == "FIR((1.0, 2.0))"
