"""Findings on the sharp limits S1 to S11: three sizes of one SNR, a deviation of at most C / size^power."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from spikesim.theory import asymptotics, drift, filters, high_snr, post_polar, rates, updates
from spikesim.verify.finding import Finding, Sized, limit, mean_equals, text_of
from spikesim.verify.settings import JUMP_ALPHAS, Measured

CLAIMS = {
    "S1": "while starting up, directions are those of the steady window of equal n_eff",
    "S2": "bulk edge s (sqrt m + sqrt n)",
    "S3": "singular value, sines and truncated alignment, above and below the threshold",
    "S4": "alignment of the full polar factor",
    "S5": "post-polar's cosine",
    "S6": "tail, sines, 1 - alignment and head error at high SNR",
    "S7": "the (1 - (2T-1)^(-1/2))-quantile of ‖N‖_F under radial noise",
    "S8": "alignment with a turning signal",
    "S9": "edge, spike and sines of post-polar's buffer (conjecture)",
    "S10": "alignment of the re-polarised update (conjecture)",
    "S11": "bias and variance of pre-polar and post-polar",
}
SNR = 1 / 2
"""Power of the size in the deviation from a high-SNR limit, of order 1/y, where spikes grow as the size."""
EDGE = 2 / 3
"""Power of the size in the deviation of an edge from its limit (Tracy-Widom)."""

Value = Callable[[Any, float], float]


def findings(measured: list[Measured]) -> Iterator[Finding]:
    """All findings on limits."""
    families: dict[tuple[str, ...], list[Measured]] = {}
    for item in measured:
        shape = item.model.shape
        key = item.setting.family, f"{shape[0] / shape[1]:.2f}", repr(item.setting.windows), repr(item.model.signal)
        families.setdefault(key, []).append(item)
    for (family, *_), group in families.items():
        if family == "limit":
            yield from _limit(group)
        elif family in _SIZED:
            yield from _SIZED[family](group)
    yield from _jumps([m for m in measured if m.setting.family == "jumps"])
    yield from _moments([m for m in measured if m.setting.family == "moments"])


def _each(
    label: str, quantity: str, group: list[Measured], t: float, read: Callable[[Any], Any], value: Value, power: float = 1.0
) -> Finding:
    """One limit over the sizes of a group: read(data at window t) gives trials, value(model, t) the formula."""
    sized = [Sized(float(max(m.model.shape)), np.asarray(read(m.data.sel(window=t)), float), value(m, t)) for m in group]
    largest = max(group, key=lambda m: max(m.model.shape))
    return limit(label, quantity, text_of(largest.model), t, sized, power)


def _of(name: str, pipeline: str = "pre-polar", index: int | None = None) -> Callable[[Any], Any]:
    def read(data: Any) -> Any:
        values = data[name]
        values = values.sel(pipeline=pipeline) if "pipeline" in values.dims else values
        return (values if index is None else values.sel(index=index)).values

    return read


def _formula(function: Callable[..., Any], pick: int | None = None) -> Value:
    """function(shape, sigma, spikes, window, steps) at a measured setting."""

    def value(m: Measured, t: float) -> float:
        sigma = m.model.noise.variance**0.5
        out = function(m.model.shape, sigma, m.model.spikes, t, int(m.data.attrs["steps"]))
        return float(out if pick is None else out[pick])

    return value


def _limit(group: list[Measured]) -> Iterator[Finding]:
    starting = group[0].setting.steps is not None and group[0].setting.steps < max(group[0].setting.windows)
    for t in group[0].setting.windows:
        full = _formula(lambda *at: asymptotics.alignment(*at))
        cut = _formula(lambda *at: asymptotics.truncated_alignment(*at))
        yield _each("S1" if starting else "S4", "mean alignment", group, t, _of("alignment"), full)
        yield _each("S1" if starting else "S3", "mean truncated alignment", group, t, _of("alignment_truncated"), cut)
        if starting:
            continue
        edge = _formula(lambda shape, sigma, _spikes, *at: asymptotics.bulk_edge(shape, sigma, *at))
        yield _each("S2", "mean ‖N‖_op", group, t, _of("noise_op"), edge, EDGE)
        for k in (0, 1):
            top = _formula(lambda *at: asymptotics.singular_value(*at), k)
            power = 1.0 if _formula(lambda *at: asymptotics.overlaps(*at)[0], k)(group[0], t) > 0 else EDGE
            yield _each("S3", f"mean sigma_{k + 1}", group, t, _of("singular_values", index=k + 1), top, power)
        for i, side in enumerate(("left", "right")):
            sine = _formula(lambda *at: asymptotics.sin_theta(*at), i)
            yield _each("S3", f"mean sin theta, {side}", group, t, _of(f"sin_theta_{side}"), sine)


def _high(group: list[Measured]) -> Iterator[Finding]:
    (t,) = group[0].setting.windows
    tail = _formula(lambda shape, sigma, spikes, *at: high_snr.tail(shape, sigma, len(spikes), *at))
    yield _each("S6", "mean tail", group, t, _of("tail"), tail, EDGE)
    for i, side in enumerate(("left", "right")):
        sine = _formula(lambda *at: high_snr.sin_theta(*at), i)
        yield _each("S6", f"mean sin theta, {side}", group, t, _of(f"sin_theta_{side}"), sine)

    def miss(shape: Any, sigma: float, spikes: Any, *at: Any) -> float:
        return asymptotics.weighted(spikes, high_snr.misses(shape, sigma, spikes, *at))

    yield _each("S6", "mean 1 - alignment", group, t, lambda d: 1 - _of("alignment")(d), _formula(miss), SNR)
    yield _shortfall(group, t)
    yield _each("S6", "mean head error", group, t, _of("head_error"), _formula(lambda *at: high_snr.head_error(*at)))


def _shortfall(group: list[Measured], t: float) -> Finding:
    """theta_r - (sigma_r - sigma_{r+1})."""
    value, sized = _formula(lambda *at: high_snr.gap_shortfall(*at)), []
    for m in group:
        data, theta = m.data.sel(window=t), min(m.model.spikes) * filters.ema(t, int(m.data.attrs["steps"])).gain
        gaps = _of("singular_values", index=m.model.rank)(data) - _of("tail")(data)
        sized.append(Sized(float(max(m.model.shape)), theta - gaps, value(m, t)))
    return limit("S6", "mean theta_r - gap", text_of(group[-1].model), t, sized, EDGE)


def _post(group: list[Measured]) -> Iterator[Finding]:
    t = max(group[0].setting.windows)

    def buffer(field: str) -> Value:
        return _steady(lambda *at: getattr(post_polar.buffer(*at), field))

    cosine = _formula(lambda *at: updates.post_polar_cosine(*at))
    yield _each("S5", "mean cosine of post-polar", group, t, _of("cosine", "post-polar"), cosine)
    again = _steady(lambda *at: float(post_polar.repolarised_alignment(*at)))
    yield _each("S10", "mean alignment, re-polarised", group, t, _of("alignment", "re-polarised"), again)
    yield _each("S9", "mean sigma_1", group, t, _of("singular_values", "post-polar", 1), buffer("value"))
    yield _each("S9", "mean sigma_2 against the edge", group, t, _of("tail", "post-polar"), buffer("edge"), EDGE)
    for side in ("left", "right"):
        squared = buffer(side)
        yield _each("S9", f"mean squared overlap, {side}", group, t, _squared_overlap(side), squared)


def _squared_overlap(side: str) -> Callable[[Any], Any]:
    return lambda data: 1 - _of(f"sin_theta_{side}", "post-polar")(data) ** 2


def _steady(function: Callable[..., float]) -> Value:
    """function(shape, sigma, spike, window) of the steady state; the run's start-up weight is far below its errors."""

    def value(m: Measured, t: float) -> float:
        (spike,) = m.model.spikes
        return function(m.model.shape, m.model.noise.variance**0.5, spike, t)

    return value


