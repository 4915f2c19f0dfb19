"""A probe in words and tables."""

import textwrap
from typing import TYPE_CHECKING

from spikesim.probe.exponents import exponents
from spikesim.probe.noise import Estimate
from spikesim.probe.tails import LIGHT, TailIndex
from spikesim.tables import ruled
from spikesim.theory import asymptotics

if TYPE_CHECKING:
    from spikesim.probe.result import Probe

NAMES = {
    "suppression": "R(T)",
    "tail": "sigma_(r+1)",
    "loss": "1 - alignment",
    "sin_theta_left": "sin left",
    "sin_theta_right": "sin right",
}
"""Of exponents."""
SHOWN = 8
"""Spikes that are listed."""


def text(probe: "Probe", width: int) -> str:
    """Everything on about a screen."""
    count, m, n = probe.shape
    head = f"{probe.name}: {count} gradients of {m} x {n}, {probe.kind}. In brackets: 95 % intervals."
    words = [line for part in (_rates(probe), _advice(probe)) for line in part.splitlines()]
    wrapped = [textwrap.fill(line, width, subsequent_indent="  ", break_long_words=False) for line in words]
    return "\n".join([head, _estimates(probe, width), _alignment(probe, width), _filtered(probe, width), *wrapped])


def _said(x: Estimate, digits: str = ".4g") -> str:
    return f"{x.value:{digits}} [{x.low:{digits}}, {x.high:{digits}}]"


def _number(x: float) -> str:
    """An alignment; "-" for NaN."""
    return "-" if x != x else f"{x:.3f}"


def _aligned(x: float, error: float) -> str:
    return "-" if x != x else f"{_number(x)} ± {_number(error)}"


def _tail(x: TailIndex) -> str:
    if x.alpha != x.alpha:
        return "-"
    return "light" if x.low > LIGHT else f"{x.alpha:.2f} [{x.low:.2f}, {x.high:.2f}]"


def _estimates(probe: "Probe", width: int) -> str:
    noise, ranks, scale = probe.noise, probe.ranks, probe.curve
    outside = "; ".join(noise.outside)
    size = f"{scale.nuclear:.4g} ± {scale.error:.2g}" if scale.seen else "no signal seen"
    rows = [
        ("noise: eta = E‖Xi‖_F^2", _said(noise.eta), f"sigma {noise.sigma.value:.4g} an entry"),
        ("signal: ‖S‖_F^2", _said(noise.signal), f"signal to noise {noise.snr.value:.4g}"),
        ("‖S‖_*, scale of alignment", size, f"at least {scale.low:.4g}, at most {scale.high:.4g}"),
        ("noise with that of the step before", _said(noise.autocorrelation, "+.3f"), "0 if orthogonal"),
        ("tail index, steps / entries", f"{_tail(noise.tail_steps)} / {_tail(noise.tail_entries)}", "variance: above 2"),
        ("BVMZOS", "no" if outside else "nothing against it", outside or "a bias of the noise cannot be seen"),
        ("drift, rad a step", "-" if noise.drift.value != noise.drift.value else _said(noise.drift), "if left vectors turn"),
        ("effective rank, above own noise", f"{probe.rank} of {min(probe.shape[1:])}",
         f"white noise's edge {ranks.bulk_edge}, hard threshold {ranks.hard_threshold}"),
        ("noise edge over white noise's", f"{ranks.anisotropy:.3f}", "1 if white; S2 to S4 assume it"),
        ("spikes (S3)", _spikes(probe), ""),
        ("critical window (S2)", _critical(probe), "from here a spike is seen"),
    ]  # fmt: skip
    return ruled(("estimate", "value", "note"), rows, width)


def _spikes(probe: "Probe") -> str:
    each = [f"{x:.3g}" for x in probe.spikes[:SHOWN]]
    return ", ".join(each) + (f", ... ({probe.spikes.size})" if probe.spikes.size > SHOWN else "") or "none"


def _critical(probe: "Probe") -> str:
    if not probe.spikes.size:
        return "-"
    ends = probe.spikes[[0, -1]] if probe.spikes.size > 1 else probe.spikes[:1]
    found = asymptotics.critical_window(probe.shape[1:], probe.noise.sigma.value, tuple(ends.tolist()))
    return " to ".join(f"{t:.3g}" for t in found)


