"""Singular values of the momentum buffer against the numbers that the paper's authors publish for their own simulator.

spikesim run experiments/published_grid.toml --out results/published_grid
python experiments/published_grid.py --published grid.json          # draws; never simulates

grid.json is denoised-ortho/data/grid.json of the authors' project page (repository yinleung/yinleung.github.io); it is
theirs and not shipped here. Without it, or with a quick run's smaller matrices, the same values are drawn against the
sharp limit S3 instead.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from spikesim import plots, report
from spikesim.errors import need
from spikesim.sweep.store import Result, Store
from spikesim.theory import asymptotics

GROUP = "What the paper proves"

ROUNDING = 1e-4 / 12**0.5
"""Standard error of the fourth decimal to which the numbers are published."""


def draw(store: Store, figures: Path, published: Path | None = None) -> report.Outcome:
    """Draw figures/published_grid and say what it shows."""
    if published is None:
        return _without(store, figures, "no published numbers given: --published PATH compares with the authors' grid.json")
    grid = _read(published)
    shape = next(iter(store)).model.shape
    if (grid["meta"]["m"], grid["meta"]["n"]) != shape:
        return _without(store, figures, f"{shape[0]} × {shape[1]} is not the published size: use a full run to compare")
    return _compare(store, figures, grid)


def _read(path: Path) -> dict[str, Any]:
    try:
        grid = json.loads(path.read_text(encoding="utf-8"))
        meta = {"n_trials", "m", "n", "sigma_grid", "beta_grid"} <= set(grid["meta"])
        whole = meta and {"1", "3"} <= set(grid["mom"]) and "1" in grid["raw"]
    except (ValueError, KeyError, TypeError):
        whole = False
    need(whole, "published: the authors' grid.json", path=str(path))
    return grid


def _compare(store: Store, figures: Path, grid: dict[str, Any]) -> report.Outcome:
    sigmas, betas = np.array(grid["meta"]["sigma_grid"]), np.array(grid["meta"]["beta_grid"])
    scores = {name: _scores(list_, grid, sigmas, betas) for name, list_ in _by_name(store).items()}
    everything = np.concatenate([z.ravel() for z in scores.values()])
    finding = _finding(everything, grid)
    one = next(iter(store))
    with plots.panels(2, 4, (13, 7.4)) as (figure, axes):
        wide = axes[0, 2].get_gridspec()[0, 2:]
        for axis in axes[0, 2:]:
            axis.remove()
        _histogram(figure.add_subplot(wide), everything)
        for row, (name, z) in zip(axes, scores.items(), strict=True):
            for k, axis in enumerate(row[: z.shape[-1]]):
                what = "head" if k < z.shape[-1] - 1 else "first tail"
                image = _map(axis, sigmas, betas, z[..., k], f"{name}: {what}, singular value {k + 1}")
        figure.colorbar(image, ax=axes[1, :], location="right", label="difference / standard error", shrink=0.9)
        trials = f"{one.data.trial.size} trials a point against the authors' {grid['meta']['n_trials']}"
        size = f"{one.model.shape[0]} × {one.model.shape[1]}"
        above = f"{size}, ARCH(0.3) noise, {int(one.data.attrs['steps'])} steps, {trials}"
        plots.save(figure, figures, "published_grid", above, finding)
    return report.Outcome(finding, needs=" --published grid.json")


def _finding(z: np.ndarray, grid: dict[str, Any]) -> str:
    within = [int(np.sum(np.abs(z) < k)) for k in (1, 2, 3)]
    sigmas = np.array(grid["meta"]["sigma_grid"])
    bulk = (np.array(grid["raw"]["1"])[:, 9] / sigmas)[sigmas <= 0.5]  # well below the spike: noise alone
    return (
        f"Of {z.size} published means, {within[0]} lie within 1 standard error of ours, {within[1]} "
        f"({100 * within[1] / z.size:.1f} %) within 2 and {within[2]} within 3 (normal errors: 68, 95.4 and 99.7 %), "
        f"mean {z.mean():+.2f}, root-mean-square {np.sqrt(np.mean(z**2)):.2f}, largest {np.abs(z).max():.1f}; "
        f"few of these comparisons are independent: the authors' noise levels share one noise (up to σ = 0.5 their 10th "
        f"singular value over σ varies by {100 * np.ptp(bulk) / bulk.mean():.1g} %), as do their momenta."
    )


def _histogram(axis: Any, z: np.ndarray) -> None:
    axis.hist(
        z, bins=np.linspace(-4, 4, 41), density=True, color=plots.SERIES_STYLE[0]["color"], alpha=0.5, label="all differences"
    )
    x = np.linspace(-4, 4, 201)
    plots.guide(axis, x, np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi), "standard normal")
    axis.set(xlabel="difference / standard error", ylabel="density")
    axis.legend()


def _by_name(store: Store) -> dict[str, list[Result]]:
    out: dict[str, list[Result]] = {}
    for result in store:
        out.setdefault(result.coordinates["name"], []).append(result)
    return out


def _scores(results: list[Result], grid: dict[str, Any], sigmas: np.ndarray, betas: np.ndarray) -> np.ndarray:
    """(ours - theirs) / standard error of the difference, (sigma, beta, index); our variance serves both."""
    values = np.stack([r.data.singular_values.sel(pipeline="pre-polar").values for r in results])
    rank, trials = values.shape[-1] - 1, values.shape[1]
    theirs = np.array(grid["mom"][str(rank)])[..., : rank + 1]
    ours = [r.coordinates["noise.sigma"] for r in results]
    windows = results[0].data.window.values
    same = np.array_equal(ours, sigmas) and windows.size == betas.size and np.allclose(windows, 1 / (1 - betas))
    need(same, "the published noise levels and momenta", results=len(results))
    share = 1 / trials + 1 / grid["meta"]["n_trials"]
    return (values.mean(1) - theirs) / np.sqrt(values.var(1, ddof=1) * share + ROUNDING**2)


def _map(axis: Any, sigmas: np.ndarray, betas: np.ndarray, z: np.ndarray, title: str) -> Any:
    image = axis.imshow(z, origin="lower", aspect="auto", cmap=plots.SIGNS, vmin=-3, vmax=3)
    columns, rows = range(0, betas.size, 6), range(0, sigmas.size, 5)
    axis.set_xticks(list(columns), [f"{betas[i]:g}" for i in columns], fontsize=8)
    axis.set_yticks(list(rows), [f"{sigmas[i]:g}" for i in rows], fontsize=8)
    axis.set(xlabel="momentum β", ylabel="noise level σ")
    axis.set_title(title, fontsize=10)
    axis.grid(False)
    return image


def _without(store: Store, figures: Path, why: str) -> report.Outcome:
    """Head and first tail of each rank against momentum at a few noise levels, with the limits S2 and S3."""
    named = _by_name(store)
    with plots.panels(1, len(named), (11, 5.2), sharey=True) as (figure, (axes,)):
        for axis, (name, results) in zip(axes, named.items(), strict=True):
            chosen = results[:: max(1, (len(results) - 1) // 2)][:3]
            for result, style in zip(chosen, plots.SERIES_STYLE, strict=False):
                _lines(axis, result, style["color"])
            axis.set(xscale="log", yscale="log", xlabel=plots.SAMPLES, title=name)
            axis.legend()
        axes[0].set_ylabel("singular values of Mₜ: head solid, first tail dashed")
        worst = max(_deviation(r) for results in named.values() for r in results)
        finding = f"Head and first tail lie within {100 * worst:.1f} % of their limits S2 and S3 (black dots); {why}."
        above = f"{plots.setting(named['rank 3'][0], store.quick)} a point (rank 1: the first spike alone), ARCH(0.3) noise"
        plots.save(figure, figures, "published_grid", above, finding)
    return report.Outcome(finding)


def _limits(result: Result) -> np.ndarray:
    """(window, r + 1): limits of the head and the edge at the run's finite step."""
    model, steps = result.model, int(result.data.attrs["steps"])
    sigma = model.noise.variance**0.5
    out = []
    for t in result.data.window.values:
        head = asymptotics.singular_value(model.shape, sigma, model.spikes, t, steps)
        out.append(np.append(head, asymptotics.bulk_edge(model.shape, sigma, t, steps)))
    return np.array(out)


def _deviation(result: Result) -> float:
    """Largest relative deviation of a mean from its limit."""
    mean = result.data.singular_values.sel(pipeline="pre-polar").values.mean(0)
    return float(np.max(np.abs(mean / _limits(result) - 1)))


def _lines(axis: Any, result: Result, color: str) -> None:
    values, limits = result.data.singular_values.sel(pipeline="pre-polar").values, _limits(result)
    x = 2 * result.data.window.values - 1
    for k in range(values.shape[-1]):
        head = k < values.shape[-1] - 1
        label = f"σ = {result.coordinates['noise.sigma']:g}" if k == 0 else ""
        plots.mean_band(axis, x, values[..., k], label, color=color, linestyle="-" if head else "--")
        axis.plot(x, limits[:, k], color="black", linestyle="none", marker=".", markersize=3)


if __name__ == "__main__":
    report.main(draw, __file__)
