"""CuPy with an iteration on the m x m Gram matrix (torch_gram.py says which), batches of trials, cuRAND's Philox.

Factors are mirrored with swapaxes, singular values come from Gram matrices: CuPy has neither x.mT nor a batched SVD beyond
32 x 32. Written for any namespace like NumPy's, so that it can be tried where there is no GPU.
"""

import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from benchmarks import readout
from benchmarks.readout import Last, Truth, mirrored
from benchmarks.workloads import PIPELINES, Problem, chunk_weights
from spikesim.minimax import schedule

Array = Any
BATCH = 256
"""Trials advanced together."""
SAMPLE = 8
"""Trials whose matrices tell how far a spectrum reaches."""
TOLERANCE = {"float32": 1e-6, "float64": 1e-13}


def namespace() -> Any:
    """CuPy."""
    import cupy

    return cupy


def normals(xp: Any, seed: int) -> Callable[[tuple[int, ...], Any], Array]:
    """Draws standard normals of a shape and dtype: cuRAND's fastest generator, or NumPy's where it stands in."""
    if xp is np:
        draw = np.random.default_rng(seed)
        return lambda shape, dtype: draw.standard_normal(shape, dtype)
    state = xp.random.RandomState(seed, method=xp.cuda.curand.CURAND_RNG_PSEUDO_PHILOX4_32_10)
    return lambda shape, dtype: state.standard_normal(shape, dtype)


@cache
def _combine(xp: Any) -> Any:
    return xp.ElementwiseKernel(
        "T square, T gram, float64 a, float64 b, float64 c, int64 m", "T p",
        "p = T(c) * square + T(b) * gram + (i / m % m == i % m ? T(a) : T(0))", "odd_quintic",
    )  # fmt: skip


def combined(xp: Any, square: Array, gram: Array, coefficients: Sequence[float]) -> Array:
    """P = a I + b A + c A^2, in one pass where kernels can be made."""
    a, b, c = coefficients
    m = gram.shape[-1]
    if hasattr(xp, "ElementwiseKernel"):
        return _combine(xp)(square, gram, a, b, c, m)
    out = c * square + b * gram
    out.reshape(-1, m * m)[:, :: m + 1] += a
    return out


def lower_end(xp: Any, x: Array) -> float:
    """Lower end of the scaled spectrum from a few trials' matrices: 0.8 of the smallest seen, rounded down to 2^(k/4)."""
    x = x[:SAMPLE].astype(xp.float64)
    squares = xp.linalg.eigvalsh(x @ mirrored(x))
    seen = float((squares[..., 0] / (squares**4).sum(-1) ** 0.25).min()) ** 0.5
    return 2.0 ** (math.floor(4 * math.log2(0.8 * seen)) / 4)


def inverse_root(xp: Any, x: Array, low: float) -> Array:
    """(X X^T)^(-1/2) of stacked matrices (..., m, n), (..., m, m)."""
    gram = x @ mirrored(x)
    square = gram @ gram
    scale = ((square * square).sum((-2, -1)) ** -0.25)[..., None, None]  # ‖A^2‖_F^(1/2) bounds ‖X‖^2
    gram *= scale
    square *= scale * scale
    q = scale**0.5
    steps = schedule(low, TOLERANCE[str(x.dtype)])
    for k, coefficients in enumerate(steps):
        p = combined(xp, square, gram, coefficients)
        q = p @ q if k else p * q
        if k < len(steps) - 1:
            gram = p @ gram @ p
            square = gram @ gram
    return q


def gram_svd(xp: Any, x: Array) -> tuple[Array, Array, Array]:
    """Thin SVD from the eigenvectors of X X^T."""
    values, u = xp.linalg.eigh(x @ mirrored(x))
    u, d = u[..., ::-1], values[..., ::-1] ** 0.5
    return u, d, mirrored(u / d[..., None, :]) @ x


def gram_values(xp: Any, x: Array) -> Array:
    """Singular values, falling, from the eigenvalues of the smaller Gram matrix."""
    gram = x @ mirrored(x) if x.shape[-2] <= x.shape[-1] else mirrored(x) @ x
    return xp.linalg.eigvalsh(gram)[..., ::-1].clip(min=0) ** 0.5


