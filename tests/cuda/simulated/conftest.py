"""Small blocks: the simulator makes a thread of Python's for each of a block's."""

from spikesim.kernels import launch

launch.THREADS = 32
