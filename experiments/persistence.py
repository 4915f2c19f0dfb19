"""What the order of momentum and polar step is worth when the signal does not persist: c_sig from 1 to 0, and switches (F11).

spikesim run experiments/persistence.toml --out results/persistence
python experiments/persistence.py          # draws; never simulates
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from spikesim import plots, report, rng
from spikesim.estimate import mean_error
from spikesim.sweep.store import Result, Store

GROUP = "Where the order reverses"
SHOWN = 10.0
"""Window at which alignments are drawn against c_sig."""
SHARE, RESAMPLES = 0.9, 499
"""Of the steady alignment, that a pipeline has recovered; resamples of trials for its interval."""
SWITCHES = ("switch of sign", "switch of vectors")
NAMES = ("pre-polar", "post-polar", "polar-only", "re-polarised")


@dataclass(frozen=True)
class Runs:
    """Results at the two numbers of steps."""

    all: list[Result]

    @property
    def windows(self) -> np.ndarray:
        """(K,)."""
        return self.all[0].data.window.values

    @property
    def ends(self) -> tuple[int, int]:
        """Numbers of steps whose last sign is +, and -."""
        steps = sorted({_steps(r) for r in self.all})
        return steps[1], steps[0]

    def constant(self, steps: int) -> Result:
        """The signal that does not move."""
        return next(r for r in self.all if r.coordinates["name"] == "constant" and _steps(r) == steps)

    def signs(self, steps: int) -> list[Result]:
        """By rising mean, the constant signal last."""
        found = [r for r in self.all if r.coordinates["name"] == "signs" and _steps(r) == steps]
        return [*sorted(found, key=_mean), self.constant(steps)]

    def since(self, name: str) -> tuple[np.ndarray, list[Result]]:
        """Steps since a switch, rising, and the results."""
        found = sorted((r for r in self.all if r.coordinates["name"] == name), key=_since)
        return np.array([_since(r) for r in found]), found


def _steps(result: Result) -> int:
    return int(result.data.attrs["steps"])


def _mean(result: Result) -> float:
    return float(getattr(result.model.signal, "mean", 1.0))


def _since(result: Result) -> int:
    return _steps(result) - int(result.model.signal.at)  # type: ignore[attr-defined]


def _read(result: Result, pipeline: str) -> np.ndarray:
    """Alignment (trial, window)."""
    return result.data.alignment.sel(pipeline=pipeline).values


def _c_sig(result: Result, window: float) -> float:
    """Of the EMA from zero (F11)."""
    from spikesim.filters import EMA

    return float(result.model.persistence(EMA(window), _steps(result))[0])


def _signed(result: Result, window: float) -> float:
    """The same by the sign that it has beside the last step's."""
    from spikesim.filters import EMA

    signal, steps = result.model.signal, _steps(result)
    return float(signal.averaged(EMA(window), steps)[0, 0, 0] * np.sign(signal.modes(steps - 1)[0]))


def draw(store: Store, figures: Path, published: Path | None = None) -> report.Outcome:
    """Draw figures/persistence and say what it shows."""
    del published
    runs = Runs(list(store))
    with plots.panels(2, 2, (13, 10.5)) as (figure, axes):
        _against_persistence(axes[0, 0], runs)
        _against_window(axes[0, 1], runs)
        _differences(axes[1, 0], runs)
        _recoveries(axes[1, 1], runs)
        finding = _finding(runs)
        above = f"{plots.setting(runs.all[0], store.quick)}, Gaussian noise of σ = 1, EMA from zero; bands and bars 95 %"
        plots.save(figure, figures, "persistence", above, finding)
    details = f"{_sign_details(runs)}; {_reversal_details(runs)}; {_recovery_details(runs)}."
    return report.Outcome(finding, details=details)


def _at(runs: Runs, window: float) -> int:
    return int(np.argmin(np.abs(runs.windows - window)))


def _against_persistence(axis: Any, runs: Runs) -> None:
    k = _at(runs, SHOWN)
    group = [*runs.signs(runs.ends[1])[:-1], *runs.signs(runs.ends[0])]
    x = np.array([_signed(r, runs.windows[k]) for r in group])
    order = np.argsort(x)
    for name in NAMES:
        samples = np.stack([_read(r, name)[:, k] for r in group], axis=1)[:, order]
        plots.mean_band(axis, x[order], samples, name, **plots.PIPELINE_STYLE[name])
    axis.axhline(0, color="#999999", linewidth=1)
    axis.axvline(0, color="#999999", linewidth=1)
    axis.set(xlabel="c_sig of the buffer, negative where it points against the last sign")
    axis.set(ylabel="alignment with the last step's signal", title=f"signs of mean 0 to 1, T = {runs.windows[k]:g}")
    axis.legend(loc="lower right")


