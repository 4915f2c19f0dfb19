"""What is asked of a recording: pipelines, subspaces, and the norm at which clipping is tried."""

from collections.abc import Iterable

import numpy as np

from spikesim.arguments import is_whole
from spikesim.errors import need
from spikesim.pipelines import PRE_POLAR, Pipeline, pipelines_from
from spikesim.probe.advice import CLIP
from spikesim.probe.readings import Asked
from spikesim.probe.sums import Sums
from spikesim.stages.before import Clip
from spikesim.stages.filter import Filter
from spikesim.stages.polar import Polar

VALUES = 256
"""Singular values that are kept, at most."""
RANKS = (1, 2, 4, 8, 16)
SMALLEST = {"float32": 1e-30, "float64": 1e-100}
"""Norms: smaller numbers of a type have few digits left, or squares that are zero."""
CLIPPED = "clipped pre-polar"


def asked_of(
    sums: Sums, windows: tuple[float, ...], pipelines: Iterable[str | Pipeline], ranks: Iterable[int] | int | None
) -> Asked:
    """Everything that is read of a recording at windows that were found right.

    Raises:
        ValueError: If pipelines or ranks are not such, or most gradients are zero.
    """
    m, n = sums.shape[1:]
    return Asked(_pipelines(pipelines, clip_norm(sums)), windows, _ranks(ranks, (m, n)), min(m, n, VALUES))


def clip_norm(sums: Sums) -> float:
    """The norm at which clipping is tried.

    Raises:
        ValueError: If most gradients are zero, or too small for their type.
    """
    norm = CLIP * float(np.median(sums.norms))
    need(norm > 0, "gradients that are not mostly zero", median_norm=norm / CLIP)
    least = SMALLEST[sums.dtype]
    hint = "scale them by a power of two"
    need(norm >= CLIP * least, f"gradients of {sums.dtype} with norms of {least:g} and more", hint, median_norm=norm / CLIP)
    return norm


def _pipelines(given: Iterable[str | Pipeline], norm: float) -> tuple[Pipeline, ...]:
    """Pre-polar, those asked for, and pre-polar with clipped gradients."""
    asked = [p for p in pipelines_from(given) if p != PRE_POLAR]
    clipped = Pipeline((Clip(norm), Filter(), Polar()), CLIPPED)
    found = pipelines_from([PRE_POLAR, *asked, clipped])
    for p in found:
        need(p.pace == 1, "pipelines without workers: a recording is one stream", pipeline=str(p))
    return found


def _ranks(given: Iterable[int] | int | None, shape: tuple[int, int]) -> tuple[int, ...]:
    most = min(shape)
    if given is None:
        return tuple(r for r in RANKS if r <= max(1, most // 2))
    found = tuple(given) if isinstance(given, Iterable) else (given,)
    good = found and all(is_whole(r) and 1 <= r <= most for r in found) and len(set(found)) == len(found)
    need(good, f"distinct ranks from 1 to min(m, n) = {most}", ranks=given)
    return tuple(sorted(found))
