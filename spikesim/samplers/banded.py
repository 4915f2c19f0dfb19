"""Method "banded": what one Gaussian buffer has in it, from a band matrix of the same law: time and memory of O(r rows).

A buffer is sum_k theta_k u_k v_k^T + s Z, Z (m, n) of independent N(0, 1) entries. Rotating rows and columns beyond the first
r in turn leaves u_k = v_k = e_k and makes it, equal in law and with m <= n (else transposed), 0 but for

    N(0, s^2) at |i - j| < r,  theta_k more at (k, k);   s chi_{n-r-i+1} at (i, i + r);   s chi_{m-i+1} at (i, i - r)

(rows and columns from 1). What does not change under rotations that keep the spikes' vectors is read from it: alignments and
singular values, subspaces, and norms of the noise. Each buffer is drawn for itself: a rotation that bands one window does not
band another, so laws are exact for one window, and for nothing that two have together.

The alignment of post-polar is sum_k w_k times that of independent gradients, exact for its windows together.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikesim import observables as obs
from spikesim import rng
from spikesim.filters import EMA
from spikesim.model import SpikedModel
from spikesim.pipelines import POLAR_ONLY, POST_POLAR, PRE_POLAR, Pipeline
from spikesim.samplers.band import Band, Floats
from spikesim.samplers.corner import corner
from spikesim.samplers.leading import Leading, leading

STEPWISE = ("alignment", "projection", "alignment_truncated", "residual")
"""Observables of post-polar: averages over steps, or the last step's."""
NORMS = ("noise_fro", "noise_op", "noise_tangent")
"""Of the momentum buffer's noise."""
BUFFER = ("alignment", "projection", "alignment_truncated", "cosine", "residual", *obs.VECTORS, "gap", "tail", "head_error",
          "singular_values")  # fmt: skip
