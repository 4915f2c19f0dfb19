"""What the probe estimates against what is true: errors against K and against signal to noise, and coverage of its intervals.

spikesim reproduce --full                # probes
python experiments/probe_estimators.py   # draws; never probes
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from spikesim import plots, report
from spikesim.probe.curve import turned
from spikesim.probe.jackknife import student
from spikesim.probe.kept import Probed, Probes
from spikesim.probe.plan import AHEAD, BLOCKS
from spikesim.theory.filters import rotation

GROUP = "Real gradients"

Floats = np.ndarray
AT = 256
"""Gradients at which errors are drawn against signal to noise; the nearest number that there is."""
USUAL = "1"
"""Signal, as streams name it, at which errors are drawn against K."""


@dataclass(frozen=True)
class Estimator:
    """One number, or several, of a probe.

    Attributes:
        label: In figures.
        found: (values, low, high) of a probe.
        true: What they should be.
        relative: Whether errors are divided by the truth.
        streams: First words of the names of the streams on which it is checked.
    """

    label: str
    found: Callable[[Probed], tuple[Any, Any, Any]]
    true: Callable[[Probed], Any]
    relative: bool = True
    streams: tuple[str, ...] = ("still", "turning")

    def errors(self, probed: Probed) -> Floats:
        """Found less true, over the truth where relative; NaN where the probe gives no number."""
        true = np.asarray(self.true(probed), float)
        value = np.atleast_1d(_numbers(self.found(probed)[0]))
        return (value - true) / np.abs(true) if self.relative else value - true

    def covered(self, probed: Probed) -> float:
        """Share of the intervals that hold the truth, of those that there are; NaN for none."""
        value, low, high = (np.atleast_1d(_numbers(x)) for x in self.found(probed))
        true = np.broadcast_to(np.asarray(self.true(probed), float), value.shape)
        there = np.isfinite(value) & np.isfinite(low) & np.isfinite(high)
        return float(((low <= true) & (true <= high))[there].mean()) if there.any() else np.nan


def _numbers(x: Any) -> Floats:
    return np.asarray(x, float)


def _noise(name: str) -> Callable[[Probed], tuple[Any, Any, Any]]:
    def found(probed: Probed) -> tuple[Any, Any, Any]:
        one = probed.found["noise"][name]
        return one.get("value", one.get("alpha")), one["low"], one["high"]

    return found


def _with_error(value: Any, error: Any) -> tuple[Any, Any, Any]:
    value, half = _numbers(value), student(BLOCKS) * _numbers(error)
    return value, value - half, value + half


def _nuclear(probed: Probed) -> tuple[Any, Any, Any]:
    scale = probed.found["scale"]
    return _with_error(scale["nuclear_norm"], scale["error"])


def _alignment(probed: Probed) -> tuple[Any, Any, Any]:
    first = probed.found["pipelines"]["pre-polar"]
    return _with_error(first["alignment"], first["alignment_error"])


def _true_alignment(probed: Probed) -> Floats:
    """Simulated, with the signal of the step; of a signal that turns, held against the mean of the steps ahead (F7)."""
    assert probed.truth is not None
    windows = _numbers(probed.found["windows"])
    still = _numbers(probed.truth["pipelines"]["pre-polar"]["alignment"])
    if probed.kind == "stationary":
        return still
    omega = _omega(probed)
    lag = np.array([rotation(t, omega)[1] for t in windows.tolist()])
    return still * turned(lag, omega, AHEAD) / np.cos(lag)


def _omega(probed: Probed) -> float:
    return float(getattr(probed.model.signal, "omega", 0.0))


def _spike(probed: Probed) -> tuple[Any, Any, Any]:
    return (probed.found["spikes"] or [np.nan])[0], np.nan, np.nan


def _sine(probed: Probed) -> tuple[Any, Any, Any]:
    return _numbers(probed.found["pipelines"]["pre-polar"]["sin_theta_right"])[:, 0], np.nan, np.nan


def _true_sine(probed: Probed) -> Floats:
    assert probed.truth is not None
    return _numbers(probed.truth["pipelines"]["pre-polar"]["sin_theta_right"])


ESTIMATORS = (
    Estimator("η", _noise("eta"), lambda p: p.model.eta),
    Estimator("‖S‖²_F", _noise("signal"), lambda p: sum(x * x for x in p.model.spikes)),
    Estimator("‖S‖∗", _nuclear, lambda p: sum(p.model.spikes)),
    Estimator("largest spike", _spike, lambda p: max(p.model.spikes)),
    Estimator("drift ω", _noise("drift"), _omega, streams=("turning",)),
    Estimator("alignment", _alignment, _true_alignment, relative=False),
    Estimator("sin Θ right", _sine, _true_sine, relative=False, streams=("still",)),
    Estimator("correlation φ", _noise("autocorrelation"), lambda p: getattr(p.model.noise, "phi", 0.0), False, ("still", "turning", "AR(1)")),
    Estimator("tail index, steps", _noise("tail_steps"), lambda p: p.model.noise.alpha, streams=("radial",)),  # type: ignore[attr-defined]
    Estimator("tail index, entries", _noise("tail_entries"), lambda p: p.model.noise.df, streams=("Student t",)),  # type: ignore[attr-defined]
)  # fmt: skip
BY_LABEL = {e.label: e for e in ESTIMATORS}


def _of(probed: Probed) -> str:
    """Which stream it is, without its signal."""
    return probed.name.split(",")[0]


def draw(probes: Probes, figures: Path, published: Path | None = None) -> report.Outcome:
    """Draw figures/probe_estimators and say what it shows."""
    del published
    done = list(probes)
    with plots.panels(2, 3, (15.5, 9.4)) as (figure, axes):
        for row, kind in zip(axes, ("still", "turning"), strict=True):
            against_count, against_snr = [p for p in done if p.name == f"{kind}, {USUAL}"], _beside_snr(done, kind)
            for axis, some, x in ((row[0], against_count, _count), (row[1], against_snr, _snr)):
                names = ("η", "‖S‖²_F", "‖S‖∗", "largest spike") + ("drift ω",) * (kind == "turning")
                _lines(axis, names, some, x)
            row[0].set(ylabel=f"{_WORDS[kind]}:\nrelative error, root mean square", xlabel="K, gradients")
            row[0].set_title(f"signal to noise {_snr(against_count[0]):.3g}", fontsize=11)
            row[1].set(xlabel="signal to noise, ‖S‖²_F / η")
            row[1].set_title(f"K = {_count(against_snr[0])}", fontsize=11)
            row[1].sharey(row[0])
            row[0].legend(fontsize=8.5, ncols=2)
        _laws(axes[0][2], done)
        _coverage(axes[1][2], done)
        finding = _finding(done)
        (m, n), trials = done[0].model.shape, 1 + max(p.task.trial for p in done)
        above = f"{m} × {n}, two spikes, {trials} trials a point; bars: 95 %{' (quick run)' if probes.quick else ''}"
        plots.save(figure, figures, "probe_estimators", above, finding)
    return report.Outcome(finding, details=_details(done))


_WORDS = {"still": "stationary, signal at rest", "turning": "trajectory, left vectors turning"}


def _count(probed: Probed) -> int:
    return int(probed.task.steps or 0)


def _snr(probed: Probed) -> float:
    return float(sum(x * x for x in probed.model.spikes) / probed.model.eta)


def _nearest(done: Sequence[Probed]) -> int:
    """The number of gradients that is nearest to AT."""
    return min({_count(p) for p in done}, key=lambda k: abs(k - AT))


def _beside_snr(done: Sequence[Probed], kind: str) -> list[Probed]:
    return [p for p in done if _of(p) == kind and _count(p) == _nearest(done)]


def _rms(estimator: Estimator, some: Sequence[Probed]) -> tuple[float, float, float]:
    """Root mean square of errors with a 95 % interval from the spread of trials; NaN where most give no number."""
    each = [e[np.isfinite(e)] for e in (estimator.errors(p) for p in some)]
    squares = np.array([(e**2).mean() for e in each if e.size])
    if 2 * squares.size <= len(some) or squares.size < 2:
        return np.nan, np.nan, np.nan
    half = 1.96 * squares.std(ddof=1) / squares.size**0.5
    low, value, high = np.sqrt(np.maximum([squares.mean() - half, squares.mean(), squares.mean() + half], 0))
    return float(value), float(low), float(high)


def _lines(axis: Any, labels: Sequence[str], some: Sequence[Probed], x: Callable[[Probed], float], first: int = 0) -> None:
    """Errors of some estimators against x."""
    at = sorted({x(p) for p in some})
    for label, style in zip(labels, plots.MANY_STYLE[first:], strict=False):
        found = np.array([_rms(BY_LABEL[label], [p for p in some if x(p) == one]) for one in at])
        plots.intervals(axis, at, found[:, 0], found[:, 1:].T, label, **({"linestyle": "-", "linewidth": 1.2} | style))
    axis.set(xscale="log", yscale="log")


def _laws(axis: Any, done: Sequence[Probed]) -> None:
    """What is said of the noise, of the alignment and of subspaces, against K."""
    wanted = {
        "correlation φ": "AR(1)", "tail index, steps": "radial", "tail index, entries": "Student t",
        "alignment": f"still, {USUAL}", "sin Θ right": f"still, {USUAL}",
    }  # fmt: skip
    for i, (label, name) in enumerate(wanted.items()):
        _lines(axis, [label], [p for p in done if p.name == name], _count, first=5 + i)
    axis.set(xlabel="K, gradients", ylabel="error, root mean square")
    axis.set_title("noise laws (tails: relative), alignment, angles (absolute)", fontsize=11)
    axis.legend(fontsize=8.5)


def _share(estimator: Estimator, some: Sequence[Probed]) -> tuple[float, float, float]:
    """Share of intervals that hold the truth, with Wilson's interval for as many cases as there are probes."""
    each = np.array([estimator.covered(p) for p in some])
    each = each[np.isfinite(each)]
    if not each.size:
        return np.nan, np.nan, np.nan
    z2, share = 1.96**2 / each.size, float(each.mean())
    half = np.sqrt(z2 * (share * (1 - share) + z2 / 4))
    return share, float((share + z2 / 2 - half) / (1 + z2)), float((share + z2 / 2 + half) / (1 + z2))


