"""Arguments of a run, each made out of what was given, or refused."""

import math
import os
from collections.abc import Iterable
from typing import Any

import numpy as np

from spikesim import observables as obs
from spikesim.devices.cpu import CPU
from spikesim.errors import need
from spikesim.filters import EMA, LinearFilter
from spikesim.model import SpikedModel
from spikesim.pipelines import Pipeline
from spikesim.stages.filter import Bank
from spikesim.stages.text import family_from

FAINT = 1e-12
"""Part of what an amplitude is made of below which it is rounding."""
STARTUP = 1e-6
"""Steady state: the start-up weight of every window is below this."""


def need_truth(model: SpikedModel, step: int) -> None:
    """Refuse a signal that cannot be held against updates at a step: an amplitude of 0, or a head that is not told apart."""
    signal, found = model.signal, model.amplitudes(step)
    terms = np.abs(signal.modes(step)) @ np.abs(signal.shares(model.rank))  # of lambda_k(t), before any cancels
    present = bool(np.all(np.abs(found) > FAINT * terms * np.abs(model.spikes)))
    need(present, "lambda_k(t) != 0 at the last step", "other steps=, or another signal", amplitudes=found.tolist())
    sizes, head = -np.sort(-np.abs(found)), model.head_rank
    apart = head == model.rank or sizes[head - 1] - sizes[head] > FAINT * sizes[head - 1]
    need(apart, "a head larger than the other spikes at the last step", head=head, amplitudes=found.tolist())


def need_room(model: SpikedModel, dtype: str) -> None:
    """float32 has room for the squares of scales in [1e-15, 1e15] only."""
    scale = np.asarray(model.noise.entry_scale(model.shape)).max()
    sizes = np.abs([*model.spikes, scale, model.noise.mean or scale])
    inside = bool(np.all((sizes >= 1e-15) & (sizes <= 1e15)))
    need(dtype == "float64" or inside, '1e-15 <= spikes, sigma <= 1e15 in dtype "float32"', sizes=sizes.tolist())


def is_whole(x: Any) -> bool:
    """Whether it is an integer."""
    return isinstance(x, int | np.integer) and not isinstance(x, bool)


def bank_from(windows: Any, filter_: Any) -> Bank:
    """The filters of a run, from windows and what maps one to a filter, or its text."""
    try:
        values = tuple(windows)
    except TypeError:
        values = (windows,)
    need(len(values) > 0, "one or more windows", windows=values)
    family = family_from(filter_) if isinstance(filter_, str) else filter_
    need(callable(family), "filter: maps a window to a filter, such as ss.EMA, or its text", filter=filter_)
    filters = tuple(family(w) for w in values)
    for f in filters:
        need(isinstance(f, LinearFilter), "filter: maps a window to a filter such as ss.EMA", filter=f)
    numbers = tuple(EMA(w).window for w in values)  # whatever the filter, a window is what EMA takes for one
    need(len(set(numbers)) == len(numbers), "distinct windows", windows=list(values))
    return Bank(numbers, filters)


def last_step(bank: Bank, pipelines: tuple[Pipeline, ...], steps: int | None) -> int:
    """How many steps to run: those asked for, or to the steady state of all filters, workers' steps counted."""
    paces = {p.pace for p in pipelines}
    if steps is not None:
        need(all(bool(steps % pace == 0) for pace in paces), f"steps: a multiple of workers {sorted(paces)}", steps=steps)
        return int(steps)
    needed = [max(f.settling(STARTUP) for f in bank.filters) * max(paces), *(_settled(p, bank) for p in pipelines)]
    pace = math.lcm(*paces)
    return -(-max(needed) // pace) * pace


def _settled(pipeline: Pipeline, bank: Bank) -> int:
    """Gradients until the last stage of a pipeline is in steady state, each stage's start-up after those before it."""
    total = 0
    for stage in reversed(pipeline.stages):
        total = (total + stage.settling(bank, STARTUP)) * stage.pace
    return total


def observables_from(names: Iterable[str] | None) -> tuple[str, ...]:
    """Names of observables in their order; None for all."""
    if names is None:
        return obs.OBSERVABLES
    names = (names,) if isinstance(names, str) or not isinstance(names, Iterable) else tuple(names)
    need(len(names) > 0, "one or more observables", observables=names)
    for name in names:
        need(name in obs.KNOWN, f"observables in {obs.KNOWN}", observable=name)
    return tuple(n for n in obs.KNOWN if n in names)


def trials_from(trials: Any) -> range:
    """Global trial numbers, from a count or a range."""
    need(is_whole(trials) or isinstance(trials, range), "trials: a count or a range", trials=trials)
    numbers = trials if isinstance(trials, range) else range(int(trials))
    inside = bool(numbers) and min(numbers[0], numbers[-1]) >= 0 and max(numbers[0], numbers[-1]) < 2**32
    need(inside, "one or more trials, numbered in [0, 2**32)", trials=trials)
    return numbers


def worker_count(workers: int | None, place: CPU) -> int:
    """Threads to use: as many as the device overlaps, or all cores that this process may run on, where left out."""
    if workers is None and place.overlap:
        return place.overlap
    if workers is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    need(is_whole(workers) and workers >= 1, "workers >= 1", workers=workers)
    return workers
