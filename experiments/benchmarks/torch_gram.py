"""PyTorch with an iteration on the m x m Gram matrix: minimax quintics, batched products only.

With X scaled so that its singular values lie in [low, 1] and A = X X^T, each quintic p(x) = a x + b x^3 + c x^5 is
P = a I + b A + c A^2: Q <- P Q, A <- P A P, and O(X) = Q X at the end; only the first and last product see X. Where
truncated factors are asked for at every step, the eigenvectors of A are needed anyway and give O(X) as well.
"""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from benchmarks import readout
from benchmarks.readout import Last
from benchmarks.torch_common import Trials, gram_values, in_batches
from benchmarks.workloads import PIPELINES, Problem
from spikesim.minimax import schedule

SAMPLE = 8
"""Trials whose matrices tell how far a spectrum reaches."""
TOLERANCE = {torch.float32: 1e-6, torch.float64: 1e-13}


def lower_end(x: Tensor) -> float:
    """Lower end of the scaled spectrum from a few trials' matrices: 0.8 of the smallest seen, rounded down to 2^(k/4)."""
    x = x[:SAMPLE]
    gram = x @ x.mT
    scale = torch.linalg.matrix_norm(gram @ gram) ** 0.25
    seen = float((torch.linalg.svdvals(x)[..., -1] / scale).min())
    return 2.0 ** (math.floor(4 * math.log2(0.8 * seen)) / 4)


def inverse_root(x: Tensor, low: float) -> Tensor:
    """(X X^T)^(-1/2) of stacked matrices (..., m, n), (..., m, m)."""
    shape = x.shape
    x = x.reshape(-1, *shape[-2:])
    gram = torch.bmm(x, x.mT)
    square = torch.bmm(gram, gram)
    scale = torch.linalg.matrix_norm(square).rsqrt()[:, None, None]  # ‖A^2‖_F^(1/2) bounds ‖X‖^2
    gram, square = gram * scale, square * scale**2
    q = scale**0.5
    steps = schedule(low, TOLERANCE[x.dtype])
    for k, (a, b, c) in enumerate(steps):
        p = torch.baddbmm(gram, gram, gram, beta=b, alpha=c) if k else square.mul_(c).add_(gram, alpha=b)
        p.diagonal(dim1=-2, dim2=-1).add_(a)
        q = torch.bmm(p, q) if k else p * q
        if k < len(steps) - 1:
            gram = torch.bmm(torch.bmm(p, gram), p)
    return q.view(*shape[:-1], shape[-2])


def polar(x: Tensor, low: float) -> Tensor:
    """O(X) of stacked matrices."""
    return inverse_root(x, low) @ x


def gram_svd(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Thin SVD from the eigenvectors of X X^T."""
    values, u = torch.linalg.eigh(x @ x.mT)
    u, d = u.flip(-1), values.flip(-1).sqrt()
    return u, d, (u / d[..., None, :]).mT @ x


def _observables(run: Trials, truncated: bool) -> dict[str, Tensor]:
    problem, r = run.problem, len(run.problem.spikes)
    truth, low = run.truth, 0.0
    momentum, polars, top = run.zeros(*problem.shape), run.zeros(*problem.shape), run.zeros(1)
    for _ in range(problem.steps // problem.chunk):
        g = run.gradients()
        run.average(momentum, g)
        if truncated:
            u, _, vt = gram_svd(g)
            run.average(polars, u @ vt)
            o = ((truth.u.mT @ u[..., :r]) * (vt[..., :r, :] @ truth.v).mT).sum(-1)
            run.average(top, (o @ truth.spikes / truth.spikes.sum())[..., None])
        else:
            low = low or lower_end(g)
            run.average(polars, polar(g, low))
    last = Last(g[:, -1:], momentum, polars, top[..., 0] if truncated else None)
    values = None if run.device == "cpu" else gram_values
    return readout.observables(torch, gram_svd, problem, truth, last, values)


def _alignment(run: Trials, pipelines: Sequence[str]) -> dict[str, Tensor]:
    problem = run.problem
    truth, again, low = run.truth, "re-polarised" in pipelines, 0.0
    momentum, polars, post = run.zeros(*problem.shape), run.zeros(*problem.shape), run.zeros(1)
    for _ in range(problem.steps // problem.chunk):
        g = run.gradients()
        low = low or lower_end(g)
        root = inverse_root(g, low)
        run.average(momentum, g)
        if again:
            run.average(polars, root @ g)
        o = ((root @ truth.u) * (g @ truth.v)).sum(-2) @ truth.spikes / truth.spikes.sum()
        run.average(post, o[..., None])
    found = {"post-polar": post[..., 0], "polar-only": o[:, -1:].expand(post.shape[:2])}
    for name, buffer in (("pre-polar", momentum), ("re-polarised", polars)):
        if name in pipelines:
            found[name] = readout.alignment(polar(buffer, lower_end(buffer)), truth)
    return {"alignment": torch.stack([found[p] for p in pipelines], 1)}


def observables(
    problem: Problem, trials: int, seed: int, dtype: str, truncated: bool, threads: int = 1, device: str = "cpu"
) -> dict[str, Any]:
    """Every observable; alignment_truncated where asked for."""

    def run(count: int, own: int) -> dict[str, Tensor]:
        return _observables(Trials(problem, count, own, dtype, device), truncated)

    return in_batches(run, trials, seed, threads, device)


def alignment(
    problem: Problem,
    trials: int,
    seed: int,
    dtype: str,
    pipelines: Sequence[str] = PIPELINES,
    threads: int = 1,
    device: str = "cpu",
) -> dict[str, Any]:
    """Alignment alone, (trial, pipeline, window): post-polar from its steps, with no polar factor formed but for others."""

    def run(count: int, own: int) -> dict[str, Tensor]:
        return _alignment(Trials(problem, count, own, dtype, device), pipelines)

    return in_batches(run, trials, seed, threads, device)
