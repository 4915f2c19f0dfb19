"""What trials cost, about: seconds of a core, bytes on disk. For cutting blocks and for forecasts; no result depends on it.

Fitted to every kind of point of the experiments on one core of an x86 server (2025), of which each is within a factor of
three: nanoseconds for each

    entry-step of noise             1, and 0.05 more a window
    entry of a polar factor a step  min(m, n) / 3
    entry of a matrix that is read  0.3 min(m, n)
    unit of work                    1 ("collapsed"), 3 ("banded"), 1.6 ("scalars"): see Design.work

and 10 microseconds at least, for what a trial costs whatever is drawn in it.
"""

import math

from spikesim import observables as obs
from spikesim.dataset import dimensions
from spikesim.design import Design
from spikesim.samplers.stream import padded_entries

NOISE, WINDOW, POLAR, READ = 1.0, 0.05, 1 / 3, 0.3
LEAST = 1e4
WORK = {"collapsed": 1.0, "banded": 3.0, "scalars": 1.6}
NUMBER_BYTES = 4.5
"""Of a number, compressed: polar-only's stand in every window, and pipelines agree at T = 1."""
BLOCK, START = 0.02, 8.0
"""Seconds that a block, and that a process, takes beside its trials: to set out and write; to compile."""
SHARD_BYTES = 4000
"""Of a shard beside its numbers: names, coordinates, attributes, checksums."""
COLUMN_BYTES = 250
"""The same for each variable."""


def seconds(design: Design) -> float:
    """Of a core, for a trial."""
    smaller, windows = min(design.model.shape), len(design.filters)
    entries = padded_entries(design.model.shape)
    if design.method == "stream":
        each = NOISE + WINDOW * windows + POLAR * smaller * design.stepping
        time = (design.steps + design.model.noise.burn_in) * entries * each
    else:
        time = WORK[design.method] * design.work
    if design.method in ("stream", "collapsed"):
        time += READ * smaller * entries * windows * len(design.pipelines)
    return 1e-9 * max(LEAST, time * (0.5 if design.dtype == "float32" else 1.0))


def size(design: Design, trials: int, shards: int) -> int:
    """Bytes on disk of trials in so many shards."""
    lengths = {"pipeline": len(design.pipelines), "window": len(design.filters), "index": design.spectrum}
    names = [name for name in design.observables if name not in obs.MOMENTS]
    numbers = trials * (1 + sum(math.prod(lengths[d] for d in dimensions(name)) for name in names))
    if design.moments:
        m, n = design.model.shape
        numbers += shards * 2 * lengths["pipeline"] * lengths["window"] * (m * n + 1)
    return int(NUMBER_BYTES * numbers) + shards * (SHARD_BYTES + COLUMN_BYTES * len(names))
