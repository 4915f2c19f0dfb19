"""The probe: a recording of gradients in, what the theory has to say of it out."""

import math
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikesim.arguments import is_whole
from spikesim.errors import need
from spikesim.pipelines import PIPELINES, POST_POLAR, PRE_POLAR, Pipeline, pipelines_from
from spikesim.polar import singular_values
from spikesim.probe import spikes as found_spikes
from spikesim.probe.advice import CLIP, Advice, advise, choose
from spikesim.probe.curve import Curve, turned
from spikesim.probe.jackknife import Statistics
from spikesim.probe.noise import NoiseEstimates, noise_estimates
from spikesim.probe.outcome import as_json, dataset
from spikesim.probe.plan import MEMORY, ahead, passes, windows_for
from spikesim.probe.readings import Asked, Readings, read
from spikesim.probe.scale import Scaling, scaled
from spikesim.probe.spikes import Ranks
from spikesim.probe.statistics import averaged, means
from spikesim.probe.sums import Sums, sums_of
from spikesim.probe.text import text
from spikesim.recorded import opened
from spikesim.stages.before import Clip
from spikesim.stages.filter import Filter
from spikesim.stages.polar import Polar
from spikesim.theory import asymptotics, drift
from spikesim.theory.filters import ema, rotation

if TYPE_CHECKING:
    import xarray as xr

Floats = NDArray[np.float64]

VALUES = 256
"""Singular values that are kept, at most."""
RANKS = (1, 2, 4, 8, 16)
CLIPPED = "clipped pre-polar"
READINGS = 48


@dataclass(frozen=True)
class Probe:
    """What a recording says.

    Attributes:
        name: Of the recording.
        kind: "stationary" or "trajectory".
        shape: (K, m, n).
        asked: Pipelines, windows and ranks.
        noise: Estimates of noise, signal and drift.
        ranks: Directions that stand out, by three rules.
        spikes: Their sizes lambda_k, falling, in the unit of the gradients.
        curve: The fitted curve and the scale ‖S‖_*.
        values: Means by name (statistics.py), and "alignment".
        errors: Their standard errors.
        predicted: Alignment of pre-polar by S4 or S8 from spikes, sigma and drift, (W,); NaN without a spike.
        persistence: c_sig at each window, (W,), how much of ‖S‖_F the filter leaves.
        persistence_error: Its standard error.
        advice: Which momentum, and whether to clip.
        readings: Every reading, by passes.
        noise_norms: Norms of noise, of one gradient each, (K/2,), or (K,) with a twin.
        twin: Whether updates were held against gradients of other batches at the same weights.
    """

    name: str
    kind: str
    shape: tuple[int, int, int]
    asked: Asked
    noise: NoiseEstimates
    ranks: Ranks
    spikes: Floats
    curve: Curve
    values: Statistics
    errors: Statistics
    predicted: Floats
    persistence: Floats
    persistence_error: Floats
    advice: Advice
    readings: tuple[Readings, ...]
    noise_norms: Floats
    twin: bool

    @property
    def rank(self) -> int:
        """Directions that stand out of the recording's own noise."""
        return self.ranks.signed_noise

    @property
    def tail(self) -> int:
        """Place of sigma_{r+1} among singular values, the last of them at most."""
        return min(self.rank, self.asked.values - 1)

    @property
    def ahead(self) -> int:
        """Steps to come that updates are held against; 0 for a signal that stands still."""
        return ahead(self.kind, self.shape[0], self.twin)

    @property
    def data(self) -> "xr.Dataset":
        """Everything with its error, over pipeline, window, index, rank and reading."""
        return dataset(self)

    def as_json(self) -> dict[str, Any]:
        """Plain values; inf and nan become None."""
        return as_json(self)

    def text(self, width: int = 120) -> str:
        """What was found, to be read."""
        return text(self, width)

    def draw(self, folder: Path | str, stem: str = "probe") -> None:
        """Write one page of figures, folder/stem.png and folder/stem.pdf."""
        from spikesim.probe.page import draw

        draw(self, Path(folder), stem)


