"""What Nesterov costs beside the EMA: at equal T, at equal effective sample size, and at equal lag (F4, S8).

spikesim run experiments/nesterov.toml --out results/nesterov
python experiments/nesterov.py          # draws; never simulates
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from spikesim import plots, report
from spikesim.estimate import mean_error
from spikesim.filters import EMA, Family, HeavyBall, LinearFilter, Lookahead, Nesterov
from spikesim.sweep.store import Result, Store
from spikesim.theory import asymptotics, drift

GROUP = "What is open"
FAMILIES: dict[str, Callable[[float], LinearFilter]] = {
    "EMA": EMA,
    "Nesterov": Nesterov,
    "quasi-hyperbolic": Family(Lookahead, nu=0.7, kappa=0.3),
    "heavy ball": HeavyBall,
}
STYLE = dict(zip(FAMILIES, plots.SERIES_STYLE, strict=True))
SAME = 1e-6
"""Relative difference up to which sizes or lags of steady filters are equal: the windows are written to ten digits."""
SIZES = [3, 5, 9, 19, 39, 79]
"""Ticks of n_eff: the EMA's at T = 2, 3, 5, 10, 20, 40."""
PAIRINGS = ("equal T", "equal n_eff", "equal lag")


def draw(store: Store, figures: Path, published: Path | None = None) -> report.Outcome:
    """Draw figures/nesterov and say what it shows."""
    del published
    results = {(r.coordinates["name"], _filters_first(r)): r for r in store}
    still, turning = results["constant", True], results["turning", True]
    voted, followed = results["constant", False], results["turning", False]
    with plots.panels(2, 2, (12.5, 10)) as (figure, axes):
        _curves(axes[0, 0], still, "constant signal: one curve")
        _curves(axes[0, 1], turning, f"u turning by ω = {_omega(turning):g} a step: lag counts")
        _costs(axes[1, 0], still, turning)
        _votes(axes[1, 1], followed)
        finding = _finding(still, turning)
        above = f"{plots.setting(still, store.quick)}, Gaussian noise, steady state; bands and bars 95 %, differences paired"
        plots.save(figure, figures, "nesterov", above, finding)
    post = _post_details(voted, followed)
    details = f"{_still_details(still)}; {_turning_details(turning)}; {_best_details(turning)}; {post}."
    return report.Outcome(finding, details=details)


def _filters_first(result: Result) -> bool:
    return result.data.attrs["pipelines"].split(" = ")[1].startswith("Filter")


def _omega(result: Result) -> float:
    return float(getattr(result.model.signal, "omega", 0.0))


def _samples(result: Result, family: str) -> np.ndarray:
    """Alignment, (trial, window)."""
    return result.data.alignment.sel(pipeline=family).transpose("trial", "window").values


def _windows(result: Result) -> np.ndarray:
    return result.data.window.values


def _n_eff(result: Result, family: str) -> np.ndarray:
    return np.array([FAMILIES[family](t).n_eff() for t in _windows(result)])


def _limit(result: Result, filter_: LinearFilter) -> float:
    """S8 for any filter: S4 where nothing turns."""
    model = result.model
    at = model.shape, model.noise.variance**0.5, model.spikes
    return drift.filtered_alignment(*at, filter_.response(_omega(result)), filter_.noise_factor())


def _pairs(result: Result, how: str) -> np.ndarray:
    """Places (EMA's window, Nesterov's window) of all pairs alike in the way asked for, by the EMA's n_eff: (pair, 2)."""
    t = _windows(result)
    slow, fast = ([f(w) for w in t] for f in (EMA, Nesterov))
    measures: dict[str, Callable[[Any], float]] = {
        "equal T": lambda f: f.window, "equal n_eff": lambda f: f.n_eff(), "equal lag": lambda f: f.lag(),
    }  # fmt: skip
    read = measures[how]
    found = [(i, j) for i, a in enumerate(slow) for j, b in enumerate(fast) if abs(read(b) / read(a) - 1) < SAME]
    whole = [(i, j) for i, j in found if t[i] == round(t[i])]
    return np.array(sorted(whole, key=lambda pair: float(t[pair[0]])))


def _cost(result: Result, how: str) -> tuple[np.ndarray, np.ndarray]:
    """Nesterov less EMA and its standard error, for each pair."""
    slow, fast = _pairs(result, how).T
    return mean_error(_samples(result, "Nesterov")[:, fast] - _samples(result, "EMA")[:, slow])


