"""What the probe advises against what is best: windows against S4 and S8, clipping against the gain that simulation shows.

spikesim reproduce --full            # probes
python experiments/probe_choice.py   # draws; never probes
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from spikesim import plots, report
from spikesim.estimate import mean_error
from spikesim.probe.advice import WORTH
from spikesim.probe.asking import CLIPPED
from spikesim.probe.kept import Probed, Probes
from spikesim.theory import asymptotics, drift
from spikesim.theory.choice import smallest_window

GROUP = "Real gradients"

REACH = 0.9


def draw(probes: Probes, figures: Path, published: Path | None = None) -> report.Outcome:
    """Draw figures/probe_choice and say what it shows."""
    del published
    done = list(probes)
    turning, still = _streams(done, "turning"), _streams(done, "still")
    with plots.panels(1, 3, (14.5, 5.8)) as (figure, (axes,)):
        _windows(axes[0], still, turning)
        _losses(axes[1], turning)
        _clipping(axes[2], _noisy(done))
        finding = _finding(turning, _noisy(done), _gaussian(done))
        m, n = done[0].model.shape
        above = (
            f"{m} × {n}, two spikes, {done[0].task.steps} gradients, {probes.trials} trials a stream; bars: 95 % "
            f"of the trials (left), of their mean (middle, right){' (quick run)' if probes.quick else ''}"
        )
        plots.save(figure, figures, "probe_choice", above, finding)
    return report.Outcome(finding, details=_details(still, turning, _noisy(done)))


def _streams(done: Sequence[Probed], kind: str) -> list[list[Probed]]:
    """The trials of every stream whose name begins so."""
    names = dict.fromkeys(p.name for p in done if p.name.startswith(kind))
    return [[p for p in done if p.name == name] for name in names]


def _noisy(done: Sequence[Probed]) -> list[list[Probed]]:
    return _streams(done, "outliers") + _streams(done, "radial")


def _gaussian(done: Sequence[Probed]) -> list[Probed]:
    return [p for some in _streams(done, "still") + _streams(done, "turning") for p in some]


def _at(probed: Probed) -> tuple[tuple[int, int], float, tuple[float, ...]]:
    model = probed.model
    return model.shape, model.noise.variance**0.5, model.spikes


def _omega(probed: Probed) -> float:
    return float(getattr(probed.model.signal, "omega", 0.0))


def _longest(probed: Probed) -> float:
    """The longest window that was tried, and so the longest that is ever advised."""
    return float(probed.found["windows"][-1])


def _best(probed: Probed) -> float:
    """The true best window, up to the longest: the smallest with an alignment of REACH (S4), or the top of S8."""
    omega = _omega(probed)
    best = drift.best_window(*_at(probed), omega)[0] if omega else smallest_window(*_at(probed), REACH)
    return min(best, _longest(probed))


def _advised(probed: Probed) -> float:
    """T; where none is advised, as no signal is seen, the longest."""
    window = probed.found["advice"]["window"]
    return _longest(probed) if window is None else float(window)


def _lost(probed: Probed) -> float:
    """Alignment of S8 at the best window, less that at the advised one."""
    at, omega = _at(probed), _omega(probed)
    best, there = (drift.alignment(*at, t, omega) for t in (_best(probed), _advised(probed)))
    return best - there


def _short(probed: Probed) -> float:
    """Alignment of S4 at the advised window, less that of the true one: REACH, or what the longest window has."""
    return asymptotics.alignment(*_at(probed), _advised(probed)) - asymptotics.alignment(*_at(probed), _best(probed))


def _true_gain(probed: Probed) -> tuple[float, float]:
    """What clipping adds at the advised window by simulation, and its standard error at most."""
    assert probed.truth is not None
    first, clipped = (probed.truth["pipelines"][name] for name in ("pre-polar", CLIPPED))
    i = int(np.abs(np.log(np.asarray(probed.truth["windows"]) / _advised(probed))).argmin())
    error = float(np.hypot(first["alignment_error"][i], clipped["alignment_error"][i]))
    return clipped["alignment"][i] - first["alignment"][i], error


def _gain(probed: Probed) -> float:
    value = probed.found["advice"]["clip_gain"]["value"]
    return np.nan if value is None else float(value)


def _clips(probed: Probed) -> bool:
    return bool(probed.found["advice"]["clip"])


def _windows(axis: Any, still: Sequence[list[Probed]], turning: Sequence[list[Probed]]) -> None:
    """Advised against best, the middle and 95 % of the trials."""
    for groups, label, style in zip(
        (still, turning), ("at rest: least T with alignment 0.9 (S4)", "turning: T of most alignment (S8)"),
        plots.SERIES_STYLE, strict=False,
    ):  # fmt: skip
        best = [_best(some[0]) for some in groups]
        spread = np.array([np.quantile([_advised(p) for p in some], [0.5, 0.025, 0.975]) for some in groups])
        plots.intervals(axis, best, spread[:, 0], spread[:, 1:].T, label, **style)
        plots.guide(axis, [_longest(groups[0][0])] * 2, [1, _longest(groups[0][0])], "", color=style["color"], linestyle=":")
    ends = [1, max(_longest(some[0]) for some in still)]
    plots.guide(axis, ends, ends, "advised = best")
    axis.plot([], [], color="black", linestyle=":", label="longest T that is tried")
    axis.set(xscale="log", yscale="log", xlabel="true best T (steps), by theory", ylabel="advised T (steps)")
    axis.legend()


def _losses(axis: Any, turning: Sequence[list[Probed]]) -> None:
    """Alignment lost by following the advice, and by an error of a factor of 2 in T for scale."""
    labels, above, below = [], [], []
    for i, some in enumerate(turning):
        mean, error = mean_error([_lost(p) for p in some])
        axis.errorbar([i], [mean], yerr=[1.96 * error], capsize=3, **plots.SERIES_STYLE[1])
        at, omega, best = _at(some[0]), _omega(some[0]), _best(some[0])
        top = drift.alignment(*at, best, omega)
        above.append(top - drift.alignment(*at, 2 * best, omega))
        below.append(top - drift.alignment(*at, max(1.0, best / 2), omega))
        labels.append(f"{omega:g}\n{some[0].name.split(', ')[1]}")
    axis.plot(range(len(labels)), above, "_", color="black", markersize=12, label="2 T in place of T")
    axis.plot(range(len(labels)), below, "x", color="#555555", label="T/2 in place of T")
    axis.errorbar([], [], [], label="advised T", **plots.SERIES_STYLE[1])
    axis.set_xticks(range(len(labels)), labels, fontsize=8.5)
    axis.set(xlabel="ω (radians a step), and signal", ylabel="alignment lost against the best T, by S8")
    axis.axhline(0, color="black", linewidth=0.8)
    axis.legend()


def _clipping(axis: Any, groups: Sequence[list[Probed]]) -> None:
    """The gain that the probe finds against the true one."""
    for some, style in zip(groups, plots.MANY_STYLE, strict=False):
        mean, error = mean_error([_gain(p) for p in some])
        true = np.mean([_true_gain(p) for p in some], axis=0)
        label = f"{some[0].name}: {sum(map(_clips, some))} of {len(some)}"
        bars = {"xerr": [1.96 * true[1]], "yerr": [1.96 * error]}
        axis.errorbar([true[0]], [mean], **bars, capsize=3, label=label, **({"linestyle": "none"} | style))
    ends = np.array(axis.get_xlim())
    plots.guide(axis, ends, ends, "estimate = truth")
    axis.set(xlabel="alignment that clipping adds, by simulation", ylabel="alignment that clipping adds, by the probe")
    axis.legend(title="advised to clip")


def _finding(turning: Sequence[list[Probed]], noisy: Sequence[list[Probed]], gaussian: Sequence[Probed]) -> str:
    mean, error = mean_error([_lost(p) for some in turning for p in some])
    worst = max(turning, key=lambda some: float(np.mean([_lost(p) for p in some])))
    most = mean_error([_lost(p) for p in worst])
    helped = [p for some in noisy for p in some if _true_gain(p)[0] > WORTH]
    false = sum(map(_clips, gaussian))
    return (
        f"The advised momentum loses {mean:.3f} ± {1.96 * error:.3f} of alignment to drift's best, at most "
        f"{most[0]:.3f} ± {1.96 * most[1]:.3f} ({worst[0].name}); clipping is advised in {sum(map(_clips, helped))} of "
        f"{len(helped)} cases that it helps, and in {false} of {len(gaussian)} Gaussian ones."
    )


def _details(still: Sequence[list[Probed]], turning: Sequence[list[Probed]], noisy: Sequence[list[Probed]]) -> str:
    parts = []
    for some in (*still, *turning):
        low, middle, high = np.quantile([_advised(p) for p in some], [0.025, 0.5, 0.975])
        mean, error = mean_error([_lost(p) if _omega(p) else _short(p) for p in some])
        word = "loses" if _omega(some[0]) else "alignment beside the wanted one"
        parts.append(
            f"{some[0].name}: T {middle:.3g} [{low:.3g}, {high:.3g}] against {_best(some[0]):.3g}, {word} "
            f"{mean:+.3f} ± {1.96 * error:.3f}"
        )
    gains = []
    for some in noisy:
        mean, error = mean_error([_gain(p) for p in some])
        true = np.mean([_true_gain(p) for p in some], axis=0)
        gains.append(
            f"{some[0].name}: {mean:+.3f} ± {1.96 * error:.3f} against {true[0]:+.3f} ± {1.96 * true[1]:.3f}, "
            f"advised {sum(map(_clips, some))} of {len(some)} times"
        )
    return (
        f"Advised T, median and 95 % of trials, against the best: {'; '.join(parts)}. Gain of clipping: {'; '.join(gains)}."
    )


if __name__ == "__main__":
    report.main(draw, __file__)
