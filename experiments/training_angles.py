"""Subspaces of the buffer against those of later gradients, along real training (the paper's figure 6).

make training                         # measures; takes torch
python experiments/training_angles.py # draws what is on record
"""

from pathlib import Path
from typing import Any

import numpy as np

from spikesim import plots, report
from spikesim.records import Records
from spikesim.trained import TASKS, TWIN, Floats, Trained, band, interval, shown

GROUP = "Real gradients"

SIDES = ("left", "right")
SHORT, LONG = "2", "20"
"""Windows T of the record: near the most alignment, and beta = 0.95."""
SPAN = 32
"""Gradients of the twin after a reading whose mean gives the subspaces to compare with."""


def draw(records: Records, figures: Path, published: Path | None = None) -> report.Outcome:
    """Draw figures/training_angles and say what it shows."""
    del published
    trained = Trained(records)
    with plots.panels(len(TASKS), len(SIDES), (12.5, 8.8), sharex=True, sharey=True) as (figure, axes):
        for row, task in zip(axes, TASKS, strict=True):
            for axis, side in zip(row, SIDES, strict=True):
                _paths(axis, trained, task, side)
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper right", ncols=3)
        finding = _finding(trained)
        settings = trained.settings
        above = (
            f"top singular subspaces of the EMA against those of the mean of the twin's next {SPAN} gradients;\n"
            f"trained by {settings['trained']}, β = {settings['beta']:g}; mean and 95 % band over "
            f"{len(settings['seeds'])} runs, layers averaged"
        )
        plots.save(figure, figures, "training_angles", above, finding)
    return report.Outcome(finding, details=_details(trained))


def sines(trained: Trained, task: str, side: str, window: str) -> Floats:
    """Sine of the largest principal angle, (seed, rank, part of the run), mean over layers; ranks that all layers have."""
    found = [trained.read(TWIN, task, layer, "paths", side, window) for layer in trained.layers(task)]
    common = min(x.shape[1] for x in found)
    return np.mean([x[:, :common] for x in found], axis=0)


def _paths(axis: Any, trained: Trained, task: str, side: str) -> None:
    step = trained.read(TWIN, task, trained.layers(task)[0], "paths", "step").mean(0)
    found = sines(trained, task, side, LONG)
    for i, style in zip(range(found.shape[1]), plots.MANY_STYLE, strict=False):
        band(axis, step, found[:, i], f"rank {trained.settings['ranks'][i]}, T = {LONG}", **style)
    short = sines(trained, task, side, SHORT)[:, 0]
    band(axis, step, short, f"rank 1, T = {SHORT}", color="black", linestyle="--", marker="none")
    axis.set(xlabel="step", ylabel="sine of the largest principal angle", title=f"{TASKS[task]}, {side} subspaces")


def whole(trained: Trained, task: str, side: str, window: str = LONG) -> Floats:
    """Mean over the run, (seed, rank)."""
    return sines(trained, task, side, window).mean(2)


def _finding(trained: Trained) -> str:
    rows = [
        f"{', '.join(shown(whole(trained, task, side)[:, 0]) for side in SIDES)} ({word})" for task, word in TASKS.items()
    ]
    second = min(float(whole(trained, task, side)[:, 1].mean()) for task in TASKS for side in SIDES)
    return (
        f"At T = {LONG} the buffer's top left, right directions lie at sines {'; '.join(rows)} from the next {SPAN} "
        f"gradients'; beyond rank 1, {second:.2f} or more; {_verdict(trained)}."
    )


def _verdict(trained: Trained) -> str:
    """Which side is the nearer one, by paired intervals over runs."""
    gaps = {
        word: interval(whole(trained, task, "left")[:, 0] - whole(trained, task, "right")[:, 0])
        for task, word in TASKS.items()
    }
    right = [word for word, (mean, half) in gaps.items() if mean > half]
    left = [word for word, (mean, half) in gaps.items() if mean < -half]
    sides = [f"the {side} is nearer in {_where(names)}" for side, names in (("right", right), ("left", left)) if names]
    return ", ".join(sides) or "neither side is nearer"


def _where(names: list[str]) -> str:
    return "both" if len(names) == len(TASKS) else names[0]


def _details(trained: Trained) -> str:
    parts = []
    for task, word in TASKS.items():
        for side in SIDES:
            long, short = (whole(trained, task, side, window) for window in (LONG, SHORT))
            ranks = trained.settings["ranks"]
            levels = ", ".join(f"rank {ranks[i]} {shown(long[:, i], 3)}" for i in range(long.shape[1]))
            path = sines(trained, task, side, LONG)[:, 0]
            change = shown(path[:, -3:].mean(1) - path[:, :3].mean(1), sign=True)
            less = shown(short[:, 0] - long[:, 0], sign=True)
            parts.append(
                f"{word}, {side}: {levels}; rank 1 at T = {SHORT} less at T = {LONG} {less}; last three parts less "
                f"first three {change}."
            )
    return (
        f"{' '.join(parts)} The later mean has noise of its own and weights move while it is taken: these sines hold both "
        "beside the angle to the signal of the moment, and two halves of that mean have too little in common to divide the "
        "noise out (P6). Intervals are 95 % over runs (Student t), layers averaged first."
    )


if __name__ == "__main__":
    report.main(draw, __file__)