def _curves(axis: Any, result: Result, title: str) -> None:
    fine = np.geomspace(_windows(result).min(), _windows(result).max(), 60)
    for family, law in FAMILIES.items():
        order = np.argsort(_n_eff(result, family))
        x, samples = _n_eff(result, family)[order], _samples(result, family)[:, order]
        size = 11 if family == "heavy ball" else 5
        look = STYLE[family] | {"linestyle": "none", "markersize": size, "markerfacecolor": "none"}
        _means(axis, x, samples, family, look)
        limit = [_limit(result, law(t)) for t in fine]
        colour = STYLE[family]["color"]
        if family != "heavy ball":
            plots.guide(axis, [law(t).n_eff() for t in fine], limit, "", color=colour, linewidth=1)
    plots.guide(axis, [], [], "S8" if _omega(result) else "S4")
    axis.set(xscale="log", xlabel="n_eff (effective sample size)", ylabel="alignment of pre-polar", title=title)
    _ticks(axis, SIZES)
    axis.legend(loc="upper left" if _omega(result) else "lower right")


def _means(axis: Any, x: np.ndarray, samples: np.ndarray, label: str, look: dict[str, Any]) -> None:
    mean, error = mean_error(samples)
    plots.intervals(axis, x, mean, [mean - 1.96 * error, mean + 1.96 * error], label, **look)


def _ticks(axis: Any, values: Sequence[float]) -> None:
    axis.set_xticks(values, [f"{v:g}" for v in values])
    axis.minorticks_off()


def _costs(axis: Any, still: Result, turning: Result) -> None:
    for k, (how, style) in enumerate(zip(PAIRINGS, plots.SERIES_STYLE, strict=False)):
        for result, face in ((still, "none"), (turning, style["color"])):
            slow, fast = _pairs(result, how).T
            x = _n_eff(result, "EMA")[slow] * 1.04 ** (k - 1)
            mean, error = _cost(result, how)
            look = style | {"markersize": 6, "markerfacecolor": face}
            label = f"{how}, {'turning' if result is turning else 'constant'}"
            plots.intervals(axis, x, mean, [mean - 1.96 * error, mean + 1.96 * error], label, **look)
            t = _windows(result)
            limit = [_limit(result, Nesterov(t[j])) - _limit(result, EMA(t[i])) for i, j in zip(slow, fast, strict=True)]
            line = "--" if result is turning else ":"
            plots.guide(axis, x, limit, "", color=style["color"], linewidth=1, linestyle=line)
    axis.axhline(0, color="#999999", linewidth=1)
    axis.set(
        xscale="log", xlabel="n_eff of the EMA", ylabel="Nesterov − EMA (alignment)", title="what Nesterov costs or gains"
    )
    _ticks(axis, SIZES[1:])
    axis.legend(loc="lower right", ncol=2)


def _votes(axis: Any, result: Result) -> None:
    model, t = result.model, _windows(result)
    single = asymptotics.alignment(model.shape, model.noise.variance**0.5, model.spikes, 1.0)
    for family, law in FAMILIES.items():
        scale = np.array([law(w).gain() for w in t])
        order, size = np.argsort(t), 11 if family == "heavy ball" else 5
        look = STYLE[family] | {"linestyle": "none", "markersize": size, "markerfacecolor": "none"}
        label = "heavy ball, over T" if family == "heavy ball" else family
        _means(axis, t[order], (_samples(result, family) / scale)[:, order], label, look)
        fine = np.geomspace(t.min(), t.max(), 60)
        kept = [single * law(w).response(_omega(result)).real / law(w).gain() for w in fine]
        if family != "heavy ball":
            plots.guide(axis, fine, kept, "", color=STYLE[family]["color"], linewidth=1)
    plots.guide(axis, [], [], "S4 of one gradient, times Re h")
    axis.set(xscale="log", xlabel="T in steps", ylabel="alignment of post-polar")
    axis.set_title(f"post-polar, ω = {_omega(result):g}: no noise to average away, only lag")
    _ticks(axis, [3, 5, 10, 20, 40])
    axis.legend(loc="lower left")


