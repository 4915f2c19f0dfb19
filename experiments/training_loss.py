"""Training loss of a small GPT and a perceptron whose hidden matrices are stepped by each pipeline (the paper's figure 1).

make training                        # measures; takes torch
python experiments/training_loss.py  # draws what is on record
"""

from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import t as student

from spikesim import plots, report
from spikesim.errors import need
from spikesim.records import Records

GROUP = "Real gradients"

FIRST, MIDDLE, LAST = "pre-polar", "post-polar", "polar-only"
"""The paper's order, from the lowest loss."""
STYLE = {**plots.PIPELINE_STYLE, "momentum SGD": plots.MANY_STYLE[4]}
NAMES = {"gpt": "GPT on characters", "digits": "perceptron on digits"}
SHOWN = 16
"""Points of a curve that are drawn: means over equal parts of the run."""
HEADROOM = {"gpt": 0.5, "digits": 0.6}
"""How far above the lowest loss the panels of learning rates reach, nats."""


def draw(records: Records, figures: Path, published: Path | None = None) -> report.Outcome:
    """Draw figures/training_loss and say what it shows."""
    del published
    data = records.data
    settings, studies = data["settings"], data["studies"]
    main = [s for s in studies if s["beta"] == studies[0]["beta"]]
    with plots.panels(len(main), 3, (14.5, 8.6)) as (figure, axes):
        for row, study in zip(axes, main, strict=True):
            _curves(row[0], study, settings["tasks"][study["task"]]["steps"])
            _rates(row[1], study)
            _momenta(row[2], [s for s in studies if s["task"] == study["task"]])
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper right", ncols=len(labels))
        finding = _finding(main)
        seeds = len(settings["reported_seeds"]), len(settings["tuning_seeds"])
        above = (
            f"β = {main[0]['beta']:g} but for the right panels; mean and 95 % interval over {seeds[0]} seeds,\n"
            f"rates chosen by {seeds[1]} others (stars)"
        )
        plots.save(figure, figures, "training_loss", above, finding)
    return report.Outcome(finding, details=_details(studies, settings))


def interval(samples: Any) -> tuple[Any, Any]:
    """Mean over seeds (seed, ...) and half the width of its 95 % interval (Student t)."""
    x = np.asarray(samples, float)
    error = x.std(0, ddof=1) / len(x) ** 0.5
    return x.mean(0), student.ppf(0.975, len(x) - 1) * error


def paired(study: dict[str, Any], pipeline: str, other: str, key: str = "training") -> tuple[float, float]:
    """Loss of one pipeline less another's, of the same seeds: mean and half of its 95 % interval."""
    found = [np.array(study["pipelines"][p][key], float) for p in (pipeline, other)]
    return interval(found[0] - found[1])


def _curves(axis: Any, study: dict[str, Any], steps: int) -> None:
    for name, found in study["pipelines"].items():
        curve = np.array(found["curve"], float)
        curve = curve.reshape(len(curve), SHOWN, -1).mean(2)
        x = (np.arange(SHOWN) + 0.5) * steps / SHOWN
        mean, half = interval(curve)
        axis.plot(x, mean, label=name, markersize=4, linewidth=1.2, **STYLE[name])
        axis.fill_between(x, mean - half, mean + half, color=STYLE[name]["color"], alpha=0.15, linewidth=0)
    axis.set(xlabel="step", ylabel="training loss, nats", yscale="log", title=NAMES[study["task"]])
    plots.plain_ticks(axis)


def _rates(axis: Any, study: dict[str, Any]) -> None:
    """Tuning loss over learning rate; the best one starred."""
    ends = []
    for name, found in study["pipelines"].items():
        style, rates = STYLE[name], found["tuning"]["rates"]
        losses = np.array(found["tuning"]["training"], float).mean(1)
        at = _place(found)
        axis.plot(rates, losses, label=name, markersize=4, linewidth=1.2, **style)
        axis.plot(rates[at], losses[at], "*", color=style["color"], markersize=13, markeredgecolor="black")
        ends.append(losses[at])
    low = min(ends)
    axis.set(xscale="log", xlabel="first learning rate of hidden matrices", ylabel="final loss, tuning seeds, nats")
    axis.set_ylim(low - 0.1 * HEADROOM[study["task"]], low + HEADROOM[study["task"]])


