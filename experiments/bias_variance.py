"""Bias and variance of each order as an estimator of the true preconditioned update O(S), in T and in batch size b (S11).

Pre-polar is O(EMA(G)), a polar step after momentum; post-polar is EMA(O(G)), momentum after the polar step. Lecture notes
that ask which is the better estimator swap the two names in their last display: go by the formulas, not by the names.

Bias and variance are each one number over all trials of a point. Each seed is a group of trials of its own, and all intervals
are Student's over groups (for exponents, of the jackknife over them). Bias squared is estimated without bias (split halves'
mean), so it can be slightly negative. With two spikes o_1 and o_2 follow from alignment and projection, and E A is
sum E o_k u_k v_k^T by the noise's symmetry: sum (1 - E o_k)^2 is then the same number with far less noise.

spikesim run experiments/bias_variance.toml --out results/bias_variance
python experiments/bias_variance.py          # draws; never simulates
"""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from spikesim import plots, report
from spikesim.estimate import RateFit, log_slope
from spikesim.sweep.store import Result, Store
from spikesim.theory import asymptotics, high_snr, updates
from spikesim.theory.filters import ema

GROUP = "What is open"

ORDERS = ("pre-polar", "post-polar")
NEAR, FAR = 9.0, 160.0
"""Fits are over b (2T - 1) in between: asymptotic beyond the first; beyond the second squared bias is lost in its noise."""
HEADLINE = 4.0
"""Batch size whose exponents in T are said."""
FIXED = 4.0
"""T at which exponents in b are said."""
FAMILY = 0.05
"""Chance that any cell is called significant though neither order is better (Bonferroni)."""
_LOOKS: tuple[tuple[str, str, Any], ...] = (("pre-polar", "", "-"), ("post-polar", "none", "--"))
"""Order, face of its markers (its colour where empty), line of its theory."""
LIMIT = 0.25
"""S6 is drawn where all 1 - o_k are below this."""


class Points(NamedTuple):
    """One model at one batch size: bias squared, variance and their sum as measured, (seed, pipeline, window)."""

    name: str
    result: Result
    batch: float
    bias: np.ndarray
    variance: np.ndarray
    mse: np.ndarray

    @property
    def source(self) -> str:
        """Of the theory."""
        return "S11 with S4" if self.result.model.rank == 2 else "S11 with S6"

    @property
    def x(self) -> np.ndarray:
        """2T - 1."""
        return 2 * self.result.data.window.values - 1

    def of(self, which: str, pipeline: str) -> np.ndarray:
        """What: bias, variance or mse, (seed, window)."""
        return getattr(self, which)[:, list(self.result.data.pipeline.values).index(pipeline)]

    def theory(self, which: str, pipeline: str) -> np.ndarray:
        """S11 over windows with o_k of S4 (two spikes), or of S6 (full rank; NaN where it does not hold)."""
        return np.array([self._theory(t, pipeline)[which != "bias"] for t in self.result.data.window.values])

    def _theory(self, t: float, pipeline: str) -> tuple[float, float]:
        model, steps = self.result.model, int(self.result.data.attrs["steps"])
        at = model.shape, model.noise.variance**0.5, model.spikes, t if pipeline == "pre-polar" else 1.0, steps
        each = asymptotics.polar_alignment(*at) if model.rank == 2 else 1 - high_snr.misses(*at)
        if model.rank > 2 and each.min() < 1 - LIMIT:
            return np.nan, np.nan
        after = () if pipeline == "pre-polar" else ema(t, steps)[:2]
        return updates.bias_variance(model.shape, each, *after)


def draw(store: Store, figures: Path, published: Path | None = None) -> report.Outcome:
    """Draw figures/bias_variance and say what it shows."""
    del published
    points = _points(store)
    names = list(dict.fromkeys(p.name for p in points))
    with plots.panels(len(names), 3, (14, 10), sharex=True) as (figure, axes):
        for row, name in zip(axes, names, strict=True):
            group = [p for p in points if p.name == name]
            for point, style in zip(group, plots.SERIES_STYLE, strict=False):
                _lines(row[0], point, "bias", style)
                _lines(row[1], point, "variance", style)
                _ratios(row[2], point, style)
            _finish(row, group)
        rows = tuple(_row(p, which, order) for p in points if p.batch == HEADLINE for which in ("bias", "variance")
                     for order in ORDERS)  # fmt: skip
        groups_of = [[p for p in points if p.name == name] for name in names]
        at = f"b = {HEADLINE:g}, T = {(points[0].x[-1] + 1) / 2:g}"
        finding = (
            f"The better estimator of O(S) depends on S (post-polar's mean squared error over pre-polar's at {at}): "
            f"{'; '.join(map(_finding, groups_of))}."
        )
        data, groups = points[0].result.data, len(points[0].bias)
        (m, n), quick = points[0].result.model.shape, " (quick run)" * store.quick
        above = f"{m} × {n}, Gaussian noise of σ = 1/√b, {groups} groups of {data.trial.size} trials{quick}, bars 95 %"
        plots.save(figure, figures, "bias_variance", f"{above} over groups; values below their bar are left out", finding)
    found = "; ".join(map(_details, groups_of))
    details = f"With pre-polar O(EMA(G)) and post-polar EMA(O(G)) (some lecture notes swap the names), {found}."
    return report.Outcome(finding, rows, details)


