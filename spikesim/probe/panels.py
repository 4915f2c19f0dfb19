"""The panels of a probe's page, each drawn into the axis that it is given."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from spikesim import plots
from spikesim.probe.exponents import exponents
from spikesim.probe.jackknife import student
from spikesim.probe.marks import (
    FEW,
    LEGEND,
    Floats,
    band,
    empty,
    few_windows,
    finish,
    index,
    limits,
    log_ticks,
    positive,
    rate,
    samples,
    styles,
)
from spikesim.probe.plan import BLOCKS
from spikesim.probe.tails import LIGHT

if TYPE_CHECKING:
    from spikesim.probe.result import Probe

ROOT = "(2T − 1)$^{-1/2}$"
CURVES = 4
"""Lines of an alignment beside those of pipelines, at most."""
UNKNOWN = 0.5
"""Half a 95 % interval of alignment from which on nothing is known."""
RAW: dict[str, Any] = {"color": "#555555", "marker": "o"}


def spectra(axis: Any, probe: "Probe") -> None:
    """Singular values of gradients and of buffers, and where noise ends."""
    k = index(axis, probe)
    values, errors = probe.values, probe.errors
    band(axis, k, values["gradient"], errors["gradient"], "a gradient", **RAW)
    for i, style in few_windows(probe):
        label = f"buffer, T = {probe.asked.windows[i]:g}"
        band(axis, k, values["spectrum"][0, i], errors["spectrum"][0, i], label, **style)
    last, style = few_windows(probe)[-1]
    (m, n), sigma = probe.shape[1:], probe.noise.sigma.value
    white = sigma * (m**0.5 + n**0.5)
    shrunk = (2 * probe.asked.windows[last] - 1) ** -0.5
    for edge, line, name in ((white, "--", "white noise"), (probe.ranks.noise_edge, ":", "own noise")):
        axis.axhline(edge, color=RAW["color"], linestyle=line, linewidth=1.2)
        axis.axhline(edge * shrunk, color=style["color"], linestyle=line, linewidth=1.2)
        axis.plot([], [], color="black", linestyle=line, linewidth=1.2, label=f"edge of {name}")
    axis.set(ylabel="singular value (unit of gradients)",
             title=f"{probe.rank} of {min(m, n)} directions stand out of {probe.ranks.n_eff:.3g} gradients")  # fmt: skip
    shown = np.concatenate([values["gradient"], *(values["spectrum"][0, i] for i, _ in few_windows(probe))])
    near = white * shrunk if white * shrunk > 0.01 * shown.max() else np.nan
    finish(axis, [shown, near], "lower left")


def ratios(axis: Any, probe: "Probe") -> None:
    """sigma_k(M)/sigma_k(G) along k."""
    k, shown = index(axis, probe), few_windows(probe)
    for i, style in shown:
        t = probe.asked.windows[i]
        band(axis, k, probe.values["ratio"][0, i], probe.errors["ratio"][0, i], f"T = {t:g}", **style)
        axis.axhline((2 * t - 1) ** -0.5, color=style["color"], linestyle="--", linewidth=1.2)
    axis.plot([], [], color="black", linestyle="--", linewidth=1.2, label=f"white noise: {ROOT}")
    axis.set(ylabel="filtering ratio σₖ(M) / σₖ(G)", title="What the filter leaves of each direction")
    guides = [(2 * probe.asked.windows[i] - 1) ** -0.5 for i, _ in shown]
    finish(axis, [probe.values["ratio"][0, [i for i, _ in shown]], np.asarray(guides)], "lower left")


def decay(axis: Any, probe: "Probe") -> None:
    """R(T), the tail and c_sig."""
    x, values, errors, found = samples(probe), probe.values, probe.errors, exponents(probe)
    tail, at = values["spectrum"][0][:, probe.tail], probe.tail
    ratio = values["ratio"][0][:, at]
    raw = values["gradient"][at] if values["gradient"][at] > 0 else np.nan
    sigma = f"σ$_{{{at + 1}}}$"
    name = f"R(T) = {sigma}(M) / {sigma}(G){rate(found['suppression'])}"
    band(axis, x, ratio, errors["ratio"][0][:, at], name, **plots.SERIES_STYLE[1])
    label = f"tail {sigma}(M), of its mean in gradients{rate(found['tail'])}"
    axis.plot(x, positive(tail / raw), label=label, linestyle="none", **plots.SERIES_STYLE[0])
    kept = probe.persistence if probe.noise.signal.low > 0 else np.full(x.size, np.nan)
    if np.any(positive(kept) > 0):
        band(axis, x, kept, probe.persistence_error, "c_sig, signal that is left", **plots.SERIES_STYLE[2])
    if np.isfinite(ratio[0]) and ratio[0] > 0:
        plots.power_guide(axis, x, -0.5, float(ratio[0]), ROOT)
    axis.set(xlabel=plots.SAMPLES, ylabel="share of one gradient's", title="Noise falls, signal persists")
    log_ticks(axis)
    finish(axis, [ratio, tail / raw, kept, ratio[0] * (x / x[0]) ** -0.5], "lower left")


def angles(axis: Any, probe: "Probe") -> None:
    """Subspace errors left and right, of ranks that the recording resolves."""
    x, drawn, missing = samples(probe), list[Floats](), list[str]()
    for j, rank in enumerate(probe.asked.ranks):
        sides = [(probe.values[f"{s}_sine"][0][:, j], probe.errors[f"{s}_sine"][0][:, j]) for s in ("left", "right")]
        if not any(np.any(np.isfinite(positive(value))) for value, _ in sides):
            missing.append(str(rank))
        elif len(drawn) < FEW:
            style = plots.SERIES_STYLE[len(drawn)]
            drawn.append(np.stack([value for value, _ in sides]))
            for (value, error), side, line in zip(sides, ("left", "right"), ("-", "--"), strict=True):
                if np.any(np.isfinite(positive(value))):
                    band(axis, x, value, error, f"r = {rank}, {side}", **(style | {"linestyle": line}))
    axis.set(xlabel=plots.SAMPLES, ylabel="subspace error ‖sin Θ‖", title="Top-r subspaces of the buffer")
    if not drawn:
        empty(axis, "no subspace of these ranks\nis resolved by the recording")
        return
    first = positive(drawn[0])
    guide = first[np.isfinite(first)][0] * (x / x[0]) ** -0.5
    plots.guide(axis, x, guide, ROOT)
    log_ticks(axis)
    finish(
        axis, [*drawn, guide], "lower left", title=_angles_note(probe, missing), title_fontsize=8.5, ncols=2, alignment="left"
    )


def _angles_note(probe: "Probe", missing: list[str]) -> str | None:
    """Exponents at the first rank, and ranks that are not drawn because nothing is known of them."""
    found = exponents(probe)
    each = [f"{side}{rate(found[f'sin_theta_{side}'])}" for side in ("left", "right")]
    lines = [f"r = {probe.asked.ranks[0]}, {said}" for said in each if ":" in said]
    return "\n".join([*lines, *([f"not resolved: r = {', '.join(missing)}"] if missing else [])]) or None


def alignment(axis: Any, probe: "Probe") -> None:
    """Alignment of every pipeline, held out; its legend is left to the page."""
    x, values, errors = samples(probe), probe.values["alignment"], probe.errors["alignment"]
    for i, (p, style) in enumerate(zip(probe.asked.pipelines, styles(probe), strict=True)):
        band(axis, x, values[i], errors[i], str(p), share=0.15, **style)
    fine = np.geomspace(probe.asked.windows[0], probe.asked.windows[-1], 120)
    plots.guide(axis, 2 * fine - 1, probe.curve.ahead(fine, probe.leads), "pre-polar, curve fitted for its scale ‖S‖∗")
    if np.any(np.isfinite(probe.predicted)):
        law = "S8" if probe.curve.omega else "S4"
        plots.guide(axis, x, probe.predicted, f"pre-polar, {law} from spikes and noise", linestyle="-.")
    faint = {"color": plots.PIPELINE_STYLE["pre-polar"]["color"], "alpha": 0.5, "linestyle": ":"}
    axis.plot(x, probe.values["inside"][0], label="pre-polar, inside its buffer (biased)", **faint)
    if math.isfinite(probe.advice.window):
        said = f"recommended T = {probe.advice.window:.3g}"
        axis.axvline(2 * probe.advice.window - 1, color="black", linewidth=1, alpha=0.6, label=said)
    ahead = f"{len(probe.leads)} gradients to come" if probe.leads else "gradients outside the buffer"
    held = "the twin's gradients" if probe.twin else ahead
    axis.set(xlabel=plots.SAMPLES, ylabel="alignment ⟨A, S⟩ / ‖S‖∗", title=f"Alignment with {held}")
    log_ticks(axis)
    limits(axis, [values, probe.values["inside"][0], probe.predicted])
    if not np.any(student(BLOCKS) * errors[0] < UNKNOWN):
        axis.text(0.02, 0.97, f"errors of {UNKNOWN:g} and more: not measured", transform=axis.transAxes, va="top", fontsize=9)


def paths(axis: Any, probe: "Probe") -> None:
    """Alignment of pre-polar along training: single readings."""
    chosen = probe.advice.window if math.isfinite(probe.advice.window) else probe.asked.windows[-1]
    data, at = probe.data, int(np.abs(np.log(np.asarray(probe.asked.windows) / chosen)).argmin())
    windows, pre, shown = probe.asked.windows, data.isel(pipeline=0), []
    for i, style in zip(dict.fromkeys((at, 0, len(windows) - 1)), plots.SERIES_STYLE, strict=False):
        shown.append(pre.alignment_path.values[:, i])
        axis.plot(data.step, shown[-1], label=f"T = {windows[i]:g}", **({"linewidth": 1.2} | style | {"markersize": 3.5}))
    shown.append(pre.alignment_in_buffer_path.values[:, at])
    faint = {"color": plots.SERIES_STYLE[0]["color"], "linestyle": ":", "alpha": 0.6}
    axis.plot(data.step, shown[-1], label=f"T = {windows[at]:g}, inside its buffer (biased)", **faint)
    axis.set(xlabel="step of the recording", ylabel="alignment of pre-polar", title="Along the trajectory, single readings")
    axis.legend(**LEGEND, ncols=2, loc="lower left")
    limits(axis, shown, below=0.25)


def norms(axis: Any, probe: "Probe") -> None:
    """How often noise is larger than x, against Gaussian entries and a power."""
    from scipy.stats import chi

    sizes, tail = np.sort(probe.noise_norms), probe.noise.tail_steps
    middle, count = float(np.median(sizes)), sizes.size
    axis.set(xlabel="‖Ξ‖ / its median", ylabel="share of steps with larger noise", title="Size of the noise of single steps")
    if middle <= 0:
        empty(axis, "no noise in most steps")
        return
    x = sizes / middle
    axis.plot(
        x, 1 - np.arange(count) / count, label=f"{count} differences of steps", drawstyle="steps-pre", color=RAW["color"]
    )
    fine = np.geomspace(x[x > 0].min(), x.max(), 300)
    expected = chi(probe.shape[1] * probe.shape[2]).sf(fine * middle / probe.noise.sigma.value)
    plots.guide(axis, fine, expected, "independent Gaussian entries")
    if np.isfinite(tail.alpha) and x[-tail.used - 1] > 0:
        power = fine[fine >= x[-tail.used - 1]]
        said = "light" if tail.low > LIGHT else f"{tail.alpha:.3g} [{tail.low:.3g}, {tail.high:.3g}]"
        law = tail.used / count * (power / power[0]) ** -tail.alpha if power.size else power
        axis.plot(power, law, color=plots.SERIES_STYLE[1]["color"], linewidth=2, label=f"tail index: {said}")
    axis.set(yscale="log", ylim=(0.4 / count, 1.5))
    if x[-1] > 3 and x[0] > 0:
        log_ticks(axis)
    axis.legend(**LEGEND, loc="lower left")
