"""spikesim: Monte-Carlo instrument for momentum and orthogonalisation (theory in docs/theory.md)."""

from spikesim import theory
from spikesim.estimate import RateFit, fit_rate
from spikesim.filters import EMA
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
    Rademacher,
    Radial,
    ScaleMixture,
    SignFlip,
    StudentT,
    SymmetricPareto,
)
from spikesim.pipelines import PIPELINES, Filter, Pipeline, Polar, last_update
from spikesim.polar import newton_schulz, polar_factor
from spikesim.predict import predict
from spikesim.signal import Alternating, Constant, Fading, Oscillating, Rotating, Switch, power_law
from spikesim.simulate import simulate
from spikesim.sweep.store import Store
from spikesim.sweep.sweep import Sweep

__all__ = [
    "AR1", "EMA", "PIPELINES", "AlphaStable", "Alternating", "Arch", "Biased", "Constant", "Contaminated", "Fading", "Filter",
    "Gaussian", "Kronecker", "Laplace", "Oscillating", "Pipeline", "Polar", "Rademacher", "Radial", "RateFit", "Rotating",
    "ScaleMixture", "SignFlip", "SpikedModel", "Store", "StudentT", "Sweep", "Switch", "SymmetricPareto", "fit_rate",
    "last_update", "newton_schulz", "polar_factor", "power_law", "predict", "simulate", "theory",
]  # fmt: skip
