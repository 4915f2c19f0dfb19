"""Findings on the bounds B1 to B6: every measured setting against what every BVMZOS noise must obey."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from spikesim.model import SpikedModel
from spikesim.noise import Kronecker
from spikesim.theory import bounds, filters
from spikesim.verify.finding import (
    Finding,
    always,
    frequency,
    mean_at_most,
    mean_equals,
    no_claim,
    order,
    text_of,
    unless_unfiltered,
    vacuous_above_one,
)
from spikesim.verify.settings import LEVELS, Measured

CLAIMS = {
    "B1": "all |sigma_k - lambda_bar_k| <= eps but with probability (2T-1)^(-1/2)",
    "B1q": "the same at levels q = 0.2 and 0.8",
    "B1e": "E sigma_{r+1} <= sqrt(eta/(2T-1))",
    "B2": "sin theta <= eps/(c_sig lambda_r - eps) on B1's event; Wedin's ‖N‖ for eps always",
    "B2e": "E sin theta <= 2 sqrt(eta/(2T-1))/lambda_bar_r",
    "B3": "1 - alignment <= 2‖N‖_*/‖S_bar‖_*",
    "B3'": "1 - alignment <= 4‖P_T N‖^2/(lambda_bar_r ‖S_bar‖_*), in expectation 4 eta/((2T-1) ...)",
    "B4": "E post-polar = (1 - beta^t) E polar-only",
    "B5": "E pre-polar >= E polar-only from T_0 on",
    "B6": "rank 1, small spike: polar-only and post-polar alignment <= lambda/(sigma sqrt(max(m, n))) -> 0",
}


def findings(measured: list[Measured]) -> Iterator[Finding]:
    """All findings on bounds."""
    for item in measured:
        if item.setting.family in ("paper", "small", "tiny"):
            yield from _buffers(item)
        elif item.setting.family == "mixture":
            yield from _radius(Buffers(item))
        elif item.setting.family == "order":
            yield from order_of(item)
        elif item.setting.family == "wide":
            yield from _vanishing(item)


class Buffers:
    """The momentum buffers of one setting: trials of every window, and what the claims about them need."""

    def __init__(self, item: Measured) -> None:
        self.model, self.data = item.model, item.data
        self.setting = text_of(item.model)
        self.windows = [float(t) for t in item.data.window.values]
        self.spikes = np.abs(np.asarray(item.model.spikes))
        self.outside = item.model.noise.outside
        # No theorem speaks of noise outside BVMZOS: sigma^2 = 1 stands in for eta, and the finding is never counted.
        self.eta = float(np.prod(item.model.shape)) if self.outside else item.model.theorem_eta

    @property
    def unfiltered(self) -> bool:
        """Whether gradients as they come, T = 1, are among what was measured."""
        return 1.0 in self.windows

    def has(self, *names: str) -> bool:
        """Whether all of these were measured."""
        return all(name in self.data for name in names)

    def gain(self, window: float) -> float:
        """What the EMA leaves of a constant signal."""
        return filters.ema(window, int(self.data.attrs["steps"])).gain

    def read(self, name: str, window: float, pipeline: str = "pre-polar") -> Any:
        """An observable of every trial."""
        values = self.data[name].sel(window=window)
        return (values.sel(pipeline=pipeline) if "pipeline" in values.dims else values).values

    def sine(self, window: float) -> Any:
        """The larger sine; 1 where the subspace does not exist."""
        both = [self.read(f"sin_theta_{side}", window) for side in ("left", "right")]
        return np.nan_to_num(np.maximum(*both), nan=1.0)

    def miss(self, window: float) -> Any:
        """1 - alignment of every trial."""
        return 1 - self.read("alignment", window)

    def shift(self, window: float) -> Any:
        """max_k |sigma_k - lambda_bar_k| over the whole spectrum."""
        target = np.zeros(min(self.model.shape))
        target[: self.spikes.size] = np.sort(self.gain(window) * self.spikes)[::-1]
        return np.abs(self.read("singular_values", window) - target).max(-1)


def _buffers(item: Measured) -> Iterator[Finding]:
    at = Buffers(item)
    for family in FAMILIES.values():
        for finding in family(at):
            yield replace(finding, outside=at.outside)


def _filtered(at: Buffers) -> list[float]:
    return [t for t in at.windows if t > 1]


def _radius(at: Buffers) -> Iterator[Finding]:
    """‖N‖_F against the radius, B1 and B1q."""
    return _exceedances(at, "frequency of ‖N‖_F > eps", lambda t: at.read("noise_fro", t))


def _singular_values(at: Buffers) -> Iterator[Finding]:
    """B1's conclusion, on both sides and for all singular values; and Weyl's inequality behind it."""
    yield from _exceedances(at, "frequency of a singular value further off than eps", at.shift)
    for t in _filtered(at):
        said = "B1", "largest max_k |sigma_k - lambda_bar_k| / ‖N‖_op", at.setting, t
        yield always(*said, at.shift(t), at.read("noise_op", t))


def _exceedances(at: Buffers, what: str, size: Callable[[float], Any]) -> Iterator[Finding]:
    """How often a size at each window passes B1q's radius.

    Where no unfiltered gradient was simulated (one scale a run) it is not asked whether it meets the bound already: a bound
    that is attained cannot be improved, whatever a single gradient does.
    """
    for t in _filtered(at):
        for q in LEVELS:
            radius, allowed = bounds.perturbation_radius(at.eta, t, q), float(bounds.failure_probability(t, q))
            said = ("B1", what) if q == 0.5 else ("B1q", f"{what} at q = {q}")
            found = frequency(*said, at.setting, t, size(t) > radius, allowed)
            yield (
                unless_unfiltered(found, frequency(*said, at.setting, t, size(1.0) > radius, allowed))
                if at.unfiltered
                else found
            )


def _tail(at: Buffers) -> Iterator[Finding]:
    if at.spikes.size == min(at.model.shape):
        return
    for t in _filtered(at):
        bound = float(bounds.expected_tail(at.eta, t))
        said = "B1e", "mean sigma_{r+1}", at.setting, t
        yield _unless_met(at, mean_at_most(*said, at.read("tail", t), bound), lambda: at.read("tail", 1.0))


def _subspaces(at: Buffers) -> Iterator[Finding]:
    smallest = float(at.spikes.min())
    for t in _filtered(at):
        gain = at.gain(t)
        bound = float(bounds.subspace_bound(at.eta, t, smallest, gain))
        said = "B2", "frequency of sin theta > eps/(c_sig lambda_r - eps)", at.setting, t
        allowed = float(bounds.failure_probability(t))
        found = frequency(*said, at.sine(t) > bound, allowed)
        if np.isinf(bound):
            yield no_claim(found, "its hypothesis c_sig lambda_r > eps fails")
        else:
            found = vacuous_above_one(found, bound, "the bound")
            yield unless_unfiltered(found, frequency(*said, at.sine(1.0) > bound, allowed)) if at.unfiltered else found
        if at.has("noise_op"):
            yield _wedin(at, t, gain)
        mean_bound = float(bounds.expected_subspace(at.eta, t, smallest, gain))
        said = "B2e", "mean larger sin theta", at.setting, t
        found = vacuous_above_one(mean_at_most(*said, at.sine(t), mean_bound), mean_bound, "the bound")
        yield _unless_met(at, found, lambda: at.sine(1.0))


def _wedin(at: Buffers, t: float, gain: float) -> Finding:
    """B2 with ‖N‖_op itself, which holds for every matrix."""
    bound = bounds.wedin_bound(at.read("noise_op", t), float(at.spikes.min()), gain)
    found = always("B2", "largest sin theta / (‖N‖_op/(c_sig lambda_r - ‖N‖_op))", at.setting, t, at.sine(t), bound)
    return vacuous_above_one(found, float(np.median(bound)), "the bound's median")


def _alignment(at: Buffers) -> Iterator[Finding]:
    for t in _filtered(at):
        gain = at.gain(t)
        if at.has("noise_nuclear"):
            nuclear = bounds.nuclear_bound(at.read("noise_nuclear", t), at.spikes, gain)
            yield _pathwise(at, "B3", "largest (1 - alignment) / bound", t, nuclear)
        if at.has("noise_tangent"):
            tangent = bounds.tangent_bound(at.read("noise_tangent", t), at.spikes, gain)
            yield _pathwise(at, "B3'", "largest (1 - alignment) / pathwise bound", t, tangent)
        bound = float(bounds.alignment_bound(at.model.shape, at.eta, t, at.spikes, gain))
        yield _mean_loss(at, "mean 1 - alignment", t, bound)
        if not isinstance(at.model.noise, Kronecker):
            sigma = (at.eta / float(np.prod(at.model.shape))) ** 0.5
            uncorrelated = float(bounds.uncorrelated_alignment_bound(at.model.shape, sigma, t, at.spikes, gain))
            yield _mean_loss(at, "mean 1 - alignment, entries uncorrelated", t, uncorrelated)


def _pathwise(at: Buffers, label: str, what: str, t: float, bound: Any) -> Finding:
    """A bound of 1 - alignment that holds for every matrix."""
    found = always(label, what, at.setting, t, at.miss(t), bound)
    found = vacuous_above_one(found, float(np.median(bound)), "the bound's median")
    return _useful(found, bound, at.miss(1.0)) if at.unfiltered else found


def _mean_loss(at: Buffers, what: str, t: float, bound: float) -> Finding:
    """B3' in expectation."""
    found = mean_at_most("B3'", what, at.setting, t, at.miss(t), bound)
    return _unless_met(at, vacuous_above_one(found, bound, "the bound"), lambda: at.miss(1.0))


