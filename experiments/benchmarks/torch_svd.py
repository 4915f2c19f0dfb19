"""PyTorch with batched SVD: one decomposition a chunk of steps gives polar factors, truncated or not."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from benchmarks import readout
from benchmarks.readout import Last
from benchmarks.torch_common import Trials, gram_values, in_batches
from benchmarks.workloads import PIPELINES, Problem

SVD = Callable[[Tensor], tuple[Tensor, Tensor, Tensor]]


def svd(x: Tensor, driver: str | None = None) -> tuple[Tensor, Tensor, Tensor]:
    """Thin SVD of stacked matrices; driver: cuSOLVER's, of which gesvda is for tall matrices alone."""
    if driver == "gesvda":
        v, d, ut = torch.linalg.svd(x.mT, full_matrices=False, driver=driver)
        return ut.mT, d, v.mT
    u, d, vt = torch.linalg.svd(x, full_matrices=False, driver=driver)
    return u, d, vt


def _observables(run: Trials, truncated: bool, factors: SVD) -> dict[str, Tensor]:
    problem, r = run.problem, len(run.problem.spikes)
    truth = run.truth
    momentum, polars, top = run.zeros(*problem.shape), run.zeros(*problem.shape), run.zeros(1)
    for _ in range(problem.steps // problem.chunk):
        g = run.gradients()
        u, _, vt = factors(g)
        run.average(momentum, g)
        run.average(polars, u @ vt)
        if truncated:
            o = ((truth.u.mT @ u[..., :r]) * (vt[..., :r, :] @ truth.v).mT).sum(-1)
            run.average(top, (o @ truth.spikes / truth.spikes.sum())[..., None])
    last = Last(g[:, -1:], momentum, polars, top[..., 0] if truncated else None)
    values = None if run.device == "cpu" else gram_values
    return readout.observables(torch, factors, problem, truth, last, values)


def _alignment(run: Trials, pipelines: Sequence[str], factors: SVD) -> dict[str, Tensor]:
    problem = run.problem
    truth, again = run.truth, "re-polarised" in pipelines
    momentum, polars, post = run.zeros(*problem.shape), run.zeros(*problem.shape), run.zeros(1)
    for _ in range(problem.steps // problem.chunk):
        g = run.gradients()
        u, _, vt = factors(g)
        run.average(momentum, g)
        if again:
            run.average(polars, u @ vt)
        o = ((truth.u.mT @ u) * (vt @ truth.v).mT).sum(-1) @ truth.spikes / truth.spikes.sum()
        run.average(post, o[..., None])
    found = {"post-polar": post[..., 0], "polar-only": o[:, -1:].expand(post.shape[:2])}
    for name, buffer in (("pre-polar", momentum), ("re-polarised", polars)):
        if name in pipelines:
            u, _, vt = factors(buffer)
            found[name] = readout.alignment(u @ vt, truth)
    return {"alignment": torch.stack([found[p] for p in pipelines], 1)}


def observables(
    problem: Problem,
    trials: int,
    seed: int,
    dtype: str,
    truncated: bool,
    threads: int = 1,
    device: str = "cpu",
    driver: str | None = None,
) -> dict[str, Any]:
    """Every observable; alignment_truncated where asked for."""

    def run(count: int, own: int) -> dict[str, Tensor]:
        return _observables(Trials(problem, count, own, dtype, device), truncated, partial(svd, driver=driver))

    return in_batches(run, trials, seed, threads, device)


def alignment(
    problem: Problem,
    trials: int,
    seed: int,
    dtype: str,
    pipelines: Sequence[str] = PIPELINES,
    threads: int = 1,
    device: str = "cpu",
    driver: str | None = None,
) -> dict[str, Any]:
    """Alignment alone, (trial, pipeline, window): post-polar by averaging the alignments of its steps."""

    def run(count: int, own: int) -> dict[str, Tensor]:
        return _alignment(Trials(problem, count, own, dtype, device), pipelines, partial(svd, driver=driver))

    return in_batches(run, trials, seed, threads, device)
