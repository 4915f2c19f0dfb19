"""What is read of a recording: which gradients a filter sees in which order, where it is read, and what is held out.

A stationary recording is exchangeable, so that its gradients may be put in a random order and closed to a circle: at every
reading the filter has seen the MEMORY T_max gradients before, and all others are held out. A trajectory keeps its order, and
what is held out of a reading is the next few gradients, whose noise the update cannot have met; or, where a twin was
recorded, gradients of other batches at the same weights, that of the very step.

Blocks are runs of the order in which gradients are seen; leaving out one at a time is what uncertainty comes from.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikesim import rng
from spikesim.errors import need

Ints = NDArray[np.int64]

KINDS = ("stationary", "trajectory")
GRID = (1, 2, 3, 5, 8, 12, 20, 30, 50, 80, 120, 200, 300, 500, 800, 1200, 2000)
"""Windows that are tried where none are given, as far as the recording is long enough for them."""
LEAST = 12
"""Gradients that a window T needs, in T."""
MEMORY = {"stationary": 8, "trajectory": 4}
"""Steps, in T, after which what a filter has seen is forgotten: a weight of e^-8 or e^-4 is left."""
FEWEST = 48
"""Gradients that a probe needs, whatever the window."""
BLOCKS = 10
ORDERS = 2
AHEAD, SPAN = 8, 32
"""Gradients after a reading of a trajectory that its updates are held against, and that subspaces are."""
FORGOTTEN, FARTHEST = 0.02, 8
"""Correlation of noise that is no more minded, and how many steps are passed over for it at most."""


@dataclass(frozen=True)
class Pass:
    """One run of the filters.

    Attributes:
        steps: Gradients in the order in which the filters see them.
        reads: After how many of them they are read, rising, (R,).
        held: Gradients that updates are held against, one array a reading.
        wide: Gradients whose mean gives the subspaces that those of a reading are held against.
        block: Block of every gradient of the recording, (K,); of a reading it is that of the newest gradient.
    """

    steps: Ints
    reads: Ints
    held: tuple[Ints, ...]
    wide: tuple[Ints, ...]
    block: Ints

    @property
    def newest(self) -> Ints:
        """The newest gradient at each reading."""
        return self.steps[self.reads - 1]


def windows_for(kind: str, count: int, windows: object = None) -> tuple[float, ...]:
    """Windows to try, rising.

    Raises:
        ValueError: If there are fewer than two, they are not distinct numbers >= 1, or the recording is too short for one.
    """
    need(kind in KINDS, f"kind in {KINDS}", kind=kind)
    need(count >= FEWEST, f"{FEWEST} gradients or more", gradients=count)
    longest = count / LEAST
    if windows is None:
        return tuple(float(t) for t in GRID if t <= longest)
    try:
        found = tuple(sorted(float(t) for t in windows))  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        found = ()
    good = len(found) >= 2 and len(set(found)) == len(found) and bool(np.all(np.isfinite(found))) and found[0] >= 1
    need(good, "two or more distinct windows T >= 1", windows=windows)
    hint = f"record {int(np.ceil(LEAST * found[-1]))} gradients"
    need(found[-1] <= longest, f"T <= {longest:g} = {count} gradients / {LEAST}", hint, window=found[-1])
    return found


def passes(
    kind: str, count: int, windows: tuple[float, ...], readings: int, seed: int, leads: tuple[int, ...] | None = None
) -> tuple[Pass, ...]:
    """The runs of a probe, `readings` in all; leads as of `leads_of`, which are those without correlation where left out."""
    memory = int(np.ceil(MEMORY[kind] * windows[-1]))
    if kind == "trajectory":
        return (_trajectory(count, memory, readings, leads_of(kind, count) if leads is None else leads),)
    generator = rng.generator(seed, rng.PROBE)
    each = max(BLOCKS, readings // ORDERS)
    return tuple(_circle(generator.permutation(count), memory, each) for _ in range(ORDERS))


def leads_of(kind: str, count: int, twin: bool = False, phi: float = 0.0) -> tuple[int, ...]:
    """How many steps ahead the gradients are that updates are held against; none for a twin's, and for a signal at rest.

    phi: What noise has in common with that of the step before. Steps are passed over until what is left is FORGOTTEN.
    """
    if kind != "trajectory" or twin:
        return ()
    passed = 0 if phi == 0 else min(FARTHEST, math.ceil(math.log(FORGOTTEN) / math.log(min(abs(phi), 0.99))) - 1)
    return tuple(range(1 + passed, 1 + passed + min(AHEAD, _span(count))))


def _blocks(count: int) -> Ints:
    return np.arange(count) * BLOCKS // count


def _circle(order: Ints, memory: int, readings: int) -> Pass:
    count = order.size
    at = np.unique(np.arange(min(readings, count)) * count // min(readings, count))
    block = np.empty(count, np.int64)
    block[order] = _blocks(count)
    held = tuple(order[(i + 1 + np.arange(count - memory)) % count] for i in at)
    return Pass(np.concatenate([order[count - memory :], order]), memory + at + 1, held, held, block)


def _trajectory(count: int, memory: int, readings: int, leads: tuple[int, ...]) -> Pass:
    span = _span(count)
    last = count - max(span, *leads, 1)
    reads = np.unique(np.linspace(memory, last, min(readings, last - memory + 1)).astype(np.int64))
    held = tuple(t - 1 + np.asarray(leads or (0,)) for t in reads)
    return Pass(np.arange(count), reads, held, tuple(np.arange(t, t + span) for t in reads), _spread(count, reads))


def _span(count: int) -> int:
    return min(SPAN, count // 8)


def _spread(count: int, reads: Ints) -> Ints:
    """Blocks of equal length from the first reading on; gradients before it belong to the first."""
    first = int(reads[0]) - 1
    return np.concatenate([np.zeros(first, np.int64), _blocks(count - first)])