def _alignment(probe: "Probe", width: int) -> str:
    names = [str(p) for p in probe.asked.pipelines]
    what, digits = ("alignment", ".3f") if probe.curve.seen else ("decrease", ".2g")
    values, errors = probe.values[what], probe.errors[what]
    rows = []
    for i, t in enumerate(probe.asked.windows):
        cells = [f"{values[p, i]:{digits}} ± {errors[p, i]:{digits}}" for p in range(len(names))]
        theory = f"{probe.predicted[i]:.3f}" if probe.spikes.size else "-"
        rows.append((f"{t:g}", *cells, f"{probe.values['inside'][0, i]:.3f}", theory))
    seen = probe.curve.seen
    said = "alignment" if seen else "<A, S> (no more than its error, so that alignment has no scale)"
    caption = (
        f"{said} with {held(probe)}, ± one standard error; in-buffer: alignment of pre-polar with the mean of its own "
        f"buffer, whose noise it shares; theory: S4 or S8 for white noise, {probe.ranks.anisotropy:.2g} times as wide here"
    )
    return ruled(("T: alignment" if seen else "T: <A, S>", *names, "in-buffer", "theory"), rows, width, caption)


def held(probe: "Probe") -> str:
    """What updates are held against."""
    if probe.twin:
        return "the twin's gradient of the step"
    if not probe.leads:
        return "the gradients outside the buffer"
    omega, t = probe.curve.omega, probe.advice.window
    if not omega or not probe.curve.seen:
        return f"the gradients {probe.leads[0]} to {probe.leads[-1]} steps ahead"
    share = float(probe.curve.ahead([t], probe.leads)[0] / probe.curve.alignment([t])[0])
    return f"the gradients {probe.leads[0]} to {probe.leads[-1]} steps ahead ({share:.2f} of that with the step's own signal)"


def _filtered(probe: "Probe", width: int) -> str:
    """Head, tail and what is left of them, at every window."""
    r, at = max(probe.rank, 1), probe.rank_place
    values, errors = probe.values, probe.errors
    rows = []
    for i, t in enumerate(probe.asked.windows):
        head, tail = values["spectrum"][0, i, r - 1], values["spectrum"][0, i, probe.tail]
        sines = [_pm(values[f"{side}_sine"][0, i, at], errors[f"{side}_sine"][0, i, at]) for side in ("left", "right")]
        ratio = _pm(values["ratio"][0, i, probe.tail], errors["ratio"][0, i, probe.tail])
        kept = _pm(probe.persistence[i], probe.persistence_error[i])
        top = f"{values['spectrum'][0, i, 0]:.3g}"
        numbers = (top, f"{head:.3g}", f"{tail:.3g}", f"{head - tail:.3g}") if probe.rank else (top, "-", f"{tail:.3g}", "-")
        rows.append((f"{t:g}", *numbers, ratio, kept, *sines))
    below = f"sigma_{probe.tail + 1}"
    header = ("T", "sigma_1", f"head sigma_{r}", f"tail {below}", "gap", "R(T)", "c_sig", "sin left", "sin right")
    raw = values["gradient"]
    caption = (
        f"pre-polar's buffer (a gradient has {raw[0]:.3g} to {raw[-1]:.3g}); R(T): {below} over a gradient's; c_sig: share "
        f"of ‖S‖_F left; sines of the top-{probe.asked.ranks[at]} subspaces; ± one standard error"
    )
    return ruled(header, rows, width, caption)


def _pm(x: float, error: float) -> str:
    return "-" if x != x else f"{x:.3f}" if error != error else f"{x:.3f} ± {error:.3f}"


def _rates(probe: "Probe") -> str:
    said = [f"{NAMES[name]} {_said(e, '.2f')}" for name, e in exponents(probe).items() if e.value == e.value]
    return "exponents in 2T - 1: " + ("; ".join(said) or "none")


def _advice(probe: "Probe") -> str:
    a = probe.advice
    order, phi = a.order_gain, probe.noise.correlation
    chosen = f"beta = {a.momentum:.3f} (T = {a.window:.3g}), " if a.window == a.window else ""
    mixed = phi and probe.kind == "stationary"
    hedge = "; but noise is correlated in time, which a random order cannot tell from signal" if mixed else ""
    said = "" if order is None else f"\norder: pre-polar over post-polar there {_said(order, '+.3f')}"
    return f"momentum: {chosen}{a.reason}{hedge}{said}\nclipping: {'yes' if a.clip else 'no'}, {a.clip_reason}"
