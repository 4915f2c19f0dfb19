"""Stage "gradients": streams (K, m, n) float32 of a few layers, as .npy, of pre-polar training at its best rate.

A trajectory is every step's gradient; a stationary set is FRESH_BATCHES gradients of further mini-batches at the weights
before the middle step. Files are named task-layer-kind-seed.npy.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from training.fit import Setting, fit
from training.losses import BETA
from training.stage import Context
from training.tasks import FRESH, Task, loss

SEEDS = range(5)
FRESH_BATCHES = 256
COMMITTED = (
    "gpt-blocks.1.out-trajectory-0",
    "gpt-blocks.1.out-stationary-0",
    "digits-2-stationary-0",
)
"""Kept with the project, six megabytes at most."""
README = "README.md"


@dataclass(frozen=True)
class Job:
    """One run to record: its task's name, its setting, and where the files go."""

    name: str
    setting: Setting
    folder: Path

    @property
    def middle(self) -> int:
        """Step before which the stationary set is taken."""
        return self.setting.task.steps // 2

    def path(self, layer: str, kind: str) -> Path:
        """Of one recording."""
        return self.folder / f"{self.name}-{layer.removesuffix('.weight')}-{kind}-{self.setting.seed}.npy"


def run(context: Context) -> None:
    """Record, at the rates of records/loss.json; commit a few."""
    context.recordings.mkdir(parents=True, exist_ok=True)
    record = context.read("loss")
    rates = {s["task"]: s["pipelines"]["pre-polar"]["rate"] for s in record["studies"] if s["beta"] == BETA}
    jobs = [
        Job(name, Setting(task, "pre-polar", rates[name], seed, BETA), context.recordings)
        for name, task in context.tasks.items()
        for seed in list(SEEDS)[: 1 if context.quick else None]
    ]
    made = [path for paths in context.each(recorded, jobs) for path in paths]
    context.log(f"{len(made)} recordings, {sum(p.stat().st_size for p in made) / 1e6:.0f} MB")
    if not context.quick:
        _commit(jobs, context.records.parent / "gradients", record["settings"]["text"])


def recorded(job: Job) -> list[Path]:
    """Train once more and write the recordings of one run."""
    trajectory: dict[str, list[Any]] = {layer: [] for layer in job.setting.task.recorded}
    stationary: dict[str, Any] = {}

    def watch(step: int, model: nn.Module) -> None:
        for layer, found in trajectory.items():
            found.append(_gradient(model, layer))
        if step == job.middle:
            stationary.update(at_fixed_weights(job.setting.task, model, job.setting.seed))

    fit(job.setting, watch)
    out = []
    for kind, streams in (("trajectory", trajectory), ("stationary", stationary)):
        for layer, stream in streams.items():
            np.save(job.path(layer, kind), np.stack(stream))
            out.append(job.path(layer, kind))
    return out


def at_fixed_weights(task: Task, model: nn.Module, seed: int) -> dict[str, list[Any]]:
    """Gradients of FRESH_BATCHES further mini-batches of the recorded layers; the model is as before, gradients too."""
    fixed = task.model(seed)
    fixed.load_state_dict(model.state_dict())
    found: dict[str, list[Any]] = {layer: [] for layer in task.recorded}
    for _, batch in zip(range(FRESH_BATCHES), task.batches(seed, FRESH), strict=False):
        fixed.zero_grad()
        loss(fixed, batch).backward()
        for layer, stream in found.items():
            stream.append(_gradient(fixed, layer))
    return found


def _gradient(model: nn.Module, layer: str) -> Any:
    gradient = model.get_parameter(layer).grad
    assert gradient is not None
    return gradient.numpy().copy()


def _commit(jobs: list[Job], folder: Path, source: dict[str, Any]) -> None:
    """Copy the recordings that the project keeps, and say how they were made."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for job in jobs:
        for layer in job.setting.task.recorded:
            for kind in ("trajectory", "stationary"):
                path = job.path(layer, kind)
                if path.stem in COMMITTED:
                    shutil.copyfile(path, folder / path.name)
                    rows.append(_row(job, layer, kind, np.load(path, mmap_mode="r").shape))
    (folder / README).write_text(_PAGE.format(rows="\n".join(rows), **source), encoding="utf-8")


def _row(job: Job, layer: str, kind: str, shape: tuple[int, ...]) -> str:
    task, seed = job.setting.task, job.setting.seed
    steps = f"all {task.steps}" if kind == "trajectory" else f"weights before step {job.middle} of {task.steps} (from 0)"
    cells = (
        f"`{job.path(layer, kind).name}`", " × ".join(map(str, shape)), f"{job.name}, `{layer}`", steps, task.batch,
        f"{job.setting.rate:g}", seed,
    )  # fmt: skip
    return f"| {' | '.join(map(str, cells))} |"


_PAGE = """# Recorded gradients

Streams (K, m, n), float32, of real training on one CPU core, written by `make training` (experiments/training/recordings.py).
A trajectory is the gradient of every step's mini-batch while hidden matrices are trained by pre-polar with β = 0.95 (the rest
by AdamW, both learning rates falling in a line to a tenth). A stationary set is the gradients of fresh mini-batches, drawn
independently at fixed weights in the middle of the same run; its order means nothing.

| file | K × m × n | task, weight | steps | batch | learning rate | seed |
|---|---|---|---|---|---|---|
{rows}

gpt: two blocks, width 40, four heads, lines of 64 characters of the standard library of Python {python} ({files} files,
{bytes} bytes, SHA-256 `{sha256}`), one file in ten
held out. digits: a perceptron 64-48-24-10 with ReLU on scikit-learn's digits. Gradients are rank-deficient up to float32's
rounding: singular values below max(m, n) times its epsilon, of the largest, mean nothing.
"""
