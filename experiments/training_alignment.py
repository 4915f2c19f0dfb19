"""Alignment against momentum along real training, and the loss that each momentum trained to (the paper's figure 4).

make training                            # measures; takes torch
python experiments/training_alignment.py # draws what is on record
"""

from pathlib import Path
from typing import Any

import numpy as np

from spikesim import plots, report
from spikesim.records import Records
from spikesim.trained import TASKS, TWIN, Floats, Trained, band, interval, shown

GROUP = "Real gradients"

FIRST, POST, ONLY, AGAIN = "pre-polar", "post-polar", "polar-only", "re-polarised"
PIPELINES = (FIRST, AGAIN, POST, ONLY)
LOSSES = "loss.json"
"""Beside the record: what each momentum trained to."""


def draw(records: Records, figures: Path, published: Path | None = None) -> report.Outcome:
    """Draw figures/training_alignment and say what it shows."""
    del published
    trained, losses = Trained(records), trained_losses(records)
    with plots.panels(len(TASKS), 3, (14.5, 8.8)) as (figure, axes):
        for row, task in zip(axes, TASKS, strict=True):
            _pipelines(row[0], trained, task)
            _layers(row[1], trained, task)
            _losses(row[2], trained, task, losses[task])
        finding = _finding(trained, losses)
        settings = trained.settings
        above = (
            f"updates of training by {settings['trained']} with β = {settings['beta']:g}, held against another batch's "
            f"gradient at the same weights; mean and 95 % over {len(settings['seeds'])} runs (losses: {_count(losses)})"
        )
        plots.save(figure, figures, "training_alignment", above, finding)
    return report.Outcome(finding, details=_details(trained, losses))


def trained_losses(records: Records) -> dict[str, dict[float, Floats]]:
    """Final training loss of pre-polar at its best rate by task and window, (seed,); polar-only is T = 1."""
    found: dict[str, dict[float, Floats]] = {}
    for study in Records(records.title, records.file.with_name(LOSSES)).data["studies"]:
        by_window = found.setdefault(study["task"], {})
        by_window[round(1 / (1 - study["beta"]), 6)] = np.array(study["pipelines"][FIRST]["training"], float)
        if ONLY in study["pipelines"]:
            by_window[1.0] = np.array(study["pipelines"][ONLY]["training"], float)
    return {task: dict(sorted(by_window.items())) for task, by_window in found.items()}


def averaged(trained: Trained, task: str, pipeline: str, training: str | None = None) -> Floats:
    """Alignment, (seed, W), mean over layers."""
    layers = trained.layers(task)
    return np.mean([trained.alignment(TWIN, task, layer, pipeline, training) for layer in layers], axis=0)


def best_windows(trained: Trained, task: str, training: str | None = None) -> Floats:
    """The window of the most measured alignment of pre-polar, (layer, seed)."""
    windows = trained.windows(TWIN)
    return np.array(
        [windows[trained.alignment(TWIN, task, layer, FIRST, training).argmax(1)] for layer in trained.layers(task)]
    )


def advised(trained: Trained, task: str) -> Floats:
    """The window that the probe advises, (layer, seed)."""
    return np.array([trained.read(TWIN, task, layer, "advised") for layer in trained.layers(task)])


def _pipelines(axis: Any, trained: Trained, task: str) -> None:
    for name in PIPELINES:
        band(axis, trained.windows(TWIN), averaged(trained, task, name), name, **plots.PIPELINE_STYLE[name])
    axis.set(xscale="log", xlabel="window T", ylabel="alignment", ylim=(0, None), title=f"{TASKS[task]}, layers averaged")
    axis.legend()
    _ticks(axis, trained.windows(TWIN))