def _unless_met(at: Buffers, found: Finding, raw: Callable[[], Any]) -> Finding:
    """A mean's bound, vacuous where unfiltered gradients, if measured, meet it already."""
    if not at.unfiltered:
        return found
    return unless_unfiltered(found, mean_at_most(found.label, found.quantity, at.setting, found.window, raw(), found.theory))


def _useful(found: Finding, bound: Any, raw: Any) -> Finding:
    """Vacuous where the mean of an unfiltered gradient is within the median bound."""
    if found.vacuous or float(np.mean(raw)) > float(np.median(bound)):
        return found
    return replace(found, vacuous="an unfiltered gradient already meets it")


def order_of(item: Measured) -> Iterator[Finding]:
    """B4 and B5, on settings with all pipelines."""
    at = Buffers(item)
    raw = at.read("alignment", at.windows[0], "polar-only")
    for t in _filtered(at):
        paired = at.read("alignment", t, "post-polar") - at.gain(t) * raw
        value = at.gain(t) * float(raw.mean())
        yield mean_equals("B4", "mean post-polar alignment", at.setting, t, paired + value, value)
    start = bounds.order_window(at.eta, at.spikes, float(raw.mean()))
    for t in _filtered(at):
        steady = at.gain(t) ** 2 * (2 * t - 1)  # the bound's 2T - 1 with what the start-up leaves of the signal
        said = "B5", f"polar-only - pre-polar, T_0 = {start:.3g}", at.setting, t
        found = order(*said, at.read("alignment", t), raw)
        found = replace(found, note=f"smallest T seen ahead of both: {_first_ahead(at)}")
        yield no_claim(found, f"T is below T_0 = {start:.3g}") if steady < 2 * start - 1 else found


