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
    Mixture,
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
from spikesim.signal import Constant, Rotating
from spikesim.simulate import simulate
from spikesim.sweep.store import Store
from spikesim.sweep.sweep import Sweep

__all__ = [
    "AR1", "EMA", "PIPELINES", "AlphaStable", "Arch", "Biased", "Constant", "Contaminated", "Filter", "Gaussian",
    "Kronecker", "Laplace", "Mixture", "Pipeline", "Polar", "Rademacher", "Radial", "RateFit", "Rotating", "ScaleMixture",
    "SignFlip", "SpikedModel", "Store", "StudentT", "Sweep", "SymmetricPareto", "fit_rate", "last_update", "newton_schulz",
    "polar_factor", "predict", "simulate", "theory",
]  # fmt: skip
