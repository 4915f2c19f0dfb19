"""Post-polar's buffer, and a polar step after it, on both sides of their threshold (S9, S10: conjectures).

spikesim run experiments/post_polar.toml --out results/post_polar
python experiments/post_polar.py          # draws; never simulates
"""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from spikesim import plots, report
from spikesim.estimate import mean_error
from spikesim.sweep.store import Result, Store
from spikesim.theory import asymptotics, post_polar

GROUP = "What is sharper"

BEYOND = 1.5
"""A window this many times the critical one, in 2T - 1, is called well above the threshold."""
SMALLEST = "y = 0.2"
TICKS = (3, 5, 10, 20, 50, 100)


class Compared(NamedTuple):
    """Mean, standard error and formula of one quantity over windows, of one point."""

    quantity: str
    mean: np.ndarray
    error: np.ndarray
    theory: np.ndarray
    above: np.ndarray


def draw(store: Store, figures: Path, published: Path | None = None) -> report.Outcome:
    """Draw figures/post_polar and say what it shows."""
    del published
    results = list(store)
    shapes = list(dict.fromkeys(r.model.shape for r in results))
    with plots.panels(len(shapes), 3, (11.6, 9.4), sharex=True) as (figure, axes):
        for row, shape in zip(axes, shapes, strict=True):
            group = [r for r in results if r.model.shape == shape]
            for result, style in zip(group, plots.SERIES_STYLE, strict=False):
                _values(row[0], result, style)
                _overlaps(row[1], result, style)
                _alignments(row[2], result, style)
            _finish(row, shape, group)
        for axis in axes[-1]:
            axis.set(xlabel=plots.SAMPLES, xlim=_span(results[0]))
            axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.17), ncol=2)
        finding = _finding(results)
        trials = f"rank 1, {results[0].data.trial.size} trials" + (" (quick run)" if store.quick else "")
        above = f"{trials}, Gaussian noise; y = λ / (σ √max(m, n)); vertical lines: critical window of S9 (rough)"
        plots.save(figure, figures, "post_polar", above, finding)
    return report.Outcome(finding)


def _windows(result: Result) -> np.ndarray:
    return result.data.window.values


def _of(result: Result, name: str, pipeline: str, index: int | None = None) -> np.ndarray:
    """(trial, window)."""
    values = result.data[name].sel(pipeline=pipeline)
    return values.values if index is None else values.sel(index=index).values


def _overlap(result: Result, side: str) -> np.ndarray:
    return 1 - _of(result, f"sin_theta_{side}", "post-polar") ** 2


def _setting(result: Result) -> tuple[tuple[int, int], float, float]:
    """Shape, sigma, spike."""
    return result.model.shape, result.model.noise.variance**0.5, result.model.spikes[0]


def _buffer(result: Result, windows: np.ndarray) -> dict[str, np.ndarray]:
    each = [post_polar.buffer(*_setting(result), t) for t in windows]
    return {name: np.array([getattr(b, name) for b in each]) for name in post_polar.Buffer._fields}


def _again(result: Result, windows: np.ndarray) -> np.ndarray:
    return np.array([float(post_polar.repolarised_alignment(*_setting(result), t)) for t in windows])


def _values(axis: Any, result: Result, style: dict[str, Any]) -> None:
    """sigma_1 filled by its name, sigma_2 in grey once, with spike and edge of S9."""
    x, name = 2 * _windows(result) - 1, result.coordinates["name"]
    plots.mean_band(axis, x, _of(result, "singular_values", "post-polar", 1), f"σ₁, {name}", **style | {"linestyle": "none"})
    theory = _buffer(result, fine := _fine(result))
    plots.guide(axis, 2 * fine - 1, theory["value"], "σ₁ of S9 (conjecture)" if name == SMALLEST else "")
    if name == SMALLEST:
        second = _of(result, "singular_values", "post-polar", 2)
        plots.mean_band(axis, x, second, f"σ₂, {name}", color="#555555", marker="x", markersize=6, linestyle="none")
        plots.guide(axis, 2 * fine - 1, theory["edge"], "edge of S9 (conjecture)", linestyle=":")


def _overlaps(axis: Any, result: Result, style: dict[str, Any]) -> None:
    x, name = 2 * _windows(result) - 1, result.coordinates["name"]
    theory = _buffer(result, fine := _fine(result))
    for side, filled, line in (("left", "none", "--"), ("right", style["color"], ":")):
        look = style | {"linestyle": "none", "markersize": 6, "markerfacecolor": filled}
        plots.mean_band(axis, x, _overlap(result, side), f"{side}, {name}", **look)
        label = f"{side}, S9 (conjecture)" if name == SMALLEST else ""
        plots.guide(axis, 2 * fine - 1, theory[side], label, linestyle=line)


