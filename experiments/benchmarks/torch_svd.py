"""PyTorch with batched SVD: one decomposition a chunk of steps gives polar factors, truncated or not."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from benchmarks import readout
from benchmarks.readout import Last
from benchmarks.torch_common import Trials, on_threads
from benchmarks.workloads import PIPELINES, Problem

BATCH = 1
"""Trials advanced together."""


def svd(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Thin SVD of stacked matrices."""
    u, d, vt = torch.linalg.svd(x, full_matrices=False)
    return u, d, vt


def _observables(problem: Problem, count: int, seed: int, dtype: str, truncated: bool) -> dict[str, Tensor]:
    run, r = Trials(problem, count, seed, dtype), len(problem.spikes)
    truth = run.truth
    momentum, polars, top = run.zeros(*problem.shape), run.zeros(*problem.shape), run.zeros(1)
    for _ in range(problem.steps // problem.chunk):
        g = run.gradients()
        u, _, vt = svd(g)
        run.average(momentum, g)
        run.average(polars, u @ vt)
        if truncated:
            o = ((truth.u.mT @ u[..., :r]) * (vt[..., :r, :] @ truth.v).mT).sum(-1)
            run.average(top, (o @ truth.spikes / truth.spikes.sum())[..., None])
    last = Last(g[:, -1:], momentum, polars, top[..., 0] if truncated else None)
    return readout.observables(torch, svd, problem, truth, last)


def _alignment(problem: Problem, count: int, seed: int, dtype: str, pipelines: Sequence[str]) -> dict[str, Tensor]:
    run = Trials(problem, count, seed, dtype)
    truth, again = run.truth, "re-polarised" in pipelines
    momentum, polars, post = run.zeros(*problem.shape), run.zeros(*problem.shape), run.zeros(1)
    for _ in range(problem.steps // problem.chunk):
        g = run.gradients()
        u, _, vt = svd(g)
        run.average(momentum, g)
        if again:
            run.average(polars, u @ vt)
        o = ((truth.u.mT @ u) * (vt @ truth.v).mT).sum(-1) @ truth.spikes / truth.spikes.sum()
        run.average(post, o[..., None])
    found = {"post-polar": post[..., 0], "polar-only": o[:, -1:].expand(post.shape[:2])}
    for name, buffer in (("pre-polar", momentum), ("re-polarised", polars)):
        if name in pipelines:
            u, _, vt = svd(buffer)
            found[name] = readout.alignment(u @ vt, truth)
    return {"alignment": torch.stack([found[p] for p in pipelines], 1)}


def observables(problem: Problem, trials: int, seed: int, dtype: str, truncated: bool, threads: int = 1) -> dict[str, Any]:
    """Every observable; alignment_truncated where asked for."""
    return on_threads(lambda n, s: _observables(problem, n, s, dtype, truncated), trials, BATCH, seed, threads)


def alignment(
    problem: Problem, trials: int, seed: int, dtype: str, pipelines: Sequence[str] = PIPELINES, threads: int = 1
) -> dict[str, Any]:
    """Alignment alone, (trial, pipeline, window): post-polar by averaging the alignments of its steps."""
    return on_threads(lambda n, s: _alignment(problem, n, s, dtype, pipelines), trials, BATCH, seed, threads)
