"""Method "stream": every step drawn, any noise law, nothing stored but the buffers of the windows.

A `Stream` holds a block of trials. Its kernel adds each step's noise to the sums of all windows at once; where a
pipeline needs the gradients themselves, they come out chunk by chunk.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spikesim import rng
from spikesim.errors import need
from spikesim.kernels.cpu import stream_kernel
from spikesim.kernels.fills import BLOCK, STEPS
from spikesim.model import SpikedModel

CHUNK_BYTES = 1 << 22
"""What the gradients of one chunk may take, over all trials of a block; a chunk has at least STEPS steps."""
CHUNK_WORK = 1 << 25
"""Entry-steps of a chunk whose gradients nothing needs: about a tenth of a second, after which a run can be stopped."""
FACTORS = 256
"""Steps whose factors are drawn at once, at least."""

Floats = NDArray[np.floating]


class Stream:
    """Noise of a block of trials and its exponential moving averages, from zero.

    Args:
        model: What to draw.
        seed: Seed in [0, 2^64).
        trials: Global trial numbers, B of them.
        betas: (K,) momenta.
        dtype: Of accumulators and results.
        signal: (m, n), added to the noise that `advance` returns, and to nothing else; none where left out.
    """

    def __init__(
        self, model: SpikedModel, seed: int, trials: Sequence[int], betas: NDArray[np.float64], dtype: np.dtype,
        signal: Floats | None = None,
    ) -> None:  # fmt: skip
        self.model, self.seed, self.trials, self.dtype = model, seed, trials, np.dtype(dtype)
        self.step = 0
        noise = model.noise
        self._kernel = stream_kernel(noise.fill)
        self._parameters = np.asarray(noise.parameters or (0.0,), np.float64)
        self._scale = np.asarray(noise.entry_scale(model.shape), self.dtype)
        self._mean = self.dtype.type(noise.mean)
        shift = np.full(model.shape, self._mean) if signal is None else signal.astype(self.dtype) + self._mean
        self._finish = np.broadcast_to(self._scale, model.shape).flatten(), shift.reshape(-1)  # of what the kernel writes out
        self._momenta = np.append(betas, 0.0).astype(self.dtype)  # the last one keeps the newest step
        padded = padded_entries(model.shape)
        self._sums = np.zeros((len(trials), self._momenta.size, padded), self.dtype)
        self._memory = np.zeros((len(trials), padded))
        self._drawn, self._drawn_from = np.empty((len(trials), 0)), 0
        if noise.remembers:
            self._start()

    def _start(self) -> None:
        """What precedes step 0 of a recursive law: a standard normal, then its burn-in."""
        one, none = np.zeros(1), np.empty(0)
        burn = -(-self.model.noise.burn_in // STEPS) * STEPS
        for trial, memory in zip(self.trials, self._memory, strict=True):
            at = (np.uint64(trial), np.uint64(rng.START), *rng.key(self.seed), self._parameters)
            first = np.zeros_like(memory)
            stream_kernel("gaussian")(first, none, memory.copy(), one, none, 0, 1, *at, none, none)
            memory[:] = first
            self._kernel(none, none, memory, none, none, STEPS, burn, *at, none, none)

    def advance(self, steps: int, keep: bool = False) -> Floats | None:
        """Draw the next steps.

        Args:
            steps: How many; a multiple of STEPS unless they are the last.
            keep: Whether to return them.

        Returns:
            Noise (B, steps, m, n), plus the signal if there is one, if kept.
        """
        need(self.step % STEPS == 0, f"nothing after steps that are no multiple of {STEPS}", step=self.step)
        m, n = self.model.shape
        out = np.empty((len(self.trials), steps * m * n if keep else 0), self.dtype)
        factors = self._factors(steps)
        for i, trial in enumerate(self.trials):
            at = (np.uint64(trial), np.uint64(rng.NOISE), *rng.key(self.seed), self._parameters)
            sums = self._sums[i].reshape(-1)
            self._kernel(sums, out[i], self._memory[i], self._momenta, factors[i], self.step, steps, *at, *self._finish)
        self.step += steps
        return out.reshape(-1, steps, m, n) if keep else None

    def _factors(self, steps: int) -> NDArray[np.float64]:
        """Factors of the next steps, (B, steps), or (B, 0) for none; drawn for several chunks at once."""
        if self.step + steps > self._drawn_from + self._drawn.shape[1]:
            numbers = self.step + np.arange(max(steps, FACTORS))
            drawn = [self.model.noise.step_factors(self.seed, trial, numbers) for trial in self.trials]
            self._drawn_from = self.step
            self._drawn = np.array([() if x is None else x for x in drawn], np.float64)
        first = self.step - self._drawn_from
        return self._drawn[:, first : first + steps]

    def last(self) -> Floats:
        """Noise of the newest step, (B, 1, m, n): the bits that `advance` keeps."""
        m, n = self.model.shape
        return self._sums[:, -1:, : m * n].reshape(-1, 1, m, n) * self._scale + self._mean

    def buffers(self) -> Floats:
        """Noise N of the momentum buffers, (B, K, m, n)."""
        m, n = self.model.shape
        betas = self._momenta[:-1].astype(np.float64)
        unit = self._sums[:, :-1, : m * n].reshape(len(self.trials), -1, m, n)
        out = unit * ((1 - betas)[:, None, None] * self._scale).astype(self.dtype)
        if self.model.noise.mean:
            out += (self.model.noise.mean * (1 - betas**self.step))[:, None, None].astype(self.dtype)
        return out


def need_entries(shape: tuple[int, int]) -> None:
    """Refuse a matrix whose entries the random layout cannot number."""
    m, n = shape
    need(
        m * n <= 2**33, "m n <= 2**33 entries (the random layout's)", 'larger: method "banded" with joint=False', shape=shape
    )


def padded_entries(shape: tuple[int, int]) -> int:
    """Entries that the kernel draws for a matrix of this shape: a multiple of BLOCK."""
    return -(-shape[0] * shape[1] // BLOCK) * BLOCK


def chunk_steps(shape: tuple[int, int], trials: int, dtype: np.dtype, kept: bool) -> int:
    """Steps of a chunk for a block of trials, its gradients kept or not: a multiple of STEPS."""
    step = trials * padded_entries(shape)
    most = CHUNK_BYTES // (step * np.dtype(dtype).itemsize) if kept else min(CHUNK_WORK // step, 1 << 12)
    return max(1, most // STEPS) * STEPS