def _alignments(axis: Any, result: Result, style: dict[str, Any]) -> None:
    x, name = 2 * _windows(result) - 1, result.coordinates["name"]
    look = style | {"linestyle": "none"}
    plots.mean_band(axis, x, _of(result, "alignment", "re-polarised"), f"re-polarised, {name}", **look)
    fine = _fine(result)
    long = fine[fine >= post_polar.SHORTEST]
    plots.guide(axis, 2 * long - 1, _again(result, long), "S10 (conjecture), T ≥ 5" if name == SMALLEST else "")
    pre = [asymptotics.alignment(*_setting(result), t) for t in fine]
    plots.guide(axis, 2 * fine - 1, pre, "pre-polar, S4" if name == SMALLEST else "", linestyle="-", color="#999999")


def _fine(result: Result) -> np.ndarray:
    """Windows of the theory curves: the measured ones among them."""
    measured = _windows(result)
    return np.unique(np.concatenate([measured, np.geomspace(measured.min(), measured.max(), 30)]))


def _finish(row: Any, shape: tuple[int, int], group: list[Result]) -> None:
    from matplotlib.ticker import NullFormatter

    names = "singular values of EMA(O(G))", "squared overlaps of EMA(O(G))", "alignment of O(EMA(O(G)))"
    for axis, name in zip(row, names, strict=True):
        for result in group:
            critical = 2 * post_polar.critical_window(*_setting(result)) - 1
            if critical >= 2 * _windows(result)[0] - 1:
                axis.axvline(critical, color="#BBBBBB", linewidth=1, zorder=0)
        axis.set(xscale="log", ylabel=name, title=f"{shape[0]} × {shape[1]}", ylim=(0, 1.04))
        axis.set_xticks(TICKS, [f"{x:g}" for x in TICKS])
        axis.xaxis.set_minor_formatter(NullFormatter())


def _compared(result: Result) -> list[Compared]:
    windows, theory = _windows(result), _buffer(result, _windows(result))
    measured = {
        "value": _of(result, "singular_values", "post-polar", 1),
        "edge": _of(result, "singular_values", "post-polar", 2),
        "left": _overlap(result, "left"),
        "right": _overlap(result, "right"),
    }
    critical = 2 * post_polar.critical_window(*_setting(result)) - 1
    above = (2 * windows - 1) > BEYOND * critical
    out = [Compared(name, *mean_error(samples), theory[name], above) for name, samples in measured.items()]
    long = windows >= post_polar.SHORTEST
    mean, error = mean_error(_of(result, "alignment", "re-polarised")[:, long])
    out.append(Compared("again", mean, error, _again(result, windows[long]), above[long]))
    return out


def _worst(compared: list[Compared], above: tuple[bool, ...]) -> str:
    """Largest deviations, in size and in standard errors, of the windows well above the threshold, or not, or all."""
    chosen = [np.isin(c.above, above) for c in compared]
    gap = np.concatenate([np.abs(c.mean - c.theory)[k] for c, k in zip(compared, chosen, strict=True)])
    score = gap / np.concatenate([c.error[k] for c, k in zip(compared, chosen, strict=True)])
    if not gap.size:
        return "(no window)"
    return f"{gap.max():.3f} or {score.max():.1f} standard errors ({gap.size} means)"


def _finding(results: list[Result]) -> str:
    everything = [c for r in results for c in _compared(r)]
    spike = [c for c in everything if c.quantity not in ("edge", "again")]
    again = [c for c in everything if c.quantity == "again"]
    below = np.concatenate([c.theory - c.mean for c in everything if c.quantity == "edge"])
    shares: dict[str, list[str]] = {}
    for result in results:
        whole, pre = (_of(result, "alignment", p)[:, -1].mean() for p in ("re-polarised", "pre-polar"))
        shares.setdefault(result.coordinates["name"], []).append(f"{100 * whole / pre:.1f}")
    said = ", ".join(f"{' and '.join(each)} % at {name}" for name, each in shares.items())
    return (
        f"Where 2T − 1 is more than {BEYOND:g} times critical, σ₁ and squared overlaps differ from the conjectured S9 by at "
        f"most {_worst(spike, (True,))}, nearer and below by at most {_worst(spike, (False,))}, where finite size blurs the "
        f"threshold; σ₂ lies {below.min():.3f} to {below.max():.3f} below the edge; the re-polarised alignment differs from "
        f"S10 by at most {_worst(again, (True, False))}, and at T = {_windows(results[0])[-1]:g} has {said} of pre-polar's "
        f"({' and '.join(_sizes(results))})."
    )


def _span(result: Result) -> tuple[float, float]:
    """Ends of the abscissa."""
    windows = _windows(result)
    return 0.9 * (2 * windows.min() - 1), 1.1 * (2 * windows.max() - 1)


def _sizes(results: list[Result]) -> list[str]:
    return list(dict.fromkeys(f"{r.model.shape[0]} × {r.model.shape[1]}" for r in results))


if __name__ == "__main__":
    report.main(draw, __file__)