def _points(store: Store) -> list[Points]:
    """One for each model and batch size, of all seeds."""
    groups: dict[tuple[str, float], list[Result]] = {}
    for result in store:
        groups.setdefault((result.coordinates["name"], result.coordinates["noise.sigma"]), []).append(result)
    return [Points(n, g[0], sigma**-2.0, *np.stack([_measured(r) for r in g], 1)) for (n, sigma), g in groups.items()]


def _measured(result: Result) -> np.ndarray:
    """Bias squared (of two spikes by their o_k, else entry by entry), variance, and their sum; (3, pipeline, window)."""
    entries, variance = (result.data[x].transpose("pipeline", "window").values for x in ("bias_squared", "variance"))
    bias = entries if result.model.rank != 2 else _bias_of_two(result)
    return np.stack([bias, variance, entries + variance])


def _bias_of_two(result: Result) -> np.ndarray:
    first, second = result.model.spikes
    total, mean = (result.data[x].transpose("trial", "pipeline", "window").values for x in ("alignment", "projection"))
    one = (total * (first + second) - 2 * second * mean) / (first - second)
    return np.sum([(1 - o.mean(0)) ** 2 - o.var(0, ddof=1) / len(o) for o in (one, 2 * mean - one)], axis=0)


def _error(samples: np.ndarray) -> np.ndarray:
    """Half of Student's 95 % interval of the mean over groups (seed, ...)."""
    from scipy.stats import t

    return t.ppf(0.975, len(samples) - 1) * samples.std(0, ddof=1) / len(samples) ** 0.5


def _lines(axis: Any, point: Points, which: str, style: dict[str, Any]) -> None:
    for order, filled, line in _LOOKS:
        samples = point.of(which, order)
        mean, half = samples.mean(0), _error(samples)
        shown = mean > half
        look = style | {"markerfacecolor": filled or style["color"], "linestyle": "none", "markersize": 6}
        plots.intervals(axis, point.x[shown], mean[shown], [(mean - half)[shown], (mean + half)[shown]],
                        f"{order}, b = {point.batch:g}", **look)  # fmt: skip
        plots.guide(axis, point.x, point.theory(which, order), f"_{order}, b = {point.batch:g}, theory", linestyle=line,
                    color=style["color"], linewidth=1)  # fmt: skip


def _ratios(axis: Any, point: Points, style: dict[str, Any]) -> None:
    for other, line in (("post-polar", "-"), ("re-polarised", ":")):
        ratio, error = _share(point, other)
        label = f"{'_' * (other != 'post-polar')}{other}, b = {point.batch:g}"
        plots.intervals(axis, point.x, ratio, [ratio - error, ratio + error], label, **style | {"linestyle": line})


def _share(point: Points, other: str) -> tuple[np.ndarray, np.ndarray]:
    """Mean squared error of another pipeline over pre-polar's, and half its interval to first order."""
    above, below = point.of("mse", other), point.of("mse", "pre-polar")
    ratio = above.mean(0) / below.mean(0)
    return ratio, _error((above - ratio * below) / below.mean(0))


def _finish(row: Any, group: list[Points]) -> None:
    from matplotlib.lines import Line2D

    spikes = group[0].result.model.spikes
    name = f"{group[0].name}, λ from {max(spikes):g} to {min(spikes):g}"
    labels = "bias² ‖E A − O(S)‖²", "variance E‖A − E A‖²", "mean squared error / pre-polar's"
    for axis, label in zip(row, labels, strict=True):
        axis.set(xscale="log", yscale="log", ylabel=label, xlabel=plots.SAMPLES, title=name)
    plots.plain_ticks(row[1])
    plots.plain_ticks(row[2])
    plots.guide(row[2], group[0].x, np.ones(group[0].x.size), "pre-polar", color="#999999", linestyle="-")
    row[2].plot([], [], "k:", label="re-polarised, each with its mark")
    keys = [Line2D([], [], color="#555555", marker="o", markerfacecolor=f or "#555555", linestyle=line, label=order)
            for order, f, line in _LOOKS]  # fmt: skip
    row[1].legend(handles=keys, title=f"lines: {group[0].source}", loc="lower left")
    invertible = len(spikes) == min(group[0].result.model.shape)
    row[2].legend(loc="upper left" if invertible else "lower left")


