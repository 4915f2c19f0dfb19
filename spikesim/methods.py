"""Ways to draw: what each can do, and which one "auto" picks.

    scalars    norms of single windows, no matrix
    banded     one buffer at a time as a band matrix: marginal laws, any size
    collapsed  the buffers of all windows at once, jointly: no pipeline needs a step in between
    stream     every step: any noise, any pipeline

"auto" takes the first of these that does what is asked for; the first two only where windows need not be joint (joint=False),
and banded only for matrices of LARGE rows and columns, below which collapsed is as fast and joint as well.
"""

from typing import Any

from spikesim.cascade import Cascade
from spikesim.devices.named import device
from spikesim.errors import need
from spikesim.noise import LAWS
from spikesim.samplers.banded_scope import need_banded, readable
from spikesim.samplers.collapsed import ANY_LAW, need_law
from spikesim.samplers.stream import need_entries

METHODS = ("auto", "stream", "scalars", "collapsed", "banded")
LARGE = 256
"""Rows and columns from which "auto" prefers band matrices."""
WIDEST_SINGLE = 500
"""Window up to which a float32 beta gives the buffer to 1e-5 (5e-6 here; 1e-5 at 1000)."""
ON_GPU = ("stream", "collapsed")
"""What runs on a GPU. A band is eliminated row after row, little at a time, and norms alone need one number a trial."""

REASONS = {
    "stream": "the one method that draws every step, for any noise",
    "collapsed": "the buffers at the last step are drawn at once: the noise is Gaussian given one scalar a step",
    "banded": "each buffer is drawn as a band matrix of the same law: the noise is Gaussian and the signal constant",
    "scalars": "norms alone, with no matrix: the noise is Gaussian given one scalar a step",
}


def all_of(method: str, design: Any) -> tuple[str, ...]:
    """Observables that a method gives where none are named; a design's pipelines matter."""
    if method == "scalars":
        return ("noise_fro",)
    return readable(design.pipelines) if method == "banded" else design.observables


def need_method(method: str, design: Any, joint: bool) -> None:
    """Refuse what a method cannot do.

    Args:
        method: One of METHODS but "auto".
        design: Of design.py.
        joint: Whether windows and pipelines are to be joint.

    Raises:
        ValueError: With what can be asked for instead.
    """
    if method == "scalars":
        _need_scalars(design, joint)
    elif method == "banded":
        each = 'joint=False for method "banded", which draws each buffer for itself (marginal laws only)'
        need(not joint, each, joint=joint)
        need_banded(design)
    else:
        need_entries(design.model.shape)
    _need_memory(method, design)
    if method in ("scalars", "banded"):
        each = f'exponential moving averages from zero (ss.EMA) for method "{method}"'
        need(design.plain, each, 'other filters: method "collapsed" or "stream"', filter=design.filters[0])
    if method == "collapsed":
        _need_collapsed(design)
    widest = max(design.bank.windows)
    fine = design.dtype == "float64" or widest <= WIDEST_SINGLE or method == "collapsed"
    need(fine, f'windows <= {WIDEST_SINGLE} in dtype "float32", whose beta is too coarse', window=widest)


def picked(candidates: dict[str, Any], joint: bool) -> tuple[str, str]:
    """The method for "auto" and why, from one design a method."""
    why: dict[str, str] = {}
    for method in ("scalars", "banded", "collapsed"):
        if method not in candidates or (joint and method != "collapsed"):
            continue
        try:
            need_method(method, candidates[method], joint)
        except ValueError as refused:
            why[method] = str(refused)
            continue
        if method == "banded" and min(candidates[method].model.shape) < LARGE:
            why[method] = f"fewer than {LARGE} rows or columns, where it is no faster"
            continue
        return method, _because(method, why)
    return "stream", _because("stream", why)


def _because(method: str, why: dict[str, str]) -> str:
    """Why a method was picked, and why not those before it."""
    return "; ".join([f"picked by auto: {REASONS[method]}", *(f"not {other}: {reason}" for other, reason in why.items())])


def _need_memory(method: str, design: Any) -> None:
    """Refuse a single trial that this machine cannot hold."""
    (m, n), rank = design.model.shape, design.model.rank
    matrices = 8.0 * m * n * (len(design.filters) * design.held + 4)
    each = {"scalars": 0.0, "banded": 160.0 * rank * min(m, n)}.get(method, matrices)
    advice = 'fewer windows, shorter filters and delays; a large Gaussian layer: method "banded" with joint=False'
    memory = device(design.runs_on).memory()
    need(each <= memory, f"a trial within memory, {memory:.2g} bytes", advice, bytes=float(f"{each:.2g}"))


def _need_scalars(design: Any, joint: bool) -> None:
    laws = tuple(name for name, law in LAWS.items() if law.scalars)
    noise, names = design.model.noise, design.observables
    need(noise.scalars, f'noise in {laws} (Gaussian given a scalar a step) for method "scalars"', ANY_LAW, noise=noise)
    need(not joint, 'joint=False for method "scalars", which is exact for each window by itself', joint=joint)
    need(names == ("noise_fro",), 'observables ("noise_fro",) for method "scalars", which draws no matrix', observables=names)
    need(design.dtype == "float64", 'dtype "float64" for method "scalars"', dtype=design.dtype)


def _need_collapsed(design: Any) -> None:
    need_law(design.model.noise)
    can = 'pipelines that filter gradients alone, such as "pre-polar" and "polar-only", for method "collapsed"'
    for pipeline in design.pipelines:
        stepping = Cascade([pipeline.stages], design.bank, frozenset({pipeline.stages[:1]} & set(design.buffers))).stepping
        need(not stepping, can, 'every other needs each step: method "stream"', pipeline=str(pipeline))
