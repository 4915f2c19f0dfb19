"""Stage "loss": every pipeline at its own best learning rate, in both tasks and for several momenta; records/loss.json.

Rates are chosen by the mean training loss of TUNING seeds; what is reported comes of others.
"""

import importlib.metadata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from spikesim.sweep.provenance import cpu
from training import rates
from training.fit import END, LAST_RATE, Run, Setting, fit
from training.optimizer import FILTER, PIPELINES
from training.stage import Context
from training.text import text

BETA = 0.95
FURTHER = (0.8, 0.98)
TUNING = (100, 101, 102)
REPORTED = tuple(range(8))


@dataclass
class Grid:
    """One pipeline's learning rates, and the runs of the tuning seeds at each place."""

    setting: Setting
    runs: dict[int, list[Run]]

    @property
    def means(self) -> dict[int, float]:
        """Training loss by place."""
        return {k: float(np.mean([run.training for run in self.runs[k]])) for k in sorted(self.runs)}

    def rate(self, place: int) -> float:
        """Learning rate at a place; the setting's is the middle."""
        return self.setting.rate * rates.RATIO**place

    @property
    def best(self) -> float:
        """The rate chosen."""
        return self.rate(rates.best(self.means))


def run(context: Context) -> None:
    """Tune and train; write the record."""
    tuning, reported = (TUNING[:1], REPORTED[:2]) if context.quick else (TUNING, REPORTED)
    studies, seconds = [], 0.0
    for beta in (BETA, *FURTHER[: 0 if context.quick else None]):
        for task in context.tasks:
            study, spent = _study(context, task, beta, tuning, reported)
            studies.append(study)
            seconds += spent
    context.write("loss", {"seconds": seconds, "settings": _settings(context, tuning, reported), "studies": studies})


def _study(
    context: Context, name: str, beta: float, tuning: Sequence[int], reported: Sequence[int]
) -> tuple[dict[str, Any], float]:
    """One task with one momentum, and its processor seconds; a pipeline without a filter has its place at BETA alone."""
    task = context.tasks[name]
    chosen = [p for p, stages in PIPELINES.items() if beta == BETA or FILTER in stages]
    grids = [Grid(Setting(task, p, rates.centre(task, p, beta, tuning[0]), tuning[0], beta), {}) for p in chosen]
    _tune(context, grids, tuning)
    settings = [replace(g.setting, rate=g.best, seed=seed) for g in grids for seed in reported]
    runs = context.each(fit, settings)
    shares = [runs[i : i + len(reported)] for i in range(0, len(runs), len(reported))]
    for p, grid, share in zip(chosen, grids, shares, strict=True):
        context.log(f"{name}, beta {beta:g}, {p}: rate {grid.best:.3g}, loss {np.mean([r.training for r in share]):.4f}")
    spent = sum(r.seconds for r in runs) + sum(r.seconds for g in grids for share in g.runs.values() for r in share)
    found = {p: _numbers(grid, share) for p, grid, share in zip(chosen, grids, shares, strict=True)}
    return {"task": name, "beta": beta, "pipelines": found}, spent


def _tune(context: Context, grids: Sequence[Grid], seeds: Sequence[int]) -> None:
    """Fill the grids, all in step, until no place is wanted."""
    places = [tuple(rates.FIRST) for _ in grids]
    while any(places):
        settings = [replace(g.setting, rate=g.rate(k), seed=s) for g, ks in zip(grids, places, strict=True)
                    for k in ks for s in seeds]  # fmt: skip
        runs = iter(context.each(fit, settings))
        for grid, ks in zip(grids, places, strict=True):
            grid.runs.update({k: [next(runs) for _ in seeds] for k in ks})
        longest = max(len(g.runs) for g in grids)
        places = [rates.wanted(g.means, longest) for g in grids]


def _numbers(grid: Grid, runs: Sequence[Run]) -> dict[str, Any]:
    """Lists over seeds, and for tuning (rate, seed)."""
    tried = sorted(grid.runs)
    return {
        "rate": grid.best,
        "tuning": {
            "centre": grid.setting.rate,
            "rates": [grid.rate(k) for k in tried],
            "training": [[run.training for run in grid.runs[k]] for k in tried],
        },
        "training": [run.training for run in runs],
        "validation": [run.validation for run in runs],
        "curve": [run.curve for run in runs],
    }


def _settings(context: Context, tuning: Sequence[int], reported: Sequence[int]) -> dict[str, Any]:
    return {
        "tuning_seeds": tuning, "reported_seeds": reported, "ratio": rates.RATIO, "end": END, "last_rate": LAST_RATE,
        "text": text().source, "torch": importlib.metadata.version("torch"), "cpu": cpu(),
        "tasks": {name: _described(context, name) for name in context.tasks},
    }  # fmt: skip


def _described(context: Context, name: str) -> dict[str, Any]:
    task = context.tasks[name]
    model = task.model(0)
    shapes = {layer: list(w.shape) for layer, w in task.hidden(model).items()}
    return {
        "steps": task.steps, "batch": task.batch, "adam": task.adam, "centre": task.centre, "hidden": shapes,
        "parameters": sum(w.numel() for w in model.parameters()),
    }  # fmt: skip
