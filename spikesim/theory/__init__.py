"""Bounds, sharp asymptotics and rates in closed form; imports nothing from the simulator. Labels: docs/theory.md."""

from spikesim.theory import asymptotics, bounds, rates

__all__ = ["asymptotics", "bounds", "rates"]
