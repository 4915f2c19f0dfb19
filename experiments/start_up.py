"""The first steps of a filter: from zero, from the first gradient, debiased, Kalman (F2, F10).

spikesim run experiments/start_up.toml --out results/start_up
python experiments/start_up.py          # draws; never simulates
"""

from pathlib import Path
from typing import Any

import numpy as np

from spikesim import plots, report
from spikesim.estimate import mean_error
from spikesim.filters import EMA, Kalman, LinearFilter
from spikesim.sweep.store import Result, Store
from spikesim.theory import asymptotics, drift

GROUP = "What is sharper"
REFERENCE = "from zero"


def draw(store: Store, figures: Path, published: Path | None = None) -> report.Outcome:
    """Draw figures/start_up and say what it shows."""
    del published
    results = sorted(store, key=_steps)
    pre, post = ([r for r in results if _filters_first(r) is first] for first in (True, False))
    filters = _filters(float(pre[0].data.window.values[0]))
    with plots.panels(1, 3, (17, 5.8)) as (figure, (axes,)):
        _lines(axes[0], pre, filters, _pre_limit)
        axes[0].set(ylabel="alignment of pre-polar", title="pre-polar: n_eff alone counts")
        _less(axes[1], pre, filters)
        _lines(axes[2], post, filters, _post_limit)
        axes[2].set(ylabel="alignment of post-polar", title="post-polar: the gain counts as well")
        finding = f"{_pre_finding(pre, filters)}; {_post_finding(post, filters)}."
        above = f"{plots.setting(pre[0], store.quick)}, Gaussian noise, T = {pre[0].data.window.values[0]:g}; bars 95 %"
        plots.save(figure, figures, "start_up", above, finding)
    return report.Outcome(finding)


def _filters(window: float) -> dict[str, LinearFilter]:
    return {
        REFERENCE: EMA(window),
        "first gradient": EMA(window, start="first"),
        "debiased": EMA(window, start="debiased"),
        "Kalman": Kalman(window),
    }


def _steps(result: Result) -> int:
    return int(result.data.attrs["steps"])


def _filters_first(result: Result) -> bool:
    return result.data.attrs["pipelines"].split(" = ")[1].startswith("Filter")


def _samples(result: Result, name: str) -> np.ndarray:
    """Alignment of each trial."""
    return result.data.alignment.sel(pipeline=name).values[:, 0]


def _pre_limit(result: Result, filter_: LinearFilter) -> float:
    """S4 after so many steps."""
    model, steps = result.model, _steps(result)
    sigma = model.noise.variance**0.5
    gain, noise = filter_.gain(steps), filter_.noise_factor(steps)
    return drift.filtered_alignment(model.shape, sigma, model.spikes, gain, noise)


def _post_limit(result: Result, filter_: LinearFilter) -> float:
    """B4: the gain times one gradient's."""
    model = result.model
    return filter_.gain(_steps(result)) * asymptotics.alignment(model.shape, model.noise.variance**0.5, model.spikes, 1.0)


def _lines(axis: Any, results: list[Result], filters: dict[str, LinearFilter], limit: Any) -> None:
    x = [_steps(r) for r in results]
    for k, ((name, filter_), style) in enumerate(zip(filters.items(), plots.SERIES_STYLE, strict=True)):
        mean, error = np.array([mean_error(_samples(r, name)) for r in results]).T
        look = style | {"linestyle": "none", "markersize": 9 if name == REFERENCE else 5}
        plots.intervals(axis, np.array(x) * 1.02 ** (k - 1.5), mean, [mean - 1.96 * error, mean + 1.96 * error], name, **look)
        plots.guide(axis, x, [limit(r, filter_) for r in results], "", color=style["color"], linewidth=1)
    plots.guide(axis, [], [], "S4 by n_eff after t steps" if limit is _pre_limit else "gain × S4 of one gradient (B4)")
    _ticks(axis, x)


def _less(axis: Any, results: list[Result], filters: dict[str, LinearFilter]) -> None:
    x = [_steps(r) for r in results]
    styles = dict(zip(filters, plots.SERIES_STYLE, strict=True))
    for name in (f for f in filters if f != REFERENCE):
        mean, error = np.array([_apart(r, name) for r in results]).T
        look = styles[name] | {"linestyle": "none", "markersize": 5}
        plots.intervals(axis, x, mean, [mean - 1.96 * error, mean + 1.96 * error], name, **look)
        limit = [_pre_limit(r, filters[name]) - _pre_limit(r, filters[REFERENCE]) for r in results]
        plots.guide(axis, x, limit, "", color=styles[name]["color"], linewidth=1)
    axis.axhline(0, color="#999999", linewidth=1)
    axis.set(ylabel=f"alignment less that {REFERENCE}, paired", title="pre-polar: what the start is worth")
    _ticks(axis, x)


def _ticks(axis: Any, x: list[int]) -> None:
    axis.set(xscale="log", xlabel="steps t since the start")
    axis.set_xticks(x, [f"{v:g}" for v in x])
    axis.minorticks_off()
    axis.legend(fontsize=9, loc="lower right")


def _apart(result: Result, name: str) -> tuple[float, float]:
    """Mean paired difference to the start from zero, and its standard error."""
    mean, error = mean_error(_samples(result, name) - _samples(result, REFERENCE))
    return float(mean), float(error)


def _extreme(results: list[Result], name: str) -> str:
    """The difference that is largest in size, and its step."""
    mean, error, t = max(((*_apart(r, name), _steps(r)) for r in results), key=lambda x: abs(x[0]))
    return f"{mean:+.4f} ± {1.96 * error:.4f} (t = {t})"


def _pre_finding(pre: list[Result], filters: dict[str, LinearFilter]) -> str:
    t = int(filters[REFERENCE].window)  # type: ignore[attr-defined]
    sizes = ", ".join(f"{name} {f.n_eff(t):.2f}" for name, f in filters.items())
    same = max(float(np.abs(_samples(r, "debiased") - _samples(r, REFERENCE)).max()) for r in pre)
    return (
        f"After t = T = {t} steps n_eff is {sizes}; in pre-polar, against a start {REFERENCE}, debiasing changes nothing (to "
        f"{same:.0e}), starting at the first gradient at most {_extreme(pre, 'first gradient')} and Kalman's filter at most "
        f"{_extreme(pre, 'Kalman')}"
    )


def _post_finding(post: list[Result], filters: dict[str, LinearFilter]) -> str:
    at = min(post, key=lambda r: abs(_steps(r) - 5))
    means = ", ".join(
        f"{name} {mean:.3f} ± {1.96 * error:.3f}" for name in filters for mean, error in [mean_error(_samples(at, name))]
    )
    return f"in post-polar after {_steps(at)} steps the alignment is {means}"


if __name__ == "__main__":
    report.main(draw, __file__)
