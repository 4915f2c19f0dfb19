"""Alignment, gap and the transition of pre-polar at the shapes of language-model layers, up to 16384 x 65536.

Shapes are d x d and d x 4d with spikes of one size against one entry's noise. No such matrix is formed: each buffer is a
band matrix of the same law (theory.md L2 to L4), drawn for itself, so that laws are exact and marginal.

spikesim run experiments/layers.toml --out results/layers
python experiments/layers.py          # draws; never simulates
"""

from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from spikesim import plots, report
from spikesim.errors import need
from spikesim.estimate import mean_error
from spikesim.sweep.store import Result, Store
from spikesim.theory import asymptotics

GROUP = "What is sharper"

MIDDLE = (0.3, 0.8)
"""Squared overlaps that tell the critical window: those nearer 0 are blurred by finite size, those nearer 1 hardly move."""
AWAY = 2.0
"""Factor from the critical effective sample size beyond which the gap is away from the transition."""
FAMILY: tuple[dict[str, Any], ...] = ({"linestyle": "-"}, {"linestyle": ":", "markerfacecolor": "white"})
"""Looks of d x d and d x 4d; colours and markers tell widths."""


@dataclass(frozen=True)
class Layer:
    """One shape: what was measured and the limits, against x = 2T - 1."""

    result: Result

    @property
    def shape(self) -> tuple[int, int]:
        """(m, n), m <= n."""
        return self.result.model.shape

    @property
    def name(self) -> str:
        """The shape in words."""
        return f"{self.shape[0]} × {self.shape[1]}"

    @property
    def family(self) -> int:
        """n/m."""
        return self.shape[1] // self.shape[0]

    @property
    def weakest(self) -> float:
        """The weakest spike."""
        return min(self.result.model.spikes)

    @property
    def steps(self) -> int:
        """At which everything is read."""
        return int(self.result.data.attrs["steps"])

    @property
    def x(self) -> np.ndarray:
        """2T - 1, (window,)."""
        return 2 * self.result.data.window.values - 1

    @property
    def at(self) -> tuple[tuple[int, int], float]:
        """Shape and sigma."""
        return self.shape, self.result.model.noise.variance**0.5

    @property
    def critical(self) -> float:
        """2T - 1 at which the weakest spike leaves the bulk (S2)."""
        return 2 * asymptotics.critical_window(*self.at, self.weakest, self.steps) - 1

    def samples(self, name: str) -> np.ndarray:
        """(trial, window): "alignment"; "gap" over the weakest spike; "overlap" squared, left, of the weakest direction."""
        data = self.result.data.sel(pipeline="pre-polar")
        if name == "overlap":
            return 1 - data.sin_theta_left.values**2
        return data[name].values / (self.weakest if name == "gap" else 1)

    def limit(self, name: str, x: np.ndarray) -> np.ndarray:
        """The same for large sizes: S4; S3 less S2; S3."""
        return np.array([self._limit(name, (1 + each) / 2) for each in x])

    def _limit(self, name: str, window: float) -> float:
        if name == "alignment":
            return asymptotics.alignment(*self.at, self.result.model.spikes, window, self.steps)
        if name == "overlap":
            return float(asymptotics.overlaps(*self.at, self.weakest, window, self.steps)[0])
        value = asymptotics.singular_value(*self.at, self.weakest, window, self.steps)
        return float(value - asymptotics.bulk_edge(*self.at, window, self.steps)) / self.weakest

    @property
    def transition(self) -> tuple[float, float]:
        """The critical 2T - 1 as measured, and its standard error: the mean over windows whose overlap y is in MIDDLE.

        Each says (2T - 1) c, from S3 as c^2 + y sqrt(m/n) c = 1 - y with c = critical/(2T - 1).
        """
        mean, error = mean_error(self.samples("overlap"))
        chosen = (mean >= MIDDLE[0]) & (mean <= MIDDLE[1])
        need(bool(chosen.any()), f"windows of squared overlap between {MIDDLE[0]:g} and {MIDDLE[1]:g}", shape=self.shape)
        x, y, root = self.x[chosen], mean[chosen], (self.shape[0] / self.shape[1]) ** 0.5
        c = np.sqrt((y * root / 2) ** 2 + 1 - y) - y * root / 2
        spread = x * error[chosen] * (1 + root * c) / (2 * c + y * root)
        return float(np.mean(x * c)), float(np.hypot.reduce(spread) / x.size)


