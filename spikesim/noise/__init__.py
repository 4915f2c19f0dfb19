"""Noise laws: what Xi_t is made of, its eta, and whether it is BVMZOS."""

from spikesim.noise.base import Noise
from spikesim.noise.entrywise import (
    AlphaStable,
    Biased,
    Gaussian,
    Kronecker,
    Laplace,
    Rademacher,
    StudentT,
    SymmetricPareto,
)
from spikesim.noise.laws import LAWS
from spikesim.noise.mixtures import Mixture
from spikesim.noise.recursive import AR1, Arch
from spikesim.noise.steps import Contaminated, Radial, ScaleMixture, SignFlip

__all__ = [
    "AR1", "LAWS", "AlphaStable", "Arch", "Biased", "Contaminated", "Gaussian", "Kronecker", "Laplace", "Mixture", "Noise",
    "Rademacher", "Radial", "ScaleMixture", "SignFlip", "StudentT", "SymmetricPareto",
]  # fmt: skip
