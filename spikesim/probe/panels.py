"""The panels of a probe's page, each drawn into the axis that it is given."""

from typing import TYPE_CHECKING, Any

import numpy as np

from spikesim import plots
from spikesim.probe.exponents import exponents
from spikesim.probe.marks import FEW, LEGEND, band, empty, few_windows, finish, index, limits, positive, rate, samples, styles
from spikesim.probe.tails import LIGHT

if TYPE_CHECKING:
    from spikesim.probe.probe import Probe

SAMPLES = "2T − 1 (effective sample size)"
RAW = {"color": "#555555", "marker": "o"}


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
    for edge, line, name in ((white, "--", "white noise"), (probe.ranks.noise_edge, ":", "own noise")):
        for n_eff, color in ((1.0, RAW["color"]), (2 * probe.asked.windows[last] - 1, style["color"])):
            axis.axhline(edge / n_eff**0.5, color=color, linestyle=line, linewidth=1.2)
        axis.plot([], [], color="black", linestyle=line, linewidth=1.2, label=f"edge of {name}")
    axis.set(ylabel="singular value (unit of gradients)")
    axis.set_title(f"{probe.rank} of {min(m, n)} directions stand out of {probe.ranks.n_eff:g} gradients", fontsize=10.5)
    finish(axis, [values["gradient"], values["spectrum"][0, [i for i, _ in few_windows(probe)]]], "lower left")


def ratios(axis: Any, probe: "Probe") -> None:
    """sigma_k(M)/sigma_k(G) along k."""
    k, shown = index(axis, probe), few_windows(probe)
    for i, style in shown:
        t = probe.asked.windows[i]
        band(axis, k, probe.values["ratio"][0, i], probe.errors["ratio"][0, i], f"T = {t:g}", **style)
        axis.axhline((2 * t - 1) ** -0.5, color=style["color"], linestyle="--", linewidth=1.2)
    axis.plot([], [], color="black", linestyle="--", linewidth=1.2, label="white noise: (2T − 1)$^{-1/2}$")
    axis.set(ylabel="filtering ratio σₖ(M) / σₖ(G)", title="What the filter leaves of each direction")
    guides = [(2 * probe.asked.windows[i] - 1) ** -0.5 for i, _ in shown]
    finish(axis, [probe.values["ratio"][0, [i for i, _ in shown]], np.asarray(guides)], "lower left")


def decay(axis: Any, probe: "Probe") -> None:
    """R(T), the tail and c_sig."""
    x, values, errors, found = samples(probe), probe.values, probe.errors, exponents(probe)
    tail, at = values["spectrum"][0][:, probe.tail], probe.tail
    ratio = values["ratio"][0][:, at]
    raw = values["gradient"][at] if values["gradient"][at] > 0 else np.nan
    name = f"R(T) = σ_{at + 1}(M) / σ_{at + 1}(G){rate(found['suppression'])}"
    band(axis, x, ratio, errors["ratio"][0][:, at], name, **plots.SERIES_STYLE[1])
    label = f"tail σ_{at + 1}(M), of E σ_{at + 1}(G){rate(found['tail'])}"
    axis.plot(x, positive(tail / raw), label=label, linestyle="none", **plots.SERIES_STYLE[0])
    if np.any(np.isfinite(probe.persistence) & (probe.persistence > 0)):
        band(axis, x, probe.persistence, probe.persistence_error, "c_sig, signal that is left", **plots.SERIES_STYLE[2])
    if np.isfinite(ratio[0]) and ratio[0] > 0:
        plots.power_guide(axis, x, -0.5, float(ratio[0]), "(2T − 1)$^{-1/2}$")
    axis.set(xscale="log", xlabel=SAMPLES, ylabel="share of one gradient's", title="Noise falls, signal persists")
    finish(axis, [ratio, tail / raw, probe.persistence], "lower left")


def angles(axis: Any, probe: "Probe") -> None:
    """Subspace errors left and right, of ranks that the recording resolves."""
    x, drawn, missing = samples(probe), [], []
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
    axis.set(xlabel=SAMPLES, ylabel="subspace error ‖sin Θ‖", title="Top-r subspaces of the buffer")
    if not drawn:
        return empty(axis, "no subspace of these ranks\nis resolved by the recording")
    axis.set(xscale="log")
    note = f"not resolved: r = {', '.join(missing)}" if missing else None
    finish(axis, drawn, "lower left", title=note, title_fontsize=8.5, ncols=2)


def alignment(axis: Any, probe: "Probe") -> None:
    """Alignment of every pipeline, held out; its legend is left to the page."""
    x, values, errors = samples(probe), probe.values["alignment"], probe.errors["alignment"]
    for i, (p, style) in enumerate(zip(probe.asked.pipelines, styles(probe), strict=True)):
        band(axis, x, values[i], errors[i], str(p), share=0.15, **style)
    fine = np.geomspace(probe.asked.windows[0], probe.asked.windows[-1], 120)
    plots.guide(axis, 2 * fine - 1, probe.curve.ahead(fine, probe.ahead), "pre-polar, curve fitted for its scale ‖S‖∗")
    if np.any(np.isfinite(probe.predicted)):
        law = "S8" if probe.curve.omega else "S4"
        plots.guide(axis, x, probe.predicted, f"pre-polar, {law} from spikes and noise", linestyle="-.")
    faint = {"color": plots.PIPELINE_STYLE["pre-polar"]["color"], "alpha": 0.5, "linestyle": ":"}
    axis.plot(x, probe.values["inside"][0], label="pre-polar, inside its buffer (biased)", **faint)
    advised = 2 * probe.advice.window - 1
    axis.axvline(advised, color="black", linewidth=1, alpha=0.6, label=f"recommended T = {probe.advice.window:.3g}")
    held = "twin's gradient" if probe.twin else f"next {probe.ahead} gradients" if probe.ahead else "gradients outside"
    axis.set(xscale="log", xlabel=SAMPLES, ylabel="alignment ⟨A, S⟩ / ‖S‖∗", title=f"Alignment with the {held}")
    limits(axis, [values, probe.values["inside"][0], probe.predicted])


def paths(axis: Any, probe: "Probe") -> None:
    """Alignment of pre-polar along training: single readings."""
    data, at = probe.data, int(np.abs(np.log(np.asarray(probe.asked.windows) / probe.advice.window)).argmin())
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
        return empty(axis, "no noise in most steps")
    x = sizes / middle
    axis.plot(
        x, 1 - np.arange(count) / count, label=f"{count} differences of steps", drawstyle="steps-pre", color=RAW["color"]
    )
    fine = np.geomspace(x[x > 0].min(), x.max(), 300)
    expected = chi(probe.shape[1] * probe.shape[2]).sf(fine * middle / probe.noise.sigma.value)
    plots.guide(axis, fine, expected, "independent Gaussian entries")
    if np.isfinite(tail.alpha) and x[-tail.used - 1] > 0:
        power = fine[fine >= x[-tail.used - 1]]
        said = "light" if tail.low > LIGHT else f"{tail.alpha:.2f} [{tail.low:.2f}, {tail.high:.2f}]"
        law = tail.used / count * (power / power[0]) ** -tail.alpha if power.size else power
        axis.plot(power, law, color=plots.SERIES_STYLE[1]["color"], linewidth=2, label=f"tail index: {said}")
    axis.set(yscale="log", ylim=(0.4 / count, 1.5), xscale="log" if x[-1] > 3 else "linear")
    axis.legend(**LEGEND, loc="lower left")
