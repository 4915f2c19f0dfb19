"""What the probe estimates against what is true: errors against K and against signal to noise, and coverage of its intervals.

spikesim reproduce --full                # probes
python experiments/probe_estimators.py   # draws; never probes
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from spikesim import plots, report
from spikesim.probe.kept import Probed, Probes
from spikesim.probe.truth import ESTIMATORS, Estimator

GROUP = "Real gradients"

AT = 256
"""Gradients at which errors are drawn against signal to noise; the nearest number that there is."""
SHOWN = (3e-4, 3.0)
"""Relative errors that are drawn."""
USUAL = "1"
"""Signal, as streams name it, at which errors are drawn against K."""
BY_LABEL = {e.label: e for e in ESTIMATORS}


def _of(probed: Probed) -> str:
    """Which stream it is, without its signal."""
    return probed.name.split(",")[0]


def draw(probes: Probes, figures: Path, published: Path | None = None) -> report.Outcome:
    """Draw figures/probe_estimators and say what it shows."""
    del published
    done = list(probes)
    with plots.panels(2, 3, (14.5, 9.8)) as (figure, axes):
        for row, kind in zip(axes, ("still", "turning"), strict=True):
            against_count, against_snr = [p for p in done if p.name == f"{kind}, {USUAL}"], _beside_snr(done, kind)
            for axis, some, x in ((row[0], against_count, _count), (row[1], against_snr, _snr)):
                names = ("η", "‖S‖²_F", "‖S‖∗", "largest spike") + ("drift ω",) * (kind == "turning")
                _lines(axis, names, some, x)
            row[0].set(ylabel=f"{_WORDS[kind]}:\nrelative error, root mean square", xlabel="K, gradients")
            row[0].set_title(f"signal to noise {_snr(against_count[0]):.3g}", fontsize=11)
            row[1].set(xlabel="signal to noise, ‖S‖²_F / η", ylabel="relative error, root mean square")
            row[1].set_title(f"K = {_count(against_snr[0])}", fontsize=11)
            for axis in row[:2]:
                axis.set_ylim(SHOWN)
            row[0].legend(ncols=2)
        _laws(axes[0][2], done)
        _coverage(axes[1][2], done)
        finding = _finding(done)
        m, n = done[0].model.shape
        above = f"{m} × {n}, two spikes, {probes.trials} trials a point; bars: 95 %{' (quick run)' if probes.quick else ''}"
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
    """Root mean square of errors with a 95 % interval, chi-square on as many trials; NaN where half give no number."""
    from scipy.stats import chi2

    each = [e[np.isfinite(e)] for e in (estimator.errors(p) for p in some)]
    squares = np.array([(e**2).mean() for e in each if e.size])
    if 2 * squares.size <= len(some):
        return np.nan, np.nan, np.nan
    least, most = (float(chi2.ppf(p, squares.size)) for p in (0.025, 0.975))
    value, low, high = np.sqrt(squares.sum() / np.array([squares.size, most, least]))
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
    axis.set(xlabel="K, gradients", ylabel="root mean square error (tails: relative)")
    axis.set_title("noise laws, alignment, angles", fontsize=11)
    axis.set_ylim(top=30)
    axis.legend(ncols=2)


def _share(estimator: Estimator, some: Sequence[Probed], z: float = 1.96) -> tuple[float, float, float]:
    """Share of intervals that hold the truth, with Wilson's interval for as many cases as there are probes."""
    each = np.array([estimator.covered(p) for p in some])
    each = each[np.isfinite(each)]
    if not each.size:
        return np.nan, np.nan, np.nan
    z2, share = z**2 / each.size, float(each.mean())
    half = np.sqrt(z2 * (share * (1 - share) + z2 / 4))
    return share, float((share + z2 / 2 - half) / (1 + z2)), float((share + z2 / 2 + half) / (1 + z2))


def _covered(done: Sequence[Probed], z: float = 1.96) -> dict[tuple[str, str], tuple[float, float, float]]:
    """(label, first word of the stream) -> share and its interval, over all K and signals."""
    found = {(e.label, kind): _share(e, [p for p in done if _of(p) == kind], z) for e in ESTIMATORS for kind in e.streams}
    return {key: share for key, share in found.items() if np.isfinite(share[0])}


