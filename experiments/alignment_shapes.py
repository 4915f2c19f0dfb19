"""Full-rank alignment of pre-polar and polar-only for several shapes, and how far from S4 it is.

spikesim run experiments/alignment_shapes.toml --out results/alignment_shapes
python experiments/alignment_shapes.py          # draws; never simulates
"""

from pathlib import Path
from typing import Any

import numpy as np

from spikesim import plots, report
from spikesim.estimate import mean_error
from spikesim.sweep.store import Result, Store
from spikesim.theory import asymptotics

GROUP = "What is sharper"

LIGHT = "Gaussian"
"""The law for which S4 is stated; for any other of finite variance it is a conjecture."""


def draw(store: Store, figures: Path, published: Path | None = None) -> report.Outcome:
    """Draw figures/alignment_shapes and say what it shows."""
    del published
    results = list(store)
    with plots.panels(1, 2, (13, 5.8)) as (figure, (axes,)):
        for result, style in zip(results, plots.MANY_STYLE, strict=False):
            _values(axes[0], result, style | {"markersize": 5})
            _deviation(axes[1], result, style | {"markersize": 5})
        _finish(figure, axes, results[0].data.window.values)
        finding = _finding(results)
        model, data = results[0].model, results[0].data
        trials = f"{data.trial.size} trials" + (" (quick run)" if store.quick else "")
        above = (
            f"rank 1, λ = {model.spikes[0]:g} at σ = {model.noise.variance**0.5:g}, Gaussian noise unless said otherwise, "
            f"{trials}, {int(data.attrs['steps'])} steps from M₀ = 0"
        )
        plots.save(figure, figures, "alignment_shapes", above, finding)
    return report.Outcome(finding)


def _limit(result: Result) -> np.ndarray:
    """S4 at each window."""
    model, steps = result.model, int(result.data.attrs["steps"])
    sigma = model.noise.variance**0.5
    return np.array([asymptotics.alignment(model.shape, sigma, model.spikes, t, steps) for t in result.data.window.values])


def _law(result: Result) -> str:
    return type(result.model.noise).__name__


def _values(axis: Any, result: Result, style: dict[str, Any]) -> None:
    data, name = result.data.alignment, result.coordinates["name"]
    x = 2 * result.data.window.values - 1
    plots.mean_band(axis, x, data.sel(pipeline="pre-polar").values, name, **style)
    flat = data.sel(pipeline="polar-only").values
    plots.mean_band(axis, x, flat, f"_polar-only {name}", linewidth=1.6, **style | {"linestyle": ":"})
    conjecture = "" if _law(result) == LIGHT else " (conjecture)"
    plots.guide(axis, x, _limit(result), f"_S4 {name}{conjecture}", linewidth=1)


def _deviation(axis: Any, result: Result, style: dict[str, Any]) -> None:
    samples = result.data.alignment.sel(pipeline="pre-polar").values
    smaller = min(result.model.shape)
    x = 2 * result.data.window.values - 1
    plots.mean_band(axis, x, smaller * (samples - _limit(result)), result.coordinates["name"], **style)


def _finish(figure: Any, axes: Any, windows: np.ndarray) -> None:
    from matplotlib.lines import Line2D

    x = 2 * windows - 1
    plots.guide(axes[1], x, np.zeros_like(x), "limit S4\n(Student-t: conjecture)")
    for sign in (-1, 1):
        plots.guide(axes[1], x, np.full_like(x, sign), "± 1/min(m, n)" if sign > 0 else "_", color="#888888", linestyle="-.")
    flat = Line2D([], [], color=plots.GREY, linestyle=":", linewidth=1.6, label="polar-only,\neach with its mark")
    shown = axes[1].get_legend_handles_labels()[0]
    figure.legend(handles=[*shown[:-2], flat, *shown[-2:]], loc="outside right center", title="pre-polar")
    axes[0].set(ylabel="alignment ⟨A, S⟩ / ‖S‖∗", title="pre-polar and polar-only")
    axes[1].set(ylabel="(mean alignment − S4) · min(m, n)", title="pre-polar less its limit (T = 1: polar-only)")
    for axis in axes:
        axis.set(xscale="log", xlabel=plots.SAMPLES)


def _finding(results: list[Result]) -> str:
    light = [r for r in results if _law(r) == LIGHT]
    heavy = [r for r in results if _law(r) != LIGHT]
    said = f"For {len(light)} shapes with Gaussian noise {_worst(light)}"
    if heavy:
        said += f"; for {' and '.join(r.coordinates['name'] for r in heavy)}, where S4 is a conjecture, {_worst(heavy)}"
    ends = [r.data.alignment.mean("trial").values[:, -1] for r in light]
    gains = ", ".join(
        f"{flat:.2f} and {pre:.2f} ({r.coordinates['name']})" for r, (pre, flat) in zip(light, ends, strict=True)
    )
    return f"{said}; polar-only and pre-polar at T = {light[0].data.window.values[-1]:g} have means {gains}."


def _worst(results: list[Result]) -> str:
    """Largest deviation of means from S4: as it is, in standard errors, and against standard error plus 1/min(m, n)."""
    off, errors, small, where = [], [], [], []
    for result in results:
        mean, error = mean_error(result.data.alignment.sel(pipeline="pre-polar").values)
        off.append(mean - _limit(result))
        errors.append(error)
        small.append(np.full_like(error, 1 / min(result.model.shape)))
        where += [f"T = {t:g}" + f", {result.coordinates['name']}" * (len(results) > 1) for t in result.data.window.values]
    d, e, s = (np.concatenate(x) for x in (off, errors, small))
    most = int(np.argmax(np.abs(d)))
    return (
        f"mean alignments lie within {abs(d[most]):.4f} of S4 ({d[most]:+.4f} at {where[most]}), "
        f"up to {np.max(np.abs(d / e)):.1f} standard errors and up to {np.max(np.abs(d) / (e + s)):.2f} of a standard error "
        f"plus 1/min(m, n)"
    )


if __name__ == "__main__":
    report.main(draw, __file__)