def _layers(axis: Any, trained: Trained, task: str) -> None:
    windows, best = trained.windows(TWIN), best_windows(trained, task)
    for i, (layer, style) in enumerate(zip(trained.layers(task), plots.SERIES_STYLE, strict=False)):
        found = trained.alignment(TWIN, task, layer, FIRST)
        band(axis, windows, found, layer, **style)
        tops = best[i] * 1.04 ** (np.arange(best.shape[1]) - best.shape[1] // 2)
        axis.plot(tops, 0.03 + 0.04 * i + 0 * tops, linestyle="none", **style | {"markersize": 5})
    axis.set(xscale="log", xlabel="window T (marks below: best of each run)", ylabel=f"alignment of {FIRST}", ylim=(0, None))
    axis.set_title(f"{TASKS[task]}, by layer")
    axis.legend()
    _ticks(axis, windows)


def _losses(axis: Any, trained: Trained, task: str, losses: dict[float, Floats]) -> None:
    """Loss less that at the probes' beta, paired over seeds, and where the advised windows lie."""
    beta = 1 / (1 - trained.settings["beta"])
    base = losses[round(beta, 6)]
    mean, half = interval(np.array([x - base for x in losses.values()]).T)
    style = plots.PIPELINE_STYLE[FIRST]
    plots.intervals(axis, list(losses), mean, (mean - half, mean + half), "final loss, best rate", **style)
    told = advised(trained, task)
    axis.axvspan(
        told.min(), told.max(), color=plots.VERMILION, alpha=0.2, linewidth=0, label="advised by the probe, all runs"
    )
    axis.axhline(0, color="black", linewidth=0.8)
    axis.set(xscale="log", xlabel="window T = 1/(1 − β)", ylabel=f"loss less that at T = {beta:g}, nats", title=TASKS[task])
    axis.legend()
    _ticks(axis, np.array(list(losses)))


def _ticks(axis: Any, windows: Floats) -> None:
    from matplotlib.ticker import NullFormatter

    axis.set_xticks(windows, [f"{t:g}" for t in windows])
    axis.xaxis.set_minor_formatter(NullFormatter())


def _count(losses: dict[str, dict[float, Floats]]) -> int:
    return len(next(iter(losses["gpt"].values())))


def _beta(window: float) -> str:
    return f"{1 - 1 / window:.2f}"


def least(losses: dict[float, Floats]) -> float:
    """The window of the least mean loss."""
    return min(losses, key=lambda t: float(losses[t].mean()))


def _kept(trained: Trained, task: str) -> Floats:
    """Alignment at the probes' beta over that at the best window, (seed,): free of the scale's error."""
    found = averaged(trained, task, FIRST)
    at = int(np.abs(trained.windows(TWIN) - 1 / (1 - trained.settings["beta"])).argmin())
    return found[:, at] / found.max(1)


def _finding(trained: Trained, losses: dict[str, dict[float, Floats]]) -> str:
    tops = [best_windows(trained, task) for task in TASKS]
    span = ", ".join(f"{best.min():g} to {best.max():g} ({word})" for best, word in zip(tops, TASKS.values(), strict=True))
    kept = ", ".join(shown(_kept(trained, task)) for task in TASKS)
    tried = ", ".join(f"{t:g}" for t in losses["gpt"])
    return (
        f"In training, pre-polar's alignment is most at T = {span}; T = {_long(trained):g} keeps {kept} of it; final loss is "
        f"least at T = {' and '.join(f'{least(losses[task]):g}' for task in TASKS)} of {tried}."
    )


def _long(trained: Trained) -> float:
    """The window of the training's beta."""
    return round(1 / (1 - trained.settings["beta"]), 6)


def _details(trained: Trained, losses: dict[str, dict[float, Floats]]) -> str:
    parts = []
    long = _long(trained)
    for task, word in TASKS.items():
        told, low = advised(trained, task), least(losses[task])
        levels = {name: averaged(trained, task, name) for name in PIPELINES}
        gaps = []
        for t in (2.0, 20.0):
            at = list(trained.windows(TWIN)).index(t)
            gaps += [
                f"at T = {t:g} {FIRST} less {n} {shown(levels[FIRST][:, at] - levels[n][:, at], sign=True)}"
                for n in (POST, ONLY)
            ]
        same = [t for t in losses[task] if t in trained.windows(TWIN)]
        aligned = ", ".join(f"{t:g} {shown(levels[FIRST][:, list(trained.windows(TWIN)).index(t)])}" for t in same)
        lost = ", ".join(f"{t:g} {shown(x, 3)}" for t, x in losses[task].items())
        others = [f"{name} {_span(best_windows(trained, task, name))}" for name in trained.trainings[1:]]
        parts.append(
            f"{word}: {'; '.join(gaps)}; the probe advises T = {np.median(told):.2g} ({_span(told)}, β about "
            f"{_beta(float(np.median(told)))}); alignment at T = "
            f"{aligned}; final loss at T = {lost}, at T = {low:g} less at T = {long:g} "
            f"{shown(losses[task][low] - losses[task][long], 4, sign=True)}; best windows where trained by "
            f"{', by '.join(others)}."
        )
    return (
        f"{' '.join(parts)} T = 1 is polar-only. Windows above {trained.windows(TWIN)[-1]:g} are beyond what "
        f"{trained.settings['steps']['gpt']} steps can judge. Intervals are 95 % over runs (Student t), layers averaged "
        "first. The scale ‖S‖_* is one number a recording, fitted, so that levels have a common error; ratios have not."
    )


def _span(windows: Floats) -> str:
    return f"{windows.min():.3g} to {windows.max():.3g}"


if __name__ == "__main__":
    report.main(draw, __file__)
