"""A NumPy script, tuned: SFC64 (the fastest generator here), everything in place, steps in chunks, trials on threads.

A chunk of gradients is drawn at once; one stacked decomposition serves its steps, and the averages of all windows
advance by one matrix product a chunk, which is faster than a pass over memory a window and step. (`noise_ema` has that
form and the in-place one.)
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.random import SFC64, Generator, SeedSequence
from numpy.typing import NDArray

from benchmarks import readout
from benchmarks.readout import Last, Truth
from benchmarks.workloads import PIPELINES, Problem, chunk_weights

Floats = NDArray[Any]
SVD = Callable[[Floats], tuple[Floats, Floats, Floats]]
BATCH = 1
"""Trials advanced together."""


def svd(x: Floats) -> tuple[Floats, Floats, Floats]:
    """Thin SVD of stacked matrices."""
    u, d, vt = np.linalg.svd(x, full_matrices=False)
    return u, d, vt


def gram_svd(x: Floats) -> tuple[Floats, Floats, Floats]:
    """The same from the eigenvectors of x x^T: faster, and half the digits for ill-conditioned matrices."""
    values, u = np.linalg.eigh(x @ x.mT)
    u, d = u[..., ::-1], np.sqrt(values[..., ::-1])
    return u, d, (u / d[..., None, :]).mT @ x


def noise_ema(entries: int, windows: Sequence[float], steps: int, seed: int, dtype: Any, chunk: int = 1) -> Floats:
    """Averages (K, entries) of standard normal steps from zero; chunk 1: in place, step by step."""
    draw, betas = Generator(SFC64(seed)), 1 - 1 / np.array(windows)
    sums = np.zeros((betas.size, entries), dtype)
    if chunk == 1:
        momenta, g = betas.astype(dtype)[:, None], np.empty(entries, dtype)
        for _ in range(steps):
            draw.standard_normal(dtype=dtype, out=g)
            np.multiply(sums, momenta, out=sums)
            np.add(sums, g, out=sums)
        return sums * (1 - betas).astype(dtype)[:, None]
    decay, weights = (x.astype(dtype) for x in chunk_weights(betas, chunk))
    z = np.empty((chunk, entries), dtype)
    for _ in range(steps // chunk):
        draw.standard_normal(dtype=dtype, out=z)
        np.multiply(sums, decay, out=sums)
        sums += weights @ z
    return sums


class _Trial:
    """One trial's chunks of gradients and its averages, in place."""

    def __init__(self, problem: Problem, seed: SeedSequence, dtype: Any) -> None:
        self.problem, self.dtype = problem, dtype
        self.truth = Truth.of(problem, lambda x: x.astype(dtype))
        self.decay, self.weights = (x.astype(dtype) for x in chunk_weights(problem.betas, problem.chunk))
        self._draw = Generator(SFC64(seed))
        self._g = np.empty((problem.chunk, *problem.shape), dtype)

    def zeros(self, *shape: int) -> Floats:
        return np.zeros((len(self.decay), *shape), self.dtype)

    def gradients(self) -> Floats:
        """The next chunk, (steps, m, n)."""
        self._draw.standard_normal(dtype=self.dtype, out=self._g)
        self._g *= self.dtype(self.problem.sigma)
        self._g += self.truth.signal
        return self._g

    def average(self, sums: Floats, x: Floats) -> None:
        """Take a chunk x (steps, ...) into sums (K, ...), in place."""
        flat = sums.reshape(len(sums), -1)
        flat *= self.decay
        flat += self.weights @ x.reshape(len(x), -1)


def _observables(problem: Problem, seed: SeedSequence, dtype: Any, truncated: bool, factors: SVD) -> dict[str, Floats]:
    trial, r = _Trial(problem, seed, dtype), len(problem.spikes)
    truth = trial.truth
    momentum, polars, top = trial.zeros(*problem.shape), trial.zeros(*problem.shape), trial.zeros(1)
    for _ in range(problem.steps // problem.chunk):
        g = trial.gradients()
        u, _, vt = factors(g)
        trial.average(momentum, g)
        trial.average(polars, u @ vt)
        if truncated:
            o = ((truth.u.T @ u[..., :r]) * (vt[..., :r, :] @ truth.v).mT).sum(-1)
            trial.average(top, (o @ truth.spikes / truth.spikes.sum())[:, None])
    last = Last(g[None, -1:], momentum[None], polars[None], top.T if truncated else None)
    return readout.observables(np, factors, problem, truth, last)


def _alignment(problem: Problem, seed: SeedSequence, dtype: Any, pipelines: Sequence[str], factors: SVD) -> dict[str, Floats]:
    trial = _Trial(problem, seed, dtype)
    truth, again = trial.truth, "re-polarised" in pipelines
    momentum, polars, post = trial.zeros(*problem.shape), trial.zeros(*problem.shape), trial.zeros(1)
    for _ in range(problem.steps // problem.chunk):
        g = trial.gradients()
        u, _, vt = factors(g)
        trial.average(momentum, g)
        if again:
            trial.average(polars, u @ vt)
        o = ((truth.u.T @ u) * (vt @ truth.v).mT).sum(-1) @ truth.spikes / truth.spikes.sum()
        trial.average(post, o[:, None])
    found = {"post-polar": post[:, 0], "polar-only": np.broadcast_to(o[-1], post.shape[0])}
    for name, buffer in (("pre-polar", momentum), ("re-polarised", polars)):
        if name in pipelines:
            u, _, vt = factors(buffer)
            found[name] = readout.alignment(u @ vt, truth)
    return {"alignment": np.stack([found[p] for p in pipelines])[None]}


def _on_threads(one: Callable[[SeedSequence], dict[str, Floats]], trials: int, seed: int, threads: int) -> dict[str, Floats]:
    seeds = SeedSequence(seed).spawn(trials)
    if threads == 1:
        return readout.joined([one(s) for s in seeds])
    with ThreadPoolExecutor(threads) as pool:
        return readout.joined(list(pool.map(one, seeds)))


def observables(
    problem: Problem, trials: int, seed: int, dtype: str, truncated: bool, threads: int = 1, factors: SVD = svd
) -> dict[str, Floats]:
    """Every observable; alignment_truncated where asked for."""
    kind = np.dtype(dtype).type
    return _on_threads(lambda s: _observables(problem, s, kind, truncated, factors), trials, seed, threads)


def alignment(
    problem: Problem, trials: int, seed: int, dtype: str, pipelines: Sequence[str] = PIPELINES, threads: int = 1,
    factors: SVD = svd,
) -> dict[str, Floats]:  # fmt: skip
    """Alignment alone, (trial, pipeline, window): post-polar by averaging the alignments of its steps."""
    kind = np.dtype(dtype).type
    return _on_threads(lambda s: _alignment(problem, s, kind, pipelines, factors), trials, seed, threads)
