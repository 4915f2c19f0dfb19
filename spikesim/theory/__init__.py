"""Bounds, sharp asymptotics and rates in closed form; imports nothing from the simulator. Labels: docs/theory.md."""

from spikesim.theory import asymptotics, bounds, choice, drift, filters, high_snr, post_polar, rare, rates, updates

__all__ = ["asymptotics", "bounds", "choice", "drift", "filters", "high_snr", "post_polar", "rare", "rates", "updates"]
