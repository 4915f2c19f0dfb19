"""Loss against alignment on noisy matrix quadratics, rates tuned, and where heavy momentum harms.

PYTHONPATH=experiments python -m training.quadratic    # measures, as `make training` does
python experiments/quadratic.py          # draws; never simulates
"""

from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from spikesim import plots, report
from spikesim.estimate import mean_error
from spikesim.records import Records

GROUP = "Real gradients"

POLAR = ("pre-polar", "post-polar", "re-polarised", "polar-only")
SGD = "momentum SGD"
STYLE: dict[str, dict[str, Any]] = plots.PIPELINE_STYLE | {SGD: plots.MANY_STYLE[4]}
ERROR = 0.05
"""Family-wise error of all comparisons of pipelines."""
BEARABLE = 1.1
"""Times the least loss that a window may have and still be called unharmed."""
STEEP = 10
"""Times the least loss above which losses are drawn on a logarithmic axis."""


@dataclass(frozen=True)
class Cell:
    """One condition number and noise: readings (seed,) of each method, a pipeline with a window."""

    condition: float
    noise: float
    windows: list[float]
    methods: dict[tuple[str, float], dict[str, np.ndarray]]

    def read(self, key: str, pipeline: str, window: float) -> np.ndarray:
        """One reading (seed,); at T = 1 every polar pipeline is polar-only, which has no other window."""
        alone = pipeline == "polar-only" or (pipeline in POLAR and window == 1)
        return self.methods[("polar-only", 1.0) if alone else (pipeline, window)][key]

    def along(self, key: str, pipeline: str) -> np.ndarray:
        """(seed, window)."""
        return np.stack([self.read(key, pipeline, w) for w in self.windows], axis=1)

    def polar(self, key: str) -> np.ndarray:
        """Of all methods that have a polar step, (seed, method)."""
        return np.stack([values[key] for (name, _), values in self.methods.items() if name != SGD], axis=1)

    def best(self, pipeline: str) -> float:
        """The window of the least mean ln loss."""
        return self.windows[int(self.along("log_loss", pipeline).mean(0).argmin())]

    def harm(self, pipeline: str) -> np.ndarray:
        """ln of the loss at the longest window over that at the best, (seed,)."""
        return self.read("log_loss", pipeline, self.windows[-1]) - self.read("log_loss", pipeline, self.best(pipeline))

    def unharmed(self, pipeline: str) -> float:
        """The longest window whose loss, by its mean logarithm, is at most BEARABLE times the least."""
        mean = self.along("log_loss", pipeline).mean(0)
        return max(w for w, x in zip(self.windows, mean, strict=True) if x <= mean.min() + np.log(BEARABLE))


def draw(records: Records, figures: Path, published: Path | None = None) -> report.Outcome:
    """Draw figures/quadratic and say what it shows."""
    del published
    plan, cells = records.data["plan"], _cells(records.data)
    noisy = [c for c in cells if c.noise > 0]
    shown = _middle(noisy)
    with plots.panels(2, 2, (12, 9.6)) as (figure, axes):
        _link(axes[0, 0], shown, "small_decrease", "decrease at one small rate, of f(W₀)")
        _link(axes[0, 1], shown, "loss", "final loss at the tuned rate, of f(W₀)")
        _harm(axes[1, 0], [c for c in cells if c.noise == shown.noise], "condition", f"noise {shown.noise:g}")
        _harm(axes[1, 1], [c for c in cells if c.condition == shown.condition], "noise", f"κ = {shown.condition:g}")
        finding = _finding(noisy)
        m, n = plan["shape"]
        above = (
            f"{m} × {n}, {plan['steps']} steps, {plan['seeds']} seeds (rates tuned on {plan['tuning']} others), 95 %; noise: "
            "‖Ξ‖ over ‖S‖ at the start; κ: the Hessian's condition number" + " (quick run)" * records.data["quick"]
        )
        plots.save(figure, figures, "quadratic", above, finding)
    return report.Outcome(finding, details=_details(cells, noisy))


def _cells(data: dict[str, Any]) -> list[Cell]:
    """In the order of the record, each method's readings as arrays and its loss beside ln loss."""
    out = []
    for cell in data["cells"]:
        methods = {
            (m["pipeline"], float(m["window"])): {
                k: np.array(v) for k, v in m.items() if isinstance(v, list) and k != "tried"
            }
            for m in cell["methods"]
        }
        for values in methods.values():
            values["loss"] = np.exp(values["log_loss"])
        out.append(Cell(cell["condition"], cell["noise"], [float(w) for w in data["plan"]["windows"]], methods))
    return out


