"""What both PyTorch scripts share: noise, gradients in chunks, averages by one matrix product a chunk, trials on threads."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks import readout
from benchmarks.readout import Truth
from benchmarks.workloads import Problem, chunk_weights


def noise_ema(entries: int, windows: Sequence[float], steps: int, seed: int, dtype: str, chunk: int = 1) -> Any:
    """Averages (K, entries) of standard normal steps from zero; chunk 1: normal_ and lerp_, step by step."""
    kind = getattr(torch, dtype)
    draw, betas = torch.Generator().manual_seed(seed), 1 - 1 / np.array(windows)
    sums = torch.zeros(betas.size, entries, dtype=kind)
    z = torch.empty(chunk, entries, dtype=kind)
    decay, weights = (torch.from_numpy(x).to(kind) for x in chunk_weights(betas, chunk))
    with torch.inference_mode():
        for _ in range(steps // chunk):
            z.normal_(generator=draw)
            if chunk == 1:
                sums.lerp_(z, weights)
            else:
                sums.mul_(decay).addmm_(weights, z)
    return sums.numpy()


class Trials:
    """Chunks of gradients of B trials, (B, steps, m, n), and their averages, in place."""

    def __init__(self, problem: Problem, count: int, seed: int, dtype: str) -> None:
        kind = getattr(torch, dtype)
        self.count, self.problem, self.dtype = count, problem, kind
        self.truth = Truth.of(problem, lambda x: torch.from_numpy(np.ascontiguousarray(x)).to(kind))
        decay, weights = chunk_weights(problem.betas, problem.chunk)
        self.decay, self.weights = torch.from_numpy(decay).to(kind), torch.from_numpy(weights).to(kind)
        self._draw = torch.Generator().manual_seed(seed)
        self._g = torch.empty((count, problem.chunk, *problem.shape), dtype=kind)

    def zeros(self, *shape: int) -> Tensor:
        """Averages before the first step, (B, K, ...)."""
        return torch.zeros((self.count, len(self.decay), *shape), dtype=self.dtype)

    def gradients(self) -> Tensor:
        """The next chunk."""
        return self._g.normal_(0, self.problem.sigma, generator=self._draw).add_(self.truth.signal)

    def average(self, sums: Tensor, x: Tensor) -> None:
        """Take a chunk x (B, steps, ...) into sums (B, K, ...), in place."""
        flat = sums.view(*sums.shape[:2], -1).mul_(self.decay)
        for one, steps in zip(flat, x.reshape(*x.shape[:2], -1), strict=True):
            one.addmm_(self.weights, steps)


Run = Callable[[int, int], dict[str, Tensor]]
"""(trials, seed) to values."""


def on_threads(run: Run, trials: int, batch: int, seed: int, threads: int) -> dict[str, Any]:
    """Batches of trials on Python threads, each with one thread of PyTorch's: its decompositions use no more."""
    torch.set_num_threads(1)
    sizes = [min(batch, trials - first) for first in range(0, trials, batch)]
    seeds = [int(s) for s in np.random.SeedSequence(seed).generate_state(len(sizes))]

    def one(size: int, own: int) -> dict[str, Any]:
        with torch.inference_mode():
            return {name: x.numpy() for name, x in run(size, own).items()}

    if threads == 1:
        return readout.joined([one(*job) for job in zip(sizes, seeds, strict=True)])
    with ThreadPoolExecutor(threads, initializer=lambda: torch.set_num_threads(1)) as pool:
        return readout.joined(list(pool.map(one, sizes, seeds)))
