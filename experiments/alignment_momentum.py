"""Figure 4 of the paper. Alignment of every pipeline against momentum, full-rank and truncated, with sharp curves.

spikesim run experiments/alignment_momentum.toml --out results/alignment_momentum
python experiments/alignment_momentum.py          # draws; never simulates
"""

from pathlib import Path
from typing import Any

import numpy as np

from spikesim import plots, report
from spikesim.estimate import fit_rate, log_slope, mean_error
from spikesim.sweep.store import Store
from spikesim.theory import asymptotics

GROUP = "What the paper proves"

FIT_FROM = 5.0
"""Smallest window of the fit: below, pre-polar has left the low-SNR regime by less than the fit can see."""


def draw(store: Store, figures: Path, published: Path | None = None) -> report.Outcome:
    """Draw figures/alignment_momentum and say what it shows."""
    del published
    (result,) = store
    data, model = result.data, result.model
    at = model.shape, model.noise.variance**0.5, model.spikes
    windows, steps = data.window.values, int(data.attrs["steps"])  # the run stops at a finite step (F2)
    full = np.array([asymptotics.alignment(*at, t, steps) for t in windows])
    truncated = np.array([asymptotics.truncated_alignment(*at, t, steps) for t in windows])
    with plots.panels(1, 2, (11, 5.2), sharey=True) as (figure, (axes,)):
        for axis, name, theory, source in zip(
            axes, ("alignment", "alignment_truncated"), (full, truncated), ("S4", "S3"), strict=True
        ):
            _panel(axis, data, name, theory, source)
        axes[0].set(ylabel="alignment ⟨A, S⟩ / ‖S‖∗", title="full polar factor")
        axes[1].set(title=f"top-{model.rank} singular pairs only")
        axes[0].legend(loc="upper left")
        axes[1].legend(handles=axes[1].get_lines()[-1:], loc="upper left")
        finding = _finding(data)
        above = f"{plots.setting(result, store.quick)}, noise {model.noise}, {int(data.attrs['steps'])} steps from M₀ = 0"
        plots.save(figure, figures, "alignment_momentum", above, finding)
    late = data.window.values >= FIT_FROM
    misses = 1 - data.alignment.sel(pipeline="pre-polar").values[:, late]
    fit = fit_rate(data.window.values[late], misses)
    row = report.Row("1 - alignment, pre-polar", fit, log_slope(data.window.values[late], 1 - full[late]), "S4; limit -1")
    return report.Outcome(finding, (row,))


def _panel(axis: Any, data: Any, name: str, theory: np.ndarray, source: str) -> None:
    n_eff = 2 * data.window.values - 1
    for pipeline in data.pipeline.values:
        plots.mean_band(axis, n_eff, data[name].sel(pipeline=pipeline).values, pipeline, **plots.PIPELINE_STYLE[pipeline])
    plots.guide(axis, n_eff, theory, f"pre-polar, limit {source}")
    axis.set(xscale="log", xlabel=plots.SAMPLES, ylim=(0, 1))
    top = axis.secondary_xaxis("top", functions=(lambda x: x, lambda x: x))
    shown = [b for b in (0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.995) if 2 / (1 - b) - 1 <= n_eff[-1] * 1.001]
    top.set_xticks([2 / (1 - b) - 1 for b in shown], [f"{b:g}" for b in shown], minor=False)
    top.minorticks_off()
    top.set_xlabel("momentum β")


def _finding(data: Any) -> str:
    last = {p: mean_error(data.alignment.sel(pipeline=p).values[:, -1]) for p in data.pipeline.values}
    cut = {p: mean_error(data.alignment_truncated.sel(pipeline=p).values[:, -1])[0] for p in data.pipeline.values}
    said = ", ".join(f"{p} {mean:.3f} ± {1.96 * error:.3f}" for p, (mean, error) in last.items())
    lost = last["pre-polar"][0] - last["post-polar"][0]
    back = (last["re-polarised"][0] - last["post-polar"][0]) / lost
    return (
        f"At momentum {1 - 1 / data.window.values[-1]:g} the alignments are {said}: the order matters, yet a polar step "
        f"after the average brings back {100 * back:.0f} % of what post-polar lacks, so that much is scale, not direction; "
        f"truncated, pre-polar has {cut['pre-polar']:.3f} and re-polarised {cut['re-polarised']:.3f}."
    )


if __name__ == "__main__":
    report.main(draw, __file__)
