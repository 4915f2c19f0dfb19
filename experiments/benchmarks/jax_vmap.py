"""JAX: scan over chunks of steps, vmap over trials, jit over all of it; compiled once for each number of trials.

Threefry is JAX's default generator and the fastest of its own here. XLA's decompositions use one thread, and with several
they can wait for each other for ever, so that cores are used by one process each (contenders.py).
"""

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from benchmarks import readout
from benchmarks.readout import Last, Truth
from benchmarks.workloads import PIPELINES, Problem, chunk_weights

jax.config.update("jax_enable_x64", True)

BATCH = 1
"""Trials advanced together."""
SCAN = 512
"""Steps of noise of one call, whose length is compiled in."""


def svd(x: Array) -> tuple[Array, Array, Array]:
    """Thin SVD of stacked matrices."""
    u, d, vt = jnp.linalg.svd(x, full_matrices=False)
    return u, d, vt


@partial(jax.jit, static_argnums=(0, 1, 4))
def _noise_ema(windows: tuple[float, ...], steps: int, sums: Array, key: Array, chunk: int) -> Array:
    dtype, entries = sums.dtype, sums.shape[1]
    decay, weights = (jnp.asarray(x, dtype) for x in chunk_weights(1 - 1 / np.array(windows), chunk))

    def body(sums: Array, own: Array) -> tuple[Array, None]:
        return sums * decay + weights @ jax.random.normal(own, (chunk, entries), dtype), None

    return jax.lax.scan(body, sums, jax.random.split(key, steps // chunk))[0]


def noise_ema(entries: int, windows: Sequence[float], steps: int, seed: int, dtype: str, chunk: int = 1) -> Any:
    """Averages (K, entries) of standard normal steps from zero: scans of SCAN steps, `chunk` an iteration."""
    sums = jnp.zeros((len(windows), entries), dtype)
    for first, key in enumerate(jax.random.split(jax.random.key(seed), -(-steps // SCAN))):
        sums = _noise_ema(tuple(windows), min(SCAN, steps - first * SCAN), sums, key, chunk)
    return np.asarray(sums)


def _scanned(problem: Problem, key: Array, dtype: str, flows: Callable[[Truth, Array], tuple[Array, ...]]) -> Any:
    """Averages (K, ...) of one trial's `flows` of each chunk of gradients, the last step of each, and the truth."""
    truth = Truth.of(problem, lambda x: jnp.asarray(x, dtype))
    decay, weights = (jnp.asarray(x, dtype) for x in chunk_weights(problem.betas, problem.chunk))

    def chunk(own: Array) -> tuple[Array, ...]:
        g = problem.sigma * jax.random.normal(own, (problem.chunk, *problem.shape), dtype) + truth.signal
        return g, *flows(truth, g)

    def body(carry: Any, own: Array) -> tuple[Any, None]:
        found = chunk(own)
        sums = [_average(s, x, decay, weights) for s, x in zip(carry[0], found, strict=True)]
        return (sums, [x[-1] for x in found]), None

    keys = jax.random.split(key, problem.steps // problem.chunk)
    shapes = jax.eval_shape(chunk, keys[0])
    zeros = [jnp.zeros((len(decay), *x.shape[1:]), dtype) for x in shapes]
    newest = [jnp.zeros(x.shape[1:], dtype) for x in shapes]
    (sums, newest), _ = jax.lax.scan(body, (zeros, newest), keys)
    return truth, sums, newest


def _average(sums: Array, x: Array, decay: Array, weights: Array) -> Array:
    return (sums.reshape(len(sums), -1) * decay + weights @ x.reshape(len(x), -1)).reshape(sums.shape)


def _stepwise(truth: Truth, u: Array, vt: Array) -> Array:
    """<u v^T, S> / ‖S‖_* of stacked factors, without the product."""
    o = ((truth.u.T @ u) * (vt @ truth.v).mT).sum(-1)
    return o @ truth.spikes / truth.spikes.sum()


@cache
def _observables(problem: Problem, dtype: str, truncated: bool) -> Callable[[Array], dict[str, Array]]:
    r = len(problem.spikes)

    def flows(truth: Truth, g: Array) -> tuple[Array, ...]:
        u, _, vt = svd(g)
        return (u @ vt, _stepwise(truth, u[..., :r], vt[..., :r, :])) if truncated else (u @ vt,)

    def one(key: Array) -> dict[str, Array]:
        truth, sums, newest = _scanned(problem, key, dtype, flows)
        last = Last(newest[0][None, None], sums[0][None], sums[1][None], sums[2][None] if truncated else None)
        found = readout.observables(jnp, svd, problem, truth, last)
        return {n: x if n in (readout.TOTAL, readout.SQUARES) else x[0] for n, x in found.items()}

    def batch(keys: Array) -> dict[str, Array]:
        found = jax.vmap(one)(keys)
        return {n: x.sum(0) if n in (readout.TOTAL, readout.SQUARES) else x for n, x in found.items()}

    return jax.jit(batch)


@cache
def _alignment(problem: Problem, dtype: str, pipelines: tuple[str, ...]) -> Callable[[Array], dict[str, Array]]:
    again = "re-polarised" in pipelines

    def flows(truth: Truth, g: Array) -> tuple[Array, ...]:
        u, _, vt = svd(g)
        return (_stepwise(truth, u, vt), u @ vt) if again else (_stepwise(truth, u, vt),)

    def one(key: Array) -> dict[str, Array]:
        truth, sums, newest = _scanned(problem, key, dtype, flows)
        found = {"post-polar": sums[1], "polar-only": jnp.broadcast_to(newest[1], sums[1].shape)}
        for name, buffer in {"pre-polar": sums[0], "re-polarised": sums[-1]}.items():
            if name in pipelines:
                u, _, vt = svd(buffer)
                found[name] = readout.alignment(u @ vt, truth)
        return {"alignment": jnp.stack([found[p] for p in pipelines])}

    return jax.jit(jax.vmap(one))


def _in_batches(run: Callable[[Array], dict[str, Array]], trials: int, seed: int) -> dict[str, Any]:
    keys = jax.random.split(jax.random.key(seed), trials)
    found = [run(keys[first : first + BATCH]) for first in range(0, trials, BATCH)]
    return readout.joined([{name: np.asarray(x) for name, x in batch.items()} for batch in found])


def observables(problem: Problem, trials: int, seed: int, dtype: str, truncated: bool) -> dict[str, Any]:
    """Every observable; alignment_truncated where asked for."""
    return _in_batches(_observables(problem, dtype, truncated), trials, seed)


def alignment(problem: Problem, trials: int, seed: int, dtype: str, pipelines: Sequence[str] = PIPELINES) -> dict[str, Any]:
    """Alignment alone, (trial, pipeline, window): post-polar by averaging the alignments of its steps."""
    return _in_batches(_alignment(problem, dtype, tuple(pipelines)), trials, seed)
