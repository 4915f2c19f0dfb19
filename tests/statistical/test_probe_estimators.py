"""What the probe estimates is the truth on average, within the chance of its trials.

Fixed seeds and sizes: TRIALS streams of K gradients each, t tests of the mean estimate over trials against the model's truth.
The family holds every p-value of a positive test; family-wise error 1e-3, and wrong truths or wrong formulas must be rejected
at the same level.
"""

import numpy as np
import pytest
from family import Family
from scipy import stats

import spikesim as ss
from spikesim.gradients import gradients
from spikesim.model import SpikedModel
from spikesim.noise import AR1, Gaussian, Radial, StudentT
from spikesim.pipelines import pipelines_from
from spikesim.probe.noise import noise_estimates
from spikesim.probe.plan import passes, windows_for
from spikesim.probe.readings import Asked, read
from spikesim.probe.statistics import means
from spikesim.probe.sums import sums_of
from spikesim.recorded import opened
from spikesim.signal import Constant
from spikesim.signal.rotating import Rotating

SHAPE, SPIKES, K, TRIALS = (10, 14), (4.0, 2.5), 160, 60
ENTRIES, POWER = SHAPE[0] * SHAPE[1], sum(x * x for x in SPIKES)
LAWS = {
    "gaussian": Gaussian(1.0),
    "student": StudentT(8.0, 1.0),
    "radial": Radial(5.0, 1.0),
}
FAMILY = Family(1e-3, 3 * 4 + 2 * 3 + 3 + 1 + 3)


def streams(noise, signal=None, count=K):
    model = SpikedModel(SHAPE, SPIKES, noise, signal=signal or Constant())
    return [gradients(model, count, 1, trial) for trial in range(TRIALS)]


def estimates(noise, kind, signal=None, count=K):
    """NoiseEstimates of every trial."""
    found = []
    for stream in streams(noise, signal, count):
        with opened(stream) as recording:
            found.append(noise_estimates(sums_of(recording, 0), kind))
    return found


def p_value(found, name, true):
    return stats.ttest_1samp([getattr(one, name).value for one in found], true).pvalue


@pytest.fixture(scope="module")
def gaussian():
    return estimates(LAWS["gaussian"], "stationary")


@pytest.fixture(scope="module")
def turning():
    return estimates(LAWS["gaussian"], "trajectory", Rotating(0.02))


@pytest.mark.parametrize("law", LAWS)
def test_stationary_noise_and_signal_are_without_bias(law, gaussian):
    found = gaussian if law == "gaussian" else estimates(LAWS[law], "stationary")
    FAMILY.hold(
        eta=p_value(found, "eta", ENTRIES),
        signal=p_value(found, "signal", POWER),
        phi=p_value(found, "autocorrelation", 0.0),
        sigma=p_value(found, "sigma", 1.0),
    )


def test_a_sigma_that_is_off_by_a_twentieth_is_seen(gaussian):
    assert FAMILY.rejects(p_value(gaussian, "sigma", 1.05))
    assert FAMILY.rejects(p_value(gaussian, "eta", 0.95**2 * ENTRIES))


@pytest.mark.parametrize("omega", [0.0, 0.02])
def test_a_trajectorys_noise_and_signal_are_without_bias(omega, turning):
    found = turning if omega else estimates(LAWS["gaussian"], "trajectory")
    FAMILY.hold(
        eta=p_value(found, "eta", ENTRIES), signal=p_value(found, "signal", POWER), phi=p_value(found, "autocorrelation", 0.0)
    )


def test_the_stationary_formula_on_a_signal_that_turns_is_seen():
    found = estimates(LAWS["gaussian"], "stationary", Rotating(0.02))
    assert FAMILY.rejects(p_value(found, "eta", ENTRIES))
    assert FAMILY.rejects(p_value(found, "signal", POWER))


def test_autocorrelation_of_ar1_noise_is_without_bias_along_a_trajectory():
    found = estimates(AR1(0.3, 1.0), "trajectory", count=320)
    FAMILY.hold(
        phi=p_value(found, "autocorrelation", 0.3), eta=p_value(found, "eta", ENTRIES), signal=p_value(found, "signal", POWER)
    )
    assert FAMILY.rejects(p_value(found, "autocorrelation", 0.29))


def test_drift_is_without_bias(turning):
    FAMILY.hold(omega=p_value(turning, "drift", 0.02))
    assert FAMILY.rejects(p_value(turning, "drift", 0.021))


def test_tail_indices_of_power_laws_are_near_the_truth():
    """1/alpha of a Pareto factor a step, which differences of two steps bring near its tail's only slowly."""
    found = estimates(Radial(3.0, 1.0), "stationary", count=640)
    inverse = [1 / one.tail_steps.alpha for one in found]
    assert abs(np.mean(inverse) - 1 / 3) < 0.06
    assert FAMILY.rejects(stats.ttest_1samp(inverse, 1 / 4).pvalue)


def decreases(noise, kind, inside=False):
    """<A, S> of pre-polar at every window, (trial, W), by held-out gradients; or alignment inside the buffer."""
    windows = windows_for(kind, K, (1, 4, 10))
    asked = Asked(pipelines_from(["pre-polar"]), windows, (1,), 4)
    found = []
    for stream in streams(noise):
        with opened(stream) as recording:
            runs = [read(recording, run, asked, 40) for run in passes(kind, K, windows, 20, 0)]
        each = [means(run, np.ones(10, bool)) for run in runs]
        found.append(np.mean([x["inside" if inside else "decrease"][0] for x in each], axis=0))
    return np.asarray(found)


def true_decrease(windows):
    model = SpikedModel(SHAPE, SPIKES, LAWS["gaussian"], signal=Constant())
    data = ss.simulate(model, windows=windows, trials=4000, seed=1, pipelines=["pre-polar"], observables=["alignment"])
    return data.alignment.values[:, 0] * sum(SPIKES)


@pytest.fixture(scope="module")
def truth():
    return true_decrease((1, 4, 10))


def test_held_out_decrease_is_that_of_the_true_signal(truth):
    found = decreases(LAWS["gaussian"], "stationary")
    FAMILY.hold(decrease=stats.ttest_ind(found, truth, equal_var=False).pvalue)


def test_the_in_buffer_mean_in_its_place_is_seen(truth):
    found = decreases(LAWS["gaussian"], "stationary", inside=True)
    assert FAMILY.rejects(stats.ttest_ind(found, truth / sum(SPIKES), equal_var=False).pvalue)
