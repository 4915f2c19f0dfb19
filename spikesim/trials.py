"""A block of trials: drawn, run through the pipelines, measured."""

from collections.abc import Iterator
from concurrent.futures import CancelledError
from dataclasses import replace
from threading import Event

import numpy as np

from spikesim import observables as obs
from spikesim.arrays import Array, host
from spikesim.cascade import Cascade, Stages
from spikesim.design import Design
from spikesim.devices.cpu import CPU
from spikesim.measure import Measured, measure
from spikesim.moments import Moments
from spikesim.samplers.banded import Banded
from spikesim.samplers.collapsed import Collapsed
from spikesim.samplers.scalars import CHUNK_STEPS, Scalars
from spikesim.samplers.stream import Stream
from spikesim.signal import Constant, amplitudes, mixed, products, stepped
from spikesim.spectrum import Tally
from spikesim.stages.filter import running


def run_block(design: Design, trials: range, stop: Event, place: CPU, chunk: int) -> Measured:
    """Draw a block of trials, run the pipelines, measure; gives up with CancelledError once `stop` is set."""
    if design.method == "scalars":
        return _run_scalars(design, trials, stop)
    if design.method == "banded":
        return _run_banded(design, trials, stop)
    model, dtype = design.model, np.dtype(design.dtype)
    truth, parts = _signal(design, place)
    tally = Tally()
    cascade = Cascade(design.runs, design.bank, design.given, (truth.u, truth.v), lambda x: place.spectra(x, tally))
    noise = _run(design, trials, stop, place, chunk, cascade, parts)
    spikes, double = np.asarray(model.spikes, dtype), place.xp.float64
    shares = model.signal.shares(model.rank)
    found = {head: amplitudes(c, spikes, shares) for head, c in design.averages.items()}
    measured = measure(
        design.pipelines, design.observables, design.spectrum, cascade, truth,
        {head: place.array(x) for head, x in found.items()}, noise,
        lambda x: place.spectra(place.xp.astype(x, double), tally),
    )  # fmt: skip
    values, apart = {name: host(x) for name, x in measured.values.items()}, measured.deviations
    return Measured(values, moments=None if apart is None else Moments.of(apart), tally=tally)


def _signal(design: Design, place: CPU) -> tuple[obs.Truth, Array]:
    """The signal that is held against updates, and the parts P that all of it is mixed of (signal/base.py)."""
    model, dtype, last = design.model, np.dtype(design.dtype), design.steps - 1
    now = (place.array(x, dtype) for x in (*model.frame(design.seed, last), model.amplitudes(last)))
    truth = replace(obs.Truth(*now), head=model.head)
    u, v = (x.astype(dtype) for x in model.frames(design.seed))
    return truth, place.array(products(u, v, np.asarray(model.spikes, dtype), model.signal.shares(model.rank)))


def _run(design: Design, trials: range, stop: Event, place: CPU, chunk: int, cascade: Cascade, parts: Array) -> Array:
    """Draw the stream and run the cascade over it; gives the noise of the run's own filters, (B, K, m, n)."""
    signal, end = design.model.signal, design.steps
    still = parts[0, 0, 0, ...] if isinstance(signal, Constant) and design.plain else None
    sampler = _sampler(design, trials, still, place)
    own = None if design.plain or design.method == "collapsed" else running(design.filters)
    while sampler.step < end:
        if stop.is_set():
            raise CancelledError
        first = sampler.step
        drawn = sampler.advance(min(chunk, end - first), keep=design.stepping)
        if drawn is None:
            continue
        if own is not None:
            own.advance(drawn[..., None, :, :], every=False)
        cascade.advance(drawn if still is not None else drawn + stepped(signal, parts, first, sampler.step))
    cascade.supply((), sampler.last() + stepped(signal, parts, end - 1, end))
    noise = sampler.buffers() if own is None else own.last()
    for head, buffers in _apart(noise, design):
        cascade.supply(head, buffers + mixed(design.averages[head], parts))
    return noise[:, : len(design.filters), ...]


def _apart(noise: Array, design: Design) -> Iterator[tuple[Stages, Array]]:
    """What a sampler holds, (B, sum of K, m, n), as the noise of each filter of gradients."""
    first = 0
    for head, filters in design.buffers.items():
        if head in design.given:
            yield head, noise[:, first : first + len(filters), ...]
            first += len(filters)


def _sampler(design: Design, trials: range, signal: Array | None, place: CPU) -> Stream | Collapsed:
    """What draws a block's noise; signal: (m, n) that is added to each step of it, or None."""
    model, seed, dtype = design.model, design.seed, np.dtype(design.dtype)
    if design.method == "collapsed":
        every = [f for filters in design.buffers.values() for f in filters]
        return Collapsed(model, seed, trials, every, dtype, place, design.steps)
    return Stream(model, seed, trials, design.betas, dtype, signal, place)


def _run_scalars(design: Design, trials: range, stop: Event) -> Measured:
    """The same by method "scalars": norms, and nothing to measure."""
    sampler = Scalars(design.model, design.seed, trials, design.emas)
    while sampler.step < design.steps:
        if stop.is_set():
            raise CancelledError
        sampler.advance(min(CHUNK_STEPS, design.steps - sampler.step))
    return Measured({"noise_fro": sampler.norms()})


def _run_banded(design: Design, trials: range, stop: Event) -> Measured:
    """The same by method "banded": one trial after the other, nothing as large as a matrix."""

    def pause() -> None:
        if stop.is_set():
            raise CancelledError

    what = design.model, design.seed, design.emas, design.steps, design.pipelines, design.observables, design.spectrum
    samplers = [Banded(*what, pause) for _ in trials]
    found = [sampler.read(trial) for sampler, trial in zip(samplers, trials, strict=True)]
    tally = sum((sampler.tally for sampler in samplers), Tally())
    return Measured({name: np.stack([x[name] for x in found]) for name in found[0]}, tally=tally)