def _coverage(axis: Any, done: Sequence[Probed]) -> None:
    found = _covered(done)
    for i, ((_, kind), (share, low, high)) in enumerate(found.items()):
        style = plots.SERIES_STYLE[{"still": 0, "turning": 1}.get(kind, 2)]
        axis.errorbar(
            [share], [i], xerr=[[max(share - low, 0)], [max(high - share, 0)]], capsize=3, linestyle="none", **style
        )
    axis.axvline(0.95, color="black", linestyle="--", linewidth=1)
    axis.set_yticks(range(len(found)), [f"{label} ({kind})" for label, kind in found], fontsize=8.5)
    axis.set(xlabel="share of 95 % intervals that hold the truth", xlim=(0.55, 1.02))
    axis.invert_yaxis()


def _said(label: str, some: Sequence[Probed]) -> str:
    value, low, high = (100 * x for x in _rms(BY_LABEL[label], some))
    return f"{value:.2g} % [{low:.2g}, {high:.2g}] in {label}"


def _finding(done: Sequence[Probed]) -> str:
    count, said = _nearest(done), []
    for kind, labels in (("still", ("‖S‖∗",)), ("turning", ("‖S‖∗", "drift ω"))):
        some = [p for p in done if p.name == f"{kind}, {USUAL}" and _count(p) == count]
        said += [_said(label, some) for label in labels]
    snr = _snr(next(p for p in done if p.name == f"still, {USUAL}"))
    shares = [share for share, _, _ in _covered(done).values()]
    return (
        f"Errors from {count} gradients at signal to noise {snr:.2g}: {said[0]} at fixed weights; turning, {said[1]}, "
        f"{said[2]}; 95 % intervals hold the truth in {min(shares):.2f} to {max(shares):.2f} of cases."
    )


def _missing(done: Sequence[Probed]) -> list[str]:
    """Intervals that hold the truth less often than 95 %, by more than the chance of as many looks (Bonferroni)."""
    from scipy.stats import norm

    looks = len(_covered(done))
    found = _covered(done, float(norm.isf(0.025 / looks)))
    return [f"{label} ({kind})" for (label, kind), (_, _, high) in found.items() if high < 0.95]


def _details(done: Sequence[Probed]) -> str:
    shares = ", ".join(
        f"{label} ({kind}) {share:.2f} [{low:.2f}, {high:.2f}]"
        for (label, kind), (share, low, high) in _covered(done).items()
    )
    bias = ", ".join(_bias(done, kind) for kind in ("still", "turning"))
    ranks = [f"{_right_rank(done, kind):.2f} ({kind})" for kind in ("still", "turning")]
    return (
        f"Share of 95 % intervals that hold the truth, over all K and signals: {shares}. Below 95 % by more than chance: "
        f"{', '.join(_missing(done)) or 'none'}. Mean errors at {_nearest(done)} gradients, all signals: {bias}. "
        f"Share of probes with the right number of directions: {', '.join(ranks)}."
    )


def _bias(done: Sequence[Probed], kind: str) -> str:
    """Mean errors with their 95 % half widths."""
    some, parts = _beside_snr(done, kind), []
    for e in (x for x in ESTIMATORS if kind in x.streams):
        each = np.array([np.mean(x[np.isfinite(x)]) for x in (e.errors(p) for p in some) if np.isfinite(x).any()])
        if each.size > 1:
            parts.append(f"{e.label} {each.mean():+.3f} ± {1.96 * each.std(ddof=1) / each.size**0.5:.3f}")
    return f"{kind}: {', '.join(parts)}"


def _right_rank(done: Sequence[Probed], kind: str) -> float:
    some = [p for p in done if _of(p) == kind]
    return float(np.mean([p.found["effective_rank"]["signed_noise"] == p.model.rank for p in some]))


if __name__ == "__main__":
    report.main(draw, __file__)