def _line(x: np.ndarray, values: np.ndarray) -> tuple[float, float]:
    """Slope of ln mean over groups (seed, x) against ln x, and half its 95 % interval by the jackknife over groups.

    Left out is every x at which some mean but for one group is not positive; NaN where fewer than two remain.
    """
    from scipy.stats import t

    count = len(values)
    left = (values.sum(0) - values) / (count - 1)
    kept = np.all(left > 0, axis=0)
    if kept.sum() < 2:
        return np.nan, np.nan
    slopes = np.polyfit(np.log(x[kept]), np.log(np.vstack([values.mean(0), left]))[:, kept].T, 1)[0]
    error = np.sqrt((count - 1) / count * np.sum((slopes[1:] - slopes[1:].mean()) ** 2))
    return float(slopes[0]), float(t.ppf(0.975, count - 1) * error)


def _row(point: Points, which: str, order: str) -> report.Row:
    """The exponent in 2T - 1 at one batch size."""
    inside = (point.batch * point.x >= NEAR) & (point.batch * point.x <= FAR)
    x, values = point.x[inside], point.of(which, order)[:, inside]
    slope, half = _line(x, values)
    fit = RateFit(slope, slope - half, slope + half, np.nan, (), interval="Student's, jackknife over groups of trials")
    quantity = f"{'bias²' if which == 'bias' else which}, {order}, {point.name}, b = {point.batch:g}"
    return report.Row(quantity, fit, log_slope((x + 1) / 2, point.theory(which, order)[inside]), point.source)


def _in_batches(group: list[Points], which: str, order: str) -> tuple[float, float]:
    """The exponent in b at FIXED. Post-polar's bias is that of one gradient, so b itself must pass HEADLINE."""
    window = int(np.flatnonzero(group[0].result.data.window.values == FIXED)[0])
    size = group[0].x[window]
    kept = [p for p in group if (NEAR <= p.batch * size <= FAR if order == "pre-polar" else p.batch >= HEADLINE)]
    values = np.stack([p.of(which, order)[:, window] for p in kept], 1)
    return _line(np.array([p.batch for p in kept]), values)


def _better(group: list[Points]) -> tuple[list[str], list[str], int]:
    """Cells T > 1 in which post-polar's, and pre-polar's, mean squared error is significantly lower; and of how many."""
    from scipy.stats import t

    cells = [(p, k) for p in group for k in range(p.x.size) if p.x[k] > 1]
    post: list[str] = []
    pre: list[str] = []
    for p, k in cells:
        apart = p.of("mse", "post-polar")[:, k] - p.of("mse", "pre-polar")[:, k]
        score = apart.mean() / (apart.std(ddof=1) / len(apart) ** 0.5)
        if abs(score) > t.ppf(1 - FAMILY / 2 / len(cells), len(apart) - 1):
            (post if score < 0 else pre).append(f"b = {p.batch:g}, T = {(p.x[k] + 1) / 2:g}")
    return post, pre, len(cells)


def _finding(group: list[Points]) -> str:
    """Which order has the lower mean squared error, in how many cells, and by how much at one."""
    at = next(p for p in group if p.batch == HEADLINE)
    post, pre, count = _better(group)
    ratio, error = _share(at, "post-polar")
    order, cells = ("post-polar EMA(O(G))", post) if len(post) > len(pre) else ("pre-polar O(EMA(G))", pre)
    return f"for {at.name} S {order} in {len(cells)} of {count} cells ({ratio[-1]:.4f} ± {error[-1]:.4f})"


def _details(group: list[Points]) -> str:
    at = next(p for p in group if p.batch == HEADLINE)
    said = []
    for order in ORDERS:
        bias, variance = (_row(at, w, order).fit for w in ("bias", "variance"))
        batch = [_in_batches(group, w, order) for w in ("bias", "variance")]
        said.append(
            f"{order} has bias² ~ n_eff^({_pm(bias.exponent, bias.high - bias.exponent)}) b^({_pm(*batch[0])}), variance "
            f"~ n_eff^({_pm(variance.exponent, variance.high - variance.exponent)}) b^({_pm(*batch[1])})"
        )
    post, pre, count = _better(group)
    ratio, error = _share(at, "post-polar")
    few = "; ".join(min(post, pre, key=len)[:4])
    return (
        f"for {at.name} S {' and '.join(said)}; post-polar is the better estimator in {len(post)} and pre-polar in "
        f"{len(pre)} of {count} cells of T > 1{f' ({few})' if few else ''}; at b = {at.batch:g}, T = {(at.x[-1] + 1) / 2:g} "
        f"post-polar has {_pm(ratio[-1], error[-1])} times pre-polar's mean squared error"
    )


def _pm(value: float, half: float) -> str:
    return f"{value:z.3f} ± {half:.3f}"


if __name__ == "__main__":
    report.main(draw, __file__)
