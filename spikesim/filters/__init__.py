"""Linear filters over time: what weights a buffer gives to past gradients (theory.md, F)."""

from spikesim.filters.base import LinearFilter, Memory
from spikesim.filters.ema import EMA
from spikesim.filters.family import FILTERS, Family
from spikesim.filters.fir import FIR
from spikesim.filters.geometric import WIDEST
from spikesim.filters.heavy_ball import HeavyBall
from spikesim.filters.iir import IIR
from spikesim.filters.kalman import Kalman
from spikesim.filters.lookahead import Lookahead, Nesterov
from spikesim.filters.moving_average import MovingAverage
from spikesim.filters.schedule import Schedule, Warmup

__all__ = [
    "EMA", "FILTERS", "FIR", "IIR", "WIDEST", "Family", "HeavyBall", "Kalman", "LinearFilter", "Lookahead", "Memory",
    "MovingAverage", "Nesterov", "Schedule", "Warmup",
]  # fmt: skip
