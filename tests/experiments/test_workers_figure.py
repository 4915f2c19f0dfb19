"""The figure of workers holds means over S4, and its finding paired differences."""

import numpy as np
import pytest
from harness import script, tiny

TRIALS, STEPS, COUNTS = 12, 64, [1, 2, 8]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tiny("workers", tmp_path_factory.mktemp("store"), trials=TRIALS, steps=STEPS)


def square(y):
    return 2 / np.pi * ((1 - y**-2) * np.arctan(y) + 1 / y)


def test_lines_are_means_and_the_guides_are_s4(store, tmp_path, drawn):
    module = script("workers")
    outcome = module.draw(store, tmp_path / "figures")
    low = min((r for r in store if r.coordinates["name"] == "Gaussian noise"), key=module._y)
    lines = drawn["axes"][0]["lines"]
    for order, text in module.TEXTS.items():
        x = np.stack([low.data.alignment.sel(pipeline=text.format(w)).isel(window=0).values for w in COUNTS], 1)
        np.testing.assert_allclose(lines[order], np.stack([COUNTS, x.mean(0)], 1))
        if order == module.LAST:
            gain = x[:, -1] - x[:, 0]
            said = f"{gain.mean():.3f} ± {1.96 * gain.std(ddof=1) / TRIALS**0.5:.3f}"
            assert f"'{order}' {said}" in outcome.details
            assert f"averaged after, {said})" in outcome.finding
    heavy = [r for r in store if r.coordinates["name"] == module.RARE]
    ahead = np.sum(module._signed(sorted(heavy, key=module._y), module.AGAIN, module.FIRST)[2] > 0)
    assert f"turn that round in {ahead} of 9, by up to " in outcome.finding
    assert len(outcome.finding.split()) <= 60
    y, limits = 0.2, []
    for w in COUNTS:
        t = STEPS // w
        gain, factor = 1 - 0.8**t, (1 - 0.8 ** (2 * t)) / 9
        limits.append(square(y * gain * (w / factor) ** 0.5))
    np.testing.assert_allclose(lines["S4; S10 where a polar step follows"][:, 1], limits, rtol=1e-4)


def test_polar_first_is_said_to_be_ahead_where_it_is(store):
    module = script("workers")
    heavy = [r for r in store if r.coordinates["name"] == module.RARE]
    mean, half, sign = module._signed(heavy, module.AGAIN, module.FIRST)
    assert np.all(sign == np.where(mean > half, 1, np.where(mean < -half, -1, 0)))
    assert np.sum(sign > 0) >= 6
    assert np.sum(module._signed(heavy, module.FIRST, module.AGAIN)[2] < 0) == np.sum(sign > 0)