def _against_window(axis: Any, runs: Runs) -> None:
    result = runs.signs(runs.ends[0])[0]
    for name in NAMES:
        plots.mean_band(axis, 2 * runs.windows - 1, _read(result, name), name, **plots.PIPELINE_STYLE[name])
    x = 2 * runs.windows - 1
    plots.guide(axis, x, [_c_sig(result, t) for t in runs.windows], "c_sig", linestyle=":")
    axis.set(xscale="log", xlabel=plots.SAMPLES, ylabel="alignment with the last step's signal", ylim=(-0.03, 1.05))
    axis.set_title("signs + − + − ...: c_sig = 1/(2T − 1)")
    axis.legend()


def _differences(axis: Any, runs: Runs) -> None:
    group = runs.signs(runs.ends[0])
    chosen = [k for k, t in enumerate(runs.windows) if t >= 2]
    for k, style in zip(chosen, plots.MANY_STYLE, strict=False):
        samples = np.stack([(_read(r, "pre-polar") - _read(r, "re-polarised"))[:, k] for r in group], axis=1)
        x = np.array([_c_sig(r, runs.windows[k]) for r in group])
        order = np.argsort(x)
        plots.mean_band(axis, x[order], samples[:, order], f"T = {runs.windows[k]:g}", **style)
    axis.axhline(0, color="#999999", linewidth=1)
    axis.set(xlabel="c_sig of the buffer", ylabel="pre-polar − re-polarised (alignment, paired)")
    axis.set_title("which order leads, both orthogonalised last")
    axis.legend()


def _recovered(steps: np.ndarray, means: np.ndarray, level: np.ndarray) -> np.ndarray:
    """Steps at which means (..., n) first reach a level (...), between readings linear in log n; infinite if never."""
    reached = means >= level[..., None]
    first = reached.argmax(-1)
    before = np.maximum(first - 1, 0)
    low, high = (np.take_along_axis(means, i[..., None], -1)[..., 0] for i in (before, first))
    with np.errstate(all="ignore"):
        part = np.where(first > 0, (level - low) / (high - low), 1.0)
    logs = np.log(steps)
    found = np.exp(logs[before] + part * (logs[first] - logs[before]))
    return np.where(reached.any(-1), found, np.inf)


def _recovery(runs: Runs, switch: str, pipeline: str, k: int) -> tuple[float, float, float]:
    """Steps to SHARE of the steady alignment, and the 95 % interval over resampled trials."""
    steps, results = runs.since(switch)
    samples = np.stack([_read(r, pipeline)[:, k] for r in results], axis=-1)
    steady = _read(runs.constant(runs.ends[0]), pipeline)[:, k]
    picked = rng.generator(0, rng.BOOTSTRAP).integers(len(samples), size=(RESAMPLES, len(samples)))
    made = _recovered(steps, samples[picked].mean(1), SHARE * steady[picked].mean(1))
    low, high = np.quantile(made, [0.025, 0.975], method="nearest")
    return float(_recovered(steps, samples.mean(0), SHARE * steady.mean())), float(low), float(high)


def _steps_text(value: float, low: float, high: float, sampled: np.ndarray) -> str:
    """Steps with their interval; what is over at the first sampled step, or not at the last, is known only to be so."""
    ends = [_bounded(x, sampled) for x in (value, low, high)]
    return ends[0] if len(set(ends)) == 1 else f"{ends[0]} [{ends[1]}, {ends[2]}]"


def _bounded(value: float, sampled: np.ndarray) -> str:
    if value <= sampled[0]:
        return f"at most {sampled[0]}"
    return f"{value:.3g}" if np.isfinite(value) else f"more than {sampled[-1]}"


