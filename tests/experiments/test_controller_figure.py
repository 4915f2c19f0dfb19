"""The figure of the controller holds paired regrets, its windows beside S8's, and what follows a switch."""

import numpy as np
import pytest
from harness import script, tiny
from scipy import stats

from spikesim.theory import drift

FIXED = [2, 5, 20, 200]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tiny("controller", tmp_path_factory.mktemp("store"), trials=5, windows=FIXED)


@pytest.fixture
def made(store, tmp_path, drawn):
    outcome = script("controller").draw(store, tmp_path / "figures")
    return {(r.coordinates["name"], int(r.data.attrs["steps"])): r for r in store}, outcome, drawn["axes"]


def alignment(result):
    """Fixed windows (trial, window), and the controller's (trial,)."""
    a = result.data.alignment.values
    return a[:, 0], a[:, 1, 0]


def regret(result):
    fixed, own = alignment(result)
    apart = fixed[:, fixed.mean(0).argmax()] - own
    return apart.mean(), stats.t.ppf(0.975, 4) * apart.std(ddof=1) / 5**0.5


def stands(mean, half, places):
    return f"{'ahead' if mean < 0 else 'behind'} by {abs(mean):.{places}f} ± {half:.{places}f}"


def test_regrets_are_paired_with_the_best_fixed_window(made):
    results, outcome, axes = made
    names = [n for n, s in results if s == 400 and "switch" not in n]
    line = axes[0]["lines"]["controller"]
    np.testing.assert_allclose(line[:, 1], [regret(results[n, 400])[0] for n in names], atol=1e-12)
    fixed = axes[0]["lines"]["T = 20 (β = 0.95)"][:, 1]
    assert np.all(fixed >= 0)
    for name in names:
        mean, half = regret(results[name, 400])
        assert f"{stands(mean, half, 4)} at {name} (best T = " in outcome.details


def test_the_finding_holds_the_worst_regrets(made):
    results, outcome, _ = made
    steady = [r for (n, s), r in results.items() if s == 400 and "switch" not in n]
    worst = max(map(regret, steady))
    assert f"at worst {stands(*worst, 4)} (" in outcome.finding
    late = max(regret(r) for (n, s), r in results.items() if s > 200 and "switch" in n)
    assert f"it is {stands(*late, 3)}." in outcome.finding
    lost = {}
    for k, t in enumerate(FIXED[1:], 1):
        fixed = [alignment(r)[0] for r in steady]
        lost[t] = max((f[:, f.mean(0).argmax()] - f[:, k]).mean() for f in fixed)
    best = min(lost, key=lost.get)
    assert f"one kept T = {best} loses up to {lost[best]:.3f} ± " in outcome.finding
    assert len(outcome.finding.split()) <= 60


def test_a_difference_in_the_controllers_favour_is_called_so():
    said = script("controller")._stands
    assert (said(-0.0123, 0.004, 3), said(0.0123, 0.004, 3)) == ("ahead by 0.012 ± 0.004", "behind by 0.012 ± 0.004")


def test_windows_are_the_controllers_and_those_of_s8(made):
    results, outcome, axes = made
    chosen = results["ω = 0.01", 400].data.chosen_window.values[:, 1, 0]
    model = results["ω = 0.01", 400].model
    best, _ = drift.best_window(model.shape, 1.0, model.spikes, 0.01)
    assert f"{np.median(chosen):.3g} against S8's {best:.3g} at ω = 0.01" in outcome.details
    assert axes[1]["lines"]["controller, median and 10 to 90 %"][1, 1] == pytest.approx(np.median(chosen))
    stars = axes[1]["lines"]["best T of S8 (infinite for ω = 0)"]
    assert stars[1, 1] == pytest.approx(best)
    course = axes[2]["lines"]["ω = 0.01"]
    assert course[:, 0].tolist() == [100, 200, 220, 400]
    assert course[-1, 1] == pytest.approx(np.median(chosen))


def test_what_follows_a_switch_is_drawn_and_said(made):
    results, outcome, axes = made
    for name in ("switch of u", "switch of sign"):
        line = axes[3]["lines"][f"controller, {name}"]
        assert line[:, 0].tolist() == [20, 200]
        np.testing.assert_allclose(line[:, 1], [alignment(results[name, s])[1].mean() for s in (220, 400)])
        best = axes[3]["lines"][f"best fixed T at each step, {name}"]
        np.testing.assert_allclose(best[:, 1], [alignment(results[name, s])[0].mean(0).max() for s in (220, 400)])
        mean, half = regret(results[name, 220])
        assert f"{name}: {stands(mean, half, 3)} after 20, " in outcome.details
