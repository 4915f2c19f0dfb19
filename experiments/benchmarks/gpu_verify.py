"""Whether a device gives what the CPU gives: words, noise, and every observable of `simulate`."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

import spikesim as ss
from benchmarks import gpu_noise
from spikesim.kernels.fills import UNITS
from spikesim.pipelines import PIPELINES

Log = Callable[[str], None]
DTYPES = ("float32", "float64")
METHODS = {"stream": PIPELINES, "collapsed": ("pre-polar", "polar-only")}
"""Method -> the pipelines it does."""
LAWS = {"Rademacher": ss.Rademacher(0.5), "Gaussian": ss.Gaussian(0.5)}
"""Rademacher's numbers are equal on both, so linear algebra is left; Gaussian ones have float32's roundings of their own."""
SHAPE, SPIKES, WINDOWS = (64, 128), (6.0, 4.0), (1.0, 5.0, 20.0)
ROUNDING = {"residual"}
"""What is nothing but rounding: compared beside 1, not beside itself."""


def tolerance(law: str, method: str, dtype: str) -> float:
    """Largest difference allowed, beside an observable's largest value."""
    if dtype == "float32":
        return 5e-4
    return 1e-9 if (law, method) == ("Rademacher", "stream") else 1e-5


def verified(quick: bool, device: str, log: Log) -> dict[str, Any]:
    """Everything compared; `held` tells whether all of it is as close as stated."""
    log("verification: words")
    words = gpu_noise.words_apart(range(2 if quick else 8), 1 << (12 if quick else 18))
    size = (1, 16) if quick else (4, 64)
    noise = []
    for law in gpu_noise.LAWS:
        log(f"verification: noise, {law}")
        noise += [gpu_noise.noise_apart(law, dtype, device, *size).as_json() for dtype in DTYPES]
    log("verification: observables")
    rows = list(observables_apart(device, 4 if quick else 16, 40))
    held = words["different"] == 0 and all(row["held"] for row in (*noise, *rows))
    return {
        "words": words, "noise": noise, "stated_ulp": [UNITS, gpu_noise.RARE], "observables": rows,
        "halves": halves_apart(device, 4 if quick else 64), "held": held,
    }  # fmt: skip


def observables_apart(device: str, trials: int, steps: int) -> Iterator[dict[str, Any]]:
    """The observable that is furthest from the CPU's, for each law, method, dtype and pipeline."""
    for law in LAWS:
        for method, pipelines in METHODS.items():
            if method == "collapsed" and law != "Gaussian":
                continue
            for dtype in DTYPES:
                options = {"pipelines": pipelines, "method": method, "dtype": dtype, "steps": steps}
                found, true = (run(LAWS[law], where, range(trials), **options) for where in (device, "cpu"))
                for where, (name, most) in furthest(found, true).items():
                    limit = tolerance(law, method, dtype)
                    yield {
                        "law": law, "method": method, "dtype": dtype, "of": where, "observable": name, "difference": most,
                        "tolerance": limit, "held": most <= limit,
                    }  # fmt: skip


def run(law: Any, device: str, trials: range, **options: Any) -> Any:
    """One call of simulate."""
    model = ss.SpikedModel(SHAPE, SPIKES, law)
    return ss.simulate(model, windows=WINDOWS, trials=trials, seed=1, device=device, **options)


def furthest(found: Any, true: Any) -> dict[str, tuple[str, float]]:
    """Pipeline, or "buffer" for what no pipeline has, -> the observable that differs most, and by how much."""
    out: dict[str, tuple[str, float]] = {}
    for name in map(str, true.data_vars):
        parts = (
            [(str(p), {"pipeline": p}) for p in true.pipeline.values] if "pipeline" in true[name].dims else [("buffer", {})]
        )
        for where, at in parts:
            most = difference(name, found[name].sel(at).values, true[name].sel(at).values)
            if where not in out or most > out[where][1]:
                out[where] = (name, most)
    return out


def difference(name: str, found: ArrayLike, true: ArrayLike) -> float:
    """The largest difference beside the largest true value; inf where one is undefined and the other not."""
    a, b = np.asarray(found, float), np.asarray(true, float)
    defined = ~np.isnan(b)
    if a.shape != b.shape or np.any(np.isnan(a) == defined):
        return float("inf")
    if not defined.any():
        return 0.0
    scale = 1.0 if name in ROUNDING else float(np.abs(b[defined]).max())
    apart = float(np.abs(a[defined] - b[defined]).max())
    return apart / scale if scale else (float("inf") if apart else 0.0)


def halves_apart(device: str, trials: int) -> dict[str, Any]:
    """One call against two of half the trials: whether the bits depend on the block size, and by how much at most."""
    options = {"steps": 40, "dtype": "float64", "observables": ["alignment", "singular_values"]}
    cuts = (range(trials), range(trials // 2), range(trials // 2, trials))
    whole, *halves = (run(LAWS["Gaussian"], device, part, **options) for part in cuts)
    most, same = 0.0, True
    for name in ("alignment", "singular_values"):
        joined = np.concatenate([half[name].values for half in halves])
        most = max(most, difference(name, joined, whole[name].values))
        same &= bool(np.array_equal(joined, whole[name].values, equal_nan=True))
    return {"trials": trials, "same_bits": same, "difference": most}
