"""Six filters of one effective sample size: where they differ, and which is best there (F1, F9, F11, S8).

spikesim run experiments/filters_compared.toml --out results/filters_compared
python experiments/filters_compared.py          # draws; never simulates
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from spikesim import plots, report, rng
from spikesim.estimate import mean_error
from spikesim.filters import LinearFilter
from spikesim.pipelines import Pipeline
from spikesim.sweep.store import Result, Store
from spikesim.theory import drift

GROUP = "What is open"
REFERENCE = "EMA"
SETTINGS = {
    "constant": "constant",
    "rare × 10": "5 % of\nsteps × 10",
    "alternating": "signs\n+ − + −",
    "oscillating": "amplitude at the\ntop of its swing",
}
"""Settings whose vectors stay, and what the figure calls them."""
RECOVERED = 0.9
"""Share of the constant signal's alignment that counts as recovered after a switch."""
RESAMPLES = 499
FAMILY = 0.05
"""Chance that any of all comparisons of a list is called significant though no means differ (Bonferroni)."""
SHOWN = 45
"""Ages up to which weights are drawn."""


def draw(store: Store, figures: Path, published: Path | None = None) -> report.Outcome:
    """Draw figures/filters_compared and say what it shows."""
    del published
    results = list(store)
    still = {name: next(r for r in results if r.coordinates["name"] == name) for name in SETTINGS}
    turning = sorted((r for r in results if r.coordinates["name"] == "turning"), key=_omega)
    switched = sorted((r for r in results if r.coordinates["name"] == "switch"), key=_since)
    filters = _filters(results[0])
    styles = dict(zip(filters, plots.MANY_STYLE, strict=False))
    with plots.panels(2, 2, (12.5, 10)) as (figure, axes):
        _weights(axes[0, 0], filters, styles)
        _settings(axes[0, 1], still, filters, styles)
        _against(axes[1, 0], turning, [_omega(r) for r in turning], filters, styles, REFERENCE)
        axes[1, 0].set_yscale("symlog", linthresh=0.02)
        axes[1, 0].set_ylim(-0.8, 0.1)
        axes[1, 0].set_yticks([-0.5, -0.1, -0.02, 0, 0.02, 0.1], ["−0.5", "−0.1", "−0.02", "0", "0.02", "0.1"])
        axes[1, 0].set(xlabel="ω, radians a step by which u turns", ylabel=f"alignment less that of the {REFERENCE}, paired")
        axes[1, 0].set_title("u turning (linear within ± 0.02, else logarithmic)")
        _against(axes[1, 1], switched, [_since(r) for r in switched], filters, styles)
        axes[1, 1].set(xlabel="steps since the change", ylabel="alignment of pre-polar with the present signal")
        axes[1, 1].set_title("another u, suddenly")
        finding = _finding(still, turning, filters)
        above = f"{plots.setting(results[0], store.quick)}, Gaussian noise but for the rare large steps"
        above += "; n_eff = 19; bars and bands 95 %"
        plots.save(figure, figures, "filters_compared", above, finding)
    details = (
        f"{_same_details(still['constant'], filters)}; {_settings_details(still, filters)}; "
        f"{_turning_details(turning, filters)}; {_switch_details(still['constant'], switched, filters)}."
    )
    return report.Outcome(finding, details=details)


def _filters(result: Result) -> dict[str, LinearFilter]:
    """Each pipeline's filter, by its name, as the run's attributes describe it."""
    pipelines = map(Pipeline.from_text, result.data.attrs["pipelines"].split("; "))
    return {str(p): p.stages[0].of for p in pipelines}  # type: ignore[attr-defined]


def _omega(result: Result) -> float:
    return float(result.model.signal.omega)  # type: ignore[attr-defined]


def _since(result: Result) -> int:
    return int(result.data.attrs["steps"]) - int(result.model.signal.at)  # type: ignore[attr-defined]


def _samples(result: Result, name: str) -> np.ndarray:
    """Alignment of each trial."""
    return result.data.alignment.sel(pipeline=name).values[:, 0]


def _apart(result: Result, name: str, other: str = REFERENCE) -> tuple[float, float]:
    """Mean paired difference of two filters' alignments, and its standard error."""
    mean, error = mean_error(_samples(result, name) - _samples(result, other))
    return float(mean), float(error)


