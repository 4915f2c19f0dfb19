"""Stages of pipelines, one kind a file (docs/stages.md)."""

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

__all__ = [
    "QR", "Adam", "Clip", "Controller", "Delay", "DualNorm", "Filter", "Fisher", "HardThreshold", "Identity",
    "NewtonSchulz", "Normalise", "Polar", "Power", "RandomisedPolar", "SecondMoment", "Shampoo", "ShapeFactor", "Shrink",
    "Sign", "Soft", "Tiled", "Workers",
]  # fmt: skip