def _first_ahead(at: Buffers) -> str:
    """Smallest measured window from which on pre-polar's mean is above both others' by 3 standard errors."""
    ahead: float | None = None
    for t in reversed(_filtered(at)):
        pre = at.read("alignment", t)
        gaps = [pre - at.read("alignment", t, other) for other in ("post-polar", "polar-only")]
        if any(gap.mean() < 3 * gap.std(ddof=1) / gap.size**0.5 for gap in gaps):
            break
        ahead = t
    return "none" if ahead is None else f"{ahead:g}"


def _vanishing(item: Measured) -> Iterator[Finding]:
    (pipeline,), (t,) = item.data.pipeline.values, item.setting.windows
    yield vanishing(item.model, str(pipeline), t, item.data.alignment.sel(pipeline=pipeline, window=t).values)


def vanishing(model: SpikedModel, pipeline: str, t: float, values: Any) -> Finding:
    """B6, of one pipeline's alignments at one window; rank 1, Gaussian noise."""
    (spike,), setting = model.spikes, text_of(model)
    bound = bounds.vanishing_alignment(model.shape, model.noise.variance**0.5, spike)
    small = abs(spike) < bounds.vanishing_spike(model.shape, model.noise.variance**0.5)
    found = mean_at_most("B6", f"mean alignment of {pipeline}", setting, t, values, bound)
    return found if small else no_claim(found, "its hypothesis fails: the spike is not below sigma |sqrt m - sqrt n|/4")


FAMILIES = {
    "radius": _radius, "singular values": _singular_values, "tail": _tail, "subspaces": _subspaces, "alignment": _alignment,
}  # fmt: skip
"""Findings on one momentum buffer, by what they are about."""
