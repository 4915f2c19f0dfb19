"""Averaging over workers before the polar step and after it: alignment against their number (S4, S10, B4, R1).

spikesim run experiments/workers.toml --out results/workers
python experiments/workers.py          # draws; never simulates
"""

from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from spikesim import plots, report
from spikesim.estimate import mean_error
from spikesim.sweep.store import Result, Store
from spikesim.theory import asymptotics, post_polar, rare
from spikesim.theory.filters import ema
from spikesim.wording import largest_miss, plus_minus

GROUP = "What is open"
FAMILY = 0.05
"""Chance that any order is called significant though no means differ (Bonferroni)."""
FIRST, BETWEEN, LAST, AGAIN, SIGNS, POLAR_SIGNS = ORDERS = (
    "average, filter, polar",
    "average, polar, filter",
    "polar, average, filter",
    "polar, average, filter, polar",
    "signs, average, filter, polar",
    "polar, signs, average, filter, polar",
)
TEXTS = {
    FIRST: "Workers({}) -> Filter() -> Polar()",
    BETWEEN: "Workers({}) -> Polar() -> Filter()",
    LAST: "Polar() -> Workers({}) -> Filter()",
    AGAIN: "Polar() -> Workers({}) -> Filter() -> Polar()",
    SIGNS: "Sign() -> Workers({}) -> Filter() -> Polar()",
    POLAR_SIGNS: "Polar() -> Sign() -> Workers({}) -> Filter() -> Polar()",
}
STYLES: dict[str, dict[str, Any]] = dict(zip(ORDERS, plots.MANY_STYLE, strict=False))
RARE = "rare large gradients"


