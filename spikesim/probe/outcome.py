"""What a probe found as an xarray Dataset, and as plain values for programs."""

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikesim.probe.exponents import exponents
from spikesim.theory import asymptotics

if TYPE_CHECKING:
    import xarray as xr

    from spikesim.probe.result import Probe

Floats = NDArray[np.float64]

BY_WINDOW = ("pipeline", "window")
WITH_ERRORS = {
    "alignment": ("alignment", BY_WINDOW),
    "decrease": ("decrease", BY_WINDOW),
    "alignment_in_buffer": ("inside", BY_WINDOW),
    "singular_values": ("spectrum", (*BY_WINDOW, "index")),
    "gradient_values": ("gradient", ("index",)),
    "sin_theta_left": ("left_sine", (*BY_WINDOW, "rank")),
    "sin_theta_right": ("right_sine", (*BY_WINDOW, "rank")),
    "sin_theta_left_held_out": ("left", (*BY_WINDOW, "rank")),
    "sin_theta_right_held_out": ("right", (*BY_WINDOW, "rank")),
}
"""Variables that have a twin NAME_error: their name in Probe.values, and dimensions."""


def dataset(probe: "Probe") -> "xr.Dataset":
    """Everything over pipeline, window, index (of singular values), rank, and reading."""
    import xarray as xr

    variables: dict[str, Any] = {}
    for name, (inner, dims) in WITH_ERRORS.items():
        variables[name] = dims, probe.values[inner]
        variables[f"{name}_error"] = dims, probe.errors[inner]
    tail = probe.tail
    for kind, source in (("", probe.values), ("_error", probe.errors)):
        variables[f"filtering_ratio{kind}"] = ("window", "index"), source["ratio"][0]
        variables[f"suppression{kind}"] = ("window",), source["ratio"][0][:, tail]
    head, below = probe.values["spectrum"][..., max(probe.rank, 1) - 1], probe.values["spectrum"][..., tail]
    variables["head"], variables["tail"], variables["gap"] = (BY_WINDOW, head), (BY_WINDOW, below), (BY_WINDOW, head - below)
    variables["fitted"] = ("window",), probe.curve.ahead(probe.asked.windows, probe.leads)
    variables["predicted"] = ("window",), probe.predicted
    variables["persistence"] = ("window",), probe.persistence
    variables["persistence_error"] = ("window",), probe.persistence_error
    coordinates = {
        "pipeline": [str(p) for p in probe.asked.pipelines],
        "window": list(probe.asked.windows),
        "index": np.arange(1, probe.asked.values + 1),
        "rank": list(probe.asked.ranks),
    }
    return xr.Dataset(variables | _paths(probe), coordinates, {"name": probe.name, "kind": probe.kind})


def _paths(probe: "Probe") -> dict[str, Any]:
    """What was read step by step, of a trajectory; nothing of readings whose order means nothing."""
    if probe.kind != "trajectory":
        return {}
    (run,) = probe.readings
    scale = probe.curve.nuclear if probe.curve.nuclear > 0 else math.nan
    held = run.inner.sum(-1) / run.held.sum(-1)[:, None, None]
    dims = ("reading", *BY_WINDOW)
    return {
        "step": (("reading",), run.step),
        "alignment_path": (dims, held / scale),
        "alignment_in_buffer_path": (dims, run.inside),
        "sin_theta_left_path": ((*dims, "rank"), run.left),
        "sin_theta_right_path": ((*dims, "rank"), run.right),
    }


def as_json(probe: "Probe") -> dict[str, Any]:
    """Nested plain values; inf and nan become None."""
    shape, sigma = probe.shape[1:], probe.noise.sigma.value
    spikes = tuple(probe.spikes.tolist())
    table = {
        "alignment": probe.values["alignment"],
        "alignment_error": probe.errors["alignment"],
        "alignment_in_buffer": probe.values["inside"],
        "alignment_in_buffer_error": probe.errors["inside"],
        "singular_values": probe.values["spectrum"],
        "head": probe.values["spectrum"][..., max(probe.rank, 1) - 1],
        "tail": probe.values["spectrum"][..., probe.tail],
        "gap": probe.values["spectrum"][..., max(probe.rank, 1) - 1] - probe.values["spectrum"][..., probe.tail],
        "sin_theta_left": probe.values["left_sine"],
        "sin_theta_right": probe.values["right_sine"],
    }
    found = {
        "name": probe.name,
        "kind": probe.kind,
        "shape": probe.shape,
        "windows": probe.asked.windows,
        "ranks": probe.asked.ranks,
        "noise": asdict(probe.noise),
        "outside_bvmzos": probe.noise.outside,
        "effective_rank": asdict(probe.ranks),
        "spikes": spikes,
        "critical_windows": asymptotics.critical_window(shape, sigma, spikes) if spikes else [],
        "scale": {
            "nuclear_norm": probe.curve.nuclear, "error": probe.curve.error, "low": probe.curve.low, "high": probe.curve.high,
            "snr": probe.curve.snr,
        },
        "pipelines": {str(p): {name: x[i] for name, x in table.items()} for i, p in enumerate(probe.asked.pipelines)},
        "gradient_values": probe.values["gradient"],
        "filtering_ratio": probe.values["ratio"][0],
        "suppression": probe.values["ratio"][0][:, probe.tail],
        "suppression_error": probe.errors["ratio"][0][:, probe.tail],
        "predicted_alignment": probe.predicted,
        "fitted_alignment": probe.curve.ahead(probe.asked.windows, probe.leads),
        "persistence": probe.persistence,
        "persistence_error": probe.persistence_error,
        "exponents": {name: asdict(e) for name, e in exponents(probe).items()},
        "advice": asdict(probe.advice) | {"momentum": probe.advice.momentum},
        "paths": {name: x[1] for name, x in _paths(probe).items()},
    }  # fmt: skip
    return _plain(found)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _plain(x) for name, x in value.items()}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain(x) for x in value]
    if isinstance(value, np.generic):
        return _plain(value.item())
    return None if isinstance(value, float) and not math.isfinite(value) else value
