"""Blocks of trials to one labelled dataset that says what was run."""

from collections.abc import Iterable
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from spikesim import observables as obs
from spikesim import rng
from spikesim.design import Design
from spikesim.devices.named import device
from spikesim.kernels.width import vector_bits
from spikesim.measure import Measured
from spikesim.moments import Moments
from spikesim.parts import ASKED, MEANS, means_text, sums_of
from spikesim.signal import Constant, gains
from spikesim.spectrum import Tally
from spikesim.stages.filter import Filter

if TYPE_CHECKING:
    import xarray as xr


def dataset(design: Design, numbers: range, results: Iterable[Measured], joint: bool) -> "xr.Dataset":
    """All blocks of a run, in the order of their trials, with labels and attributes: a part (parts.py)."""
    import xarray as xr

    blocks, tally = [], Tally()
    moments: Moments | None = None
    for result in results:
        blocks.append(result.values)
        if result.moments is not None:
            moments = result.moments if moments is None else moments + result.moments
        tally += result.tally
    variables: dict[str, Any] = {}
    for name in blocks[0]:
        values = np.concatenate([b[name] for b in blocks]).astype(np.float64)
        variables[name] = (("trial", *dimensions(name)), values)
    coordinates = {
        "trial": np.asarray(numbers, np.int64),
        "pipeline": [str(p) for p in design.pipelines],
        "window": list(design.bank.windows),
    }
    if "singular_values" in variables:
        coordinates["index"] = np.arange(1, design.spectrum + 1)
    ordered = {name: variables[name] for name in design.observables if name in variables}
    attributes = _attributes(design, joint) | {MEANS: means_text(tally)}
    if moments is not None:
        ordered |= sums_of(moments)
        attributes[ASKED] = ", ".join(name for name in obs.MOMENTS if name in design.observables)
    return xr.Dataset(ordered, coordinates, attributes)


def dimensions(name: str) -> tuple[str, ...]:
    """What an observable of single trials runs over."""
    return _DIMENSIONS.get(name, ("pipeline", "window"))


_DIMENSIONS = {
    "singular_values": ("pipeline", "window", "index"),
    "suppression": ("window",),
    "noise_fro": ("window",),
    "noise_op": ("window",),
    "noise_nuclear": ("window",),
    "noise_tangent": ("window",),
}


_JOINT = {
    "stream": {True: "yes: all pipelines and windows of a trial see one stream", False: "not asked for; still so"},
    "collapsed": {True: "yes: exact in law for all pipelines and windows together", False: "not asked for; still so"},
    "banded": {False: "no: exact in law for each buffer; post-polar's windows alone are of the same steps"},
    "scalars": {False: "no: exact in law for each window; windows of a trial share their scalars and one chi-square"},
}


def _attributes(design: Design, joint: bool) -> dict[str, str | float]:
    outside = design.model.noise.outside
    place = device(design.runs_on)
    packages = ("spikesim", "numpy", "numba", "scipy", "xarray")
    versions = {p: version(p) for p in packages} | place.versions()
    attributes: dict[str, str | float] = {
        "model": repr(design.model),
        "filter": type(design.filters[0]).__name__ if design.plain else ", ".join(map(repr, design.filters)),
        "pipelines": "; ".join(f"{p} = {p.text}" if str(p) != p.text else p.text for p in design.pipelines),
        "method": design.method,
        "method_reason": design.reason,
        "joint": _JOINT[design.method][joint],
        "theorem": f"outside the theorem: {outside}" if outside else "inside the theorem: the noise is BVMZOS",
        "seed": str(design.seed),
        "steps": float(design.steps),
        "device": str(place) if design.runs_on == design.device else f"{place}: {_NOT_ON_GPU}",
        "dtype": design.dtype,
        "layout": float(rng.LAYOUT_VERSION),
        "vector_bits": str(vector_bits() or "as LLVM chooses"),
        "versions": ", ".join(f"{p} {v}" for p, v in versions.items()),
    }
    said = isinstance(design.model.signal, Constant) or design.method == "scalars"  # by the steps; of no signal
    return attributes if said else attributes | {"c_sig": _persistence(design)}


def _persistence(design: Design) -> str:
    """c_sig of each window, that of the spike which has least (theory.md B, F11)."""
    each = gains(design.averages[Filter(),], design.model.signal.shares(design.model.rank))[..., 0].min(axis=1)
    return ", ".join(f"{value:.4g} at T = {t:g}" for t, value in zip(design.bank.windows, each, strict=True))


_NOT_ON_GPU = "a GPU was asked for, but this method has no form for one"
