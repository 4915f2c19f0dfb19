"""Real gradients at fixed weights: alignment against momentum, subspaces, and whether noise is BVMZOS (the paper's figure 3).

make training                             # measures; takes torch
python experiments/training_stationary.py # draws what is on record
"""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from spikesim import plots, report
from spikesim.records import Records
from spikesim.trained import STATIONARY, TASKS, Floats, Trained, band, interval, shown

GROUP = "Real gradients"

FIRST, POST, ONLY, AGAIN = "pre-polar", "post-polar", "polar-only", "re-polarised"
PIPELINES = (FIRST, AGAIN, POST, ONLY)
AT = 20.0
"""Window of the finding, beta = 0.95."""
CRITICAL = 2.0
"""Tail index below which there is no variance."""


def draw(records: Records, figures: Path, published: Path | None = None) -> report.Outcome:
    """Draw figures/training_stationary and say what it shows."""
    del published
    trained = Trained(records)
    with plots.panels(len(TASKS), 3, (14.5, 8.8)) as (figure, axes):
        for row, task in zip(axes, TASKS, strict=True):
            _alignment(row[0], trained, task)
            _subspaces(row[1], trained, task)
            _noise(row[2], trained, task)
        finding = _finding(trained)
        settings = trained.settings
        above = (
            f"{settings['gradients'][STATIONARY]} gradients at the weights of mid-training; mean and 95 % band over "
            f"{len(settings['seeds'])} runs, layers averaged; right: every layer and run with its own 95 % interval"
        )
        plots.save(figure, figures, "training_stationary", above, finding)
    return report.Outcome(finding, details=_details(trained))


def aligned(trained: Trained, task: str, pipeline: str) -> Floats:
    """Held-out alignment, (seed, W), mean over layers."""
    layers = trained.layers(task)
    return np.mean([trained.alignment(STATIONARY, task, layer, pipeline) for layer in layers], axis=0)


def averaged(trained: Trained, task: str, *path: str | int) -> Floats:
    """Any table, (seed, ...), mean over layers."""
    return np.mean([trained.read(STATIONARY, task, layer, *path) for layer in trained.layers(task)], axis=0)


def _alignment(axis: Any, trained: Trained, task: str) -> None:
    windows = trained.windows(STATIONARY)
    for name in PIPELINES:
        band(axis, windows, aligned(trained, task, name), name, **plots.PIPELINE_STYLE[name])
    inside = averaged(trained, task, "inside", FIRST)
    band(axis, windows, inside, f"{FIRST}, in-buffer", **plots.MANY_STYLE[4])
    plots.guide(axis, windows, averaged(trained, task, "predicted").mean(0), f"S4 for {FIRST}")
    axis.set(xscale="log", xlabel="window T", ylabel="alignment", ylim=(-0.32, 1.02), title=TASKS[task])
    axis.legend(ncols=2, loc="lower right")


def _subspaces(axis: Any, trained: Trained, task: str) -> None:
    windows, ranks = trained.windows(STATIONARY), trained.settings["ranks"]
    for r, style in zip((1, 2, 4), plots.SERIES_STYLE, strict=False):
        for side, line in (("left", "-"), ("right", "--")):
            at = ranks.index(r)
            layers = trained.layers(task)
            sines = np.mean([trained.read(STATIONARY, task, layer, "sines", side)[..., at] for layer in layers], axis=0)
            band(axis, windows, sines, f"rank {r}, {side}", **style | {"linestyle": line})
    axis.set(xscale="log", xlabel="window T", ylabel="‖sin Θ‖ to the held-out mean", ylim=(-0.2, 1.02), title=TASKS[task])
    axis.legend(ncols=3)


def _noise(axis: Any, trained: Trained, task: str) -> None:
    """Lag-1 autocorrelation on the left axis, tail index on the right one, five runs side by side."""
    layers, seeds = trained.layers(task), len(trained.settings["seeds"])
    other = axis.twinx()
    shift = (np.arange(seeds) - (seeds - 1) / 2) * 0.06
    for i, layer in enumerate(layers):
        phi = trained.read(STATIONARY, task, layer, "autocorrelation")
        tail = trained.read(STATIONARY, task, layer, "tail_index", "entries")
        label = dict.fromkeys((0, 1), "") if i else {0: "autocorrelation, lag 1 (left)", 1: "tail index of entries (right)"}
        plots.intervals(axis, i - 0.2 + shift, phi[:, 0], phi[:, 1:].T, label[0], color=plots.BLUE, marker="o")
        plots.intervals(other, i + 0.2 + shift, tail[:, 0], tail[:, 1:].T, label[1], color=plots.VERMILION, marker="s")
    axis.axhline(0, color=plots.BLUE, linewidth=0.8)
    other.axhline(CRITICAL, color=plots.VERMILION, linewidth=0.8, linestyle="--")
    axis.set_xticks(range(len(layers)), layers)
    axis.set_xlabel("layer")
    axis.set(ylim=(-0.15, 0.15), ylabel="autocorrelation of noise", title=f"{TASKS[task]}, by layer: is it BVMZOS?")
    other.set(ylim=(-4, 12), ylabel="tail index (2: no variance)")
    other.grid(False)
    handles = [h for a in (axis, other) for h in a.get_legend_handles_labels()[0]]
    names = [n for a in (axis, other) for n in a.get_legend_handles_labels()[1]]
    axis.legend(handles, names, loc="lower left")