class Trials:
    """Chunks of gradients of B trials, (B, steps, m, n), and their averages."""

    def __init__(self, xp: Any, problem: Problem, count: int, seed: int, dtype: str) -> None:
        self.xp, self.problem, self.count, self.dtype = xp, problem, count, xp.dtype(dtype)
        self.truth = Truth.of(problem, lambda x: xp.asarray(x, self.dtype))
        self.decay, self.weights = (xp.asarray(x, self.dtype) for x in chunk_weights(problem.betas, problem.chunk))
        self._draw = normals(xp, seed)

    def zeros(self, *shape: int) -> Array:
        """Averages before the first step, (B, K, ...)."""
        return self.xp.zeros((self.count, len(self.decay), *shape), self.dtype)

    def gradients(self) -> Array:
        """The next chunk."""
        g = self._draw((self.count, self.problem.chunk, *self.problem.shape), self.dtype)
        g *= self.dtype.type(self.problem.sigma)
        g += self.truth.signal
        return g

    def average(self, sums: Array, x: Array) -> None:
        """Take a chunk x (B, steps, ...) into sums (B, K, ...), in place."""
        flat = sums.reshape(*sums.shape[:2], -1)
        flat *= self.decay
        flat += self.weights @ x.reshape(*x.shape[:2], -1)


def _observables(run: Trials, truncated: bool) -> dict[str, Array]:
    xp, problem, truth, r, low = run.xp, run.problem, run.truth, len(run.problem.spikes), 0.0
    momentum, polars, top = run.zeros(*problem.shape), run.zeros(*problem.shape), run.zeros(1)
    for _ in range(problem.steps // problem.chunk):
        g = run.gradients()
        run.average(momentum, g)
        if truncated:
            u, _, vt = gram_svd(xp, g)
            run.average(polars, u @ vt)
            o = ((mirrored(truth.u) @ u[..., :r]) * mirrored(vt[..., :r, :] @ truth.v)).sum(-1)
            run.average(top, (o @ truth.spikes / truth.spikes.sum())[..., None])
        else:
            low = low or lower_end(xp, g)
            run.average(polars, inverse_root(xp, g, low) @ g)
    last = Last(g[:, -1:], momentum, polars, top[..., 0] if truncated else None)
    return readout.observables(xp, lambda x: gram_svd(xp, x), problem, truth, last, lambda x: gram_values(xp, x))


def _alignment(run: Trials, pipelines: Sequence[str]) -> dict[str, Array]:
    xp, problem, truth, again, low = run.xp, run.problem, run.truth, "re-polarised" in pipelines, 0.0
    momentum, polars, post = run.zeros(*problem.shape), run.zeros(*problem.shape), run.zeros(1)
    for _ in range(problem.steps // problem.chunk):
        g = run.gradients()
        low = low or lower_end(xp, g)
        root = inverse_root(xp, g, low)
        run.average(momentum, g)
        if again:
            run.average(polars, root @ g)
        o = ((root @ truth.u) * (g @ truth.v)).sum(-2) @ truth.spikes / truth.spikes.sum()
        run.average(post, o[..., None])
    found = {"post-polar": post[..., 0], "polar-only": xp.broadcast_to(o[:, -1:], post.shape[:2])}
    for name, buffer in (("pre-polar", momentum), ("re-polarised", polars)):
        if name in pipelines:
            factor = inverse_root(xp, buffer, lower_end(xp, buffer)) @ buffer
            found[name] = readout.alignment(factor, truth)
    return {"alignment": xp.stack([found[p] for p in pipelines], 1)}


def _in_batches(
    xp: Any, problem: Problem, trials: int, seed: int, dtype: str, work: Callable[[Trials], dict[str, Array]]
) -> dict[str, Any]:
    sizes = [min(BATCH, trials - first) for first in range(0, trials, BATCH)]
    seeds = [int(s) for s in np.random.SeedSequence(seed).generate_state(len(sizes))]
    parts = [work(Trials(xp, problem, size, own, dtype)) for size, own in zip(sizes, seeds, strict=True)]
    return readout.joined([{name: x if xp is np else xp.asnumpy(x) for name, x in part.items()} for part in parts])


def observables(problem: Problem, trials: int, seed: int, dtype: str, truncated: bool, xp: Any = None) -> dict[str, Any]:
    """Every observable; alignment_truncated where asked for. xp: numpy in CuPy's place."""
    return _in_batches(xp or namespace(), problem, trials, seed, dtype, lambda run: _observables(run, truncated))


def alignment(
    problem: Problem, trials: int, seed: int, dtype: str, pipelines: Sequence[str] = PIPELINES, xp: Any = None
) -> dict[str, Any]:
    """Alignment alone, (trial, pipeline, window): post-polar from its steps."""
    return _in_batches(xp or namespace(), problem, trials, seed, dtype, lambda run: _alignment(run, pipelines))
