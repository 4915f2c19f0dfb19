"""Alignment of real updates along training, by what they are held against (the paper's figure 5).

make training                             # measures; takes torch
python experiments/training_trajectory.py # draws what is on record
"""

from pathlib import Path
from typing import Any

import numpy as np

from spikesim import plots, report
from spikesim.records import Records
from spikesim.trained import NEXT, TASKS, TWIN, Floats, Trained, band, interval, shown

GROUP = "Real gradients"

FIRST, POST, ONLY, AGAIN = "pre-polar", "post-polar", "polar-only", "re-polarised"
PIPELINES = (FIRST, AGAIN, POST, ONLY)
INSIDE = "in-buffer"
SERIES: dict[str, dict[str, Any]] = {
    INSIDE: plots.MANY_STYLE[4],
    TWIN: plots.SERIES_STYLE[0],
    NEXT: plots.SERIES_STYLE[1],
}
MEMORY = 4
"""Windows that the buffer's mean goes back."""
WORDS = {INSIDE: "mean of the buffer", TWIN: "twin: same weights, other batch", NEXT: "next 8 steps"}


def draw(records: Records, figures: Path, published: Path | None = None) -> report.Outcome:
    """Draw figures/training_trajectory and say what it shows."""
    del published
    trained = Trained(records)
    with plots.panels(len(TASKS), len(PIPELINES), (14.5, 8), sharey=True, sharex=True) as (figure, axes):
        for row, task in zip(axes, TASKS, strict=True):
            for axis, name in zip(row, PIPELINES, strict=True):
                _paths(axis, trained, task, name)
            row[0].set_ylabel("alignment")
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper right", ncols=len(labels))
        finding = _finding(trained)
        settings = trained.settings
        above = (
            f"trained by {settings['trained']}, β = {settings['beta']:g} (T = 20);\nmean and 95 % band over "
            f"{len(settings['seeds'])} runs, layers averaged"
        )
        plots.save(figure, figures, "training_trajectory", above, finding)
    return report.Outcome(finding, details=_details(trained))


def path(trained: Trained, against: str, task: str, pipeline: str) -> Floats:
    """Alignment along training, (seed, part), mean over layers."""
    layers = trained.layers(task)
    if against == INSIDE:
        return np.mean([trained.read(TWIN, task, layer, "paths", "inside", pipeline) for layer in layers], axis=0)
    return np.mean([trained.path(against, task, layer, pipeline) for layer in layers], axis=0)


def _paths(axis: Any, trained: Trained, task: str, pipeline: str) -> None:
    step = trained.read(TWIN, task, trained.layers(task)[0], "paths", "step").mean(0)
    for against, style in SERIES.items():
        band(axis, step, path(trained, against, task, pipeline), WORDS[against], **style)
    axis.axhline(0, color="black", linewidth=0.8)
    axis.set(xlabel="step", title=f"{TASKS[task]}, {pipeline}")


def whole(trained: Trained, against: str, task: str, pipeline: str) -> Floats:
    """Mean over the run, (seed,)."""
    return path(trained, against, task, pipeline).mean(1)


def shared(trained: Trained, task: str, pipeline: str) -> Floats:
    """Share of the in-buffer alignment that another batch at the same weights does not confirm, (seed,)."""
    return 1 - whole(trained, TWIN, task, pipeline) / whole(trained, INSIDE, task, pipeline)


def noise_alone(trained: Trained) -> float:
    """In-buffer alignment of pre-polar in white noise without a signal: the correlation of M and the mean of K gradients.

    (1 - beta^K) sqrt((2T - 1)/K) with K = 4 T_max, as P1 has it but for gradients before the K.
    """
    longest = trained.windows(TWIN)[-1]
    count = MEMORY * longest
    return float((1 - (1 - 1 / longest) ** count) * np.sqrt((2 * longest - 1) / count))


def _finding(trained: Trained) -> str:
    inside, twin, following = (
        ", ".join(shown(whole(trained, against, task, FIRST)) for task in TASKS) for against in (INSIDE, TWIN, NEXT)
    )
    return (
        f"Pre-polar, T = 20, {' and '.join(TASKS.values())}: alignment with the buffer's mean {inside} (white noise alone "
        f"{noise_alone(trained):.2f}), with another batch at the same weights {twin}, with the next steps {following}."
    )


def leads(trained: Trained, task: str, pipeline: str, other: str, against: str) -> str:
    """Paired difference over runs in words."""
    return shown(whole(trained, against, task, pipeline) - whole(trained, against, task, other), 3, sign=True)


def _details(trained: Trained) -> str:
    parts = []
    for task, word in TASKS.items():
        levels = [
            f"{name} "
            + ", ".join(f"{WORDS[against].split(':')[0]} {shown(whole(trained, against, task, name))}" for against in SERIES)
            for name in PIPELINES
        ]
        gaps = [
            f"less {other} {leads(trained, task, FIRST, other, TWIN)} by twin, "
            f"{leads(trained, task, FIRST, other, INSIDE)} in the buffer"
            for other in (POST, ONLY, AGAIN)
        ]
        ends = path(trained, TWIN, task, FIRST)
        fall = shown(ends[:, -3:].mean(1) - ends[:, :3].mean(1), sign=True)
        parts.append(
            f"{word}: {'; '.join(levels)}; {FIRST} {', '.join(gaps)}; last three parts of the run less first "
            f"three, twin {fall}."
        )
    lost = " and ".join(f"{100 * shared(trained, task, FIRST).mean():.0f}" for task in TASKS)
    below = [word for task, word in TASKS.items() if _below(whole(trained, NEXT, task, FIRST))]
    return (
        f"{' '.join(parts)} Of {FIRST}'s in-buffer number {lost} % are not seen by another batch. With the "
        f"next steps it is surely below 0 in: {', '.join(below) or 'neither'}: weights have moved along the "
        "update, and past the best of its line. Alignments with twin and next steps are divided by the one ‖S‖_* of a "
        "recording, fitted with the twin; in-buffer ones by the nuclear norm of the buffer's mean, noise and all, so that "
        "the share is no pure ratio of ⟨A, S⟩. Intervals are 95 % over runs (Student t), layers averaged first."
    )


def _below(samples: Floats) -> bool:
    mean, half = interval(samples)
    return bool(mean + half < 0)


if __name__ == "__main__":
    report.main(draw, __file__)
