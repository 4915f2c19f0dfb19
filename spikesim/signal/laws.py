"""Every law of a signal by its name: what a spec file may ask for."""

from spikesim.signal.alternating import Alternating
from spikesim.signal.base import Constant, Signal
from spikesim.signal.fading import Fading
from spikesim.signal.oscillating import Oscillating
from spikesim.signal.rotating import Rotating
from spikesim.signal.switch import Switch

SIGNALS: dict[str, type[Signal]] = {
    law.__name__: law for law in (Constant, Rotating, Switch, Oscillating, Alternating, Fading)
}