def _recoveries(axis: Any, runs: Runs) -> None:
    chosen = [k for k, t in enumerate(runs.windows) if t >= 2]
    x = 2 * runs.windows[chosen] - 1
    for switch, line in zip(SWITCHES, ("-", ":"), strict=True):
        for place, name in enumerate(n for n in NAMES if n != "polar-only"):
            found = np.array([_recovery(runs, switch, name, k) for k in chosen]).T
            found = np.where(np.isfinite(found), found, np.nan)
            look = plots.PIPELINE_STYLE[name] | {"linestyle": line, "linewidth": 1.2}
            label = f"{name}, {switch.removeprefix('switch of ')}"
            plots.intervals(axis, x * (0.96 + 0.04 * place), found[0], found[1:], label, **look)
    axis.set(xscale="log", yscale="log", xlabel=plots.SAMPLES, ylabel="steps since the switch")
    axis.set_title(f"steps until {100 * SHARE:g} % of the steady alignment")
    axis.legend(title="switch of sign, or of both vectors")


def _value(samples: np.ndarray, places: int = 3) -> str:
    mean, error = mean_error(samples)
    return f"{mean:.{places}f} ± {1.96 * error:.{places}f}"


def _finding(runs: Runs) -> str:
    k, result = _at(runs, SHOWN), runs.signs(runs.ends[0])[0]
    pre, again, alone = (_read(result, name)[:, k] for name in ("pre-polar", "re-polarised", "polar-only"))
    mean, error = mean_error(pre - again)
    order = "is undecided" if abs(mean) < 1.96 * error else "stands" if mean > 0 else "turns round"
    switch, sampled = SWITCHES[0], runs.since(SWITCHES[0])[0]
    back, other = (_steps_text(*_recovery(runs, switch, name, k), sampled) for name in ("pre-polar", "re-polarised"))
    return (
        f"Where signs alternate the lead over re-polarised {order}: at T = {runs.windows[k]:g} pre-polar's alignment is "
        f"{_value(pre)}, {abs(mean):.3f} ± {1.96 * error:.3f} {'above' if mean > 0 else 'below'} re-polarised's, and "
        f"{_value(alone)} without momentum; after a {switch} {100 * SHARE:g} % is back in {back} steps, re-polarised in "
        f"{other}."
    )


def _sign_details(runs: Runs) -> str:
    k, result = _at(runs, SHOWN), runs.signs(runs.ends[0])[0]
    each = ", ".join(f"{name} {_value(_read(result, name)[:, k])}" for name in NAMES)
    against = runs.signs(runs.ends[1])[1]
    minus, t = _value(_read(against, "pre-polar")[:, k]).replace("-", "−"), runs.windows[k]
    return (
        f"With c_sig the lead of momentum goes: where signs alternate (c_sig {_c_sig(result, t):.3f} at T = {t:g}) alignment "
        f"is {each}, and at a step of sign −, with signs of mean {_mean(against):g}, pre-polar's is {minus}"
    )


def _reversal_details(runs: Runs) -> str:
    """Where pre-polar is significantly behind, two-sided 5 % over all cells by Bonferroni."""
    from scipy.stats import t as student

    group, chosen = runs.signs(runs.ends[0]), [k for k, t in enumerate(runs.windows) if t >= 2]
    said = []
    for other in ("re-polarised", "polar-only"):
        apart = np.stack([(_read(r, "pre-polar") - _read(r, other))[:, chosen] for r in group])
        mean, error = mean_error(apart, axis=1)
        limit = student.ppf(1 - 0.025 / (2 * mean.size), apart.shape[1] - 1)
        c = np.array([[_c_sig(r, runs.windows[k]) for k in chosen] for r in group])
        behind, ahead = mean < -limit * error, mean > limit * error
        top = f" (c_sig up to {c[behind].max():.2f})" if behind.any() else ""
        low = f" (from {c[ahead].min():.2f} on)" if ahead.any() else ""
        said.append(f"behind {other} in {behind.sum()}{top} and ahead in {ahead.sum()}{low} of {mean.size} cells")
    return f"at + steps, over all means and T >= 2, pre-polar is significantly {' and '.join(said)}"


def _recovery_details(runs: Runs) -> str:
    k = _at(runs, SHOWN)
    said = []
    for switch in SWITCHES:
        sampled = runs.since(switch)[0]
        parts = []
        for name in ("pre-polar", "post-polar", "re-polarised"):
            parts.append(f"{_steps_text(*_recovery(runs, switch, name, k), sampled)} ({name})")
        said.append(f"after a {switch} in {', '.join(parts)} steps")
    return f"at T = {runs.windows[k]:g} {100 * SHARE:g} % of the steady alignment is back {' and '.join(said)}"


if __name__ == "__main__":
    report.main(draw, __file__)
