"""A device held against the CPU, with the CPU in its place: equal to itself, and every perturbation is seen."""

import sys

import numpy as np
import pytest
from harness import ROOT, run_python

sys.path.append(str(ROOT / "experiments"))

from benchmarks import gpu_device, gpu_noise, gpu_verify

from spikesim.kernels.fills import FILLS


def test_units_in_the_last_place():
    one = np.float32(1.0)
    after = np.nextafter(one, np.float32(2))
    before = np.nextafter(one, np.float32(0))
    found = np.array([after, before, -one, np.inf, np.nan, np.nan, 0.0, 1e-40])
    true = np.array([one, one, one, np.inf, np.nan, 1.0, -0.0, 0.0])
    expected = [1, 0.5, 2 / 2**-23, 0, 0, np.inf, 0, 1e-40 / 2.0**-149]  # below the normal numbers spacing is constant
    np.testing.assert_allclose(gpu_noise.ulps(found, true, np.float32), expected, rtol=1e-6)
    np.testing.assert_allclose(gpu_noise.ulps([0.25 + 2**-30], [0.25], np.float32), [2**-30 / 2**-25])
    np.testing.assert_allclose(gpu_noise.ulps([0.25 + 2**-30], [0.25], np.float32, 1.0), [2**-30 / 2**-23])


def test_every_fill_has_a_law_and_equals_itself():
    assert {law: noise.fill for law, noise in gpu_noise.LAWS.items()} == {law: law for law in FILLS}
    for law in ("gaussian", "rademacher", "arch"):
        found = gpu_noise.noise_apart(law, "float32", "cpu", 1, 16)
        assert (found.most, found.usual, found.signs, found.held) == (0, 0, 0, True)


@pytest.mark.parametrize(
    ("law", "change", "held"),
    [
        ("rademacher", lambda x: x * (1 + 2.0**-22), False),   # nothing may differ
        ("laplace", lambda x: x * (1 + 2.0**-22), True),       # two units, as stated
        ("laplace", lambda x: x * (1 + 2.0**-20), False),      # eight: not for 99.9 %
        ("laplace", lambda x: -x, False),
    ],
)  # fmt: skip
def test_noise_that_is_off_is_seen(law, change, held):
    true = gpu_noise.drawn(law, "float32", "cpu", 1, 16)
    found = gpu_noise.apart(law, "float32", change(true).astype(np.float32), true)
    assert found.held is held
    one_sign = true.copy()
    one_sign.flat[7] *= -1
    assert gpu_noise.apart(law, "float32", one_sign, true).signs == 1
    assert not gpu_noise.apart(law, "float32", one_sign, true).held


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("law", ["gaussian", "frozen", "arch", "ar1"])
def test_what_is_made_of_normals_is_counted_in_units_of_float32(law, dtype):
    true = gpu_noise.drawn(law, dtype, "cpu", 1, 16)
    for units, held in ((2, True), (40, False)):
        found = gpu_noise.apart(law, dtype, (true * (1 + units * 2.0**-23)).astype(dtype), true)
        assert found.held is held
        assert units <= found.most <= 2 * units + 1


def test_sums_that_cancel_are_counted_at_the_size_of_their_terms():
    true = gpu_noise.drawn("ar1", "float64", "cpu", 1, 16)
    near, far = (gpu_noise.apart("ar1", "float64", true + units * 2.0**-23, true) for units in (2, 40))
    assert near.most > 1000  # beside a small number
    assert near.held
    assert not far.held
    assert not gpu_noise.apart("arch", "float64", true + 2 * 2.0**-23, true).held


def test_random_words_of_a_kernel_in_the_simulator():
    code = """
import numpy as np
from benchmarks.gpu_words import device_words
from spikesim import rng
entries = np.append(np.arange(20, dtype=np.uint64), np.uint64(2**33 - 1))
steps = entries // np.uint64(5)
for draw in range(6):
    found = device_words(np, 2**63 + 5, rng.NOISE, 2**32 - 1, steps, entries, draw)
    true = rng.words(2**63 + 5, rng.NOISE, 2**32 - 1, steps, entries, draw)
    assert np.array_equal(found, true), draw
    assert not np.array_equal(found, rng.words(2**63 + 4, rng.NOISE, 2**32 - 1, steps, entries, draw))
"""
    run_python(code, NUMBA_ENABLE_CUDASIM="1")


def test_a_word_that_differs_is_counted(monkeypatch):
    def wrong_once(_, *where):
        words = gpu_noise.rng.words(*where)
        words[3] ^= where[-1] == 5
        return words

    monkeypatch.setattr(gpu_device, "namespace", lambda: np)
    monkeypatch.setattr(gpu_noise, "device_words", wrong_once)
    assert gpu_noise.words_apart(range(2), 64) == {"places": 2 * 6 * 64, "different": 2}


def test_the_cpu_agrees_with_itself_and_a_change_is_seen(monkeypatch):
    monkeypatch.setattr(gpu_verify, "METHODS", {"collapsed": ("pre-polar", "polar-only")})
    monkeypatch.setattr(gpu_verify, "SHAPE", (8, 12))
    rows = list(gpu_verify.observables_apart("cpu", 3, 20))
    assert {row["of"] for row in rows} == {"pre-polar", "polar-only", "buffer"}
    assert all(row["difference"] == 0 and row["held"] for row in rows)
    assert gpu_verify.halves_apart("cpu", 4)["same_bits"]

    run = gpu_verify.run

    def off(law, device, *arguments, **options):
        data = run(law, "cpu", *arguments, **options)
        if device == "off":
            data["gap"][0, 1, 0] *= 1 + 1e-2
        return data

    monkeypatch.setattr(gpu_verify, "run", off)
    seen = [(row["of"], row["observable"]) for row in gpu_verify.observables_apart("off", 3, 20) if not row["held"]]
    assert seen == [("polar-only", "gap")] * 2  # both dtypes


def test_differences_are_beside_the_largest_value_and_undefined_ones_must_agree():
    assert gpu_verify.difference("gap", [2.0, 4.0], [2.0, 5.0]) == pytest.approx(0.2)
    assert gpu_verify.difference("residual", [2e-16], [1e-16]) == pytest.approx(1e-16)
    assert gpu_verify.difference("gap", [np.nan, 1.0], [np.nan, 1.0]) == 0
    assert gpu_verify.difference("gap", [np.nan, 1.0], [0.0, 1.0]) == np.inf
    assert gpu_verify.difference("gap", [0.0, 1.0], [np.nan, 1.0]) == np.inf
