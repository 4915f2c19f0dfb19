"""Newton-Schulz iterations in place of the exact polar step (O1 to O3): their cost in alignment, against T and precision.

Momentum lowers the bulk and leaves the spikes, so that small singular values fall below what an iteration reaches.
Differences are of the same buffers (paired); cosines and alignment over the spectral norm do not depend on an update's scale.

spikesim run experiments/newton_schulz.toml --out results/newton_schulz
python experiments/newton_schulz.py          # draws; never simulates
"""

from pathlib import Path
from typing import Any

import numpy as np

from spikesim import plots, report
from spikesim.estimate import mean_error
from spikesim.sweep.store import Result, Store

GROUP = "What is open"
ITERATIONS = {"cubic": 12, "muon": 5, "dion": 5, "polar-express": 5, "aol": 4}
"""Published iterations and their number of steps."""
STEPS = (3, 6, 9, 15, 20)


def draw(store: Store, figures: Path, published: Path | None = None) -> report.Outcome:
    """Draw figures/newton_schulz and say what it shows."""
    del published
    (result,) = store
    with plots.panels(2, 2, (12.5, 10)) as (figure, axes):
        for name, style in zip(ITERATIONS, plots.MANY_STYLE, strict=False):
            _residuals(axes[0, 0], result, name, style)
            _differences(axes[0, 1], result, name, style)
            _cosines(axes[1, 0], result, name, style)
            _lengths(axes[1, 1], result, name, style)
        _finish(axes, result)
        finding = _answer(result)
        details = f"{_alignments(result)}; {_precision(result)}; {_spread(result)}; {_more_steps(result)}."
        above = f"{plots.setting(result, store.quick)}, Gaussian noise, σ = 1, steady state; bands of 95 %"
        plots.save(figure, figures, "newton_schulz", f"{above}; colours and marks are those of the first panel", finding)
    return report.Outcome(finding, details=details)


def _samples(result: Result, name: str, pipeline: str) -> np.ndarray:
    """(trial, window)."""
    return result.data[name].sel(pipeline=pipeline).transpose("trial", "window").values


def _x(result: Result) -> np.ndarray:
    return 2 * result.data.window.values - 1


def _less(result: Result, pipeline: str, name: str = "alignment", other: str = "exact") -> np.ndarray:
    """Samples less those of another pipeline, (trial, window)."""
    return _samples(result, name, pipeline) - _samples(result, name, other)


def _residuals(axis: Any, result: Result, name: str, style: dict[str, Any]) -> None:
    plots.mean_band(axis, _x(result), _samples(result, "residual", f"{name}, float64"), name, **style)
    half = _samples(result, "residual", f"{name}, bfloat16").mean(0)
    axis.plot(_x(result), half, "x", color="black", markersize=4, label="_bfloat16")


def _differences(axis: Any, result: Result, name: str, style: dict[str, Any]) -> None:
    plots.mean_band(axis, _x(result), _less(result, f"{name}, float64"), f"_{name}, raw", **style)
    look = style | {"linestyle": ":", "markersize": 3}
    plots.mean_band(axis, _x(result), _less(result, f"{name} over its norm"), f"_{name}, over its norm", **look)


def _cosines(axis: Any, result: Result, name: str, style: dict[str, Any]) -> None:
    plots.mean_band(axis, _x(result), _ratio(result, name), f"_{name}", **style)


def _ratio(result: Result, name: str) -> np.ndarray:
    """Cosine with O(S) over that of the exact factor, (trial, window)."""
    return _samples(result, "cosine", f"{name}, float64") / _samples(result, "cosine", "exact")


def _middle(result: Result) -> int:
    """The window at which numbers of steps are compared."""
    return result.data.window.size // 2


def _lengths(axis: Any, result: Result, name: str, style: dict[str, Any]) -> None:
    pairs = [(k, f"{name}, {k} steps") for k in STEPS] + [(ITERATIONS[name], f"{name}, float64")]
    steps, samples = zip(*[(k, _less(result, p)[:, _middle(result)]) for k, p in sorted(pairs)], strict=True)
    plots.mean_band(axis, steps, np.stack(samples, axis=1), f"_{name}", **style)


def _shorter(result: Result) -> np.ndarray:
    """What the exact factor has less at the window before, (trial, window from the second on)."""
    exact = _samples(result, "alignment", "exact")
    return exact[:, :-1] - exact[:, 1:]


def _finish(axes: Any, result: Result) -> None:
    windows = result.data.window.values
    axes[0, 0].plot([], [], "x", color="black", label="the same in bfloat16")
    axes[0, 0].set(title="Distance from a polar factor", ylabel="residual ‖P Pᵀ P − P‖ / ‖P‖", ylim=(0, None))
    axes[0, 0].legend(loc="upper left")
    plots.guide(axes[0, 1], _x(result)[1:], _shorter(result).mean(0), f"exact at T/{windows[1] / windows[0]:g}")
    axes[0, 1].plot([], [], "-", color="#555555", label="as it is")
    axes[0, 1].plot([], [], ":", color="#555555", label="over its spectral norm")
    axes[0, 1].set(title="Alignment, paired with exact", ylabel="alignment less that of the exact factor")
    axes[0, 1].legend(loc="lower right", ncol=3)
    low, high = axes[0, 1].get_ylim()
    axes[0, 1].set(ylim=(low - 0.08, high))
    axes[1, 0].axhline(1, color="black", linewidth=0.8)
    axes[1, 0].set(title="Cosine, paired with exact", ylabel="cosine with O(S) over that of the exact factor")
    for axis in (axes[0, 0], axes[0, 1], axes[1, 0]):
        axis.set(xscale="log", xlabel=plots.SAMPLES)
    axes[1, 1].axhline(0, color="black", linewidth=0.8)
    axes[1, 1].set(title=f"Alignment at T = {windows[_middle(result)]:g}, other numbers of steps")
    axes[1, 1].set(ylabel="alignment less that of the exact factor", xlabel="steps of the iteration")


