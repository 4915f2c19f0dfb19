"""Recorded gradients: streams (K, m, n) from files, arrays or iterables, read a chunk at a time."""

from spikesim.recorded.opening import opened
from spikesim.recorded.recording import Recording, need_steps

__all__ = ["Recording", "need_steps", "opened"]