"""Of pre-polar and polar-only."""
HEADS = {"alignment_truncated", *obs.VECTORS, "gap", "tail", "head_error", "singular_values"}
"""Those that need singular values or vectors."""
Numbers = dict[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Buffer:
    """A momentum buffer or gradient: what multiplies lambda, standard deviation s of an entry, and where it is drawn."""

    gain: float
    s: float
    number: int
    kind: int


class Banded:
    """Reads the buffers of single trials.

    Args:
        model: Gaussian noise, constant signal.
        seed: Seed in [0, 2^64).
        filters: K windows.
        steps: From zero, >= 1.
        pipelines: P of pre-polar, post-polar, polar-only.
        names: Observables that each of them has (`readable`).
        spectrum: How many singular values.
        pause: Called before each buffer; what it raises ends the reading.

    Source: theory.md L2, L3, L4.
    """

    def __init__(
        self, model: SpikedModel, seed: int, filters: Sequence[EMA], steps: int, pipelines: Sequence[Pipeline],
        names: Sequence[str], spectrum: int, pause: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        self.model, self.seed, self.filters, self.steps = model, seed, filters, steps
        self.pipelines, self.names, self.spectrum, self.pause = pipelines, frozenset(names), spectrum, pause
        self._spikes = np.asarray(model.spikes)
        self._buffers = [self._buffer(f) for f in filters]
        self._drawn: dict[Buffer, Band] = {}
        self.tally: Counter[str] = Counter()

    def read(self, trial: int) -> Numbers:
        """Everything asked for of one trial: (P, K, ...), and norms (K,)."""
        buffers = self._buffers
        self._drawn.clear()
        columns = {
            PRE_POLAR.stages: lambda: _stacked([self._reading(trial, b) for b in buffers]),
            POLAR_ONLY.stages: lambda: _stacked([self._reading(trial, self._gradient(self.steps - 1))] * len(buffers)),
            POST_POLAR.stages: lambda: self._averages(trial),
        }
        out = _stacked([columns[p.stages]() for p in self.pipelines])
        return out | (_stacked([self._norms(trial, b) for b in buffers]) if self.names & set(NORMS) else {})

    def _gradient(self, step: int) -> Buffer:
        return Buffer(1.0, float(self.model.noise.entry_scale(self.model.shape)), step, 0)

    def _buffer(self, filter_: EMA) -> Buffer:
        """The momentum buffer; the last gradient at T = 1."""
        last = self._gradient(self.steps - 1)
        if filter_.window == 1:
            return last
        factor = np.sqrt(filter_.noise_factor(self.steps))
        return Buffer(filter_.gain(self.steps), last.s * float(factor), int(np.float64(filter_.window).view(np.uint64)), 1)

    def _unit(self, trial: int, buffer: Buffer) -> Band:
        """Z as a band; that of a momentum buffer is drawn once."""
        if buffer in self._drawn:
            return self._drawn[buffer]
        self.pause()
        normal, gamma = (rng.generator(self.seed, rng.BANDED, trial, buffer.number, buffer.kind + k) for k in (0, 2))
        z = unit(normal, gamma, self.model.shape, self.model.rank)
        if buffer in self._buffers:
            self._drawn[buffer] = z
        return z

    def _reading(self, trial: int, buffer: Buffer) -> Numbers:
        """Observables of one buffer and its polar factor."""
        z, names, shape = self._unit(trial, buffer), self.names, self.model.shape
        spikes, rank = self._spikes, self.model.rank
        theta = buffer.gain * spikes
        entries = buffer.s * z.entries
        entries[np.arange(rank), rank] += theta
        band = Band(entries, z.columns)
        out: dict[str, Any] = {}
        if names & {"alignment", "projection", "cosine", "residual"}:
            found = corner(band)
            self.tally[found.means] += 1
            o = np.diagonal(found.values)
            share = np.mean(np.sign(spikes) * o)
            out |= {"alignment": aligned(o, spikes), "projection": share, "residual": np.float64(found.residual)}
            out["cosine"] = np.sqrt(rank / min(shape)) * share
        if names & HEADS:
            self.tally["leading block of a band"] += 1
            out |= self._heads(leading(band, shape, min(max(self.spectrum, rank + 1), *shape)), np.abs(theta))
        return {name: x for name, x in out.items() if name in names}

    def _heads(self, found: Leading, target: Floats) -> Numbers:
        """What the leading singular values and vectors tell; NaN where the top-r subspace does not exist."""
        rank, d = self.model.rank, found.d
        exists = obs.separated(d, rank, max(self.model.shape) * float(np.finfo(np.float64).eps))
        u, v = found.u[:, :rank], found.v[:, :rank]
        o = np.sum(u[:rank] * v[:rank], axis=1)
        sines = [outside(x, rank) for x in ((u, v) if self.model.shape[0] <= self.model.shape[1] else (v, u))]
        inside = {"alignment_truncated": aligned(o, self._spikes), **dict(zip(obs.VECTORS, sines, strict=True))}
        values = {"gap": obs.gap(d, rank), "tail": obs.tail(d, rank), "head_error": obs.head_error(d, target)}
        values["singular_values"] = d[: self.spectrum]
        return {name: np.where(exists, x, np.nan) for name, x in inside.items()} | values

    def _averages(self, trial: int) -> Numbers:
        """Post-polar: each gradient's numbers, filtered; (K,) each."""
        windows = np.array([f.window for f in self.filters])
        betas, sums = 1 - 1 / windows, {name: np.zeros(len(windows)) for name in STEPWISE if name in self.names}
        for step in range(self.steps):
            now = self._reading(trial, self._gradient(step))
            sums = {name: betas * x + now[name] / windows for name, x in sums.items()}
        return sums | {name: np.full(len(windows), now[name]) for name in {"residual"} & self.names}

    def _norms(self, trial: int, buffer: Buffer) -> Numbers:
        """Norms of the noise."""
        z, rank = self._unit(trial, buffer), self.model.rank
        out: dict[str, Any] = {}
        if "noise_fro" in self.names:
            out["noise_fro"] = buffer.s * np.linalg.norm(z.entries)
        if "noise_op" in self.names:
            out["noise_op"] = buffer.s * leading(z, self.model.shape, 1).d[0]
        if "noise_tangent" in self.names:
            rows, below = z.entries[:rank], z.dense(min(2 * rank, z.rows), rank)[rank:]
            out["noise_tangent"] = buffer.s * np.hypot(np.linalg.norm(rows), np.linalg.norm(below))
        return out


def unit(normal: np.random.Generator, gamma: np.random.Generator, shape: tuple[int, int], rank: int) -> Band:
    """Z (m, n) as a band, m <= n (else transposed), from the two generators of rng.BANDED."""
    (m, n), r = sorted(shape), rank
    entries, i = np.zeros((m, 2 * r + 1)), np.arange(m)
    entries[:, 1 : 2 * r] = normal.standard_normal((m, 2 * r - 1))
    freedom = np.stack([m - i, np.maximum(n - r - i, 1)], axis=1)
    entries[:, :: 2 * r] = np.sqrt(2 * gamma.standard_gamma(freedom / 2))
    columns = min(n, m + r)
    for k in range(r):  # what lies left of the first column and right of the last
        entries[k, : r - k] = 0
        entries[m - 1 - k, columns - (m - 1 - k) + r :] = 0
    return Band(entries, columns)


def aligned(o: Floats, spikes: Floats) -> np.float64:
    """sum lambda_k o_k / sum |lambda_k|."""
    return np.sum(spikes * o) / np.sum(np.abs(spikes))


def outside(x: Floats, rank: int) -> np.float64:
    """Largest sine between the span of orthonormal columns x (p, r) and that of the first r axes."""
    below = x[rank:]
    return np.minimum(np.linalg.svd(below, compute_uv=False)[0], 1.0) if len(below) else np.float64(0)


def _stacked(items: Sequence[Numbers]) -> Numbers:
    return {name: np.stack([x[name] for x in items]) for name in items[0]}
