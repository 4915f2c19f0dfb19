"""The figure of stale workers: all lags in one response, and means over it."""

import numpy as np
import pytest
from harness import script, tiny

STEPS = 120


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tiny("staleness", tmp_path_factory.mktemp("store"), trials=10, steps=STEPS)


@pytest.mark.parametrize("delays", [(0, 0, 0, 0), (0, 0, 0, 16), (4, 4, 4, 4)])
def test_response_is_that_of_all_weights_on_the_stream(store, delays):
    module, t = script("staleness"), 10
    result = max(store, key=module._omega)
    weight = np.zeros(STEPS)  # of every gradient, by its step
    for age in range(STEPS // 4):  # steps of the filter
        for worker, d in enumerate(delays):
            if age + d < STEPS // 4:
                weight[(STEPS // 4 - 1 - age - d) * 4 + worker] += 0.9**age / t / 4
    h, factor = module._response(result, delays, t)
    assert h == pytest.approx(np.sum(weight * np.exp(-0.01j * (STEPS - 1 - np.arange(STEPS)))), abs=1e-12)
    assert factor == pytest.approx(np.sum(weight**2), rel=1e-12)


def test_lines_are_means_and_the_finding_has_the_loss(store, tmp_path, drawn):
    module = script("staleness")
    outcome = module.draw(store, tmp_path / "figures")
    result = max(store, key=module._omega)
    texts = ["Workers(4) -> Filter() -> Polar()", "Workers(4, (4, 4, 4, 4)) -> Filter() -> Polar()"]
    texts.append("Workers(4, (16, 16, 16, 16)) -> Filter() -> Polar()")
    x = result.data.alignment.sel(pipeline=texts, window=10).transpose("trial", "pipeline").values
    line = drawn["axes"][3]["lines"]["all late, T = 10"]
    np.testing.assert_allclose(line, np.stack([[0, 4, 16], x.mean(0)], 1))
    lost = f"'{module.FIRST}' {100 * (1 - x[:, 2].mean() / x[:, 0].mean()):.1f} ±"
    assert lost in outcome.details
    assert f"a delay of 16 costs {lost}" in outcome.finding
    assert len(outcome.finding.split()) <= 60
