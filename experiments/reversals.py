"""Where the order of momentum and polar step turns round: rare large gradients (R1), cosine (R2, S5), unequal spikes (R3).

spikesim run experiments/reversals.toml --out results/reversals
python experiments/reversals.py          # draws; never simulates
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from spikesim import plots, report
from spikesim.estimate import mean_error
from spikesim.sweep.store import Result, Store
from spikesim.theory import asymptotics, updates

GROUP = "Where the order reverses"

ORDERS = ("pre-polar", "post-polar")
RATIO_FROM = 5.0
"""Smallest window of the ratio: below, the small spike's o_2 is lost in noise."""


def draw(store: Store, figures: Path, published: Path | None = None) -> report.Outcome:
    """Draw figures/reversals and say what it shows."""
    del published
    named = {r.coordinates["name"]: r for r in store}
    rare, one, unequal = (named[x] for x in ("rare large gradients", "one spike", "unequal spikes"))
    unequal = replace(unequal, data=unequal.data.sel(window=unequal.data.window >= RATIO_FROM))
    with plots.panels(1, 3, (14, 5.6), sharex=True) as (figure, (axes,)):
        _rare(axes[0], rare)
        _cosine(axes[1], one)
        _unequal(axes[2], unequal)
        for axis in axes:
            axis.set(xscale="log", xlabel=plots.SAMPLES)
        finding = f"{_rare_finding(rare)}; {_cosine_finding(one)}; {_unequal_finding(unequal)}."
        above = f"{rare.data.trial.size} trials" + (" (quick run)" if store.quick else "")
        plots.save(figure, figures, "reversals", f"{above}, {int(rare.data.attrs['steps'])} steps from zero", finding)
    return report.Outcome(finding)


def _read(result: Result, name: str, pipeline: str) -> np.ndarray:
    """(trial, window)."""
    return result.data[name].sel(pipeline=pipeline).values


def _x(result: Result) -> np.ndarray:
    return 2 * result.data.window.values - 1


def _at(result: Result) -> tuple[tuple[int, int], float, tuple[float, ...]]:
    """Shape, sigma, spikes."""
    return result.model.shape, result.model.noise.variance**0.5, result.model.spikes


def _name(result: Result) -> str:
    m, n = result.model.shape
    return f"{m} × {n}, λ = {', '.join(f'{x:.3g}' for x in result.model.spikes)}"


def _rare(axis: Any, result: Result) -> None:
    for pipeline in result.data.pipeline.values:
        style = plots.PIPELINE_STYLE[pipeline]
        plots.mean_band(axis, _x(result), _read(result, "alignment", pipeline), pipeline, **style)
    noise: Any = result.model.noise
    axis.set(ylabel="alignment ⟨A, S⟩ / ‖S‖∗", ylim=(0, 1.04))
    axis.set_title(
        f"R1: noise × {noise.factor:g} in {100 * noise.p:g} % of steps\n{_name(result)}, σ = {noise.sigma:g}", fontsize=11
    )
    axis.legend(loc="lower right")


def _cosine_theory(result: Result, pipeline: str) -> np.ndarray:
    function = updates.pre_polar_cosine if pipeline == "pre-polar" else updates.post_polar_cosine
    steps = int(result.data.attrs["steps"])
    return np.array([function(*_at(result), t, steps) for t in result.data.window.values])


def _cosine(axis: Any, result: Result) -> None:
    for pipeline in (*ORDERS, "re-polarised"):
        style = plots.PIPELINE_STYLE[pipeline]
        plots.mean_band(axis, _x(result), _read(result, "cosine", pipeline), pipeline, **style)
    plots.guide(axis, _x(result), _cosine_theory(result, "post-polar"), "post-polar, S5")
    plots.guide(axis, _x(result), _cosine_theory(result, "pre-polar"), "pre-polar, S4", linestyle=":")
    axis.set(ylabel="cosine ⟨A, Q⟩ / (‖A‖ √r)", ylim=(0, 1.04))
    axis.set_title(f"R2: cosine, Gaussian noise\n{_name(result)}, σ = {_at(result)[1]:g}", fontsize=11)
    axis.legend(loc="upper left")


