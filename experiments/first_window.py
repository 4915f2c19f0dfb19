"""The window T_0 of Theorem 2 (B5): from where on pre-polar is ahead on average, against what B3' guarantees.

Post-polar's mean is its gain times polar-only's (B4), so with a positive mean pre-polar leads both once it leads polar-only.

spikesim run experiments/first_window.toml --out results/first_window
python experiments/first_window.py          # draws; never simulates
"""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from spikesim import plots, report, rng
from spikesim.estimate import mean_error
from spikesim.sweep.store import Result, Store
from spikesim.theory import asymptotics, bounds

GROUP = "What is open"

RESAMPLES = 999
SHOWN = 0.3
"""Noise level, sigma, of the curves in the first panel."""


class Found(NamedTuple):
    """T_0 of one point: measured with its 95 % interval, B5's, and B5's with noise of uncorrelated entries (B3')."""

    value: float
    low: float
    high: float
    bound: float
    uncorrelated: float


def draw(store: Store, figures: Path, published: Path | None = None) -> report.Outcome:
    """Draw figures/first_window and say what it shows."""
    del published
    results = list(store)
    names = list(dict.fromkeys(r.coordinates["name"] for r in results))
    styles = dict(zip(names, plots.MANY_STYLE, strict=False))
    found = [_found(r) for r in results]
    with plots.panels(1, 3, (14.5, 6.2)) as (figure, (axes,)):
        for result in results:
            if result.coordinates["noise.sigma"] == SHOWN:
                _difference(axes[0], result, styles[result.coordinates["name"]])
        for name in names:
            mine = [(r, f) for r, f in zip(results, found, strict=True) if r.coordinates["name"] == name]
            _windows(axes[1], mine, name, styles[name])
            _against(axes[2], mine, name, styles[name])
        _finish(axes, results, found)
        finding = _finding(results, found)
        data = results[0].data
        above = f"{plots.setting(results[0], store.quick)}, {int(data.attrs['steps'])} steps from zero; "
        plots.save(
            figure, figures, "first_window", above + "y = λ / (σ √n) of a step of scale 1; bands and bars 95 %", finding
        )
    return report.Outcome(finding)


def _lead(result: Result) -> np.ndarray:
    """Alignment of pre-polar less polar-only in one stream, (trial, window)."""
    data = result.data.alignment.transpose("trial", "pipeline", "window")
    return (data.sel(pipeline="pre-polar") - data.sel(pipeline="polar-only")).values


def _y(result: Result) -> float:
    return result.model.spikes[0] / (result.coordinates["noise.sigma"] * max(result.model.shape) ** 0.5)


def _from(windows: np.ndarray, lead: np.ndarray) -> np.ndarray:
    """T from which mean leads (..., window) stay >= 0, linear in ln T; the first T if all are, inf if the last is not."""
    behind = lead < 0
    last = lead.shape[-1] - 1 - np.argmax(behind[..., ::-1], axis=-1)
    k = np.minimum(last, lead.shape[-1] - 2)
    low, high = (np.take_along_axis(lead, np.asarray(i)[..., None], -1)[..., 0] for i in (k, k + 1))
    with np.errstate(all="ignore"):
        crossing = np.exp(np.log(windows)[k] - low / (high - low) * np.log(windows[k + 1] / windows[k]))
    reached = np.where(last < lead.shape[-1] - 1, crossing, np.inf)
    return np.where(behind.any(-1), reached, windows[0])


def _found(result: Result) -> Found:
    lead, windows, model = _lead(result), result.data.window.values, result.model
    draws = rng.generator(0, rng.BOOTSTRAP).integers(len(lead), size=(RESAMPLES, len(lead)))
    low, high = np.quantile(_from(windows, lead[draws].mean(1)), [0.025, 0.975], method="nearest")
    single = float(result.data.alignment.sel(pipeline="polar-only").values[:, 0].mean())
    (m, n), rank = model.shape, model.rank
    tangent = model.eta / (m * n) * rank * (m + n - rank)
    each = [bounds.order_window(eta, model.spikes, single) for eta in (model.eta, tangent)]
    return Found(float(_from(windows, lead.mean(0))), float(low), float(high), *each)


def _difference(axis: Any, result: Result, style: dict[str, Any]) -> None:
    x, name = 2 * result.data.window.values - 1, result.coordinates["name"]
    plots.mean_band(axis, x, _lead(result), name, **style | {"markersize": 5})
    if name == "Gaussian":
        plots.guide(axis, x, _gaussian(result), "Gaussian, S4")


def _gaussian(result: Result) -> np.ndarray:
    """S4 of pre-polar less polar-only."""
    at = result.model.shape, result.model.noise.variance**0.5, result.model.spikes
    steps = int(result.data.attrs["steps"])
    pre = np.array([asymptotics.alignment(*at, t, steps) for t in result.data.window.values])
    return pre - asymptotics.alignment(*at, 1.0)


