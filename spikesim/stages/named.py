"""Every stage by its name: what a text may speak of."""

from spikesim.stages.base import Stage
from spikesim.stages.before import Clip, Normalise, Sign
from spikesim.stages.control import Controller
from spikesim.stages.filter import Filter
from spikesim.stages.orthogonal import QR, NewtonSchulz, RandomisedPolar
from spikesim.stages.polar import Polar
from spikesim.stages.precondition import Fisher, Shampoo
from spikesim.stages.second_moment import Adam, SecondMoment
from spikesim.stages.soft import HardThreshold, Power, Shrink, Soft
from spikesim.stages.structure import DualNorm, Identity, ShapeFactor, Tiled
from spikesim.stages.workers import Delay, Workers

STAGES: dict[str, type[Stage]] = {
    law.__name__: law
    for law in (
        Filter, Polar, Clip, Normalise, Sign, SecondMoment, Adam, Delay, Workers, QR, NewtonSchulz, RandomisedPolar, Soft,
        Power, HardThreshold, Shrink, Shampoo, Fisher, Controller, Tiled, ShapeFactor, DualNorm, Identity,
    )
}  # fmt: skip