def _ratio(result: Result, pipeline: str) -> tuple[np.ndarray, np.ndarray]:
    """o_1/o_2 of each window as a ratio of means, and its standard error to first order.

    projection = (o_1 + o_2)/2 and alignment = (lambda_1 o_1 + lambda_2 o_2)/(lambda_1 + lambda_2).
    """
    first, second = result.model.spikes
    mean, total = _read(result, "projection", pipeline), _read(result, "alignment", pipeline)
    one = (total * (first + second) - 2 * second * mean) / (first - second)
    two = 2 * mean - one
    ratio = one.mean(0) / two.mean(0)
    return ratio, mean_error((one - ratio * two) / two.mean(0))[1]


def _ratio_theory(result: Result, pipeline: str) -> np.ndarray:
    """a(theta_1)/a(theta_2) of S4, at one gradient for post-polar (B4)."""
    steps = int(result.data.attrs["steps"])
    windows = result.data.window.values if pipeline == "pre-polar" else np.ones(result.data.window.size)
    each = np.array([asymptotics.polar_alignment(*_at(result), t, steps) for t in windows])
    return each[:, 0] / each[:, 1]


def _unequal(axis: Any, result: Result) -> None:
    first, second = result.model.spikes
    for pipeline, line in zip(ORDERS, (":", "--"), strict=True):
        ratio, error = _ratio(result, pipeline)
        axis.errorbar(
            _x(result), ratio, 1.96 * error, label=pipeline, capsize=3, markersize=4, **plots.PIPELINE_STYLE[pipeline]
        )
        plots.guide(axis, _x(result), _ratio_theory(result, pipeline), f"{pipeline}, S4", linestyle=line)
    for value, label, line in ((first / second, "λ₁ / λ₂: plain average", "-."), (1.0, "1: preconditioned", "-")):
        plots.guide(axis, _x(result), np.full(_x(result).size, value), label, linestyle=line, color="#999999")
    axis.set(ylabel="o₁ / o₂ (ratio of means)", ylim=(0, 2 * first / second))
    axis.set_title(f"R3: unequal spikes, Gaussian noise\n{_name(result)}, σ = {_at(result)[1]:g}", fontsize=11)
    axis.legend(loc="upper right")


def _rare_finding(result: Result) -> str:
    """Windows where post-polar leads pre-polar by more than 1.96 standard errors of the difference, and the widest lead."""
    mean, error = mean_error(_read(result, "alignment", "post-polar") - _read(result, "alignment", "pre-polar"))
    windows = result.data.window.values
    ahead = windows[mean > 1.96 * error]
    k = int(mean.argmax())
    values = ", ".join(f"{p} {_read(result, 'alignment', p)[:, k].mean():.3f}" for p in result.data.pipeline.values)
    where = f" (T = {ahead.min():g} to {ahead.max():g})" if ahead.size else ""
    return (
        f"R1: with rare large gradients post-polar is significantly ahead of pre-polar at {ahead.size} of {windows.size} "
        f"windows{where}, most at T = {windows[k]:g}, by {mean[k]:.2f} ± {1.96 * error[k]:.2f} ({values})"
    )


def _cosine_finding(result: Result) -> str:
    ends = [f"{_read(result, 'cosine', p)[:, -1].mean():.3f}" for p in ("post-polar", "pre-polar")]
    scores, gaps = [], []
    for pipeline in ORDERS:
        mean, error = mean_error(_read(result, "cosine", pipeline))
        gaps.append(np.abs(mean - _cosine_theory(result, pipeline)))
        scores.append(gaps[-1] / error)
    ahead = np.sum(_read(result, "cosine", "post-polar").mean(0) > _read(result, "cosine", "pre-polar").mean(0))
    return (
        f"R2: by cosine post-polar is ahead at {ahead} of {_x(result).size} windows, {ends[0]} against {ends[1]} at the "
        f"last, within {np.max(gaps):.3f} ({np.max(scores):.1f} standard errors at most) of S5 and S4"
    )


def _unequal_finding(result: Result) -> str:
    said, scores = [], []
    for pipeline in ORDERS:
        ratio, error = _ratio(result, pipeline)
        theory = _ratio_theory(result, pipeline)
        scores.append(np.abs(ratio - theory) / error)
        said.append(f"{pipeline} {ratio[-1]:.2f} ± {1.96 * error[-1]:.2f} (S4 {theory[-1]:.2f})")
    first, second = result.model.spikes
    return (
        f"R3: at spikes {first / second:.3g} : 1 the last o₁/o₂ is {' and '.join(said)}, and from T = {RATIO_FROM:g} on "
        f"all lie within {np.max(scores):.1f} standard errors of S4"
    )


if __name__ == "__main__":
    report.main(draw, __file__)