def probe(
    gradients: Any, *, kind: str = "stationary", windows: Iterable[float] | None = None, ranks: Iterable[int] | None = None,
    pipelines: Iterable[str | Pipeline] = PIPELINES, reach: float = 0.9, readings: int | None = None, seed: int = 0,
    twin: Any = None,
) -> Probe:  # fmt: skip
    """Hold recorded gradients of one layer against the theory.

    Args:
        gradients: (K, m, n): an array, an iterable of (m, n) arrays, a path (.npy, .npz, .safetensors) or a Recording.
        kind: "stationary": gradients of different batches at fixed weights, whose order means nothing. "trajectory": those of
            successive steps of training.
        windows: T to try; K/12 at most. None for a grid of them.
        ranks: Of the subspaces to compare. None for 1, 2, 4, 8, 16 as far as the shape allows.
        pipelines: Names, texts or Pipeline objects; pre-polar comes first in any case.
        reach: Alignment that is asked for where no drift limits the window, in (0, 1).
        readings: How often updates are read, >= 20. None for READINGS, or four times as many with a twin, each of whose
            readings is held against one gradient only.
        seed: Of orders and signs.
        twin: Of a trajectory: gradients of other batches at the same weights, step by step, as `gradients` is given. An
            update is then held against its own step's signal; without, against that of the next, when weights have moved.

    Raises:
        ValueError: If an argument is none of these, or the gradients are not finite, too few, or no stack of matrices.

    Source: theory.md P1 to P9.
    """
    need(isinstance(reach, int | float) and 0 < reach < 1, "0 < reach < 1", reach=reach)
    need(readings is None or (is_whole(readings) and readings >= 20), "readings: an integer >= 20", readings=readings)
    need(twin is None or kind == "trajectory", 'a twin of a "trajectory" only', kind=kind)
    often = readings or (READINGS if twin is None else 4 * READINGS)
    with ExitStack() as stack:
        recording = stack.enter_context(opened(gradients))
        other = None if twin is None else stack.enter_context(opened(twin))
        count, m, n = recording.shape
        need(
            other is None or other.shape == recording.shape, f"a twin of shape {recording.shape}", shape=other and other.shape
        )
        tried = windows_for(kind, count, windows)
        sums = sums_of(recording, seed, other)
        asked = Asked(_pipelines(pipelines, clip_norm(sums)), tried, _ranks(ranks, (m, n)), min(m, n, VALUES))
        buffer = sums.mean if kind == "stationary" else max(2, round(MEMORY[kind] * tried[-1]))
        plan = passes(kind, count, tried, often, seed, other is not None)
        runs = tuple(read(recording, run, asked, buffer, other) for run in plan)
    return _concluded(recording.name, kind, asked, sums, runs, reach)


def clip_norm(sums: Sums) -> float:
    """The norm at which clipping is tried.

    Raises:
        ValueError: If most gradients are zero.
    """
    norm = CLIP * float(np.median(sums.norms))
    need(norm > 0, "gradients that are not mostly zero", median_norm=norm / CLIP)
    return norm


def _pipelines(given: Iterable[str | Pipeline], norm: float) -> tuple[Pipeline, ...]:
    """Pre-polar, those asked for, and pre-polar with clipped gradients."""
    asked = [p for p in pipelines_from(given) if p != PRE_POLAR]
    clipped = Pipeline((Clip(norm), Filter(), Polar()), CLIPPED)
    found = pipelines_from([PRE_POLAR, *asked, clipped])
    for p in found:
        need(p.pace == 1, "pipelines without workers: a recording is one stream", pipeline=str(p))
    return found