def _momenta(axis: Any, studies: list[dict[str, Any]]) -> None:
    """Reported loss less that of pre-polar with the first study's momentum, paired over seeds, against momentum."""
    beta, level = studies[0]["beta"], np.array(studies[0]["pipelines"][FIRST]["training"], float)
    studies = sorted(studies, key=lambda s: s["beta"])
    for i, (name, style) in enumerate(STYLE.items()):
        at = [k for k, s in enumerate(studies) if name in s["pipelines"]]
        less = np.array([np.array(studies[k]["pipelines"][name]["training"], float) - level for k in at])
        mean, half = interval(less.T)
        ends = mean - half, mean + half
        plots.intervals(axis, np.array(at) + 0.08 * (i - 2), mean, ends, name, linewidth=1, **({"linestyle": "-"} | style))
    axis.axhline(0, color="black", linewidth=0.8)
    axis.set_xticks(range(len(studies)), [f"{s['beta']:g}" for s in studies])
    axis.set(xlabel="momentum β, each at its best rate")
    axis.set_ylabel(f"less {FIRST}'s at β = {beta:g}, nats")


def _place(found: dict[str, Any]) -> int:
    """Where the rate of the least tuning loss is among those tried: inside, and the one that was reported."""
    losses = np.array(found["tuning"]["training"], float).mean(1)
    at, tried = int(np.nanargmin(losses)), found["tuning"]["rates"]
    need(
        0 < at < len(tried) - 1 and tried[at] == found["rate"], "a best rate inside its grid", rate=found["rate"], rates=tried
    )
    return at


def ahead(studies: list[dict[str, Any]], pipeline: str, *others: str) -> str:
    """In which tasks a pipeline's loss is below the others' by more than their 95 % intervals."""
    where = []
    for study in studies:
        gaps = [paired(study, other, pipeline) for other in others]
        where += [_word(study)] * all(mean > half for mean, half in gaps)
    return {0: "neither", len(studies): "both"}.get(len(where), " and ".join(where) + " alone")


def _word(study: dict[str, Any]) -> str:
    return NAMES[study["task"]].split()[0]


def _finding(studies: list[dict[str, Any]]) -> str:
    parts = [
        f"{_word(study)} " + ", ".join(f"{name} {_signed(*paired(study, name, FIRST))}" for name in (MIDDLE, LAST))
        for study in studies
    ]
    return (
        f"Training loss above {FIRST}'s, nats: {'; '.join(parts)}. {FIRST.capitalize()} leads "
        f"in {ahead(studies, FIRST, MIDDLE, LAST)}; the paper's {MIDDLE} ahead of {LAST} shows in "
        f"{ahead(studies, MIDDLE, LAST)}.{_ties(studies)}"
    )


def _ties(studies: list[dict[str, Any]]) -> str:
    """Who is not told from pre-polar by the validation loss."""
    found = []
    for study in studies:
        for name in (MIDDLE, LAST):
            mean, half = paired(study, name, FIRST, "validation")
            found += [f"{_word(study)} {name} ({_signed(mean, half)})"] * bool(abs(mean) <= half)
    return f" In validation {' and '.join(found)} ties." if found else ""


def _signed(mean: float, half: float) -> str:
    return f"{mean:+.3f} ± {half:.3f}".replace("-", "−")


def _level(samples: Any) -> str:
    mean, half = interval(samples)
    return f"{mean:.3f} ± {half:.3f}"


def _details(studies: list[dict[str, Any]], settings: dict[str, Any]) -> str:
    parts = []
    for study in studies:
        rows = [
            f"{name} {_level(found['training'])} (validation {_level(found['validation'])}, rate {found['rate']:.3g})"
            for name, found in study["pipelines"].items()
        ]
        less = [f"{n} {_signed(*paired(study, n, FIRST))}" for n in study["pipelines"] if n != FIRST]
        tried = {len(found["tuning"]["rates"]) for found in study["pipelines"].values()}
        held = [f"{n} {_signed(*paired(study, n, FIRST, 'validation'))}" for n in study["pipelines"] if n != FIRST]
        parts.append(
            f"{NAMES[study['task']]}, β = {study['beta']:g}, {'/'.join(map(str, tried))} rates tried: {', '.join(rows)}; "
            f"less {FIRST}, paired over seeds: {', '.join(less)}; in validation: {', '.join(held)}."
        )
    text = settings["text"]
    return (
        f"{' '.join(parts)} Intervals are 95 % (Student t), each for itself. Neighbouring rates have a ratio of "
        f"{settings['ratio']:g}; text: {text['files']} files of Python {text['python']}, SHA-256 {text['sha256'][:12]}."
    )


if __name__ == "__main__":
    report.main(draw, __file__)