def _covered(done: Sequence[Probed]) -> dict[tuple[str, str], tuple[float, float, float]]:
    """(label, first word of the stream) -> share and its interval, over all K and signals."""
    found = {(e.label, kind): _share(e, [p for p in done if _of(p) == kind]) for e in ESTIMATORS for kind in e.streams}
    return {key: share for key, share in found.items() if np.isfinite(share[0])}


def _coverage(axis: Any, done: Sequence[Probed]) -> None:
    found = _covered(done)
    for i, ((label, kind), (share, low, high)) in enumerate(found.items()):
        style = plots.SERIES_STYLE[{"still": 0, "turning": 1}.get(kind, 2)]
        axis.errorbar(
            [share], [i], xerr=[[max(share - low, 0)], [max(high - share, 0)]], capsize=3, linestyle="none", **style
        )
    axis.axvline(0.95, color="black", linestyle="--", linewidth=1)
    axis.set_yticks(range(len(found)), [f"{label} ({kind})" for label, kind in found], fontsize=8.5)
    axis.set(xlabel="share of 95 % intervals that hold the truth, all K and signals", xlim=(0, 1.03))
    axis.invert_yaxis()


def _said(label: str, some: Sequence[Probed]) -> str:
    value, low, high = (100 * x for x in _rms(BY_LABEL[label], some))
    return f"{value:.2g} % [{low:.2g}, {high:.2g}] in {label}"


