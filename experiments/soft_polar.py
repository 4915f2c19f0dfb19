"""Soft, shrunk and truncated polar steps (O4 to O6) as estimators of O(S): for S of low and full rank, at two noise levels.

An update's squared error is read off each trial: <A, O(S)>_F = r projection and ‖A‖_F = sqrt(r) projection / cosine. The best
parameter of a family is picked on even trials and measured on odd ones.

spikesim run experiments/soft_polar.toml --out results/soft_polar
python experiments/soft_polar.py          # draws; never simulates
"""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from spikesim import plots, report
from spikesim.estimate import mean_error
from spikesim.sweep.store import Result, Store
from spikesim.theory import asymptotics

GROUP = "What is open"
FAMILIES = ("exact", "soft", "power", "hard threshold", "shrunk", "true rank")
NAMES = {
    "soft": "best soft",
    "power": "best power",
    "hard threshold": "hard threshold → polar",
    "shrunk": "shrinkage → polar",
}
PANELS = ("error", "alignment", "cosine")


class Best(NamedTuple):
    """The best of a family at one window: its parameter (NaN without one), and odd trials of each of PANELS."""

    parameter: float
    odd: dict[str, np.ndarray]


def draw(store: Store, figures: Path, published: Path | None = None) -> report.Outcome:
    """Draw figures/soft_polar and say what it shows."""
    del published
    results = list(store)
    groups = [[r for r in results if r.coordinates["name"] == name] for name in ("rank 2", "full rank")]
    with plots.panels(2, 3, (14.5, 9.8), sharex=True) as (figure, axes):
        for row, group in zip(axes, groups, strict=True):
            for axis, name in zip(row, PANELS, strict=True):
                _panel(axis, group, name)
            low = min(_means(r, f, "error").min() for r in group for f in FAMILIES)
            row[0].set(ylabel=f"S of {group[0].coordinates['name']}: E‖A − O(S)‖²", yscale="log", ylim=(low / 4, None))
            row[1].set(ylabel="alignment")
            row[2].set(ylabel="cosine with O(S)")
        for axis in axes[-1]:
            axis.set(xlabel="(2T − 1) / σ²")
        axes[0, 0].legend(loc="lower left")
        finding = _answer(*groups)
        details = f"{_low(groups[0])}; {_width(groups[0])}; {_raised(results)}; {_full(groups[1])}."
        (m, n), data = results[0].model.shape, results[0].data
        sizes = " and ".join(f"{r.model.noise.variance**0.5:g}" for r in groups[0])
        above = f"{m} × {n}, {data.trial.size} trials" + (" (quick run)" if store.quick else "")
        above += (
            f", Gaussian noise, σ = {sizes} (filled, open); bars 95 %; measured on other trials than the best is picked on"
        )
        plots.save(figure, figures, "soft_polar", above, finding)
    return report.Outcome(finding, details=details)


def _samples(result: Result, name: str, pipeline: str) -> np.ndarray:
    """(trial, window); "error" is ‖A - O(S)‖_F^2."""
    if name != "error":
        return result.data[name].sel(pipeline=pipeline).transpose("trial", "window").values
    projection, cosine = (_samples(result, n, pipeline) for n in ("projection", "cosine"))
    rank = result.model.rank
    norm = np.divide(projection, cosine, out=np.zeros_like(cosine), where=cosine != 0) * rank**0.5
    return norm**2 - 2 * rank * projection + rank


def _x(result: Result) -> np.ndarray:
    return (2 * result.data.window.values - 1) / result.model.noise.variance


def _members(result: Result, family: str) -> list[str]:
    return [p for p in result.data.pipeline.values if p.startswith(family)]


def _best(result: Result, family: str) -> list[Best]:
    """Least mean error on even trials, at each window."""
    members, out = _members(result, family), []
    errors = np.stack([_samples(result, "error", p)[0::2].mean(0) for p in members])
    for w, chosen in enumerate(errors.argmin(0)):
        odd = {name: _samples(result, name, members[chosen])[1::2, w] for name in PANELS}
        out.append(Best(float(members[chosen].split()[1]) if len(members) > 1 else np.nan, odd))
    return out


def _panel(axis: Any, group: list[Result], name: str) -> None:
    for number, (family, style) in enumerate(zip(FAMILIES, plots.MANY_STYLE, strict=False)):
        for result in group:
            is_first = result is group[0]
            value, error = np.array([mean_error(b.odd[name]) for b in _best(result, family)]).T
            x = _x(result) * 1.04 ** (number - 2.5)
            face = style["color"] if is_first else "white"
            look = style | {
                "markersize": 5,
                "linestyle": "-" if is_first else "none",
                "linewidth": 0.8,
                "markerfacecolor": face,
            }
            label = NAMES.get(family, family if family == "exact" else "Polar(2)") if is_first else "_open"
            low = np.maximum(value - 1.96 * error, 1e-9) if name == "error" else value - 1.96 * error
            plots.intervals(axis, x, value, [low, value + 1.96 * error], label, **look)
    axis.set(xscale="log")


def _means(result: Result, family: str, name: str) -> np.ndarray:
    return np.array([b.odd[name].mean() for b in _best(result, family)])


def _paired(result: Result, family: str, other: str, name: str, window: int) -> tuple[float, float]:
    """Mean difference of odd trials, and its standard error."""
    a, b = (_best(result, f)[window].odd[name] for f in (family, other))
    mean, error = mean_error(a - b)
    return float(mean), float(error)