def outside(trained: Trained) -> tuple[int, int, int]:
    """Recordings whose noise is autocorrelated beyond its interval, whose tails have no variance beyond theirs, and all."""
    correlated = heavy = total = 0
    for task in TASKS:
        for layer in trained.layers(task):
            phi = trained.read(STATIONARY, task, layer, "autocorrelation")
            highs = [trained.read(STATIONARY, task, layer, "tail_index", kind)[:, 2] for kind in ("entries", "steps")]
            correlated += int(((phi[:, 1] > 0) | (phi[:, 2] < 0)).sum())
            heavy += int((np.minimum(*highs) < CRITICAL).sum())
            total += len(phi)
    return correlated, heavy, total


def order(trained: Trained, task: str, *pipelines: str) -> bool:
    """Whether each pipeline is ahead of the next at AT by more than the 95 % interval of the paired difference."""
    at = list(trained.windows(STATIONARY)).index(AT)
    levels = [aligned(trained, task, name)[:, at] for name in pipelines]
    gaps = [interval(a - b) for a, b in pairwise(levels)]
    return all(mean > half for mean, half in gaps)


def _finding(trained: Trained) -> str:
    at = list(trained.windows(STATIONARY)).index(AT)
    rows = []
    for task, word in TASKS.items():
        each = [shown(aligned(trained, task, name)[:, at]) for name in (FIRST, POST, ONLY)]
        rows.append(f"{word} {each[0]}, {each[1]}, {each[2]} (S4 {averaged(trained, task, 'predicted')[:, at].mean():.2f})")
    whole, middle = (_where(trained, *names) for names in ((FIRST, POST), (POST, ONLY)))
    return (
        f"Alignment at fixed weights, T = {AT:g}, of pre-polar, post-polar, polar-only: {'; '.join(rows)}. Pre-polar leads "
        f"in {whole}, post-polar leads polar-only in {middle}."
    )


def _where(trained: Trained, *pipelines: str) -> str:
    found = [word for task, word in TASKS.items() if order(trained, task, *pipelines)]
    return {0: "neither", len(TASKS): "both"}.get(len(found), f"the {' '.join(found)} alone")


def _details(trained: Trained) -> str:
    windows = trained.windows(STATIONARY)
    at, parts = list(windows).index(AT), []
    for task, word in TASKS.items():
        levels = {name: aligned(trained, task, name) for name in PIPELINES}
        inside = averaged(trained, task, "inside", FIRST)
        gaps = averaged(trained, task, "predicted") - levels[FIRST]
        numbers = {
            "re-polarised": shown(levels[AGAIN][:, at]),
            "post-polar less polar-only": shown(levels[POST][:, at] - levels[ONLY][:, at], 3, sign=True),
            "in-buffer less held-out, pre-polar": shown(inside[:, at] - levels[FIRST][:, at], 3, sign=True),
            **{f"S4 less measured at T = {windows[i]:g}": shown(gaps[:, i], sign=True) for i in (0, 3, at, len(windows) - 1)},
            "noise edge over white noise's": shown(averaged(trained, task, "ranks", "anisotropy"), 1),
            "directions that stand out": shown(averaged(trained, task, "ranks", "signed_noise"), 1),
            "signal to noise": shown(averaged(trained, task, "snr", 0), 3),
            "autocorrelation": shown(averaged(trained, task, "autocorrelation", 0), 4, sign=True),
            "tail index of entries": shown(averaged(trained, task, "tail_index", "entries", 0), 1),
            "of steps' norms": shown(averaged(trained, task, "tail_index", "steps", 0), 1),
        }
        parts.append(f"{word}: {', '.join(f'{name} {number}' for name, number in numbers.items())}.")
    correlated, heavy, total = outside(trained)
    return (
        f"{' '.join(parts)} BVMZOS: of {total} recordings {correlated} are autocorrelated beyond a 95 % interval (drawn "
        f"independently, one in twenty would be), {heavy} have a tail index surely below 2. Intervals are 95 % over runs "
        "(Student t), layers averaged first. S4 supposes white noise, r spikes and nothing below them."
    )


if __name__ == "__main__":
    report.main(draw, __file__)