def _ranks(given: Iterable[int] | None, shape: tuple[int, int]) -> tuple[int, ...]:
    most = min(shape)
    if given is None:
        return tuple(r for r in RANKS if r <= max(1, most // 2))
    found = tuple(given) if isinstance(given, Iterable) else (given,)
    good = found and all(is_whole(r) and 1 <= r <= most for r in found) and len(set(found)) == len(found)
    need(good, f"distinct ranks from 1 to min(m, n) = {most}", ranks=given)
    return tuple(sorted(found))


def _concluded(name: str, kind: str, asked: Asked, sums: Sums, runs: tuple[Readings, ...], reach: float) -> Probe:
    """From sums and readings to the probe."""
    shape, windows = sums.shape[1:], np.asarray(asked.windows)
    noise = noise_estimates(sums, kind)
    values, errors = averaged(runs, means)
    omega = noise.drift.value if kind == "trajectory" else 0.0
    high = float(values["nuclear"][0].min())
    if kind == "stationary":
        high = min(high, float(singular_values(sums.mean).sum()))
    bounded = tuple(i for i, p in enumerate(asked.pipelines) if str(p) in (*PIPELINES, CLIPPED))
    twin = sums.shared is not None
    steps = ahead(kind, sums.shape[0], twin)
    scaling = Scaling(shape, windows, omega, steps, high, bounded)
    curve, alignment, spread = scaled(runs, scaling, values, errors)
    values, errors = values | {"alignment": alignment}, errors | {"alignment": spread}
    ranks, spikes = _spikes(kind, sums, noise, values, windows, omega)
    choice = choose(curve, windows, values, errors, reach)
    post = asked.pipelines.index(POST_POLAR) if POST_POLAR in asked.pipelines else None
    advice = advise(choice, curve, values, errors, len(asked.pipelines) - 1, clip_norm(sums), post)
    predicted = _predicted(shape, noise.sigma.value, spikes, windows, omega, steps)
    kept = _persistence(noise, values["energy"][0], errors["energy"][0], windows)
    return Probe(
        name, kind, sums.shape, asked, noise, ranks, spikes, curve, values, errors, predicted, *kept, advice, runs,
        sums.sizes, twin,
    )  # fmt: skip


def _persistence(noise: NoiseEstimates, energy: Floats, error: Floats, windows: Floats) -> tuple[Floats, Floats]:
    """c_sig, sqrt of (E‖M‖_F^2 - eta/(2T - 1))/A, and its error; NaN without a signal (P7)."""
    signal = noise.signal.value if noise.signal.value > 0 else math.nan
    kept = np.sqrt(np.maximum(energy - noise.eta.value / (2 * windows - 1), 0.0) / signal)
    with np.errstate(divide="ignore"):
        return kept, error / (2 * signal * kept)


def _spikes(
    kind: str, sums: Sums, noise: NoiseEstimates, values: Statistics, windows: Floats, omega: float
) -> tuple[Ranks, Floats]:
    """Ranks, and sizes of the directions that stand out: in the mean of all, or in the buffer of the largest decrease."""
    shape, kept = sums.shape[1:], 1.0
    if kind == "stationary":
        spectrum, n_eff = singular_values(sums.mean), float(sums.shape[0])
    else:
        i = int(values["decrease"][0].argmax())
        spectrum, n_eff = values["spectrum"][0, i], 2 * float(windows[i]) - 1
        kept = rotation(float(windows[i]), omega)[0] if omega else 1.0
    ranks = found_spikes.ranks(spectrum, shape, noise.sigma.value, n_eff, sums.null)
    sizes = found_spikes.sizes(spectrum, shape, noise.sigma.value, n_eff)[: ranks.signed_noise] / kept
    return ranks, sizes[sizes > 0]


def _predicted(shape: tuple[int, int], sigma: float, spikes: Floats, windows: Floats, omega: float, steps: int) -> Floats:
    """S4, or S8 with the signal of the steps ahead that updates are held against."""
    if spikes.size == 0:
        return np.full(windows.size, math.nan)
    if not omega:
        return np.asarray([asymptotics.alignment(shape, sigma, tuple(spikes), t) for t in windows.tolist()])
    found = []
    for t in windows.tolist():
        gain, lag = rotation(t, omega)
        still = drift.filtered_alignment(shape, sigma, tuple(spikes), gain, ema(t, None).noise_factor)
        found.append(still * turned(lag, omega, steps))
    return np.asarray(found)