def _answer(low: list[Result], full: list[Result]) -> str:
    """Least error without the rank at low rank, and what a form gains on the exact step at full rank and in alignment."""
    winner, since, x = _runs(low)[-1]
    error, exact = (mean_error(_best(low[0], f)[-1].odd["error"]) for f in (winner, "exact"))
    rival = min(FAMILIES[1:-1], key=lambda f: _paired(full[0], f, "exact", "error", -1)[0])
    change, half = _paired(full[0], rival, "exact", "error", -1)
    most, spread, _ = _most_raised(low + full)
    return (
        f"For S of rank 2, {_name(winner)} has the least squared error to O(S) from (2T − 1)/σ² = {since:.3g} on (at "
        f"{x:.4g}, {error[0]:.2g} ± {1.96 * error[1]:.1g}, exact {exact[0]:.3g}); for S of full rank "
        f"the best changes exact's by {change:+.1g} ± {1.96 * half:.1g}; "
        f"no soft form or power raises alignment by more than {most:.1e} ± {1.96 * spread:.0e}."
    )


def _low(group: list[Result]) -> str:
    """Who wins where without being told the rank, and the errors at the largest effective sample size."""
    first = group[0]
    errors = {f: mean_error(_best(first, f)[-1].odd["error"]) for f in FAMILIES}
    said = ", ".join(f"{_name(f)} {m:.3g} ± {1.96 * e:.1g}" for f, (m, e) in errors.items())
    variance = [float(first.data.variance.sel(pipeline=p)[-1]) for p in ("exact", _picked(first, "soft", -1))]
    return (
        f"For S of rank 2 the least squared error to O(S) without knowing the rank ({first.model.rank} for A = 0) is "
        f"{_winners(group)}; at {_x(first)[-1]:.3g} it is {said}, with variance {variance[0]:.4g} of the exact factor, which "
        f"never vanishes (S11), and {variance[1]:.2g} of the best soft one"
    )


def _name(family: str) -> str:
    return NAMES.get(family, "Polar(2)" if family == "true rank" else family)


def _picked(result: Result, family: str, window: int) -> str:
    """The pipeline that is best at a window."""
    return f"{family} {_best(result, family)[window].parameter:g}"


def _runs(group: list[Result]) -> list[tuple[str, float, float]]:
    """The family of least error but the truncated one, in runs of (2T - 1)/sigma^2: family, first and last."""
    rivals = FAMILIES[:-1]
    at = []
    for result in group:
        means = np.round([_means(result, f, "error") for f in rivals], 9)  # those that left the same tie
        at += [(x, rivals[k]) for x, k in zip(_x(result), means.argmin(0), strict=True)]
    runs: list[tuple[str, float, float]] = []
    for x, name in sorted(at):
        if runs and runs[-1][0] == name:
            runs[-1] = (name, runs[-1][1], x)
        else:
            runs.append((name, x, x))
    return runs


def _winners(group: list[Result]) -> str:
    """The runs of _runs in words."""
    spans = [(_name(f), f"{low:.3g} to {high:.3g}" if high > low else f"{low:.3g}") for f, low, high in _runs(group)]
    return ", ".join(f"that of {name} at (2T − 1)/σ² = {span}" for name, span in spans)


def _width(group: list[Result]) -> str:
    """Best epsilon over the edge of the bulk, from little to much averaging."""
    ends, tried = [], [float(p.split()[1]) for p in _members(group[0], "soft")]
    for result, w in ((group[-1], 0), (group[-1], -1), (group[0], -1)):
        sigma = result.model.noise.variance**0.5
        edge = asymptotics.bulk_edge(result.model.shape, sigma, float(result.data.window.values[w]))
        found = _best(result, "soft")[w].parameter
        limit = f" (ε = {found:g}, the largest tried)" if found == max(tried) else ""
        ends.append(f"{found / edge:.2g} at {_x(result)[w]:.3g}{limit}")
    return f"the best ε of the soft form is, over the bulk's edge, {', '.join(ends)}"


def _most_raised(results: list[Result]) -> tuple[float, float, int]:
    """The largest gain of any soft form or power in raw alignment, its standard error (trials paired), and of how many."""
    gains = []
    for result in results:
        for pipeline in _members(result, "soft") + _members(result, "power"):
            mean, error = mean_error(_samples(result, "alignment", pipeline) - _samples(result, "alignment", "exact"))
            gains += list(zip(mean, error, strict=True))
    return *max(gains), len(gains)


def _raised(results: list[Result]) -> str:
    """The largest gain of any soft form or power in raw alignment, and the best soft one's cosine."""
    most, error, cases = _most_raised(results)
    cosine = _means(results[0], "soft", "cosine")[-1], _means(results[0], "exact", "cosine")[-1]
    return (
        f"no form in {cases} cases raises raw alignment by more than {most:.1e} ± {1.96 * error:.0e}, while at the "
        f"largest sample the best soft one's cosine is {cosine[0]:.3f} against {cosine[1]:.3f}"
    )


def _full(group: list[Result]) -> str:
    """Full rank: exact against best soft and shrunk at both ends."""
    parts = []
    for result, w in ((group[-1], 0), (group[0], -1)):
        said = []
        for family in ("soft", "power", "shrunk"):
            mean, error = _paired(result, family, "exact", "error", w)
            said.append(f"{NAMES[family]} {mean:+.3g} ± {1.96 * error:.1g}")
        exact = _means(result, "exact", "error")[w]
        parts.append(f"{', '.join(said)} against exact's {exact:.3g} at {_x(result)[w]:.3g}")
    return f"for S of full rank the error changes by {'; '.join(parts)}"


if __name__ == "__main__":
    report.main(draw, __file__)
