"""Families of filters: what maps a window to a filter, with everything else fixed."""

from dataclasses import MISSING, dataclass, fields
from typing import Any

from spikesim.errors import need
from spikesim.filters.base import LinearFilter
from spikesim.filters.ema import EMA
from spikesim.filters.fir import FIR
from spikesim.filters.heavy_ball import HeavyBall
from spikesim.filters.iir import IIR
from spikesim.filters.kalman import Kalman
from spikesim.filters.lookahead import Lookahead, Nesterov
from spikesim.filters.moving_average import MovingAverage
from spikesim.filters.schedule import Schedule, Warmup

LAWS = (EMA, FIR, IIR, HeavyBall, Kalman, Lookahead, MovingAverage, Nesterov, Schedule, Warmup)
FILTERS: dict[str, type[LinearFilter]] = {law.__name__: law for law in LAWS}
"""Every filter by its name: what a spec file may ask for."""


@dataclass(frozen=True, init=False, repr=False)
class Family:
    """A filter for every window: Family(EMA, start="first")(20) is EMA(20.0, start="first").

    Filters without a window, FIR and IIR, are the same for each. Parameters are kept as the filter keeps them, without
    those that are its defaults, so that families that give the same filters are equal.

    Args:
        law: A filter's class.
        **parameters: Its arguments but for the window.

    Raises:
        ValueError: If the law is no filter, or a parameter is unknown, left out, or refused by it.
    """

    law: type[LinearFilter]
    parameters: tuple[tuple[str, Any], ...]

    def __init__(self, law: type[LinearFilter], /, **parameters: Any) -> None:
        need(isinstance(law, type) and issubclass(law, LinearFilter) and law in LAWS, f"law in {tuple(FILTERS)}", law=law)
        object.__setattr__(self, "law", law)
        object.__setattr__(self, "parameters", tuple(parameters.items()))
        takes = {f.name: f.default for f in fields(law) if f.name != "window"}  # type: ignore[arg-type]
        for name in parameters:
            need(name in takes, f"parameters of {law.__name__} in {tuple(takes)}", parameter=name)
        for name, default in takes.items():
            need(name in parameters or default is not MISSING, f"{name} of {law.__name__}", parameters=tuple(parameters))
        probe = self(2)
        kept = ((name, getattr(probe, name)) for name in sorted(parameters))
        object.__setattr__(self, "parameters", tuple((name, value) for name, value in kept if value != takes[name]))

    @property
    def windowed(self) -> bool:
        """Whether the filter depends on the window."""
        return any(f.name == "window" for f in fields(self.law))  # type: ignore[arg-type]

    def __call__(self, window: float) -> LinearFilter:
        """The filter of a window, in steps."""
        given = {"window": window} if self.windowed else {}
        return self.law(**given, **dict(self.parameters))

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.parameters)
        return f"{self.law.__name__}({shown})" if shown else self.law.__name__