def _finding(done: Sequence[Probed]) -> str:
    count = _nearest(done)
    parts = []
    for kind, labels in (("still", ("η", "‖S‖∗")), ("turning", ("‖S‖∗", "drift ω"))):
        some = [p for p in done if p.name == f"{kind}, {USUAL}" and _count(p) == count]
        parts.append(f"{' and '.join(_said(label, some) for label in labels)} {_PLACES[kind]}")
    snr = _snr(next(p for p in done if p.name == f"still, {USUAL}"))
    return f"From {count} gradients at a signal to noise of {snr:.2g} the probe errs by {', '.join(parts)}."


_PLACES = {"still": "at fixed weights", "turning": "of a turning signal"}


def _details(done: Sequence[Probed]) -> str:
    shares = ", ".join(
        f"{label} ({kind}) {share:.2f} [{low:.2f}, {high:.2f}]"
        for (label, kind), (share, low, high) in _covered(done).items()
    )
    misses = [f"{label} ({kind})" for (label, kind), (_, _, high) in _covered(done).items() if high < 0.95]
    bias = ", ".join(_bias(done, kind) for kind in ("still", "turning"))
    ranks = [f"{_right_rank(done, kind):.2f} ({kind})" for kind in ("still", "turning")]
    return (
        f"Share of 95 % intervals that hold the truth, over all K and signals: {shares}. Below 95 % by more than chance: "
        f"{', '.join(misses) or 'none'}. Mean errors at {_nearest(done)} gradients, all signals: {bias}. "
        f"Share of probes with the right number of directions: {', '.join(ranks)}."
    )


def _bias(done: Sequence[Probed], kind: str) -> str:
    """Mean errors with their 95 % half widths."""
    some, parts = _beside_snr(done, kind), []
    for e in ESTIMATORS:
        each = np.array([np.mean(x[np.isfinite(x)]) for x in (e.errors(p) for p in some) if np.isfinite(x).any()])
        if kind in e.streams and each.size > 1:
            parts.append(f"{e.label} {each.mean():+.3f} ± {1.96 * each.std(ddof=1) / each.size**0.5:.3f}")
    return f"{kind}: {', '.join(parts)}"


def _right_rank(done: Sequence[Probed], kind: str) -> float:
    some = [p for p in done if _of(p) == kind]
    return float(np.mean([p.found["effective_rank"]["signed_noise"] == p.model.rank for p in some]))


if __name__ == "__main__":
    report.main(draw, __file__)
