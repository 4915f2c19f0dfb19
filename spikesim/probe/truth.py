"""What a probe of a simulated stream estimates, beside what is true of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikesim.probe.curve import turned
from spikesim.probe.jackknife import student
from spikesim.probe.kept import Probed
from spikesim.probe.plan import AHEAD, BLOCKS
from spikesim.theory.filters import rotation

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Estimator:
    """One number, or several, of a probe.

    Attributes:
        label: In figures.
        found: (values, low, high) of a probe.
        true: What they should be.
        relative: Whether errors are divided by the truth.
        streams: First words of the names of the streams on which it is checked.
    """

    label: str
    found: Callable[[Probed], tuple[Any, Any, Any]]
    true: Callable[[Probed], Any]
    relative: bool = True
    streams: tuple[str, ...] = ("still", "turning")

    def errors(self, probed: Probed) -> Floats:
        """Found less true, over the truth where relative; NaN where the probe gives no number."""
        true = np.asarray(self.true(probed), float)
        value = np.atleast_1d(_numbers(self.found(probed)[0]))
        return (value - true) / np.abs(true) if self.relative else value - true

    def covered(self, probed: Probed) -> float:
        """Share of the intervals that hold the truth, of those that there are; NaN for none."""
        value, low, high = (np.atleast_1d(_numbers(x)) for x in self.found(probed))
        true = np.broadcast_to(np.asarray(self.true(probed), float), value.shape)
        there = np.isfinite(value) & np.isfinite(low) & np.isfinite(high)
        return float(((low <= true) & (true <= high))[there].mean()) if there.any() else np.nan


def _numbers(x: Any) -> Floats:
    return np.asarray(x, float)


def _noise(name: str) -> Callable[[Probed], tuple[Any, Any, Any]]:
    def found(probed: Probed) -> tuple[Any, Any, Any]:
        one = probed.found["noise"][name]
        return one.get("value", one.get("alpha")), one["low"], one["high"]

    return found


def _with_error(value: Any, error: Any) -> tuple[Any, Any, Any]:
    value, half = _numbers(value), student(BLOCKS) * _numbers(error)
    return value, value - half, value + half


def _nuclear(probed: Probed) -> tuple[Any, Any, Any]:
    scale = probed.found["scale"]
    return _with_error(scale["nuclear_norm"], scale["error"])


def _alignment(probed: Probed) -> tuple[Any, Any, Any]:
    first = probed.found["pipelines"]["pre-polar"]
    return _with_error(first["alignment"], first["alignment_error"])


def _true_alignment(probed: Probed) -> Floats:
    """Simulated, with the signal of the step; of a signal that turns, held against the mean of the steps ahead (F7)."""
    assert probed.truth is not None
    windows = _numbers(probed.found["windows"])
    still = _numbers(probed.truth["pipelines"]["pre-polar"]["alignment"])
    if probed.kind == "stationary":
        return still
    omega = _omega(probed)
    lag = np.array([rotation(t, omega)[1] for t in windows.tolist()])
    return still * turned(lag, omega, tuple(range(1, AHEAD + 1))) / np.cos(lag)


def _of_noise(name: str) -> Callable[[Probed], float]:
    """A parameter of the law; 0 where it has none."""
    return lambda probed: float(getattr(probed.model.noise, name, 0.0))


def _omega(probed: Probed) -> float:
    return float(getattr(probed.model.signal, "omega", 0.0))


def _spike(probed: Probed) -> tuple[Any, Any, Any]:
    return (probed.found["spikes"] or [np.nan])[0], np.nan, np.nan


def _sine(probed: Probed) -> tuple[Any, Any, Any]:
    return _numbers(probed.found["pipelines"]["pre-polar"]["sin_theta_right"])[:, 0], np.nan, np.nan


def _true_sine(probed: Probed) -> Floats:
    assert probed.truth is not None
    return _numbers(probed.truth["pipelines"]["pre-polar"]["sin_theta_right"])


ESTIMATORS = (
    Estimator("η", _noise("eta"), lambda p: p.model.eta),
    Estimator("‖S‖²_F", _noise("signal"), lambda p: sum(x * x for x in p.model.spikes)),
    Estimator("‖S‖∗", _nuclear, lambda p: sum(p.model.spikes)),
    Estimator("largest spike", _spike, lambda p: max(p.model.spikes)),
    Estimator("drift ω", _noise("drift"), _omega, streams=("turning",)),
    Estimator("alignment", _alignment, _true_alignment, relative=False),
    Estimator("sin Θ right", _sine, _true_sine, relative=False, streams=("still",)),
    Estimator("correlation φ", _noise("autocorrelation"), _of_noise("phi"), False, ("still", "turning", "AR(1)")),
    Estimator("tail index, steps", _noise("tail_steps"), _of_noise("alpha"), streams=("radial",)),
    Estimator("tail index, entries", _noise("tail_entries"), _of_noise("df"), streams=("Student t",)),
)
"""What a probe of a simulated stream is checked on."""
