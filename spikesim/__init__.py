"""spikesim: Monte-Carlo instrument for momentum and orthogonalisation (theory in docs/theory.md)."""

from importlib.metadata import version as _version

from spikesim import stages, theory
from spikesim.estimate import RateFit, fit_rate
from spikesim.filters import (
    EMA,
    FIR,
    IIR,
    Family,
    HeavyBall,
    Kalman,
    Lookahead,
    MovingAverage,
    Nesterov,
    Schedule,
    Warmup,
)
from spikesim.gradients import gradients
from spikesim.model import SpikedModel
from spikesim.noise import (
    AR1,
    AlphaStable,
    Arch,
    Biased,
    Contaminated,
    Gaussian,
    Kronecker,
    Laplace,
    Mixture,
    Rademacher,
    Radial,
    ScaleMixture,
    SignFlip,
    StudentT,
    SymmetricPareto,
)
from spikesim.orthogonal.newton_schulz import newton_schulz
from spikesim.pipelines import PIPELINES, Pipeline, last_update
from spikesim.polar import polar_factor
from spikesim.predict import Prediction, predict
from spikesim.probe.probe import probe
from spikesim.probe.result import Probe
from spikesim.record import Recorder, TorchRecorder
from spikesim.signal import Alternating, Constant, Fading, Oscillating, Rotating, Switch, power_law
from spikesim.simulate import simulate
from spikesim.stages.filter import Filter
from spikesim.stages.polar import Polar
from spikesim.sweep.store import Store
from spikesim.sweep.sweep import Sweep

__version__ = _version("spikesim")

__all__ = [
    "AR1", "EMA", "FIR", "IIR", "PIPELINES", "AlphaStable", "Alternating", "Arch", "Biased", "Constant", "Contaminated",
    "Fading", "Family", "Filter", "Gaussian", "HeavyBall", "Kalman", "Kronecker", "Laplace", "Lookahead", "Mixture",
    "MovingAverage", "Nesterov", "Oscillating", "Pipeline", "Polar", "Prediction", "Probe", "Rademacher", "Radial", "RateFit",
    "Recorder", "Rotating", "ScaleMixture", "Schedule", "SignFlip", "SpikedModel", "Store", "StudentT", "Sweep", "Switch",
    "SymmetricPareto", "TorchRecorder", "Warmup", "fit_rate", "gradients", "last_update", "newton_schulz", "polar_factor",
    "power_law", "predict", "probe", "simulate", "stages", "theory",
]  # fmt: skip
