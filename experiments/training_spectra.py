"""Singular values of real gradients before and after the filter, and how fast a window lowers them (the paper's figure 2).

make training                          # measures; takes torch
python experiments/training_spectra.py # draws what is on record
"""

from pathlib import Path
from typing import Any

import numpy as np

from spikesim import plots, report
from spikesim.estimate import log_slope
from spikesim.records import Records
from spikesim.trained import STATIONARY, TASKS, TWIN, Floats, Trained, band, interval, shown

GROUP = "Real gradients"

LAYER = {"gpt": "blocks.1.out", "digits": "2"}
"""Whose spectra are drawn."""
DRAWN = (1.0, 5.0, 20.0, 50.0)
WORD = {STATIONARY: "fixed weights", TWIN: "along training"}
STYLE: dict[str, dict[str, Any]] = dict(zip((STATIONARY, TWIN), plots.SERIES_STYLE[1:], strict=False))
LEAST = 1e-4
"""Of the largest singular value: what is smaller is not drawn, as it may be rounding."""
WHITE = -0.5


def draw(records: Records, figures: Path, published: Path | None = None) -> report.Outcome:
    """Draw figures/training_spectra and say what it shows."""
    del published
    trained = Trained(records)
    with plots.panels(len(TASKS), 3, (14.5, 8.8)) as (figure, axes):
        for row, task in zip(axes, TASKS, strict=True):
            for axis, against in zip(row, (STATIONARY, TWIN), strict=False):
                _spectra(axis, trained, task, against)
            _suppression(row[2], trained, task)
        finding = _finding(trained)
        seeds = len(trained.settings["seeds"])
        above = (
            f"mean singular values of the EMA of gradients, over those of one gradient; layers {', '.join(LAYER.values())} "
            f"of {' and '.join(TASKS.values())}; mean and 95 % band over {seeds} seeds"
        )
        plots.save(figure, figures, "training_spectra", above, finding)
    return report.Outcome(finding, details=_details(trained))


def head_and_tail(trained: Trained, against: str, task: str, layer: str) -> Floats:
    """sigma_1 of the buffer and its sigma_{r+1} over the gradient's own, (seed, 2, W); r stands out at fixed weights."""
    spectra = trained.read(against, task, layer, "spectrum")
    ranks = trained.read(STATIONARY, task, layer, "ranks", "signed_noise").astype(int)
    return np.array([[x[:, k] / x[0, k] for k in (0, r)] for x, r in zip(spectra, ranks, strict=True)])


def exponents(trained: Trained, against: str, task: str) -> Floats:
    """Slopes in 2T - 1 of head and tail, (seed, 2), means over layers."""
    windows = trained.windows(against)
    found = [head_and_tail(trained, against, task, layer) for layer in trained.layers(task)]
    return np.mean([[[log_slope(windows, ratio) for ratio in one] for one in seeds] for seeds in found], axis=0)


def _spectra(axis: Any, trained: Trained, task: str, against: str) -> None:
    windows = trained.windows(against)
    spectra = trained.read(against, task, LAYER[task], "spectrum")
    spectra = spectra / spectra[:, :1, :1]
    shown_windows = [t for t in windows if t in DRAWN]
    for t, style in zip(shown_windows, plots.SERIES_STYLE, strict=False):
        values = spectra[:, list(windows).index(t)]
        values = np.where(values > LEAST, values, np.nan)
        label = "one gradient" if t == 1 else f"EMA, T = {t:g}"
        band(axis, np.arange(1, values.shape[1] + 1), values, label, **style | {"markersize": 3})
    axis.set(yscale="log", xlabel="k", title=f"{TASKS[task]}, {WORD[against]}", ylabel="σ_k over a gradient's σ_1")
    axis.legend()


def _suppression(axis: Any, trained: Trained, task: str) -> None:
    """Head and tail of both probes against 2T - 1, with white noise's guide."""
    for against, style in STYLE.items():
        ratio = head_and_tail(trained, against, task, LAYER[task])
        x = 2 * trained.windows(against) - 1
        band(axis, x, ratio[:, 0], f"σ_1, {WORD[against]}", **style)
        band(axis, x, ratio[:, 1], f"σ_r+1, {WORD[against]}", **(style | {"linestyle": "--", "markerfacecolor": "none"}))
    x = 2 * trained.windows(STATIONARY) - 1
    plots.power_guide(axis, x, WHITE, 1.0, "white noise, −1/2", linestyle=":")
    axis.set(
        xscale="log", yscale="log", xlabel=plots.SAMPLES, ylabel="filtering ratio R(T)", title=f"{TASKS[task]}, head and tail"
    )
    plots.plain_ticks(axis)
    axis.legend()


def _finding(trained: Trained) -> str:
    parts = []
    for task, word in TASKS.items():
        still = exponents(trained, STATIONARY, task)
        parts.append(f"{word} {shown(still[:, 0])}, {shown(still[:, 1])}")
    heads = ", ".join(f"{exponents(trained, TWIN, task)[:, 0].mean():.2f}".replace("-", "−") for task in TASKS)
    return (
        f"σ_k(M)/σ_k(G) goes as (2T−1)^x: head, tail x = {'; '.join(parts)} at fixed weights (white noise −0.50); "
        f"{_verdict(trained)} (x = {heads})."
    )


def _verdict(trained: Trained) -> str:
    """Whether the filter keeps the head and lowers the tail, as the paper has it, by intervals over seeds."""
    words = []
    for against in (STATIONARY, TWIN):
        gaps = [interval(np.diff(exponents(trained, against, task)[:, ::-1])[:, 0]) for task in TASKS]
        spared = [word for (mean, half), word in zip(gaps, TASKS.values(), strict=True) if mean > half]
        words.append({0: "in neither", len(TASKS): "in both"}.get(len(spared), f"in {' '.join(spared)} alone"))
    return f"head falls slower than tail {words[0]}, in training {words[1]}"


def _details(trained: Trained) -> str:
    parts = []
    for task in TASKS:
        for layer in trained.layers(task):
            for against in (STATIONARY, TWIN):
                windows = trained.windows(against)
                ratio = head_and_tail(trained, against, task, layer)
                head, tail = ([log_slope(windows, x) for x in ratio[:, k]] for k in (0, 1))
                last = f"at T = {windows[-1]:g} head {shown(ratio[:, 0, -1])}, tail {shown(ratio[:, 1, -1])}"
                parts.append(
                    f"{TASKS[task]} {layer}, {WORD[against]}: exponent of head {shown(head)}, tail {shown(tail)}; {last}."
                )
    ranks = [f"{task} {layer} {shown(trained.read(STATIONARY, task, layer, 'ranks', 'signed_noise'), 1)}"
             for task in TASKS for layer in trained.layers(task)]  # fmt: skip
    return (
        f"{' '.join(parts)} The tail is σ_(r+1), r the directions that stand out at fixed weights "
        f"({', '.join(ranks)}). Ratios are of means, as single gradients of the perceptron are very unequal; their rank is "
        "16 at most, one an image, so that an average fills the tail instead of lowering it. Intervals are 95 % over runs "
        "(Student t), layers of a run averaged first in the finding."
    )


if __name__ == "__main__":
    report.main(draw, __file__)
