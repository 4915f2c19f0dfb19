"""What one simulation is to do: every argument checked and frozen before anything is drawn."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikesim import observables as obs
from spikesim import rng
from spikesim.arguments import bank_from, is_whole, last_step, need_room, need_truth, observables_from, trials_from
from spikesim.cascade import Cascade, Stages
from spikesim.devices.named import device as device_of
from spikesim.errors import need
from spikesim.filters import EMA, LinearFilter
from spikesim.methods import METHODS, ON_GPU, REASONS, all_of, need_method, picked
from spikesim.model import SpikedModel
from spikesim.pipelines import PIPELINES, Pipeline, pipelines_from
from spikesim.samplers.banded_scope import work as banded_work
from spikesim.samplers.collapsed import work as collapsed_work
from spikesim.samplers.scalars import work as scalars_work
from spikesim.samplers.stream import padded_entries
from spikesim.stages.filter import Bank, Filter, is_plain

WORK_LIMIT = 4e12
"""Work, in entry-steps of noise, that steady state may cost unasked: about an hour of two cores."""


@dataclass(frozen=True)
class Design:
    """Everything that a block of trials needs to know; checked and frozen."""

    model: SpikedModel
    bank: Bank
    pipelines: tuple[Pipeline, ...]
    observables: tuple[str, ...]
    spectrum: int
    seed: int
    steps: int
    dtype: str
    method: str = "stream"
    reason: str = ""
    device: str = "cpu"

    @property
    def runs_on(self) -> str:
        """The device asked for, or "cpu" for a method that has no form for another."""
        return self.device if self.method in ON_GPU else "cpu"

    @property
    def filters(self) -> tuple[LinearFilter, ...]:
        """The run's own, (K,)."""
        return self.bank.filters

    @property
    def emas(self) -> tuple[EMA, ...]:
        """Those of them that are EMAs from zero."""
        return tuple(f for f in self.filters if is_plain(f))

    @property
    def plain(self) -> bool:
        """Whether all are, so that the stream's kernel holds their buffers."""
        return len(self.emas) == len(self.filters)

    @property
    def betas(self) -> NDArray[np.float64]:
        """Momenta that the stream's kernel takes, (K,), or none."""
        return np.array([f.beta for f in self.emas] if self.plain else [])

    @cached_property
    def buffers(self) -> dict[Stages, tuple[LinearFilter, ...]]:
        """Filters of gradients, (Filter(...),), that occur, the run's own first, and what filters they are."""
        own: list[Stages] = [(Filter(),)]
        first = [stages[:1] for stages in self.runs]
        return {head: self.bank(head[0].of) for head in [*own, *first] if head and isinstance(head[0], Filter)}

    @cached_property
    def averages(self) -> dict[Stages, NDArray[np.float64]]:
        """C of each window's S_bar at the last step (signal.py), (K, A, B), of each of `buffers`; (1, A, B) of one filter."""
        means = self.model.signal.averaged
        return {head: np.stack([means(f, self.steps) for f in filters]) for head, filters in self.buffers.items()}

    @property
    def given(self) -> frozenset[Stages]:
        """Those of `buffers` that the sampler holds: all, or the run's own where the stream is drawn step by step."""
        return frozenset(self.buffers) if self.method == "collapsed" else frozenset({(Filter(),)})

    @cached_property
    def runs(self) -> tuple[Stages, ...]:
        """Stages to run: the pipelines' own, or a read-out of each polar factor where that is enough; truncated twins too."""
        matrices = bool(set(self.observables) & {"cosine", "residual", *obs.MOMENTS, *obs.VECTORS, *obs.VALUES})
        twins = [p.truncated(self.model.head_rank) for p in self.pipelines if "alignment_truncated" in self.observables]
        own = [p.stages if matrices or p.read is None else p.read for p in self.pipelines]
        own += [p.entering for p in self.pipelines if matrices and p.entering]
        return (*own, *(t.read or t.stages for t in twins if t is not None))

    @cached_property
    def stepping(self) -> bool:
        """Whether each step's gradient is needed."""
        return bool(Cascade(self.runs, self.bank, self.given).stepping) or not (self.plain or self.method == "collapsed")

    @property
    def held(self) -> int:
        """How many matrices of each window a trial holds at once, about: of its runs, and what stages keep."""
        stages = {stages[: i + 1]: stage for stages in self.runs for i, stage in enumerate(stages)}
        kept = 0 if self.method == "collapsed" else sum(min(stage.held(self.bank), self.steps) for stage in stages.values())
        return 3 * len(self.buffers) + len(self.runs) + kept

    @property
    def moments(self) -> bool:
        """Whether bias and variance are asked for."""
        return bool(set(obs.MOMENTS) & set(self.observables))

    @property
    def work(self) -> float:
        """Estimated work of one trial in entry-steps of noise: a window costs 0.3, a polar factor min(m, n)/10 an entry."""
        if self.method == "scalars":
            return scalars_work(self.model.noise, self.steps, len(self.filters))
        if self.method == "collapsed":
            count = sum(map(len, self.buffers.values()))
            return collapsed_work(self.model.noise, self.model.shape, self.steps, count)
        if self.method == "banded":
            return banded_work(self.model, self.pipelines, self.observables, self.steps, len(self.filters))
        each = 1 + 0.3 * len(self.filters) + 0.1 * self.stepping * min(self.model.shape)
        return (self.steps + self.model.noise.burn_in) * padded_entries(self.model.shape) * each


