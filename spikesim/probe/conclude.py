"""From sums and readings of a recording to what it says."""

import math

import numpy as np
from numpy.typing import NDArray

from spikesim.pipelines import PIPELINES, POST_POLAR
from spikesim.polar import singular_values
from spikesim.probe import spikes as found_spikes
from spikesim.probe.advice import advise, choose
from spikesim.probe.asking import CLIPPED, clip_norm
from spikesim.probe.curve import noise_factors, turned
from spikesim.probe.jackknife import Statistics
from spikesim.probe.noise import NoiseEstimates
from spikesim.probe.readings import Asked, Readings
from spikesim.probe.result import Probe
from spikesim.probe.scale import Scaling, scaled
from spikesim.probe.spikes import Ranks
from spikesim.probe.statistics import averaged, means
from spikesim.probe.sums import Sums
from spikesim.theory import drift
from spikesim.theory.filters import rotation

Floats = NDArray[np.float64]


def concluded(
    name: str, kind: str, asked: Asked, sums: Sums, noise: NoiseEstimates, leads: tuple[int, ...],
    runs: tuple[Readings, ...], reach: float,
) -> Probe:  # fmt: skip
    """From sums and readings to the probe."""
    shape, windows = sums.shape[1:], np.asarray(asked.windows)
    values, errors = averaged(runs, means)
    omega = noise.drift.value if math.isfinite(noise.drift.value) else 0.0
    phi = noise.correlation if kind == "trajectory" else 0.0  # random orders leave none of it
    high = float(values["nuclear"][0].min())
    if kind == "stationary":
        high = min(high, float(singular_values(sums.mean).sum()))
    bounded = tuple(i for i, p in enumerate(asked.pipelines) if str(p) in (*PIPELINES, CLIPPED))
    scaling = Scaling(shape, windows, omega, leads, phi, high, bounded)
    curve, alignment, spread = scaled(runs, scaling, values, errors)
    values, errors = values | {"alignment": alignment}, errors | {"alignment": spread}
    ranks, spikes = _spikes(kind, sums, noise, values, windows, omega)
    choice = choose(kind, curve, windows, values, errors, reach, noise.drift.low == 0)
    post = asked.pipelines.index(POST_POLAR) if POST_POLAR in asked.pipelines else None
    norm = clip_norm(sums)
    kept_power = float(np.sum(np.minimum(sums.norms, norm) ** 2) / np.sum(sums.norms**2))
    advice = advise(choice, curve, values, errors, len(asked.pipelines) - 1, norm, post, kept_power)
    predicted = _predicted(shape, noise.sigma.value, spikes, windows, omega, phi, leads)
    kept = _persistence(noise, values["energy"][0], errors["energy"][0], noise_factors(windows, phi))
    return Probe(
        name, kind, sums.shape, asked, noise, ranks, spikes, curve, values, errors, predicted, *kept, advice, runs,
        sums.sizes, sums.shared is not None, leads,
    )  # fmt: skip


def _persistence(noise: NoiseEstimates, energy: Floats, error: Floats, factors: Floats) -> tuple[Floats, Floats]:
    """c_sig, sqrt of (E‖M‖_F^2 - eta noise factor)/A, and its error; NaN without a signal (P7)."""
    signal = noise.signal.value if noise.signal.value > 0 else math.nan
    kept = np.sqrt(np.maximum(energy - noise.eta.value * factors, 0.0) / signal)
    return kept, error / (2 * signal * np.where(kept > 0, kept, math.nan))


def _spikes(
    kind: str, sums: Sums, noise: NoiseEstimates, values: Statistics, windows: Floats, omega: float
) -> tuple[Ranks, Floats]:
    """Ranks, and sizes of the directions that stand out: in the mean of all, or in the buffer of the largest decrease."""
    shape, kept, phi = sums.shape[1:], 1.0, noise.correlation
    if kind == "stationary":
        spectrum, n_eff = singular_values(sums.mean), sums.shape[0] * (1 - phi) / (1 + phi)
    else:
        i = int(values["decrease"][0].argmax())
        spectrum, n_eff = values["spectrum"][0, i], 1 / float(noise_factors(windows[i], phi)[0])
        kept = rotation(float(windows[i]), omega)[0] if omega else 1.0
    null = sums.null / math.sqrt(1 - phi) if sums.shared is None else sums.null  # neighbours differ by less than their noise
    ranks = found_spikes.ranks(spectrum, shape, noise.sigma.value, n_eff, null)
    sizes = found_spikes.sizes(spectrum, shape, noise.sigma.value, n_eff)[: ranks.signed_noise] / kept
    return ranks, sizes[sizes > 0]


def _predicted(
    shape: tuple[int, int], sigma: float, spikes: Floats, windows: Floats, omega: float, phi: float, leads: tuple[int, ...]
) -> Floats:
    """S4, or S8 with the signal of the steps ahead that updates are held against."""
    if spikes.size == 0:
        return np.full(windows.size, math.nan)
    found = []
    for t, factor in zip(windows.tolist(), noise_factors(windows, phi).tolist(), strict=True):
        gain, lag = rotation(t, omega) if omega else (1.0, 0.0)
        still = drift.filtered_alignment(shape, sigma, tuple(spikes), gain, factor)
        found.append(still * turned(lag, omega, leads))
    return np.asarray(found)