def draw(store: Store, figures: Path, published: Path | None = None) -> report.Outcome:
    """Draw figures/workers and say what it shows."""
    del published
    results = sorted(store, key=lambda r: (r.coordinates["name"] == RARE, _y(r)))
    plain, heavy = results[: len(results) // 2], results[len(results) // 2 :]
    with plots.panels(2, len(plain), (4.6 * len(plain), 9.6), sharex=True, sharey=True) as (figure, axes):
        for axis, result in zip(axes.flat, results, strict=True):
            _panel(axis, result)
        for axis in axes[:, 0]:
            axis.set_ylabel("alignment ⟨A, S⟩ / ‖S‖∗")
        for axis in axes[-1]:
            axis.set_xlabel("workers W")
        figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside right upper")
        finding = _finding(plain, heavy)
        one = plain[0].data
        above = f"{plots.setting(plain[0], store.quick)}, T = {one.window.values[0]:g} steps of the filter; bands 95 %"
        plots.save(figure, figures, "workers", above, finding)
    details = f"{_gain(plain)}; {_theory_finding(plain)}; {_robust(heavy)}; {_cosines(plain)}; {_sent(plain)}."
    return report.Outcome(finding, details=details)


def _y(result: Result) -> float:
    return float(result.model.spikes[0] / (result.model.noise.sigma * max(result.model.shape) ** 0.5))  # type: ignore[attr-defined]


def _counts(result: Result) -> list[int]:
    """W of all pipelines."""
    before, after = TEXTS[FIRST].split("{}")
    names = [str(x) for x in result.data.pipeline.values]
    return [int(x[len(before) : -len(after)]) for x in names if x.startswith(before) and x.endswith(after)]


def _read(result: Result, order: str, name: str = "alignment") -> np.ndarray:
    """(trial, W)."""
    texts = [TEXTS[order].format(w) for w in _counts(result)]
    return result.data[name].isel(window=0).sel(pipeline=texts).transpose("trial", "pipeline").values


def _limits(result: Result, order: str, counts: Any) -> np.ndarray | None:
    """Theory's mean at each W, or None where there is none."""
    model, t = result.model, float(result.data.window.values[0])
    steps, noise = int(result.data.attrs["steps"]), model.noise
    shape, sigma, spikes = model.shape, noise.sigma, model.spikes  # type: ignore[attr-defined]
    if result.coordinates["name"] == RARE:
        share = noise.p, noise.factor  # type: ignore[attr-defined]
        return (
            np.array([rare.post_polar(shape, sigma, spikes, t, *share, steps // w) for w in counts])
            if order == LAST
            else None
        )
    each: dict[str, Any] = {
        FIRST: lambda w: asymptotics.alignment(shape, sigma / w**0.5, spikes, t, steps // w),
        BETWEEN: lambda w: ema(t, steps // w).gain * asymptotics.alignment(shape, sigma / w**0.5, spikes, 1.0),
        LAST: lambda w: ema(t, steps // w).gain * asymptotics.alignment(shape, sigma, spikes, 1.0),
        AGAIN: lambda w: post_polar.repolarised_alignment(shape, sigma, spikes[0], (w * (2 * t - 1) + 1) / 2),
    }
    return np.array([each[order](w) for w in counts]) if order in each else None


def _panel(axis: Any, result: Result) -> None:
    counts = _counts(result)
    for order, style in STYLES.items():
        plots.mean_band(axis, counts, _read(result, order), order, **(style | {"markersize": 5}))
        limit = _limits(result, order, counts)
        if limit is not None:
            plots.guide(axis, counts, limit, "S4; S10 where a polar step follows" if order == FIRST else "", linewidth=1)
    axis.set(xscale="log", ylim=(0, 1.04), title=f"{result.coordinates['name']}, y = {_y(result):.2g}")
    axis.set_xticks(counts, [f"{w}" for w in counts])
    axis.minorticks_off()


def _mean(samples: np.ndarray) -> str:
    mean, error = mean_error(samples)
    return plus_minus(mean, 1.96 * error)


def _added(result: Result, order: str) -> str:
    """What going from one worker to the most adds, paired."""
    return _mean(_read(result, order)[:, -1] - _read(result, order)[:, 0])


def _finding(plain: list[Result], heavy: list[Result]) -> str:
    """Where averaging first is ahead of both orders that average polar factors, and where one of those is ahead of it."""
    first = np.logical_and(*(_signed(plain, FIRST, other)[2] > 0 for other in (LAST, AGAIN)))
    mean, half, sign = _signed(heavy, AGAIN, FIRST)
    at = np.unravel_index(mean.argmax(), mean.shape)
    return (
        f"In Gaussian noise, workers are better averaged before the polar step in {first.sum()} of {first.size} cells "
        f"(at y = {_y(plain[0]):.2g}, {_counts(plain[0])[-1]} add {_added(plain[0], FIRST)}; averaged after, "
        f"{_added(plain[0], LAST)}); rare large gradients turn that round in {np.sum(sign > 0)} of {sign.size}, "
        f"by up to {plus_minus(mean[at], half[at])} (re-polarised)."
    )


def _gain(results: list[Result]) -> str:
    """What going from one worker to the most adds at the lowest SNR; and what happens to the spread."""
    result, counts = results[0], _counts(results[0])
    said = [f"'{order}' {_added(result, order)}" for order in ORDERS[:4]]
    spread = _read(result, LAST).std(0, ddof=1)
    return (
        f"In Gaussian noise at y = {_y(result):.2g} {counts[-1]} workers instead of 1 add: {', '.join(said)} (raw alignment "
        f"of '{LAST}' keeps the mean of one worker, B4; its spread over trials falls from {spread[0]:.3f} "
        f"to {spread[-1]:.3f})"
    )


def _theory_finding(results: list[Result]) -> str:
    said = []
    for name, orders in (("S4", (FIRST, BETWEEN, LAST)), ("S10 at W times the n_eff", (AGAIN,))):
        apart, errors = [], []
        for result in results:
            for order in orders:
                mean, error = mean_error(_read(result, order))
                apart.append(np.abs(mean - _limits(result, order, _counts(result))))
                errors.append(error)
        said.append(f"{name} is off by {largest_miss(apart, errors)}")
    return f"{' and '.join(said)}, as n is finite"


def _signed(results: list[Result], one: str, other: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Paired differences (result, W): means, half intervals, jointly 95 % over all, and the sign where significant."""
    samples = np.stack([_read(r, one) - _read(r, other) for r in results])
    mean, error = mean_error(samples, axis=1)
    half = stats.t.ppf(1 - FAMILY / 2 / mean.size, samples.shape[1] - 1) * error
    return mean, half, np.sign(mean) * (np.abs(mean) > half)


def _robust(results: list[Result]) -> str:
    """Polar first against average first where steps are rarely large."""
    noise: Any = results[0].model.noise
    said = []
    for order in (LAST, AGAIN):
        mean, half, sign = _signed(results, order, FIRST)
        i, j = np.unravel_index(mean.argmax(), mean.shape)
        said.append(
            f"'{order}' is significantly ahead of '{FIRST}' in {np.sum(sign > 0)} of {sign.size} cells and behind in "
            f"{np.sum(sign < 0)}, most at y = {_y(results[i]):.2g}, W = {_counts(results[i])[j]}: "
            f"{plus_minus(mean[i, j], half[i, j], '+')}"
        )
    return f"with noise × {noise.factor:g} in {100 * noise.p:g} % of gradients {' and '.join(said)}"


def _cosines(results: list[Result]) -> str:
    said = []
    for result in results:
        each = [f"{_read(result, order, 'cosine')[:, -1].mean():.3f}" for order in (FIRST, LAST)]
        said.append(f"{each[1]} against {each[0]} at y = {_y(result):.2g}")
    return f"by cosine, with {_counts(results[0])[-1]} workers in Gaussian noise, '{LAST}' has {', '.join(said)}"


def _sent(results: list[Result]) -> str:
    """What one bit an entry costs against whole gradients and whole polar factors."""
    said = []
    for result in results:
        costs = (
            _read(result, one)[:, -1] - _read(result, other)[:, -1] for one, other in ((FIRST, SIGNS), (AGAIN, POLAR_SIGNS))
        )
        said.append(f"{' and '.join(map(_mean, costs))} at y = {_y(result):.2g}")
    return f"sending only the signs, of gradients and of polar factors, costs {'; '.join(said)}"


if __name__ == "__main__":
    report.main(draw, __file__)
