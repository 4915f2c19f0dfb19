"""The probe: a recording of gradients in, what the theory has to say of it out."""

from collections.abc import Iterable
from contextlib import ExitStack
from typing import Any

from spikesim.arguments import is_whole
from spikesim.errors import need
from spikesim.pipelines import PIPELINES, Pipeline
from spikesim.probe.asking import asked_of
from spikesim.probe.conclude import concluded
from spikesim.probe.noise import noise_estimates
from spikesim.probe.plan import MEMORY, leads_of, passes, windows_for
from spikesim.probe.readings import read
from spikesim.probe.result import Probe
from spikesim.probe.sums import sums_of
from spikesim.recorded import opened

READINGS = 48


def probe(
    gradients: Any, *, kind: str = "stationary", windows: Iterable[float] | None = None, ranks: Iterable[int] | None = None,
    pipelines: Iterable[str | Pipeline] = PIPELINES, reach: float = 0.9, readings: int | None = None, seed: int = 0,
    twin: Any = None,
) -> Probe:  # fmt: skip
    """Hold recorded gradients of one layer against the theory.

    Args:
        gradients: (K, m, n): an array, an iterable of (m, n) arrays, a path (.npy, .npz, .safetensors) or a Recording.
        kind: "stationary": gradients of different batches at fixed weights, whose order means nothing. "trajectory": those of
            successive steps of training.
        windows: T to try; K/12 at most. None for a grid of them.
        ranks: Of the subspaces to compare. None for 1, 2, 4, 8, 16 as far as the shape allows.
        pipelines: Names, texts or Pipeline objects; pre-polar comes first in any case.
        reach: Alignment that is asked for where no drift limits the window, in (0, 1).
        readings: How often updates are read, >= 20. None for READINGS, or four times as many with a twin, each of whose
            readings is held against one gradient only.
        seed: Of orders and signs.
        twin: Of a trajectory: gradients of other batches at the same weights, step by step, as `gradients` is given. An
            update is then held against its own step's signal; without, against that of the next, when weights have moved.

    Raises:
        ValueError: If an argument is none of these, or the gradients are not finite, too few, or no stack of matrices.

    Source: theory.md P1 to P9.
    """
    need(isinstance(reach, int | float) and 0 < reach < 1, "0 < reach < 1", reach=reach)
    need(readings is None or (is_whole(readings) and readings >= 20), "readings: an integer >= 20", readings=readings)
    need(twin is None or kind == "trajectory", 'a twin of a "trajectory" only', kind=kind)
    often = readings or (READINGS if twin is None else 4 * READINGS)
    with ExitStack() as stack:
        recording = stack.enter_context(opened(gradients))
        other = None if twin is None else stack.enter_context(opened(twin))
        count = len(recording)
        need(
            other is None or other.shape == recording.shape, f"a twin of shape {recording.shape}", shape=other and other.shape
        )
        tried = windows_for(kind, count, windows)
        sums = sums_of(recording, seed, other)
        asked = asked_of(sums, tried, pipelines, ranks)
        buffer = sums.mean if kind == "stationary" else max(2, round(MEMORY[kind] * tried[-1]))
        noise = noise_estimates(sums, kind)
        leads = leads_of(kind, count, other is not None, noise.correlation)
        plan = passes(kind, count, tried, often, seed, leads)
        runs = tuple(read(recording, run, asked, buffer, other) for run in plan)
    return concluded(recording.title, kind, asked, sums, noise, leads, runs, reach)