def draw(store: Store, figures: Path, published: Path | None = None) -> report.Outcome:
    """Draw figures/layers and say what it shows."""
    del published
    layers = sorted((Layer(r) for r in store), key=lambda x: (x.family, x.shape))
    families = [list(group) for _, group in groupby(layers, key=lambda x: x.family)]
    widths = sorted({x.shape[0] for x in layers})
    styles = {d: s | {"markersize": 5, "markerfacecolor": s["color"]} for d, s in zip(widths, plots.MANY_STYLE, strict=False)}
    with plots.panels(2, 2, (11.5, 10.5)) as (figure, axes):
        shown = [x for x in layers if x.shape[0] in (widths[0], widths[len(widths) // 2], widths[-1])]
        _curves(axes[0, 0], shown, "alignment", "limit S4", families, styles)
        _curves(axes[0, 1], shown, "gap", "limit S3 − S2", families, styles)
        _collapse(axes[1, 0], families, styles)
        _widths(axes[1, 1], families)
        _label(axes)
        finding = _finding(layers)
        spikes = ", ".join(f"{s:g}" for s in layers[0].result.model.spikes)
        trials = f"{layers[0].result.data.trial.size} trials" + (" (quick run)" if store.quick else "")
        above = (
            f"pre-polar, rank {layers[0].result.model.rank}, λ/σ = {spikes} (σ: one entry's noise) at every shape, "
            f"Gaussian noise, {trials}; exact in law for each window, no matrix formed"
        )
        plots.save(figure, figures, "layers", above, finding)
    return report.Outcome(finding)


def _curves(axis: Any, shown: list[Layer], name: str, source: str, families: list[list[Layer]], styles: Any) -> None:
    """Means of one observable with their limits."""
    for layer in shown:
        place = [group[0].family for group in families].index(layer.family)
        plots.mean_band(axis, layer.x, layer.samples(name), layer.name, **styles[layer.shape[0]] | FAMILY[place])
    for layer in shown:
        fine = np.unique(np.append(np.geomspace(layer.x[0], layer.x[-1], 100), layer.critical))
        label = source if layer is shown[-1] else f"_{source} {layer.name}"
        plots.guide(axis, fine, layer.limit(name, fine), label, linewidth=1)


def _collapse(axis: Any, families: list[list[Layer]], styles: Any) -> None:
    """Overlaps of all shapes against multiples of the critical effective sample size."""
    for group, look, line in zip(families, FAMILY, ("--", "-."), strict=False):
        for layer in group:
            found = mean_error(layer.samples("overlap"))
            _points(axis, layer.x / layer.critical, *found, layer.name, styles[layer.shape[0]] | look)
        last = group[-1]
        fine = np.unique(np.append(np.geomspace(1 / 8, 32, 200), 1))
        plots.guide(axis, fine, last.limit("overlap", fine * last.critical), f"limit S3, {_of(last)}", linestyle=line)
    axis.axvline(1, color="#888888", linestyle=":", label="critical S2")
    axis.set_xlim(1 / 8, 32)


def _points(axis: Any, x: Any, value: np.ndarray, error: np.ndarray, label: str, style: dict[str, Any]) -> None:
    """Points with 95 % intervals."""
    axis.plot(x, value, label=label, **style | {"linestyle": "none", "markersize": 5})
    axis.vlines(x, value - 1.96 * error, value + 1.96 * error, color=style["color"])


def _widths(axis: Any, families: list[list[Layer]]) -> None:
    """The critical effective sample size against width: S2, and what the measured overlaps say."""
    for group, style, line in zip(families, plots.SERIES_STYLE, ("--", "-."), strict=False):
        d, (value, error) = [x.shape[0] for x in group], np.array([x.transition for x in group]).T
        plots.guide(axis, d, [x.critical for x in group], f"critical S2, {_of(group[0])}", linestyle=line)
        _points(
            axis, d, value, error, f"measured (overlaps, S3), {_of(group[0])}", {**style, "markerfacecolor": style["color"]}
        )
    low, high = families[0][0], families[0][-1]
    said = f"above its line all spikes are out of the bulk;\nbelow, the weakest (λ = {low.weakest:g} σ) is lost"
    axis.annotate(said, (high.shape[0], low.critical), ha="right", va="bottom", fontsize=10, color="#555555")
    axis.set_xscale("log", base=2)
    axis.set_xticks(d, [str(x) for x in d])


def _of(layer: Layer) -> str:
    return "d × d" if layer.family == 1 else f"d × {layer.family}d"


def _label(axes: Any) -> None:
    """Titles, labels, scales and a second axis of momenta."""
    titles = ("alignment of the update", "spectral gap of the buffer",
              "overlap at multiples of the critical window", "critical window against width")  # fmt: skip
    heights = ("alignment ⟨A, S⟩ / ‖S‖∗", "gap ($d_r - d_{r+1}$) / weakest λ",
               "squared left overlap, weakest direction", plots.SAMPLES)  # fmt: skip
    for axis, title, height in zip(axes.flat, titles, heights, strict=True):
        axis.set(title=title, ylabel=height)
        axis.legend()
    for axis in axes[0]:
        axis.set(xscale="log", xlabel=plots.SAMPLES)
        _momenta(axis.secondary_xaxis("top").xaxis, (0, 0.9, 0.99, 0.999))
    axes[1, 0].set(xscale="log", xlabel="(2T − 1) / critical (S2)")
    axes[1, 1].set(yscale="log", xlabel="width d")
    _momenta(axes[1, 1].secondary_yaxis("right").yaxis, (0.9, 0.95, 0.98, 0.99, 0.995))


def _momenta(axis: Any, momenta: tuple[float, ...]) -> None:
    """Momenta in place of 2T - 1 = (1 + beta)/(1 - beta)."""
    axis.set_ticks([(1 + b) / (1 - b) for b in momenta], [f"β = {b:g}" for b in momenta])
    axis.set_ticks([], minor=True)


def _finding(layers: list[Layer]) -> str:
    off = [mean_error(x.samples("alignment") - x.limit("alignment", x.x)) for x in layers]
    each = ", ".join(
        f"{np.abs(d).max():.4f} ({np.max(np.abs(d) / e):.1f}) at {x.name}" for x, (d, e) in zip(layers, off, strict=True)
    )
    return (
        f"Drawn window by window as bands of the same law, with no matrix formed, mean alignments deviate from S4, at most "
        f"over {layers[0].x.size} windows (in standard errors), by {each}; {_transition(layers)}; {_gaps(layers)}."
    )


def _transition(layers: list[Layer]) -> str:
    """What the crossings of LEVEL say of S2."""
    value, spread = np.array([x.transition for x in layers]).T
    critical, x = np.array([x.critical for x in layers]), np.log([np.prod(x.shape) for x in layers]) / 2
    slopes = (x - x.mean()) / np.sum((x - x.mean()) ** 2)
    power, off = slopes @ np.log(value), np.hypot.reduce(slopes * spread / value)
    ratio, half = value / critical, 1.96 * spread / critical
    return (
        f"the critical 2T − 1 that S3 reads off squared left overlaps of the weakest direction, where {MIDDLE[0]:g} to "
        f"{MIDDLE[1]:g}, is {ratio.min():.3f} to {ratio.max():.3f} of S2's, with 95 % intervals of ± {half.min():.3f} to "
        f"± {half.max():.3f} of which {np.sum(np.abs(ratio - 1) <= half)} of {ratio.size} contain 1, and grows like √(mn) "
        f"to the power {power:.3f} ± {1.96 * off:.3f} (S2: 1), from T = {(1 + value.min()) / 2:.1f} to "
        f"{(1 + value.max()) / 2:.0f}"
    )


def _gaps(layers: list[Layer]) -> str:
    """How far the mean gap is from S3 less S2."""
    far, near = [], []
    for layer in layers:
        off = np.abs(layer.samples("gap").mean(0) - layer.limit("gap", layer.x))
        away = layer.x / layer.critical >= AWAY - 1e-3
        far.append(off[away].max())
        near.append(off[~away].max())
    return (
        f"mean gaps lie within {100 * max(far):.1f} % of the weakest λ of S3 less S2 where 2T − 1 is {AWAY:g} times critical "
        f"or more, and within {100 * max(near):.1f} % below, where a finite matrix has a gap of its own"
    )


if __name__ == "__main__":
    report.main(draw, __file__)