def _left(result: Result, filter_: LinearFilter) -> tuple[complex, float]:
    """What is left of the present signal in the buffer, h with its angle, and the present amplitude over the model's."""
    signal, steps = result.model.signal, int(result.data.attrs["steps"])
    shares = signal.shares(1)
    mean, now = (
        np.tensordot(c, shares, 1).ravel() for c in (signal.averaged(filter_, steps), signal.coefficients(steps - 1))
    )
    size = float(np.linalg.norm(now))
    along = float(mean @ now) / size**2
    return complex(along, float(np.linalg.norm(mean - along * now)) / size), size


def _limit(result: Result, filter_: LinearFilter) -> float:
    """S8 behind a filter; NaN for noise that is not Gaussian."""
    model, steps = result.model, int(result.data.attrs["steps"])
    if type(model.noise).__name__ != "Gaussian":
        return float("nan")
    left, size = _left(result, filter_)
    spikes = tuple(size * x for x in model.spikes)
    return drift.filtered_alignment(model.shape, model.noise.variance**0.5, spikes, left, filter_.noise_factor(steps))


def _weights(axis: Any, filters: dict[str, LinearFilter], styles: dict[str, Any]) -> None:
    k = np.arange(SHOWN)
    for name, filter_ in filters.items():
        look = styles[name] | {"markersize": 5, "markevery": 3, "linewidth": 1.6}
        label = f"{name}: lag {abs(filter_.lag()):.2f}, |h(π)| {abs(filter_.response(np.pi)):.3f}"
        axis.plot(k, filter_.weights(10 * SHOWN, 0, SHOWN), label=label, **look)
    axis.axhline(0, color="#999999", linewidth=1)
    axis.set(xlabel="age k in steps", ylabel="weight w_k", title="weights, all of n_eff = 19")
    axis.legend(loc="upper right")


def _settings(axis: Any, still: dict[str, Result], filters: dict[str, LinearFilter], styles: dict[str, Any]) -> None:
    others = [name for name in filters if name != REFERENCE]
    for j, name in enumerate(others):
        x = np.arange(len(still)) + 0.15 * (j - (len(others) - 1) / 2)
        mean, error = np.array([_apart(r, name) for r in still.values()]).T
        look = styles[name] | {"linestyle": "none", "markersize": 5}
        plots.intervals(axis, x, mean, [mean - 1.96 * error, mean + 1.96 * error], name, **look)
        limit = [_limit(r, filters[name]) - _limit(r, filters[REFERENCE]) for r in still.values()]
        axis.plot(x, limit, linestyle="none", marker="_", markersize=12, color="black", label="S8" if j == 0 else "")
    axis.axhline(0, color="#999999", linewidth=1)
    axis.set_xticks(range(len(still)), list(SETTINGS.values()))
    axis.set(ylabel=f"alignment less that of the {REFERENCE}, paired", title="vectors that stay")
    axis.legend()


def _against(
    axis: Any, results: list[Result], x: list[float], filters: dict[str, LinearFilter], styles: dict[str, Any], less: str = ""
) -> None:
    """Alignment, or what it is beyond that of another filter (paired), of each filter against x; limits as lines."""
    for name in (f for f in filters if f != less):
        values = [_samples(r, name) - (_samples(r, less) if less else 0) for r in results]
        mean, error = np.array([mean_error(v) for v in values]).T
        look = styles[name] | {"linestyle": "none", "markersize": 5}
        plots.intervals(axis, x, mean, [mean - 1.96 * error, mean + 1.96 * error], name, **look)
        limit = [_limit(r, filters[name]) - (_limit(r, filters[less]) if less else 0) for r in results]
        plots.guide(axis, x, limit, "", color=styles[name]["color"], linewidth=1)
    plots.guide(axis, [], [], "S8")
    axis.axhline(0, color="#999999", linewidth=1)
    axis.set_xscale("log")
    axis.set_xticks(x, [f"{v:g}" for v in x])
    axis.minorticks_off()
    axis.legend()


def _critical(result: Result, comparisons: int) -> float:
    """Standard errors beyond which one of so many comparisons is significant."""
    from scipy.stats import t

    return float(t.ppf(1 - FAMILY / 2 / comparisons, result.data.trial.size - 1))


def _shown(apart: tuple[float, float]) -> str:
    return f"{apart[0]:+.4f} ± {1.96 * apart[1]:.4f}"