def _drift(group: list[Measured]) -> Iterator[Finding]:
    (t,) = group[0].setting.windows
    signal: Any = group[0].model.signal

    def moving(shape: Any, sigma: float, spike: float, window: float) -> float:
        return drift.alignment(shape, sigma, spike, window, signal.omega, signal.both)

    what = "u and v turning" if signal.both else "u turning"
    yield _each("S8", f"mean alignment, {what} by {signal.omega:g} a step", group, t, _of("alignment"), _steady(moving))


_SIZED = {"high": _high, "post": _post, "drift": _drift}


def _jumps(group: list[Measured]) -> Iterator[Finding]:
    """The largest window plays the largest size; the bulk's sum of squares fluctuates by T^(2/alpha - 1) for alpha < 4."""
    for alpha in JUMP_ALPHAS:
        mine = [m for m in group if m.model.noise.alpha == alpha]  # type: ignore[attr-defined]
        if not mine:
            continue
        sized = []
        for m in mine:
            (t,) = m.setting.windows
            norms = m.data.noise_fro.sel(window=t).values / m.model.eta**0.5
            sized.append(Sized(t, _quantile(norms, 1 - (2 * t - 1) ** -0.5), rates.jump_quantile(alpha, t)))
        (last,) = mine[-1].setting.windows
        name = f"the (1 - (2T-1)^(-1/2))-quantile of ‖N‖_F/sqrt(eta), alpha = {alpha:g}"
        yield limit("S7", name, text_of(mine[-1].model), last, sized, 1 - 2 / alpha)


BATCHES = 10


def _quantile(x: np.ndarray, level: float) -> np.ndarray:
    """The quantile of each of BATCHES equal parts of the trials: as many independent estimates."""
    return np.array([np.quantile(part, level) for part in np.array_split(x, BATCHES)])


def _moments(group: list[Measured]) -> Iterator[Finding]:
    """Batches of trials as independent estimates; a_k measured, as S11 asks for the exact one at the size."""
    if not group:
        return
    model, setting = group[0].model, text_of(group[0].model)
    (t,) = group[0].setting.windows
    filter_ = filters.ema(t, int(group[0].data.attrs["steps"]))

    def mean(pipeline: str, window: float) -> float:
        return float(np.mean([m.data.alignment.sel(pipeline=pipeline, window=window).mean() for m in group]))

    one = mean("polar-only", t)
    for pipeline, each, gain, factor in (
        ("pre-polar", mean("pre-polar", t), 1.0, 1.0),
        ("post-polar", one, filter_.gain, filter_.noise_factor),
    ):
        expected = updates.bias_variance(model.shape, each, gain, factor)
        for name, value in zip(("bias_squared", "variance"), expected, strict=True):
            batches = np.array([float(m.data[name].sel(pipeline=pipeline, window=t)) for m in group])
            yield mean_equals("S11", f"{name} of {pipeline}", setting, t, batches, value)
