"""How often B1 fails against what it allows: the radius of ‖N‖_F and the conclusion on all singular values.

spikesim run experiments/failure_frequency.toml --out results/failure_frequency
python experiments/failure_frequency.py          # draws; never simulates
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from spikesim import plots, report
from spikesim.sweep.store import Result, Store
from spikesim.theory import bounds

GROUP = "What the paper proves"

EVENTS = ("‖N‖$_F$ > ε", "some |σₖ(Mₜ) − λ̄ₖ| > ε")
TUNED = {"scale": "one scale a run, tuned to each T", "step": "rare i.i.d. steps, tuned to each T"}
"""Designs of which each model is read at the one window that its name says."""
DODGE = 1.06
"""Fixed laws stand side by side: each is moved sideways by this factor from the one before."""


@dataclass(frozen=True)
class Series:
    """One law: how many of its trials failed at each window, for both events (2, K)."""

    name: str
    windows: np.ndarray
    counts: np.ndarray
    trials: int

    @property
    def shares(self) -> np.ndarray:
        """Frequency over allowance, (2, K)."""
        return self.counts / self.trials / bounds.failure_probability(self.windows)


def draw(store: Store, figures: Path, published: Path | None = None) -> report.Outcome:
    """Draw figures/failure_frequency and say what it shows."""
    del published
    results = list(store)
    series = _series(results)
    fixed = len(series) - len(TUNED)
    with plots.panels(1, 2, (13.5, 6.2), sharey=True) as (figure, (axes,)):
        for event, axis in enumerate(axes):
            for number, (one, style) in enumerate(zip(series, plots.MANY_STYLE, strict=False)):
                _points(axis, one, event, DODGE ** (number - (fixed - 1) / 2) if number < fixed else 1.0, style)
            _finish(axis, series[0].windows, EVENTS[event])
        axes[0].set_ylabel("frequency of failure")
        figure.legend(*_entries(axes[0]), loc="outside right center")
        finding = _finding(series)
        steps = f"{int(results[0].data.attrs['steps'])} steps from M₀ = 0"
        above = f"{plots.setting(results[0], store.quick)} each, {steps}; fixed laws are moved sideways to stand side by side"
        plots.save(figure, figures, "failure_frequency", above, finding)
    return report.Outcome(finding)


def _series(results: list[Result]) -> list[Series]:
    """The fixed laws, then each tuned design put together from its models."""
    tuned: dict[str, list[Result]] = {kind: [] for kind in TUNED}
    out = []
    for result in results:
        kind = result.coordinates["name"].split(", T = ")[0]
        if kind in tuned:
            tuned[kind].append(result)
        else:
            windows = result.data.window.values
            out.append(Series(kind, windows, _counts(result, windows), result.data.trial.size))
    for kind, members in tuned.items():
        windows = np.array([float(r.coordinates["name"].split("T = ")[1]) for r in members])
        counts = np.concatenate([_counts(r, np.array([t])) for r, t in zip(members, windows, strict=True)], axis=1)
        out.append(Series(TUNED[kind], windows, counts, members[0].data.trial.size))
    return out


def _counts(result: Result, windows: np.ndarray) -> np.ndarray:
    """Failures (2, K): of the radius, and of any singular value; beyond the r-th the (r + 1)-th is furthest from 0."""
    data = result.data.sel(window=windows, pipeline="pre-polar")
    radius = bounds.perturbation_radius(result.model.eta, windows)
    moved = np.maximum(data["head_error"].values, data["tail"].values)
    return np.stack([(data["noise_fro"].values > radius).sum(0), (moved > radius).sum(0)])


def exact_interval(count: np.ndarray, trials: int) -> tuple[np.ndarray, np.ndarray]:
    """Clopper-Pearson, 95 %; a count of zero has a one-sided upper limit, 1 - 0.05^(1/n)."""
    from scipy.stats import beta

    inside = np.maximum(count, 1)
    low = np.where(count > 0, beta.ppf(0.025, inside, trials - inside + 1), 0.0)
    high = np.where(count < trials, beta.ppf(0.975, inside + 1, np.maximum(trials - inside, 1)), 1.0)
    return low, np.where(count > 0, high, 1 - 0.05 ** (1 / trials))


def _points(axis: Any, one: Series, event: int, moved: float, style: dict[str, Any]) -> None:
    count = one.counts[event]
    x, seen = (2 * one.windows - 1) * moved, count > 0
    low, high = exact_interval(count, one.trials)
    mean = np.where(seen, count / one.trials, np.nan)
    look = {"markersize": 5, "linewidth": 1.2} | style
    axis.plot(x, mean, label=one.name, **look)
    axis.errorbar(x, mean, np.where(seen, [mean - low, high - mean], np.nan), fmt="none", ecolor=style["color"], elinewidth=1)
    limit = {"color": style["color"], "linestyle": "none", "marker": "$↓$", "markersize": 9}
    axis.plot(x[~seen], high[~seen], label=f"_none: {one.name}", **limit)


def _finish(axis: Any, windows: np.ndarray, title: str) -> None:
    x = 2 * windows - 1
    allowed = bounds.failure_probability(windows)
    plots.guide(axis, x, allowed, "B1 allows (2T − 1)^(−1/2)", linestyle="-", linewidth=2)
    plots.guide(axis, x, allowed / math.e, "1/e of it: most of one rare i.i.d. step\n(conjecture, T → ∞)")
    axis.set(xscale="log", yscale="log", xlabel=plots.SAMPLES, title=title)


def _entries(axis: Any) -> tuple[list[Any], list[str]]:
    """Legend: every labelled line, and one arrow for all limits."""
    from matplotlib.lines import Line2D

    handles, labels = axis.get_legend_handles_labels()
    arrow = Line2D([], [], color="#555555", marker="$↓$", linestyle="none", markersize=9)
    return [*handles, arrow], [*labels, "no failure seen: 95 % upper limit"]


def _largest(series: list[Series], event: int) -> str:
    one = max(series, key=lambda s: s.shares[event].max())
    share = one.shares[event]
    if not share.any():
        return "none"
    return f"{share.max():.2f} ({one.name}, T = {one.windows[share.argmax()]:g})"


def _finding(series: list[Series]) -> str:
    fixed, tuned = [s for s in series if s.name not in TUNED.values()], [s for s in series if s.name in TUNED.values()]
    zeros = [sum(int(np.sum(s.counts[event] == 0)) for s in fixed) for event in (0, 1)]
    of = sum(s.windows.size for s in fixed)
    parts = [f"{_range(s, 0)} and {_range(s, 1)} by {s.name}" for s in tuned]
    above = sum(int(np.sum(exact_interval(s.counts, s.trials)[0] > bounds.failure_probability(s.windows))) for s in series)
    return (
        f"Of B1's allowance fixed laws use at most {_largest(fixed, 0)} for ‖N‖_F and {_largest(fixed, 1)} for singular "
        f"values, with no failure at {zeros[0]} and {zeros[1]} of {of} points; of ‖N‖_F's and of singular values' allowance "
        f"{'; '.join(parts)} are used, mean and range over T; exact intervals lie above the allowance at {above} of "
        f"{sum(s.counts.size for s in series)} points."
    )


def _range(one: Series, event: int) -> str:
    share = one.shares[event]
    return f"{share.mean():.2f} ({share.min():.2f} to {share.max():.2f})"


if __name__ == "__main__":
    report.main(draw, __file__)
