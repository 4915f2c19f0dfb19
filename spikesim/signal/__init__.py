"""The signal: how its amplitudes and vectors move in time, and the matrices that this makes (base.py has the notation)."""

from spikesim.signal.alternating import Alternating
from spikesim.signal.base import Constant, Signal, gains
from spikesim.signal.fading import Fading
from spikesim.signal.laws import SIGNALS
from spikesim.signal.matrices import amplitudes, mixed, products, stepped, turned
from spikesim.signal.oscillating import Oscillating
from spikesim.signal.power_law import power_law
from spikesim.signal.rotating import Rotating
from spikesim.signal.switch import Switch

__all__ = [
    "SIGNALS", "Alternating", "Constant", "Fading", "Oscillating", "Rotating", "Signal", "Switch", "amplitudes", "gains",
    "mixed", "power_law", "products", "stepped", "turned",
]  # fmt: skip