def design_from(
    model: Any,
    *,
    windows: Any,
    trials: Any,
    seed: Any = 0,
    steps: Any = None,
    pipelines: Any = PIPELINES,
    filter: Any = EMA,  # noqa: A002
    observables: Any = None,
    spectrum: Any = None,
    joint: Any = True,
    method: Any = "auto",
    device: Any = "cpu",
    dtype: Any = "float64",
) -> tuple[Design, range]:
    """The design and the trial numbers of `simulate`'s arguments, each checked; see there."""
    need(isinstance(model, SpikedModel), "model: an ss.SpikedModel", model=model)
    rng.key(seed)
    need(steps is None or (is_whole(steps) and 1 <= steps < 2**33), "steps: None or an integer in [1, 2**33)", steps=steps)
    need(method in METHODS, f"method in {METHODS}", method=method)
    device_of(device)
    need(isinstance(joint, bool | np.bool_), "joint: True or False", joint=joint)
    dtype = np.dtype(dtype).name if isinstance(dtype, type | np.dtype) else dtype
    need(isinstance(dtype, str) and dtype in ("float64", "float32"), 'dtype in ("float64", "float32")', dtype=dtype)
    bank, numbers, names = bank_from(windows, filter), trials_from(trials), observables_from(observables)
    chosen = pipelines_from(pipelines)
    smaller = min(model.shape)
    values = min(model.head_rank + 1, smaller) if spectrum is None else spectrum
    need(is_whole(values) and 1 <= values <= smaller, f"1 <= spectrum <= min(m, n) = {smaller}", spectrum=spectrum)
    need_room(model, dtype)
    for stage in (stage for p in chosen for stage in p.stages):
        stage.check(model.shape)
    steady = steps is not None or model.signal.steady
    need(steady, "steps=: the signal has no steady state", steps=steps, signal=model.signal)
    last = last_step(bank, chosen, steps)
    need_truth(model, last - 1)
    asked = Design(model, bank, chosen, names, int(values), int(seed), last, dtype, device=device)
    design = _by_method(asked, method, bool(joint), everything=observables is None)
    if observables is not None and design.moments:
        need(len(numbers) >= 2, "trials >= 2 for bias_squared and variance", trials=trials)
    work = design.work * len(numbers)
    advice = f"give steps=, or fewer trials or smaller windows: steady state takes {last} steps"
    allowed = f"work <= {WORK_LIMIT:.0e} entry-steps for steady state"
    need(steps is not None or work <= WORK_LIMIT, allowed, advice, work=float(f"{work:.2g}"))
    need(last < 2**33, "a steady state within 2**33 steps", "give steps=, or smaller windows", steps=last)
    return design, numbers


def _by_method(asked: Design, method: str, joint: bool, everything: bool) -> Design:
    """The design with its method settled; everything: observables were left out, so all that a method can give."""

    def by(name: str) -> Design:
        return replace(asked, method=name, observables=all_of(name, asked) if everything else asked.observables)

    if method != "auto":
        need_method(method, by(method), joint)
        return replace(by(method), reason=REASONS[method])
    names = [name for name in METHODS[1:] if name != "scalars" or not everything]
    chosen, reason = picked({name: by(name) for name in names}, joint)
    need_method(chosen, by(chosen), joint)
    return replace(by(chosen), reason=reason)
