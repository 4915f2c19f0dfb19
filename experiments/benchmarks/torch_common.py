"""What both PyTorch scripts share: noise, gradients in chunks, averages by one matrix product a chunk, and who runs trials.

On the CPU trials run one by one on threads; on a GPU (device="cuda") in batches, never in TF32.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks import readout
from benchmarks.readout import Truth
from benchmarks.workloads import Problem, chunk_weights

DEVICE_BATCH = 256
"""Trials that a GPU advances together."""


def noise_ema(
    entries: int, windows: Sequence[float], steps: int, seed: int, dtype: str, chunk: int = 1, device: str = "cpu"
) -> Any:
    """Averages (K, entries) of standard normal steps from zero; chunk 1: normal_ and lerp_, step by step.

    NumPy's array on the CPU; on another device they stay there.
    """
    kind = getattr(torch, dtype)
    draw, betas = torch.Generator(device).manual_seed(seed), 1 - 1 / np.array(windows)
    sums = torch.zeros(betas.size, entries, dtype=kind, device=device)
    z = torch.empty(chunk, entries, dtype=kind, device=device)
    decay, weights = (torch.from_numpy(x).to(device, kind) for x in chunk_weights(betas, chunk))
    with torch.inference_mode():
        for _ in range(steps // chunk):
            z.normal_(generator=draw)
            if chunk == 1:
                sums.lerp_(z, weights)
            else:
                sums.mul_(decay).addmm_(weights, z)
    return sums.numpy() if device == "cpu" else sums


class Trials:
    """Chunks of gradients of B trials, (B, steps, m, n), and their averages, in place."""

    def __init__(self, problem: Problem, count: int, seed: int, dtype: str, device: str = "cpu") -> None:
        kind = getattr(torch, dtype)
        self.count, self.problem, self.dtype, self.device = count, problem, kind, device
        self.truth = Truth.of(problem, lambda x: torch.from_numpy(np.ascontiguousarray(x)).to(device, kind))
        decay, weights = chunk_weights(problem.betas, problem.chunk)
        self.decay, self.weights = torch.from_numpy(decay).to(device, kind), torch.from_numpy(weights).to(device, kind)
        self._draw = torch.Generator(device).manual_seed(seed)
        self._g = torch.empty((count, problem.chunk, *problem.shape), dtype=kind, device=device)

    def zeros(self, *shape: int) -> Tensor:
        """Averages before the first step, (B, K, ...)."""
        return torch.zeros((self.count, len(self.decay), *shape), dtype=self.dtype, device=self.device)

    def gradients(self) -> Tensor:
        """The next chunk."""
        return self._g.normal_(0, self.problem.sigma, generator=self._draw).add_(self.truth.signal)

    def average(self, sums: Tensor, x: Tensor) -> None:
        """Take a chunk x (B, steps, ...) into sums (B, K, ...), in place."""
        flat, steps = sums.view(*sums.shape[:2], -1).mul_(self.decay), x.reshape(*x.shape[:2], -1)
        if self.count == 1:
            flat[0].addmm_(self.weights, steps[0])
        else:
            flat.baddbmm_(self.weights.expand(self.count, *self.weights.shape), steps)


def gram_values(x: Tensor) -> Tensor:
    """Singular values, falling, from the eigenvalues of the smaller Gram matrix."""
    gram = x @ x.mT if x.shape[-2] <= x.shape[-1] else x.mT @ x
    return torch.linalg.eigvalsh(gram).flip(-1).clamp(min=0).sqrt()


Run = Callable[[int, int], dict[str, Tensor]]
"""(trials, seed) to values."""


def in_batches(run: Run, trials: int, seed: int, threads: int, device: str) -> dict[str, Any]:
    """Trials one by one on Python threads, each with one thread of PyTorch's, as its decompositions use no more.

    On a GPU: batches of DEVICE_BATCH, one after the other.
    """
    torch.set_num_threads(1)
    torch.backends.cuda.matmul.allow_tf32 = False
    batch = 1 if device == "cpu" else DEVICE_BATCH
    sizes = [min(batch, trials - first) for first in range(0, trials, batch)]
    seeds = [int(s) for s in np.random.SeedSequence(seed).generate_state(len(sizes))]

    def one(size: int, own: int) -> dict[str, Any]:
        with torch.inference_mode():
            return {name: x.cpu().numpy() for name, x in run(size, own).items()}

    if threads == 1:
        return readout.joined([one(*job) for job in zip(sizes, seeds, strict=True)])
    with ThreadPoolExecutor(threads, initializer=lambda: torch.set_num_threads(1)) as pool:
        return readout.joined(list(pool.map(one, sizes, seeds)))
