"""Measure a block of trials: every asked observable of every pipeline at the last step, each buffer analysed once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from spikesim import observables as obs
from spikesim.arrays import Array, array_namespace, frobenius
from spikesim.cascade import Cascade, Stages
from spikesim.gram import PRECISION
from spikesim.moments import Moments
from spikesim.pipelines import Pipeline
from spikesim.polar import residual
from spikesim.spectrum import Exact, Tally
from spikesim.stages.filter import Filter
from spikesim.stages.polar import Polar

Spectra = Callable[[Array], Any]
"""Makes what answers for a stack of matrices: spectrum.Exact, or as exact as that."""


@dataclass(frozen=True)
class Measured:
    """Numbers of a block of B trials: name -> (B, ...); A - O(S) (B, P, K, m, n), or its sums, where asked for, else None.

    `tally` says how many matrices were analysed by which means (spectrum.py).
    """

    values: dict[str, Array]
    deviations: Array | None = None
    moments: Moments | None = None
    tally: Tally = field(default_factory=Tally)


class _Reader:
    """Reads one block; what is found of a buffer is kept and shared by the pipelines that meet it."""

    def __init__(
        self, cascade: Cascade, truth: obs.Truth, amplitudes: Mapping[Stages, Array], values: int, spectra: Spectra
    ) -> None:
        self.cascade, self.truth, self.amplitudes = cascade, truth, amplitudes
        self.rank = truth.rank
        self._count, self._spectra = values, spectra
        self._spectrum: dict[Stages, Any] = {}
        self._kept: dict[tuple[str, Stages], Any] = {}

    def _once(self, what: str, stages: Stages, make: Callable[[], Any]) -> Any:
        if (what, stages) not in self._kept:
            self._kept[what, stages] = make()
        return self._kept[what, stages]

    def spectrum(self, stages: Stages) -> Any:
        """Of the last output of some stages."""
        return self._once("spectrum", stages, lambda: self._spectra(self.cascade.last(stages)))

    def values(self, stages: Stages) -> Array:
        """Its largest singular values, one more than the head's rank at least where there are so many."""
        return self._once("values", stages, lambda: self.spectrum(stages).values(self._count))

    def top(self, stages: Stages) -> tuple[Array, Array]:
        """Its top-r singular vectors, left and right."""
        return self._once("top", stages, lambda: self.spectrum(stages).top(self.rank))

    def update(self, stages: Stages) -> Array:
        """The last output of some stages, a final polar step taken of the spectrum."""
        final = stages[-1]
        if isinstance(final, Polar):
            return self._once("update", stages, lambda: self.spectrum(stages[:-1]).polar(final.rank))
        return self.cascade.last(stages)

    def directions(self, pipeline: Pipeline) -> Array:
        """o_k = u_k^T A v_k of the update, (..., r); the update itself is not made for it."""
        stages, final = pipeline.stages, pipeline.stages[-1]
        if pipeline.read in self.cascade.runs:
            return self.cascade.last(pipeline.read)[..., 0]
        if isinstance(final, Polar) and ("update", stages) not in self._kept:
            frame = self.truth.u, self.truth.v
            return self._once("directions", stages, lambda: self.spectrum(stages[:-1]).directions(*frame, final.rank))
        return obs.directions(self.update(stages), self.truth)

    def residual(self, pipeline: Pipeline) -> Array:
        """Of the last polar factor taken, or what stands for one; NaN where there is none."""
        if pipeline.polarised is None:
            return self.cascade.last(pipeline.stages)[..., 0, 0] * float("nan")
        return residual(self.update(pipeline.polarised))

    def window(self, pipeline: Pipeline) -> Array:
        """T of its controller's newest step; NaN where it has none."""
        found = self.cascade.window(pipeline.stages)
        return self.cascade.last(pipeline.stages)[..., 0, 0] * float("nan") if found is None else found

    def truncated_alignment(self, pipeline: Pipeline) -> Array:
        """Alignment of the truncated twin; NaN without a polar step, or where its top-r subspace does not exist."""
        twin = pipeline.truncated(self.rank)
        if twin is None:
            return self.cascade.last(pipeline.stages)[..., 0, 0] * float("nan")
        value = obs.alignment(self.directions(twin), self.truth)
        return self.where_separated(twin.entering, value) if twin.entering != twin.stages else value

    def where_separated(self, stages: Stages, value: Array) -> Array:
        """The value where the top-r subspaces of a buffer exist, else NaN."""
        buffer, xp = self.cascade.last(stages), array_namespace(value)
        rounding = max(buffer.shape[-2:]) * float(xp.finfo(buffer.dtype).eps)
        polished = PRECISION["float32" if rounding > 1e-8 else "float64"].tolerance
        exists = obs.separated(self.values(stages), self.rank, max(rounding, polished))
        return xp.where(exists, value, xp.full_like(value, float("nan")))

    def target(self, stages: Stages) -> Array:
        """The largest r' of |lambda_bar|, (W, r'), of a buffer that averages gradients; NaN of any other."""
        xp = array_namespace(self.truth.spikes)
        gradient = xp.abs(self.truth.spikes)[None, :]
        found = self.amplitudes.get(stages, gradient if not stages else gradient * float("nan"))
        return xp.sort(found, axis=-1, descending=True)[:, : self.rank]


