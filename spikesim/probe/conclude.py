"""From sums and readings of a recording to what it says."""

import math

import numpy as np
from numpy.typing import NDArray

from spikesim.pipelines import PIPELINES, POST_POLAR
from spikesim.polar import singular_values
from spikesim.probe import spikes as found_spikes
from spikesim.probe.advice import advise, choose
from spikesim.probe.asking import CLIPPED, clip_norm
from spikesim.probe.curve import turned
from spikesim.probe.jackknife import Statistics
from spikesim.probe.noise import NoiseEstimates, noise_estimates
from spikesim.probe.plan import ahead
from spikesim.probe.readings import Asked, Readings
from spikesim.probe.result import Probe
from spikesim.probe.scale import Scaling, scaled
from spikesim.probe.spikes import Ranks
from spikesim.probe.statistics import averaged, means
from spikesim.probe.sums import Sums
from spikesim.theory import asymptotics, drift
from spikesim.theory.filters import ema, rotation

Floats = NDArray[np.float64]


def concluded(name: str, kind: str, asked: Asked, sums: Sums, runs: tuple[Readings, ...], reach: float) -> Probe:
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
    choice = choose(curve, windows, values, errors, reach, noise.drift.low == 0)
    post = asked.pipelines.index(POST_POLAR) if POST_POLAR in asked.pipelines else None
    norm = clip_norm(sums)
    kept_power = float(np.sum(np.minimum(sums.norms, norm) ** 2) / np.sum(sums.norms**2))
    advice = advise(choice, curve, values, errors, len(asked.pipelines) - 1, norm, post, kept_power)
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
