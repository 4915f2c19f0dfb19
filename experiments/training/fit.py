"""One run of training: hidden matrices by a pipeline, the rest by AdamW, both learning rates falling in a line."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from training.optimizer import Hidden
from training.tasks import Task, loss

LAST_RATE = 0.1
"""Of the first one, at the last step."""
POINTS = 64
"""Of a loss curve: means over equal parts of the run."""
END = 0.125
"""Share of the run's last steps over which the training loss is averaged."""
Watch = Callable[[int, nn.Module], None]
"""Told the step, from 0, and the model with its gradients, before weights change."""


@dataclass(frozen=True)
class Setting:
    """One run.

    Args:
        task: What is trained.
        pipeline: One of optimizer.PIPELINES.
        rate: First learning rate of the hidden matrices.
        seed: Of initial weights and mini-batches.
        beta: Momentum of the pipeline's filter.
    """

    task: Task
    pipeline: str
    rate: float
    seed: int
    beta: float = 0.95


@dataclass(frozen=True)
class Run:
    """What a run gave.

    Attributes:
        training: Mean loss of the mini-batches of the run's end, nats; NaN where it diverged, like all else.
        validation: Loss after the last step.
        curve: Means over POINTS equal parts of the run.
        seconds: Of processor time.
    """

    training: float
    validation: float
    curve: tuple[float, ...]
    seconds: float


def fit(setting: Setting, watch: Watch | None = None) -> Run:
    """Train; watch sees every step's gradients."""
    start, task = time.process_time(), setting.task
    model = task.model(setting.seed)
    losses = np.full(task.steps, math.nan)
    for step, value in enumerate(_steps(setting, model, watch)):
        if not math.isfinite(value):
            break
        losses[step] = value
    with torch.no_grad():
        validation = float(loss(model, task.validation()))
    whole = bool(np.isfinite(losses).all()) and math.isfinite(validation)
    return Run(
        float(losses[-round(END * task.steps) :].mean()),
        validation if whole else math.nan,
        tuple(losses.reshape(POINTS, -1).mean(1).tolist()),
        time.process_time() - start,
    )


def _steps(setting: Setting, model: nn.Module, watch: Watch | None) -> Iterator[float]:
    """Losses of the mini-batches, each before the step that it leads to."""
    task = setting.task
    weights = task.hidden(model)
    hidden = Hidden(list(weights.values()), setting.pipeline, setting.beta)
    rest = torch.optim.AdamW([w for name, w in model.named_parameters() if name not in weights], betas=(0.9, 0.95))
    for step, batch in zip(range(task.steps), task.batches(setting.seed), strict=False):
        fall = 1 - (1 - LAST_RATE) * step / (task.steps - 1)
        model.zero_grad()
        value = loss(model, batch)
        value.backward()
        if watch is not None:
            watch(step, model)
        hidden.step(setting.rate * fall)
        for group in rest.param_groups:
            group["lr"] = task.adam * fall
        rest.step()
        yield float(value.detach())