def _windows(axis: Any, mine: list[tuple[Result, Found]], name: str, style: dict[str, Any]) -> None:
    y = [_y(r) for r, _ in mine]
    value, low, high = (np.array([getattr(f, k) for _, f in mine]) for k in ("value", "low", "high"))
    plots.intervals(axis, y, value, [low, high], name, **style | {"markersize": 6, "linestyle": "-"})
    axis.plot(y, [f.bound for _, f in mine], linewidth=1.2, label=f"_{name}, B5",
              **(style | {"linestyle": "--", "markersize": 3, "markerfacecolor": "none"}))  # fmt: skip


def _against(axis: Any, mine: list[tuple[Result, Found]], name: str, style: dict[str, Any]) -> None:
    """T_0 over B5's, where pre-polar is ever behind."""
    y = np.array([_y(r) for r, _ in mine])
    share = np.array([[f.value, f.low, f.high] for _, f in mine]) / np.array([[f.bound] for _, f in mine])
    shown = np.array([_behind(r, f) for r, f in mine])
    if not shown.any():
        return
    value, low, high = share[shown].T
    plots.intervals(axis, y[shown], value, [low, high], name, **style | {"markersize": 6, "linestyle": "-"})


def _behind(result: Result, found: Found) -> bool:
    """Whether pre-polar is behind somewhere by more than resampling explains, and T_0 is inside the windows."""
    return found.low > result.data.window.values[0] and np.isfinite(found.high)


def _finish(axes: Any, results: list[Result], found: list[Found]) -> None:
    y = np.array(sorted({_y(r) for r in results}))
    first = next(r for r in results if r.coordinates["noise.sigma"] == SHOWN)
    axes[0].axhline(0, color="#999999", linewidth=1)
    axes[0].set(xscale="log", xlabel=plots.SAMPLES, ylabel="pre-polar − polar-only (alignment, paired)")
    axes[0].set_title(f"y = {_y(first):.2g}")
    axes[0].legend(loc="lower right")
    axes[1].plot([], [], "k--", label="B5: enough for\nevery such noise")
    axes[1].set(xscale="log", yscale="log", xlabel="y of a clean step", ylabel="T₀ (steps)")
    axes[1].set_ylim(top=60 * max(f.bound for f in found))
    axes[1].set_title("T from which pre-polar is ahead")
    axes[1].legend(loc="upper center", ncol=2)
    (m, n), rank = first.model.shape, first.model.rank
    levels = (1.0, "B5", "-"), (rank * (m + n - rank) / (m * n), "B3', uncorrelated entries", "--"), (
        (m + n - 2 * rank) / (8 * m * n), "S6 (high SNR)", ":")  # fmt: skip
    for level, label, line in levels:
        plots.guide(axes[2], y, np.full(y.size, level), label, linestyle=line)
    axes[2].set(xscale="log", yscale="log", xlabel="y of a clean step", ylabel="T₀ measured / T₀ of B5")
    axes[2].set(title="looseness, where pre-polar is ever behind", ylim=(None, 30))
    axes[2].legend(loc="upper center", ncol=2)


def _finding(results: list[Result], found: list[Found]) -> str:
    windows = results[0].data.window.values
    both = [(r, f) for r, f in zip(results, found, strict=True) if _behind(r, f)]
    ahead = sum(f.value <= windows[0] for f in found)
    kept = sum(f.high <= f.bound for f in found)
    said = (
        f"Pre-polar leads on average from the smallest T = {windows[0]:g} on in {ahead} of {len(found)} settings "
        f"(at every y for {_throughout(results, found)})"
    )
    if both:
        ratios = np.array([f.bound / f.value for _, f in both])
        (r, f) = max(both, key=lambda pair: pair[1].value)
        names = ", ".join(dict.fromkeys(r.coordinates["name"] for r, _ in both))
        tight = sum(f.high <= f.uncorrelated for _, f in both)
        said += (
            f"; it is behind at some T (95 %) in {len(both)} ({names}), at most up to T₀ = {f.value:.3g} "
            f"[{f.low:.3g}, {f.high:.3g}] ({r.coordinates['name']}, y = {_y(r):.2g}), where B5 has {f.bound:.3g}; B5 is "
            f"{ratios.min():.0f} to {ratios.max():.0f} times too large, and below the one for uncorrelated entries (B3') lie "
            f"{tight} of {len(both)}"
        )
    worst, error = _worst(results)
    return (
        f"{said}; the upper ends of the intervals are at most B5's T₀ in {kept} of {len(found)}; pre-polar is never more "
        f"than {-worst:.2f} ± {1.96 * error:.2f} behind."
    )


def _throughout(results: list[Result], found: list[Found]) -> str:
    """Laws of which pre-polar leads from the smallest T on at every y."""
    never = {r.coordinates["name"] for r, f in zip(results, found, strict=True) if f.value > r.data.window.values[0]}
    return "; ".join(dict.fromkeys(r.coordinates["name"] for r in results if r.coordinates["name"] not in never)) or "no law"


def _worst(results: list[Result]) -> tuple[float, float]:
    """The lowest mean lead of all, and its standard error."""
    each = [mean_error(_lead(r)) for r in results]
    mean, error = min(((m[m.argmin()], e[m.argmin()]) for m, e in each), key=lambda pair: pair[0])
    return float(mean), float(error)


if __name__ == "__main__":
    report.main(draw, __file__)
