"""Every law by its name: what a spec file may ask for."""

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
from spikesim.noise.recursive import AR1, Arch
from spikesim.noise.steps import Contaminated, Radial, SignFlip

_ALL: tuple[type[Noise], ...] = (Gaussian, StudentT, SymmetricPareto, Laplace, Rademacher, Radial, Contaminated, Arch)
_ALL += (SignFlip, Kronecker, AlphaStable, AR1, Biased)
LAWS: dict[str, type[Noise]] = {law.__name__: law for law in _ALL}
