"""What the probe says of recorded gradients: alignment of every pipeline against T, what theory foretells, and the advice.

spikesim reproduce --full            # probes
python experiments/real_gradients.py # draws; never probes
"""

from pathlib import Path
from typing import Any

import numpy as np

from spikesim import plots, report
from spikesim.probe.jackknife import student
from spikesim.probe.kept import Probed, Probes
from spikesim.probe.plan import BLOCKS
from spikesim.probe.tails import LIGHT

GROUP = "Real gradients"

COLUMNS = 2
"""Recordings side by side."""

HALF = student(BLOCKS)
"""Standard errors in half a 95 % interval."""


def draw(probes: Probes, figures: Path, published: Path | None = None) -> report.Outcome:
    """Draw figures/real_gradients and say what it shows."""
    del published
    done = list(probes)
    lines = -(-len(done) // COLUMNS)
    size = (6.2 * COLUMNS, 6.8 * lines + 1)
    with plots.panels(2 * lines, COLUMNS, size, height_ratios=[1.75, 1] * lines) as (figure, axes):
        for axis in axes.flat:
            axis.set_axis_off()
        for axis, beside, probed in zip(axes[::2].flat, axes[1::2].flat, done, strict=False):
            axis.set_axis_on()
            _alignment(axis, probed)
            _table(beside, probed)
        figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside upper right", ncols=4)
        finding = _finding(done)
        plots.save(figure, figures, "real_gradients", "Bands and brackets: 95 %, by leaving out blocks of gradients", finding)
    return report.Outcome(finding, details=_details(done))


def _values(probed: Probed, pipeline: str, name: str = "alignment") -> np.ndarray:
    return np.asarray(probed.found["pipelines"][pipeline][name], float)


def _foretold(probed: Probed) -> np.ndarray:
    """Alignment of pre-polar by theory from spikes, noise and drift; NaN where no spike stands out."""
    return np.asarray(probed.found["predicted_alignment"], float)


def _alignment(axis: Any, probed: Probed) -> None:
    windows = np.asarray(probed.found["windows"])
    for name, style in plots.PIPELINE_STYLE.items():
        if name in probed.found["pipelines"]:
            value, half = _values(probed, name), HALF * _values(probed, name, "alignment_error")
            axis.plot(windows, value, label=name, markersize=4, linewidth=1.4, **style)
            axis.fill_between(windows, value - half, value + half, color=style["color"], alpha=0.15, linewidth=0)
    plots.guide(axis, windows, _foretold(probed), "theory for white noise (S4, S8)")
    plots.guide(
        axis, windows, _values(probed, "pre-polar", "alignment_in_buffer"), "pre-polar, in-buffer mean", linestyle=":"
    )
    if probed.found["advice"]["window"] is not None:
        axis.axvline(
            probed.found["advice"]["window"], color=plots.GREY, linestyle=(0, (6, 2)), linewidth=1.4, label="advised T"
        )
    axis.axhline(0, color="black", linewidth=0.6)
    count, m, n = probed.found["shape"]
    axis.set(xscale="log", xlabel="T (steps)", ylabel="alignment with held-out gradients")
    axis.set_title(f"{probed.name}: {count} of {m} × {n}", fontsize=11)


def _said(one: dict[str, Any], digits: str) -> str:
    low, high = (np.nan if one[end] is None else one[end] for end in ("low", "high"))
    return f"{one.get('value', one.get('alpha')):{digits}} [{low:{digits}}, {high:{digits}}]"


def _tail(one: dict[str, Any]) -> str:
    return "light" if one["low"] is not None and one["low"] > LIGHT else _said(one, ".1f")


def _table(axis: Any, probed: Probed) -> None:
    """Estimates as lines of text."""
    noise, ranks, advice = (probed.found[name] for name in ("noise", "effective_rank", "advice"))
    lines = [
        ("signal to noise ‖S‖²_F / η", _said(noise["snr"], ".3f")),
        ("directions that stand out", f"{ranks['signed_noise']} of {min(probed.found['shape'][1:])}"),
        ("noise edge / white noise's", f"{ranks['anisotropy']:.2f}"),
        ("correlation φ at lag 1", _said(noise["autocorrelation"], "+.3f")),
        ("tail index of steps", _tail(noise["tail_steps"])),
        ("tail index of entries", _tail(noise["tail_entries"])),
        ("turn a step (rad)", _said(noise["drift"], ".3f") if noise["drift"]["value"] is not None else "unseen"),
        ("advised momentum β", _momentum(advice)),
        ("clip single gradients", "yes" if advice["clip"] else "no"),
    ]
    axis.set_axis_off()
    for i, (label, value) in enumerate(lines):
        axis.text(0.0, 0.95 - i / len(lines), label, fontsize=9.5, transform=axis.transAxes, va="top")
        axis.text(0.52, 0.95 - i / len(lines), value, fontsize=9.5, transform=axis.transAxes, va="top")


def _momentum(advice: dict[str, Any]) -> str:
    return "none" if advice["window"] is None else f"{advice['momentum']:.3f} (T = {advice['window']:.3g})"


def _gap(probed: Probed) -> tuple[float, float] | None:
    """Theory less measurement where it is largest, and its 95 % half width; None without a spike."""
    apart, half = _foretold(probed) - _values(probed, "pre-polar"), HALF * _values(probed, "pre-polar", "alignment_error")
    if not np.isfinite(apart).any():
        return None
    i = int(np.nanargmax(np.abs(apart)))
    return float(apart[i]), float(half[i])


def _range(values: list[float], digits: str) -> str:
    low, high = (f"{x:{digits}}" for x in (min(values), max(values)))
    return low if low == high else f"{low} to {high}"


def _finding(done: list[Probed]) -> str:
    edges = [p.found["effective_rank"]["anisotropy"] for p in done]
    gaps = [gap for gap in map(_gap, done) if gap is not None]
    worst = max(gaps, key=lambda gap: abs(gap[0]), default=None)
    said = "no direction stands out"
    if worst is not None:
        said = f"theory for white noise is off by up to {worst[0]:+.2f} ± {worst[1]:.2f} of alignment"
    advised = [p.found["advice"]["momentum"] for p in done if p.found["advice"]["momentum"] is not None]
    momenta = _range(advised, ".2f") if advised else "none"
    return (
        f"Recorded noise reaches {_range(edges, '.1f')} times white noise's edge; {said}; advised momentum is {momenta}, "
        f"where pre-polar is ahead of post-polar in {_ahead(done)} of {len(done)} recordings."
    )


def _ahead(done: list[Probed]) -> int:
    """Recordings with pre-polar ahead of post-polar at the advised window by more than chance."""
    gains = [p.found["advice"]["order_gain"] for p in done]
    return sum(gain is not None and gain["low"] is not None and gain["low"] > 0 for gain in gains)


def _longest(probed: Probed) -> str:
    value, error = (_values(probed, "pre-polar", name)[-1] for name in ("alignment", "alignment_error"))
    if not np.isfinite(value):
        return "no signal to align with"
    return f"pre-polar at T = {probed.found['windows'][-1]:g} has {value:+.2f} ± {HALF * error:.2f}"


def _details(done: list[Probed]) -> str:
    parts = []
    for p in done:
        noise, advice, gap = p.found["noise"], p.found["advice"], _gap(p)
        outside = "; ".join(p.found["outside_bvmzos"]) or "nothing against BVMZOS"
        theory = "no direction stands out of the noise" if gap is None else f"theory {gap[0]:+.2f} ± {gap[1]:.2f} off at most"
        order = "" if advice["order_gain"] is None else f", pre-polar over post-polar {_said(advice['order_gain'], '+.2f')}"
        parts.append(
            f"{p.name}: signal to noise {_said(noise['snr'], '.3f')}, {outside}, {_longest(p)}, {theory}, "
            f"β: {_momentum(advice)}, {advice['reason']}{order}; {advice['clip_reason']}"
        )
    return ". ".join(parts) + "."


if __name__ == "__main__":
    report.main(draw, __file__)
