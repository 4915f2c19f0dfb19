"""Updates of hidden matrices: a filter over time and polar steps in the pipeline's order, W <- W - rate A_t.

M_0 = 0 and M_t = beta M_(t-1) + (1 - beta) X_t, not debiased; O is the polar factor (theory.md, Notation). Every pipeline,
momentum SGD too, has the same shape factor sqrt(max(1, rows / columns)).
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from spikesim.errors import need

FILTER, POLAR = "filter", "polar"
PIPELINES = {
    "pre-polar": (FILTER, POLAR),
    "post-polar": (POLAR, FILTER),
    "polar-only": (POLAR,),
    "re-polarised": (POLAR, FILTER, POLAR),
    "momentum SGD": (FILTER,),
}


class Hidden:
    """Steps of hidden weights by one pipeline; matrices of one shape are one stack.

    Args:
        weights: Parameters, (m, n) each.
        pipeline: One of PIPELINES.
        beta: Momentum of its filter, 0 <= beta < 1.
    """

    def __init__(self, weights: Sequence[Tensor], pipeline: str, beta: float) -> None:
        need(pipeline in PIPELINES, f"a pipeline in {tuple(PIPELINES)}", pipeline=pipeline)
        need(0 <= beta < 1, "0 <= beta < 1", beta=beta)
        shapes = dict.fromkeys(w.shape for w in weights)
        self._stacks = [[w for w in weights if w.shape == shape] for shape in shapes]
        self._stages = [_Stages(PIPELINES[pipeline], beta) for _ in shapes]

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """W <- W - rate * shape factor * A_t, from the weights' gradients."""
        for stack, stages in zip(self._stacks, self._stages, strict=True):
            m, n = stack[0].shape
            updates = stages.update(torch.stack([w.grad for w in stack if w.grad is not None]))
            for w, update in zip(stack, updates, strict=True):
                w.sub_(update, alpha=rate * max(1.0, m / n) ** 0.5)


class _Stages:
    """One stack's buffer and the stages that it is part of."""

    def __init__(self, stages: Sequence[str], beta: float) -> None:
        self._stages, self._beta, self._buffer = stages, beta, None

    _buffer: Tensor | None

    def update(self, x: Tensor) -> Tensor:
        """A_t of gradients x at step t, (k, m, n)."""
        for stage in self._stages:
            x = polar(x) if stage == POLAR else self._filtered(x)
        return x

    def _filtered(self, x: Tensor) -> Tensor:
        if self._buffer is None:
            self._buffer = torch.zeros_like(x)
        return self._buffer.lerp_(x, 1 - self._beta)


def polar(x: Tensor) -> Tensor:
    """U_+ V_+^T of stacked matrices (k, m, n) float32, over singular values above max(m, n) eps sigma_1; zero gives zero.

    By eigenvectors of the float64 Gram matrix: right to 1e-6 where sigma_min > 1e-5 sigma_1, and faster than an SVD.
    """
    if x.shape[-2] > x.shape[-1]:
        return polar(x.mT).mT
    wide = x.double()
    wide = wide / wide.abs().amax((-2, -1), keepdim=True).clamp_min(torch.finfo(torch.float64).tiny)
    squares, u = torch.linalg.eigh(wide @ wide.mT)
    floor = (x.shape[-1] * torch.finfo(x.dtype).eps) ** 2 * squares[..., -1:]
    root = torch.where((squares > floor) & (squares > 0), squares, torch.inf).rsqrt()
    return (((u * root[..., None, :]) @ u.mT) @ wide).to(x.dtype)
