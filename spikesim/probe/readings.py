"""Runs pipelines over a recording and reads their updates against gradients that they have not seen.

<A, G> of an update A and a gradient G that is not in it has the mean <A, S>: noise that is independent over steps leaves no
trace in it. The in-buffer mean, which is the same for the update and for what it is held against, has no such mean.

Filters and polar steps run in the recording's own precision: gradients of real layers are of less than full rank up to its
rounding, and a polar factor at a higher precision would take the rounding for directions.

Source: theory.md P1.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikesim.cascade import Cascade, Stages
from spikesim.observables import separated
from spikesim.pipelines import Pipeline
from spikesim.polar import SVD, singular_values, svd
from spikesim.probe.plan import BLOCKS, Pass
from spikesim.recorded import Recording
from spikesim.spectrum import Dispatched, Exact
from spikesim.stages.filter import Bank

Floats = NDArray[np.float64]

CHUNK = 64
"""Gradients that filters take at once."""


@dataclass(frozen=True)
class Asked:
    """What is read.

    Attributes:
        pipelines: P of them.
        windows: W of them.
        ranks: Of subspaces, rising.
        values: Singular values, I of them.
    """

    pipelines: tuple[Pipeline, ...]
    windows: tuple[float, ...]
    ranks: tuple[int, ...]
    values: int


@dataclass(frozen=True)
class Readings:
    """R readings of one pass; every array starts with the reading.

    Attributes:
        step: Number of the newest gradient, in order of time, (R,).
        block: Its block, (R,).
        held: Gradients held out, by block, (R, B).
        inner: <A, sum of the held-out gradients of a block>, (R, P, W, B).
        inside: <A, mean of the buffer>/‖mean of the buffer‖_*, the paper's alignment, (R, P, W).
        gradient: Singular values of the newest gradient, 0 where they are no more than rounding, (R, I).
        left_halves: Sine of the largest angle between the top left singular subspaces of the means of two halves of the
            held-out gradients, by rank, (R, ranks).
        right_halves: The same on the right.
        spectrum: Those of what enters the last polar step, (R, P, W, I).
        left: Sine of the largest angle between the top left singular subspaces of what enters and of the held-out mean, by
            rank, NaN where one of them does not exist, (R, P, W, ranks).
        right: The same on the right.
        nuclear: ‖X‖_* of what enters, (R, P, W).
        energy: ‖X‖_F^2 of what enters, (R, P, W).
    """

    step: NDArray[np.int64]
    block: NDArray[np.int64]
    held: Floats
    inner: Floats
    inside: Floats
    gradient: Floats
    left_halves: Floats
    right_halves: Floats
    spectrum: Floats
    left: Floats
    right: Floats
    nuclear: Floats
    energy: Floats


def read(recording: Recording, run: Pass, asked: Asked, buffer: int | Floats, held: Recording | None = None) -> Readings:
    """All readings of a pass.

    Args:
        recording: The gradients.
        run: Which of them, in which order, and where to read.
        asked: What to read.
        buffer: How many gradients, the newest of a reading and those before it, whose mean stands for the signal inside the
            buffer; or that mean, (m, n), the same for every reading.
        held: What held-out gradients are taken from, the same recording where left out.
    """
    spectra = Exact if recording.dtype == np.float32 else Dispatched
    cascade = Cascade(_runs(asked.pipelines), Bank.made(asked.windows), spectra=spectra)
    taken, found = 0, []
    for i, until in enumerate(run.reads):
        while taken < until:
            steps = run.steps[taken : min(until, taken + CHUNK)]
            cascade.advance(recording.take(steps))
            taken += steps.size
        newest = _rounded(singular_values(recording.take(run.newest[i : i + 1])[0]), max(recording.shape[1:]))
        inside = _inside(recording, run.steps[:until], buffer)
        found.append(_one(cascade, asked, held or recording, run, i, inside, newest[: asked.values]))
    columns = [np.stack(column) for column in zip(*found, strict=True)]
    return Readings(run.newest, run.block[run.newest], *columns)


def _inside(recording: Recording, seen: NDArray[np.int64], buffer: int | Floats) -> Floats:
    """What stands for the signal inside the buffer."""
    return gradients(recording, seen[-buffer:]).mean(0) if isinstance(buffer, int) else buffer


def gradients(recording: Recording, steps: NDArray[np.int64]) -> Floats:
    """Some gradients in float64, (steps, m, n)."""
    return np.asarray(recording.take(steps), np.float64)


def _runs(pipelines: Sequence[Pipeline]) -> set[Stages]:
    return {stages for p in pipelines for stages in (p.stages, p.entering)} - {()}


def _one(
    cascade: Cascade, asked: Asked, held: Recording, run: Pass, i: int, inside: Floats, newest: Floats
) -> tuple[Floats, ...]:
    """One reading: the fields of Readings from `held` on."""
    sums, counts = _by_block(held, run.held[i], run.block)
    wide, halves = _truth(held, run.wide[i], asked.ranks)
    nuclear = singular_values(inside).sum()
    updates = np.stack([_at_windows(cascade.last(p.stages), asked) for p in asked.pipelines])
    entering = {p.entering: _entering(cascade.last(p.entering), wide, asked) for p in asked.pipelines}
    return (
        counts,
        np.einsum("pwij,bij->pwb", updates, sums),
        np.einsum("pwij,ij->pw", updates, inside) / nuclear if nuclear > 0 else np.full(updates.shape[:2], np.nan),
        newest,
        *halves,
        *(np.stack(parts) for parts in zip(*(entering[p.entering] for p in asked.pipelines), strict=True)),
    )


def _truth(recording: Recording, steps: NDArray[np.int64], ranks: tuple[int, ...]) -> tuple[SVD, tuple[Floats, Floats]]:
    """SVD of the mean of some gradients, and the sines between its two halves, left and right."""
    parts = [gradients(recording, steps[i::2]) for i in (0, 1)]
    odd, even = (svd(part.mean(0)) for part in parts)
    return svd(sum(part.sum(0) for part in parts) / steps.size), _sines(odd, even, ranks)


def _entering(x: Floats, wide: SVD, asked: Asked) -> tuple[Floats, ...]:
    """Of what enters a polar step, at every window: singular values, sines left and right, nuclear norm and energy."""
    found = svd(x)
    sizes = found.d.astype(np.float64)  # squares of a float32 may have no place in one
    longest = max(x.shape[-2:])
    each = (
        _rounded(found.d, longest)[..., : asked.values],
        *_sines(found, wide, asked.ranks),
        sizes.sum(-1),
        (sizes**2).sum(-1),
    )
    return tuple(np.broadcast_to(part, (len(asked.windows), *part.shape[1:])) for part in each)


def _at_windows(x: Floats, asked: Asked) -> Floats:
    """(W, m, n), of stages before the first filter, too."""
    return np.broadcast_to(x, (len(asked.windows), *x.shape[-2:]))


def _by_block(recording: Recording, steps: NDArray[np.int64], block: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Sums of gradients by block, (B, m, n), and how many are in each."""
    sums, counts = np.zeros((BLOCKS, *recording.shape[1:])), np.bincount(block[steps], minlength=BLOCKS).astype(float)
    for start in range(0, steps.size, CHUNK):
        part = steps[start : start + CHUNK]
        np.add.at(sums, block[part], gradients(recording, part))
    return sums, counts


