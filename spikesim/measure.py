"""Measure a block of trials: every asked observable of every pipeline at the last step, with one SVD a buffer."""

from collections.abc import Sequence
from dataclasses import dataclass

from spikesim import observables as obs
from spikesim.arrays import Array, array_namespace
from spikesim.pipelines import Cascade, Filter, Pipeline, Polar, Stages
from spikesim.polar import SVD, residual, singular_values, svd


@dataclass(frozen=True)
class Measured:
    """Numbers of a block of B trials: name -> (B, ...); A - O(S) (B, P, K, m, n) where asked for, else empty."""

    values: dict[str, Array]
    deviations: Array


class _Reader:
    """Reads one block; SVDs of the buffers are made once and shared by the pipelines that meet them."""

    def __init__(self, cascade: Cascade, truth: obs.Truth, amplitudes: Array, vectors: bool) -> None:
        self.cascade, self.truth, self.amplitudes = cascade, truth, amplitudes
        self._vectors = vectors
        self._svds: dict[Stages, SVD] = {}
        self._values: dict[Stages, Array] = {}

    def svd(self, stages: Stages) -> SVD:
        if stages not in self._svds:
            self._svds[stages] = svd(self.cascade.last(stages))
        return self._svds[stages]

    def spectrum(self, stages: Stages) -> Array:
        if self._vectors:
            return self.svd(stages).d
        if stages not in self._values:
            self._values[stages] = singular_values(self.cascade.last(stages))
        return self._values[stages]

    def update(self, stages: Stages) -> Array:
        final = stages[-1]
        return self.svd(stages[:-1]).polar(final.rank) if isinstance(final, Polar) else self.cascade.last(stages)

    def residual(self, stages: Stages) -> Array:
        """Of the last polar factor taken; NaN where there is none."""
        for i in reversed(range(len(stages))):
            if isinstance(stages[i], Polar):
                return residual(self.update(stages[: i + 1]))
        return self.cascade.last(stages)[..., 0, 0] * float("nan")

    def truncated_alignment(self, pipeline: Pipeline) -> Array:
        """Alignment of the truncated twin; NaN without a polar step, or where its top-r subspace does not exist."""
        twin = pipeline.truncated(self.truth.spikes.shape[0])
        if twin is None:
            return self.cascade.last(pipeline.stages)[..., 0, 0] * float("nan")
        value = obs.alignment(self.update(twin.stages), self.truth)
        return self.where_separated(twin.entering, value) if twin.entering != twin.stages else value

    def where_separated(self, stages: Stages, value: Array) -> Array:
        """The value where the top-r subspaces of a buffer exist, else NaN."""
        found = self.svd(stages)
        size = max(found.u.shape[-2], found.vt.shape[-1])
        exists = obs.separated(found.d, self.truth.spikes.shape[0], size)
        xp = array_namespace(value)
        return xp.where(exists, value, xp.full_like(value, float("nan")))

    def target(self, stages: Stages) -> Array:
        """|lambda_bar| (W, r) of a buffer that averages gradients; NaN of any other."""
        xp = array_namespace(self.amplitudes)
        known: dict[Stages, Array] = {(): xp.abs(self.truth.spikes)[None, :], (Filter(),): self.amplitudes}
        return known.get(stages, self.amplitudes * float("nan"))


def measure(
    pipelines: Sequence[Pipeline], names: Sequence[str], spectrum: int, cascade: Cascade, truth: obs.Truth,
    amplitudes: Array, noise: Array,
) -> Measured:  # fmt: skip
    """Measure the last step of a block.

    Args:
        pipelines: Whose updates to measure, P of them.
        names: Which observables (observables.OBSERVABLES).
        spectrum: How many singular values.
        cascade: Where the pipelines ran.
        truth: The signal of the last step.
        amplitudes: |lambda_bar| of each window's S_bar, (K, r).
        noise: Noise of the momentum buffers, (B, K, m, n).
    """
    xp = array_namespace(noise)
    amplitudes = xp.astype(xp.asarray(amplitudes), noise.dtype)
    values_only = not set(names) - set(obs.VALUES) - set(obs.NOISE)
    reader = _Reader(cascade, truth, amplitudes, vectors=not values_only)
    columns = [_pipeline(p, names, spectrum, reader) for p in pipelines]
    windows = noise.shape[:2]
    values = {n: xp.stack([_spread(c[n], windows) for c in columns], axis=1) for n in columns[0]}
    deviations = values.pop("deviations", ())
    if "suppression" in names:
        values["suppression"] = _suppression(reader, truth.spikes.shape[0])
    values |= obs.noise_norms(noise, truth, names)
    return Measured(values, deviations)


def _pipeline(pipeline: Pipeline, names: Sequence[str], spectrum: int, reader: _Reader) -> dict[str, Array]:
    """Observables of one pipeline, each (B, W, ...)."""
    out: dict[str, Array] = {}
    xp = array_namespace(reader.amplitudes)
    truth, rank = reader.truth, reader.truth.spikes.shape[0]
    if set(names) & set(obs.UPDATE):
        a = reader.update(pipeline.stages)
        simple = {"alignment": obs.alignment, "projection": obs.projection, "cosine": obs.cosine}
        out |= {name: function(a, truth) for name, function in simple.items() if name in names}
        if "residual" in names:
            out["residual"] = reader.residual(pipeline.stages)
        if set(obs.MOMENTS) & set(names):
            out["deviations"] = xp.astype(a - truth.target, xp.float64)
    if "alignment_truncated" in names:
        out["alignment_truncated"] = reader.truncated_alignment(pipeline)
    if set(names) & set(obs.VECTORS):
        found = reader.svd(pipeline.entering)
        sides = {"sin_theta_left": (found.u, truth.u), "sin_theta_right": (found.vt.mT, truth.v)}
        sines = {name: obs.sin_theta(x[..., :rank], y) for name, (x, y) in sides.items() if name in names}
        out |= {name: reader.where_separated(pipeline.entering, x) for name, x in sines.items()}
    if set(names) & set(obs.VALUES):
        d = reader.spectrum(pipeline.entering)
        values = {"gap": obs.gap(d, rank), "tail": obs.tail(d, rank), "singular_values": d[..., :spectrum]}
        values["head_error"] = obs.head_error(d, reader.target(pipeline.entering))
        out |= {name: x for name, x in values.items() if name in names}
    return out


def _spread(x: Array, windows: tuple[int, int]) -> Array:
    """(B, 1, ...) or (B, K, ...) to (B, K, ...)."""
    return array_namespace(x).broadcast_to(x, (*windows, *x.shape[2:]))


def _suppression(reader: _Reader, rank: int) -> Array:
    """R(T) = sigma_{r+1}(M_t) / sigma_{r+1}(G_t), (B, K); NaN where r = min(m, n): there is no tail."""
    below, above = (obs.tail(reader.spectrum(s), rank) for s in ((Filter(),), ()))
    xp = array_namespace(above)
    return below / xp.where(above > 0, above, xp.full_like(above, float("nan")))