def _middle(noisy: list[Cell]) -> Cell:
    """The problem that is drawn: of the middle condition number and noise, the upper one of two."""
    conditions, noises = (sorted({getattr(c, name) for c in noisy}) for name in ("condition", "noise"))
    at = conditions[len(conditions) // 2], noises[len(noises) // 2]
    return next(c for c in noisy if (c.condition, c.noise) == at)


def _student(samples: np.ndarray) -> tuple[float, float]:
    """Mean over seeds and the half-width of its 95 % interval, Student's t."""
    from scipy.stats import t

    mean, error = mean_error(samples)
    return float(mean), float(error * t.ppf(0.975, len(samples) - 1))


def _said(samples: np.ndarray) -> str:
    mean, half = _student(samples)
    return f"{mean:+.2f} ± {half:.2f}"


def _link(axis: Any, cell: Cell, key: str, label: str) -> None:
    """One reading against the alignment at weights that stand still; each line goes from T = 1 to the longest window."""
    for pipeline in POLAR[:-1]:
        x, y = (np.array([_student(s) for s in cell.along(k, pipeline).T]).T for k in ("still_alignment", key))
        axis.plot(x[0], y[0], label=pipeline, markersize=6, linewidth=1.2, **STYLE[pipeline])
        axis.errorbar(x[0], y[0], y[1], x[1], fmt="none", color=STYLE[pipeline]["color"], linewidth=1, capsize=2)
    only = [float(cell.read(k, "polar-only", 1).mean()) for k in ("still_alignment", key)]
    style = STYLE["polar-only"] | {"markersize": 10, "linestyle": "none", "zorder": 5}
    axis.plot(only[:1], only[1:], label="polar-only (T = 1)", **style)
    _windows(axis, cell, key)
    axis.set(xlabel="alignment ⟨A, S⟩ / ‖S‖∗ at still weights", ylabel=label)
    axis.set_title(f"κ = {cell.condition:g}, noise {cell.noise:g}; along a line T from 1 to {cell.windows[-1]:g}")
    axis.legend()


def _windows(axis: Any, cell: Cell, key: str) -> None:
    """T beside those of pre-polar's points that lie apart."""
    for window in cell.windows[1:-2]:
        at = [float(cell.read(k, "pre-polar", window).mean()) for k in ("still_alignment", key)]
        offset = {"xytext": (4, -15), "textcoords": "offset points", "fontsize": 9, "color": STYLE["pre-polar"]["color"]}
        axis.annotate(f"{window:g}", at, **offset)


def _harm(axis: Any, cells: list[Cell], varied: str, title: str) -> None:
    """pre-polar's loss against T, over the same seed's at its best T."""
    for cell, style in zip(cells, plots.SERIES_STYLE, strict=False):
        ln = cell.along("log_loss", "pre-polar")
        mean, half = np.array([_student(s) for s in (ln - ln[:, [ln.mean(0).argmin()]]).T]).T
        name = f"κ = {cell.condition:g}" if varied == "condition" else f"noise {cell.noise:g}"
        axis.plot(cell.windows, np.exp(mean), label=f"{name}, best T = {cell.best('pre-polar'):g}", **style)
        axis.fill_between(
            cell.windows, np.exp(mean - half), np.exp(mean + half), color=style["color"], alpha=0.25, linewidth=0
        )
    axis.set(xscale="log", xlabel="T = 1 / (1 − β)", title=title, ylabel="final loss of pre-polar over that at its best T")
    axis.set_xticks(cells[0].windows, [f"{w:g}" for w in cells[0].windows])
    axis.minorticks_off()
    if axis.get_ylim()[1] > STEEP:
        axis.set_yscale("log")
    axis.legend()


def _correlation(cells: list[Cell], x: str, y: str, sign: int = 1) -> np.ndarray:
    """Spearman's rank correlation over methods with a polar step, its mean over cells, (seed,)."""
    from scipy.stats import spearmanr

    return np.mean([[spearmanr(a, sign * b)[0] for a, b in zip(c.polar(x), c.polar(y), strict=True)] for c in cells], axis=0)


def _holm(p: np.ndarray) -> np.ndarray:
    """Which of many p-values are significant with family-wise error ERROR (Holm 1979)."""
    order, out = np.argsort(p), np.zeros(p.size, bool)
    passed = p[order] <= ERROR / (p.size - np.arange(p.size))
    out[order] = np.logical_and.accumulate(passed)
    return out


def _pairs(cells: list[Cell]) -> list[tuple[str, str]]:
    """For every cell, T > 1 and two pipelines: the two, and "same", "reversed" or "undecided".

    By paired t-tests over seeds of the differences of alignment and of ln loss, all of them one family.
    """
    from scipy.stats import ttest_rel

    names, scores, p = [], [], []
    for cell in cells:
        for window in cell.windows[1:]:
            for one, other in combinations(POLAR, 2):
                names.append(f"{one} and {other}")
                for key in ("still_alignment", "log_loss"):
                    test = ttest_rel(cell.read(key, one, window), cell.read(key, other, window))
                    scores.append(test.statistic)
                    p.append(test.pvalue)
    sure, (more, loss) = _holm(np.array(p)).reshape(-1, 2).all(1), np.sign(scores).reshape(-1, 2).T
    verdicts = np.where(sure, np.where(more == -loss, "same", "reversed"), "undecided")
    return list(zip(names, map(str, verdicts), strict=True))


def _count(pairs: list[tuple[str, str]], verdict: str) -> int:
    return sum(v == verdict for _, v in pairs)


def _finding(noisy: list[Cell]) -> str:
    pairs = _pairs(noisy)
    same, against = _count(pairs, "same"), _count(pairs, "reversed")
    harms = np.exp([c.harm("pre-polar").mean() for c in noisy])
    return (
        f"Alignment ranks methods by loss decrease at one small rate (Spearman "
        f"{_said(_correlation(noisy, 'still_alignment', 'small_decrease'))}), but with tuned constant rates "
        f"{_said(_correlation(noisy, 'still_alignment', 'log_loss', -1))}: of {same + against} decided pairs of pipelines "
        f"{against} reverse; in noise T = {noisy[0].windows[-1]:g} costs pre-polar {harms.min():.2f} to {harms.max():.2f} "
        f"times its least loss."
    )


def _details(cells: list[Cell], noisy: list[Cell]) -> str:
    return " ".join([_predictors(noisy), _orders(noisy), _broken(noisy), _best_windows(cells), _losses(cells)])


def _predictors(noisy: list[Cell]) -> str:
    by = [("still_gain", "the share of loss that one step of best rate takes away at still weights"),
          ("alignment", "the mean alignment along the tuned run")]  # fmt: skip
    parts = [f"{_said(_correlation(noisy, key, 'log_loss', -1))} with {name}" for key, name in by]
    return f"Spearman correlation of the tuned decrease over {len(noisy)} noisy problems: {', '.join(parts)}."


def _orders(noisy: list[Cell]) -> str:
    pairs, parts = _pairs(noisy), []
    for name in dict.fromkeys(n for n, _ in pairs):
        own = [p for p in pairs if p[0] == name]
        parts.append(f"{name} {_count(own, 'same')} / {_count(own, 'reversed')} / {_count(own, 'undecided')}")
    return (
        f"Pairs of pipelines, over {len(noisy)} problems and {len(noisy[0].windows) - 1} windows above 1, whose order by "
        f"alignment is that by tuned loss / reversed / undecided (paired t, Holm over all {2 * len(pairs)} tests at "
        f"{ERROR:.0%}): {'; '.join(parts)}."
    )


def _broken(noisy: list[Cell]) -> str:
    """What the curvature takes back, and how far apart the final losses are."""
    said = []
    for window in (noisy[0].windows[0], noisy[0].windows[-1]):
        first, whole = (np.array([c.read(k, "pre-polar", window).mean() for c in noisy]) for k in ("first_order", "decrease"))
        said.append(f"{np.mean(first / whole):.2f} (at most {np.max(first / whole):.2f}) times at T = {window:g}")
    least = np.array([[c.along("loss", p).mean(0).min() for p in POLAR] for c in noisy])
    apart = least.max(1) / least.min(1)
    return (
        f"The first order promises pre-polar {' and '.join(said)} what it gains: curvature takes back the rest. With T "
        f"tuned too, the four pipelines' losses lie within {apart.min():.2f} to {apart.max():.2f} times of each other."
    )


def _best_windows(cells: list[Cell]) -> str:
    parts = []
    for pipeline in (*POLAR[:-1], SGD):
        rows = []
        for noise in dict.fromkeys(c.noise for c in cells):
            own = [c for c in cells if c.noise == noise]
            rows.append(f"{noise:g}: " + ", ".join(f"{c.best(pipeline):g} ({c.unharmed(pipeline):g})" for c in own))
        parts.append(f"{pipeline} {'; '.join(rows)}")
    conditions = ", ".join(f"{x:g}" for x in dict.fromkeys(c.condition for c in cells))
    above = f"{BEARABLE - 1:.0%} above its loss"
    return f"Best T (and the longest at most {above}) by noise, for κ = {conditions}: {' | '.join(parts)}."


def _losses(cells: list[Cell]) -> str:
    """The worst harm, with its error, and momentum SGD beside the polar pipelines."""
    worst = max(cells, key=lambda c: float(c.harm("pre-polar").mean()))
    mean, half = _student(worst.harm("pre-polar"))
    low, high = np.exp([mean - half, mean + half])
    ahead = sum(c.along("loss", SGD).mean(0).min() < min(c.along("loss", p).mean(0).min() for p in POLAR) for c in cells)
    return (
        f"T = {worst.windows[-1]:g} harms pre-polar most at κ = {worst.condition:g}, noise {worst.noise:g}: "
        f"{np.exp(mean):.3g} times its least loss [{low:.3g}, {high:.3g}]. At the best T of each, {SGD} ends lowest in "
        f"{ahead} of {len(cells)} problems."
    )


if __name__ == "__main__":
    report.main(draw, __file__)