def _rounded(values: Floats, longest: int) -> Floats:
    return np.where(values > longest * np.finfo(values.dtype).eps * values[..., :1], values, 0.0)


def _sines(x: SVD, y: SVD, ranks: tuple[int, ...]) -> tuple[Floats, Floats]:
    """‖sin Theta‖_2 of the top-r subspaces of x (..., m, n) and y (m, n), left and right, for every r, (..., ranks).

    NaN where one of the two does not exist (theory.md, Observables).
    """
    rounding = max(y.u.shape[-2], y.vt.shape[-1]) * float(np.finfo(np.float64).eps)
    exist = np.stack([separated(x.d, r, rounding) & separated(y.d, r, rounding) for r in ranks], axis=-1)
    left, right = _beside(x.u, y.u, ranks), _beside(_t(x.vt), _t(y.vt), ranks)
    return np.where(exist, left, np.nan), np.where(exist, right, np.nan)


def _beside(x: Floats, y: Floats, ranks: tuple[int, ...]) -> Floats:
    """Norms of what the first r columns of x (..., m, R) have outside the span of those of y (m, R), (..., ranks)."""
    out = []
    for rank in ranks:
        beside = x[..., :rank] - y[:, :rank] @ (y[:, :rank].T @ x[..., :rank])
        out.append(np.minimum(singular_values(beside)[..., 0], 1.0))
    return np.stack(out, axis=-1)


def _t(x: Floats) -> Floats:
    return np.swapaxes(x, -1, -2)
