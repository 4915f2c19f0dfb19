"""Stage "gradients": streams (K, m, n) float32 of a few layers, as .npy, of training at a pipeline's best rate.

A trajectory is every step's gradient; its twin that of another mini-batch at the same weights, step by step, of which the
training learns nothing; a stationary set is FRESH_BATCHES gradients of further mini-batches at the weights before the middle
step. Files are named task-layer-kind-seed.npy; those of OTHERS, trained for contrast, lie in folders of their names.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from training.fit import Setting, fit
from training.losses import BETA
from training.stage import Context
from training.tasks import FRESH, TWIN, Task, loss

SEEDS = range(5)
FRESH_BATCHES = 640
"""Enough to judge beta = 0.98."""
TRAINED = "pre-polar"
OTHERS = ("momentum SGD", "post-polar")
KINDS = ("trajectory", "twin", "stationary")
KEPT = 256
"""Of a stationary set's gradients, how many are kept with the project."""
COMMITTED = (
    "gpt-blocks.1.out-trajectory-0",
    "gpt-blocks.1.out-twin-0",
    "gpt-blocks.1.out-stationary-0",
    "digits-2-stationary-0",
)
"""Kept with the project, seven megabytes at most."""
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

    @property
    def kinds(self) -> tuple[str, ...]:
        """What is recorded."""
        return KINDS if self.setting.pipeline == TRAINED else KINDS[:2]

    def path(self, layer: str, kind: str) -> Path:
        """Of one recording."""
        return self.folder / f"{self.name}-{layer.removesuffix('.weight')}-{kind}-{self.setting.seed}.npy"


def jobs(context: Context) -> list[Job]:
    """Runs that are recorded, at the rates of records/loss.json."""
    studies = [s for s in context.read("loss")["studies"] if s["beta"] == BETA]
    rates = {(s["task"], p): found["rate"] for s in studies for p, found in s["pipelines"].items()}
    return [
        Job(name, Setting(task, pipeline, rates[name, pipeline], seed, BETA), folder(context, pipeline))
        for pipeline in (TRAINED, *OTHERS[: 1 if context.quick else None])
        for name, task in context.tasks.items()
        for seed in list(SEEDS)[: 2 if context.quick else None]
    ]


def folder(context: Context, pipeline: str) -> Path:
    """Where the recordings of one pipeline's training lie."""
    return context.recordings if pipeline == TRAINED else context.recordings / pipeline.replace(" ", "-")


def run(context: Context) -> None:
    """Record; commit a few."""
    asked = jobs(context)
    for job in asked:
        job.folder.mkdir(parents=True, exist_ok=True)
    made = [path for paths in context.each(recorded, asked) for path in paths]
    context.log(f"{len(made)} recordings, {sum(p.stat().st_size for p in made) / 1e6:.0f} MB")
    if not context.quick:
        _commit(asked, context.records.parent / "gradients", context.read("loss")["settings"]["text"])


def recorded(job: Job) -> list[Path]:
    """Train once more and write the recordings of one run."""
    task, seed = job.setting.task, job.setting.seed
    streams: dict[str, dict[str, list[Any]]] = {kind: {layer: [] for layer in task.recorded} for kind in job.kinds}
    others = task.batches(seed, TWIN)

    def watch(step: int, model: nn.Module) -> None:
        for layer, stream in streams["trajectory"].items():
            stream.append(_gradient(model, layer))
        for layer, gradient in _of_batch(task, model, next(others)).items():
            streams["twin"][layer].append(gradient)
        if step == job.middle and "stationary" in streams:
            streams["stationary"] = at_fixed_weights(task, model, seed)

    fit(job.setting, watch)
    for kind, layers in streams.items():
        for layer, stream in layers.items():
            np.save(job.path(layer, kind), np.stack(stream))
    return [job.path(layer, kind) for kind in streams for layer in task.recorded]


def at_fixed_weights(task: Task, model: nn.Module, seed: int) -> dict[str, list[Any]]:
    """Gradients of FRESH_BATCHES further mini-batches of the recorded layers; the model is as before, gradients too."""
    found: dict[str, list[Any]] = {layer: [] for layer in task.recorded}
    for _, batch in zip(range(FRESH_BATCHES), task.batches(seed, FRESH), strict=False):
        for layer, gradient in _of_batch(task, model, batch).items():
            found[layer].append(gradient)
    return found


def _of_batch(task: Task, model: nn.Module, batch: tuple[torch.Tensor, torch.Tensor]) -> dict[str, Any]:
    """Gradients of the recorded layers for one more mini-batch; those that the model holds stay."""
    weights = [model.get_parameter(layer) for layer in task.recorded]
    found = torch.autograd.grad(loss(model, batch), weights)
    return {layer: gradient.numpy() for layer, gradient in zip(task.recorded, found, strict=True)}


def _gradient(model: nn.Module, layer: str) -> Any:
    gradient = model.get_parameter(layer).grad
    assert gradient is not None
    return gradient.numpy().copy()


def _commit(asked: list[Job], to: Path, source: dict[str, Any]) -> None:
    """Copy the recordings that the project keeps, and say how they were made."""
    to.mkdir(parents=True, exist_ok=True)
    rows = []
    for job in asked:
        for layer in job.setting.task.recorded:
            for path, kind in [(job.path(layer, kind), kind) for kind in job.kinds]:
                if path.stem in COMMITTED and job.setting.pipeline == TRAINED:
                    found = np.load(path)[: KEPT if kind == "stationary" else None]
                    np.save(to / path.name, found)
                    rows.append(_row(job, layer, kind, found.shape))
    (to / README).write_text(_PAGE.format(rows="\n".join(rows), **source), encoding="utf-8")


def _row(job: Job, layer: str, kind: str, shape: tuple[int, ...]) -> str:
    task, seed = job.setting.task, job.setting.seed
    steps = f"weights before step {job.middle} of {task.steps} (from 0)" if kind == "stationary" else f"all {task.steps}"
    cells = (
        f"`{job.path(layer, kind).name}`", " × ".join(map(str, shape)), f"{job.name}, `{layer}`", steps, task.batch,
        f"{job.setting.rate:g}", seed,
    )  # fmt: skip
    return f"| {' | '.join(map(str, cells))} |"


_PAGE = """# Recorded gradients

Streams (K, m, n), float32, of real training on one CPU core, written by `make training` (experiments/training/recordings.py).
A trajectory is the gradient of every step's mini-batch while hidden matrices are trained by pre-polar with β = 0.95 (the rest
by AdamW, both learning rates falling in a line to a tenth). Its twin is the gradient of a second mini-batch, drawn
independently, at the same weights, step by step, for `spikesim probe --twin`. A stationary set is the gradients of fresh
mini-batches, drawn independently at fixed weights in the middle of the same run; its order means nothing.

| file | K × m × n | task, weight | steps | batch | learning rate | seed |
|---|---|---|---|---|---|---|
{rows}

gpt: two blocks, width 40, four heads, lines of 64 characters of the standard library of Python {python} ({files} files,
{bytes} bytes, SHA-256 `{sha256}`), one file in ten
held out. digits: a perceptron 64-48-24-10 with ReLU on scikit-learn's digits. Gradients are rank-deficient up to float32's
rounding: singular values below max(m, n) times its epsilon, of the largest, mean nothing.
"""