def measure(
    pipelines: Sequence[Pipeline], names: Sequence[str], spectrum: int, cascade: Cascade, truth: obs.Truth,
    amplitudes: Mapping[Stages, Array], noise: Array, spectra: Spectra = Exact,
) -> Measured:  # fmt: skip
    """Measure the last step of a block.

    Args:
        pipelines: Whose updates to measure, P of them.
        names: Which observables (observables.OBSERVABLES).
        spectrum: How many singular values.
        cascade: Where the pipelines ran.
        truth: The signal of the last step.
        amplitudes: |lambda_bar| of each window's S_bar, (K, r), of every filter of gradients.
        noise: Noise of the momentum buffers, (B, K, m, n).
        spectra: What analyses buffers.
    """
    xp = array_namespace(noise)
    amplitudes = {head: xp.astype(xp.asarray(x), noise.dtype) for head, x in amplitudes.items()}
    rank = truth.rank
    reader = _Reader(cascade, truth, amplitudes, max(spectrum, min(rank + 1, *noise.shape[-2:])), spectra)
    columns = [_pipeline(p, names, spectrum, reader) for p in pipelines]
    windows = noise.shape[:2]
    values = {n: xp.stack([_spread(c[n], windows) for c in columns], axis=1) for n in columns[0]}
    deviations = values.pop("deviations", None)
    if "suppression" in names:
        values["suppression"] = _suppression(reader, rank)
    return Measured(values | noise_norms(noise, truth, names, spectra), deviations)


def _pipeline(pipeline: Pipeline, names: Sequence[str], spectrum: int, reader: _Reader) -> dict[str, Array]:
    """Observables of one pipeline, each (B, W, ...)."""
    entering = pipeline.entering
    out = _of_update(pipeline, names, reader)
    if "chosen_window" in names:
        out["chosen_window"] = reader.window(pipeline)
    if "alignment_truncated" in names:
        out["alignment_truncated"] = reader.truncated_alignment(pipeline)
    if set(names) & set(obs.VECTORS):
        sides = zip(obs.VECTORS, reader.top(entering), reader.truth.frame, strict=True)
        sines = {name: obs.sin_theta(found, true) for name, found, true in sides if name in names}
        out |= {name: reader.where_separated(entering, x) for name, x in sines.items()}
    if set(names) & set(obs.VALUES):
        d = reader.values(entering)
        values = {"gap": obs.gap(d, reader.rank), "tail": obs.tail(d, reader.rank), "singular_values": d[..., :spectrum]}
        values["head_error"] = obs.head_error(d, reader.target(entering))
        out |= {name: x for name, x in values.items() if name in names}
    return out


def _of_update(pipeline: Pipeline, names: Sequence[str], reader: _Reader) -> dict[str, Array]:
    """Those of observables.UPDATE that are asked for."""
    out: dict[str, Array] = {}
    truth = reader.truth
    if set(names) & {"cosine", "residual", *obs.MOMENTS}:
        a = reader.update(pipeline.stages)
        if "residual" in names:
            out["residual"] = reader.residual(pipeline)
        if set(obs.MOMENTS) & set(names):
            xp = array_namespace(a)
            out["deviations"] = xp.astype(a - truth.target, xp.float64)
        if "cosine" in names:
            out["cosine"] = obs.cosine(reader.directions(pipeline), frobenius(a), truth)
    simple = {"alignment": obs.alignment, "projection": obs.projection}
    return out | {name: of(reader.directions(pipeline), truth) for name, of in simple.items() if name in names}


def noise_norms(
    noise: Array, truth: obs.Truth, names: Sequence[str] = obs.NOISE, spectra: Spectra = Exact
) -> dict[str, Array]:
    """Those of observables.NOISE that are asked for, each (...), of N (..., m, n): ‖N‖_F, ‖N‖_op, ‖N‖_* and ‖P_T N‖_F."""
    out = {}
    if "noise_fro" in names:
        out["noise_fro"] = frobenius(noise)
    if {"noise_op", "noise_nuclear"} & set(names):
        spectrum = spectra(noise)
        if "noise_op" in names:
            out["noise_op"] = spectrum.values(1)[..., 0]
        if "noise_nuclear" in names:
            out["noise_nuclear"] = spectrum.nuclear()
    if "noise_tangent" in names:
        out["noise_tangent"] = obs.tangent_norm(noise, truth)
    return out


def _spread(x: Array, windows: tuple[int, int]) -> Array:
    """(B, 1, ...) or (B, K, ...) to (B, K, ...)."""
    return array_namespace(x).broadcast_to(x, (*windows, *x.shape[2:]))


def _suppression(reader: _Reader, rank: int) -> Array:
    """R(T) = sigma_{r+1}(M_t) / sigma_{r+1}(G_t), (B, K); NaN where r = min(m, n): there is no tail."""
    below, above = (obs.tail(reader.values(s), rank) for s in ((Filter(),), ()))
    xp = array_namespace(above)
    return below / xp.where(above > 0, above, xp.full_like(above, float("nan")))
