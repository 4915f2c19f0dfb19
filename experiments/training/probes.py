"""Stage "probes": what ss.probe finds in every recording, seed by seed; records/probes.json.

A recording is probed up to three times: its stationary set, its trajectory held against the twin, and its trajectory held
against the gradients of the next steps, as one without a twin would have to be.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from spikesim.pipelines import PIPELINES
from spikesim.probe.exponents import exponents
from spikesim.probe.noise import Estimate
from spikesim.probe.probe import Probe, probe
from training.losses import BETA
from training.recordings import TRAINED, Job, jobs
from training.stage import Context, rounded

STATIONARY, TWIN, NEXT = "stationary", "twin", "next"
READINGS = 192
"""Of trajectories: those that a twin has by default, and as many without."""
BINS = 13
"""Equal parts of a trajectory's readings, over which paths are averaged."""
TURNED = (2.0, 20.0)
"""Windows whose angles along a trajectory are kept."""
DIGITS, FEW = 4, 3
"""Significant digits of what is kept: of numbers, and of long lists."""


@dataclass(frozen=True)
class Asked:
    """One probe: of a run's layer, held against one of STATIONARY, TWIN, NEXT."""

    job: Job
    layer: str
    against: str

    @property
    def name(self) -> dict[str, Any]:
        """What tells it from the others."""
        setting = self.job.setting
        layer = self.layer.removesuffix(".weight")
        return {
            "trained": setting.pipeline,
            "task": self.job.name,
            "layer": layer,
            "seed": setting.seed,
            "against": self.against,
        }


def run(context: Context) -> None:
    """Probe every recording; write the record."""
    asked = list(_asked(jobs(context)))
    probes = context.each(probed, asked)
    kinds = {against: next(p for p in probes if p["against"] == against) for against in (STATIONARY, TWIN, NEXT)}
    settings = {
        "beta": BETA, "trained": TRAINED, "seeds": sorted({p["seed"] for p in probes}), "readings": READINGS,
        "windows": {against: found["windows"] for against, found in kinds.items()},
        "gradients": {against: found["gradients"] for against, found in kinds.items()},
        "ranks": max((p["ranks_compared"] for p in probes), key=len),
        "steps": {name: task.steps for name, task in context.tasks.items()},
    }  # fmt: skip
    seconds = sum(p.pop("seconds") for p in probes)
    for found in probes:
        del found["windows"], found["gradients"], found["ranks_compared"]
    context.log(f"{len(probes)} probes, {seconds:.0f} core-seconds")
    context.write("probes", rounded({"seconds": seconds, "settings": settings, "probes": probes}, DIGITS))


def _asked(recorded: list[Job]) -> Iterator[Asked]:
    for job in recorded:
        for layer in job.setting.task.recorded:
            yield from (
                Asked(job, layer, against) for against in (STATIONARY, TWIN, NEXT) if against != STATIONARY or _main(job)
            )


def _main(job: Job) -> bool:
    return job.setting.pipeline == TRAINED


def probed(asked: Asked) -> dict[str, Any]:
    """One probe's name and numbers; of trainings for contrast only alignments."""
    start, job = time.process_time(), asked.job
    kind = "stationary" if asked.against == STATIONARY else "trajectory"
    with threadpool_limits(1):
        found = probe(
            job.path(asked.layer, kind), kind=kind, readings=None if kind == "stationary" else READINGS,
            twin=job.path(asked.layer, "twin") if asked.against == TWIN else None,
        )  # fmt: skip
        numbers = _alignments(found)
        if _main(job):
            numbers |= _scalars(found) | _spectra(found, asked.against)
            numbers |= _paths(found, asked.against) if kind == "trajectory" else {}
    whole = {"windows": found.asked.windows, "ranks_compared": found.asked.ranks, "gradients": found.shape[0]}
    return asked.name | whole | {"shape": found.shape[1:]} | numbers | {"seconds": time.process_time() - start}


def _alignments(found: Probe) -> dict[str, Any]:
    """By pipeline, over windows: <A, S>, before it is divided by the scale, and alignment in the buffer."""
    names = [str(p) for p in found.asked.pipelines if str(p) in PIPELINES]
    kept = {"decrease": found.data.decrease, "inside": found.data.alignment_in_buffer}
    tables = {key: {p: rounded(x.sel(pipeline=p).values.tolist(), FEW) for p in names} for key, x in kept.items()}
    scale = {"scale": [found.curve.nuclear, found.curve.error, found.curve.low, found.curve.high]}
    return tables | scale | {"advised": found.advice.window}


def _scalars(found: Probe) -> dict[str, Any]:
    """Estimates, [value, low, high] each, and what theory predicts over windows."""
    noise = found.noise
    tails = {name: [t.alpha, t.low, t.high] for name, t in (("steps", noise.tail_steps), ("entries", noise.tail_entries))}
    estimates = {name: _ends(getattr(noise, name)) for name in ("eta", "signal", "snr", "autocorrelation", "drift")}
    ranks = {name: getattr(found.ranks, name) for name in ("signed_noise", "bulk_edge", "hard_threshold", "anisotropy")}
    return {
        **estimates, "tail_index": tails, "ranks": ranks,
        "exponents": {name: _ends(e) for name, e in exponents(found).items()},
        "predicted": found.predicted.tolist(), "fitted": found.curve.ahead(found.asked.windows, found.leads).tolist(),
        "persistence": found.persistence.tolist(), "clip_gain": _ends(found.advice.clip_gain),
    }  # fmt: skip


def _ends(estimate: Estimate) -> list[float]:
    return [estimate.value, estimate.low, estimate.high]


def _spectra(found: Probe, against: str) -> dict[str, Any]:
    """Mean singular values of pre-polar's buffer, (window, index), T = 1 the gradients' own; sines (window, rank)."""
    data = found.data.isel(pipeline=0)
    if against == NEXT:
        return {}
    spectra = {"spectrum": rounded(data.singular_values.values.tolist(), FEW)}
    if against == TWIN:
        return spectra
    sides = ("left", "right")
    return spectra | {"sines": {side: rounded(data[f"sin_theta_{side}_held_out"].values.tolist(), FEW) for side in sides}}


def _paths(found: Probe, against: str) -> dict[str, Any]:
    """Means over BINS parts of the readings: at the window nearest BETA's, and with a twin the angles of windows TURNED."""
    (run,), windows = found.readings, np.array(found.asked.windows)
    bins = np.arange(run.step.size) * BINS // run.step.size
    at = int(np.abs(windows - 1 / (1 - BETA)).argmin())

    def means(x: np.ndarray) -> list[Any]:
        return rounded(np.stack([x[bins == k].mean(0) for k in range(BINS)], -1).tolist(), FEW)

    names = [(i, str(p)) for i, p in enumerate(found.asked.pipelines) if str(p) in PIPELINES]
    held = run.inner.sum(-1) / run.held.sum(-1)[:, None, None]
    paths: dict[str, Any] = {"step": means(run.step.astype(float)), "window": float(windows[at])}
    paths |= {key: {p: means(x[:, i, at]) for i, p in names} for key, x in (("decrease", held), ("inside", run.inside))}
    if against == TWIN:
        shown = [i for i, t in enumerate(windows) if t in TURNED]
        sides = {"left": run.left, "right": run.right}
        paths |= {side: {f"{windows[i]:g}": means(x[:, 0, i]) for i in shown} for side, x in sides.items()}
    return {"paths": paths}
