"""Is -1/4 tight? The quantile of B1 against 2T - 1 for radial noise, and its exponent against the tail index.

spikesim run experiments/tail_index.toml --out results/tail_index
python experiments/tail_index.py          # draws; never simulates
"""

import math
from pathlib import Path
from typing import Any

import numpy as np

from spikesim import plots, report, rng
from spikesim.estimate import RESAMPLES, RateFit, log_slope, upper_quantile
from spikesim.sweep.store import Result, Store
from spikesim.theory import bounds, rates

GROUP = "What is open"

FITTED = 5
"""How many of the largest windows the exponent is fitted to."""


def draw(store: Store, figures: Path, published: Path | None = None) -> report.Outcome:
    """Draw figures/tail_index and say what it shows."""
    del published
    results = sorted(store, key=lambda r: r.model.noise.alpha)  # type: ignore[attr-defined]
    rows = [_row(result) for result in results]
    alphas = np.array([r.coordinates["noise.alpha"] for r in results])
    with plots.panels(1, 2, (12.5, 5.6)) as (figure, ((left, right),)):
        _quantiles(left, results[:: max(1, (len(results) - 1) // 4)])
        _exponents(right, alphas, rows)
        finding = _finding(alphas, rows, results)
        m, n = results[0].model.shape
        trials = f"{results[0].data.trial.size} trials a tail index" + (" (quick run)" if store.quick else "")
        above = f"radial noise of {m} × {n} entries, {int(results[0].data.attrs['steps'])} steps from M₀ = 0, {trials}"
        plots.save(figure, figures, "tail_index", above, finding)
    return report.Outcome(finding, tuple(rows))


def _sizes(result: Result) -> np.ndarray:
    """‖N‖_F / sqrt(eta), (trial, window)."""
    return result.data["noise_fro"].values / math.sqrt(result.model.eta)


def _row(result: Result) -> report.Row:
    alpha, windows = result.coordinates["noise.alpha"], result.data.window.values[-FITTED:]
    theory = [rates.jump_quantile(alpha, t) for t in windows]
    said = f"S7 at these T; limit {rates.tail_exponent(alpha):.3f}"
    fit = fit_quantile(windows, _sizes(result)[:, -FITTED:])
    return report.Row(f"quantile of ‖N‖_F, tail index {alpha:g}", fit, log_slope(windows, theory), said)


def fit_quantile(windows: np.ndarray, samples: np.ndarray, resamples: int = RESAMPLES) -> RateFit:
    """`fit_rate` of the (1 - (2T-1)^(-1/2))-quantile, with a percentile interval.

    A resample counts how often it holds each trial, for all windows at once; its quantile is read off the counts of the
    trials in falling order, so nothing is sorted again.
    """
    x = np.log(2 * windows - 1)
    shares = bounds.failure_probability(windows)
    order = np.argsort(-samples, axis=0)
    generator = rng.generator(0, rng.BOOTSTRAP)
    n = len(samples)
    drawn = np.log([_weighted(samples, order, shares, None)])
    y = drawn[0]
    again = np.log([_weighted(samples, order, shares, generator.integers(n, size=n)) for _ in range(resamples)])
    (slope, intercept), bend = np.polyfit(x, y, 1), np.polyfit(x, y, 2)[0]
    low, high = np.quantile(np.polyfit(x, again.T, 1)[0], [0.025, 0.975])
    spread = np.std(np.polyfit(x, again.T, 2)[0], ddof=1)
    return RateFit(
        float(slope), float(low), float(high), float(np.exp(intercept)), tuple((np.diff(y) / np.diff(x)).tolist()),
        float(bend), float(spread), "percentile bootstrap over trials",
    )  # fmt: skip


def _weighted(samples: np.ndarray, order: np.ndarray, shares: np.ndarray, drawn: np.ndarray | None) -> list[float]:
    """Quantile of each window over the trials `drawn` (all of them, once, for None): `upper_quantile` of samples[drawn]."""
    n = len(samples)
    counts = np.ones(n, int) if drawn is None else np.bincount(drawn, minlength=n)
    out = []
    for column, falling, share in zip(samples.T, order.T, shares, strict=True):
        beyond = math.floor(share * n)
        some = falling[: min(n, 2 * beyond + 100)]  # the quantile is among them: twice the share is far beyond chance
        out.append(float(column[some[np.searchsorted(np.cumsum(counts[some]), beyond, side="right")]]))
    return out


def _quantiles(axis: Any, results: list[Result]) -> None:
    windows = results[0].data.window.values
    x = 2 * windows - 1
    shares = bounds.failure_probability(windows)
    for result, style in zip(results, plots.MANY_STYLE, strict=False):
        alpha, columns = result.coordinates["noise.alpha"], _sizes(result).T
        value, low, high = np.transpose([upper_quantile(c, p) for c, p in zip(columns, shares, strict=True)])
        look = {"markersize": 5, "linewidth": 1.4} | style | {"linestyle": "none"}
        axis.plot(x, value, label=f"α = {alpha:g}", **look)
        axis.fill_between(x, low, high, color=style["color"], alpha=0.25, linewidth=0)
        theory = [rates.jump_quantile(alpha, t) for t in windows]
        plots.guide(axis, x, theory, f"_S7, α = {alpha:g}", color=style["color"])
    plots.guide(axis, [], [], "jump formula S7")
    plots.guide(axis, x, bounds.perturbation_radius(1.0, windows), "bound B1: (2T − 1)^(−1/4)", linestyle="-", linewidth=2)
    axis.set(xscale="log", yscale="log", xlabel=plots.SAMPLES)
    axis.set_ylabel("(1 − (2T − 1)^(−1/2))-quantile of ‖N‖$_F$ / √η")
    axis.legend(loc="lower left")


def _exponents(axis: Any, alphas: np.ndarray, rows: list[report.Row]) -> None:
    fits = [row.fit for row in rows]
    middle = np.array([f.exponent for f in fits])
    ends = np.array([[f.exponent - f.low, f.high - f.exponent] for f in fits]).T
    style = plots.SERIES_STYLE[0] | {"linestyle": "none"}
    axis.errorbar(alphas, middle, ends, label=f"fitted to the {FITTED} largest T [95 %]", capsize=3, **style)
    slopes = [row.theory for row in rows]
    axis.plot(alphas, slopes, markersize=4, linewidth=1.2, **plots.SERIES_STYLE[1], label="slope of S7 on the same T")
    fine = np.linspace(2.001, max(alphas), 400)
    plots.guide(axis, fine, [rates.tail_exponent(a) for a in fine], "limit S7: −min(1/2, (α − 3/2)/α)")
    for level, text in ((-0.25, "−1/4: B1"), (-0.5, "−1/2: light tails")):
        axis.axhline(level, color="#888888", linestyle=":", linewidth=1.5)
        axis.annotate(text, (max(alphas), level), xytext=(0, 4), textcoords="offset points", ha="right", fontsize=10)
    axis.set(xlabel="tail index α of P(ρ > x) ~ x^(−α)", ylabel="exponent in 2T − 1", ylim=(-0.56, -0.2))
    axis.legend(loc="upper right", bbox_to_anchor=(1, 0.82))


def _finding(alphas: np.ndarray, rows: list[report.Row], results: list[Result]) -> str:
    first, last, windows = rows[0], rows[-1], results[0].data.window.values
    fitted = windows[-FITTED:]
    reached = sum(row.fit.low <= -0.25 <= row.fit.high or row.fit.exponent > -0.25 for row in rows)
    inside = sum(row.agrees for row in rows)
    largest = max(
        float(upper_quantile(c, p)[0]) / float(bounds.perturbation_radius(1.0, t))
        for r in results
        for c, p, t in zip(_sizes(r).T, bounds.failure_probability(windows), windows, strict=True)
    )
    limits = [rates.tail_exponent(a) for a in alphas]
    nearest = "reach" if reached else "do not reach"
    return (
        f"Fitted over T = {fitted[0]:g} to {fitted[-1]:g}, the exponent is {_fit(last)} at α = {alphas[-1]:g} and "
        f"{_fit(first)} at α = {alphas[0]:g}, where S7's slope on these T is {first.theory:.3f}, its limit {limits[0]:.3f}: "
        f"the measured exponents {nearest} −1/4, which S7 has only for α → 2 after T → ∞; {inside} of {len(rows)} intervals "
        f"contain S7's slope at finite T, and the quantile is at most {largest:.2f} of B1's ε."
    )


def _fit(row: report.Row) -> str:
    return f"{row.fit.exponent:.3f} [{row.fit.low:.3f}, {row.fit.high:.3f}]"


if __name__ == "__main__":
    report.main(draw, __file__)