def _finding(still: dict[str, Result], turning: list[Result], filters: dict[str, LinearFilter]) -> str:
    """What is alike on a constant signal, and the largest gain over the reference where it moves."""
    others = [name for name in filters if name != REFERENCE]
    apart, error = max((_apart(still["constant"], f) for f in others), key=lambda pair: abs(pair[0]))
    moving = [r for name, r in still.items() if name != "constant"]
    bests = {max(filters, key=lambda f, r=r: _samples(r, f).mean()) for r in (*moving, *turning)}  # type: ignore[misc]
    verdict = "no filter is best everywhere" if len(bests) > 1 else f"{bests.pop()} is best everywhere"
    fixed, name, setting = max((_apart(r, f), f, s) for s, r in still.items() if s != "constant" for f in others)
    turned, other, speed = max((_apart(r, f), f, _omega(r)) for r in turning for f in others)
    return (
        f"At equal n_eff {verdict}: on a constant signal they differ by at most {_shown((apart, error))} from the "
        f"{REFERENCE}; the largest gains over it are {_shown(fixed)} by {name} ({' '.join(SETTINGS[setting].split())}) and "
        f"{_shown(turned)} by {other} (u turning by {speed:g} a step)."
    )


def _same_details(result: Result, filters: dict[str, LinearFilter]) -> str:
    apart = [_apart(result, name) for name in filters if name != REFERENCE]
    z = max(abs(mean / error) for mean, error in apart)
    limit = _critical(result, len(apart))
    return (
        f"On a constant signal in Gaussian noise {len(filters)} filters of n_eff = 19 differ by at most "
        f"{max(abs(mean) for mean, _ in apart):.4f} ({z:.1f} standard errors, {'not ' if z < limit else ''}significant)"
    )


def _settings_details(still: dict[str, Result], filters: dict[str, LinearFilter]) -> str:
    """The best and the worst filter of the other settings, beside the reference."""
    said = []
    for name, where in SETTINGS.items():
        if name == "constant":
            continue
        ranked = sorted(filters, key=lambda f, r=still[name]: _samples(r, f).mean())  # type: ignore[misc]
        ends = [f"{f} {_shown(_apart(still[name], f)) if f != REFERENCE else ''}".strip() for f in (ranked[-1], ranked[0])]
        said.append(f"{' '.join(where.split())}: best {ends[0]}, worst {ends[1]}")
    return f"against the {REFERENCE}, {'; '.join(said)}"


def _turning_details(turning: list[Result], filters: dict[str, LinearFilter]) -> str:
    """Who is best at each speed, and what is significantly above the reference."""
    limit = _critical(turning[0], len(turning) * (len(filters) - 1))
    said = []
    for result in turning:
        best = max(filters, key=lambda f, r=result: _samples(r, f).mean())  # type: ignore[misc]
        apart = _apart(result, best) if best != REFERENCE else (0.0, 1.0)
        sure = "" if apart[0] > limit * apart[1] else ", not significant"
        said.append(f"ω = {_omega(result):g} {best}" + (f" ({_shown(apart)}{sure})" if best != REFERENCE else ""))
    off = [abs(float(_samples(r, f).mean()) - _limit(r, filters[f])) for r in turning for f in filters]
    return f"with u turning the best is, at {', '.join(said)}, within {max(off):.3f} of S8 in all {len(off)} cases"


def _switch_details(still: Result, switched: list[Result], filters: dict[str, LinearFilter]) -> str:
    said = [
        f"{name} {t:.1f} [{low:.1f}, {high:.1f}]" for name in filters for t, low, high in [_recovery(still, switched, name)]
    ]
    return f"after a sudden change {100 * RECOVERED:g} % of the alignment is back after {', '.join(said)} steps"


def _recovery(still: Result, switched: list[Result], name: str) -> tuple[float, float, float]:
    """Steps until the mean is RECOVERED of the constant signal's, with a 95 % interval over resampled trials."""
    x = [_since(r) for r in switched]
    samples, steady = np.stack([_samples(r, name) for r in switched], 1), _samples(still, name)
    draws = rng.generator(0, rng.BOOTSTRAP).integers(steady.size, size=(RESAMPLES, steady.size))
    made = [_crossing(x, samples[d].mean(0), RECOVERED * steady[d].mean()) for d in draws]
    low, high = np.quantile(made, [0.025, 0.975], method="nearest")
    return _crossing(x, samples.mean(0), RECOVERED * steady.mean()), float(low), float(high)


def _crossing(x: list[int], y: Sequence[float] | np.ndarray, goal: float) -> float:
    """Where y first reaches the goal, linear between neighbours; inf if never."""
    k = next((i for i, value in enumerate(y) if value >= goal), -1)
    if k <= 0:
        return float(x[0]) if k == 0 else float("inf")
    return float(x[k - 1] + (goal - y[k - 1]) / (y[k] - y[k - 1]) * (x[k] - x[k - 1]))


if __name__ == "__main__":
    report.main(draw, __file__)