def _answer(result: Result) -> str:
    """Whether iterations do worse as T grows, by residual, by alignment and by cosine."""
    t = result.data.window.values
    behind = {n: _less(result, f"{n}, float64") for n in ITERATIONS}
    harder = sum(_rise(_samples(result, "residual", f"{n}, float64")) > 1.96 for n in ITERATIONS)
    falling = sum(_rise(x) < -1.96 for x in behind.values())
    most = min(ITERATIONS, key=lambda n: (behind[n][:, -1] - behind[n][:, 0]).mean())
    ratios = {n: mean_error(_ratio(result, n)[:, -1]) for n in ITERATIONS}
    above = sum(mean - 1 > 1.96 * error for mean, error in ratios.values())
    mean, error = ratios[most]
    return (
        f"From T = {t[0]:g} to {t[-1]:g} the residual rises for {harder} of {len(ITERATIONS)} iterations, but alignment "
        f"falls further behind the exact step's for {falling} ({most} most, {_said(behind[most][:, 0])} to "
        f"{_said(behind[most][:, -1])}), and the cosine with O(S) ends above it for {above} ({most} {mean:.2f} ± "
        f"{1.96 * error:.1g} times)."
    )


def _said(samples: np.ndarray) -> str:
    mean, error = mean_error(samples)
    return f"{mean:+.3f} ± {1.96 * error:.1g}"


def _alignments(result: Result) -> str:
    """Differences from the exact factor at the middle window, raw, and over the norm, beside those of a shorter window."""
    w = _middle(result)
    t = result.data.window.values
    raw = ", ".join(f"{n} {_said(_less(result, f'{n}, float64')[:, w])}" for n in ITERATIONS)
    over = ", ".join(f"{n} {_said(_less(result, f'{n} over its norm')[:, w])}" for n in ITERATIONS)
    return (
        f"At T = {t[w]:g} alignment less that of the exact polar step is {raw} (over the spectral norm {over}), where the "
        f"exact step at T = {t[w - 1]:g} has {_said(_shorter(result)[:, w - 1])}"
    )


def _precision(result: Result) -> str:
    """Largest mean differences from float64, over iterations and windows, in raw alignment and in cosine."""
    parts = []
    for dtype in ("float32", "bfloat16"):
        found = {}
        for name in ("alignment", "cosine"):
            pairs = [mean_error(_less(result, f"{n}, {dtype}", name, f"{n}, float64")) for n in ITERATIONS]
            means, errors = (np.stack([pair[i] for pair in pairs]) for i in (0, 1))
            at = np.unravel_index(np.abs(means).argmax(), means.shape)
            place = f" ({list(ITERATIONS)[at[0]]}, T = {result.data.window.values[at[1]]:g})" if dtype == "bfloat16" else ""
            found[name] = f"{means[at]:+.1g} ± {1.96 * errors[at]:.0e}{place}"
        parts.append(f"{dtype} moves alignment by at most {found['alignment']} and the cosine by {found['cosine']}")
    return f"against float64, {'; '.join(parts)}"


def _spread(result: Result) -> str:
    """Residuals and cosines at both ends."""
    t = result.data.window.values
    names = [n for n in ITERATIONS if _rise(_samples(result, "residual", f"{n}, float64")) > 1.96]
    residuals = ", ".join(
        f"{n} {r[0]:.2f} to {r[-1]:.2f}" for n in ITERATIONS for r in [_samples(result, "residual", f"{n}, float64").mean(0)]
    )
    ratios = ", ".join(
        f"{n} {c[-1]:.2f}" for n in ITERATIONS
        for c in [_samples(result, "cosine", f"{n}, float64").mean(0) / _samples(result, "cosine", "exact").mean(0)]
    )  # fmt: skip
    return (
        f"filtering makes the task harder for {len(names)} of {len(ITERATIONS)} (residual from T = {t[0]:g} to "
        f"{t[-1]:g}: {residuals}), "
        f"but what is lost is noise, and the cosine is then {ratios} times the exact step's; {_least(result)}"
    )


def _least(result: Result) -> str:
    """The smallest cosine over the exact step's, of all iterations and windows."""
    exact = _samples(result, "cosine", "exact").mean(0)
    ratios = np.stack([_samples(result, "cosine", f"{n}, float64").mean(0) / exact for n in ITERATIONS])
    name, window = np.unravel_index(ratios.argmin(), ratios.shape)
    return f"the least is {ratios.min():.2f}, of {list(ITERATIONS)[name]} at T = {result.data.window.values[window]:g}"


def _rise(samples: np.ndarray) -> float:
    """By how many standard errors samples (trial, window) are larger at the longest window than at the shortest."""
    mean, error = mean_error(samples[:, -1] - samples[:, 0])
    return float(mean / error)


def _more_steps(result: Result) -> str:
    """The largest difference in alignment that is left after the most steps, over all windows."""
    said = []
    for name in ITERATIONS:
        means = _less(result, f"{name}, {STEPS[-1]} steps").mean(0)
        said.append(f"{name} {np.abs(means).max():.1g}")
    return f"after {STEPS[-1]} steps the largest difference in alignment at any T is {', '.join(said)}"


if __name__ == "__main__":
    report.main(draw, __file__)