def _range(result: Result, how: str) -> str:
    """The smallest and the largest difference, with the EMA's window."""
    mean, error = _cost(result, how)
    at = _windows(result)[_pairs(result, how)[:, 0]]
    ends = [f"{mean[k]:+.4f} ± {1.96 * error[k]:.4f} (T = {at[k]:g})" for k in (mean.argmin(), mean.argmax())]
    return " to ".join(ends)


def _at_ten(result: Result) -> tuple[int, float, float]:
    """Place of T = 10, and Nesterov less EMA there with its standard error."""
    place = int(np.argmin(np.abs(_windows(result) - 10)))
    mean, error = mean_error(_samples(result, "Nesterov")[:, place] - _samples(result, "EMA")[:, place])
    return place, float(mean), float(error)


def _finding(still: Result, turning: Result) -> str:
    place, mean, error = _at_ten(still)
    said = []
    for result in (still, turning):
        apart, errors = _cost(result, "equal n_eff")
        k = int(np.abs(apart).argmax())
        said.append(f"{apart[k]:+.4f} ± {1.96 * errors[k]:.4f}")
    gain = _gains(turning)[1]["Nesterov"]
    return (
        f"Nesterov less EMA is, on a constant signal, at most {said[0]} of alignment at equal n_eff but {mean:+.4f} ± "
        f"{1.96 * error:.4f} at equal T = {_windows(still)[place]:g}; while u turns by {_omega(turning):g} a step it is up "
        f"to {said[1]} at equal n_eff and, each at its best T, {gain[1]:+.4f} ± {1.96 * gain[2]:.4f}."
    )


def _still_details(result: Result) -> str:
    t, (place, mean, error) = _windows(result), _at_ten(result)
    apart, errors = _cost(result, "equal n_eff")
    z = np.abs(apart / errors)
    sizes = f"{Nesterov(t[place]).n_eff():.3f} for {EMA(t[place]).n_eff():g}"
    return (
        f"On a constant signal n_eff is all: at equal n_eff Nesterov and EMA differ by at most {np.abs(apart).max():.4f} "
        f"({z.max():.1f} standard errors, {z.size} pairs), while at equal T = {t[place]:g} Nesterov has n_eff {sizes} and "
        f"{mean:+.4f} ± {1.96 * error:.4f} of alignment"
    )


def _turning_details(result: Result) -> str:
    said = ", ".join(f"at {how} {_range(result, how)}" for how in reversed(PAIRINGS))
    return f"while u turns by {_omega(result):g} a step Nesterov less EMA is, by the EMA's T, {said}"


def _best_details(result: Result) -> str:
    own, gains = _gains(result)
    said = [f"{family} (T = {t:.4g}) {mean:+.4f} ± {1.96 * error:.4f}" for family, (t, mean, error) in gains.items()]
    return f"each at its best window of the list, against the EMA (T = {own:.4g}), {' and '.join(said)}"


def _gains(result: Result) -> tuple[float, dict[str, tuple[float, float, float]]]:
    """The EMA's window; each family's window, mean less the EMA's and its error. Windows are S8's best, not the data's."""
    t = _windows(result)
    best = {f: int(np.argmax([_limit(result, FAMILIES[f](w)) for w in t])) for f in FAMILIES}
    ema = _samples(result, "EMA")[:, best["EMA"]]
    apart = {f: mean_error(_samples(result, f)[:, best[f]] - ema) for f in ("Nesterov", "quasi-hyperbolic")}
    return float(t[best["EMA"]]), {f: (float(t[best[f]]), float(m), float(e)) for f, (m, e) in apart.items()}


def _post_details(still: Result, turning: Result) -> str:
    t, worst = _windows(still), 0.0
    for result in (still, turning):
        ratio = _samples(result, "heavy ball") / (t * _samples(result, "EMA"))
        worst = max(worst, float(np.abs(ratio - 1).max()))
    place = int(np.argmax(t))
    means = [mean_error(_samples(r, "Nesterov")[:, place] - _samples(r, "EMA")[:, place]) for r in (still, turning)]
    (same, noise), (gain, error) = means
    return (
        f"post-polar, which no window helps in the mean (B4), Nesterov changes by {same:+.4f} ± {1.96 * noise:.4f} on the "
        f"constant and {gain:+.4f} ± {1.96 * error:.4f} on the turning signal at T = {t[place]:.3g}, and heavy ball is T "
        f"times the EMA there (to {worst:.0e}), unlike in pre-polar"
    )


if __name__ == "__main__":
    report.main(draw, __file__)
