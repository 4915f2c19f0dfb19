"""What method "banded" can do, and what it costs."""

from collections.abc import Sequence
from typing import Any

from spikesim.errors import need
from spikesim.model import SpikedModel
from spikesim.noise import Gaussian
from spikesim.pipelines import POLAR_ONLY, POST_POLAR, PRE_POLAR, Pipeline
from spikesim.samplers.banded import BUFFER, HEADS, NORMS, STEPWISE
from spikesim.signal import Constant

ONE_BUFFER = (PRE_POLAR.stages, POLAR_ONLY.stages)
SINGLE = ("suppression", "bias_squared", "variance")
"""Observables that need more than one buffer's law."""


def readable(pipelines: Sequence[Pipeline]) -> tuple[str, ...]:
    """Observables that every one of these pipelines has."""
    return (*(BUFFER if all(p.stages in ONE_BUFFER for p in pipelines) else STEPWISE), *NORMS)


def need_banded(design: Any) -> None:
    """Refuse what the method cannot do.

    Args:
        design: Of spikesim/design.py.

    Raises:
        ValueError: With what can be asked for instead.
    """
    model, method = design.model, 'method "banded"'
    instead = 'for other laws: method "stream", or "collapsed" where they are Gaussian given a scalar a step'
    need(type(model.noise) is Gaussian, f"noise Gaussian for {method}", instead, noise=model.noise)
    need(isinstance(model.signal, Constant), f"signal Constant() for {method}", 'method "collapsed"', signal=model.signal)
    need(model.head is None, f"head None (all spikes) for {method}", 'method "collapsed"', head=model.head)
    need(design.dtype == "float64", f'dtype "float64" for {method}', dtype=design.dtype)
    for pipeline in design.pipelines:
        known = pipeline.stages in (*ONE_BUFFER, POST_POLAR.stages)
        can = f'pipelines among "pre-polar", "polar-only" and (its alignment alone) "post-polar" for {method}'
        need(known, can, 'every other needs matrices: method "stream"', pipeline=str(pipeline))
    readings = readable(design.pipelines)
    for name in design.observables:
        need(name in readings, f"observables in {readings} for {method} and these pipelines", _instead(name), observable=name)


def _instead(name: str) -> str:
    if name in SINGLE:
        return 'it is of two buffers, or of whole updates: method "collapsed"'
    if name == "noise_nuclear":
        return 'it needs every singular value: method "collapsed"'
    return "post-polar has no other, as its matrix is not made: leave it out"


def can(design: Any) -> str:
    """Why the method cannot do a design; empty where it can. Whether windows may be unrelated (joint) is not asked."""
    try:
        need_banded(design)
    except ValueError as refused:
        return str(refused)
    return ""


def work(model: SpikedModel, pipelines: Sequence[Pipeline], names: Sequence[str], steps: int, windows: int) -> float:
    """Estimated work of one trial in entry-steps of the stream: what each buffer costs, in rows."""
    stages = {p.stages for p in pipelines}
    buffers = windows * ((PRE_POLAR.stages in stages) + bool(set(NORMS) & set(names)))
    buffers += steps if POST_POLAR.stages in stages else POLAR_ONLY.stages in stages
    heads = bool(HEADS & set(names))
    each = min(model.shape) * (10 * model.rank + 8 * (1 + model.rank) ** 2) + 5e5 * (1 + model.rank * heads)
    return buffers * each


def held(model: SpikedModel) -> int:
    """Numbers that a trial counts for where trials are cut into blocks: blocks of wide bands are short."""
    return 100 * model.rank * min(model.shape)
